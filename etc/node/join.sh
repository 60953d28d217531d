# SPDX-License-Identifier: GPL-3.0-or-later
# join.sh - the instance becomes a node of the cluster: host name, slurmd, agent. May run again: a
# running slurmd of that name is left alone, one of another name is replaced.
#
# Parameters: conf_dir DIR | node_name NAME | boot 1 (report the boot time as now) or 0 |
#   again 1 (slurmctld has not heard of it: say why, and start slurmd anew) |
#   host ADDRESS NAME... (the job's other nodes) | end
# Answers: slurmd_pid PID, slurmd_said TEXT (what a slurmd that was replaced had complained of)
# shellcheck shell=sh
# shellcheck disable=SC1007,SC2015,SC2034,SC2154 # see lib.sh
cd /run/burst-node || exit 1
# shellcheck source-path=SCRIPTDIR source=lib.sh
. ./lib.sh

node= boot=1 again=0 hosts=
while IFS= read -r line && [ "$line" != end ]; do
    value=${line#* }
    case ${line%% *} in
        conf_dir) conf_dir=$value ;;
        node_name) node=$value ;;
        boot) boot=$value ;;
        again) again=$value ;;
        host)
            hosts="$hosts$value
"
            ;;
        *) die "join: unknown parameter \"$line\"" ;;
    esac
done
[ "$line" = end ] || die "join: the parameters ended early"
[ -n "$node" ] || die "join: no node name"

expand() # PATH with Slurm's %n and %h
{
    echo "$1" | sed "s/%[nh]/$node/g"
}
spool=$(expand "$(conf_get SlurmdSpoolDir /var/spool/slurmd)")
pidfile=$(expand "$(conf_get SlurmdPidFile /var/run/slurmd.pid)")
logfile=$(expand "$(conf_get SlurmdLogFile '')")

printf '%s %s\n%s' "$(own_address)" "$node" "$hosts" | add_hosts
if [ "$(uname -n)" != "$node" ]; then
    hostname "$node" 2>/dev/null || echo "$node" >/proc/sys/kernel/hostname ||
        die "cannot set the node's host name"
    echo "$node" >/etc/hostname
fi

mkdir -p "$spool" "${pidfile%/*}" ${logfile:+"${logfile%/*}"} && chmod 755 "$spool" ||
    die "cannot make slurmd's directories"

slurmd_of_node() # prints the pid
{
    found=$(alive "$pidfile") || return 1
    tr '\0' ' ' 2>/dev/null <"/proc/$found/cmdline" | grep -q "slurmd .*-N $node " || return 1
    echo "$found"
}

# An instance that had another node's name before: its slurmd must not answer any more.
for other in slurmd.node.*; do
    [ -f "$other" ] && [ "$other" != "slurmd.node.$node" ] || continue
    read -r old_pidfile <"$other"
    pid=$(alive "$old_pidfile" slurmd) && stop_pid "$pid"
    rm -f "$other"
done

complaints() # prints slurmd's last errors on one line
{
    {
        cat slurmd.out
        [ -z "$logfile" ] || tail -n 200 "$logfile"
    } 2>/dev/null | grep -i -e error: -e fatal: | grep -v -i -e mpi -e pmi | tail -n 2 |
        tr '\n' ' ' | cut -c 1-240
}

# Nothing runs under it: Slurm has not seen it yet.
if [ "$again" = 1 ] && pid=$(slurmd_of_node); then
    echo "slurmd_said $(complaints)"
    stop_pid "$pid"
fi

if ! pid=$(slurmd_of_node); then
    # A leftover pid file of an earlier life must not be taken for the new slurmd's.
    rm -f "$pidfile"
    echo "$pidfile" >"slurmd.node.$node"
    set -- -N "$node" -f "$conf_dir/slurm.conf"
    [ "$boot" = 1 ] && set -- -b "$@"
    [ -z "$logfile" ] || : >>"$logfile"
    log_size=$(wc -c 2>/dev/null <"${logfile:-/dev/null}")
    no_slurmd()
    {
        {
            cat slurmd.out
            [ -z "$logfile" ] || tail -c "+$((log_size + 1))" "$logfile"
        } | grep -i -e error: -e fatal: -e 'not found' | grep -v -i -e mpi -e pmi | tail -n 4 |
            cut -c 1-160 >slurmd.why
        echo "slurmd -N $node does not start on the node: $(cat slurmd.why)" >&2
        exit 1
    }
    if [ -d /run/systemd/system ]; then
        # Not a child of the SSH session, which systemd may end with all its processes.
        systemctl -q reset-failed burst-slurmd 2>/dev/null
        systemctl -q stop burst-slurmd 2>/dev/null
        systemd-run -q --unit=burst-slurmd -p Type=forking -p PIDFile="$pidfile" \
            -p KillMode=process -p Delegate=yes -p LimitMEMLOCK=infinity -p LimitNOFILE=131072 \
            slurmd "$@" 2>slurmd.out || no_slurmd
    else
        (
            # dash has -l; a refusal keeps the limits that we have
            # shellcheck disable=SC3045
            ulimit -l unlimited 2>/dev/null
            ulimit -n 131072 2>/dev/null
            exec setsid slurmd "$@" </dev/null >slurmd.out 2>&1
        ) || no_slurmd
    fi
    n=0
    until pid=$(slurmd_of_node); do
        n=$((n + 1))
        [ $n -lt 500 ] || no_slurmd
        sleep 0.02
    done
fi
start_agent
echo "slurmd_pid $pid"
