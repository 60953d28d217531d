#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What goes wrong at the clouds and on the nodes: a node taken back or lost, a boot that never ends,
# a refused key, a lost reply, results that cannot come home at first; and scancel at every stage

# shellcheck disable=SC2016,SC2119,SC2154
. "$(dirname "$0")/lib.sh"

# Short bounds, so that giving up does not take long here.
conf=$(mktemp -d "${TMPDIR:-/tmp}/burst-conf.XXXXXX")
sed -E 's/^boot:.*/boot: {launch_timeout: 20s, ssh_timeout: 8s, join_timeout: 20s, block: 8s, block_max: 10s}/
    s/^spot:.*/spot: {signal: USR1, grace: 2s}/; s/^node_idle:.*/node_idle: 5s/
    s/^data:.*/&\n  keep_results: 5s/' \
    "$topdir/etc/demo/burst.yaml" >"$conf/burst.yaml"
start_cluster --with-burst --conf "$conf"
rm -rf "$conf"
filler=$(fill_local)
put alice long.sh <<'END'
#!/bin/bash
#SBATCH --requeue --open-mode=append -t 10
echo "attempt ${SLURM_RESTART_COUNT:-0} $(hostname)"
until [[ -e go || ${SLURM_RESTART_COUNT:-0} -ge 1 ]]; do sleep 0.2; done
echo "end"
END

# where JOB: CLOUD/ID of the instance on which the job runs
where()
{
    local node
    node=$(as root squeue -h -j "$1" -o %N)
    slurm burst nodes --json |
        jq -r --arg node "$node" '.[] | select(.node == $node) | "\(.cloud)/instances/\(.cloud_id)"'
}

# runs_now JOB: it runs and has done something (its first line is not home yet, so ask Slurm)
runs_now() { wait_for "job_is $1 RUNNING" "${2-60}"; }

# --- scancel
all_faults '[{"fault":"no_capacity"}]'
a=$(as alice sbatch --parsable --gpus=1 -t 10 -o a.txt --wrap hostname)
happens "a job for which there is no place stays a candidate" 20 \
    "[[ \$(of_job $a state) == candidate && \$(tried $a) == *capacity* ]]"
is "$(job_state "$a")" PENDING "it waits, as Slurm sees it"
ok "scancel while planning" as alice scancel "$a"
happens "burstd forgets it" 10 "[[ \$(of_job $a state) == done ]]"
all_faults
is "$(rented "$a")" "" "nothing was rented for it"
wait_job "$a" 10
is "$(runs "$a")" main:CANCELLED "its record says CANCELLED in its own partition"

# --- what no local node can run is held until burstd has a node for it
all_faults '[{"fault":"no_capacity"}]'
held() { as root squeue -h -j "$1" -o '%i %T %r'; }
m=$(as alice sbatch --parsable --gpus=h100:1 -t 10 -o m.txt --wrap hostname 2>/dev/null)
happens "a job that waits for a rented node is held so that its user cannot start it without one" 10 \
    "[[ \$(held $m) == '$m PENDING JobHeldAdmin' ]]"
happens "its record says why it waits, before its mark" 40 \
    "[[ \$(as root scontrol show job $m) =~ 'AdminComment=waits for a rented node: '.*' | burst:1 held' ]]"
fails "he cannot release it" as alice scontrol release "$m"
ok "an operator can" as root scontrol release "$m"
happens "burstd holds it again" 30 "[[ \$(held $m) == '$m PENDING JobHeldAdmin' ]]"
is "$(story "$m" | grep -c 'released by hand')" 1 "burst why says so, once"
n=$(as alice sbatch --parsable --array=1-3 --gpus=h100:1 -t 10 -o n.txt --wrap hostname 2>/dev/null)
happens "an array is held as one record" 10 "[[ \$(held $n) == '${n}_[1-3] PENDING JobHeldAdmin' ]]"
fails "nor can its user release it" as alice scontrol release "$n"
happens "it says why it waits, and is one record still" 40 \
    "[[ \$(as root scontrol show job $n) =~ 'AdminComment=waits for a rented node: ' &&
        \$(held $n) == '${n}_[1-3] PENDING JobHeldAdmin' ]]"
