// SPDX-License-Identifier: GPL-3.0-or-later
// Layers: lower = the root file system alone (a plain, not recursive bind mount of /, read only),
// upper = a tmpfs. What must not be seen is hidden in the upper layer before the overlay is
// mounted: an "opaque" directory hides the lower one's content, a 0:0 device hides a file. Nothing
// of the machine's own files is ever opened for writing.
#include "localcloud/guest_root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "libburst/fsutil.h"
#include "libburst/strbuf.h"
#include "libburst/xalloc.h"

#define MAX_ACCOUNTS (4u << 20)
#define FIRST_PERSON 1000 // UID_MIN of Debian: accounts of people begin here
#define LAST_PERSON 60000

struct layers {
    char lower[PATH_MAX];
    char upper[PATH_MAX];
    char work[PATH_MAX];
    char root[PATH_MAX];
};

static const char *join(char buf[PATH_MAX], const char *a, const char *b)
{
    if (snprintf(buf, PATH_MAX, "%s/%s", a, b) >= PATH_MAX)
        buf[0] = '\0'; // fails as ENOENT where it is used
    return buf;
}

static int make_dir(const char *path, mode_t mode, burst_error_t *errp)
{
    if (mkdir(path, mode) < 0 && errno != EEXIST)
        return errprintf(errp, "%s: cannot make the directory: %s", path, strerror(errno));
    return 0;
}

static int do_mount(const char *type, const char *source, const char *target, unsigned long flags,
                    const char *options, burst_error_t *errp)
{
    if (mount(source, target, type, flags, options) < 0)
        return errprintf(errp, "cannot mount %s at %s: %s", type ? type : source, target,
                         strerror(errno));
    return 0;
}

// ---- what is hidden ---------------------------------------------------------------------------

enum hide {
    EMPTY,    // the directory is there, with nothing in it
    SKELETON, // its subdirectories too, all empty (programs expect their log and spool places)
};

struct hidden {
    const char *path; // the last part may be a pattern
    enum hide how;
};

static const struct hidden hidden[] = {
    {"etc/slurm", EMPTY},           {"etc/slurm-llnl", EMPTY},  {"etc/munge", EMPTY},
    {"etc/burst", EMPTY},           {"etc/ssh", EMPTY},         {"etc/ssl/private", EMPTY},
    {"var/backups", EMPTY},         {"var/mail", EMPTY},        {"var/tmp", EMPTY},
    {"var/cache/debconf", EMPTY},   {"var/lib/mysql*", EMPTY},  {"var/lib/munge", EMPTY},
    {"var/lib/postgresql*", EMPTY}, {"var/lib/docker*", EMPTY}, {"var/lib/burst*", EMPTY},
    {"var/lib/slurm*", SKELETON},   {"var/spool", SKELETON},    {"var/spool/slurm*", SKELETON},
    {"var/log", SKELETON},
};

// Of the root directory only these are seen; everything else is the machine's own business.
static const char *const top_kept[] = {"bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr"};
static const char *const top_merged[] = {"etc", "var", "opt"};
static const char *const top_empty[] = {"boot", "dev", "home", "media", "mnt", "proc",
                                        "root", "run", "srv",  "sys",   "tmp"};

static bool in_list(const char *name, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(name, list[i]) == 0)
            return true;
    return false;
}
#define IN(name, list) in_list(name, list, sizeof(list) / sizeof((list)[0]))

// Makes a directory of the upper layer with owner and mode of the lower one.
static int copy_dir(const struct layers *l, const char *rel, burst_error_t *errp)
{
    char from[PATH_MAX], to[PATH_MAX];
    struct stat st;

    if (lstat(join(from, l->lower, rel), &st) < 0)
        return errprintf(errp, "%s: %s", from, strerror(errno));
    if (make_dir(join(to, l->upper, rel), 0700, errp) < 0)
        return -1;
    if (chown(to, st.st_uid, st.st_gid) < 0 || chmod(to, st.st_mode & 07777) < 0)
        return errprintf(errp, "%s: %s", to, strerror(errno));
    return 0;
}

