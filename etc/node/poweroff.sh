# SPDX-License-Identifier: GPL-3.0-or-later
# poweroff.sh - ends the instance. The answer is sent before the machine goes. No parameters.
# shellcheck shell=sh
# shellcheck disable=SC1007,SC2015,SC2034,SC2154 # see lib.sh
cd /run/burst-node || exit 1
# shellcheck source-path=SCRIPTDIR source=lib.sh
. ./lib.sh

echo "poweroff now"
detach /dev/null sh -c '. ./lib.sh; sleep 0.2; power_off'
