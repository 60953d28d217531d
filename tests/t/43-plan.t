#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Which place is the cheapest, with all that belongs to it: data that lie somewhere, jobs that follow,
# nodes that are rented already, and the price of waiting here
#
# The prices in the expectations are those of etc/demo/catalog; a new node is paid for 2 minutes
# before and after its job.

# shellcheck disable=SC2016,SC2119,SC2154
. "$(dirname "$0")/lib.sh"

conf=$(mktemp -d "${TMPDIR:-/tmp}/burst-conf.XXXXXX")
sed -E 's/^  default_runtime:.*/&\
  cost_of_waiting:\
    - {partition: [main], qos: [patient], usd_per_hour: 0.01}\
    - {qos: [urgent], usd_per_hour: 400}/
    s/^node_idle:.*/node_idle: 15s/' "$topdir/etc/demo/burst.yaml" >"$conf/burst.yaml"
start_cluster --with-burst --conf "$conf"
rm -rf "$conf"
as root sh -c 'sacctmgr -i add qos patient urgent &&
    sacctmgr -i modify user alice set qos+=patient,urgent' >/dev/null
filler=$(fill_local)

# decided JOB FILTER: of its last decision
decided() { slurm burst why --json "$1" | jq -r ".decisions | last | $2"; }

# --- data gravity: an A100 costs 1.40 USD an hour at gcp and 1.60 at aws (spot). For an hour that is
# 62/60 x 0.20 = 0.2067 USD, and data leave aws for 0.09 USD a GB.
far=$(as alice sbatch --parsable --gpus=a100:1 -t 60 --burst-data=aws/us-east-1:0.5 -o /dev/null --wrap 'sleep 2')
near=$(as alice sbatch --parsable --gpus=a100:1 -t 60 --burst-data=aws/us-east-1:5 -o /dev/null --wrap 'sleep 2')
ok "a job with little data far away ends" burst_job "$far" 60
ok "a job with much data far away ends" burst_job "$near" 60
is "$(runs "$far")" gcp:COMPLETED "0.5 GB are moved to the cheaper cloud"
is "$(decided "$far" .chosen.transfer_uusd)" 45000 "for 0.5 x 0.09 USD"
is "$(runs "$near")" aws:COMPLETED "5 GB keep their job where they lie"
is "$(decided "$near" .chosen.transfer_uusd)" 0 "that costs no egress"
is "$(decided "$near" '[.runners_up[] | select(.cloud == "gcp")][0].transfer_uusd')" 450000 \
    "the runner-up would have cost 5 x 0.09 USD of egress"
like "$(as alice burst why "$near")" 'gcp.*0\.45' "burst why shows that sum"
is "$(slurm burst cost --by job --json | jq ".rows[] | select(.key == \"$far\") | .transfer_uusd")" 45000 \
    "the ledger charges the egress to the job"
is "$(slurm burst cost --by job --json | jq ".rows[] | select(.key == \"$near\") | .transfer_uusd")" 0 \
    "and none to the other"

# --- a pipeline: alone, an A100 is cheapest at gcp (1.40 against 1.60), an H100 at aws (2.75 against
# 3.10); with 150 GB between them both belong to aws (4.35 against 4.50), data stay in us-east-1.
first=$(as alice sbatch --parsable --hold --gpus=a100:1 -t 60 -o /dev/null --wrap 'sleep 2')
second=$(as alice sbatch --parsable --gpus=h100:1 -t 60 --dependency=afterok:"$first" \
    --burst-data=job/"$first":150 -o /dev/null --wrap 'sleep 1')
wait_for "[[ \$(of_job $second state) == watching ]]" 20
is "$(rented "$second")" "" "nothing is rented for a job that waits for another one"
as alice scontrol release "$first"
ok "the first of the pipeline ends" burst_job "$first" 60
is "$(runs "$first")" aws:COMPLETED "it ran where the second will be cheap, not where it alone is"
ok "and then the second" burst_job "$second" 60
is "$(runs "$second")" aws:COMPLETED "beside the data"
is "$(decided "$second" '"\(.chosen.region) \(.chosen.transfer_uusd)"')" 'us-east-1 0' "which are not moved"

# --- a node that is rented and idle costs least
again=$(as alice sbatch --parsable --gpus=h100:1 -t 5 -o /dev/null --wrap true)
ok "a job finds an idle node" burst_job "$again" 60
is "$(rented "$again")" "" "nothing is rented for it"
is "$(decided "$again" .chosen.alternative)" idle "the decision says so"
like "$(decided "$again" '[.runners_up[] | select(.alternative == null)] | length')" '^[1-9]' \
    "and what a new one would have cost"

# --- the price of waiting. The local nodes are busy for two hours: 0.02 USD for the patient.
patient=$(as alice sbatch --parsable --qos=patient --gpus=a100:1 -t 60 -o /dev/null --wrap true)
urgent=$(as alice sbatch --parsable --qos=urgent --gpus=a100:1 -t 60 -o /dev/null --wrap true)
ok "a job whose waiting is dear is sent away" burst_job "$urgent" 60
like "$(decided "$urgent" '[.runners_up[] | select(.alternative == "local")][0].waiting_uusd')" \
    '^[1-9][0-9]{6,}$' "burst why has the price of its wait"
happens "a job whose waiting is cheap stays" 20 \
    "[[ \$(decided $patient .chosen.alternative) == local ]]"
is "$(of_job "$patient" state)" staying "burst jobs says so"
is "$(job_state "$patient")" PENDING "it waits in its partition"
is "$(rented "$patient")" "" "nothing is rented for it"
ok "the difference to the best place is told" \
    test "$(decided "$patient" '.runners_up[0].more_uusd')" -gt 100000
like "$(as alice burst why "$patient")" "waiting for the site's own nodes" "in words too"
as root scancel "$filler"
ok "it starts here when there is room" wait_job "$patient" 60
is "$(runs "$patient")" main:COMPLETED "on a node of the site"

bills_agree
done_testing
