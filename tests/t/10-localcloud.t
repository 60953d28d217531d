#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# burst-localcloud: instances that are real machines to the outside, its faults, its bill, its own
# death; and that nothing is left of them. Runs in network, PID and mount namespaces of its own: when
# this script ends, the kernel ends whatever it has started.

# shellcheck disable=SC2016,SC2154
. "$(dirname "$0")/lib.sh"

((EUID == 0)) || skip_all "needs root: instances are made of namespaces, mounts and links"
BUILD=${BURST_BUILD:?BURST_BUILD names the build directory}
[[ -x $BUILD/burst-localcloud ]] || bail_out "$BUILD/burst-localcloud is not there: make burst-localcloud"
if [[ -z ${BURST_TEST_OWN_NS-} ]]; then
    export BURST_TEST_OWN_NS=1
    exec unshare --net --pid --mount --ipc --fork --kill-child --mount-proc -- bash "$0"
fi

new_dir WORK
umask 077
cd "$WORK" || exit 1
echo customer-token-of-aws >aws.token
echo customer-token-of-gcp >gcp.token
echo token-of-the-operator >admin.token
ssh-keygen -q -t ed25519 -N '' -f key
cat >aws.csv <<'END'
InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,SpotPrice,Region,AvailabilityZone
p4d.x,A100,2,8,32,,4.567891,1.234567,us-east-1,us-east-1a
p4d.x,A100,2,8,32,,4.567891,1.30,us-east-1,us-east-1b
"c5.large",,,2,4,,0.085,,us-east-1,
broken,A100,2,8,32,,cheap,,us-east-1,us-east-1a
END
cat >conf.json <<END
{"listen": "127.0.0.1:8700", "state_dir": "$WORK/state", "bridge": "br0",
 "address_range": "10.88.1.1-10.88.1.50", "prefix": 16, "gateway": "10.88.0.1",
 "admin_token_file": "$WORK/admin.token", "disk_mib": 256,
 "clouds": [
  {"name": "aws", "token_file": "$WORK/aws.token", "catalog": "$WORK/aws.csv", "quota_nodes": 6},
  {"name": "gcp", "token_file": "$WORK/gcp.token", "catalog": "$WORK/aws.csv"}]}
END
ip link set lo up

# --- helpers ---------------------------------------------------------------------------------

cloud_pid=''

# start_cloud [OPTION]...: until it answers
start_cloud()
{
    "$BUILD/burst-localcloud" --config conf.json --log-file "$WORK/log" "$@" >>stderr 2>&1 &
    cloud_pid=$!
    wait_for 'curl -s -o /dev/null http://127.0.0.1:8700/' 10
}

kill_cloud()
{
    kill -9 "$cloud_pid"
    wait "$cloud_pid" 2>/dev/null
}

# call TOKENFILE METHOD PATH [BODY]: the reply; its HTTP status goes to the file `status`
call()
{
    local args=(-sS -m 10 -X "$2" -H "Authorization: Bearer $(<"$1")" -w '%{stderr}%{http_code}')
    [[ -z ${4-} ]] || args+=(-d "$4")
    curl "${args[@]}" "http://127.0.0.1:8700/v1/$3" 2>status
}

api() { call aws.token "$@"; }
operator() { call admin.token "$@"; }

# body TOKEN [COUNT [MARKET [ZONE [TYPE]]]]
body()
{
    jq -nc --arg token "$1" --argjson count "${2:-1}" --arg market "${3:-spot}" --arg zone "${4-}" \
        --arg type "${5:-p4d.x}" --rawfile key key.pub '{$token, $count, instance_type: $type,
        region: "us-east-1", $zone, $market, tags: {"burst-cluster": "test"},
        ssh_public_key: ($key | rtrimstr("\n"))}'
}

# launch ARGS of body: prints the ids
launch() { api POST aws/instances "$(body "$@")" | jq -r '.instances[].id'; }
inst() { operator GET "aws/instances/$1" | jq -r ".$2"; }
faults() { operator PUT aws/faults "$1"; }
error_code() { jq -r .error.code; }

