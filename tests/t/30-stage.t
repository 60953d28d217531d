#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# 30-stage.t - bootstrap and staging over SSH against a real sshd.
#
# Everything runs in a network, mount and PID namespace of its own. "Home" has accounts that the
# rest of the machine does not know; the "node" is an overlay of the machine's root with its own
# /home, /run, /tmp and accounts, whose first process is sshd. Needs root.
# Build directory: $BURST_BUILD (default: $builddir or the current directory). $STAGE_T_TAR: a GNU
# tar that the node has instead of this machine's.

set -u
here=$(dirname "$(readlink -f "$0")")
src=$(readlink -f "$here/../..")
build=$(readlink -f "${BURST_BUILD:-${builddir:-.}}")

skip_all()
{
    echo "1..0 # SKIP $*"
    exit 0
}

if [[ ${STAGE_T_INSIDE-} != yes ]]; then
    [[ $(id -u) == 0 ]] || skip_all "needs root"
    [[ -x $build/burst-ssh && -x $build/burst-stagerd ]] ||
        skip_all "burst-ssh and burst-stagerd are not built in $build"
    for program in sshd ssh-keygen munged slurmd jq tar setpriv; do
        command -v "$program" >/dev/null || [[ -x /usr/sbin/$program ]] || skip_all "no $program"
    done
    T=$(mktemp -d "${TMPDIR:-/tmp}/stage-t.XXXXXX")
    trap 'rm -rf "$T"' EXIT
    STAGE_T_INSIDE=yes BURST_BUILD=$build T=$T unshare -n -m -p -f --kill-child --mount-proc \
        -- "$BASH" "$0" "$@"
    exit
fi

# ------------------------------------------------------------------------------------------------
# Inside: TAP

count=0 bad=0
ok() # NAME: reports the status of the command before
{
    local rc=$?
    count=$((count + 1))
    if [[ $rc == 0 ]]; then
        echo "ok $count - $1"
    else
        echo "not ok $count - $1"
        bad=$((bad + 1))
        diag
    fi
}

is() # GOT EXPECTED NAME
{
    [[ $1 == "$2" ]] || {
        printf '# got:      %q\n# expected: %q\n' "$1" "$2"
        false
    }
    ok "$3"
}

like() # GOT PATTERN NAME
{
    # shellcheck disable=SC2053 # a pattern is meant
    [[ $1 == $2 ]] || {
        printf '# got:      %q\n# expected: %q\n' "$1" "$2"
        false
    }
    ok "$3"
}

wait_until() # SECONDS COMMAND...
{
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.02
    done
}

diag()
{
    local f
    for f in "$T/out" "$T/stagerd.log" "$T/ssh.err"; do
        [[ -s $f ]] && tail -n 5 "$f" | sed "s|^|# ${f##*/}: |"
    done
}

die()
{
    echo "Bail out! $*"
    exit 1
}

# ------------------------------------------------------------------------------------------------
# Home: accounts, keys, burst-stagerd

quiet() { "$@" >>"$T/setup.log" 2>&1; }

setup_home()
{
    mount -t tmpfs -o mode=755 tmpfs "$T" && chmod 755 "$T" || return
    # slurmd wants an address that is not the loopback's
    ip link set lo up && ip link add br0 type bridge && ip addr add 10.99.0.1/24 dev br0 &&
        ip link set br0 up || return
    mkdir -p "$T"/{etc-up,etc-work,etc,home,conf,node}
    cp "/etc/passwd" "$T/machine-passwd"
    mount -t overlay overlay -o "lowerdir=/etc,upperdir=$T/etc-up,workdir=$T/etc-work" /etc || return
    mount -t tmpfs -o mode=755 tmpfs /home || return
    mount -t tmpfs -o mode=755 tmpfs /run || return
    sed -i '/:200[123]:/d' /etc/passwd /etc/group
    cat >>/etc/passwd <<END
alice:x:2001:2001:Alice:/home/alice:/bin/bash
bob:x:2002:2002:Bob:/home/bob:/bin/bash
END
    cat >>/etc/group <<END
alice:x:2001:
bob:x:2002:
project:x:2003:alice,bob
END
    install -d -m 700 -o 2001 -g 2001 /home/alice
    install -d -m 700 -o 2002 -g 2002 /home/bob
    install -d -m 2775 -o 0 -g 2003 /home/project
    # Slurm's configuration as the node gets it
    cat >"$T/conf/slurm.conf" <<END
ClusterName=test
SlurmctldHost=controller(10.99.0.1)
SlurmUser=slurm
AuthType=auth/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SlurmdSpoolDir=/var/spool/slurm-test/%n
SlurmdPidFile=/run/slurm-test/%n.pid
SlurmdLogFile=/var/log/slurm-test/%n.log
SlurmdParameters=config_overrides
GresTypes=gpu
MpiDefault=none
Include $T/conf/extra.conf
PartitionName=aws Nodes=ALL
END
    echo "NodeName=aws-a100x2-[001-002] CPUs=1 RealMemory=100 State=CLOUD" >"$T/conf/extra.conf"
    echo "# no GPUs" >"$T/conf/gres.conf"
    echo "AccountingStoragePass=secret" >>"$T/conf/slurm.conf"
    chmod 640 "$T/conf/gres.conf"
    echo "StoragePass=secret" >"$T/conf/slurmdbd.conf"
    chmod 600 "$T/conf/slurmdbd.conf"
    head -c 128 /dev/urandom >"$T/munge.key" && chmod 600 "$T/munge.key"
    quiet ssh-keygen -q -t ed25519 -N '' -f "$T/id"
    quiet ssh-keygen -q -t ed25519 -N '' -f "$T/other_id"
    # A munged with the same key, to read what the node signs
    install -d -m 755 -o munge -g munge /run/munge "$T/munge"
    install -m 400 -o munge -g munge "$T/munge.key" "$T/munge/key"
    quiet setpriv --reuid munge --regid munge --clear-groups munged --key-file="$T/munge/key" \
        --pid-file="$T/munge/pid" --log-file="$T/munge/log" --seed-file="$T/munge/seed" || return
    "$build/burst-stagerd" --foreground --socket "$T/stage.sock" --slurm-user slurm \
        >"$T/stagerd.log" 2>&1 &
    stagerd=$!
    until [[ -S $T/stage.sock ]]; do
        kill -0 $stagerd 2>/dev/null || die "burst-stagerd does not start: $(cat "$T/stagerd.log")"
        sleep 0.01
    done
}

# ------------------------------------------------------------------------------------------------
# The node

