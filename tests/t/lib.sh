# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# lib.sh - for end-to-end tests: a real cluster, waiting for events, assertions that print TAP
#
#     . "$(dirname "$0")/lib.sh"
#     start_cluster --with-burst          # torn down when the script ends, however it ends
#     job=$(as alice sbatch --parsable ~alice/job.sh)
#     wait_for "job_state $job == COMPLETED" 30
#     is "$(job_state "$job")" COMPLETED "the job ran"
#     done_testing
#
# Environment: BURST_BUILD (build directory for --with-burst), BURST_TEST_CLUSTER (directory of a
# running cluster to use instead of an own one; it is left running), BURST_TEST_KEEP=1 (keep the
# state directory). A failed test prints the tails of the cluster's logs.

set -u -o pipefail

topdir=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")/../..")
cluster=$topdir/scripts/cluster
DIR=''          # state directory of the cluster
tests_run=0
tests_failed=0
declare -a own_clusters=()

# --- TAP -------------------------------------------------------------------------------------

diag()
{
    local text=$*
    echo "# ${text//$'\n'/$'\n'# }"
}

# report STATUS NAME [DETAIL]: one TAP line
report()
{
    local status=$1 name=$2
    ((++tests_run))
    if ((status == 0)); then
        echo "ok $tests_run - $name"
    else
        ((++tests_failed))
        echo "not ok $tests_run - $name"
        [[ -z ${3-} ]] || diag "$3"
    fi
    return "$status"
}

# is GOT WANTED NAME
is()
{
    [[ $1 == "$2" ]]
    report $? "$3" "got:    '$1'
wanted: '$2'"
}

# isnt GOT UNWANTED NAME
isnt()
{
    [[ $1 != "$2" ]]
    report $? "$3" "got what must not be: '$1'"
}

# like GOT REGEX NAME (extended regular expression)
like()
{
    [[ $1 =~ $2 ]]
    report $? "$3" "got:               '$1'
does not match:    '$2'"
}

unlike()
{
    [[ ! $1 =~ $2 ]]
    report $? "$3" "got:               '$1'
must not match:    '$2'"
}

# ok NAME COMMAND...: the command succeeds
ok()
{
    local name=$1 output status
    shift
    output=$("$@" 2>&1)
    status=$?
    report $((status != 0)) "$name" "exit status $status of: $*
$output"
}

# fails NAME COMMAND...: the command ends with a status that is not 0
fails()
{
    local name=$1 output status
    shift
    output=$("$@" 2>&1)
    status=$?
    report $((status == 0)) "$name" "succeeded: $*
$output"
}

# happens NAME SECONDS CONDITION: wait_for as an assertion
happens()
{
    wait_for "$3" "$2"
    report $? "$1" "not within $2 s: $3"
}

pass() { report 0 "$1"; }
fail() { report 1 "$1" "${2-}"; }

# skip NAME REASON
skip()
{
    ((++tests_run))
    echo "ok $tests_run - $1 # SKIP $2"
}

skip_all()
{
    echo "1..0 # SKIP $1"
    exit 0
}

bail_out()
{
    echo "Bail out! $1"
    ((++tests_failed))
    exit 1
}

done_testing()
{
    local dir
    for dir in ${own_clusters[@]+"${own_clusters[@]}"}; do
        [[ -e $dir/log/burst ]] || continue
        stop_daemons "$dir"
        is "$(sanitizer_reports "$dir")" "" "no sanitizer has complained, also not of leaks"
    done
    echo "1..$tests_run"
    finished=1
    exit $((tests_failed != 0))
}

# --- Waiting ---------------------------------------------------------------------------------

# wait_for CONDITION SECONDS: evaluates the condition (shell text) until it is true. Status 1 when
# it never was; says so on the way, because what follows then fails.
wait_for()
{
    local condition=$1 end=$((SECONDS + $2))
    until eval "$condition" >/dev/null 2>&1; do
        if ((SECONDS >= end)); then
            diag "waited $2 s in vain for: $condition"
            return 1
        fi
        sleep 0.1
    done
}

# seconds_since EPOCHREALTIME: with three decimals
seconds_since()
{
    local now=$EPOCHREALTIME
    local us=$((${now/./} - ${1/./}))
    printf '%d.%03d\n' $((us / 1000000)) $((us % 1000000 / 1000))
}

