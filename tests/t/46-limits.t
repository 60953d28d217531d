#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What may run at a time by Slurm's limits of associations and QOS is not rented for beforehand: one
# job after the other, and burst why names the limit

# shellcheck disable=SC2016,SC2119,SC2154
. "$(dirname "$0")/lib.sh"

conf=$(mktemp -d "${TMPDIR:-/tmp}/burst-conf.XXXXXX")
sed -E 's/^node_idle:.*/node_idle: 5s/' "$topdir/etc/demo/burst.yaml" >"$conf/burst.yaml"
start_cluster --with-burst --conf "$conf"
rm -rf "$conf"
as root sh -c 'sacctmgr -i add qos few set GrpJobs=1 && sacctmgr -i add qos gpus set GrpTRES=gres/gpu=2 &&
    sacctmgr -i modify user alice set qos+=normal,few,gpus MaxJobs=1' >/dev/null
# held QOS [OPTION]...: a job that runs until it is cancelled, on a rented node only
held()
{
    local qos=$1
    shift
    as alice sbatch --parsable --qos="$qos" -t 20 -o /dev/null "$@" --wrap 'sleep infinity' 2>/dev/null
}
# nodes_of JOB...: how many instances there are for them, or were
nodes_of() { local job; for job in "$@"; do rented "$job"; done | wc -l; }
why() { slurm burst why "$1"; }

# --- a QOS of one job
a=$(held few --gpus=h100:1)
b=$(held few --gpus=h100:1)
c=$(held few --gpus=h100:1)
happens "the first of three jobs of a QOS that lets one run starts" 90 "job_is $a RUNNING"
for job in "$b" "$c"; do
    happens "burst why names the limit" 40 \
        "[[ \$(why $job) == *'GrpJobs of QOS few is reached: 1 of 1 run'* ]]"
done
is "$(nodes_of "$a" "$b" "$c")" 1 "one node was bought for the three"
happens "the record of one that waits says so, too" 60 \
    "[[ \$(as root scontrol show job $b) == *'AdminComment=waits for a rented node: GrpJobs of QOS few'* ]]"
as alice scancel "$a"
happens "when the first has ended one more starts" 90 "job_is $b RUNNING"
is "$(as root squeue -h -q few -t RUNNING -o %i | wc -l)" 1 "and one only"
is "$(all_instances | wc -l)" 1 "on the one node that there is"
as alice scancel "$b"
happens "the last one has its turn" 90 "job_is $c RUNNING"
as alice scancel "$c"

# --- what a QOS may have of a resource
d=$(held gpus --gpus=h100:1)
happens "a job with one of two GPUs of its QOS starts" 90 "job_is $d RUNNING"
e=$(held gpus -N2 --gpus-per-node=h100:1)
happens "one that would take the third waits" 40 \
    "[[ \$(why $e) == *'GrpTRES of QOS gpus would be passed: gres/gpu 1 of 2 are taken, it takes 2'* ]]"
is "$(nodes_of "$e")" 0 "nothing is bought for it"
as alice scancel "$d" "$e"

# --- an association
f=$(held normal --gpus=h100:1)
happens "the one job starts that a user may run" 90 "job_is $f RUNNING"
g=$(held normal --gpus=h100:1)
happens "his second waits" 40 \
    "[[ \$(why $g) == *'MaxJobs of user alice in account lab is reached: 1 of 1 run'* ]]"
is "$(nodes_of "$g")" 0 "nothing is bought for it"
as root sacctmgr -i modify user alice set MaxJobs=2 >/dev/null
happens "when he may run two it starts: limits are read again" 150 "job_is $g RUNNING"
as alice scancel "$f" "$g"
like "$a $b $c $d $e $f $g" '^([0-9]+ ?){7}$' "all of them were submitted"

launches_explained
bills_agree
done_testing