as alice scancel "$n"
o=$(as alice sbatch --parsable -H --gpus=h100:1 -t 10 -o o.txt --wrap hostname 2>/dev/null)
happens "one that its user holds stays his to release" 10 \
    "[[ \$(of_job $o state) == watching && \$(held $o) == '$o PENDING JobHeldUser' ]]"
ok "he can" as alice scontrol release "$o"
# Slurm may be quicker than burstd and give it names; that there is nothing behind them is seen then.
happens "it waits for a rented node then" 60 "[[ \$(held $o) == '$o PENDING JobHeldAdmin' ]]"
as alice scancel "$o"
all_faults
ok "with a place the first runs" burst_job "$m" 60

all_faults '[{"fault":"slow_boot","delay_ms":4000}]'
b=$(as alice sbatch --parsable --gpus=1 -t 10 -o b.txt --wrap hostname)
happens "its instance is booting" 20 "[[ -n \$(rented $b) ]]"
ok "scancel while booting" as alice scancel "$b"
happens "burstd gives it up" 10 "[[ \$(of_job $b state) == done ]]"
is "$(job_state "$b")" CANCELLED "it is cancelled"
all_faults

c=$(as alice sbatch --parsable -o c.txt long.sh)
ok "a job runs" runs_now "$c"
ok "scancel while running" as alice scancel "$c"
ok "it comes to its end" burst_job "$c" 60
like "$(as alice cat c.txt)" '^attempt 0 [a-z]+-' "what it had written is home"
like "$(runs "$c")" '^[a-z]+:CANCELLED$' "its record says CANCELLED"

# --- the cloud takes a spot node back
put alice train.sh <<'END'
#!/bin/bash
#SBATCH --requeue --open-mode=append -t 10 -o train.txt
step=$(cat checkpoint 2>/dev/null || echo 0)
echo "attempt ${SLURM_RESTART_COUNT:-0} $(hostname) from $step"
trap 'echo $step >checkpoint; echo "checkpoint $step"' USR1
while ((step < 15)); do sleep 1; ((++step)); done
echo "finished $step"
END
d=$(as alice sbatch --parsable --burst-market=spot train.sh)
ok "a spot job runs" runs_now "$d"
happens "and gets on" 20 "[[ \$(as root squeue -h -j $d -o %M) > 0:02 ]]"
first=$(as root squeue -h -j "$d" -o %N)
localcloud POST "$(where "$d")/preempt" '{"notice_s":20}' >/dev/null
happens "it runs anew elsewhere" 60 \
    "job_is $d RUNNING && [[ \$(as root squeue -h -j $d -o %N) != $first ]]"
ok "and ends" burst_job "$d" 60
train=$(as alice cat train.txt)
saved=$(sed -n 's/^checkpoint //p' <<<"$train" | head -n 1)
like "$train" "attempt 0 $first from 0" "the first attempt's output is there"
like "$train" "checkpoint [1-9]" "it was told and wrote its checkpoint"
is "$(sed -n 's/^attempt 1 .* from //p' <<<"$train")" "$saved" "the second went on from there"
like "$train" "finished 15" "to the end"
is "$(of_job "$d" restarts)" 1 "SLURM_RESTART_COUNT is 1"
like "$(runs "$d")" '^[a-z]+:(NODE_FAIL|REQUEUED|PREEMPTED) [a-z]+:COMPLETED$' "two attempts, nothing else"

# --- a node dies without a word
e=$(as alice sbatch --parsable -o e.txt long.sh)
ok "a job runs" runs_now "$e"
first=$(as root squeue -h -j "$e" -o %N)
localcloud POST "$(where "$e")/kill" >/dev/null
ok "its node dies; it ends elsewhere" burst_job "$e" 90
like "$(as alice cat e.txt)" 'attempt 1 [a-z]+-.*end' "in a second attempt"
like "$(runs "$e")" '^[a-z]+:NODE_FAIL [a-z]+:COMPLETED$' "the first is a NODE_FAIL"
# In the log: the second attempt may have the same name, which clears its Reason.
like "$(hub cat /var/log/slurm/slurmctld.log)" "update_node: node $first reason set to: burst: lost: " \
    "the Reason of its node says what happened"