# on_vm ID COMMAND...: over SSH; the host key is the one that the API tells
on_vm()
{
    local id=$1 address
    shift
    address=$(inst "$id" address)
    echo "$address $(inst "$id" host_key)" >"known.$id"
    ssh -i key -o UserKnownHostsFile="known.$id" -o StrictHostKeyChecking=yes -o BatchMode=yes \
        -o ConnectTimeout=1 -o LogLevel=ERROR -o ServerAliveInterval=1 "root@$address" "$@"
}

instances_running() { pgrep -cf '^burst-instance --instance'; }
links() { ip -o link | grep -c ' lc'; }

# --- starting --------------------------------------------------------------------------------

like "$("$BUILD/burst-localcloud" --config conf.json 2>&1; cat log 2>/dev/null)" "ip link add br0 type bridge" \
    "without the bridge it says how to make it"
ip link add br0 type bridge
ip addr add 10.88.0.1/16 dev br0
ip link set br0 up
# shellcheck disable=SC2034 # used in a condition below
before_ns=$(lsns -n -t net | wc -l)

fails "two of --config and --purge are refused" "$BUILD/burst-localcloud" --config x --purge y
sed 's/"prefix"/"prefx"/' conf.json >bad.json
like "$("$BUILD/burst-localcloud" --config bad.json 2>&1)" 'bad.json: unknown key "prefx"' \
    "an unknown key is named"
start_cloud
report $? "starts"
like "$(<log)" "aws.csv: line 5 is left out: Price: \"cheap\"" "a line that is no offer is reported"
like "$("$BUILD/burst-localcloud" --config conf.json 2>&1; tail -1 log)" "a burst-localcloud runs on this" \
    "a second one on the same state directory is refused"

# --- one instance ----------------------------------------------------------------------------

began=$EPOCHREALTIME
vm=$(launch t1)
ok "SSH answers, with the host key that the API told" wait_for "on_vm $vm true" 5
diag "launch to SSH: $(seconds_since "$began") s"
like "$(tr '\0' ' ' </proc/"$(pgrep -f '^burst-instance')"/cmdline)" "^burst-instance --instance $" \
    "its arguments tell nothing"
is "$(inst "$vm" state)" running "it runs"
is "$(inst "$vm" zone)" us-east-1a "in the first zone that has a price"
is "$(inst "$vm" price_usd_per_hour)" 1.234567 "at the price of the catalog"
is "$(on_vm "$vm" hostname)" "$vm" "its host name is its id"
is "$(on_vm "$vm" 'readlink /proc/1/ns/pid /proc/self/ns/pid | uniq | wc -l')" 1 "own PID namespace"
isnt "$(on_vm "$vm" readlink /proc/1/ns/net)" "$(readlink /proc/self/ns/net)" "own network"
is "$(on_vm "$vm" 'cat /proc/1/comm')" burst-instance "our init is its first process"
unlike "$(on_vm "$vm" ps ax -o args)" "localcloud|$WORK" "it sees no process of the machine"
is "$(on_vm "$vm" 'ls -A /home /srv /mnt | grep -v :')" "" "none of the machine's /home, /srv, /mnt"
is "$(on_vm "$vm" 'ls -A /root')" .ssh "/root holds its key only"
is "$(on_vm "$vm" 'ls -A /etc/slurm /etc/munge | grep -v :')" "" "no Slurm configuration, no munge key"
is "$(on_vm "$vm" 'find /var/spool /var/log /var/lib/mysql /var/lib/slurm /run -type f')" "" \
    "nothing of spools, logs, databases and /run"
