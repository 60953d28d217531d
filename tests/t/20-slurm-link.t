#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# burst-slurm against a real Slurm: what it sees, what it changes, and how it takes the loss of
# slurmctld and slurmdbd (docs/design/internals.md, section 6)

# shellcheck disable=SC2016,SC2119,SC2154
. "$(dirname "$0")/lib.sh"

: "${BURST_BUILD:?BURST_BUILD names the build directory}"
program=$BURST_BUILD/burst-slurm
[[ -x $program ]] || skip_all "there is no $program"
[[ -z ${BURST_TEST_CLUSTER-} ]] || skip_all "stops daemons of its cluster: needs one of its own"
start_cluster --build "$BURST_BUILD"

# --- Talking to the two children through pipes -------------------------------------------------

# SlurmUser has no home directory to start in.
burst_slurm() { CWD=/ slurm "$program" "$@"; }

seen=$DIR/watch.jsonl
mkfifo "$DIR/to-watch" "$DIR/to-command" "$DIR/from-command"
burst_slurm watch <"$DIR/to-watch" >"$seen" 2>"$DIR/log/watch.err" &
watch_pid=$!
burst_slurm command <"$DIR/to-command" >"$DIR/from-command" 2>"$DIR/log/command.err" &
command_pid=$!
exec {to_watch}>"$DIR/to-watch" {to_command}>"$DIR/to-command" {from_command}<"$DIR/from-command"

poke() { echo '{"cmd":"poke"}' >&$to_watch; }

# ask JSON: one command (without id); sets answer, prints its rc
id=0
ask()
{
    ((++id))
    echo "{\"id\":$id,${1#\{}" >&$to_command
    answer=''
    read -r -t 60 -u $from_command answer
    [[ $(jq -r .id <<<"$answer") == "$id" ]] || answer='{"rc":"no answer"}'
    rc=$(jq -r .rc <<<"$answer")
}

# accepted NAME JSON, refused NAME RC JSON
accepted()
{
    ask "$2"
    is "$rc" 0 "$1" || diag "$answer"
}
refused()
{
    ask "$3"
    is "$rc" "$2" "$1" || diag "$answer"
    like "$(jq -r .error <<<"$answer")" "[a-z]" "  and says why"
}

# The tables as burstd would hold them now; jq needs whole lines only.
table() # jobs|nodes KEYFIELD
{
    grep -a "^{\"type\":\"$1\".*}$" "$seen" | jq -cn --arg t "$1" --arg k "$2" '
        reduce inputs as $m ({}; (if $m.full then {} else . end)
            | reduce $m[$t][] as $x (.; .[$x[$k]] = $x)
            | reduce $m.removed[] as $r (.; del(.[$r])))'
}
job() { table jobs job | jq -r --arg j "$1" ".[\$j] | $2"; }
node() { table nodes name | jq -r --arg n "$1" ".[\$n] | $2"; }

# sees JOB EXPRESSION: the watcher's picture of the job makes the expression true
sees() { [[ $(job "$1" "$2") == true ]]; }

admin_comment() { as root scontrol show job "$1" | sed -n 's/^ *AdminComment=//p' | sed 's/ *$//'; }

field() # JOB NAME: of scontrol
{
    as root scontrol -o show job "$1" | tr ' ' '\n' | sed -n "s/^$2=//p" | head -n 1
}

submit() { as alice sbatch --parsable "$@"; }

# --- What it sees ------------------------------------------------------------------------------

wait_for 'grep -q "\"type\":\"jobs\"" "$seen"' 20 || bail_out "the watcher says nothing"
is "$(head -n 1 "$seen" | jq -c '[.type, .cluster]')" '["hello","campus"]' "hello comes first"
is "$(head -n 1 "$seen" | jq -r .slurm)" "$(hub sinfo -V | sed 's/.* //; s/-.*//')" \
    "and says Slurm's release"
is "$(grep -a '"type":"partitions"' "$seen" | jq -c '.partitions[] | [.name, .default, .state]')" \
    '["main",true,"UP"]' "the partitions"
is "$(node node1 '[.cpus, .memory_mib, .gres, .partitions[0]] | tostring')" \
    '[2,2000,"gpu:a100:2","main"]' "the nodes"

hub sh -c 'echo "PartitionName=other Nodes=node[1-2] MaxTime=60" >/etc/slurm/slurm-burst.conf
    scontrol reconfigure'
