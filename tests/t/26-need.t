#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What a job needs, as the plugin counts it at the submission, as burstd counts it in Slurm's record,
# and as Slurm says itself: several hundred combinations of options, on partitions of rented nodes of
# one shape each, with defaults for memory and GPUs. Each job is submitted, held, and then moved as
# burstd moves it; will-run tests say on how many nodes it would run.
#
# BURST_NEED_SEED draws other combinations, BURST_NEED_COUNT more of them.

# shellcheck disable=SC2016,SC2154
. "$(dirname "$0")/lib.sh"

: "${BURST_BUILD:?BURST_BUILD names the build directory}"
[[ -x $BURST_BUILD/tests/t/need_table && -x $BURST_BUILD/tests/t/job_submit_need.so ]] ||
    skip_all "tests/t/need_table and tests/t/job_submit_need.so are not built"
[[ -z ${BURST_TEST_CLUSTER-} ]] || skip_all "configures a cluster of its own"
start_cluster --build "$BURST_BUILD"

hub sh -c '
    cd "$1" || exit
    plugins=$(dirname "$(find /usr/lib -name select_cons_tres.so | head -n 1)")
    cp tests/t/job_submit_need.so "$plugins" && install -d -o slurm -g slurm /run/need &&
    install -d /usr/libexec/burst &&
    install burst-slurm tests/t/need_table /usr/libexec/burst &&
    for i in 2 3; do mknod "/run/cluster/gpu$i" c 1 3 || exit; done' sh "$BURST_BUILD" ||
    bail_out "the plugin cannot be installed"
hub sh -c 'cat >/etc/slurm/slurm-burst.conf' <<'END'
JobSubmitPlugins=need
ResumeProgram=/bin/true
SuspendProgram=/bin/true
SuspendTime=INFINITE
PrivateData=cloud
NodeName=cpu8-[1-8] CPUs=8 RealMemory=4000 Feature=fast,even State=CLOUD
NodeName=cpu2-[1-8] CPUs=2 RealMemory=900 Feature=slow,even State=CLOUD
NodeName=mem-[1-8] CPUs=8 RealMemory=32000 State=CLOUD
NodeName=gpu2-[1-8] CPUs=8 RealMemory=8000 Gres=gpu:a100:2 State=CLOUD
NodeName=gpu4-[1-8] CPUs=16 RealMemory=32000 Gres=gpu:h100:4 State=CLOUD
NodeName=gpu4d-[1-8] CPUs=16 RealMemory=32000 Gres=gpu:h100:4 State=CLOUD
NodeName=gpu1m-[1-8] CPUs=4 RealMemory=4000 Gres=gpu:t4:1 State=CLOUD
NodeName=big-[1-8] CPUs=64 RealMemory=256000 Gres=gpu:h100:4 State=CLOUD
PartitionName=cpu8 Nodes=cpu8-[1-8] MaxTime=INFINITE
PartitionName=cpu2 Nodes=cpu2-[1-8] MaxTime=INFINITE
PartitionName=mem Nodes=mem-[1-8] DefMemPerNode=3000 MaxTime=INFINITE
PartitionName=gpu2 Nodes=gpu2-[1-8] MaxTime=INFINITE
PartitionName=gpu4 Nodes=gpu4-[1-8] DefMemPerCPU=1500 MaxTime=INFINITE
PartitionName=gpu4d Nodes=gpu4d-[1-8] DefCpuPerGPU=5 DefMemPerGPU=9000 MaxTime=INFINITE
PartitionName=gpu1m Nodes=gpu1m-[1-8] DefMemPerGPU=3000 DefMemPerCPU=400 MaxTime=INFINITE
PartitionName=excl Nodes=gpu2-[1-8] OverSubscribe=EXCLUSIVE MaxTime=INFINITE
PartitionName=maxn Nodes=mem-[1-8] MaxMemPerNode=5000 MaxTime=INFINITE
PartitionName=maxc Nodes=cpu8-[1-8] MaxMemPerCPU=1000 MaxTime=INFINITE
PartitionName=big Nodes=big-[1-8] DefMemPerCPU=700 DefCpuPerGPU=3 DefMemPerGPU=2000 MaxTime=INFINITE
END
hub sh -c 'cat >>/etc/slurm/gres.conf' <<'END'
NodeName=gpu2-[1-8] Name=gpu Type=a100 File=/run/cluster/gpu[0-1]
NodeName=gpu4-[1-8],gpu4d-[1-8],big-[1-8] Name=gpu Type=h100 File=/run/cluster/gpu[0-3]
NodeName=gpu1m-[1-8] Name=gpu Type=t4 File=/run/cluster/gpu0
END
hub sh -c ': >/run/need/shapes'
restart_slurmctld || bail_out "slurmctld does not start: $(hub tail /var/log/slurm/slurmctld.log)"