is "$(on_vm "$vm" 'awk -F: "\$3 >= 1000 && \$3 < 60000" /etc/passwd')" "" "no accounts of people"
is "$(on_vm "$vm" 'cut -d: -f2 /etc/shadow | sort -u')" "*" "no password of the machine"
is "$(on_vm "$vm" 'for d in /*; do echo "${d#/}"; done | grep -vxE \
    "bin|boot|dev|etc|home|lib|lib32|lib64|libx32|media|mnt|opt|proc|root|run|sbin|srv|sys|tmp|usr|var"')" \
    "" "nothing unusual in its root directory"
is "$(on_vm "$vm" 'find /dev/nvidia* -type c | wc -l')" 2 "two accelerators, character devices"
fails "it cannot make devices" on_vm "$vm" mknod /tmp/disk b 254 0
is "$(on_vm "$vm" 'echo new >/usr/bin/true; cat /usr/bin/true')" new "it writes its own disk"
isnt "$(head -c3 /usr/bin/true)" new "and not the machine's"
is "$(on_vm "$vm" 'stat -fc %T /sys/fs/cgroup')" tmpfs "/sys/fs/cgroup is there for slurmd"
is "$(on_vm "$vm" 'getent hosts $(hostname)' | awk '{print $1}')" "$(inst "$vm" address)" \
    "it knows its own name"
ok "it reaches the controller" on_vm "$vm" 'timeout 2 bash -c "</dev/tcp/10.88.0.1/22" 2>&1 | grep -q refused'
is "$(on_vm "$vm" 'sh -c "sleep 0.2 & exit"; sleep 0.5; ps ax | grep -c "[d]efunct"')" 0 "orphans are reaped"

md='curl -s -m 2 http://169.254.169.254/latest'
is "$(on_vm "$vm" "$md/meta-data/instance-id")" "$vm" "metadata: instance-id"
is "$(on_vm "$vm" "$md/meta-data/placement/availability-zone")" us-east-1a "metadata: zone"
is "$(on_vm "$vm" "t=\$($md/api/token -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60');
    $md/meta-data/instance-type -H \"X-aws-ec2-metadata-token: \$t\"")" p4d.x "metadata: with a session token"
is "$(on_vm "$vm" "$md/meta-data/instance-id -o /dev/null -w '%{http_code}' \
    -H 'X-aws-ec2-metadata-token: wrong'")" 401 "metadata: a wrong session token is refused"
is "$(on_vm "$vm" "$md/meta-data/spot/instance-action -o /dev/null -w '%{http_code}'")" 404 \
    "metadata: no notice yet"

# --- the API ---------------------------------------------------------------------------------

is "$(launch t1)" "$vm" "the same token again is the same instance"
is "$(api POST aws/instances "$(body t1 2)" | error_code) $(<status)" "IdempotentParameterMismatch 409" \
    "the same token for something else is refused"
is "$(call gcp.token GET aws/instances | error_code) $(<status)" "Unauthorized 401" \
    "another cloud's token is refused"
is "$(api GET aws/bill | error_code) $(<status)" "Unauthorized 401" "the bill is the operator's"
is "$(api POST "aws/instances/$vm/kill" | error_code)" Unauthorized "and so is killing"
is "$(call admin.token POST aws/instances "$(body t9)" | error_code)" Unauthorized \
    "the operator rents nothing"
is "$(api POST aws/instances "$(body t9 1 spot '' c5.large)" | error_code) $(<status)" \
    "InvalidParameter 400" "what has no price on the market is refused"
is "$(api POST aws/instances '{"token":' | error_code)" InvalidParameter "broken JSON is refused"
is "$(api GET azure/instances | error_code) $(<status)" "NotFound 404" "an unknown cloud"
is "$(api GET aws/instances/i-0000000000 | error_code)" NotFound "an unknown instance"
is "$(head -c 2000000 /dev/zero | tr '\0' x | call aws.token POST aws/instances @- | error_code) $(<status)" \
    "InvalidParameter 413" "a huge body is refused"
is "$(api GET 'aws/instances?tag=burst-cluster:test' | jq -r '.instances[].id')" "$vm" "found by tag"
is "$(api GET 'aws/instances?tag=burst-cluster:other' | jq '.instances|length')" 0 "not by another"
is "$(call gcp.token GET gcp/instances | jq '.instances|length')" 0 "the other cloud has none"
is "$(api POST aws/instances "$(body t2 6)" | error_code) $(<status)" "QuotaExceeded 403" \
    "the quota holds for all or none"
is "$(api GET aws/instances | jq '.instances|length')" 1 "nothing was launched"

# --- its own death ---------------------------------------------------------------------------

pid=$(pgrep -f '^burst-instance')
kill_cloud
ok "burst-localcloud is killed, the instance stays" \
    ssh -i key -o UserKnownHostsFile="known.$vm" -o LogLevel=ERROR root@10.88.1.1 true
start_cloud
report $? "it starts again"
is "$(inst "$vm" state)" running "the instance is found again"
is "$(pgrep -f '^burst-instance')" "$pid" "it is the same process"
is "$(on_vm "$vm" "$md/meta-data/instance-id")" "$vm" "its metadata address is back"
is "$(launch t1)" "$vm" "the token is remembered"

outcome=''
# Killed at any moment of a launch: what runs is what the books say, and the token can be repeated.
for delay in 0.006 0.010 0.014 0.018 0.022 0.026 0.030 0.040 0.060 0.100; do
    body "crash$delay" 4 >crash.json
    (api POST aws/instances @crash.json >/dev/null 2>&1) &
    request=$!
    sleep "$delay"
    kill_cloud
    wait "$request"
    start_cloud
    alive=$(api GET aws/instances | jq '[.instances[]|select(.state!="terminated")]|length')
    outcome+="$((alive - 1)) "
    wait_for '(($(instances_running) == alive))' 5 || break
    for id in $(launch "crash$delay" 4); do api DELETE "aws/instances/$id" >/dev/null; done
    wait_for '(($(instances_running) == 1))' 5 || break
done
is "$(instances_running) $(links)" "1 1" "killed while launching: nothing unknown runs"
is "$(inst "$vm" state)" running "and the first one still does"
unlike "$outcome" "[123]" "of a launch of four, none or all are there"
diag "instances after each kill: $outcome($(grep -c 'its launch was interrupted' log) forgotten)"

# --- taking back -----------------------------------------------------------------------------

od=$(launch t3 1 on-demand)
is "$(operator POST "aws/instances/$od/preempt" '{"notice_s":5}' | error_code)" InvalidParameter \
    "on-demand is not taken back"
operator POST "aws/instances/$vm/preempt" '{"notice_s":3}' >/dev/null
notice=$(inst "$vm" notice_at)
is "$(on_vm "$vm" "$md/meta-data/spot/instance-action" | jq -r '"\(.action) \(.time)"')" \
    "terminate $(date -u -d "@$notice" +%Y-%m-%dT%H:%M:%SZ)" "the notice is in the metadata"
is "$(inst "$vm" state)" running "until then it runs"
happens "it is taken back when it is due" 6 '[[ $(inst $vm state) == terminated ]]'
is "$(inst "$vm" reason)" preempted "reason preempted"
ok "not before the time" test "$(inst "$vm" ended_at)" -ge "$notice"
ok "and soon after" test "$(inst "$vm" ended_at)" -le $((notice + 2))

# --- dying -----------------------------------------------------------------------------------

wait_for "on_vm $od true" 5
on_vm "$od" poweroff
happens "poweroff inside ends the instance" 5 '[[ $(inst $od state) == terminated ]]'
is "$(inst "$od" reason)" died "reason died"
vm=$(launch t4)
wait_for "on_vm $vm true" 5
operator POST "aws/instances/$vm/kill" >/dev/null
happens "kill ends it" 5 '[[ $(inst $vm state) == terminated ]]'
is "$(inst "$vm" reason)" died "reason died"

vm=$(launch t5)
wait_for "on_vm $vm true" 5
operator POST "aws/instances/$vm/cut" >/dev/null
fails "cut: SSH does not answer" on_vm "$vm" true
is "$(inst "$vm" state)" running "but it runs"
kill_cloud
start_cloud
operator POST "aws/instances/$vm/uncut" >/dev/null
happens "uncut: it answers" 5 "on_vm $vm true"

# --- faults ----------------------------------------------------------------------------------

faults '[{"fault":"no_capacity","zone":"us-east-1a","market":"spot","tries":1}]' >/dev/null
is "$(api POST aws/instances "$(body f1 1 spot us-east-1a)" | error_code) $(<status)" \
    "InsufficientCapacity 503" "no_capacity"
is "$(operator GET aws/faults)" "[]" "and is used up after its tries"
faults '[{"fault":"quota","tries":1},{"fault":"throttle","tries":1},{"fault":"unauthorized","tries":1}]' >/dev/null
is "$(api POST aws/instances "$(body f1)" | error_code) $(<status)" "Unauthorized 401" "unauthorized"
is "$(api POST aws/instances "$(body f1)" | error_code) $(<status)" "Throttled 429" "throttle"
is "$(api POST aws/instances "$(body f1)" | error_code) $(<status)" "QuotaExceeded 403" "quota"
is "$(faults '[{"fault":"flood"}]' | error_code)" InvalidParameter "an unknown fault is refused"
faults '[{"fault":"lose_reply","tries":1}]' >/dev/null
api POST aws/instances "$(body f2)" >/dev/null 2>&1
is $? 52 "lose_reply: the connection closes without an answer"
lost=$(api GET aws/instances | jq -r '.instances[]|select(.token=="f2").id')
like "$lost" '^i-[0-9a-f]{10}$' "the instance was launched all the same"
is "$(launch f2)" "$lost" "the same token gives it"
api DELETE "aws/instances/$lost" >/dev/null
faults '[{"fault":"slow_boot","delay_ms":1500,"tries":1},{"fault":"never_boot","zone":"us-east-1b"},
    {"fault":"die","market":"on-demand","delay_ms":1000}]' >/dev/null
