# SPDX-License-Identifier: GPL-3.0-or-later
# agent.sh - runs on the node for its whole life: looks for the cloud's interruption notice each
# second and tells it to the controller until the controller has confirmed it; says "alive" every
# 15 s; powers the node off when the controller has not answered for deadman_s seconds, so that an
# instance which nobody knows any more does not cost money for ever. A job goes on without the
# controller's daemon, and its node with it; for deadman_max_s (the longest time limit of a job and
# some) and not longer.
#
# Configuration: agent.conf, one line "INSTANCE CONTROLLER FORM DEADMAN_S DEADMAN_MAX_S". Messages are munge
# credentials in the body of a POST to http://CONTROLLER/v1/node; 200 is the confirmation.
# shellcheck shell=sh
# shellcheck disable=SC1007,SC2015,SC2034,SC2154 # see lib.sh
cd /run/burst-node || exit 1
# shellcheck source-path=SCRIPTDIR source=lib.sh
. ./lib.sh

read -r instance controller form deadman_s deadman_max_s <agent.conf || die "agent: no agent.conf"
echo $$ >agent.pid
imds=http://169.254.169.254
notice= # epoch at which the instance ends, once announced
notice_sent=
token= token_until=0

uptime_s()
{
    read -r up rest </proc/uptime
    echo "${up%%.*}"
}

post() # JSON
{
    munge -s "$1" | curl -fsS -m 3 --noproxy '*' -o /dev/null -H 'Content-Type: text/plain' \
        --data-binary @- "http://$controller/v1/node"
}

get() # PATH HEADER: the body in meta.out; fails unless the answer is 200
{
    code=$(curl -s -m 2 --noproxy '*' -o meta.out -w '%{http_code}' -H "$2" "$imds$1")
    [ "$code" = 200 ]
}

# Each look_FORM sets notice when the cloud has announced the end.
look_aws()
{
    if [ "$now" -ge "$token_until" ]; then
        token=$(curl -fs -m 2 --noproxy '*' -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 600' \
            "$imds/latest/api/token") && token_until=$((now + 300))
    fi
    if ! get /latest/meta-data/spot/instance-action "X-aws-ec2-metadata-token: $token"; then
        [ "$code" = 401 ] && token_until=0
        return
    fi
    time=$(sed -n 's/.*"time"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p' meta.out)
    notice=$(date -u -d "$time" +%s) || notice=$(($(date +%s) + 120))
}

look_gcp() # no time is given: the machine gets 30 s after the notice
{
    get /computeMetadata/v1/instance/preempted 'Metadata-Flavor: Google' &&
        grep -q TRUE meta.out && notice=$(($(date +%s) + 25))
}

look_azure() # {"Events":[{"EventType":"Preempt","NotBefore":"Mon, 19 Sep 2016 18:29:47 GMT",...}]}
{
    get '/metadata/scheduledevents?api-version=2020-07-01' 'Metadata: true' || return
    event=$(tr '{' '\n' <meta.out | grep '"EventType"[[:space:]]*:[[:space:]]*"Preempt"') || return
    time=$(echo "$event" | sed -n 's/.*"NotBefore"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p')
    # NotBefore is empty once the event has started
    [ -n "$time" ] && notice=$(date -u -d "$time" +%s) || notice=$(($(date +%s) + 25))
}

now=$(uptime_s)
last_answer=$now last_alive=-1000
idle_since=$now # neither an answer nor a job since then
while :; do
    now=$(uptime_s)
    if [ -z "$notice" ]; then
        case $form in
            aws | local) look_aws ;;
            gcp) look_gcp ;;
            azure) look_azure ;;
        esac
    fi
    if [ -n "$notice" ] && [ -z "$notice_sent" ]; then
        post "{\"instance\":\"$instance\",\"event\":\"notice\",\"deadline\":$notice}" &&
            notice_sent=yes && last_answer=$now && idle_since=$now
    fi
    if [ $((now - last_alive)) -ge 15 ]; then
        last_alive=$now
        post "{\"instance\":\"$instance\",\"event\":\"alive\"}" && last_answer=$now && idle_since=$now
    fi
    if [ "$deadman_s" -gt 0 ] && [ $((now - idle_since)) -ge "$deadman_s" ]; then
        if [ $((now - last_answer)) -lt "${deadman_max_s:-691200}" ] && step_runs; then
            idle_since=$now # the time counts from the job's end
            continue
        fi
        echo "no answer from $controller for $((now - last_answer)) s: powering off"
        power_off
    fi
    sleep 1
done
