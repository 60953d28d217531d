// SPDX-License-Identifier: GPL-3.0-or-later
// What the job_submit plugin may know of the site, published by burstd in RUNDIR/snapshot.
//
// One fixed layout, written in place with pwrite() and read with pread(). It is not mapped into
// slurmctld: whoever truncates a mapped file kills the mapping process with SIGBUS, and slurmctld
// must outlive every state of our files. pread() of a few kilobytes from tmpfs costs about the
// same. Reader and writer are not synchronised; a torn read shows in a checksum and is repeated.
//
// The head carries its own checksum and that of the body. When nothing but the time has changed the
// writer rewrites the head only, and readers that have the body of that sequence number keep it.
//
// Times are CLOCK_BOOTTIME milliseconds: they go on while the machine sleeps and nobody sets them.
// Money is micro-dollars per hour, MONEY_UNKNOWN = not offered. Memory is MiB.
#ifndef BURST_SNAPSHOT_H
#define BURST_SNAPSHOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libburst/error.h"
#include "libburst/money.h"

#define SNAPSHOT_MAGIC UINT64_C(0x31504e5354535242) // "BRSTSNP1"
#define SNAPSHOT_VERSION 3u
#define SNAPSHOT_MAX_AGE_MS 5000 // older: burstd is not running now (or very busy)

#define SNAPSHOT_NAME 64  // buffer for a name or a pattern
#define SNAPSHOT_GPU 32   // buffer for a GPU type
#define SNAPSHOT_CLOUD 36 // buffer for a cloud name (CONF_NAME_MAX and its end)
#define SNAPSHOT_PATTERNS 32
#define SNAPSHOT_USERS 512
#define SNAPSHOT_PARTITIONS 128
#define SNAPSHOT_KINDS 256
#define SNAPSHOT_GPUS 2 // GPU types in one node
#define SNAPSHOT_SHAPES 256
#define SNAPSHOT_ALIASES 64
#define SNAPSHOT_FEATURES 256 // buffer for the features of a node

struct snapshot_patterns { // shell patterns
    uint32_t n, unused;
    char text[SNAPSHOT_PATTERNS][SNAPSHOT_NAME];
};

// The plugin knows uids, not names, and must not ask a name service: burstd resolves what it can.
enum { SNAPSHOT_USER_ALLOWED = 1, SNAPSHOT_USER_OPERATOR = 2 };
struct snapshot_user {
    uint32_t uid;
    uint32_t flags; // SNAPSHOT_USER_*
};

// A partition of Slurm's, local or elastic.
struct snapshot_partition {
    char name[SNAPSHOT_NAME];
    uint32_t is_default; // where jobs go that name none
    uint32_t elastic;    // its nodes are rented
    uint32_t max_nodes;  // of one job; UINT32_MAX = no limit
    uint32_t max_minutes;
    uint32_t exclusive; // its jobs take whole nodes
    uint32_t unused;
    // What jobs get that do not say (DefMemPerNode, ...); 0 = nothing.
    uint64_t def_mem_per_node, def_mem_per_cpu, def_mem_per_gpu, def_cpus_per_gpu;
};

// Nodes of one local partition that are alike; those that are down or drained count too. A node in
// two partitions is listed with both.
struct snapshot_kind {
    uint32_t partition; // index
    uint32_t nodes;
    uint32_t cpus;
    uint32_t n_gpus; // used entries of gpu[]
    uint64_t memory_mib, tmp_disk_mib;
    char features[SNAPSHOT_FEATURES]; // comma list; "?" = too long to say
    struct {
        char type[SNAPSHOT_GPU]; // "" = configured without a type
        uint32_t count;          // per node
        uint32_t unused;
    } gpu[SNAPSHOT_GPUS];
};

// What a cloud rents out under an elastic partition.
struct snapshot_shape {
    uint32_t partition; // index
    uint32_t nodes;     // node names that exist
    uint32_t cpus;
    uint32_t gpus;               // 0 = none
    char gpu_type[SNAPSHOT_GPU]; // Slurm's name; "" = no GPU
    char cloud[SNAPSHOT_CLOUD];
    uint32_t unused;
    uint64_t memory_mib, tmp_disk_mib;
    char features[SNAPSHOT_FEATURES];
    money_t price_spot;      // lowest price per node and hour of any place
    money_t price_on_demand; // likewise
};

// Another name that people give to a GPU type ("A100-80GB" for "a100"); only for messages: Slurm
// itself knows the one type.
struct snapshot_alias {
    char name[SNAPSHOT_GPU];
    char gpu_type[SNAPSHOT_GPU];
};

// Lists that burstd could not fit in. The plugin concludes nothing from what is missing there.
enum {
    SNAPSHOT_CUT_LOCAL = 1 << 0,    // partitions or kinds: no job is called impossible here
    SNAPSHOT_CUT_PATTERNS = 1 << 1, // of the rules: burstd must check again
    SNAPSHOT_CUT_USERS = 1 << 2,
    SNAPSHOT_CUT_SHAPES = 1 << 3,
};