# --- The cluster -----------------------------------------------------------------------------

# start_cluster [OPTION]...: sets DIR. Options go to `scripts/cluster start`.
start_cluster()
{
    if [[ -n ${BURST_TEST_CLUSTER-} ]]; then
        DIR=$BURST_TEST_CLUSTER
        return
    fi
    ((EUID == 0)) || skip_all "needs root for the throw-away cluster"
    local args=("$@") arg
    for arg in "$@"; do
        [[ $arg != --with-burst ]] ||
            args+=(--build "${BURST_BUILD:?BURST_BUILD names the build directory}")
    done
    new_dir DIR
    "$cluster" start "${args[@]}" "$DIR" >"$DIR.start" 2>&1 || {
        diag "$(cat "$DIR.start")"
        bail_out "the cluster does not start"
    }
    rm -f "$DIR.start"
}

# new_dir NAME: makes a state directory for a cluster that is stopped and removed at the end
new_dir()
{
    local made
    made=$(mktemp -d "${TMPDIR:-/tmp}/burst-test.XXXXXX") || bail_out "no temporary directory"
    own_clusters+=("$made")
    printf -v "$1" %s "$made"
}

# as USER COMMAND...: inside the cluster, in the user's home
as()
{
    local user=$1
    shift
    # shellcheck disable=SC2016
    "$cluster" exec -u "$user" "$DIR" sh -c 'cd 2>/dev/null; exec "$@"' sh "$@"
}

hub() { as root "$@"; }
slurm() { as slurm "$@"; }

# on NODE COMMAND...: as root on node1 or node2
on()
{
    local node=$1
    shift
    "$cluster" exec -u root -n "$node" "$DIR" "$@"
}

# put USER PATH [MODE]: writes standard input to a file in the cluster as the user
put()
{
    # shellcheck disable=SC2016
    as "$1" sh -c 'cat >"$1" && chmod "$2" "$1"' sh "$2" "${3:-755}"
}

# job_state JOB: what squeue says, after the end what sacct says (CANCELLED without "by UID")
job_state()
{
    local state
    state=$(as root squeue -h -j "$1" -o %T 2>/dev/null | sort -u | paste -sd,)
    [[ -n $state ]] || state=$(as root sacct -X -n -P -j "$1" -o state | awk '{print $1}' |
        sort -u | paste -sd,)
    echo "$state"
}

# job_is JOB STATE...: for wait_for
job_is()
{
    local job=$1 state
    state=$(job_state "$job")
    shift
    [[ " $* " == *" $state "* ]]
}

# wait_job JOB SECONDS: until accounting knows the job's end. The record of a short job has no
# partition for up to 5 s after its end (slurmctld then sends the start once more), so wait for that.
wait_job()
{
    wait_for "job_ended $1" "$2"
}

job_ended()
{
    local state partition
    IFS='|' read -r state partition < <(acct "$1" state,partition)
    [[ $partition && $state =~ ^(COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL|OUT_OF_ME) ]] &&
        ! as root squeue -h -j "$1" 2>/dev/null | grep -q .
}

# acct JOB FIELD [SACCT-OPTION]...: fields of the job's record, with -D of all attempts
acct()
{
    local job=$1 fields=$2
    shift 2
    as root sacct -X -n -P "$@" -j "$job" -o "$fields"
}

node_state() { as root sinfo -h -N -n "$1" -o %T | sort -u; }

# --- The parts of slurm-burst in a cluster started --with-burst --------------------------------

# localcloud METHOD CLOUD[/PATH] [BODY]: the rented side, as its operator
localcloud()
{
    # shellcheck disable=SC2016
    hub sh -c 'curl -sS --fail-with-body -X "$1" -H "Authorization: Bearer $(cat /etc/burst/admin.token)" \
        ${3:+--data-binary "$3"} "http://127.0.0.1:8700/v1/$2"' sh "$1" "$2" "${3-}"
}

# faults CLOUD [JSON-LIST]: sets the cloud's faults; without a list there are none
faults() { localcloud PUT "$1/faults" "${2:-[]}" >/dev/null; }

# instances CLOUD [JQ-CONDITION]: ids of the instances that exist (terminated ones do not)
instances()
{
    localcloud GET "$1/instances" |
        jq -r ".instances[] | select(.state != \"terminated\") | select(${2:-true}) | .id"
}

