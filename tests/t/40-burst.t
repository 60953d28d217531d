#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The main job: jobs leave a full cluster, run on rented nodes and come home; what is asked for
# wrongly or not allowed is refused with a sentence; at the end nothing is left and the bill is right

# shellcheck disable=SC2016,SC2119,SC2154,SC2088
. "$(dirname "$0")/lib.sh"

start_cluster --with-burst
put alice job.sh <<'END'
#!/bin/bash
sleep "${1-0}"
echo "$(hostname) ${CUDA_VISIBLE_DEVICES-none} $PWD"
END
filler=$(fill_local)

# --- a plain sbatch, the local nodes being full
began=$EPOCHREALTIME
a=$(as alice sbatch --parsable --gpus=1 -t 10 -o result-%j.txt job.sh 2)
wait_for "[[ -n \$(rented $a) ]]" 20
diag "sbatch to an instance at the provider: $(seconds_since "$began") s"
b=$(as alice sbatch --parsable --gpus=h100:1 -t 10 -o b.txt job.sh 2>b.err)
said=$(<b.err) && rm -f b.err
like "$said" 'burst: no node here has gpu:h100; the job waits for a rented node \(see: burst why' \
    "a job that no local node can run is accepted, with a sentence"
ok "the first comes to its end" burst_job "$a" 60
is "$(runs "$a")" gcp:COMPLETED "in one attempt at the cheapest cloud"
like "$(acct "$a" admincomment)" '^gcp us-central1-a a2-highgpu-2g spot \$0\.[0-9]*[1-9][0-9]* \| burst:1 eligible' \
    "its record says where, on which market and what it cost"
like "$(as alice cat "result-$a.txt")" '^gcp-a100x2-[0-9]{3} [01] /home/alice$' \
    "its output is in the submit directory"
is "$(as alice stat -c %U:%G "result-$a.txt")" alice:alice "and is the user's"
ok "the job for an H100 comes to its end" burst_job "$b" 60
is "$(runs "$b")" aws:COMPLETED "where an H100 is cheapest"
like "$(as alice cat b.txt)" '^aws-h100x1-001 ' "on a node of that kind"
like "$(as bob burst why "$a" 2>&1)" 'belongs to somebody else' "others are not told about it"
like "$(as alice burst why "$a")" gcp "its owner is"

# --- the cheapest place has nothing
faults aws '[{"fault":"no_capacity"}]'
c=$(as alice sbatch --parsable -t 10 -o c.txt job.sh)
ok "with no capacity at the cheapest cloud a job runs" burst_job "$c" 60
faults aws
is "$(runs "$c")" azure:COMPLETED "at the next in price, in one attempt"
like "$(tried "$c")" '^(aws:capacity )+azure:ok$' "burst why lists what was tried"
like "$(as alice cat c.txt)" '^azure-cpu2-' "on a node there"

# --- two nodes
put alice two.sh <<'END'
#!/bin/bash
srun hostname
cat *.out >/dev/null 2>&1
srun sh -c 'echo "$SLURM_PROCID" >rank-$SLURM_PROCID.txt'
END
d=$(as alice sbatch --parsable -N2 --ntasks-per-node=1 --gpus-per-node=1 -t 10 -o two.txt two.sh)
ok "a job of two nodes comes to its end" burst_job "$d" 60
is "$(as alice sort -u two.txt | wc -l)" 2 "srun ran on two nodes"
is "$(runs "$d" | wc -w)" 1 "in one attempt"
is "$(as alice cat rank-0.txt rank-1.txt | paste -sd' ')" "0 1" "what either node wrote is home"
is "$(of_job "$d" 'nodes | length')" 2 "burst jobs names both"

# --- an array
e=$(as alice sbatch --parsable --array=1-5 --gpus=1 -t 10 -o 'array-%a.txt' job.sh)
happens "an array of five ends" 90 "[[ \$(acct $e state | sort | uniq -c | xargs) == '5 COMPLETED' ]]"
for task in 1 2 3 4 5; do wait_for "[[ \$(of_job ${e}_$task state) == done ]]" 20; done
is "$(as alice cat array-{1,2,3,4,5}.txt | grep -cE '^(aws|gcp|azure)-[ah]100x[12]-00[1-4] [01] /home/alice$')" 5 \
    "each task has run on a rented node and its output is home"
