#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What changes between a job's submission and its start: nodes that Slurm keeps for others, jobs that
# their users make larger or send to certain nodes, limits of the partition that they are moved to

# shellcheck disable=SC2016,SC2119,SC2154
. "$(dirname "$0")/lib.sh"

start_cluster --with-burst
filler=$(fill_local)

# submit OPTION...: a job that burstd knows, and with it Slurm's tables as they are now
submit()
{
    local job
    job=$(as alice sbatch --parsable -H -t 10 -o /dev/null "$@" --wrap 'srun hostname >"$SLURM_JOB_ID.txt"') &&
        wait_for "[[ \$(of_job $job state) == watching ]]" 20 && echo "$job"
}
go() { as alice scontrol release "$1"; }
change() { as alice scontrol update jobid="$1" "$2"; } # JOB WHAT=VALUE
asked() { as root squeue -h -j "$1" -O "$2:60" | tr -d ' '; }
nodes_of() { as root sacct -X -n -P -D -j "$1" -o nodelist | tail -n 1; }
# reserve NODE OPTION...: until Slurm shows it of the node
reserve()
{
    as root scontrol create reservation starttime=now duration=120 users=root reservationname=r "${@:2}" >/dev/null
    wait_for "[[ \$(as root scontrol -o show node $1) =~ State=[A-Z+_]*\+(RESERVED|MAINTENANCE) ]]" 20
}
unreserve() { as root scontrol delete reservationname=r; }
# no_nodes: those that are idle are ended
no_nodes()
{
    local instance
    for instance in $(slurm burst nodes --json | jq -r '.[].instance'); do
        slurm burst terminate "$instance" >/dev/null 2>&1
    done
    wait_for '[[ $(slurm burst nodes --json) == "[]" ]]' 60
}
# booting JOB: its instance boots slowly, so that its user has time to change it meanwhile
booting()
{
    faults aws "[{\"fault\":\"slow_boot\",\"delay_ms\":8000}]"
    go "$1"
    wait_for "[[ -n \$(rented $1) ]]" 30
}

# --- names that Slurm keeps for others are not bought for
reserve aws-cpu2-003 nodes='aws-cpu2-[001-003]'
a=$(submit)
go "$a"
ok "three of four names are reserved: a job ends" burst_job "$a" 60
is "$(rented "$a" | wc -l):$(nodes_of "$a")" 1:aws-cpu2-004 "in one purchase, under the name that is left"
unreserve
reserve aws-cpu2-004 flags=maint nodes='aws-cpu2-[001-004]'
b=$(submit)
go "$b"
ok "all names of the cheapest cloud are in maintenance: a job ends" burst_job "$b" 60
is "$(runs "$b"):$(rented "$b" | wc -l)" azure:COMPLETED:1 "where it is the next in price; nothing else was bought"
unreserve
no_nodes
reserve azure-cpu2-004 flags=maint,ignore_jobs nodes=ALL
c=$(submit)
go "$c"
happens "with all nodes in maintenance a job is told" 30 "[[ \$(of_job $c reason) == *reserved* ]]"
is "$(rented "$c")" "" "and nothing is bought for it"
unreserve
ok "when it is over the job runs" burst_job "$c" 90

# --- a job that its user makes larger
d=$(submit --burst-clouds=aws)
change "$d" numnodes=2
go "$d"
ok "made larger before a place was sought for it: it ends" burst_job "$d" 60
is "$(runs "$d"):$(rented "$d" | wc -l):$(as alice sort -u "$d.txt" | wc -l)" aws:COMPLETED:2:2 "on two nodes that were bought at once"
no_nodes
e=$(submit --burst-clouds=aws)
booting "$e"
change "$e" numnodes=2
ok "made larger while its instance boots: it ends" burst_job "$e" 90
is "$(runs "$e"):$(as alice sort -u "$e.txt" | wc -l)" aws:COMPLETED:2 "in one attempt on two nodes"
like "$(story "$e")" 'it asks for something else now than when this was rented' "burst why says that it was planned anew"
no_nodes
f=$(submit --burst-clouds=aws)
booting "$f"
change "$f" numcpus=4
ok "more CPUs while its instance boots: it ends" burst_job "$f" 90
is "$(runs "$f")" aws:COMPLETED "in one attempt"
is "$(as root sacct -X -n -P -j "$f" -o ncpus,nnodes)" "4|4" "on as many nodes as their memory takes"
no_nodes

