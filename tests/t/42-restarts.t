#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# burstd and slurmctld die, restart, meet broken files: jobs go on, nothing happens twice, and
# without burstd Slurm works as ever

# shellcheck disable=SC2016,SC2119,SC2154
. "$(dirname "$0")/lib.sh"

start_cluster --with-burst
slow='[{"fault":"slow_boot","delay_ms":3000}]'
hook() { hub sh -c "scontrol show config | sed -n 's/^$1 *= //p'"; }
slurmctld_pid() { hub pgrep -x slurmctld; }
ctld=$(slurmctld_pid)
put alice wait.sh <<'END'
#!/bin/bash
#SBATCH -t 10
until [[ -e /tmp/go-$SLURM_JOB_ID ]]; do sleep 0.1; done
echo "done on $(hostname)"
END

# --- without burstd
kill_daemon KILL burstd
began=$EPOCHREALTIME
a=$(as alice sbatch --parsable --gpus=1 -t 10 -o a.txt --wrap hostname)
ok "burstd is down: a local job runs" wait_job "$a" 20
took=$(seconds_since "$began")
is "$(runs "$a")" main:COMPLETED "in its partition"
ok "in no more time than usual ($took s)" test "${took%.*}" -lt 10
is "$(as alice srun --gpus=1 hostname | grep -c '^node[12]$')" 1 "srun works"
happens "the plugin has seen that burstd is gone" 10 \
    "[[ \$(as alice sbatch --burst=only -t 10 --test-only --wrap true 2>&1) == *'burstd is not running just now'* ]]"
said=$(as alice sbatch --parsable --gpus=h100:1 -t 10 -o later.txt --wrap hostname 2>&1)
later=$(tail -n 1 <<<"$said")
like "$said" 'no node here has gpu:h100; burstd is not running just now; the job waits' \
    "what no local node can run is accepted"
like "$(as alice squeue -h -j "$later" -o '%T %r')" '^PENDING JobHeld' "and held"

# --- the hooks, with burstd down
for name in ResumeProgram ResumeFailProgram SuspendProgram; do
    program=$(hook $name)
    like "$program" '/burst-' "$name is set"
    before=$(hub sh -c 'ls /var/lib/burst/spool/*.json 2>/dev/null | wc -l')
    began=$EPOCHREALTIME
    ok "$name without burstd, with closed descriptors and no environment, is content" \
        hub sh -c "setpriv --reuid slurm --regid slurm --init-groups env -i $program aws-cpu2-[001-002] <&- >&- 2>&-"
    took=$(seconds_since "$began")
    ok "and quick ($took s)" test "${took%.*}" -lt 1
    after=$(hub sh -c 'ls /var/lib/burst/spool/*.json 2>/dev/null | wc -l')
    is "$after" $((before + 1)) "its call is in the spool"
done
start_burstd
happens "burstd works the spool off" 10 "[[ -z \$(hub find /var/lib/burst/spool -maxdepth 1 -name '*.json') ]]"
is "$(hub find /var/lib/burst/spool/bad -type f 2>/dev/null)" "" "and found it good"
ok "what was accepted without burstd runs now" burst_job "$later" 60
happens "its node, the only one that was rented, is given back" 60 "[[ -z \$(all_instances) ]]"

# --- snapshot: slurmctld lives whatever is in the file
snapshot=/run/burst/snapshot
spoil() # WHAT COMMAND: burstd is stopped, so that it does not mend the file at once
{
    hub pkill -STOP -x burstd
    slurm sh -c "$2"
    local job
    job=$(as alice sbatch --parsable --gpus=1 -t 10 -o snap.txt --wrap hostname)
    wait_job "$job" 20
    is "$(runs "$job")" main:COMPLETED "snapshot $1: a job runs as on any Slurm"
    hub pkill -CONT -x burstd
}
spoil truncated "truncate -s 100 $snapshot"
spoil empty ": >$snapshot"
spoil "full of garbage" "size=\$(stat -c %s $snapshot); head -c \$((size + 5000)) /dev/urandom >$snapshot"
spoil "with a broken body" "dd if=/dev/urandom of=$snapshot bs=64 seek=8 count=4 conv=notrunc status=none"
spoil missing "rm -f $snapshot"
is "$(slurmctld_pid)" "$ctld" "slurmctld has lived through it"
kill_daemon TERM burstd
start_burstd

