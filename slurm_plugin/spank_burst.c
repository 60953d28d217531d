// SPDX-License-Identifier: GPL-3.0-or-later
// spank/burst: gives sbatch, salloc and srun the options --burst*. They are checked here to give a
// good message early, and once more in job_submit/burst, because nobody has to use this plugin to
// submit. On nodes the options are known (Slurm hands them over) and do nothing.
//
// Slurm exports a job's SPANK options into its environment, where an sbatch inside the job would
// take them up again: a nested job must not inherit a deadline or a cap. They are removed from the
// environment of commands that run inside a job.
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "slurm_plugin/compat.h"
#include "slurm_plugin/directive.h"

SPANK_PLUGIN(burst, 1)

#define ENV_OPTION "_SLURM_SPANK_OPTION_burst_"
#define ENV_INHERITED "SLURM_SPANK_" ENV_OPTION
#define OPTIONS_MAX 16

static struct directive wish; // of this command; commands are single-threaded here

static void env_name(char *buf, size_t size, const char *prefix, const char *option)
{
    size_t n = (size_t)snprintf(buf, size, "%s%s", prefix, option);

    for (size_t i = 0; i < n && i < size; i++)
        if (buf[i] == '-')
            buf[i] = '_';
}

static void forget_outer_job(void)
{
    char name[96];

    for (const struct directive_option *o = directive_options; o->name; o++) {
        env_name(name, sizeof(name), ENV_INHERITED, o->name);
        unsetenv(name);
        env_name(name, sizeof(name), ENV_OPTION, o->name);
        unsetenv(name);
    }
}

static bool in_command(void)
{
    spank_context_t c = spank_context();

    return c == S_CTX_LOCAL || c == S_CTX_ALLOCATOR;
}

// Nonzero: the command ends with "Invalid --burst-... argument" behind our sentence.
static int take_option(int val, const char *value, int remote)
{
    burst_error_t err;

    if (remote || !in_command())
        return 0;
    if (directive_set(&wish, directive_options[val].name, value, time(NULL), &err) == 0)
        return 0;
    slurm_error("%s", err.text);
    return -1;
}

int slurm_spank_init(spank_t sp, int ac, char **av)
{
    static struct spank_option option[OPTIONS_MAX];

    if (in_command() && getenv("SLURM_JOB_ID"))
        forget_outer_job();
    for (int i = 0; directive_options[i].name && i < OPTIONS_MAX; i++) {
        option[i] = (struct spank_option){
            .name = (char *)directive_options[i].name, // spank.h does not know const
            .arginfo = (char *)directive_options[i].arginfo,
            .usage = (char *)directive_options[i].usage,
            .has_arg = 1,
            .val = i,
            .cb = take_option,
        };
        if (spank_option_register(sp, &option[i]) != ESPANK_SUCCESS) {
            slurm_error("burst: the option --%s could not be registered", option[i].name);
            return -1;
        }
    }
    return 0;
}

// The deadline was written in the user's time zone and is read in the controller's: hand it on in
// UTC. Should that fail, the controller reads it as written.
int slurm_spank_init_post_opt(spank_t sp, int ac, char **av)
{
    char name[96], text[32];
    time_t t = (time_t)wish.deadline;
    struct tm tm;
    burst_error_t err;

    if (in_command() && wish.given && directive_check_sum(&wish, &err) < 0) {
        slurm_error("%s", err.text);
        return -1; // job_submit/burst would say the same
    }

    if (!in_command() || !(wish.given & DIRECTIVE_HAS_DEADLINE) || !gmtime_r(&t, &tm) ||
        !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
        return 0;
    env_name(name, sizeof(name), ENV_OPTION, "burst-deadline");
    spank_job_control_setenv(sp, name, text, 1);
    return 0;
}
