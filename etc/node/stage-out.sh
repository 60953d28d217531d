# SPDX-License-Identifier: GPL-3.0-or-later
# stage-out.sh - sends what a job changed since it came (or since the last time that all of it
# arrived) as a tar stream to standard output. May run again, and while the job runs.
#
# Parameters: job ID | mark NAME (default: the job's ID) | user NAME | uid N | gid N | home DIR | path PATH | exclude PATTERN |
#   wait N (seconds for the job's last process to end) | end
# After the stream it waits for the line "ok" (all of it is on disk at home) and moves the mark.
# shellcheck shell=sh
# shellcheck disable=SC1007,SC2015,SC2034,SC2154 # see lib.sh
cd /run/burst-node || exit 1
# shellcheck source-path=SCRIPTDIR source=lib.sh
. ./lib.sh
# shellcheck source-path=SCRIPTDIR source=user.sh
. ./user.sh

job= mark= uid= gid= home= wait=0
: >"stage-out.$$.exclude" || die "no space in /run on the node"
trap 'rm -f "$base/stage-out.$$".*' EXIT
while IFS= read -r line && [ "$line" != end ]; do
    value=${line#* }
    case ${line%% *} in
        job) job=$value ;;
        mark) mark=$value ;;
        user) ;;
        uid) uid=$value ;;
        gid) gid=$value ;;
        home) home=$value ;;
        path) set -- "$@" "$value" ;;
        exclude) printf '%s\n' "$value" >>"stage-out.$$.exclude" ;;
        wait) wait=$value ;;
        *) die "stage-out: unknown parameter \"$line\"" ;;
    esac
done
[ "$line" = end ] || die "stage-out: the parameters ended early"
check_ids "$uid" "$gid"
getent passwd "$uid" >/dev/null || die "the node does not know uid $uid: no stage-in was done there"

# The job's last words
n=0
while [ $n -lt $((wait * 5)) ] && step_runs "$job"; do
    n=$((n + 1))
    sleep 0.2
done

mark=$stage_base/${mark:-$job}
touch "$mark.next" || die "cannot write the mark of job $job on the node"
# Clocks of files tick coarsely (10 ms at most). What changes after it was read must be later than
# the new mark, so that it comes again.
sleep 0.02

# ctime, not mtime: a job may well unpack files with old times.
newer() # PATH
{
    path=$1
    if [ -e "$mark" ]; then
        set -- -cnewer "$mark"
    else
        set --
    fi
    if as_user test -d "$path"; then
        while IFS= read -r pattern; do
            case $pattern in
                */*) set -- -path "$pattern" -prune -o "$@" ;;
                *) set -- -name "$pattern" -prune -o "$@" ;;
            esac
        done <"stage-out.$$.exclude"
        case $home/ in
            "$path"/*) # what begins with a dot in the home directory stays here, see burst-stagerd(8)
                set -- -path "$home/.*" -prune -o "$@"
                ;;
        esac
        set -- -mindepth 1 "$@"
    fi
    as_user find "$path" "$@" \( -type d -o -type f -o -type l \) -print0
}
for path; do
    if as_user test -e "$path" || as_user test -L "$path"; then
        newer "$path"
    fi
done 2>"stage-out.$$.find" | LC_ALL=C sort -z -u >"stage-out.$$.list" || die "no space in /tmp on the node"
# Names from a directory that the job made unreadable for itself cannot be had.
head -n 1 "stage-out.$$.find" >&2

as_user tar -c -f - --format=posix -P -S --no-recursion --null -T - \
    <"stage-out.$$.list" 2>"stage-out.$$.tar"
rc=$?

# A running job changes and removes files under tar's hands; they come with the next time.
grep -v -e 'Permission denied$' -e 'file changed as we read it$' -e 'removed before we read it$' \
    -e 'No such file or directory$' -e 'Exiting with failure status' -e 'shrank by' \
    -e 'socket ignored$' "stage-out.$$.tar" >"stage-out.$$.bad"
if [ $rc -ne 0 ] && [ -s "stage-out.$$.bad" ]; then
    head -n 3 "stage-out.$$.bad" >&2
    exit 1
fi
if grep -q 'Permission denied$' "stage-out.$$.tar"; then
    echo "$(grep -c 'Permission denied$' "stage-out.$$.tar") files that the user may not read were" \
        "left on the node: $(grep 'Permission denied$' "stage-out.$$.tar" | head -n 1)" >&2
fi
IFS= read -r line
[ "$line" = ok ] || die "stage-out: the controller did not confirm that the files arrived"
mv -f "$mark.next" "$mark"