# --- larger when it has been moved already. Slurm looks at its queue seldom, so that it waits there.
seldom() { hub sh -c 'echo SchedulerParameters=sched_min_interval=900000000,sched_interval=900,bf_interval=900 \
    >>/etc/slurm/slurm.conf && scontrol reconfigure'; }
# Its scheduler sleeps for what it was told before: only a restart wakes it.
often() { hub sed -i '/^SchedulerParameters=sched_min/d' /etc/slurm/slurm.conf && restart_slurmctld; }
placed() # JOB
{
    booting "$1"
    seldom # a last look comes within 5 s, while its instance still boots
    wait_for "[[ \$(of_job $1 state) == placed && \$(asked $1 partition) == aws ]]" 40
}
back() # JOB: it is where it was
{
    [[ $(asked "$1" partition):$(asked "$1" reqnodes) == main: ]]
}
g=$(submit --burst-clouds=aws)
placed "$g"
ok "a job that has been moved can be made larger" change "$g" numnodes=2-2
happens "it is taken back" 20 "back $g"
often
ok "it ends" burst_job "$g" 120
like "$(story "$g")" 'it asks for something else now than when this was rented' "burst why says why"
like "$(runs "$g"):$(acct "$g" nnodes)" '^aws:COMPLETED:2$' "it had one attempt, on two nodes"
no_nodes

# Slurm is faster than burstd: it gives the job a node that nobody has rented.
h=$(submit --burst-clouds=aws)
placed "$h"
hub pkill -STOP -x burstd
ok "a job that has been moved is made larger while burstd does not look" change "$h" numnodes=2-2
often
happens "Slurm gives it two nodes" 30 "[[ \$(asked $h nodelist) == *[\\[,]* && \$(asked $h numnodes) == 2 ]]"
hub pkill -CONT -x burstd
ok "it ends" burst_job "$h" 150
like "$(runs "$h")" '^(aws:[A-Z_]+ )?aws:COMPLETED$' "in a second attempt at most"
is "$(as alice sort -u "$h.txt" | wc -l)" 2 "on two nodes"
diag "$(runs "$h"); $(story "$h")"
faults aws
no_nodes

# --- certain nodes
i=$(as alice sbatch --parsable -w node1 -t 10 -o /dev/null --wrap true)
is "$(as root scontrol -o show job "$i" | grep -c AdminComment)" 0 "a job with --nodelist has no mark"
happens "burst why says why it stays" 10 "[[ \$(as alice burst why $i) == *'it asks for certain nodes (--nodelist)'* ]]"
like "$(as alice sbatch --burst=only -w aws-cpu2-001 -t 10 --wrap true 2>&1)" \
    'it asks for certain nodes \(--nodelist\), which rented nodes do not have' "with --burst=only it is refused"
fails "so is one that names rented nodes" as alice sbatch -p aws -w aws-cpu2-001 -t 10 --wrap true
j=$(submit --burst-clouds=aws)
booting "$j"
change "$j" reqnodelist=node1
happens "one that is sent to a node while its instance boots stays" 20 \
    "[[ \$(of_job $j state) == watching && \$(of_job $j reason) == *--nodelist* ]]"
is "$(asked "$j" reqnodes):$(job_state "$j")" node1:PENDING "and keeps its wish"
as alice scancel "$i" "$j"
no_nodes # else the next job takes the idle one at once
k=$(submit --burst-clouds=aws)
placed "$k"
ok "one that has been moved is sent to a node that is not rented" change "$k" reqnodelist=aws-cpu2-004
happens "it is taken back" 20 "back $k"
often
ok "it ends" burst_job "$k" 120
like "$(story "$k")" 'other nodes were asked for than those that are rented' "burst why says why"
is "$(runs "$k")" aws:COMPLETED "in one attempt"
faults aws

as alice scancel "$filler"
bills_agree
happens "all rented nodes are powered down" 60 \
    "[[ \$(hub sinfo -h -N -p aws,gcp,azure -o %t | sort -u) == 'idle~' ]]"
done_testing
