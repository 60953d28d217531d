# SPDX-License-Identifier: GPL-3.0-or-later
# user.sh - functions that make a job's user known on the node with the ids of the controller.
# Read in after lib.sh.
#
# The files are written directly, below a lock: useradd refuses names that directories such as AD
# allow, and takes long. An account of the image that has the uid of the user is moved to another
# uid: left alone, the job would own that account's files and could use its sudo rights.
# shellcheck shell=sh
# shellcheck disable=SC1007,SC2015,SC2016,SC2034,SC2154 # see lib.sh

check_number() # WHAT VALUE
{
    case $2 in
        '' | *[!0-9]* | ???????????*) die "the $1 \"$2\" is not a number" ;;
    esac
}

# The rule of burst-stagerd, which knows the site's UID_MIN (100 at least): whom it has sent is
# taken here. Group 100 (users) is many a site's primary group; 0 is root's.
check_ids() # UID GID
{
    check_number uid "$1"
    check_number gid "$2"
    [ "$1" -ge 100 ] && [ "$1" -ne 65534 ] || die "the uid $1 belongs to the system, not to a user"
    [ "$2" -ne 0 ] || die "the gid 0 is the group of root, not of a user"
}

check_name() # WHAT VALUE
{
    case $2 in
        '' | -* | *[!A-Za-z0-9._@+\$-]*) die "the $1 \"$2\" has characters that cannot be" ;;
    esac
}

# field FILE KEY-INDEX VALUE RESULT-INDEX
field()
{
    awk -F: -v k="$2" -v v="$3" -v r="$4" '$k == v { print $r; exit }' "/etc/$1"
}

free_id() # FILE: an id between 59000 and 59999 that nobody has
{
    awk -F: '{ used[$3] = 1 } END { for (i = 59000; i < 60000; i++) if (!(i in used)) { print i; exit } }' "/etc/$1"
}

rewrite() # FILE AWK-PROGRAM with the variables n (name) and v
{
    awk -F: -v OFS=: -v n="$3" -v v="$4" "$2" "/etc/$1" >"$base/$1.new" &&
        cat "$base/$1.new" >"/etc/$1" || die "cannot write /etc/$1 on the node"
}

move_account() # NAME: an account of the image gets another uid
{
    [ "$uid" -ge 1000 ] || die "the node's image has a system account $1 with the uid $uid of user" \
        "$name: give it another one in the image, or this user's jobs cannot run there"
    new=$(free_id passwd)
    its_home=$(field passwd 1 "$1" 6)
    rewrite passwd '$1 == n { $3 = v } { print }' "$1" "$new"
    case $its_home in
        /home/?*) chown -R --from="$uid" "$new" "$its_home" 2>/dev/null ;;
    esac
}

# What belonged to a group of the image keeps its group, under the new number: a user who has the old
# one must not find himself in a group that may read /etc/shadow or a disk.
regroup() # OLD NEW
{
    find /etc /usr /var /opt /dev /run -xdev -gid "$1" -exec chgrp -h "$2" {} + 2>/dev/null
}

# ensure_group GID NAME: what counts is the number. A group of the image that has it gets another
# one; a name that the image uses for another number is replaced by burst-GID.
ensure_group()
{
    have=$(getent group "$1")
    case ${have%%:*} in
        "$2" | "burst-$1") return ;;
    esac
    if [ -n "$(field group 3 "$1" 1)" ]; then
        new=$(free_id group)
        rewrite group '$1 == n { $3 = v } { print }' "${have%%:*}" "$new"
        rewrite passwd '$4 == n { $4 = v } { print }' "$1" "$new"
        [ "$1" -ge 1000 ] || regroup "$1" "$new"
    elif [ -n "$have" ]; then
        return # known through another service than /etc/group
    fi
    if getent group "$2" >/dev/null; then
        echo "burst-$1:x:$1:" >>/etc/group
    else
        echo "$2:x:$1:" >>/etc/group
    fi
}

