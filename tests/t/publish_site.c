// SPDX-License-Identifier: GPL-3.0-or-later
// Publishes the snapshot of the small site of the plugin's tests to the file named, each half
// second, until it is killed: plays burstd for tests of the plugin inside a real slurmctld.
#include <stdio.h>
#include <unistd.h>

#include "tests/unit/slurm_plugin/site.h"

int main(int argc, char **argv)
{
    static struct snapshot s;
    burst_error_t err;

    if (argc != 2) {
        fprintf(stderr, "usage: publish_site FILE\n");
        return 2;
    }
    struct snapshot_writer *w = snapshot_writer_create(argv[1], &err);
    if (!w) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    site_fill(&s);
    for (;;) {
        if (snapshot_publish(w, &s, &err) < 0)
            fprintf(stderr, "%s\n", err.text);
        usleep(500000);
    }
}