happens "a partition that appears is seen" 10 \
    'grep -a "\"type\":\"partitions\"" "$seen" | tail -n 1 | grep -q "\"other\""'
happens "also by the nodes" 10 '[[ $(node node2 ".partitions | sort | join(\",\")") == main,other ]]'

j=$(submit -H -J plain --gpus=a100:1 -n1 --mem=300 -t 10 -o 'out-%j.txt' --wrap 'echo out; sleep 3')
began=$EPOCHREALTIME
wait_for "sees $j '.state == \"PENDING\"'" 5
took=$(seconds_since "$began")
diag "seen after $took s"
ok "a job is seen within about a second" test "${took/./}" -lt 1500
is "$(job "$j" '[.user, .name, .partition, .account] | join(" ")')" "alice plain main lab" "its owner"
like "$(field "$j" TresPerJob)" 'a100:1$' "Slurm has its GPUs as a text"
is "$(job "$j" '[.tres.per_job, .tres.per_node] | map(tostring) | join(" ")')" \
    "$(field "$j" TresPerJob) null" "which is handed over as it is"
is "$(job "$j" '[.mem_per_node_mib, .mem_per_cpu_mib, .time_limit_s, .num_nodes_min] | join(" ")')" \
    "300 0 600 1" "memory and time limit"
is "$(job "$j" '[.work_dir, .std_out] | join(" ")')" "/home/alice /home/alice/out-%j.txt" \
    "its files, as they were named"
is "$(job "$j" '[.priority, .reason, .batch, .requeue] | map(tostring) | join(" ")')" \
    "0 JobHeldUser true true" "the hold"

poke
k=$(submit -H --wrap true)
happens "what comes after a poke is seen" 5 "sees $k '.job == \"$k\"'"
accepted "kill_job" "{\"op\":\"kill_job\",\"job\":\"$k\"}"
happens "a cancelled job is seen" 5 "sees $k '.state == \"CANCELLED\"'"

# --- What it changes ---------------------------------------------------------------------------

accepted "update_job: partition and AdminComment of a held job" \
    "{\"op\":\"update_job\",\"job\":\"$j\",\"partition\":\"other\",\"admin_comment\":\"burst:1 held\"}"
is "$(field "$j" Partition) $(admin_comment "$j")" \
    "other burst:1 held" "both are there"
accepted "update_job: release and place in one call" \
    "{\"op\":\"update_job\",\"job\":\"$j\",\"priority\":-1,\"req_nodes\":\"node2\",\"partition\":\"main\"}"
happens "the job runs on the node asked for" 10 "sees $j '.state == \"RUNNING\" and .nodes == \"node2\"'"
refused "the partition of a running job" 2073 \
    "{\"op\":\"update_job\",\"job\":\"$j\",\"partition\":\"other\"}"
accepted "AdminComment of a running job" \
    "{\"op\":\"update_job\",\"job\":\"$j\",\"admin_comment\":\"aws \$0.10 | it's \\\"live\\\"\"}"
is "$(admin_comment "$j")" "aws \$0.10 | it's \"live\"" "is shown by scontrol"
happens "the end is seen" 20 "sees $j '.state == \"COMPLETED\" and .flags == []'"

hold=$(submit -N2 --exclusive -t 5 --wrap 'sleep 60')
wait_for "sees $hold '.state == \"RUNNING\"'" 10
happens "a node in use" 5 '[[ $(node node1 ".state[0]") == ALLOCATED ]]'
p=$(submit -n1 -t 10 --wrap true)
happens "a waiting job has Slurm's reason and expected start" 40 \
    "sees $p '(.reason == \"Resources\" or .reason == \"Priority\") and .start > now'"
start=$(job "$p" .start) end=$(job "$hold" .end)
ok "which is the end of the job before it" test $((start - end)) -ge -5 -a $((start - end)) -le 65
missing=$(grep -a '"type":"jobs"' "$seen" | jq -c --arg j "$p" '.jobs[] | select(.job == $j) | .start' |
    awk '$1 > 0 { known = 1 } known && $1 == 0 { n++ } END { print n + 0 }')
is "$missing" 0 "and does not flicker with the backfill cycles"
accepted "req_nodes is set" "{\"op\":\"update_job\",\"job\":\"$p\",\"req_nodes\":\"node2\"}"
is "$(field "$p" ReqNodeList)" node2 "as scontrol says"
happens "and as the watcher says" 5 "sees $p '.req_nodes == \"node2\"'"
accepted "req_nodes is cleared by an empty text" \
    "{\"op\":\"update_job\",\"job\":\"$p\",\"req_nodes\":\"\"}"