is "$(acct "$e" state -D | wc -l)" 5 "in one attempt each"
happens "each task's record has its cost" 20 "[[ \$(acct $e admincomment | grep -c '\\\$') == 5 ]]"

# --- who may not
f=$(as bob sbatch --parsable --gpus=1 -t 10 -o f.txt --wrap hostname)
fails "bob has no rights to burst: a job that no local node can run is refused as by any Slurm" \
    as bob sbatch --gpus=h100:1 -t 10 --wrap hostname
like "$(as bob sbatch --burst=auto --gpus=h100:1 -t 10 --wrap hostname 2>&1)" \
    'burst: the job waits for the cluster.s own nodes only: this site does not let you use rented nodes' \
    "with the reason, when he has asked"
like "$(as bob sbatch --burst=only -t 10 --wrap hostname 2>&1)" \
    'burst: this job may run on rented nodes only, but this site does not let you use rented nodes' \
    "--burst=only is refused with a sentence"
is "$(as root scontrol -o show job "$f" | grep -c AdminComment=burst)" 0 "his other job has no mark"
is "$(job_state "$f")" PENDING "and waits for the local nodes"
like "$(as bob burst why "$f")" 'waits for the site.s own nodes; burstd does not look after it.*this site does not let user bob use rented nodes' \
    "burst why says why it does not leave"
like "$(as alice burst why "$f" 2>&1)" 'belongs to somebody else' "to others it says nothing"
like "$(as alice burst why 999999 2>&1)" 'neither burstd nor slurmctld knows a job 999999' \
    "nor of a job that there is not"
g=$(as alice sbatch --parsable --burst=never --gpus=1 -t 10 -o g.txt --wrap hostname)
happens "Slurm has looked at a job with --burst=never" 10 \
    "[[ \$(as root squeue -h -j $g -o %r) =~ Resources|Priority ]]"
like "$(as root scontrol show job "$g")" 'AdminComment=burst: stays here: --burst=never was asked for' \
    "it has a note instead of a mark"
happens "burst why says that, too" 10 \
    "[[ \$(as alice burst why $g) == *'Reason: --burst=never was asked for'* ]]"

# --- wrong options: each is refused with a sentence that says what would be right
wrong() # OPTION SENTENCE (a piece of it, literally)
{
    local said
    said=$(as alice sbatch "$1" -t 10 -o /dev/null --wrap true 2>&1)
    if [[ $said == *"Submitted"* || $said != *"$2"* ]]; then
        fail "$1 is refused: ...$2..." "sbatch said: $said"
    else
        pass "$1 is refused: ...$2..."
    fi
}
wrong --burst=maybe '--burst=maybe: must be auto, never or only'
wrong --burst-deadline=tomorrow \
    '--burst-deadline=tomorrow: not a time; write it like 2026-12-01T10:00 or now+6hours'
wrong --burst-deadline=2020-01-01T00:00 'this time has passed; a deadline lies in the future'
wrong --burst-max-cost=much 'not an amount of dollars; write it like 12 or 0.25'
wrong --burst-max-cost=0 'must be more than 0; to rent nothing say --burst=never'
wrong --burst-clouds=aws,,gcp 'must be up to 16 names of clouds with commas between, like aws,gcp'
wrong --burst-clouds=nimbus '--burst-clouds=nimbus: no cloud of this name here; there is: '
wrong --burst-market=cheap '--burst-market=cheap: must be any, spot or on-demand'
wrong --burst-runtime=soon \
    '--burst-runtime=soon: not a duration; write it like --time: minutes, hours:minutes:seconds'
wrong --burst-data=somewhere 'must be up to 16 items CLOUD/REGION:GB or job/ID:GB with commas between'
wrong --burst-stage-in=../secret 'paths with .. are not taken; write the path in full'
wrong '--burst-stage-out=~/out' '~ is not known here; write the path in full'
wrong --burst-stage-in=/ 'the whole file system cannot be copied; name a directory'
fails "a hopeless cost limit with --burst=only is refused" \
    as alice sbatch --burst=only --burst-max-cost=0.0001 -t 10:00:00 --wrap true