# all_instances: of every cloud, as CLOUD/ID
all_instances()
{
    local cloud id
    for cloud in $(hub jq -r '.clouds[].name' /etc/burst/localcloud.json); do
        for id in $(instances "$cloud"); do echo "$cloud/$id"; done
    done
}

# kill_daemon SIGNAL NAME (burstd, burst-stagerd, burst-localcloud) and wait until it is gone
kill_daemon()
{
    hub pkill "-$1" -x "${2:0:15}"
    wait_for "! hub pgrep -x ${2:0:15}" 20
}

# start_burstd: until the plugin knows all that it needs
start_burstd()
{
    hub /run/cluster/start-burstd &&
        wait_for '[[ $(slurm burst status --json | jq .slurm.published) == true ]]' 20
}

restart_slurmctld()
{
    # shellcheck disable=SC2016
    hub sh -c 'pid=$(pgrep -x slurmctld) && kill $pid && while kill -0 $pid 2>/dev/null; do
        sleep 0.05; done; slurmctld && until scontrol ping >/dev/null 2>&1; do sleep 0.05; done'
}

# fill_local: takes both local nodes, so that jobs that can go elsewhere do. Prints the job's number.
fill_local()
{
    local job
    job=$(as alice sbatch --parsable --burst=never -N2 --exclusive --gpus-per-node=2 -t 2:00:00 \
        -o /dev/null --wrap 'sleep infinity')
    wait_for "job_is $job RUNNING" 20 || bail_out "the local nodes cannot be filled"
    echo "$job"
}

# of_job JOB FIELD: what burstd knows of the job (fields of JOB in docs/design/internals.md)
of_job()
{
    slurm burst jobs --json --all | jq -r --arg job "$1" ".[] | select(.job == \$job) | .$2"
}

# burst_job JOB SECONDS: until the job is over, its results are home and its cost is in its record
burst_job()
{
    wait_for "[[ \$(of_job $1 state) == done ]]" "$2" && wait_job "$1" 10 &&
        wait_for "[[ \$(acct $1 admincomment) == *\\\$* ]]" 15
}

# tried JOB: the places that were tried for it, as "gcp:capacity aws:ok"
tried() { slurm burst why --json "$1" | jq -r '[.attempts[] | "\(.cloud):\(.result)"] | join(" ")'; }

# story JOB: what happened to it, in burstd's words
story() { slurm burst why --json "$1" | jq -r '.events[].text'; }

# runs JOB: all attempts in accounting, as "gcp:NODE_FAIL aws:COMPLETED"
runs()
{
    as root sacct -D -X -n -P -j "$1" -o partition,state |
        sed 's/ by .*//; s/|/:/' | paste -sd' '
}

# rented JOB: all instances that were ever rented for it, as CLOUD/ID
rented()
{
    local cloud
    for cloud in $(hub jq -r '.clouds[].name' /etc/burst/localcloud.json); do
        localcloud GET "$cloud/instances" | jq -r --arg job "$1" --arg cloud "$cloud" \
            '.instances[] | select(.tags["burst-job"] == $job) | "\($cloud)/\(.id)"'
    done
}

# on_nodes COMMAND...: as root on every rented instance, through its sshd's namespaces
on_nodes()
{
    # shellcheck disable=SC2016
    hub sh -c 'for pid in $(pgrep -x sshd); do nsenter -t $pid -m -- "$@" 2>/dev/null; done
        true' sh "$@"
}

# all_faults [JSON-LIST]: for every cloud
all_faults()
{
    local cloud
    for cloud in $(hub jq -r '.clouds[].name' /etc/burst/localcloud.json); do
        faults "$cloud" "${1:-[]}"
    done
}