static int copy_parents(const struct layers *l, const char *rel, burst_error_t *errp)
{
    char part[PATH_MAX];

    snprintf(part, sizeof(part), "%s", rel);
    for (char *slash = strchr(part, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (copy_dir(l, part, errp) < 0)
            return -1;
        *slash = '/';
    }
    return 0;
}

static bool is_dir(const struct layers *l, const char *rel)
{
    char path[PATH_MAX];
    struct stat st;

    return lstat(join(path, l->lower, rel), &st) == 0 && S_ISDIR(st.st_mode);
}

// Calls step for each entry of a lower directory; stops at the first error.
typedef int (*entry_step)(const struct layers *l, const char *rel, void *arg, burst_error_t *errp);

static int for_entries(const struct layers *l, const char *dir, const char *pattern,
                       entry_step step, void *arg, burst_error_t *errp)
{
    char path[PATH_MAX], rel[PATH_MAX];
    DIR *d = opendir(join(path, l->lower, dir));
    struct dirent *e;
    int rc = 0;

    if (!d)
        return 0; // nothing there to hide
    while (rc == 0 && (e = readdir(d))) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            fnmatch(pattern, e->d_name, 0) != 0)
            continue;
        if (*dir)
            join(rel, dir, e->d_name);
        else
            snprintf(rel, sizeof(rel), "%s", e->d_name);
        rc = step(l, rel, arg, errp);
    }
    closedir(d);
    return rc;
}

static int copy_if_dir(const struct layers *l, const char *rel, void *arg, burst_error_t *errp)
{
    return is_dir(l, rel) ? copy_dir(l, rel, errp) : 0;
}

static int hide_dir(const struct layers *l, const char *rel, void *arg, burst_error_t *errp)
{
    enum hide how = *(const enum hide *)arg;
    char path[PATH_MAX];

    if (!is_dir(l, rel))
        return 0;
    if (copy_parents(l, rel, errp) < 0 || copy_dir(l, rel, errp) < 0)
        return -1;
    if (setxattr(join(path, l->upper, rel), "trusted.overlay.opaque", "y", 1, 0) < 0)
        return errprintf(errp, "cannot hide /%s in the instance: %s", rel, strerror(errno));
    return how == SKELETON ? for_entries(l, rel, "*", copy_if_dir, NULL, errp) : 0;
}

static int hide_top(const struct layers *l, const char *rel, void *arg, burst_error_t *errp)
{
    enum hide how = EMPTY;
    char path[PATH_MAX];

    if (IN(rel, top_kept) || IN(rel, top_merged))
        return 0;
    if (IN(rel, top_empty))
        return hide_dir(l, rel, &how, errp);
    if (mknod(join(path, l->upper, rel), S_IFCHR, makedev(0, 0)) < 0)
        return errprintf(errp, "cannot hide /%s in the instance: %s", rel, strerror(errno));
    return 0;
}

static int hide_all(const struct layers *l, burst_error_t *errp)
{
    char dir[PATH_MAX];

    if (for_entries(l, "", "*", hide_top, NULL, errp) < 0)
        return -1;
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
        enum hide how = hidden[i].how;
        snprintf(dir, sizeof(dir), "%s", hidden[i].path);
        char *slash = strrchr(dir, '/');
        *slash = '\0';
        if (is_dir(l, dir) && for_entries(l, dir, slash + 1, hide_dir, &how, errp) < 0)
            return -1;
    }
    return 0;
}

// ---- accounts: the system's, not the people's -------------------------------------------------

// Is this line of passwd or group (name:x:number:...) a person's?
static bool is_person(const char *line)
{
    const char *p = strchr(line, ':');

    p = p ? strchr(p + 1, ':') : NULL;
    if (!p)
        return false;
    long id = strtol(p + 1, NULL, 10);
    return id >= FIRST_PERSON && id <= LAST_PERSON;
}

// A line of /etc/shadow with a password that nobody can give; "*" does not lock key logins out.
static void lock_line(struct strbuf *out, const char *line)
{
    int name = (int)strcspn(line, ":");

    strbuf_addf(out, "%.*s:*:19000:0:99999:7:::\n", name, line);
}