put alice wrong.sh <<'END'
#!/bin/bash
#SBATCH --burst-market=cheap
true
END
like "$(as alice sbatch wrong.sh 2>&1)" 'must be any, spot or on-demand' "so is a wrong #SBATCH line"
like "$(as alice sbatch -p aws -t 10 --wrap true : --gpus=1 2>&1)" 'heterogeneous job' \
    "a heterogeneous job for a rented partition is refused with a word"

# --- options that are right
h=$(as alice sbatch --parsable --burst=only --burst-clouds=azure --burst-market=on-demand \
    --burst-data=aws/us-east-1:0.5 -t 10 -o h.txt job.sh)
ok "a job with options comes to its end" burst_job "$h" 60
like "$(acct "$h" partition,admincomment)" '^azure\|azure eastus-1 D2s_v5 on-demand \$' \
    "at the cloud and on the market that it named"
# half a GB from AWS to another cloud at $0.09
is "$(slurm burst cost --by job --json | jq ".rows[] | select(.key == \"$h\") | .transfer_uusd")" \
    45000 "the egress of the data that it named is charged to it"
like "$(acct "$h" admincomment)" 'on-demand \$0\.045' "its record says that, too"

# --- output elsewhere under the names of sbatch(1); a submit directory beside the working directory
i=$(as alice sh -c 'mkdir -p logs sub run && echo given >sub/cfg && cd sub && exec sbatch "$@"' sh \
    --parsable --burst=only -D ../run -J nam --array=1-2 -t 10 -o '../logs/%A_%4a-%5j-%n-%s-%x.txt' \
    --wrap 'cat "$SLURM_SUBMIT_DIR/cfg"; echo "$SLURM_JOB_ID" >"$SLURM_SUBMIT_DIR/made-$SLURM_ARRAY_TASK_ID"')
for task in 1 2; do
    ok "task $task of an array with --chdir and output elsewhere ends" burst_job "${i}_$task" 90
    id=$(as alice cat "sub/made-$task")
    like "$id" '^[0-9]+$' "what it wrote in the submit directory is home"
    is "$(as alice cat "logs/${i}_000$task-$(printf %05d "$id")-0-batch-nam.txt")" given \
        "and so is its output, under the name that Slurm gave it; it has read the submit directory"
done

# --- data that are too large are seen before anything is rented
as alice sh -c 'mkdir big && head -c 150000000 /dev/zero >big/file'
k=$(as alice sh -c 'cd big && exec sbatch "$@"' sh --parsable -t 10 -o /dev/null --wrap true)
wait_for "[[ \$(of_job $k reason) == *'more than the 100 MiB'* ]]" 30
like "$(as alice burst why "$k")" "no node is rented for it: the job's files are more than the 100 MiB" \
    "a job with too much data is told about it"
is "$(job_state "$k"):$(rented "$k")" PENDING: "it waits for the local nodes, and nothing was rented"
l=$(as alice sh -c 'cd big && exec sbatch "$@"' sh --parsable --burst=only -t 10 -o ../only.txt --wrap true)
happens "one that wants rented nodes only is ended" 30 "[[ \$(acct $l state) == CANCELLED* ]]"
like "$(as alice cat only.txt)" "^burst: job $l was cancelled: the job's files are more than the 100 MiB that may be staged" \
    "with the reason in its output file"
is "$(rented "$l")" "" "nothing was rented for it either"
as alice scancel "$k"
as alice rm -r big

# --- the end
as alice scancel "$filler" "$g"
as bob scancel "$f"
launches_explained
bills_agree
happens "all rented nodes are powered down" 60 \
    "[[ \$(hub sinfo -h -N -p aws,gcp,azure -o %t | sort -u) == 'idle~' ]]"
is "$(hub sinfo -h -N -p aws,gcp,azure -R -o %N)" "" "without a reason left behind"
done_testing