struct snapshot_body {
    // rules of the site (burst.yaml, eligibility)
    uint32_t default_auto;  // 0: only jobs with a --burst option leave
    uint32_t interactive;   // salloc and srun may burst
    uint32_t max_nodes;     // of one job; UINT32_MAX = no limit
    uint32_t max_minutes;   // time limit of one job; UINT32_MAX = no limit
    uint32_t unlisted_user; // flags of users not in the list. Patterns that burstd cannot resolve:
                            // SNAPSHOT_USER_ALLOWED, burstd checks again with the job's user name
    uint32_t cut;           // SNAPSHOT_CUT_*
    int64_t accept_s; // so long after burstd was last heard jobs are taken for it; 0 = not at all
    int64_t default_runtime_s; // of a job without time limit and --burst-runtime, for the caps
    money_t max_job_cost;      // cap of the site per job; INT64_MAX = none
    struct snapshot_patterns partitions, accounts, deny_accounts;
    struct snapshot_patterns licenses; // names, usable from rented nodes

    uint32_t n_users; // sorted by uid
    uint32_t n_partitions;
    uint32_t n_kinds;
    uint32_t n_shapes;
    uint32_t n_aliases;
    uint32_t unused;
    struct snapshot_user user[SNAPSHOT_USERS];
    struct snapshot_partition partition[SNAPSHOT_PARTITIONS];
    struct snapshot_kind kind[SNAPSHOT_KINDS];
    struct snapshot_shape shape[SNAPSHOT_SHAPES];
    struct snapshot_alias alias[SNAPSHOT_ALIASES];
};

struct snapshot_head {
    uint64_t magic;
    uint32_t version;
    uint32_t size;      // of head and body
    uint64_t sequence;  // of the body: changes with it; starts at the time of the first write
    int64_t written_ms; // CLOCK_BOOTTIME
    uint64_t withdrawn; // 1: burstd has stopped, at written_ms
    uint64_t body_sum;  // snapshot_sum() of the body
    uint64_t unused;
    uint64_t head_sum; // of all before it
};

struct snapshot {
    struct snapshot_head head; // the writer fills it in
    struct snapshot_body body;
};

// The writer: burstd.

// Empty: nobody is allowed anything, no partition is known.
void snapshot_init(struct snapshot *s);
// Copies a name into a field; false when it had to be cut (leave the entry out then).
bool snapshot_set(char *field, size_t size, const char *text);

struct snapshot_writer;
// Opens or creates the file (mode 0644, owner: the user that we are). Owned.
struct snapshot_writer *snapshot_writer_create(const char *path, burst_error_t *errp);
// Makes what is published stale at once (burstd does not run; the hooks still find the elastic
// partitions) and frees; NULL is allowed.
void snapshot_writer_destroy(struct snapshot_writer *w);
// Writes the body if it differs from the last one, or was not for thirty calls (somebody may have
// damaged it in place), and the head in any case. Fills in s->head.
// Sorts s->body.user. Makes the file again when somebody has removed it. Does not block (tmpfs).
int snapshot_publish(struct snapshot_writer *w, struct snapshot *s, burst_error_t *errp);

// The reader: plugin and hooks. No allocation, no lock, no errno promises.

enum snapshot_state {
    SNAPSHOT_OK,
    SNAPSHOT_MISSING, // cannot be opened, or is not a regular file of root's or ours
    SNAPSHOT_BAD,     // other version or size, garbage, or torn again and again
    SNAPSHOT_STALE,   // too old (or from the future)
};
const char *snapshot_state_text(enum snapshot_state s);

// Shared by all threads of a process. slurmctld serves every request in a new thread, so a
// thread-local copy would be cold each time; three process-wide copies with user counts let readers
// go on while one thread fetches a newer body.
#define SNAPSHOT_SLOTS 3
struct snapshot_reader {
    char path[256];
    atomic_int fd;         // -1 = not open
    atomic_int current;    // slot of the newest body, -1 = none
    atomic_flag fetching;  // one thread fetches
    atomic_llong tried_ms; // last attempt to open
    struct {
        atomic_int users;
        struct snapshot s;
    } slot[SNAPSHOT_SLOTS];
};

// Opens nothing yet. -1: the path is too long.
int snapshot_reader_init(struct snapshot_reader *r, const char *path);
void snapshot_reader_fini(struct snapshot_reader *r);

// The present snapshot, or NULL and the reason in *state. max_age_ms < 0: of any age. Every index
// and count in it is within bounds and every string is terminated. Give it back soon.
const struct snapshot_body *snapshot_acquire(struct snapshot_reader *r, int64_t max_age_ms,
                                             enum snapshot_state *state);
void snapshot_release(struct snapshot_reader *r, const struct snapshot_body *body);
// The last good one that this process has read, whatever became of the file; NULL: none yet. It
// tells which partitions are elastic, nothing else. Give it back with snapshot_release().
const struct snapshot_body *snapshot_last(struct snapshot_reader *r);

// Checks a copy in memory, of which len bytes were read, as the reader does, except for its age:
// magic, version, size, checksums, counts, indexes, ends of strings. SNAPSHOT_OK or SNAPSHOT_BAD.
enum snapshot_state snapshot_check(const struct snapshot *s, size_t len);

uint64_t snapshot_sum(const void *data, size_t len); // len is a multiple of 8

// Lookups; NULL when there is none.
const struct snapshot_partition *snapshot_find_partition(const struct snapshot_body *b,
                                                         const char *name);
unsigned snapshot_user_flags(const struct snapshot_body *b, uint32_t uid);
// Does the text match one of the patterns? An empty list matches nothing. Text of more than 255
// characters matches nothing either: it comes from users.
bool snapshot_match(const struct snapshot_patterns *p, const char *text);

#endif