# table MODE: need_table, with Slurm's tables as burst-slurm sends them to burstd
table()
{
    slurm sh -c 'tail -f /dev/null --pid=$$ | /usr/libexec/burst/burst-slurm watch |
        /usr/libexec/burst/need_table "$@"' sh "$@"
}
table shapes | hub sh -c 'cat >/run/need/shapes'
is "$(hub cat /run/need/shapes | sort | head -n 4)" "big 64 256000 4 h100 0 700 2000 3 0 -
cpu2 2 900 0 - 0 500 0 0 0 slow,even
cpu8 8 4000 0 - 0 500 0 0 0 fast,even
excl 8 8000 2 a100 0 500 0 0 1 -" "the defaults of partitions and of the cluster arrive"

# --- Combinations --------------------------------------------------------------------------------

# The jobs that people have run into, then drawn ones. A job is submitted to its partition, or to
# big and counted for another (behind the @) to which it is moved.
combinations()
{
    cat <<'END'
f1@gpu2 big --gpus=2 --mem-per-gpu=600
f2 cpu2 --exclusive
f3 gpu4 -n2 --gpus-per-task=h100:1
f4 gpu4 -c2 --gpus=h100:1
f5@cpu2 big -N1-3
f6@cpu8 big -N1-3 -n20
f7 mem -n3 -c5
f8 gpu2 --gpus=2 --cpus-per-gpu=8
f9 cpu2 -N1 -n8
f10 gpu4d --gpus=4
f11@gpu4d big --gpus=4 --cpus-per-gpu=3
f12 gpu1m -n1 --gpus=4
f13 gpu1m --gpus=4
f14 gpu4 --gpus=4 --gpus-per-node=2 --cpus-per-gpu=2
f15 cpu8 --exclusive -n2
f16 gpu2 -N2-4 --gpus=8
f17 mem --mem=0
f18 mem -n10 -O
f19 gpu4 --gpus-per-node=1 --cpus-per-gpu=5 --exclusive
f20 cpu8 --constraint=fast|slow
f21 cpu8 --constraint=even&(fast|slow)
f22@cpu8 cpu2 --constraint=slow
f23@cpu2 cpu8 --constraint=even
f24 cpu8 --constraint=[fast|slow]
f25@cpu2 cpu8 -N2 --constraint=[fast|slow]
f26 cpu8 -N2 --constraint=[fast*1&even*1]
f27 cpu8 --constraint=fast|slow&even
f28 gpu2 --gpus=1 -n4 -O
f29 gpu2 --gpus-per-node=1 -n20 -O
f30 gpu2 --gpus-per-task=1 -n2 -O
m1 maxn --mem=5000
m2 maxn --mem=6000
m3@maxn mem --mem=6000
m4 maxc -n2 --mem-per-cpu=1000
m5 maxc -n2 --mem-per-cpu=2000
m6@maxc cpu8 -n2 --mem-per-cpu=2000
m7@maxc cpu8 --mem=2000
m8@maxn mem -n3 --mem-per-cpu=2000
END
    awk -v seed="${BURST_NEED_SEED:-1}" -v count="${BURST_NEED_COUNT:-450}" '
        function one(list, v) { return v[1 + int(rand() * split(list, v, " "))] }
        function maybe(p, list) { return rand() < p ? " " one(list) : "" }
        BEGIN {
            srand(seed)
            for (k = 1; k <= count; k++) {
                part = one("gpu2 gpu4 gpu1m gpu4d excl big cpu8 mem cpu2")
                gpu = part ~ /gpu|excl|big/ && rand() < 0.85
                per = gpu && rand() < 0.25
                o = maybe(0.4, "-N1 -N2 -N3 -N1-3 -N2-4 -N1-2 -N4")
                o = o maybe(0.5, "-n1 -n2 -n3 -n4 -n5 -n6 -n8 -n10 -n12 -n16 -n20")
                if (!per) o = o maybe(0.35, "-c1 -c2 -c3 -c4 -c5 -c6 -c8 -c9")
                o = o maybe(0.2, "--ntasks-per-node=1 --ntasks-per-node=2 --ntasks-per-node=3 --ntasks-per-node=4 --ntasks-per-node=8")
                kind = rand()
                if (gpu && kind < 0.75)
                    o = o " " one(kind < 0.25 ? "--gpus=1 --gpus=2 --gpus=3 --gpus=4 --gpus=5 --gpus=6 --gpus=8" :
                        kind < 0.5 ? "--gpus-per-node=1 --gpus-per-node=2 --gpus-per-node=3 --gpus-per-node=4" :
                        "--gpus-per-task=1 --gpus-per-task=1 --gpus-per-task=2 --gpus-per-task=3")
                else if (gpu)
                    o = o " --gpus=4 " one("--gpus-per-node=1 --gpus-per-node=2")
                if (per) o = o maybe(1, "--cpus-per-gpu=1 --cpus-per-gpu=2 --cpus-per-gpu=3 --cpus-per-gpu=4 --cpus-per-gpu=5 --cpus-per-gpu=8")
                mem = rand()
                if (gpu && mem < 0.2)
                    o = o " " one("--mem-per-gpu=600 --mem-per-gpu=1500 --mem-per-gpu=3000 --mem-per-gpu=4000 --mem-per-gpu=9000")
                else if (mem < 0.35)
                    o = o " " one("--mem=0 --mem=500 --mem=900 --mem=3000 --mem=4000 --mem=8000 --mem=9000")
                else if (mem < 0.6)
                    o = o " " one("--mem-per-cpu=100 --mem-per-cpu=500 --mem-per-cpu=900 --mem-per-cpu=1500 --mem-per-cpu=3000 --mem-per-cpu=5000")
                o = o maybe(0.15, "--exclusive") maybe(0.1, "--overcommit")
                print "c" k (rand() < 0.3 ? "@" part " big" : " " part) o
            }
        }'
}

