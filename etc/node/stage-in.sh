# SPDX-License-Identifier: GPL-3.0-or-later
# stage-in.sh - makes a job's user and places known on the node, takes away what earlier jobs left in
# them and unpacks the job's files there, as that user. May run again.
#
# Parameters: job ID | mark NAME (default: the job's ID) | user NAME | uid N | gid N | home DIR | group GID NAME | own DIR, shared DIR,
#   new DIR (see make_place in user.sh) | archive 1 (a tar stream follows the parameters) or 0 | end
# shellcheck shell=sh
# shellcheck disable=SC1007,SC2015,SC2034,SC2154 # see lib.sh
cd /run/burst-node || exit 1
# shellcheck source-path=SCRIPTDIR source=lib.sh
. ./lib.sh
# shellcheck source-path=SCRIPTDIR source=user.sh
. ./user.sh
# shellcheck source-path=SCRIPTDIR source=leftovers.sh
. ./leftovers.sh

job= mark= user= uid= gid= home= groups= archive=0
while IFS= read -r line && [ "$line" != end ]; do
    value=${line#* }
    case ${line%% *} in
        job) job=$value ;;
        mark) mark=$value ;;
        user) user=$value ;;
        uid) uid=$value ;;
        gid) gid=$value ;;
        home) home=$value ;;
        group)
            groups="$groups$value
"
            ;;
        own | shared | new) set -- "$@" "$line" ;;
        archive) archive=$value ;;
        *) die "stage-in: unknown parameter \"$line\"" ;;
    esac
done
[ "$line" = end ] || die "stage-in: the parameters ended early"

ensure_user "$user" "$uid" "$gid" "$home"
# What is at home wins, and nothing else is there. Only when a job runs here already (Slurm gave it
# an idle node by itself) its files are left alone, and what it has changed.
keep=
if step_runs; then
    keep=yes
else
    end_processes
    for line; do
        remove_leftovers "${line#* }"
    done
fi
for line; do
    make_place "${line#* }" "${line%% *}"
done
if [ "$archive" = 1 ]; then
    # GNU tar 1.35 fails on directories that exist when it keeps newer files, unless it may keep
    # links to directories, too.
    as_user tar -x -p -f - -C / --no-same-owner --delay-directory-restore \
        ${keep:+--keep-newer-files --keep-directory-symlink --warning=no-ignore-newer} \
        --warning=no-unknown-keyword 2>"$base/stage-in.$job.err"
    rc=$?
    if [ $rc -ne 0 ]; then
        head -n 3 "$base/stage-in.$job.err" >&2
        grep -q -e 'No space left' -e 'quota exceeded' "$base/stage-in.$job.err" && exit 28
        exit 1
    fi
    rm -f "$base/stage-in.$job.err"
fi
# What changes from now on is the job's result. Beside a running job a mark that is there stays: it
# may be that job's, and what it changed before is not home yet.
mark=$stage_base/${mark:-$job}
if [ -z "$keep" ] || [ ! -e "$mark" ]; then
    touch "$mark" || die "cannot write the mark of job $job"
fi
