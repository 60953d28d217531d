#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The plugins and the hooks inside a real Slurm, without burstd: publish_site plays it towards the
# plugin, and nobody answers the hooks. Site: partition main (2 nodes, 2 CPUs and 2 a100 each) and
# elastic partition aws (a100x2, h100x1).

# shellcheck disable=SC2016,SC2119,SC2154
. "$(dirname "$0")/lib.sh"

: "${BURST_BUILD:?BURST_BUILD names the build directory}"
[[ -x $BURST_BUILD/job_submit_burst.so ]] || skip_all "there is no job_submit_burst.so"
[[ -x $BURST_BUILD/tests/t/publish_site ]] || skip_all "tests/t/publish_site is not built"
[[ -z ${BURST_TEST_CLUSTER-} ]] || skip_all "configures a cluster of its own"
start_cluster --build "$BURST_BUILD"

hub sh -c '
    cd "$1" || exit
    plugins=$(dirname "$(find /usr/lib -name select_cons_tres.so | head -n 1)")
    cp job_submit_burst.so spank_burst.so "$plugins" &&
    install -d /usr/libexec/burst &&
    install burst-resume burst-resume-fail burst-suspend burst-prolog burst-epilog /usr/libexec/burst &&
    install tests/t/publish_site /usr/libexec/burst &&
    install -d -o slurm -g slurm /run/burst /var/lib/burst &&
    echo "optional spank_burst.so" >/etc/slurm/plugstack.conf.d/burst.conf' sh "$BURST_BUILD" ||
    bail_out "the plugins cannot be installed"
hub sh -c 'cat >/etc/slurm/slurm-burst.conf' <<'END'
JobSubmitPlugins=burst
ResumeProgram=/usr/libexec/burst/burst-resume
ResumeFailProgram=/usr/libexec/burst/burst-resume-fail
SuspendProgram=/usr/libexec/burst/burst-suspend
PrologSlurmctld=/usr/libexec/burst/burst-prolog
EpilogSlurmctld=/usr/libexec/burst/burst-epilog
ResumeTimeout=6
SuspendTimeout=2
SuspendTime=INFINITE
SlurmctldParameters=power_save_interval=1,power_save_min_interval=0,idle_on_node_suspend
PrivateData=cloud
NodeName=aws-a100x2-[001-004] CPUs=2 RealMemory=1000 Gres=gpu:a100:2 State=CLOUD
NodeName=aws-h100x1-[001-004] CPUs=2 RealMemory=1000 Gres=gpu:h100:1 State=CLOUD
PartitionName=aws Nodes=aws-a100x2-[001-004],aws-h100x1-[001-004] MaxTime=INFINITE SuspendTime=300
END
hub sh -c 'printf "PrologTimeout=12\nEpilogTimeout=3\n" >/etc/slurm/burst.conf'
hub sh -c 'cat >>/etc/slurm/gres.conf' <<'END'
NodeName=aws-a100x2-[001-004] Name=gpu Type=a100 File=/run/cluster/gpu[0-1]
NodeName=aws-h100x1-[001-004] Name=gpu Type=h100 File=/run/cluster/gpu0
END
restart_slurmctld || bail_out "slurmctld does not start with the plugin: $(hub tail /var/log/slurm/slurmctld.log)"
like "$(hub cat /var/log/slurm/slurmctld.log)" "job_submit/burst: snapshot /run/burst/snapshot" \
    "slurmctld has loaded the plugin"

publish()
{
    hub sh -c 'setsid setpriv --reuid slurm --regid slurm --clear-groups \
        /usr/libexec/burst/publish_site /run/burst/snapshot </dev/null >/var/log/publish.log 2>&1 &'
    wait_for 'hub test -s /run/burst/snapshot' 10
}
unpublish() { hub pkill -x publish_site && wait_for '! hub pgrep -x publish_site' 5; }