# --- boot never ends
faults aws '[{"fault":"never_boot","tries":1}]'
f=$(as alice sbatch --parsable --burst-market=on-demand -t 10 -o f.txt --wrap hostname)
ok "a boot that never ends: the job runs elsewhere" burst_job "$f" 60
faults aws
like "$(tried "$f")" 'aws:ok aws:boot ' "burst why tells"
like "$(slurm burst nodes --failed -h -c aws -O failure,reason:60)" 'boot .*[a-z]' \
    "burst nodes --failed has it: it never was a node of Slurm's"
is "$(runs "$f" | wc -w)" 1 "Slurm saw one attempt"

# --- the reply to a launch is lost
all_faults '[{"fault":"lose_reply","tries":1}]'
g=$(as alice sbatch --parsable --gpus=h100:1 -t 10 -o g.txt --wrap hostname)
ok "a lost reply: the job runs" burst_job "$g" 60
is "$(rented "$g" | wc -l)" 1 "on the one instance that was launched"

# --- the cloud is asked too often
all_faults '[{"fault":"throttle","tries":3}]'
launching()
{
    slurm burst nodes --json |
        jq -r --arg job "$1" '.[] | select(.job == $job and .state == "launching") | .instance'
}
p=$(as alice sbatch --parsable -t 10 -o p.txt --wrap hostname)
happens "a throttled launch is tried again" 20 "[[ -n \$(launching $p) ]]"
like "$(slurm burst terminate "$(launching "$p")" 2>&1)" 'is being launched; ask again' \
    "what is being launched cannot be ended yet, and burst terminate says so"
ok "the job runs" burst_job "$p" 60
all_faults

# --- SSH refuses our key
wait_for '[[ -z $(all_instances) ]]' 60
hub mv /etc/burst/id_ed25519 /etc/burst/id_good
hub ssh-keygen -q -t ed25519 -N '' -f /etc/burst/id_ed25519
hub chown slurm: /etc/burst/id_ed25519
h=$(as alice sbatch --parsable -t 10 -o h.txt --wrap hostname)
happens "SSH refuses our key: the place is given up" 40 "[[ \$(tried $h) == *:boot* ]]"
like "$(slurm burst why --json "$h" | jq -r '.attempts[].message')" '[Kk]ey|refuse|auth' \
    "burst why names the cause"
is "$(job_state "$h")" PENDING "the job waits"
hub mv /etc/burst/id_good /etc/burst/id_ed25519
ok "with the right key it runs" burst_job "$h" 90
is "$(runs "$h" | wc -w)" 1 "Slurm saw one attempt"

# --- results cannot come home at first
i=$(as alice sbatch --parsable -o i.txt --wrap 'echo result >i.result')
wait_for "[[ \$(of_job $i state) =~ securing|placed|running ]]" 30
j=$(as alice sbatch --parsable -o j.txt long.sh)
ok "a job runs" runs_now "$j"
k=$(as alice sbatch --parsable --burst=never -d "afterany:$j" -o k.txt --wrap "cat ~/j.txt")
keeper=$(where "$j")
kill_daemon KILL burst-stagerd
as alice scancel "$j"
happens "its results cannot come home" 40 "[[ \$(story $j) == *'could not be brought home'* ]]"
is "$(of_job "$j" state)" stageout "it waits for them"
fails "they are not there" as alice test -s j.txt
like "$(all_instances | paste -sd' ')" "${keeper/instances\//}" "the instance that has them is kept"
like "$(as root squeue -h -j "$k" -o '%T %E')" "^PENDING afterany:$j.unfulfilled" \
    "a job that depends on it waits"
hub /run/cluster/start-stagerd
ok "when it works again the job comes to its end" burst_job "$j" 90
like "$(as alice cat j.txt)" '^attempt 0' "with its results"
ok "the job before it too" burst_job "$i" 30
is "$(as alice cat i.result)" result "with its results"

# --- home does not take the results: they are kept for their owner, and the node goes
as alice mkdir taken
n=$(as alice sbatch --parsable -t 10 -D /home/alice/taken -o out.txt \
    --wrap 'mkdir deep; echo worked >deep/result; ln -s deep/result link; sleep 600')