static int write_upper(const struct layers *l, const char *rel, const char *text, mode_t mode,
                       burst_error_t *errp)
{
    char path[PATH_MAX];
    int fd = open(join(path, l->upper, rel), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    size_t len = strlen(text);

    if (fd < 0)
        return errprintf(errp, "%s: %s", path, strerror(errno));
    ssize_t n = write(fd, text, len);
    if (n != (ssize_t)len || fchmod(fd, mode) < 0) {
        errprintf(errp, "%s: %s", path, n < 0 ? strerror(errno) : "the instance's disk is full");
        close(fd);
        return -1;
    }
    close(fd);
    return 0;
}

// passwd and group without people; with shadow: an entry for each account that is left.
static int filter_accounts(const struct layers *l, const char *rel, const char *shadow,
                           burst_error_t *errp)
{
    char path[PATH_MAX], *text, *rest, *line;
    struct strbuf kept, locked;

    if (fs_read(join(path, l->lower, rel), MAX_ACCOUNTS, &text, NULL, errp) < 0)
        return -1;
    strbuf_init(&kept, MAX_ACCOUNTS);
    strbuf_init(&locked, MAX_ACCOUNTS);
    for (line = text; line && *line; line = rest) {
        rest = strchr(line, '\n');
        if (rest)
            *rest++ = '\0';
        if (!*line || is_person(line))
            continue;
        strbuf_addf(&kept, "%s\n", line);
        lock_line(&locked, line);
    }
    free(text);
    int rc = write_upper(l, rel, kept.data, 0644, errp);
    if (rc == 0 && shadow)
        rc = write_upper(l, shadow, locked.data, 0640, errp);
    strbuf_free(&kept);
    strbuf_free(&locked);
    return rc;
}

static int hide_file(const struct layers *l, const char *rel, burst_error_t *errp)
{
    char path[PATH_MAX];
    struct stat st;

    if (lstat(join(path, l->lower, rel), &st) < 0)
        return 0;
    if (mknod(join(path, l->upper, rel), S_IFCHR, makedev(0, 0)) < 0)
        return errprintf(errp, "cannot hide /%s in the instance: %s", rel, strerror(errno));
    return 0;
}

static int write_accounts(const struct layers *l, burst_error_t *errp)
{
    static const char *const old[] = {"etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow",
                                      "etc/gshadow-"};

    for (size_t i = 0; i < sizeof(old) / sizeof(old[0]); i++)
        if (hide_file(l, old[i], errp) < 0)
            return -1;
    if (filter_accounts(l, "etc/passwd", "etc/shadow", errp) < 0 ||
        filter_accounts(l, "etc/group", NULL, errp) < 0)
        return -1;
    return 0;
}

// ---- files of the instance --------------------------------------------------------------------

static const char sshd_config[] =
    "# an instance of the local cloud: keys only, and nothing that waits for a name server\n"
    "HostKey /etc/ssh/ssh_host_ed25519_key\n"
    "PidFile none\n"
    "UseDNS no\n"
    // the default, sntrup761, costs each login 75 ms of computing
    "KexAlgorithms curve25519-sha256,curve25519-sha256@libssh.org\n"
    "UsePAM no\n"
    "AuthenticationMethods publickey\n"
    "PasswordAuthentication no\n"
    "KbdInteractiveAuthentication no\n"
    "PermitRootLogin prohibit-password\n"
    "PrintMotd no\n"
    "PrintLastLog no\n"
    "X11Forwarding no\n"
    "MaxStartups 100\n"
    "MaxSessions 100\n"
    "LogLevel ERROR\n"
    "Subsystem sftp internal-sftp\n";

static int write_identity(const struct layers *l, const struct guest_spec *spec,
                          burst_error_t *errp)
{
    char text[512], hex[33];
    unsigned char random[16];
    unsigned a = spec->address;

    snprintf(text, sizeof(text), "%s\n", spec->id);
    if (write_upper(l, "etc/hostname", text, 0644, errp) < 0)
        return -1;
    // munged and slurmd look their own name up at start; without this line they wait for a name
    // server that is not there.
    snprintf(text, sizeof(text),
             "127.0.0.1 localhost\n::1 localhost ip6-localhost\n%u.%u.%u.%u %s\n", a >> 24,
             a >> 16 & 255, a >> 8 & 255, a & 255, spec->id);
    if (write_upper(l, "etc/hosts", text, 0644, errp) < 0)
        return -1;
    if (getrandom(random, sizeof(random), 0) != sizeof(random))
        return errprintf(errp, "no random numbers: %s", strerror(errno));
    for (int i = 0; i < 16; i++)
        snprintf(hex + 2 * i, 3, "%02x", random[i]);
    snprintf(text, sizeof(text), "%s\n", hex);
    if (write_upper(l, "etc/machine-id", text, 0444, errp) < 0)
        return -1;
    return write_upper(l, "etc/resolv.conf", "", 0644, errp);
}

static int write_ssh(const struct layers *l, const struct guest_spec *spec, burst_error_t *errp)
{
    char path[PATH_MAX], text[8192];

    if (make_dir(join(path, l->upper, "etc/ssh"), 0755, errp) < 0 ||
        write_upper(l, "etc/ssh/sshd_config", sshd_config, 0644, errp) < 0 ||
        write_upper(l, "etc/ssh/ssh_host_ed25519_key", spec->host_private_key, 0600, errp) < 0)
        return -1;
    if (make_dir(join(path, l->upper, "root"), 0700, errp) < 0 ||
        make_dir(join(path, l->upper, "root/.ssh"), 0700, errp) < 0)
        return -1;
    // sshd refuses a home directory that others can write to.
    if (chmod(join(path, l->upper, "root"), 0700) < 0)
        return errprintf(errp, "%s: %s", path, strerror(errno));
    snprintf(text, sizeof(text), "%s\n", spec->ssh_public_key);
    return write_upper(l, "root/.ssh/authorized_keys", text, 0600, errp);
}

// ---- mounts -----------------------------------------------------------------------------------

static int mount_overlay(const struct layers *l, burst_error_t *errp)
{
    char *options = xasprintf("lowerdir=%s,upperdir=%s,workdir=%s", l->lower, l->upper, l->work);
    int rc = mount("overlay", l->root, "overlay", 0, options);
    int saved = errno;

    free(options);
    if (rc == 0)
        return 0;
    if (saved == EINVAL || saved == ELOOP)
        return errprintf(errp,
                         "the kernel refuses an overlay over the root file system (%s): the root "
                         "is itself made of overlays, and the kernel stacks two levels at most; "
                         "run this on a machine, or in a container on a plain file system",
                         strerror(saved));
    if (saved == ENODEV)
        return errprintf(errp, "the kernel has no overlay file system (modprobe overlay)");
    return errprintf(errp, "cannot mount an overlay over the root file system: %s",
                     strerror(saved));
}

static int make_layers(const struct guest_spec *spec, struct layers *l, burst_error_t *errp)
{
    char options[64];
    const char *mp = spec->mountpoint;

    // Nothing that is mounted here may be seen outside, and no mount made outside later comes in.
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return errprintf(errp, "cannot make the mounts private: %s", strerror(errno));
    snprintf(options, sizeof(options), "size=%lldm,mode=755", (long long)spec->disk_mib);
    if (do_mount("tmpfs", "instance", mp, MS_NODEV, options, errp) < 0)
        return -1;
    if (make_dir(join(l->lower, mp, "lower"), 0755, errp) < 0 ||
        make_dir(join(l->upper, mp, "upper"), 0755, errp) < 0 ||
        make_dir(join(l->work, mp, "work"), 0755, errp) < 0 ||
        make_dir(join(l->root, mp, "root"), 0755, errp) < 0)
        return -1;
    if (do_mount(NULL, "/", l->lower, MS_BIND, NULL, errp) < 0)
        return -1;
    return do_mount(NULL, "none", l->lower, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL, errp);
}

struct device {
    const char *name;
    unsigned major, minor;
};

static const struct device devices[] = {{"null", 1, 3},   {"zero", 1, 5},    {"full", 1, 7},
                                        {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};

static int make_node(const char *root, const char *name, unsigned major, unsigned minor,
                     burst_error_t *errp)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/dev/%s", root, name);
    if (mknod(path, S_IFCHR | 0666, makedev(major, minor)) < 0 || chmod(path, 0666) < 0)
        return errprintf(errp, "cannot make the device %s: %s", name, strerror(errno));
    return 0;
}

static int make_dev_link(const char *root, const char *name, const char *to, burst_error_t *errp)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/dev/%s", root, name);
    if (symlink(to, path) < 0)
        return errprintf(errp, "cannot make /dev/%s: %s", name, strerror(errno));
    return 0;
}