# ensure_user NAME UID GID HOME, lines "GID NAME" in $groups; sets name, uid, gid, home
ensure_user()
{
    exec 9>"$base/user.lock" && flock 9 || die "cannot lock the node's accounts"
    name=$1 uid=$2 gid=$3 home=$4
    check_name user "$name"
    check_ids "$uid" "$gid"
    entry=$(getent passwd "$name")
    if [ -n "$entry" ]; then
        have=${entry#*:*:}
        [ "${have%%:*}" = "$uid" ] ||
            die "the node's image has an account $name of its own (uid ${have%%:*}, the cluster's is" \
                "$uid): rename it in the image, or this user's jobs cannot run there"
    else
        other=$(field passwd 3 "$uid" 1)
        [ -z "$other" ] || move_account "$other"
    fi
    while IFS= read -r line; do
        [ -n "$line" ] || continue
        check_name group "${line#* }"
        case ${line%% *} in
            '' | *[!0-9]*) die "the gid \"${line%% *}\" is not a number" ;;
        esac
        # A group of the system (sudo, docker, disk ...) means other rights here than at home.
        [ "${line%% *}" -ge 1000 ] || [ "${line%% *}" = "$gid" ] || continue
        ensure_group "${line%% *}" "${line#* }"
        members=$(field group 3 "${line%% *}" 4)
        case ,$members, in
            *,"$name",*) ;;
            *)
                rewrite group '$3 == n { $4 = ($4 == "" ? v : $4 "," v) } { print }' \
                    "${line%% *}" "$name"
                ;;
        esac
    done <<END
$groups
END
    getent group "$gid" >/dev/null || ensure_group "$gid" "$name"
    if [ -z "$entry" ]; then
        shell=/bin/sh
        [ -x /bin/bash ] && shell=/bin/bash
        printf '%s\n' "$name:x:$uid:$gid:$name:$home:$shell" >>/etc/passwd
        [ -w /etc/shadow ] && printf '%s\n' "$name:*:19000:0:99999:7:::" >>/etc/shadow
    fi
    if [ ! -d "$home" ]; then
        make_dir "$home" own
        chmod 700 "$home"
    fi
    # Start-up files in a home directory of somebody else's would run with this user's rights.
    has=$(stat -L -c %u "$home")
    [ "$has" = "$uid" ] ||
        die "the home directory $home of user $name belongs to uid $has on the node"
    exec 9>&-
}

# as_user COMMAND...: as the job's user, with no way back
as_user()
{
    ( # not from our directory, which the user cannot see
        cd / && exec setpriv --reuid "$uid" --regid "$gid" --init-groups --no-new-privs -- \
            env -i LC_ALL=C PATH="$PATH" HOME="$home" "$@"
    )
}

# make_dir DIR own|shared|new: a directory that is missing. The user makes it himself where he may
# write. Elsewhere root makes it and the missing ones above it, but only below directories that are
# root's alone: in a place of the user's, a link of his could lead root astray. The last one becomes
# the user's when it is his at home (own), is a place like /tmp when it is not (shared), and is not
# made at all when he was to make it (new).
make_dir()
{
    [ ! -d "$1" ] || return 0
    (umask 022 && as_user mkdir -p "$1" 2>/dev/null) && return
    [ "$2" != new ] || die "cannot make $1 on the node: the user may not write there"
    above=$1
    while [ ! -e "$above" ] && [ ! -L "$above" ]; do
        above=${above%/*}
        [ -n "$above" ] || above=/
    done
    [ "$(readlink -f "$above")" = "$above" ] || die "cannot make $1 on the node: $above is a link"
    part=$above
    while :; do
        set -- "$1" "$2" "$(stat -c '%u %A' "$part")"
        case $3 in
            "0 d"????-??-?*) ;;
            *) die "cannot make $1 on the node: the user may not write to $part" ;;
        esac
        [ "$part" != / ] || break
        part=${part%/*}
        [ -n "$part" ] || part=/
    done
    (umask 022 && mkdir -p "$1") || die "cannot make $1 on the node"
    if [ "$2" = own ]; then
        chown "$uid:$gid" "$1" || die "cannot make $1 on the node"
    else
        chmod 1777 "$1"
    fi
}

# make_place DIR KIND: as burst-stagerd saw it at home
make_place()
{
    make_dir "$1" "$2"
}