sub() { as alice sbatch --parsable "$@" --wrap hostname 2>&1; }
# job OPTION...: submits, sets job to the number and said to what sbatch said before it
job()
{
    said=$(sub "$@")
    job=$(tail -n 1 <<<"$said")
    said=$(head -n -1 <<<"$said")
}
field() { as root scontrol -o show job "$1" | tr ' ' '\n' | sed -n "s/^$2=//p" | head -n 1; }
mark() { as root scontrol show job "$1" | sed -n 's/^ *AdminComment=//p' | sed 's/ *$//'; }
cancel_all() { as root scancel -u alice && wait_for '! as root squeue -h -u alice | grep -q .' 30; }

# --- Without a snapshot nothing changes --------------------------------------------------------

job
is "$(mark "$job")" "" "no snapshot: a plain job is not marked"
like "$(sub --gpus=h100:1)" "Requested node configuration is not available" \
    "no snapshot: a job for h100 gets Slurm's own answer"
like "$(sub --burst=only)" "burst: this job may run on rented nodes only, but burstd is not running now" \
    "no snapshot: --burst=only is refused with a reason"
job --burst=auto
is "$said" "sbatch: burst: the job waits for the cluster's own nodes only: burstd is not running now" \
    "no snapshot: --burst=auto is told so"

# --- With it -----------------------------------------------------------------------------------

publish
wait_for '[[ $(job -H; mark "$job") == burst:1* ]]' 5
job -H
is "$(mark "$job")" "burst:1 eligible part=main" "a plain job is marked eligible"
is "$said" "" "  and its user hears nothing"
job -H -a 1-3
is "$(mark "$job")" "burst:1 eligible part=main" "an array is marked"

job --gpus=h100:1
is "$said" "sbatch: burst: no node here has gpu:h100; the job waits for a rented node (see: burst why JOBID)" \
    "a job for a GPU that is not owned: its user is told"
is "$(mark "$job") $(field "$job" Partition) $(field "$job" JobState)" \
    "burst:1 held part=main aws PENDING" "  and it is accepted in the elastic partition"
like "$(field "$job" Reason)" "JobHeld" "  held"
job --gres=gpu:h100:1 -a 1-3
is "$(mark "$job") $(field "$job" Partition)" "burst:1 held part=main aws" "--gres and an array: the same"
job --gpus-per-task=h100:1 -n2
is "$(mark "$job") $(field "$job" Partition)" "burst:1 held part=main aws" "--gpus-per-task: the same"
job -N3 --gpus-per-node=a100:1
is "$(mark "$job") $(field "$job" Partition)" "burst:1 held part=main aws" "more nodes than owned: the same"
job -H --gpus=h100:1
is "$(mark "$job")" "burst:1 held hold=user part=main" "the user's own hold is noted"
job --burst=only --burst-clouds=aws --burst-market=spot --burst-max-cost=1.5 --burst-runtime=30 \
    --burst-data=aws/us-east-1:2.5 --burst-stage-in=data --burst-stage-out=/home/alice/out \
    --burst-deadline=2030-12-01T10:00
is "$(mark "$job")" "burst:1 held mode=only deadline=$(date -d 2030-12-01T10:00 +%s) max_cost=1500000 \
clouds=aws market=spot runtime=1800 data=aws/us-east-1:2.5 in=data out=/home/alice/out part=main" \
    "all options arrive in the mark"
job --burst=never
is "$(mark "$job")" "burst: stays here: --burst=never was asked for" "--burst=never leaves the job alone"
job -p aws
is "$(mark "$job")" "burst:1 held mode=only clouds=aws part=aws" "a user's job for partition aws is held"
like "$(sub -p main,aws)" "burst: rented partitions cannot be mixed" "main,aws is refused"
like "$(sub --burst=only -C fast)" "no rented node has what it asks for|Invalid feature specification" "--burst=only with a feature that no rented node has is refused"
like "$(sub --burst=only --burst-max-cost=0.01)" "it would cost \\\$0.1000, more than its --burst-max-cost of \\\$0.0100" \
    "--burst=only over its cap is refused with dollars"
like "$(sub --burst=only --gpus=mi300:1)" "no rented node has what it asks for" "--burst=only for what nobody has is refused"
like "$(sub --gpus=H100:1)" "did you mean gpu:h100" "a misspelt GPU type is explained"

