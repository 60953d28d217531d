#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# burst.sh - figures of the main job on a real throw-away cluster; one JSON object a line.
#
#   sbatch-to-launch      from sbatch's start to burstd's call of the provider
#   registered-to-script  from slurmd's registration on the node to the script's first line
#   sbatch-to-script      all of it, boot of the (local) instance included
#   burstd-rest-cpu       share of a core while nothing happens
#   burstd-rest-memory    resident memory then
#   sbatch-plugin-ratio   1000 `sbatch -H` with the plugin against 1000 without, in turns of 100
#   decision-*-job        from the question to the optimizer's answer for one job, in the daemon
#
# Environment: BURST_BUILD (build directory), BENCH_JOBS (default 10), BENCH_REST_S (default 20).
# Needs root. These are measurements, not tests: nothing here fails for being slow.
set -u -o pipefail

top=$(readlink -f "$(dirname "$0")/../..")
cluster=$top/scripts/cluster
build=${BURST_BUILD:?BURST_BUILD names the build directory}
jobs=${BENCH_JOBS:-10} rest=${BENCH_REST_S:-20}
if ((EUID != 0)); then
    echo '{"bench":"burst","skipped":"needs root for the throw-away cluster"}'
    exit 0
fi
dir=$(mktemp -d "${TMPDIR:-/tmp}/burst-bench.XXXXXX")
trap '"$cluster" stop "$dir" >/dev/null 2>&1; rm -rf "$dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

"$cluster" start --with-burst --build "$build" "$dir" >"$dir.start" 2>&1 || {
    cat "$dir.start" >&2
    exit 1
}
rm -f "$dir.start"
as() { local user=$1 && shift && "$cluster" exec -u "$user" "$dir" "$@"; }
load() { cut -d' ' -f1 /proc/loadavg; }

# stat NAME UNIT < numbers: median, least and most
stat()
{
    sort -n | awk -v name="$1" -v unit="$2" -v busy="$(load)" '
        { v[NR] = $1 }
        END {
            if (!NR) exit 1
            m = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
            printf "{\"bench\":\"%s\",\"value\":%.3f,\"unit\":\"%s\",\"min\":%.3f,\"max\":%.3f,\"n\":%d,\"load\":%s}\n",
                name, m, unit, v[1], v[NR], NR, busy
        }'
}

# seconds of the day from "HH:MM:SS.mmm" somewhere in the line
clock() { grep -oE '[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]+' | head -n 1 | awk -F: '{ printf "%.6f\n", $1 * 3600 + $2 * 60 + $3 }'; }

as alice sh -c 'cd && printf "#!/bin/sh\ndate +%%T.%%N\nhostname\n" >job.sh &&
    sbatch -Q -N2 --gpus-per-node=2 --exclusive -t 600 --wrap "sleep 36000"' || exit 1
for n in $(seq "$jobs"); do
    # One at a time, each on a new instance: the idle node of the one before is ended first.
    as alice sh -c 'cd && date +%T.%N >t0 && sbatch --parsable --gpus=1 -t 10 job.sh >id && cat t0 id' |
        paste -sd' ' >>"$dir/runs"
    id=$(tail -n 1 "$dir/runs" | cut -d' ' -f2)
    until as alice grep -q . "/home/alice/slurm-$id.out" 2>/dev/null; do sleep 0.2; done
    until [[ $(as root burst nodes --json 2>/dev/null | jq length) == 0 ]]; do sleep 0.3; done
done
while read -r t0 id; do
    start=$(echo "$t0" | clock)
    script=$(head -n 1 "$dir/home/alice/slurm-$id.out" | clock)
    node=$(sed -n 2p "$dir/home/alice/slurm-$id.out")
    launch=$(grep -E "job $id: renting" "$dir"/log/burst/burstd.log | head -n 1 | clock)
    # The last time before the script that slurmctld heard of this node.
    up=$(grep -E "Node $node now responding" "$dir"/log/slurm/slurmctld.log |
        while read -r line; do echo "$line" | clock; done | awk -v s="$script" '$1 <= s { u = $1 } END { print u }')
    echo "$id $start $launch ${up:-0} $script"