combinations | hub sh -c 'cat >/run/need/combinations'
as alice sh -c 'cd && while read -r name part options; do
        # shellcheck disable=SC2086
        said=$(sbatch -H -J "$name" -p "$part" -t 10 -o /dev/null $options --wrap true 2>&1) ||
            echo "$name $said" | tr "\n" " " | sed "s/ $/\n/"
    done </run/need/combinations' >"$DIR/refused"
# First moved and taken back. What burstd counts meanwhile must not be more than what it has rented, or
# it would think that its user has changed it; afterwards all is as it was.
table move | hub sh -c 'cat >/run/need/moved'
hub cat /run/need/moved >"$DIR/moved"
table again /run/need/moved >"$DIR/again"
is "$(awk 'FILENAME ~ /moved$/ { n[$1] = $2; next } $2 == 0 || $2 > n[$1] { print $1, n[$1], $2 } { delete n[$1] }
    END { for (k in n) print k, n[k], "not seen" }' "$DIR/moved" "$DIR/again")" "" \
    "no job that has been moved is counted for more nodes than before ($(grep -c . "$DIR/moved"))"
diag "fewer: $(awk 'FILENAME ~ /moved$/ { n[$1] = $2; next } $2 < n[$1] { print n[$1], $0 }' "$DIR/moved" "$DIR/again")"
table compare >"$DIR/table"
hub cat /run/need/plugin >"$DIR/plugin"