# bills_agree: as two assertions: nothing is rented any more, and the ledger says of every cloud
# exactly what that cloud billed (micro-dollars)
bills_agree()
{
    local cloud
    happens "no instance is left at any cloud" 90 "[[ -z \$(all_instances) ]]"
    # until burstd knows that, an instance costs by its own clock
    wait_for '[[ $(slurm burst nodes --json) == "[]" ]]' 30
    for cloud in $(hub jq -r '.clouds[].name' /etc/burst/localcloud.json); do
        wait_for "[[ \$(spent $cloud) == \$(billed $cloud) ]]" 15
        is "$(spent "$cloud")" "$(billed "$cloud")" "$cloud: the ledger says what the cloud billed" ||
            diag "$(localcloud GET "$cloud/bill" | jq -c '.rows[] | [.id, .seconds, .usd_micro]')
$(slurm burst nodes --all --json | jq -c ".[] | select(.cloud == \"$cloud\") |
                [.cloud_id, .launched, .ended, .cost_uusd]")"
    done
}

# launches_explained [MORE WHY]: as an assertion, at a test's end: what was ever launched at the
# clouds is not more than the nodes on which jobs started, two for each cause that burstd has
# recorded (class and cloud), one for each node that the cloud or an operator took or that a job did
# not need any more when it was cancelled, and MORE (say WHY).
launches_explained()
{
    local cloud launches=0 starts cancelled causes single most partitions
    partitions=$(hub jq -r '[.clouds[].name] | join(",")' /etc/burst/localcloud.json)
    for cloud in ${partitions//,/ }; do
        launches=$((launches + $(localcloud GET "$cloud/instances" | jq '.instances | length')))
    done
    starts=$(as root sacct -a -D -X -n -P -S now-1days -r "$partitions" -o nodelist,nnodes |
        awk -F'|' '$1 !~ /^None/ && $1 != "" {n += $2} END {print n + 0}')
    cancelled=$(as root sacct -a -D -X -n -P -S now-1days -o state,nnodes |
        awk -F'|' '/^CANCELLED/ {n += $2} END {print n + 0}')
    causes=$(slurm burst nodes --all --json | jq '[.[] | select(.failure) |
        select(.failure | IN("lost", "reclaimed", "drained", "transient") | not) |
        "\(.failure) \(.cloud)"] | unique | length')
    single=$(slurm burst nodes --all --json |
        jq '[.[] | select(.failure | IN("lost", "reclaimed", "drained", "transient"))] | length')
    most=$((starts + 2 * causes + single + cancelled + ${1-0}))
    report $((launches > most)) "no more was launched than what started and two per cause${2:+ ($2)}" \
        "$launches were launched; $starts started, $causes causes, $single were taken, $cancelled of jobs that were cancelled"
}

# What was planned for moving data is no part of a local cloud's bill.
spent()
{
    slurm burst cost --json |
        jq "[.rows[] | select(.key == \"$1\") | .total_uusd - .transfer_uusd] | add // 0"
}
billed() { localcloud GET "$1/bill" | jq .total_usd_micro; }

# sanitizer_reports: what a sanitized build has complained about
sanitizer_reports()
{
    grep -rhE 'runtime error:|(Address|Leak|UndefinedBehavior)Sanitizer' "$1/log" 2>/dev/null |
        head -n 20
}

# stop_daemons DIR: as systemd would; only at such an end a leak is found
stop_daemons()
{
    local name DIR=$1
    for name in burstd burst-stagerd burst-localcloud; do
        ! hub pgrep -x "${name:0:15}" >/dev/null || kill_daemon TERM "$name" ||
            fail "$name ends when it is told to"
    done
}

show_logs()
{
    local file
    find "$1/log" -type f -size +0 -newer "$1/.cluster" 2>/dev/null | sort |
        while read -r file; do
            [[ $file != */mysql/* && $file != */munged.log && $file != */sacctmgr.log ]] || continue
            echo "# --- $file"
            # Debian's slurmd complains about PMIx at every start
            grep -vE 'pmi|MPI: |plugin name for mpi' "$file" |
                tail -n "${BURST_TEST_LOG_LINES:-15}" | sed 's/^/#   /'
        done
}

finished=0
cleanup()
{
    local status=$? dir
    trap '' INT TERM HUP
    ((finished)) || diag "the script ended before done_testing"
    for dir in ${own_clusters[@]+"${own_clusters[@]}"}; do
        ((tests_failed == 0 && finished)) || show_logs "$dir"
        [[ ! -e $dir/.cluster ]] || "$cluster" stop "$dir" >/dev/null
        if [[ ${BURST_TEST_KEEP-} == 1 ]] || { ((tests_failed)) && [[ -d $dir/log ]]; }; then
            diag "logs are kept in $dir/log"
        else
            rm -rf "$dir"
        fi
    done
    exit $((status ? status : !finished))
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