# --- a broken configuration
hub cp -p /etc/burst/burst.yaml /etc/burst/good.yaml
hub sed -i 's/^spill:/spil:/' /etc/burst/burst.yaml
said=$(slurm burstd --check 2>&1)
isnt $? 0 "burstd --check refuses a broken burst.yaml"
like "$said" 'burst.yaml:[0-9]+:.*spil.*spill' "names file and line, and the nearest key"
hub pkill -HUP -x burstd
happens "a reload of it is refused in the log" 10 "hub grep -q 'spil' /var/log/burst/burstd.log"
like "$(slurm burst status --json | jq -r .slurm.connected)" true "and burstd goes on with the old one"
kill_daemon TERM burstd
fails "burstd does not start with it" slurm timeout 10 burstd
b=$(as alice sbatch --parsable --gpus=1 -t 10 -o b.txt --wrap hostname)
ok "a local job runs meanwhile" wait_job "$b" 20
hub mv /etc/burst/good.yaml /etc/burst/burst.yaml
start_burstd

# --- burstd is killed while instances boot
filler=$(fill_local)
all_faults "$slow"
c=$(as alice sbatch --parsable --gpus=h100:1 -t 10 -o c.txt --wrap hostname)
wait_for "[[ -n \$(rented $c) ]]" 20
kill_daemon KILL burstd
start_burstd
ok "burstd killed while an instance boots: the job runs" burst_job "$c" 60
is "$(rented "$c" | wc -l)" 1 "on that instance, no second one was rented"
is "$(runs "$c")" aws:COMPLETED "in one attempt"

# --- burstd is killed while its job runs, which ends before burstd is back
all_faults
d=$(as alice sbatch --parsable -o d.txt wait.sh)
wait_for "job_is $d RUNNING" 60
id=$(rented "$d")
kill_daemon KILL burstd
on_nodes touch "/tmp/go-$d"
wait_for "[[ \$(as root sacct -X -n -P -j $d -o state) == COMPLETED ]]" 30
start_burstd
ok "a job that ended while burstd was down: its results come home" burst_job "$d" 60
like "$(as alice cat d.txt)" '^done on ' "all of them"
is "$(rented "$d")" "$id" "nothing was rented twice"

# --- slurmctld restarts
all_faults "$slow"
e=$(as alice sbatch --parsable --burst-market=on-demand --gpus=h100:1 -t 10 -o e.txt --wrap hostname)
wait_for "[[ -n \$(rented $e) ]]" 20
restart_slurmctld
ok "slurmctld restarted while an instance boots: the job runs" burst_job "$e" 60
is "$(runs "$e")" aws:COMPLETED "in one attempt"
all_faults
put alice srun.sh <<'END'
#!/bin/bash
#SBATCH -t 10 -N2 --ntasks-per-node=1
touch "/tmp/up-$SLURM_JOB_ID"
until [[ -e /tmp/go-$SLURM_JOB_ID ]]; do sleep 0.1; done
srun hostname
END
f=$(as alice sbatch --parsable -o f.txt srun.sh)
# Slurm calls a job RUNNING before its script is on the node; one that a restart finds missing
# there, it ends as NODE_FAIL and queues it again.
wait_for "[[ -n \$(on_nodes ls /tmp/up-$f) ]]" 60
restart_slurmctld
happens "slurmctld restarted while a burst job runs: it still does" 10 "job_is $f RUNNING"
on_nodes touch "/tmp/go-$f"
ok "and comes to its end" burst_job "$f" 60
is "$(as alice sort -u f.txt | grep -c -- -cpu2-)" 2 "a new srun in it ran on both of its nodes"
like "$(runs "$f")" '^[a-z]+:COMPLETED$' "in one attempt"

as alice scancel "$filler"
launches_explained
bills_agree

# --- the journal is lost while a job runs on a rented node
g=$(as alice sbatch --parsable --gpus=h100:1 -o g.txt wait.sh)
wait_for "[[ -n \$(on_nodes ls -d /tmp/burst-none /tmp) ]] && job_is $g RUNNING" 60
id=$(all_instances)
kill_daemon KILL burstd
hub sh -c 'rm /var/lib/burst/journal.db*'
start_burstd
ok "burstd says that its journal is new" hub grep -q 'journal.db is new: nothing is known' /var/log/burst/burstd.log
happens "an instance that it does not know is told of" 60 \
    "slurm burst status | grep -q 'UNKNOWN instance'"
happens "its job comes to its end" 30 "on_nodes touch /tmp/go-$g; job_is $g COMPLETED"
is "$(all_instances)" "$id" "its results lie there still: it is left alone"
ok "an operator ends it" slurm burst terminate \
    "$(slurm burst status --json | jq -r '.strangers[0].id')"
happens "then it goes" 60 "[[ -z \$(all_instances) ]]"

# --- the journal is damaged
kill_daemon KILL burstd
hub sh -c 'rm -f /var/lib/burst/journal.db-*; dd if=/dev/urandom of=/var/lib/burst/journal.db bs=1024 seek=5 count=20 conv=notrunc status=none'
said=$(slurm timeout 20 burstd 2>&1)
isnt $? 0 "burstd does not start with a damaged journal"
like "$said$(hub tail -n 5 /var/log/burst/burstd.log)" 'journal.db is damaged' "and says so"
done_testing
