#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# scripts/cluster itself: a real Slurm whose start, use and end leave the host as it was

# shellcheck disable=SC2016,SC2119,SC2154,SC2012
. "$(dirname "$0")/lib.sh"

host_state()
{
    ls -ld --time-style=full-iso /etc/slurm/* /etc/munge/* /etc/passwd /etc/hosts /home /usr/bin \
        /var/lib/mysql /run/munge 2>&1
    ip -o link | sed 's/^[0-9]*: \([^:@]*\).*/\1/'
    ls /home /etc
}

# traces DIR: processes and mounts that know the directory
traces()
{
    grep -ls "$1" /proc/[0-9]*/mountinfo
    pgrep -af "$1/" | grep -v 00-cluster
}

before=$(host_state)
began=$EPOCHREALTIME
start_cluster
took=$(seconds_since "$began")
diag "started in $took s"
ok "starts within 15 s" test "${took%.*}" -lt 15
ok "status says that all of it runs" "$cluster" status "$DIR"
is "$(hub sinfo -h -p main -o '%D %T')" "2 idle" "two idle nodes"
is "$(as alice srun -N2 hostname | sort | paste -sd' ')" "node1 node2" "srun runs on both nodes"
is "$(as alice srun id -u)" 2001 "the job runs as the user"
is "$(as alice srun --gpus=a100:2 sh -c 'echo $CUDA_VISIBLE_DEVICES')" "0,1" "a job gets both GPUs"
like "$(as alice sbatch -N1 --gpus=3 --wrap true 2>&1)" "configuration is not available" \
    "three GPUs on a node are refused, as on any Slurm"

put alice job.sh <<'END'
#!/bin/bash
#SBATCH --gpus=1 -o result-%j.txt
echo "$(hostname) $PWD"
END
job=$(as alice sbatch --parsable job.sh)
wait_job "$job" 20
is "$(acct "$job" state,partition,account,user)" "COMPLETED|main|lab|alice" "sacct has its row"
like "$(as alice cat "result-$job.txt")" "^node[12] /home/alice$" "its output is in the home"
fails "bob does not read it" as bob cat "/home/alice/result-$job.txt"
is "$(as alice sh -c 'cd /; pwd; id -un'  | paste -sd' ')" "/ alice" "exec runs as the user"
got=$(eval "$("$cluster" env "$DIR")" && squeue -h && sacct -X -n -P -j "$job" -o state)
is "$got" COMPLETED "env puts Slurm on PATH"

new_dir second
ok "a second cluster starts beside it" "$cluster" start "$second"
first=$DIR
jobs=$(as alice sbatch --parsable --wrap 'sleep 60')
DIR=$second
is "$(as alice squeue -h)" "" "the second does not see the first's jobs"
is "$(as alice srun -N2 hostname | sort | paste -sd' ')" "node1 node2" "and runs jobs of its own"
ok "the second stops" "$cluster" stop "$second"
DIR=$first
happens "the first's job still runs" 10 "job_is $jobs RUNNING"
is "$(traces "$second")" "" "the second left no process and no mount"

fails "a running cluster is not started again" "$cluster" start "$DIR"
like "$(on node1 hostname)" "^node1$" "exec -n enters a node"
ok "stop" "$cluster" stop "$DIR"
is "$(traces "$DIR")" "" "no process and no mount is left"
like "$("$cluster" exec "$DIR" true 2>&1)" "no cluster runs in" "exec says that nothing runs"
is "$(ls -A "$DIR" | paste -sd' ')" ".cluster log" "only the logs stay"
ok "stop of a stopped one is no error" "$cluster" stop "$DIR"

output=$("$cluster" start --fail-at slurmctld "$DIR" 2>&1)
isnt $? 0 "a failed start says so"
like "$output" "slurmctld" "and where"
is "$(traces "$DIR")" "" "and leaves nothing"

# interrupted SIGNAL TARGET: starts a cluster, sends the signal when the database is there
interrupted()
{
    rm -rf "${DIR:?}/log"
    env --default-signal=INT setsid "$cluster" start "$DIR" >/dev/null 2>&1 &
    local pid=$!
    wait_for "[[ -e $DIR/log/mysql/install.log ]]" 15
    kill "-$1" -- "$2$pid"
    wait $pid 2>/dev/null
}
interrupted INT -
is "$(traces "$DIR")" "" "Ctrl-C during the start leaves nothing"
interrupted TERM ''
is "$(traces "$DIR")" "" "TERM during the start leaves nothing"
interrupted KILL ''
happens "kill -9 of the start: the cluster ends itself" 5 "[[ -z \$(traces $DIR) ]]"
ok "and can be started anew" "$cluster" start "$DIR"
ok "and stopped" "$cluster" stop "$DIR"

mkdir -p "$second/other" && rm -f "$second/.cluster"
fails "a directory with other things in it is refused" "$cluster" start "$second"
is "$(host_state)" "$before" "the host is as it was"
done_testing
