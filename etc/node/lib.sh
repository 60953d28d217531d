# SPDX-License-Identifier: GPL-3.0-or-later
# lib.sh - what the node's scripts share. POSIX sh; read in with ". ./lib.sh".
#
# Every script reads its parameters as lines "KEY VALUE" from standard input up to a line "end"
# (never from a command line: the parameters come from jobs and users). What a script says on
# standard error ends up in the message of the operation on the controller. Exit status: 0 done,
# 28 no space left, 1 anything else.
# shellcheck shell=sh
# shellcheck disable=SC1007,SC2015,SC2034,SC2154 # a= is an empty value; "a && b || die" is meant;
#   variables are set and used across these files

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
umask 022
base=/run/burst-node       # scripts, agent: root only
stage_base=/run/burst-stage # markers, which the users' find must be able to stat

die()
{
    echo "$*" >&2
    exit 1
}

need() # PROGRAM...
{
    for program; do
        command -v "$program" >/dev/null ||
            die "the node has no program \"$program\": use an image that has it (slurmd, munge," \
                "curl, GNU tar, GNU find and util-linux are needed)"
    done
}

# write_file FILE MODE OWNER <content: whole or not at all
write_file()
{
    cat >"$1.burst-new" && chown "$3" "$1.burst-new" && chmod "$2" "$1.burst-new" &&
        mv -f "$1.burst-new" "$1" || die "cannot write $1 on the node"
}

# add_hosts <lines "ADDRESS NAME..." : keeps them in a block of /etc/hosts of our own, each name
# once, the last line wins. The file is rewritten in place: it may be a mount.
add_hosts()
{
    cat >"$base/hosts.new"
    awk -v block="$base/hosts.new" '
        BEGIN {
            while ((getline line < block) > 0) { n++; fresh[n] = line
                m = split(line, f, " "); for (i = 2; i <= m; i++) last[f[i]] = n }
        }
        /^# burst begin/ { inside = 1; next }
        /^# burst end/ { inside = 0; next }
        inside { # what an earlier call added stays, unless named anew
            m = split($0, f, " "); out = f[1]; left = 0
            for (i = 2; i <= m; i++) if (!(f[i] in last)) { out = out " " f[i]; left = 1 }
            if (left) kept[++k] = out
            next
        }
        { print }
        END {
            print "# burst begin (written by slurm-burst)"
            for (i = 1; i <= k; i++) print kept[i]
            for (i = 1; i <= n; i++) {
                m = split(fresh[i], f, " "); out = f[1]; left = 0
                for (j = 2; j <= m; j++) if (last[f[j]] == i) { out = out " " f[j]; left = 1 }
                if (left) print out
            }
            print "# burst end"
        }' /etc/hosts >"$base/hosts.full" && cat "$base/hosts.full" >/etc/hosts ||
        die "cannot write /etc/hosts on the node"
}

# The address under which the controller reached us; behind a NAT that is the node's inner one.
own_address()
{
    # SSH_CONNECTION: client address, client port, server address, server port
    # shellcheck disable=SC2086
    set -- ${SSH_CONNECTION:-}
    echo "${3:-127.0.1.1}"
}

# Where Slurm's configuration lies here: as prepare was told
conf_dir=/etc/slurm
[ -r "$base/conf_dir" ] && read -r conf_dir <"$base/conf_dir"

# conf_get KEY DEFAULT: a value of slurm.conf or a file that it includes
conf_get()
{
    value=$(sed -n "s/^[[:space:]]*$1[[:space:]]*=[[:space:]]*\([^[:space:]#]*\).*/\1/Ip" \
        "$conf_dir"/*.conf 2>/dev/null | tail -n 1)
    echo "${value:-$2}"
}

alive() # PIDFILE [NAME]: prints the pid if that process lives (and its program is NAME)
{
    pid=
    read -r pid 2>/dev/null <"$1"
    case $pid in
        '' | *[!0-9]*) return 1 ;;
    esac
    [ -d "/proc/$pid" ] || return 1
    if [ -n "${2:-}" ]; then
        read -r comm 2>/dev/null <"/proc/$pid/comm" && [ "$comm" = "$2" ] || return 1
    fi
    echo "$pid"
}

# stop_pid PID: TERM, KILL after two seconds; returns when it has gone
stop_pid()
{
    kill "$1" 2>/dev/null
    n=0
    while [ -d "/proc/$1" ] && ! grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null; do
        n=$((n + 1))
        [ $n -eq 100 ] && kill -KILL "$1" 2>/dev/null
        [ $n -ge 200 ] && die "process $1 on the node does not end"
        sleep 0.02
    done
}

# A step of Slurm's runs here (of JOB): a process of root's own whose program is slurmstepd and which
# names itself "slurmstepd: [JOB.STEP]". Users' processes can take that name too, and hide in
# /proc/PID/stat who they are; the real uid in status and the program are the kernel's words.
step_runs() # [JOB]
{
    for stepd in /proc/[0-9]*; do
        read -r title 2>/dev/null <"$stepd/cmdline"
        case $title in
            "slurmstepd: [${1:+$1.}"*) ;;
            *) continue ;;
        esac
        case $(readlink "$stepd/exe" 2>/dev/null) in
            */slurmstepd | */slurmstepd' (deleted)') ;;
            *) continue ;;
        esac
        grep -q '^Uid:[[:space:]]*0[[:space:]]' "$stepd/status" 2>/dev/null && return 0
    done
    return 1
}

# detach OUTFILE COMMAND...: a process of its own that outlives this SSH connection
detach()
{
    out=$1
    shift
    setsid "$@" </dev/null >"$out" 2>&1 &
}

start_agent()
{
    [ -r "$base/agent.conf" ] || return 0
    alive "$base/agent.pid" sh >/dev/null && return 0
    detach "$base/agent.log" sh "$base/agent.sh"
    echo $! >"$base/agent.pid"
}

# A real machine is asked in its own way. A "machine" that is a namespace ends with its first
# process; the system call must not be used there, nor a poweroff program that would use it.
power_off()
{
    sync
    if [ -d /run/systemd/system ]; then
        systemctl --no-block poweroff
        return
    fi
    read -r first </proc/1/comm
    case $first in
        init | busybox | openrc-init | runit | s6-svscan) poweroff ;;
        *) kill -TERM 1 ;;
    esac
}
