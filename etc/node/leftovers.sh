# SPDX-License-Identifier: GPL-3.0-or-later
# leftovers.sh - functions that take away what the user's earlier jobs have left on this node, so that
# the next one finds in its places what a fresh node would have: the image's files and those of home;
# and that nothing of theirs runs there any more.
# Read in after user.sh.
#
# Nothing but the user's own files, as the user, and only what came after the node's first job could
# come (by ctime, which nobody can set): what an image holds ready stays. Only on file systems of the
# node itself: what is mounted from elsewhere may be the site's only copy.
# shellcheck shell=sh
# shellcheck disable=SC1007,SC2013,SC2034,SC2154 # see lib.sh

# uid_runs: a process of the user's lives; one that is dead and waits for its parent does not count
uid_runs()
{
    for status in $(grep -lE "^Uid:[[:space:]]+${uid}[[:space:]]" /proc/[0-9]*/status 2>/dev/null); do
        grep -q '^State:[[:space:]]*[^ZX]' "$status" 2>/dev/null && return 0
    done
    return 1
}

# end_processes: those of the user that have outlived his jobs (Slurm does not find all that leave
# their session). They would write into the places of the next job and hold memory and GPUs. One
# signal for all of them: who forks in this moment does not escape.
end_processes()
{
    n=0
    while uid_runs && [ $n -lt 100 ]; do
        as_user sh -c 'kill -s KILL -- -1' 2>/dev/null
        n=$((n + 1))
        sleep 0.02
    done
    return 0
}

own_disk() # DIR
{
    case $(as_user stat -f -c %T "$1" 2>/dev/null) in
        ext2/ext3 | xfs | btrfs | tmpfs | ramfs | overlayfs | zfs | f2fs | jfs | reiserfs | bcachefs) ;;
        *) return 1 ;;
    esac
}

# left_in DIR EXPRESSION...: find below DIR, for the user's own newer files
left_in()
{
    place=$1
    shift
    set -- -user "$uid" -cnewer "$stage_base/.born" "$@"
    # What begins with a dot in the home directory is not staged (burst-stagerd(8)) and stays.
    case $place/ in
        "$home"/.*) ;;
        *) set -- -path "$home/.*" -prune -o "$@" ;;
    esac
    as_user find "$place" -xdev -mindepth 1 "$@"
}

# remove_leftovers DIR: a place of the job that is coming
remove_leftovers()
{
    [ -e "$stage_base/.born" ] || return 0
    # A link in the place's stead, whatever it leads to
    as_user find "$1" -maxdepth 0 -type l -user "$uid" -cnewer "$stage_base/.born" -delete 2>/dev/null
    as_user test -d "$1" && own_disk "$1" || return 0
    left_in "$1" -type d ! -perm -0700 -exec chmod u+rwx '{}' ';' 2>/dev/null
    left_in "$1" ! -type d -exec rm -f -- '{}' + 2>/dev/null
    # Upwards; one that holds something of the image's stays.
    left_in "$1" -type d -print0 2>/dev/null | sort -rz | as_user xargs -0 -r rmdir -- 2>/dev/null
    return 0
}