static int make_dev(const char *root, unsigned accelerators, burst_error_t *errp)
{
    char path[PATH_MAX], name[32];

    if (do_mount("tmpfs", "dev", join(path, root, "dev"), MS_NOSUID, "mode=755,size=64m", errp) < 0)
        return -1;
    for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
        if (make_node(root, devices[i].name, devices[i].major, devices[i].minor, errp) < 0)
            return -1;
    // Accelerators for those who only count them: devices that exist, and swallow what they get.
    for (unsigned i = 0; i < accelerators; i++) {
        snprintf(name, sizeof(name), "nvidia%u", i);
        if (make_node(root, name, 1, 3, errp) < 0)
            return -1;
    }
    if (make_dir(join(path, root, "dev/pts"), 0755, errp) < 0 ||
        do_mount("devpts", "devpts", path, MS_NOSUID | MS_NOEXEC,
                 "newinstance,ptmxmode=0666,mode=620,gid=5", errp) < 0 ||
        make_dir(join(path, root, "dev/shm"), 01777, errp) < 0 || chmod(path, 01777) < 0)
        return -1;
    if (make_dev_link(root, "ptmx", "pts/ptmx", errp) < 0 ||
        make_dev_link(root, "fd", "/proc/self/fd", errp) < 0 ||
        make_dev_link(root, "stdin", "/proc/self/fd/0", errp) < 0 ||
        make_dev_link(root, "stdout", "/proc/self/fd/1", errp) < 0 ||
        make_dev_link(root, "stderr", "/proc/self/fd/2", errp) < 0)
        return -1;
    return 0;
}