is "$(field "$p" ReqNodeList)" "(null)" "as scontrol says"
accepted "hold" "{\"op\":\"update_job\",\"job\":\"$p\",\"priority\":0}"
is "$(field "$p" Reason)" JobHeldAdmin "is the administrator's"
happens "a held job has no expected start" 5 "sees $p '.priority == 0 and .start == 0'"
later=$(($(date +%s) + 3600))
accepted "begin, time limit, requeue, nice, comment" "{\"op\":\"update_job\",\"job\":\"$p\",\
\"begin\":$later,\"time_limit_s\":90,\"requeue\":false,\"nice\":7,\"comment\":\"hi\"}"
is "$(field "$p" TimeLimit) $(field "$p" Requeue) $(field "$p" Nice) $(field "$p" Comment)" \
    "00:02:00 0 7 hi" "all are there (the limit in whole minutes)"
is "$(date -d "$(field "$p" EligibleTime)" +%s)" \
    "$later" "the begin time too"
accepted "release, now" "{\"op\":\"update_job\",\"job\":\"$p\",\"priority\":-1,\"begin\":0}"
accepted "the job before is cancelled" "{\"op\":\"kill_job\",\"job\":\"$hold\"}"
happens "and the released one runs" 20 "sees $p '.state == \"COMPLETED\"'"

refused "an unknown job" 2017 '{"op":"update_job","job":"99999","partition":"other"}'
refused "a job id that is an expression" 22 '{"op":"kill_job","job":"1_[1-9]"}'
refused "a field of the wrong type" 22 "{\"op\":\"update_job\",\"job\":\"$p\",\"partition\":1}"
refused "an unknown op" 22 '{"op":"reboot"}'
accepted "ping" '{"op":"ping"}'

# --- Nodes ---------------------------------------------------------------------------------------

accepted "a node is drained" \
    '{"op":"update_node","nodes":"node1","state":"drain","reason":"spot notice"}'
happens "the watcher sees it" 5 \
    '[[ $(node node1 "(.state | contains([\"DRAIN\"])) and .reason == \"spot notice\"") == true ]]'
accepted "and resumed" '{"op":"update_node","nodes":"node1","state":"resume"}'
happens "the watcher sees it" 5 '[[ $(node node1 ".state | join(\",\")") == IDLE ]]'
accepted "address and comment of two nodes" '{"op":"update_node","nodes":"node1,node2",'\
'"addr":"10.88.0.11,10.88.0.12","hostname":"node1,node2","comment":"c","extra":"e"}'
accepted "down with a reason" '{"op":"update_node","nodes":"node2","state":"down","reason":"x"}'
happens "the watcher sees it" 5 '[[ $(node node2 ".state[0]") == DOWN ]]'
accepted "back" '{"op":"update_node","nodes":"node2","state":"resume"}'
refused "an unknown node" 2018 '{"op":"update_node","nodes":"nowhere","state":"drain","reason":"x"}'
refused "an unknown state" 22 '{"op":"update_node","nodes":"node1","state":"undrain"}'

# --- Arrays ----------------------------------------------------------------------------------------

a=$(submit -H --array=0-4%2 -t 5 --wrap 'sleep 1')
happens "an array of 5 is five jobs" 5 \
    '[[ $(table jobs job | jq "[.[] | select(.array_job_id == '"$a"')] | length") == 5 ]]'
is "$(table jobs job | jq -c "[.[] | select(.array_job_id == $a) | [.job, .job_id, .array_task_id]]")" \
    "[[\"${a}_0\",$a,0],[\"${a}_1\",$a,1],[\"${a}_2\",$a,2],[\"${a}_3\",$a,3],[\"${a}_4\",$a,4]]" \
    "with the array's job id as long as they wait together"
accepted "one task is released" "{\"op\":\"update_job\",\"job\":\"${a}_3\",\"priority\":-1}"
happens "it runs under an id of its own" 10 "sees ${a}_3 '.state == \"RUNNING\" and .job_id > $a'"
is "$(job "${a}_2" '[.state, .priority] | map(tostring) | join(" ")')" "PENDING 0" "the others wait"
accepted "another is cancelled" "{\"op\":\"kill_job\",\"job\":\"${a}_1\"}"
happens "and has gone: Slurm makes no record for it" 5 "sees ${a}_1 '. == null'"
wait_for "sees ${a}_3 '.state == \"COMPLETED\"'" 20
for t in 0 2 4; do
    accepted "task $t is released" "{\"op\":\"update_job\",\"job\":\"${a}_$t\",\"priority\":-1}"
