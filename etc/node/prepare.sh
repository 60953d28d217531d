# SPDX-License-Identifier: GPL-3.0-or-later
# prepare.sh - makes a fresh instance ready to take a node's name: names, SlurmUser, munge key,
# Slurm's configuration, munged, agent. Runs as root in the directory into which the controller
# has unpacked it; may run again at any time.
#
# Parameters: conf_dir DIR (Slurm's on this node) | slurm_user NAME UID GID | host ADDRESS NAME... |
#   instance ID, controller HOST:PORT, metadata FORM, deadman_s N, deadman_max_s N (agent; controller "-":
#   none) | end
# Answers: slurmd_version VERSION
# shellcheck shell=sh
# shellcheck disable=SC1007,SC2015,SC2034,SC2154 # see lib.sh
# shellcheck source-path=SCRIPTDIR source=lib.sh
. ./lib.sh

slurm_user= hosts=
instance=- controller=- metadata=none deadman_s=0 deadman_max_s=691200
while IFS= read -r line && [ "$line" != end ]; do
    value=${line#* }
    case ${line%% *} in
        conf_dir) conf_dir=$value ;;
        slurm_user) slurm_user=$value ;;
        host)
            hosts="$hosts$value
"
            ;;
        instance) instance=$value ;;
        controller) controller=$value ;;
        metadata) metadata=$value ;;
        deadman_s) deadman_s=$value ;;
        deadman_max_s) deadman_max_s=$value ;;
        *) die "prepare: unknown parameter \"$line\"" ;;
    esac
done
[ "$line" = end ] || die "prepare: the parameters ended early"
[ "$(id -u)" = 0 ] || die "prepare: not root on the node, and sudo did not make us so"
need munged munge slurmd tar find setpriv setsid awk sed
[ "$controller" = - ] || need curl

# munged and slurmd look up the host's own name when they start; with no answer from a name server
# that takes tens of seconds.
printf '%s %s\n%s' "$(own_address)" "$(uname -n)" "$hosts" | add_hosts

# slurmd obeys the uid that SlurmUser has on the controller: it must be the same number here.
same_slurm_user()
{
    name=$1 uid=$2 gid=$3
    entry=$(getent passwd "$name")
    if [ -n "$entry" ]; then
        have=${entry#*:*:}
        [ "${have%%:*}" = "$uid" ] && return
        sed -i "s/^\($name:[^:]*\):[0-9]*:[0-9]*:/\1:$uid:$gid:/" /etc/passwd
    else
        getent group "$gid" >/dev/null || echo "$name:x:$gid:" >>/etc/group
        echo "$name:x:$uid:$gid:Slurm:/nonexistent:/usr/sbin/nologin" >>/etc/passwd
    fi
    entry=$(getent passwd "$name")
    have=${entry#*:*:}
    [ "${have%%:*}" = "$uid" ] || die "cannot give SlurmUser $name the uid $uid on the node"
}
# shellcheck disable=SC2086
[ -z "$slurm_user" ] || same_slurm_user $slurm_user

getent passwd munge >/dev/null || die "the node has no user munge: use an image with munge installed"
mkdir -p /etc/munge /var/lib/munge /var/log/munge /run/munge "$conf_dir" "$stage_base" &&
    chown munge: /etc/munge /var/lib/munge /var/log/munge /run/munge &&
    chmod 700 /etc/munge /var/log/munge && chmod 711 /var/lib/munge "$stage_base" &&
    chmod 755 /run/munge "$conf_dir" || die "cannot make the directories of munge and Slurm"
# What is newer came with a job (leftovers.sh).
[ -e "$stage_base/.born" ] || : >"$stage_base/.born" ||
    die "cannot write to $stage_base on the node"

systemd=
[ -d /run/systemd/system ] && systemd=yes

# An image's own slurmd would register under a wrong name.
if [ -n "$systemd" ] && systemctl -q is-active slurmd 2>/dev/null; then
    systemctl -q disable --now slurmd
fi

echo "$conf_dir" >conf_dir
for file in slurm/*; do
    [ -f "$file" ] || continue
    mode=$(stat -c %a "$file") # that of home: not everybody may read every site's slurm.conf
    cmp -s "$file" "$conf_dir/${file#slurm/}" &&
        [ "$(stat -c %a "$conf_dir/${file#slurm/}")" = "$mode" ] ||
        write_file "$conf_dir/${file#slurm/}" "$mode" root:root <"$file"
done

new_key=
if ! cmp -s munge.key /etc/munge/munge.key; then
    new_key=yes
    write_file /etc/munge/munge.key 400 munge: <munge.key
fi
rm -f munge.key params
if [ -n "$new_key" ] || ! munge -n >/dev/null 2>&1; then
    if [ -n "$systemd" ] && systemctl -q cat munge >/dev/null 2>&1; then
        systemctl restart munge || die "systemctl restart munge failed on the node"
    else
        pid=$(alive /run/munge/munged.pid munged) && stop_pid "$pid"
        setpriv --reuid munge --regid munge --clear-groups munged --force >munged.out 2>&1 ||
            die "munged does not start on the node: $(tail -n 1 munged.out)"
    fi
    munge -n >/dev/null 2>munged.out ||
        die "munged runs on the node but does not answer: $(tail -n 1 munged.out)"
fi

if [ "$controller" != - ]; then
    new="$instance $controller $metadata $deadman_s $deadman_max_s"
    old=
    read -r old 2>/dev/null <agent.conf
    if [ "$old" != "$new" ]; then
        echo "$new" | write_file "$base/agent.conf" 600 root:root
        pid=$(alive agent.pid sh) && stop_pid "$pid"
    fi
    start_agent
fi
version=$(slurmd -V 2>/dev/null)
echo "slurmd_version ${version##* }"