began=$EPOCHREALTIME
slow=$(launch f3)
never=$(launch f4 1 spot us-east-1b)
# shellcheck disable=SC2034
dying=$(launch f5 1 on-demand us-east-1a)
wait_for "on_vm $slow true" 6
took=$(seconds_since "$began")
ok "slow_boot: SSH after its delay ($took s)" awk "BEGIN {exit !($took > 1.5)}"
happens "die: ended by itself" 5 '[[ $(inst $dying reason) == died ]]'
is "$(inst "$never" state)" running "never_boot: it runs"
fails "never_boot: SSH never answers" on_vm "$never" true
faults '[]' >/dev/null

# --- ending, and the bill --------------------------------------------------------------------

for id in "$vm" "$slow" "$never"; do api DELETE "aws/instances/$id" >/dev/null; done
ok "ending it again is no error" api DELETE "aws/instances/$vm"
happens "all are terminated" 5 \
    '[[ $(api GET aws/instances | jq -r "[.instances[].state]|unique[]") == terminated ]]'
is "$(inst "$vm" reason)" user "reason user"
is "$(instances_running)" 0 "no process is left"
is "$(links)" 0 "no link is left"
happens "no network namespace is left" 5 '(($(lsns -n -t net | wc -l) == before_ns))'
is "$(grep -c "$WORK" /proc/self/mountinfo)" 0 "no mount is left"

