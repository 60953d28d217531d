#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# 50-fakecloud.t - the fake EC2 of the drivers' tests, as clients that others wrote see it: awscli,
# and curl, whose signatures the driver will use. Build directory: $BURST_BUILD (default: $builddir or
# the current directory).

# shellcheck disable=SC2016,SC2154
. "$(dirname "$0")/lib.sh"

build=$(readlink -f "${BURST_BUILD:-${builddir:-.}}")
aws=/usr/bin/aws # Debian's
[[ -x $build/tests/fakecloud/fakecloud ]] || skip_all "tests/fakecloud/fakecloud is not built in $build"
[[ -x $aws ]] || skip_all "no awscli"

work=$(mktemp -d "${TMPDIR:-/tmp}/fakecloud-t.XXXXXX")
pid=
trap 'status=$?; [[ -z $pid ]] || kill "$pid"; rm -rf "$work"; (exit $status); cleanup' EXIT

cat >"$work/world" <<'END'
{"offers": [
  {"zone": "us-east-1a", "type": "c6i.large", "price": "0.085", "spot": "0.031"},
  {"zone": "us-east-1b", "type": "c6i.large", "price": "0.085", "spot": "0.03"},
  {"zone": "us-east-1b", "type": "p4d.24xlarge", "price": "32.77", "capacity": 1},
  {"zone": "eu-west-1a", "type": "c6i.large", "price": "0.09"}], "page": 5}
END
echo "a/secret+key" >"$work/secret"
"$build/tests/fakecloud/fakecloud" --world "$work/world" --access-key AKIDTEST \
    --secret-file "$work/secret" --port-file "$work/port" 2>"$work/log" &
pid=$!
wait_for '[[ -s $work/port ]]' 10 || bail_out "fakecloud does not start: $(<"$work/log")"
url=http://127.0.0.1:$(<"$work/port")

export AWS_ACCESS_KEY_ID=AKIDTEST AWS_SECRET_ACCESS_KEY=a/secret+key AWS_DEFAULT_REGION=us-east-1
export AWS_EC2_METADATA_DISABLED=true AWS_MAX_ATTEMPTS=1 AWS_CONFIG_FILE=/dev/null
export AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_PAGER= no_proxy=127.0.0.1
ec2() { "$aws" --endpoint-url "$url" ec2 "$@" --output text 2>&1; }
bill() { curl -s "$url/bill" | jq -r "$1"; }
control() { curl -s -o /dev/null -w '%{http_code}' -T - "$url/control" <<<"$1"; }

run=(run-instances --image-id ami-1 --instance-type c6i.large --client-token tok-1 --count 7
    --placement AvailabilityZone=us-east-1a --instance-market-options MarketType=spot
    --tag-specifications 'ResourceType=instance,Tags=[{Key=burst-cluster,Value=a b&c=d/e+f}]'
    --user-data '#cloud-config' --query 'Instances[].[InstanceLifecycle,Placement.AvailabilityZone]')
is "$(ec2 "${run[@]}" | sort -u)" $'spot\tus-east-1a' "awscli launches"
is "$(bill length)" 7 "seven instances"
ec2 "${run[@]}" >/dev/null
is "$(bill length)" 7 "the same token launches nothing"
is "$(ec2 describe-instances --filters 'Name=tag:burst-cluster,Values=a b&c=d/e+f' --page-size 5 \
    --query 'Reservations[].Instances[].[State.Name,ClientToken]' | sort | uniq -c | xargs)" \
    "7 running tok-1" "it reads all pages of a listing"
like "$(ec2 "${run[@]/7/6}")" 'IdempotentParameterMismatch' "other parameters with that token are refused"
like "$(ec2 run-instances --image-id ami-1 --instance-type p4d.24xlarge --count 2 \
    --placement AvailabilityZone=us-east-1b)" 'InsufficientInstanceCapacity.*us-east-1b' \
    "where there is no room it is told"
id=$(bill '.[0].id')
is "$(ec2 terminate-instances --instance-ids "$id" \
    --query 'TerminatingInstances[].[CurrentState.Name,PreviousState.Name]')" $'shutting-down\trunning' \
    "it ends one"
like "$(ec2 terminate-instances --instance-ids i-0)" 'InvalidInstanceID.NotFound' "one that there is not"
is "$(control "{\"reclaim\":\"$(bill '.[1].id')\"}")" 200 "a reclaim"
is "$(ec2 describe-instances --instance-ids "$(bill '.[1].id')" \
    --query 'Reservations[].Instances[].StateReason.Code')" Server.SpotInstanceTermination "is seen as one"
is "$(ec2 describe-spot-price-history --instance-types c6i.large --product-descriptions Linux/UNIX \
    --query 'SpotPriceHistory[].[AvailabilityZone,SpotPrice]' | sort | xargs)" \
    "us-east-1a 0.031 us-east-1b 0.03" "spot prices of the region"
like "$(ec2 describe-instances --dry-run)" DryRunOperation "a dry run"
is "$(AWS_DEFAULT_REGION=eu-west-1 ec2 describe-instances --query 'Reservations[].Instances[].InstanceId')" "" \
    "another region has none"
like "$(AWS_SECRET_ACCESS_KEY=another ec2 describe-instances)" 'AuthFailure' "another secret is refused"
like "$(AWS_ACCESS_KEY_ID=AKIDANOTHER ec2 describe-instances)" 'AuthFailure' "another key too"
is "$(control '{"faults":[{"action":"RunInstances","code":"RequestLimitExceeded","status":503,"tries":1}]}')" 200 \
    "a fault"
like "$(ec2 "${run[@]/tok-1/tok-2}")" RequestLimitExceeded "is met once"

# curl signs as the driver will
signed() # DATA [OPTION...]: status and body
{
    local data=$1
    shift
    curl -s -w '\n%{http_code}' --aws-sigv4 aws:amz:us-east-1:ec2 --user "AKIDTEST:a/secret+key" \
        -d "$data" "$@" "$url/"
}
like "$(signed 'Action=DescribeInstances&Version=2016-11-15')" '<DescribeInstancesResponse.*200$' \
    "a form that curl has signed is good"
like "$(signed 'Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=tag%3Aburst-cluster&Filter.1.Value.1=a+b%26c%3Dd%2Fe%2Bf')" \
    'tok-1.*200$' "so is one with all kinds of characters"
like "$(signed 'Action=DescribeInstances&Version=2016-11-15' --user AKIDTEST:another)" 'AuthFailure.*401$' \
    "with another secret it is not"
like "$(curl -s -w '\n%{http_code}' -d 'Action=DescribeInstances&Version=2016-11-15' "$url/")" \
    'MissingAuthenticationToken.*401$' "nor without a signature"
like "$(signed 'Action=DescribeInstances&Version=2016-11-15' --aws-sigv4 aws:amz:us-east-1:s3)" \
    'SignatureDoesNotMatch.*400$' "nor one for another service"

kill $pid
wait $pid
is $? 0 "it ends in order"
pid=
is "$(<"$work/log")" "" "without complaint"
done_testing