# One line for each job: NAME, the three counts, and what it was submitted with
hub cat /run/need/combinations >"$DIR/combinations"
joined=$(awk '
    FILENAME ~ /combinations$/ { name = $1; sub(/^[^ ]+ /, ""); wish[name] = $0; next }
    FILENAME ~ /plugin$/ { plugin[$1] = $2 > 8 ? 0 : $2; next }
    { printf "%s plugin=%d burstd=%d runs=%s least=%d %s\n", $1, plugin[$1], $2, $3, $4, wish[$1] }
' "$DIR/combinations" "$DIR/plugin" "$DIR/table")

# Limits of memory are looked at by themselves.
limited=$(grep '^m[0-9]' <<<"$joined")
joined=$(grep -v '^m[0-9]' <<<"$joined")
compared=$(grep -c . <<<"$joined")
((compared >= 350)) || diag "$(head -n 5 "$DIR/refused")"
is "$((compared >= 350))" 1 "Slurm takes at least 350 of the combinations ($compared)"
is "$(awk 'split($2, p, "=") && split($3, b, "=") && p[2] != b[2]' <<<"$joined")" "" \
    "plugin and burstd count them alike"
is "$(grep ' runs=no ' <<<"$joined")" "" "Slurm runs each on exactly the nodes that burstd would rent"
is "$(awk '{ split($3, b, "="); split($5, l, "=") } b[2] && l[2] > b[2]' <<<"$joined")" "" \
    "  and never on fewer than it says"
# What burstd does not rent for although Slurm would find a way, or rents more for, are few, and of
# the kinds that need.c names: GPUs with --overcommit, CPUs for GPUs that do not match those of
# the tasks, several GPUs a node with a total, whole nodes; and memory per CPU, of which a will-run
# test promises more than the start of the job keeps.
lax=$(awk '{ split($3, b, "="); split($5, l, "=") } b[2] != l[2]' <<<"$joined")
is "$(($(grep -c . <<<"$lax") * 100 / compared < 8))" 1 "few are counted otherwise" || diag "$lax"
is "$(grep -vE 'gpu|--exclusive|-O|--constraint|--overcommit| excl | -c|mem-per-cpu|@cpu| big ' <<<"$lax")" "" "  and all of the known kinds"
# Refused at the submission because no node there could run it: neither does the plugin rent for it.
bad=$(awk 'FILENAME ~ /plugin$/ { plugin[$1] = $2; next }
    /node configuration/ && $1 !~ /@/ && plugin[$1] > 0 && plugin[$1] <= 8' "$DIR/plugin" "$DIR/refused")
is "$bad" "" "what Slurm refuses outright the plugin does not count either"

# --- The jobs that broke, one by one -------------------------------------------------------------

# counted NAME: by plugin and burstd
counted() { sed -n "s/^$1\(@[a-z0-9]*\)\{0,1\} plugin=\([0-9]*\) burstd=\([0-9]*\) .*/\2 \3/p" <<<"$joined"; }
is "$(counted f1)" "1 1" "--gpus=2 --mem-per-gpu=600"
is "$(counted f3)" "1 1" "-n2 --gpus-per-task=h100:1"
is "$(counted f5)" "1 1" "-N1-3: the least number that works"
is "$(counted f6)" "0 0" "-N1-3 -n20 with 700 MB a CPU (5 a node)"
is "$(counted f7)" "3 3" "-n3 -c5: one task a node"
is "$(counted f8)" "2 2" "--gpus=2 --cpus-per-gpu=8"
is "$(counted f10)" "2 2" "--gpus=4 with DefCpuPerGPU=5, DefMemPerGPU=9000 (3 a node)"
is "$(counted f13)" "4 4" "--gpus=4 on nodes with one"
is "$(counted f16)" "4 4" "-N2-4 --gpus=8"

# Limits of a partition: MaxMemPerCPU makes Slurm add CPUs; over MaxMemPerNode it starts nothing. Of
# memory per CPU burstd learns that when it has moved the job (Slurm's reason is MaxMemPerLimit)
is "$(awk '{ print $1, $4 == "runs=-" && $5 == "least=0" ? "runs=no" : $4 }' <<<"$limited" | paste -sd,)" \
    "m1 runs=yes,m2 runs=no,m3@maxn runs=no,m4 runs=yes,m5 runs=yes,m6@maxc runs=yes,m7@maxc runs=yes,m8@maxn runs=no" \
    "what MaxMemPerNode and MaxMemPerCPU of a partition let run"
is "$(awk '/^m[123]/ { print $3 }' <<<"$limited" | paste -sd' ')" "burstd=1 burstd=0 burstd=0" \
    "  which burstd knows of memory per node before it rents"
is "$(counted f20)" "1 1" "--constraint=fast|slow"
is "$(counted f21)" "1 1" "--constraint=even&(fast|slow)"
is "$(counted f22)" "0 0" "--constraint=slow where no node is"
is "$(counted f23)" "1 1" "--constraint=even, of a job of another partition"
is "$(for k in 24 25 26 27; do counted f$k; done | sort -u)" "0 0" \
    "[a|b], counts and both signs without parentheses are left to Slurm"
is "$(for k in 28 29 30; do counted f$k; done | sort -u)" "0 0" "so are GPUs with --overcommit"

as root scancel -u alice
done_testing