# price * seconds / 3600, rounded down, of what the instances themselves say
wanted=$(api GET aws/instances | jq '[.instances[] | {id, s: (.ended_at - .launched_at),
    p: (.price_usd_per_hour|split(".")|(.[0]|tonumber)*1000000 + ((.[1]+"000000")[0:6]|tonumber))}
    | {id, seconds: .s, usd_micro: (.p * .s / 3600 | floor)}] | sort_by(.id)')
operator GET aws/bill >bill
is "$(jq '[.rows[] | {id, seconds, usd_micro}] | sort_by(.id)' bill)" "$wanted" "the bill is right, row by row"
is "$(jq .total_usd_micro bill)" "$(jq 'map(.usd_micro)|add' <<<"$wanted")" "and in total"
ok "and is not nothing" test "$(jq .total_usd_micro bill)" -gt 0

# --- tearing down ----------------------------------------------------------------------------

launch p1 2 >/dev/null
like "$("$BUILD/burst-localcloud" --purge state 2>&1)" "runs on this state directory" \
    "--purge does not fight with a running cloud"
kill "$cloud_pid"
wait "$cloud_pid"
is $? 0 "SIGTERM ends it"
is "$(instances_running)" 2 "instances stay"
is "$("$BUILD/burst-localcloud" --purge state)" "burst-localcloud: 2 instances ended" "--purge ends them"
is "$(instances_running) $(links)" "0 0" "nothing is left"
start_cloud --terminate-on-exit
is "$(api GET aws/instances | jq -r '[.instances[].state]|unique[]')" terminated \
    "a purged instance stays on the books"
launch p2 2 >/dev/null
kill "$cloud_pid"
wait "$cloud_pid"
is "$(instances_running) $(links)" "0 0" "--terminate-on-exit takes its instances along"
is "$(cat stderr)" "" "nothing went to stderr"
is "$(grep ' error: ' log | grep -v 'runs on this state\|no bridge br0')" "" "no errors in the log"
is "$(grep -rhoE 'customer-token|token-of-the|PRIVATE KEY' log state | sort -u)" "" "no secret on disk"
done_testing
