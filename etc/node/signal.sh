# SPDX-License-Identifier: GPL-3.0-or-later
# signal.sh - tells a job's processes of something, but only those that catch the signal: the others
# would die of it, and a job without a handler must live on until its node ends.
#
# Parameters: job ID | signal NUMBER (1 to 31) | end
# Answers: told COUNT
# shellcheck shell=sh
# shellcheck disable=SC1007,SC2015,SC2034,SC2154 # see lib.sh
cd /run/burst-node || exit 1
# shellcheck source-path=SCRIPTDIR source=lib.sh
. ./lib.sh

job= signal=
while IFS= read -r line && [ "$line" != end ]; do
    value=${line#* }
    case ${line%% *} in
        job) job=$value ;;
        signal) signal=$value ;;
        *) die "signal: unknown parameter \"$line\"" ;;
    esac
done
[ "$line" = end ] || die "signal: the parameters ended early"
case $job$signal in
    '' | *[!0-9]*) die "signal: job and signal are numbers" ;;
esac

catches() # PID: does it have a handler? (SigCgt is a mask of 64 bits in hex; ours are in the last 8 digits)
{
    while read -r key mask _; do
        [ "$key" = SigCgt: ] || continue
        low=${mask#????????}
        [ $((0x$low >> (signal - 1) & 1)) = 1 ]
        return
    done <"/proc/$1/status"
    return 1
}

told=0
for dir in /proc/[0-9]*; do
    pid=${dir#/proc/}
    tr '\0' '\n' 2>/dev/null <"$dir/environ" | grep -qx "SLURM_JOB_ID=$job" || continue
    case $(tr '\0' ' ' 2>/dev/null <"$dir/cmdline") in
        slurmstepd:*) continue ;;
    esac
    catches "$pid" 2>/dev/null && kill "-$signal" "$pid" 2>/dev/null && told=$((told + 1))
done
echo "told $told"