done <"$dir/runs" >"$dir/times"
awk '$4 > 0 { printf "%.6f\n", $5 - $4 }' "$dir/times" | stat registered-to-script s
awk '{ printf "%.6f\n", $3 - $2 }' "$dir/times" | stat sbatch-to-launch s
awk '{ printf "%.6f\n", $5 - $2 }' "$dir/times" | stat sbatch-to-script s

# At rest: the filler runs, nothing waits.
pid=$(as root pgrep -x burstd | head -n 1)
ticks() { as root cat "/proc/$pid/stat" | awk '{ print $14 + $15 }'; }
before=$(ticks) && sleep "$rest" && after=$(ticks)
awk -v t=$((after - before)) -v s="$rest" -v hz="$(getconf CLK_TCK)" 'BEGIN { printf "%.6f\n", 100 * t / hz / s }' |
    stat burstd-rest-cpu %
as root awk '/^VmRSS/ { print $2 / 1024 }' "/proc/$pid/status" | stat burstd-rest-memory MiB

# The submit path, with and without the plugin in turns.
submit100()
{
    as alice sh -c 'cd && s=$(date +%s%N) && n=0 &&
        while [ $n -lt 100 ]; do sbatch -Q -H -t 5 job.sh >/dev/null || exit 1; n=$((n + 1)); done &&
        echo $(($(date +%s%N) - s))'
}
plugin()
{
    as root sed -i "s/^#*JobSubmitPlugins=.*/$1/" /etc/slurm/slurm-burst.conf &&
        as slurm scontrol reconfigure
}
with() { plugin "JobSubmitPlugins=burst" && submit100 >>"$dir/with"; }
without() { plugin "#JobSubmitPlugins=burst" && submit100 >>"$dir/without"; }
for n in $(seq 10); do
    # The order changes each time: the queue is longer for who comes second.
    if ((n % 2)); then with && without; else without && with; fi
    as slurm scancel -u alice -t PENDING
done
total() { awk '{ s += $1 } END { print s }' "$1"; }
awk -v a="$(total "$dir/with")" -v b="$(total "$dir/without")" 'BEGIN { print a / b }' |
    stat sbatch-plugin-ratio ratio
awk '{ print $1 / 1e8 }' "$dir/with" | stat sbatch-with-plugin ms
awk '{ print $1 / 1e8 }' "$dir/without" | stat sbatch-without-plugin ms

# One job's decision in the daemon, from the question to the optimizer's answer, with the pipes
# between; over a catalog of the public prices where it is at hand. What it then rents is not asked.
reference=${BURST_REFERENCE:-$top/../shared}/prices
prices=demo
if [[ -r $reference/aws.csv ]]; then
    mkdir "$dir/prices"
    cp "$reference"/{aws,gcp,azure,egress}.csv "$dir/prices/"
    as root sh -c "cp '$dir'/prices/*.csv /etc/burst/catalog/ && chmod a+r /etc/burst/catalog/*"
    as slurm burst reload >/dev/null
    prices=public
fi
planner() { as slurm burst status --json | jq ".planner.$1"; }
decisions() # NAME OPTION...: of 20 jobs, one after the other
{
    local name=$1 n was id
    shift
    for n in $(seq 20); do
        was=$(planner requests)
        id=$(as alice sbatch --parsable -t 60 "$@" -o /dev/null --wrap true)
        until [[ $(planner requests) -gt $was ]]; do sleep 0.1; done
        planner last_us
        as slurm scancel "$id"
        until [[ $(as root squeue -h -u alice -t PENDING | wc -l) == 0 ]]; do sleep 0.1; done
    done | awk '{ print $1 / 1000 }' | stat "$name-$prices-prices" ms
}
decisions decision-gpu-job --gpus=a100:1
decisions decision-cpu-job