// slurmd looks at the type of these mounts and ends if they are not there. Best is a hierarchy of
// its own without controllers: nothing of the real machine's is seen or touched. Inside a container
// the kernel may refuse to make one; then the real one is shown.
static int mount_cgroup(const char *root, burst_error_t *errp)
{
    const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    char path[PATH_MAX], inner[PATH_MAX];

    if (do_mount("tmpfs", "cgroup", join(path, root, "sys/fs/cgroup"), flags, "mode=755,size=1m",
                 errp) < 0 ||
        make_dir(join(inner, root, "sys/fs/cgroup/systemd"), 0755, errp) < 0)
        return -1;
    if (mount("cgroup", inner, "cgroup", flags, "none,name=burst") == 0)
        return 0;
    if (umount2(path, 0) < 0)
        return errprintf(errp, "umount %s: %s", path, strerror(errno));
    return do_mount(NULL, "/sys/fs/cgroup", path, MS_BIND | MS_REC, NULL, errp);
}

static int mount_inner(const char *root, unsigned accelerators, burst_error_t *errp)
{
    static const struct {
        const char *type, *dir, *options;
        unsigned long flags;
    } table[] = {
        {"proc", "proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
        {"sysfs", "sys", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY},
        {"tmpfs", "run", "mode=755", MS_NOSUID | MS_NODEV},
        {"tmpfs", "tmp", "mode=1777", MS_NOSUID | MS_NODEV},
        {"tmpfs", "home", "mode=755", MS_NOSUID | MS_NODEV},
    };
    char path[PATH_MAX];

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (make_dir(join(path, root, table[i].dir), 0755, errp) < 0 ||
            do_mount(table[i].type, table[i].type, path, table[i].flags, table[i].options, errp) <
                0)
            return -1;
    if (make_dir(join(path, root, "run/sshd"), 0755, errp) < 0 ||
        make_dir(join(path, root, "run/lock"), 01777, errp) < 0)
        return -1;
    if (mount_cgroup(root, errp) < 0)
        return -1;
    return make_dir(join(path, root, "dev"), 0755, errp) < 0 ? -1
                                                             : make_dev(root, accelerators, errp);
}

static int pivot(const char *root, burst_error_t *errp)
{
    if (chdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 ||
        chdir("/") < 0)
        return errprintf(errp, "cannot enter the new root file system: %s", strerror(errno));
    return 0;
}

// There is no init system inside: these end PID 1, which ends the instance.
static int write_power_commands(burst_error_t *errp)
{
    static const char *const names[] = {"poweroff", "halt", "shutdown", "reboot"};
    static const char text[] = "#!/bin/sh\n# the instance ends with its first process\n"
                               "exec kill -TERM 1\n";
    char path[64];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "/sbin/%s", names[i]);
        unlink(path); // it may be a link to another program
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
        if (fd < 0 || write(fd, text, sizeof(text) - 1) != (ssize_t)sizeof(text) - 1 ||
            fchmod(fd, 0755) < 0) {
            errprintf(errp, "%s: %s", path, strerror(errno));
            if (fd >= 0)
                close(fd);
            return -1;
        }
        close(fd);
    }
    return 0;
}

int guest_root_enter(const struct guest_spec *spec, burst_error_t *errp)
{
    struct layers l;
    char path[PATH_MAX];

    umask(0); // modes below are meant as written
    if (make_layers(spec, &l, errp) < 0 || hide_all(&l, errp) < 0 ||
        copy_dir(&l, "etc", errp) < 0 || write_accounts(&l, errp) < 0 ||
        write_identity(&l, spec, errp) < 0 || write_ssh(&l, spec, errp) < 0 ||
        mount_overlay(&l, errp) < 0)
        return -1;
    if (access(join(path, l.root, "usr/sbin/sshd"), X_OK) < 0)
        return errprintf(errp,
                         "/usr/sbin/sshd is not on the root file system: install openssh-server; "
                         "if /usr is a file system of its own, this machine cannot be used (an "
                         "instance sees the root file system alone)");
    if (mount_inner(l.root, spec->accelerators, errp) < 0 || pivot(l.root, errp) < 0)
        return -1;
    umask(022);
    return write_power_commands(errp);
}
