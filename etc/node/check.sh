# SPDX-License-Identifier: GPL-3.0-or-later
# check.sh - says what runs on the node: munged, slurmd, agent. No parameters ("end").
# shellcheck shell=sh
# shellcheck disable=SC1007,SC2015,SC2034,SC2154 # see lib.sh
cd /run/burst-node || exit 1
# shellcheck source-path=SCRIPTDIR source=lib.sh
. ./lib.sh

munge -n >/dev/null 2>&1 && echo "munged running"
for file in slurmd.node.*; do
    [ -f "$file" ] || continue
    read -r pidfile <"$file"
    alive "$pidfile" slurmd >/dev/null && echo "slurmd ${file#slurmd.node.}"
done
pid=$(alive agent.pid sh) && echo "agent $pid"
exit 0