done
happens "all end" 30 "sees ${a}_0 '.state == \"COMPLETED\"' && sees ${a}_4 '.state == \"COMPLETED\"' &&
    sees ${a}_2 '.state == \"COMPLETED\"'"
many=$(submit -H --array=1-600:2 --wrap true)
happens "of a large array the first 256 tasks are looked at" 10 \
    '[[ $(table jobs job | jq -c "[.[] | select(.array_job_id == '"$many"') | .array_task_id] |
    [length, max]") == "[256,511]" ]]'
accepted "it is cancelled as a whole" "{\"op\":\"kill_job\",\"job\":\"$many\"}"

# --- Signals and messages ----------------------------------------------------------------------------

put alice trap.sh <<'END'
#!/bin/bash
trap 'echo usr1 >>got' USR1
echo ready >got
for ((i = 0; i < 300; i++)); do sleep 0.1; done
END
s=$(submit -n1 -t 5 trap.sh)
wait_for 'as alice grep -q ready got' 20
wait_for "sees $s '.state == \"RUNNING\"'" 10
accepted "signal_job to the batch shell" \
    "{\"op\":\"signal_job\",\"job\":\"$s\",\"signal\":10,\"batch\":true}"
happens "the script's trap runs" 10 'as alice grep -q usr1 got'
accepted "notify_job" "{\"op\":\"notify_job\",\"job_id\":$s,\"text\":\"the node goes away\"}"
happens "its text is in the job's output" 10 "as alice grep -q 'the node goes away' slurm-$s.out"

# --- Requeue, and comments on finished attempts ----------------------------------------------------

first=$(job "$s" .submit)
accepted "AdminComment of the first attempt" \
    "{\"op\":\"update_job\",\"job\":\"$s\",\"admin_comment\":\"first\"}"
accepted "requeue_job" "{\"op\":\"requeue_job\",\"job\":\"$s\"}"
happens "it waits again" 20 "sees $s '.state == \"PENDING\" and .restarts == 1 and .flags == []'"
# Restarted on its old node within the second of its end there, slurmd takes the new credential for
# the revoked one and the job ends ("Job credential revoked").
accepted "it starts at once and not after cred_expire" \
    "{\"op\":\"update_job\",\"job\":\"$s\",\"begin\":$((EPOCHSECONDS + 2)),\"admin_comment\":\"second\"}"
happens "it runs again" 20 "sees $s '.state == \"RUNNING\"'"
second=$(job "$s" .submit)
isnt "$second" "$first" "with a new time of submission"
accepted "kill_job" "{\"op\":\"kill_job\",\"job\":\"$s\"}"
wait_job "$s" 30
comments() { acct "$1" admincomment -D | paste -sd'|'; }
happens "accounting has both attempts" 20 '[[ $(comments $s) == "first|second" ]]'
accepted "db_comment for the earlier attempt" \
    "{\"op\":\"db_comment\",\"job_id\":$s,\"submit\":$first,\"admin_comment\":\"aws \$1.00\"}"
is "$(comments "$s")" 'aws $1.00|second' "changes that one only"
accepted "db_comment for the last attempt" \
    "{\"op\":\"db_comment\",\"job_id\":$s,\"submit\":$second,\"admin_comment\":\"gcp \$2.00; it's\"}"
is "$(comments "$s")" "aws \$1.00|gcp \$2.00; it's" "changes that one only"
refused "db_comment for an attempt that was not" 2017 \
    "{\"op\":\"db_comment\",\"job_id\":$s,\"submit\":$((first - 5)),\"admin_comment\":\"x\"}"
wait_job "${a}_0" 30
accepted "db_comment for a task of an array" "{\"op\":\"db_comment\",\"job\":\"${a}_4\",\
\"job_id\":$(job "${a}_4" .job_id),\"submit\":$(job "${a}_4" .submit),\"admin_comment\":\"task 4\"}"
is "$(acct "$a" jobid,admincomment | sort | paste -sd' ')" \
    "${a}_0| ${a}_2| ${a}_3| ${a}_4|task 4" "does not touch its sisters"