like "$(as alice srun --burst=only hostname 2>&1)" "here only batch jobs \(sbatch\) use rented nodes" "srun --burst=only is refused"
like "$(as alice salloc --burst-max-cost=1 true 2>&1)" "waits for the cluster's own nodes only" "salloc is told that it stays"
is "$(as alice srun -n1 hostname 2>&1 | sed 's/[0-9]$//')" node "srun without options runs here"
job
like "$(as alice sbatch --test-only --gpus=h100:1 --wrap hostname 2>&1)" "in partition aws" "a will-run test goes through"
like "$(as alice sbatch -n1 --wrap hostname : -n1 2>&1)" "Submitted batch job" "a heterogeneous job goes through"
like "$(as alice sbatch --burst=auto -n1 --wrap hostname : -n1 2>&1)" "heterogeneous job" "  with a --burst option it is refused"
cancel_all

# --- Wrong options: the plugin on the submit host -----------------------------------------------

wrong() # OPTION SENTENCE
{
    is "$(sub "$1" | head -n 1)" "sbatch: error: $1: $2" "$1 is refused"
}
wrong --burst=maybe "must be auto, never or only"
wrong --burst-market=cheap "must be any, spot or on-demand"
wrong --burst-deadline=yesterday "not a time; write it like 2026-12-01T10:00 or now+6hours (seconds, minutes, hours, days, weeks)"
wrong --burst-deadline=2020-01-01T00:00 "this time has passed; a deadline lies in the future"
wrong --burst-max-cost=ten "not an amount of dollars; write it like 12 or 0.25"
wrong --burst-max-cost=0 "must be more than 0; to rent nothing say --burst=never"
wrong --burst-clouds=aws,,gcp "must be up to 16 names of clouds with commas between, like aws,gcp"
wrong --burst-runtime=soon "not a duration; write it like --time: minutes, hours:minutes:seconds or days-hours:minutes:seconds, up to ten years"
wrong --burst-data=mydata "must be up to 16 items CLOUD/REGION:GB or job/ID:GB with commas between, like aws/us-east-1:150"
wrong --burst-stage-in=../secret "paths with .. are not taken; write the path in full"
wrong --burst-stage-out=~/x "~ is not known here; write the path in full"
like "$(sub --burst-clouds=azure)" "burst: --burst-clouds=azure: no cloud of this name here; there is: aws" \
    "a cloud that is not there is refused by the controller"

# --- A submit host without the SPANK plugin -----------------------------------------------------

hub mv /etc/slurm/plugstack.conf.d/burst.conf /root/
like "$(sub --burst=only)" "unrecognized option" "without the SPANK plugin there are no options"
job
is "$(mark "$job")" "burst:1 eligible part=main" "  and jobs are marked by the site's rules"
hub mv /root/burst.conf /etc/slurm/plugstack.conf.d/

# --- Options in the script, and jobs inside jobs -----------------------------------------------

put alice /home/alice/outer.sh <<'END'
#!/bin/sh
#SBATCH --burst=auto
#SBATCH --burst-max-cost=7
#SBATCH --burst-deadline=now+1hour
#SBATCH -o /dev/null
sbatch --parsable -H --wrap true >inner
sbatch --parsable -H --burst-clouds=aws --wrap true >inner2
END
job=$(as alice sbatch --parsable outer.sh)
like "$(mark "$job")" "^burst:1 eligible mode=auto deadline=[0-9]+ max_cost=7000000 part=main$" "options in #SBATCH lines"
wait_for "job_is $job COMPLETED" 30
is "$(mark "$(as alice cat inner)")" "burst:1 eligible part=main" "a job inside it inherits none"
is "$(mark "$(as alice cat inner2)")" "burst:1 eligible clouds=aws part=main" "  and has its own"
deadline=$(TZ=Asia/Tokyo date -d '+2 hours' +%Y-%m-%dT%H:%M)
job=$(as alice env TZ=Asia/Tokyo sbatch --parsable -H --burst-deadline="$deadline" --wrap true)
like "$(mark "$job")" "deadline=$(TZ=Asia/Tokyo date -d "$deadline" +%s) " "a deadline is read in the user's time zone"
cancel_all

