// SPDX-License-Identifier: GPL-3.0-or-later
// burst-resume, burst-resume-fail, burst-suspend: Slurm's ResumeProgram, ResumeFailProgram and
// SuspendProgram, called with a host list expression. They hand over to burstd through its durable
// spool and end at once: Slurm waits for them at a restart and kills slow ones, and burstd may be
// down. HOOK_KIND is set by the makefile: the name in argv[0] differs between Slurm's releases.
// Exit status 1: the spool cannot be written; burstd then finds out from the states of the nodes.
#include <stdlib.h>
#include <string.h>

#include "slurm_plugin/hooks/hook.h"
#include "slurm_plugin/hooks/spool_file.h"

int main(int argc, char **argv)
{
    struct hook h;
    burst_error_t err, warning;

    hook_start(&h, HOOK_NAME);
    if (argc != 2 || !argv[1][0]) {
        hook_log("usage: %s HOSTLIST (called by slurmctld)", HOOK_NAME);
        return 1;
    }
    const char *resume = strcmp(HOOK_KIND, "resume") == 0 ? getenv("SLURM_RESUME_FILE") : NULL;
    if (spool_file_write(h.conf.state_dir, HOOK_KIND, argv[1], resume, &warning, &err) < 0) {
        hook_log("%.200s: the message to burstd is lost: %s", argv[1], err.text);
        return 1;
    }
    if (warning.text[0])
        hook_log("%.200s: %s", argv[1], warning.text);
    hook_poke(&h, "spool");
    return 0;
}