R=$T/node/root
setup_node()
{
    mkdir -p "$T"/node/{upper,work,root,run} || return
    mount -t overlay overlay -o "lowerdir=/,upperdir=$T/node/upper,workdir=$T/node/work" "$R" ||
        return
    local d
    for d in home run tmp dev/shm; do
        mount -t tmpfs -o mode=755 tmpfs "$R/$d" || return
    done
    chmod 1777 "$R/tmp"
    mkdir -p "$R/run/sshd" "$R/root/.ssh" "$R/etc/munge" "$R/etc/slurm"
    rm -f "$R"/etc/slurm/*.conf "$R/etc/munge/munge.key"
    chmod 700 "$R/root" "$R/root/.ssh"
    cp "$T/id.pub" "$R/root/.ssh/authorized_keys"
    # Accounts of the image: one has alice's uid, one the name of another user of the cluster
    echo "imageuser:x:2001:2001::/home/imageuser:/bin/sh" >>"$R/etc/passwd"
    echo "imageuser:x:2001:" >>"$R/etc/group"
    echo "carol:x:3001:100::/home/carol:/bin/sh" >>"$R/etc/passwd"
    # What the image has ready for alice
    install -d -m 755 -o 2001 -g 2001 "$R/data/seed" && echo image >"$R/data/seed/model" &&
        chown 2001:2001 "$R/data/seed/model" || return
    [[ -z ${STAGE_T_TAR-} ]] || install -D -m 755 "$STAGE_T_TAR" "$R/usr/local/bin/tar" || return
    mount -t proc proc "$R/proc" && mount --rbind /dev "$R/dev" &&
        mount --rbind /sys "$R/sys" || return
    quiet ssh-keygen -q -t ed25519 -N '' -f "$R/etc/ssh/test_ed25519"
    quiet ssh-keygen -q -t ecdsa -N '' -f "$R/etc/ssh/test_ecdsa"
    cat >"$R/etc/ssh/sshd_test" <<END
Port 2222
ListenAddress 10.99.0.1
HostKey /etc/ssh/test_ecdsa
HostKey /etc/ssh/test_ed25519
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM no
PidFile none
LogLevel INFO
Subsystem sftp internal-sftp
END
    host_key=$(cut -d' ' -f1,2 "$R/etc/ssh/test_ed25519.pub")
}

# boot_node [SECONDS]: SECONDS later; returns at once
boot_node()
{
    (
        sleep "${1-0}"
        exec unshare -u -m -p -f --kill-child --root="$R" --mount-proc -- /bin/sh -c \
            'hostname fresh-vm; exec /usr/sbin/sshd -D -e -f /etc/ssh/sshd_test'
    ) >"$T/sshd.log" 2>&1 &
    node=$!
}
node_up()
{
    wait_until 10 listening && node_init=$(child_of "$node")
}
child_of() { tr -d ' ' <"/proc/$1/task/$1/children"; }
listening() { [[ $(ss -Hltn 'sport = :2222') ]]; }
on_node() { nsenter -t "$node_init" -m -u -p -r -w -- "$@"; }

# ssh_op JSON: runs burst-ssh; events in $T/out
ssh_op()
{
    local request
    request=$(jq -nc --arg key "$T/id" --arg hk "${HOST_KEY-$host_key}" --argjson more "$1" '
        {address: "10.99.0.1", port: 2222, key_file: $key, timeout_s: 10, host_key: $hk} + $more') ||
        return
    BURST_NODE_DIR=$src/etc/node "$build/burst-ssh" <<<"$request" >"$T/out" 2>"$T/ssh.err"
}
last() { tail -n 1 "$T/out" | jq -r "$1"; }

prepare_json()
{
    jq -nc --arg T "$T" '{op: "prepare", munge_key_file: ($T + "/munge.key"),
        slurm_conf_dir: ($T + "/conf"), hosts: [{address: "10.99.0.1", names: ["controller"]}]}'
}

as() # USER COMMAND...
{
    local user=$1
    shift
    setpriv --reuid "$user" --regid "$user" --init-groups env -i PATH="$PATH" LC_ALL=C \
        HOME="/home/$user" "$@"
}

# stage OP JOB PATHS [MORE]: PATHS a JSON array, MORE a JSON object
stage()
{
    local request
    request=$(jq -nc --arg op "$1" --argjson job "$2" --argjson paths "$3" \
        --argjson more "${4:-"{}"}" --arg T "$T" '
        {op: $op, job_id: $job, uid: 2001, gid: 2001, user: "alice", paths: $paths,
         stage_socket: ($T + "/stage.sock"), max_bytes: 100000000} + $more')
    ssh_op "$request"
}

# ask JSON [STDIN]: speaks to burst-stagerd itself; prints the first line of its answer
ask()
{
    perl -MIO::Socket::UNIX -e '
        $SIG{PIPE} = "IGNORE";
        my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "connect: $!\n";
        $s->print($ARGV[1], "\n");
        while (read(STDIN, my $b, 65536)) { $s->print($b) or last }
        $s->shutdown(1);
        print scalar <$s>;' "$T/stage.sock" "$1"
}

mount --make-rprivate /
setup_home || die "cannot set up home: $(tail -n 3 "$T/setup.log")"
setup_node || die "cannot set up the node"

# ------------------------------------------------------------------------------------------------
# The connection

start=$SECONDS
ssh_op '{"op": "run_agent_check", "timeout_s": 1}'
is "$?" 1 "nobody listens: burst-ssh ends with status 1"
is "$(last .class)" refused "... with the class refused"
((SECONDS - start <= 3))
ok "... soon after timeout_s"

ssh_op '{"op": "run_agent_check", "address": "10.99.0.77", "timeout_s": 1}'
is "$(last .class)" timeout "an address that does not answer: class timeout"

# SSH comes up while burst-ssh is already trying.
boot_node 0.7
ssh_op '{"op": "run_agent_check"}'
is "$(jq -r .event "$T/out" | head -n 1)" ssh_up "a node that is still booting is waited for"
node_up || die "the node does not boot: $(cat "$T/sshd.log")"

HOST_KEY=$(cut -d' ' -f1,2 "$T/other_id.pub") ssh_op "$(prepare_json)"
is "$?" 1 "a wrong host key is refused"
is "$(last .class)" host_key "... with the class host_key"
[[ ! -e $R/etc/munge/munge.key && ! -e $R/run/burst-node ]]
ok "... and nothing was delivered"

request=$(jq -nc --arg key "$T/id" '{op: "run_agent_check", address: "10.99.0.1", port: 2222,
    key_file: $key, host_key: null}')
"$build/burst-ssh" <<<"$request" >"$T/out" 2>"$T/ssh.err"
is "$(jq -r 'select(.event == "host_key").host_key' "$T/out")" "$host_key" \
    "without a pinned key the server's ed25519 key is reported"

HOST_KEY=$(cut -d' ' -f1,2 "$R/etc/ssh/test_ecdsa.pub") ssh_op '{"op": "run_agent_check"}'
is "$(jq -r .event "$T/out" | head -n 1)" ssh_up "a pinned ECDSA key works too"

ssh_op "$(jq -nc --arg k "$T/other_id" \
    '{op: "run_agent_check", key_file: $k, auth_timeout_s: 1}')"
is "$(last .class)" auth "a key that the node does not know: class auth"

chmod 644 "$T/other_id"
ssh_op "$(jq -nc --arg k "$T/other_id" '{op: "run_agent_check", key_file: $k}')"
is "$(last .class)" internal "a key that others may read is not used"
like "$(last .error)" "*chmod 600*" "... and the message says what to do"

ssh_op '{"op": "join", "node_name": "x; reboot"}'
like "$(last .error)" "node_name:*" "a node name that is none is refused"

# ------------------------------------------------------------------------------------------------
# prepare

ssh_op '{"op": "join", "node_name": "aws-a100x2-001"}'
is "$(last .class)" command "join before prepare: class command"
like "$(last .error)" "*prepared*" "... and the message says why"

sed -i 's/^slurm:x:[0-9]*:/slurm:x:4711:/' "$R/etc/passwd"
began=${EPOCHREALTIME/./}
ssh_op "$(prepare_json)"
took=$(((${EPOCHREALTIME/./} - began) / 1000))
is "$(last .event)" done "prepare"
echo "# prepare took $took ms, login included"
is "$(last .slurmd_version)" "$(slurmd -V | sed 's/.* //')" "... reports slurmd's version"
cmp -s "$T/munge.key" "$R/etc/munge/munge.key"
ok "the munge key is there"
is "$(stat -c %U:%a "$R/etc/munge/munge.key")" munge:400 "... munge's alone"
[[ ! -e $R/run/burst-node/munge.key && ! -e $R/run/burst-node/params ]]
ok "... and no copy of it"
is "$(stat -c %U:%a "$R/run/burst-node")" root:700 "the scripts' directory is root's"
is "$(stat -c %U:%a "$R/etc/slurm/slurm.conf")" root:644 "slurm.conf is there"
is "$(stat -c %U:%a "$R/etc/slurm/gres.conf")" root:640 "... other files as closed as at home"
! grep -qi secret "$R"/etc/slurm/*.conf
ok "... without passwords"
cmp -s "$T/conf/extra.conf" "$R/etc/slurm/extra.conf"
ok "... with the file that it includes"
grep -qx "Include /etc/slurm/extra.conf" "$R/etc/slurm/slurm.conf"
ok "... at the place where it includes it"
[[ ! -e $R/etc/slurm/slurmdbd.conf ]]
ok "slurmdbd.conf stays at home"
is "$(on_node id -u slurm)" "$(id -u slurm)" "SlurmUser has the controller's uid on the node"
like "$(on_node getent hosts controller)" "10.99.0.1 *" "the controller's name is known there"
like "$(on_node getent hosts fresh-vm)" "10.99.0.1 *" "... and the node's own"
is "$(on_node munge -s hello | unmunge -m /dev/null)" hello "a credential of the node is good at home"
pid=$(<"$R/run/munge/munged.pid")
ssh_op "$(prepare_json)"
is "$(last .event):$(<"$R/run/munge/munged.pid")" "done:$pid" "prepare again: munged runs on"

# ------------------------------------------------------------------------------------------------
# join

began=${EPOCHREALTIME/./}
ssh_op '{"op": "join", "node_name": "aws-a100x2-001"}'
took=$(((${EPOCHREALTIME/./} - began) / 1000))
is "$(last .event)" done "join"
echo "# join took $took ms, login included"
pid=$(last .slurmd_pid)
like "$(on_node sh -c "tr '\0' ' ' </proc/$pid/cmdline")" "*slurmd -b -N aws-a100x2-001 *" \
    "... slurmd runs under the node's name, with a fresh boot time"
is "$(on_node uname -n)" aws-a100x2-001 "... which is the host's name now"
like "$(on_node getent hosts aws-a100x2-001)" "10.99.0.1 *" "... and known there"
ssh_op '{"op": "join", "node_name": "aws-a100x2-001"}'
is "$(last .slurmd_pid)" "$pid" "join again: slurmd runs on"
ssh_op '{"op": "join", "node_name": "aws-a100x2-001", "again": true}'
is "$(last '.slurmd_said | type')" string "Slurm has not heard of it: it is asked what it complains of"
isnt "$(last .slurmd_pid)" "$pid" "... and started anew"
pid=$(last .slurmd_pid)
ssh_op '{"op": "run_agent_check"}'
is "$(last '[.munged, .slurmd, .agent] | tojson')" '[true,"aws-a100x2-001",false]' "check says so"
ssh_op '{"op": "join", "node_name": "aws-a100x2-002", "hosts":
    [{"address": "10.99.0.9", "names": ["aws-a100x2-003"]}]}'
is "$(last .event)" done "join under another name"
! on_node test -d "/proc/$pid"
ok "... the slurmd of the first name has gone"
like "$(on_node getent hosts aws-a100x2-003)" "10.99.0.9 *" "... the job's other node is known"
on_node sh -c 'kill -9 $(cat /run/slurm-test/*002.pid)'

# ------------------------------------------------------------------------------------------------
# stage_in

d=/home/alice/run
name='it'\''s "odd" $(x) `y`'
as alice sh -c "umask 022; mkdir -p $d/sub/empty $d/locked $d/big.d && cd $d && echo one >one"
as alice bash -c "cd $d && echo odd >'sub/'\"\$1\" && echo nl >\$'sub/new\nline' &&
    echo latin >\$'sub/caf\xe9' && echo utf8 >sub/café" - "$name"
as alice sh -c "cd $d && ln -s one link && ln -s /nowhere/at/all dangling && ln one hard &&
    chmod 640 one && chmod 700 sub && chmod 4755 sub/café && touch -d '2020-02-03 04:05:06.123456789' one &&
    echo locked >locked/file && chmod 555 locked && mkfifo fifo && echo no >secret && chmod 000 secret &&
    truncate -s 5M sparse && echo end >>sparse && echo skip >x.tmp && echo big >big.d/file"
as alice sh -c "mkdir /home/alice/.ssh && echo key >/home/alice/.ssh/authorized_keys && echo rc >/home/alice/.bashrc"
install -d -m 755 /data && mount -t tmpfs -o mode=755 tmpfs /data # not a part of the node's root
install -d -m 755 -o 2001 -g 2001 /data/in
echo data >/data/in/data && chown 2001:2001 /data/in/data
paths='["/home/alice/run", "/data/in/data", "/home/alice/logs/7.out", "/dev/null"]'
stage stage_in 7 "$paths" '{"exclude": ["*.tmp", "/home/alice/run/big.d"]}'
is "$(last .event)" done "stage_in"
is "$(last .skipped)" 2 "... a fifo and an unreadable file are counted as left out"
like "$(last .warning)" "*/home/alice/run/*" "... and one of them is named"
is "$(on_node id alice)" "uid=2001(alice) gid=2001(alice) groups=2001(alice),2003(project)" \
    "the user is known on the node with the groups of home"
is "$(on_node getent passwd imageuser | cut -d: -f3)" 59000 \
    "the image's account with the same uid was moved away"
is "$(stat -c %u:%a "$R/home/alice")" 2001:700 "the home directory is the user's alone"
is "$(cat "$R$d/sub/$name" "$R$d/sub/"$'new\nline' "$R$d/sub/"$'caf\xe9' "$R$d/sub/café")" \
    $'odd\nnl\nlatin\nutf8' "names with quotes, line ends and other bytes"
is "$(stat -c %a:%y:%u "$R$d/one")" "640:$(stat -c %y "$d/one"):2001" "mode, time and owner are kept"
is "$(stat -c %a "$R$d/sub" "$R$d/locked" | xargs)" "700 555" "... those of directories"
is "$(stat -c %a "$R$d/sub/café")" 755 "the set-uid bit is not"
is "$(readlink "$R$d/link" "$R$d/dangling" | xargs)" "one /nowhere/at/all" "symbolic links"
is "$(stat -c %i "$R$d/one")" "$(stat -c %i "$R$d/hard")" "hard links"
cmp -s "$d/sparse" "$R$d/sparse"
ok "a file with a hole"
[[ -d $R$d/sub/empty && ! -e $R$d/x.tmp && ! -e $R$d/big.d && ! -e $R$d/fifo ]]
ok "an empty directory is there, what is excluded is not"
is "$(cat "$R/data/in/data")" data "a single file elsewhere"
is "$(stat -c %u "$R/home/alice/logs")" 2001 "the directory of an output file that does not exist yet"

stage stage_in 8 '["/home/alice"]'
is "$(last .event)" done "stage_in of the whole home directory"
[[ ! -e $R/home/alice/.ssh && ! -e $R/home/alice/.bashrc ]]
ok "... without its dot files"
stage stage_in 9 '["/home/alice/.ssh"]'
[[ -e $R/home/alice/.ssh/authorized_keys ]]
ok "... unless the user names them"
rm -rf "$R/home/alice/.ssh"

stage stage_in 7 '["/home/alice/a\nb"]'
like "$(last .class):$(last .error)" "internal:*control characters*" "a path with a line end is refused"
stage stage_in 7 '["/home/alice/../bob"]'
is "$(last .class)" internal "a path with .. is refused"
stage stage_in 7 "[\"$d\"]" '{"max_bytes": 20}'
is "$(last .class)" limit "too much data: class limit"
like "$(last .error)" "*more than the 0 MiB*--burst-stage-in*" "... and what can be done"
stage stage_in 7 '["/home/bob"]'
is "$(last .class)" io "another user's directory"
like "$(last .error)" "/home/bob: the user cannot read it: Permission denied" "... says why"
stage stage_in 7 '["/root/x/y", "/etc/sudoers.d/a"]'
[[ $(last .event) == done && ! -e $R/root/x ]]
ok "places of the system are made on no node"
ln -s /root "$R/home/alice/trap" && chown -h 2001:2001 "$R/home/alice/trap"
stage stage_in 7 '["/home/alice/trap/x/y"]'
[[ ! -e $R/root/x && -d $R/home/alice/trap/x ]]
ok "a link of the user's on the node does not lead root astray"
rm -r "$R/home/alice/trap"
ln -s /root "$R/home/alice/trap"
stage stage_in 7 '["/home/alice/trap/x/y"]'
[[ $(last .event) == error && ! -e $R/root/x ]]
ok "... nor one that stays"
rm "$R/home/alice/trap"
stage stage_in 7 '["/somewhere/else/entirely/out"]'
[[ $(last .event) == done && ! -e $R/somewhere ]]
ok "what the user could not make at home is not made for him on the node"
install -d -m 755 /data/scratch && install -d -m 755 -o 2001 -g 2001 /data/scratch/alice
stage stage_in 7 '["/data/scratch/alice/new/out"]'
is "$(last .event):$(stat -c %u:%a "$R/data" "$R/data/scratch" "$R/data/scratch/alice" \
    "$R/data/scratch/alice/new" | xargs)" "done:0:755 0:755 2001:755 2001:755" \
    "of missing directories those become the user's that are his at home"
install -d -m 755 /data/pool /data/pool/in && echo shared >/data/pool/in/file
stage stage_in 7 '["/data/pool/in"]' '{"work_dir": "/data/pool/in/work"}'
is "$(last .event):$(stat -c %u:%a "$R/data/pool" "$R/data/pool/in" | xargs):$(cat "$R/data/pool/in/file")" \
    "done:0:755 0:1777:shared" "somebody else's directory stays root's; the user may put files there"

# Places of another user. He comes later, and finds a home directory that nobody had a hand in.
stage stage_in 7 '["/home/bob/x"]'
[[ $(last .event) == done && ! -e $R/home/bob ]]
ok "a path in another user's closed home directory makes nothing"
chmod 755 /home/bob && echo open >/home/bob/open && chmod 644 /home/bob/open
stage stage_in 7 '["/home/bob/new"]'
[[ $(last .event) == done && ! -e $R/home/bob ]]
ok "... nor in an open one in which the user may not write"
bob() { stage stage_in 8 '[]' '{"user": "bob", "uid": 2002, "gid": 2002}'; }
stage stage_in 7 '["/home/bob/open"]'
is "$(last .event):$(stat -c %u:%a "$R/home/bob")" done:0:1777 \
    "a file that everybody may read comes, its directory stays root's"
bob
like "$(last .class):$(last .error)" "command:*/home/bob of user bob belongs to uid 0 on the node*" \
    "... and is nobody's home directory then"
rm -rf "$R/home/bob" && install -d -m 755 -o 2001 -g 2001 "$R/home/bob"
bob
like "$(last .class):$(last .error)" "command:*belongs to uid 2001 on the node*" \
    "a home directory of another owner's is not taken"
rm -rf "$R/home/bob"
bob
is "$(last .event):$(stat -c %u:%a "$R/home/bob")" done:2002:700 "... and a fresh one is his alone"
chmod 700 /home/bob

# The site's primary group is one of the system's numbers, of the image's shadow here.
shadow=$(stat -c %g "$R/etc/shadow")
echo "dave:x:2005:$shadow:Dave:/home/dave:/bin/bash" >>/etc/passwd
dave() { stage stage_in 9 '[]' "$(jq -nc --argjson g "$1" --arg n "$2" '{user: "dave", uid: 2005,
    gid: $g, groups: [{gid: $g, name: $n}]}')"; }
install -d -m 700 -o 2005 -g "$shadow" /home/dave
dave 100 users
is "$(last .event):$(on_node id -gn dave)" done:users "a primary group of the system (users) is taken"
dave 0 root
is "$(last .event)" error "... group 0 is not"
sed -i '/^dave:/d' "$R/etc/passwd" && rm -rf "$R/home/dave"
dave "$shadow" chemistry
is "$(last .event):$(on_node id -g dave):$(on_node id -gn dave)" "done:$shadow:chemistry" \
    "... one that has another name in the image becomes the user's"
[[ $(stat -c %g "$R/etc/shadow") != "$shadow" ]] && ! on_node setpriv --reuid 2005 --regid "$shadow" \
    --clear-groups cat /etc/shadow >/dev/null 2>&1
ok "... and what was the other group's is not his"
stage stage_in 7 '[]' '{"user": "carol", "uid": 2004, "gid": 2004, "home": "/home/carol", "groups": []}'
is "$(last .class)" command "a user whose name the image has for somebody else is refused there"

as alice truncate -s 5G "$d/holes"
stage stage_in 7 "$paths" '{"exclude": ["*.tmp", "/home/alice/run/big.d"], "max_bytes": 10000000}'
is "$(last .event):$(stat -c %s "$R$d/holes")" "done:$((5 << 30))" \
    "a hole of 5 GiB is no data: it comes below the limit"
(($(stat -c %b "$R$d/holes") < 1000))
ok "... and is a hole there"
rm "$d/holes"

# ------------------------------------------------------------------------------------------------
# stage_out

stage stage_in 7 "$paths" '{"exclude": ["*.tmp", "/home/alice/run/big.d"]}'
on_node setpriv --reuid 2001 --regid 2001 --init-groups sh -c "cd $d && echo changed >>one &&
    echo new >result && touch -d 2001-01-01 result && mkdir -m 750 newdir && echo deep >newdir/deep &&
    ln -s result newlink && rm sub/café && echo log >/home/alice/logs/7.out && echo x >y.tmp &&
    chmod 2755 newdir/deep"
rm "$R$d/dangling"
inode=$(stat -c %i "$d/sub/$name")
stage stage_out 7 "$paths" '{"exclude": ["*.tmp"]}'
is "$(last .event)" done "stage_out"
is "$(cat "$d/one" "$d/hard" | xargs)" "one changed one changed" "a changed file with two names"
is "$(stat -c %i "$d/one")" "$(stat -c %i "$d/hard")" "... is still one file"
is "$(cat "$d/result"):$(stat -c %U:%y "$d/result" | cut -c1-16)" "new:alice:2001-01-01" \
    "a new file with an old time"
is "$(stat -c %a "$d/newdir" "$d/newdir/deep" | xargs)" "750 755" "a new directory; no set-gid bit"
is "$(readlink "$d/newlink")" result "a new link"
is "$(cat /home/alice/logs/7.out)" log "an output file elsewhere"
is "$(stat -c %i "$d/sub/$name")" "$inode" "what did not change was not written again"
[[ -e $d/sub/café && ! -e $d/y.tmp ]]
ok "nothing is removed at home; what is excluded stays away"
stage stage_out 7 "$paths"
is "$(last .files)" 0 "the second time nothing comes"
on_node setpriv --reuid 2001 --regid 2001 --clear-groups sh -c \
    "cd $d && chmod 700 locked && echo more >>locked/file && chmod 555 locked"
stage stage_out 7 "$paths"
is "$(last .event):$(tail -n 1 "$d/locked/file"):$(stat -c %a "$d/locked")" done:more:555 \
    "a change in a directory without write permission"

# A cut in the middle of a large file
echo "old and whole" >"$d/large" && chown 2001:2001 "$d/large"
on_node sh -c "yes 0123456789abcdef | head -c 90000000 >$d/large; chown 2001:2001 $d/large"
stage stage_out 7 "$paths" &
wait_until 10 compgen -G "$d/.burst-*.tmp" >/dev/null
ok "a file arrives under a temporary name"
kill -KILL "$(child_of $!)"
wait $!
is "$(<"$d/large")" "old and whole" "after a cut the old file is whole"
wait_until 5 eval "! compgen -G '$d/.burst-*.tmp' >/dev/null"
ok "... and the part of the new one is gone"
stage stage_out 7 "$paths"
cmp -s "$d/large" "$R$d/large"
ok "the next time it comes"
on_node sh -c "yes 0123456789abcdef | head -c 2000000 >$d/large"
stage stage_out 7 "$paths" '{"max_bytes": 1000000}'
is "$(last .class)" limit "results over the limit: class limit"
stage stage_out 7 "$paths" '{"exclude": ["lar*"]}'
is "$(last .event)" done "... until the limit or the list of exclusions changes"
rm -f "$d/large" "$R$d/large"
mkdir "$d/aside" && mv "$d/result" "$d/aside" && mkdir "$d/result"
on_node sh -c "echo again >$d/result; echo fine >$d/fine; chown 2001 $d/fine"
stage stage_out 7 "$paths"
is "$(last .class):$(cat "$d/fine")" io:fine "a file that cannot be written: class io, the others come"
rmdir "$d/result"
stage stage_out 7 "$paths"
is "$(last .event):$(cat "$d/result")" done:again "... and it comes when it can be"

# ------------------------------------------------------------------------------------------------
# A node that is used again: the next job of the user sees what is at home

node_alice() { on_node setpriv --reuid 2001 --regid 2001 --init-groups sh -c "cd $d && $1"; }
as alice sh -c "cd $d && echo old >two && touch -d 2001-01-01 two && mkdir link2 && echo real >link2/file"
node_alice "mkdir -p left/deep && echo x >left/deep/file && chmod 555 left/deep left &&
    ln -s /home/alice/other leftlink && echo x >.hidden && echo x >'
left over'"
node_alice "echo newer >one && touch -d 2037-01-01 one && echo newer >two && rm -rf sub && echo x >sub &&
    mkdir -p ../other ../.cache ../elsewhere && echo kept >../other/file && echo kept >../.cache/file &&
    echo kept >../elsewhere/file && ln -s ../elsewhere link2 && echo x >../logs/6.out"
on_node sh -c "mkdir $d/mnt && mount -t tmpfs tmpfs $d/mnt && echo site >$d/mnt/file && chown -R 2001:2001 $d/mnt"
stage stage_in 10 "$paths"
is "$(last .event)" done "stage_in where a job has been"
[[ ! -e $R$d/left && ! -L $R$d/leftlink && ! -e $R$d/.hidden && ! -e $R$d/$'\nleft over' &&
    ! -e $R/home/alice/logs/6.out ]]
ok "... what it left in the places of the next one is gone"
cmp -s "$d/one" "$R$d/one" && [[ $(stat -c %y "$R$d/one") == "$(stat -c %y "$d/one")" ]]
ok "... a file that is newer there is that of home"
is "$(<"$R$d/two"):$(stat -c %Y "$R$d/two")" "old:$(date -d 2001-01-01 +%s)" "... and one that is older at home, too"
[[ -d $R$d/sub/empty && ! -L $R$d/link2 ]] && is "$(<"$R$d/link2/file"):$(ls "$R/home/alice/elsewhere")" \
    real:file "... directories stand where a file and a link stood"
is "$(on_node cat "$d/mnt/file")" site "what is mounted there is not touched"
is "$(cat "$R/home/alice/other/file" "$R/home/alice/.cache/file" | xargs)" "kept kept" \
    "... nor what lies elsewhere"
on_node umount "$d/mnt"
stage stage_out 10 "$paths"
is "$(last .event):$(last .files)" done:0 "what it found there is not taken for its results"
stage stage_in 11 '["/home/alice"]'
[[ $(last .event) == done && ! -e $R/home/alice/other && -e $R/home/alice/.cache/file ]]
ok "dot files of the home directory are not staged, and stay"
node_alice "cd .. && { chmod u+w run/locked && rm -rf run; } && mkdir aside && echo kept >aside/file && ln -s aside run"
stage stage_in 10 "$paths"
[[ $(last .event) == done && ! -L $R$d && -e $R$d/one ]]
is "$?:$(ls "$R/home/alice/aside")" 0:file "a link in the place of the directory itself"
install -d -m 755 -o 2001 -g 2001 /data/seed && as alice sh -c "echo home >/data/seed/in"
node_alice "cd /data/seed && mkdir d && echo x >d/left"
stage stage_in 10 '["/data/seed"]'
is "$(last .event):$(cat "$R/data/seed/in" "$R/data/seed/model" | xargs):$(ls "$R/data/seed" | xargs)" \
    "done:home image:in model" "what the image has ready stays"

# ------------------------------------------------------------------------------------------------
# A hostile node: its script sends what it likes

h=$R/run/burst-node
hostile() # TAR FILE: what the node sends from now on
{
    cp "$1" "$h/evil.tar"
    echo 'while read -r l && [ "$l" != end ]; do :; done; cat /run/burst-node/evil.tar; read -r l' \
        >"$h/stage-out.sh"
}
sums() { (cd / && find home data etc/passwd -xdev -printf '%p %y %m %s %T@ %l\n' | sort | cksum); }
mkdir -p "$T/evil/run" && cd "$T/evil" && echo evil >run/f && echo evil >f || exit
deny() # NAME: stage_out of the paths must fail as denied (io) and change nothing
{
    local before
    before=$(sums)
    hostile "$T/evil.tar"
    stage stage_out 7 "${2-$paths}" '{"idle_s": 3}'
    [[ $(last .event) == error && $(sums) == "$before" ]]
    ok "$1"
}
evil_tar() { tar -cPf "$T/evil.tar" --owner=0 --group=0 "$@"; }
evil_tar --transform 's,^f$,/home/alice/run/../../bob/f,' f && deny "a name with .."
evil_tar --transform 's,^f$,../etc/f,' f && deny "a name that begins with .."
evil_tar --transform 's,^f$,/home/bob/f,' f && deny "an absolute name elsewhere"
evil_tar --transform 's,^f$,/home/alice/runner,' f && deny "a name that only begins like a path"
evil_tar --transform 's,^f$,/home/alice/other/f,' f && deny "another directory of the user's"
ln -f f g && evil_tar --transform 's,^g$,home/alice/run/g,;s,^f$,/etc/passwd,h;s,^f$,home/alice/run/f2,rs' f g
perl -e '
    sub hdr { my ($name, $size, $type, $link, $mode) = @_;
        my $h = pack("a100 a8 a8 a8 a12 a12 A8 a1 a100 a6 a2 a32 a32 a8 a8 a155 a12", $name,
            sprintf("%07o", $mode // 0644), "0000000", "0000000", $size, sprintf("%011o", 0), "",
            $type, $link // "", "ustar", "00", "", "", "", "", "", "");
        substr($h, 148, 8) = sprintf("%06o\0 ", unpack("%32C*", $h)); return $h }
    sub oct12 { sprintf("%011o", $_[0]) }
    sub put { my ($file, @parts) = @_; open(my $f, ">", "$ENV{T}/$file") or die; print $f @parts,
        "\0" x 1024; close($f) }
    my $d = "home/alice/run";
    my $data = "evil\n" . "\0" x 507;
    put("hard.tar", hdr("$d/h", oct12(0), "1", "/etc/passwd"));
    put("hardup.tar", hdr("$d/h", oct12(0), "1", "../../../etc/passwd"));
    put("link.tar", hdr("$d/l", oct12(0), "2", "/home/alice/private"), hdr("$d/l/f", oct12(5), "0"), $data);
    put("known.tar", hdr("$d/known/f", oct12(5), "0"), $data);
    put("updots.tar", hdr("$d/l2", oct12(0), "2", "sub/../../private"));
    put("dev.tar", hdr("$d/null", oct12(0), "3", "", 0666), hdr("$d/pipe", oct12(0), "6"),
        hdr("$d/suid", oct12(5), "0", "", 06777), $data);
    put("huge.tar", hdr("$d/huge", "\x80\0\0\0" . pack("Q>", 1 << 62), "0"), $data);
    put("dots.tar", hdr("home/alice/.ssh/authorized_keys", oct12(5), "0"), $data,
        hdr("home/alice/.bashrc", oct12(5), "0"), $data, hdr("home/alice/harmless", oct12(5), "0"), $data);
    open(my $f, ">", "$ENV{T}/cut.tar"); print $f hdr("$d/cut", oct12(5), "0"), $data; close($f);
    put("none.tar", "");
    open($f, ">", "$ENV{T}/garbage.tar"); print $f map { chr(rand(256)) } 1 .. 20000; close($f);
' || exit
use() { cp "$T/$1" "$T/evil.tar"; }
use hard.tar && deny "a hard link to a file of the system"
use hardup.tar && deny "a hard link upwards"
use huge.tar && deny "an entry of 4 EiB"
use garbage.tar && deny "no archive at all"
: >"$T/evil.tar" && deny "nothing at all"
as alice sh -c "mkdir /home/alice/private && ln -s /home/alice/private $d/known"
use known.tar && deny "a file behind a link of the user's"
use link.tar && hostile "$T/evil.tar" && stage stage_out 7 "$paths"
[[ ! -e /home/alice/private/f && ! -L $d/l && $(last .skipped) == 1 ]]
ok "a link that leads out is left out, and what was sent behind it stays inside"
use updots.tar && hostile "$T/evil.tar" && stage stage_out 7 "$paths"
[[ ! -L $d/l2 && $(last .skipped) == 1 ]]
ok "a link with .. in its middle is left out"
use dev.tar && hostile "$T/evil.tar" && stage stage_out 7 "$paths"
[[ ! -e $d/null && ! -e $d/pipe && $(last .skipped) == 2 ]]
ok "devices and fifos are left out"
is "$(stat -c %U:%a "$d/suid")" alice:777 "set-id bits are dropped, the owner is the user"
use dots.tar && hostile "$T/evil.tar" && stage stage_out 7 '["/home/alice"]'
is "$(cat /home/alice/.ssh/authorized_keys /home/alice/.bashrc /home/alice/harmless | xargs)" \
    "key rc evil" "the user's keys and start-up files are not touched"
stage stage_out 7 '["/home/alice/.ssh", "/home/alice"]'
is "$(cat /home/alice/.ssh/authorized_keys)" key "... not even when they were staged"
# A node that stops in the middle: the stream ends between two entries
use cut.tar && hostile "$T/evil.tar" && sed -i 's/; read -r l$//' "$h/stage-out.sh"
stage stage_out 7 "$paths"
is "$(last .event)" error "a stream that ends without its end mark is not taken for whole"
cp "$src/etc/node/stage-out.sh" "$h/stage-out.sh"

# ------------------------------------------------------------------------------------------------
# Telling a job's processes

on_node env SLURM_JOB_ID=7 sh -c 'trap "echo told >/tmp/told; exit" USR1; echo $$ >/tmp/catcher
    while :; do sleep 0.05; done' &
on_node env SLURM_JOB_ID=7 sh -c 'echo $$ >/tmp/deaf; while :; do sleep 0.05; done' &
on_node env SLURM_JOB_ID=77 sh -c 'trap "echo told >/tmp/wrong; exit" USR1; echo $$ >/tmp/other
    while :; do sleep 0.05; done' &
wait_until 5 test -s "$R/tmp/catcher" -a -s "$R/tmp/deaf" -a -s "$R/tmp/other"
ssh_op '{"op": "signal_job", "job_id": 7, "signal": 10}'
is "$(last .told)" 1 "a signal goes to the one process of the job that catches it"
wait_until 5 test -s "$R/tmp/told"
ok "... which hears it"
on_node test -d "/proc/$(<"$R/tmp/deaf")"
ok "... a process of the job without a handler lives on"
[[ ! -e $R/tmp/wrong ]] && on_node sh -c 'kill $(cat /tmp/deaf /tmp/other)'
ok "... and another job is not told"

# ------------------------------------------------------------------------------------------------
# burst-stagerd by itself

is "$(stat -c %U:%G:%a "$T/stage.sock")" root:slurm:660 "the socket is for root and SlurmUser"
req='{"op":"append","uid":2001,"gid":2001,"user":"alice","path":"/home/alice/a.out","text":"hello\n"}'
like "$(setpriv --reuid 2002 --regid "$(id -g slurm)" --clear-groups bash -c \
    "T=$T; $(declare -f ask); ask '$req' </dev/null")" '*only root and SlurmUser*' "another user is refused even if he can connect"
like "$(setpriv --reuid slurm --regid slurm --clear-groups bash -c \
    "T=$T; $(declare -f ask); ask '$req' </dev/null")" '{"ok":true*' "SlurmUser may append"
is "$(stat -c %U "/home/alice/a.out"):$(cat /home/alice/a.out)" alice:hello "... as the job's user"
req='{"op":"append","uid":2001,"gid":2001,"user":"alice","path":"/home/bob/a.out","text":"hello\n"}'
like "$(ask "$req" </dev/null)" '*Permission denied*' "... and with his rights only"
for ids in '"uid":0,"gid":0,"user":"root"' '"uid":1,"gid":1,"user":"daemon"' \
    '"uid":2002,"gid":2001,"user":"alice"' '"uid":2001,"gid":2002,"user":"alice"' \
    '"uid":2001,"gid":0,"user":"alice"' '"uid":65534,"gid":65534,"user":"nobody"' \
    '"uid":4294967295,"gid":2001,"user":"alice"' '"uid":2001,"gid":2001,"user":"nosuch"'; do
    like "$(ask "{\"op\":\"pack\",$ids,\"paths\":[\"/etc\"]}" </dev/null)" '{"ok":false*' "refused: $ids"
done
like "$(ask '{"op":"pack","uid":2001,"gid":2003,"user":"alice","paths":["/home/project"]}' </dev/null)" \
    '{"ok":true*' "a group that the user belongs to is accepted"
like "$(ask 'nonsense' </dev/null)" '{"ok":false*' "no JSON"
# What a job would bring, before anything is rented for it
survey() # PATHS [MORE]
{
    local more=${2-"{}"}
    ask "$(jq -nc --argjson p "$1" --argjson m "$more" \
        '{op: "survey", uid: 2001, gid: 2001, user: "alice", paths: $p} + $m')" </dev/null
}
install -d -o 2001 -g 2001 /home/alice/sized && (cd /home/alice/sized && head -c 3000 /dev/zero >a && echo b >b &&
    truncate -s 1G holes && chown 2001:2001 ./*)
is "$(survey '["/home/alice/sized"]' '{"max_bytes": 1000000}' | jq -c '[.ok, .files, .bytes, .complete]')" \
    '[true,4,3002,true]' "survey: files and bytes, without holes"
is "$(survey '["/home/alice/sized", "/nowhere"]' '{"max_bytes": 3001}' | jq -r '[.class, .path] | join(" ")')" \
    "limit /home/alice/sized" "... too large: class limit"
is "$(survey '["/home/alice/sized", "/home/bob"]' | jq -r '[.class, .path, .error] | join(" ")')" \
    "denied /home/bob /home/bob: the user cannot read it: Permission denied" "... the path that cannot be had, and why"
is "$(survey '["/home/alice/sized", "/home/alice/none"]' '{"named": ["/home/alice/none"]}' | jq -r '[.class, .error] | join(" ")')" \
    "missing /home/alice/none, which --burst-stage-in names: No such file or directory" "... one that its user names must be there"
is "$(survey '["/home/alice/sized"]' '{"max_entries": 2}' | jq -c '[.ok, .complete]')" "[true,false]" \
    "... and it ends when it has looked at so many"

# ------------------------------------------------------------------------------------------------
# The agent, and the end

cat >"$T/http.pl" <<'END'
# Plays the controller (port 8899) and the metadata service (port 80)
use strict; use IO::Socket::INET; use IO::Select; $| = 1;
my $T = $ENV{T};
my @s = map { IO::Socket::INET->new(LocalAddr => $_, Listen => 9, ReuseAddr => 1) or die "$_: $!" }
    "10.99.0.1:8899", "169.254.169.254:80";
my $sel = IO::Select->new(@s);
while (my @r = $sel->can_read) {
    for my $l (@r) {
        my $c = $l->accept or next;
        my $line = <$c>; my ($len, $token) = (0, "");
        while (my $h = <$c>) { last if $h eq "\r\n";
            $len = $1 if $h =~ /^content-length: (\d+)/i; $token = $1 if $h =~ /^x-aws-ec2-metadata-token: (\S+)/i }
        my $body = ""; read($c, $body, $len) if $len;
        my ($code, $answer) = (404, "");
        if ($line =~ m{^POST /v1/node }) {
            open(my $f, "|-", "unmunge -m /dev/null >>$T/posts; echo >>$T/posts"); print $f $body; close($f);
            $code = -e "$T/controller_fails" ? 500 : 200; $answer = "ok";
        } elsif ($line =~ m{^PUT /latest/api/token }) { ($code, $answer) = (200, "token1") }
        elsif ($line =~ m{^GET /latest/meta-data/spot/instance-action } && $token ne "token1") { $code = 401 }
        elsif ($line =~ m{^GET /latest/meta-data/spot/instance-action } && open(my $f, "<", "$T/notice")) {
            ($code, $answer) = (200, scalar <$f>) }
        print $c "HTTP/1.1 $code x\r\nContent-Length: ", length($answer), "\r\nConnection: close\r\n\r\n$answer";
        close($c);
    }
}
END
ip addr add 169.254.169.254/32 dev lo
T=$T perl "$T/http.pl" 2>"$T/http.log" &
http=$!
: >"$T/posts"
touch "$T/controller_fails"
agent() # DEADMAN_S [DEADMAN_MAX_S]
{
    ssh_op "$(prepare_json | jq -c --argjson s "$1" --argjson m "${2-691200}" '. + {agent: {
        controller: "10.99.0.1:8899", instance: "i-0abc", metadata: "aws", deadman_s: $s,
        deadman_max_s: $m}}')"
}
# A process that bears a name, under which a program runs as a user
poses() # USER PROGRAM NAME
{
    on_node setpriv --reuid "$1" --clear-groups bash -c 'exec -a "$1" "$0" 600' "$2" "$3" &
    wait_until 5 on_node sh -c 'grep -qsaF "$1" $(ls -d /proc/[0-9]*/cmdline | grep -v "/$$/")' sh "$3"
}
steps() { on_node sh -c 'cd /run/burst-node && . ./lib.sh && step_runs "$@"' sh "$@"; }
agent 600
is "$(last .event)" done "prepare with an agent"
ssh_op '{"op": "run_agent_check"}'
is "$(last .agent)" true "the agent runs"
wait_until 10 grep -q '"event":"alive"' "$T/posts"
ok "it says that it is alive"
grep -q '{"instance":"i-0abc","event":"alive"}' "$T/posts"
ok "... as JSON"
echo '{"action":"terminate","time":"2030-01-02T03:04:05Z"}' >"$T/notice"
wait_until 10 grep -q '"event":"notice"' "$T/posts"
ok "the interruption notice arrives"
grep -q '{"instance":"i-0abc","event":"notice","deadline":1893553445}' "$T/posts"
ok "... with the deadline"
notices() { grep -c '"event":"notice"' "$T/posts"; }
wait_until 10 eval '[[ $(notices) -ge 3 ]]'
ok "... again and again while the controller does not confirm"
rm "$T/controller_fails"
n=$(notices)
wait_until 10 eval "[[ \$(notices) -gt $n ]]"
n=$(notices)
sleep 2.5
is "$(notices)" "$n" "... and no more once it has"
kill $http
# What looks like a job to the agent: a user's process must not keep the node.
poses 2001 /bin/sleep "slurmstepd: [7.batch]"
cp /bin/sleep "$R/tmp/slurmstepd" && chmod 755 "$R/tmp/slurmstepd"
poses 2001 /tmp/slurmstepd "slurmstepd: [8.batch]"
poses 0 /bin/sleep "slurmstepd: [9.batch]"
! steps && ! steps 7 && ! steps 8
ok "a user's process is no job, whatever it calls itself"
agent 2
wait_until 20 eval "! kill -0 $node 2>/dev/null"
ok "... and a node that its controller does not answer ends itself beside it"
boot_node
node_up
cp /bin/sleep "$R/tmp/slurmstepd" && chmod 755 "$R/tmp/slurmstepd"
poses 0 /tmp/slurmstepd "slurmstepd: [7.batch]"
steps && steps 7 && ! steps 77
ok "a step of Slurm's is a job"
node_alice "echo running >one && touch -d 2037-01-01 one && echo x >work"
stage stage_in 12 "$paths"
is "$(last .event):$(cat "$R$d/one" "$R$d/work" | xargs)" "done:running x" \
    "beside a job that runs there nothing of it is taken away or replaced"
agent 1 6
wait_until 30 eval "! kill -0 $node 2>/dev/null"
ok "... for which the node stays until the longest time of a job is over"
like "$(grep -o 'for [0-9]* s: powering off' "$R/run/burst-node/agent.log")" "for [6-9] s:*" \
    "... and not earlier"
boot_node
node_up
ssh_op "$(prepare_json)"
ssh_op '{"op": "poweroff"}'
is "$(last .event)" done "poweroff is confirmed"
wait_until 10 eval "! kill -0 $node 2>/dev/null"
ok "... and done"

kill $stagerd
wait $stagerd
is "$?" 0 "burst-stagerd ends on SIGTERM"
[[ ! -e $T/stage.sock ]]
ok "... and takes its socket away"
echo "1..$count"
exit $((bad > 0))