# --- Changes -----------------------------------------------------------------------------------

job -H
fails "a user cannot move a job to rented nodes" as alice scontrol update "jobid=$job" partition=aws
fails "a user cannot change AdminComment" as alice scontrol update "jobid=$job" "admincomment=burst:1 held"
fails "  nor remove it" as alice scontrol update "jobid=$job" admincomment=
ok "a user can change other things" as alice scontrol update "jobid=$job" timelimit=5 comment=x
fails "a user cannot submit with an AdminComment" as alice sbatch --admin-comment=burst:1 --wrap true
ok "SlurmUser moves it" env CWD=/ "$cluster" exec -u slurm "$DIR" scontrol update "jobid=$job" partition=aws admincomment=moved
is "$(mark "$job")" "moved" "  and writes AdminComment"
job --gpus=h100:1
ok "SlurmUser makes the hold his" "$cluster" exec -u slurm "$DIR" scontrol hold "$job"
fails "  and then the user cannot release it" as alice scontrol release "$job"
cancel_all

# --- Whatever the snapshot becomes, slurmctld lives --------------------------------------------

unpublish
pid=$(hub pgrep -x slurmctld)
hub truncate -s 50 /run/burst/snapshot
job
is "$(mark "$job")" "" "truncated snapshot: the job is left alone"
hub sh -c 'head -c 80024 /dev/urandom >/run/burst/snapshot'
job
is "$(mark "$job")" "" "garbage: the job is left alone"
hub sh -c 'rm /run/burst/snapshot; mkfifo /run/burst/snapshot'
job
is "$(mark "$job")" "" "a FIFO: the job is left alone"
hub rm /run/burst/snapshot
is "$(hub pgrep -x slurmctld)" "$pid" "slurmctld still runs"
publish
wait_for '[[ $(job -H; mark "$job") == burst:1* ]]' 5
job -H
is "$(mark "$job")" "burst:1 eligible part=main" "a new snapshot is found"
as alice sh -c 'for i in $(seq 40); do sbatch -H --parsable --gpus=h100:1 --wrap true >>many 2>/dev/null & done; wait'
is "$(as alice sh -c 'sort -u many | wc -l')" 40 "40 submissions at once"
cancel_all

# --- The hooks, with burstd down ---------------------------------------------------------------

spool=/var/lib/burst/spool
# spooled KIND FILTER: does a file of this kind make the filter true?
spooled() { hub sh -c "cat $spool/$1-*.json" 2>/dev/null | jq -se "any(.[]; $2)"; }

ok "root's job for partition aws is left to Slurm" as root sbatch --parsable -p aws --gpus=a100:2 -N2 -J op \
    --uid=alice -D /home/alice -o /dev/null --wrap hostname
job=$(as root squeue -h -n op -o %i)
is "$(mark "$job")" "" "  and not marked"
happens "burst-resume leaves its message" 20 'spooled resume ".kind == \"resume\""'
ok "  with nodes and job" spooled resume \
    ".hosts == \"aws-a100x2-[001-002]\" and .jobs == [{job_id: $job, nodes: .hosts}]"
is "$(hub stat -c '%U %a' "$spool" | head -n 1)" "slurm 700" "  in SlurmUser's own directory"
is "$(job_state "$job")" CONFIGURING "burst-prolog holds the job back while burstd is down"
ok "  and waits" hub pgrep -x burst-prolog
happens "burst-resume-fail leaves its message" 30 'spooled resume_fail ".hosts == \"aws-a100x2-[001-002]\""'
happens "burst-prolog's patience ends (PrologTimeout)" 30 '! hub pgrep -x burst-prolog'
happens "  and the job is queued again" 20 '[[ $(field "$job" JobState) == PENDING ]]'
as root scancel "$job"
happens "the job can be cancelled" 20 'job_is "$job" CANCELLED'
hub scontrol update nodename='aws-a100x2-[001-002]' state=power_down
happens "burst-suspend leaves its message" 20 'spooled suspend ".kind == \"suspend\" and .jobs == []"'
job
happens "a job on the site's own nodes does not wait for anybody" 10 'job_is "$job" COMPLETED'

done_testing