ok "a job runs in a directory of its own" runs_now "$n"
wait_for "as alice srun -Q --overlap --jobid=$n test -L link" 30
keeper=$(where "$n")
as alice sh -c 'rm -r taken && echo mine >taken'
as alice scancel "$n"
happens "its directory cannot be written any more" 60 \
    "[[ \$(story $n) == *'could not be brought home'* ]]"
happens "its results are kept" 60 \
    "[[ \$(story $n) == *'are kept in /var/lib/burst-results/alice/$n-'* ]]"
happens "it comes to its end" 30 "[[ \$(of_job $n state) == done ]]"
like "$(of_job "$n" reason)" "results of 1 node are kept: burst results $n" "which says how to have them"
happens "its node goes" 60 "[[ \$(all_instances) != *${keeper/instances\//}* ]]"
like "$(acct "$n" admincomment)" "^results are kept \(burst results $n\);.*\\\$.* \| burst:1" \
    "so does its record"
is "$(as alice burst results -h -o %i)" "$n" "its owner sees them in a list"
is "$(as bob burst results -h)" "" "nobody else does"
archive=$(as alice burst results -h -o %A)
fails "nor reads them" as bob cat "$archive"
like "$(as root burst results "$n" 2>&1)" 'by their owner' "root does not unpack what came from a node"
like "$(as alice burst results "$n" 2>&1)" 'still kept' "a file is in the way: nothing is lost"
is "$(as alice cat taken)" mine "nor is that file"
as alice rm taken
ok "without it they are brought to their places" as alice burst results "$n"
is "$(as alice cat taken/deep/result taken/link)" $'worked\nworked' "whole"
is "$(as alice burst results -h)" "" "and are kept no more"
fails "nor is there anything to bring home again" as alice burst results "$n"

# --- data that are too much
as alice sh -c 'mkdir big && head -c 101M /dev/zero >big/file'
l=$(as alice sbatch --parsable -D /home/alice/big -t 10 -o l.txt --wrap hostname)
happens "a job with too much data in its directory is told why it stays" 60 \
    "[[ \$(of_job $l reason) == *'more than the 100 MiB'* ]]"
is "$(as root squeue -h -j "$l" -o %T)" PENDING "it waits for a node of the site"
m=$(as alice sbatch --parsable --burst=only -D /home/alice/big -t 10 -o m.txt --wrap hostname)
happens "one that wants rented nodes and nothing else is cancelled" 60 "job_is $m CANCELLED"
happens "its output says why" 10 \
    "[[ \$(as alice cat big/m.txt) =~ burst:.job.$m.was.cancelled:.*100 ]]"
as alice scancel "$l"

# --- a Prolog that is at home and not on rented nodes: Slurm starts the job, slurmd cannot launch it
hub sh -c 'printf "#!/bin/sh\nexit 0\n" >/etc/slurm/site-prolog.sh && chmod 755 /etc/slurm/site-prolog.sh &&
    echo Prolog=/etc/slurm/site-prolog.sh >>/etc/slurm/slurm.conf && scontrol reconfigure'
as alice rm -r big
p=$(as alice sbatch --parsable --burst-market=on-demand --gpus=h100:1 -t 10 -o p.txt --wrap hostname)
happens "it is seen that nothing can be launched there" 90 \
    "[[ \$(story $p) == *'Slurm could not launch it'* ]]"
happens "after two nodes nothing more is rented for it" 120 \
    "[[ \$(of_job $p reason) == *'tried again at'* ]]"
ok "  two at most" test "$(rented "$p" | wc -l)" -le 2
like "$(as alice squeue -h -j "$p" -o %T)" '^PENDING' "  and the job waits"
happens "the names that Slurm has drained serve again" 90 \
    "! hub sinfo -h -N -p aws -o %T | grep -q drain"
hub sed -i '/^Prolog=/d' /etc/slurm/slurm.conf
as alice scancel "$p"

as alice scancel "$filler"
launches_explained
bills_agree
happens "all rented nodes are powered down" 60 \
    "[[ \$(hub sinfo -h -N -p aws,gcp,azure -o %t | sort -u) == 'idle~' ]]"
done_testing