# The task that started last keeps the array's id, by which all tasks match.
last=$(acct "$a" jobid,jobidraw | sed -n "s/|$a\$//p")
refused "db_comment by the array's id" -1 "{\"op\":\"db_comment\",\"job_id\":$a,\
\"submit\":$(job "$last" .submit),\"admin_comment\":\"all\"}"
is "$(acct "$a" jobid,admincomment | sort | paste -sd' ')" \
    "${a}_0| ${a}_2| ${a}_3| ${a}_4|task 4" "changes nothing"
accepted "db_comment for that task" "{\"op\":\"db_comment\",\"job\":\"$last\",\
\"job_id\":$a,\"submit\":$(job "$last" .submit),\"admin_comment\":\"last\"}"
like "$(acct "$a" jobid,admincomment)" "$last\|last" "works by its name"

# alice may not: slurmdbd answers with an error, which ends programs that use libslurm carelessly.
got=$(echo "{\"id\":1,\"op\":\"db_comment\",\"job_id\":$s,\"submit\":$second,\"admin_comment\":\"0\"}" |
    as alice "$program" command 2>/dev/null)
isnt "$(jq .rc <<<"$got")" 0 "an ordinary user's db_comment is refused"
like "$(jq -r .error <<<"$got")" "ccess|ermission|slurmdbd" "with a reason: $(jq -r .error <<<"$got")"
is "$(comments "$s")" "aws \$1.00|gcp \$2.00; it's" "and changes nothing"

# --- Loss of the daemons -----------------------------------------------------------------------------

hub sh -c 'pid=$(pgrep -x slurmdbd) && kill $pid && while kill -0 $pid 2>/dev/null; do sleep 0.05; done'
ask "{\"op\":\"db_comment\",\"job_id\":$s,\"submit\":$second,\"admin_comment\":\"x\"}"
isnt "$rc" 0 "without slurmdbd db_comment fails"
like "$(jq -r .error <<<"$answer")" slurmdbd "and says so: $(jq -r .error <<<"$answer")"
accepted "the child goes on" '{"op":"ping"}'
hub slurmdbd {to_watch}>&- {to_command}>&- {from_command}<&-
wait_for 'hub sacctmgr -n show cluster' 20
accepted "with slurmdbd back it works again" \
    "{\"op\":\"db_comment\",\"job_id\":$s,\"submit\":$second,\"admin_comment\":\"back\"}"

before=$(wc -l <"$seen")
since() { tail -n "+$((before + 1))" "$seen"; }
hub sh -c 'pid=$(pgrep -x slurmctld) && kill $pid && while kill -0 $pid 2>/dev/null; do sleep 0.05; done'
began=$EPOCHREALTIME
happens "without slurmctld the watcher says error" 60 'since | grep -q "\"type\":\"error\""'
diag "after $(seconds_since "$began") s: $(since | grep -a error | head -n 1)"
hub slurmctld {to_watch}>&- {to_command}>&- {from_command}<&- # or it would hold the pipes open
happens "with slurmctld back it says tick" 60 'since | tail -n 3 | grep -q "\"type\":\"tick\""'
j=$(submit -H --wrap true)
happens "and sees new jobs" 10 "sees $j '.priority == 0'"
accepted "commands work" "{\"op\":\"kill_job\",\"job\":\"$j\"}"

before=$(wc -l <"$seen")
echo '{"cmd":"full"}' >&$to_watch
happens "full sends everything again" 5 '[[ $(since | jq -r "select(.full != false) | .type" |
    sort -u | paste -sd,) == jobs,nodes,partitions ]]'
before=$(wc -l <"$seen")
happens "at rest it ticks" 8 'since | grep -q tick'

# --- Ends --------------------------------------------------------------------------------------------

exec {to_watch}>&- {to_command}>&-
wait $watch_pid
is $? 0 "watch ends with its input"
wait $command_pid
is $? 0 "command ends with its input"
like "$(burst_slurm --conf /nonexistent/slurm.conf watch 2>&1)" \
    "/nonexistent/slurm.conf: No such file" "a missing slurm.conf is named"
fails "and so it does with a wrong argument" burst_slurm listen
is "$(grep -v 'slurm_load\|Unable to contact\|Connection refused' "$DIR/log/watch.err" | head -n 3)" "" \
    "nothing unexpected on stderr"
done_testing
