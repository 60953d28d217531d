// SPDX-License-Identifier: GPL-3.0-or-later
// See directive.h. Every option is one row of a table: its name for users, its key in the mark and
// the function that reads its value; option and mark go through the same functions, so that what
// burstd reads back was checked by the same rules.
#include "slurm_plugin/directive.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "libburst/clock.h"

#define MARK "burst:1 "
#define SEPARATOR " | "
#define ENV_PREFIX "_SLURM_SPANK_OPTION_burst_"
#define YEARS_10 (INT64_C(3660) * 86400)
#define MAX_COST (INT64_C(1000000000) * MONEY_PER_USD)
#define PATHS_MAX 64
#define QUOTED_MAX 64
#define PART_ROOM 64  // of the mark, for " part=NAME" when it is not known yet
#define MOVED_ROOM 24 // ... for " max_nodes=N", which burstd writes when it moves the job

const struct directive_option directive_options[] = {
    {"burst", "auto|never|only",
     "rent a node for this job: if the site's rules say so, never, only"},
    {"burst-deadline", "TIME", "when the job must have ended (2026-12-01T10:00 or now+6hours)"},
    {"burst-max-cost", "USD", "what the job may cost at most, in dollars"},
    {"burst-clouds", "LIST", "names of the clouds that may be used"},
    {"burst-market", "any|spot|on-demand", "kind of instance that may be used"},
    {"burst-runtime", "TIME",
     "estimate of the work, in the forms of --time; default: the time limit"},
    {"burst-data", "LOCATION:GB[,...]",
     "where the job's data lie, e.g. aws/us-east-1:150, or job/123:20 for what job 123 leaves"},
    {"burst-stage-in", "PATHS", "what is copied to the node; default: the submit directory"},
    {"burst-stage-out", "PATHS", "what is copied back; default: the submit directory"},
    {NULL, NULL, NULL},
};

static const char *const class_names[] = {"", "eligible", "held"};
static const char *const mode_names[] = {"auto", "never", "only"};
static const char *const market_names[] = {"any", "spot", "on-demand"};

const char *directive_class_name(enum directive_class c)
{
    return class_names[c];
}

const char *directive_mode_name(enum directive_mode m)
{
    return mode_names[m];
}

const char *directive_market_name(enum directive_market m)
{
    return market_names[m];
}

static int name_index(const char *const *names, int n, const char *text)
{
    for (int i = 0; i < n; i++)
        if (*text && strcmp(names[i], text) == 0)
            return i;
    return -1;
}

// What may stand in a message: the value comes from anywhere and goes to a terminal.
static const char *quoted(const char *value, char buf[QUOTED_MAX])
{
    size_t i;

    for (i = 0; value[i] && i < QUOTED_MAX - 4; i++)
        buf[i] = value[i] >= ' ' && value[i] <= '~' ? value[i] : '?';
    snprintf(buf + i, QUOTED_MAX - i, "%s", value[i] ? "..." : "");
    return buf;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '-';
}

// ---- times

// Exactly n digits.
static bool digits(const char **p, int n, int *out)
{
    for (*out = 0; n > 0; n--, (*p)++) {
        if (!is_digit(**p))
            return false;
        *out = *out * 10 + (**p - '0');
    }
    return true;
}

static bool literal(const char **p, char c)
{
    if (**p != c)
        return false;
    (*p)++;
    return true;
}

// "2026-12-01T10:00[:00]": local time, or UTC with a Z at its end (how our SPANK plugin passes it
// on, since the controller may be in another time zone than the user).
static bool iso_time(const char *p, int64_t *out)
{
    struct tm tm = {.tm_isdst = -1};
    int year, month;

    if (!digits(&p, 4, &year) || !literal(&p, '-') || !digits(&p, 2, &month) || !literal(&p, '-') ||
        !digits(&p, 2, &tm.tm_mday) || !literal(&p, 'T') || !digits(&p, 2, &tm.tm_hour) ||
        !literal(&p, ':') || !digits(&p, 2, &tm.tm_min))
        return false;
    if (*p == ':' && (p++, !digits(&p, 2, &tm.tm_sec)))
        return false;
    bool utc = literal(&p, 'Z');
    if (*p || month < 1 || month > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 ||
        tm.tm_min > 59 || tm.tm_sec > 59)
        return false;
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    int mday = tm.tm_mday;
    *out = utc ? timegm(&tm) : mktime(&tm);
    return tm.tm_mday == mday; // the 30th of February became something else
}

// "now+2hours": as Slurm writes it; a bare number counts seconds.
static bool relative_time(const char *p, int64_t now, int64_t *out)
{
    static const struct {
        const char *name;
        int64_t seconds;
    } units[] = {{"", 1},         {"second", 1},    {"seconds", 1},   {"minute", 60},
                 {"minutes", 60}, {"hour", 3600},   {"hours", 3600},  {"day", 86400},
                 {"days", 86400}, {"week", 604800}, {"weeks", 604800}};
    int64_t count = 0;

    if (strncmp(p, "now+", 4) != 0 || !is_digit(p[4]))
        return false;
    for (p += 4; is_digit(*p); p++)
        if ((count = count * 10 + (*p - '0')) > YEARS_10)
            return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(p, units[i].name) == 0) {
            *out = now + count * units[i].seconds;
            return true;
        }
    }
    return false;
}

// ---- values: each function takes one into d, or explains

struct input {
    const char *what;  // "--burst-market"
    const char *value; // never NULL
    int64_t now;
    burst_error_t *errp;
};

static int refuse(const struct input *in, const char *right)
{
    char q[QUOTED_MAX];

    return errprintf(in->errp, "%s=%s: %s", in->what, quoted(in->value, q), right);
}

static int take_mode(struct directive *d, const struct input *in)
{
    int i = name_index(mode_names, 3, in->value);

    if (i < 0)
        return refuse(in, "must be auto, never or only");
    d->mode = (enum directive_mode)i;
    return 0;
}

static int take_market(struct directive *d, const struct input *in)
{
    int i = name_index(market_names, 3, in->value);

    if (i < 0)
        return refuse(in, "must be any, spot or on-demand");
    d->market = (enum directive_market)i;
    return 0;
}

static int take_deadline(struct directive *d, const struct input *in)
{
    int64_t t;

    if (!iso_time(in->value, &t) && !relative_time(in->value, in->now, &t))
        return refuse(in, "not a time; write it like 2026-12-01T10:00 or now+6hours (seconds, "
                          "minutes, hours, days, weeks)");
    if (t <= in->now)
        return refuse(in, "this time has passed; a deadline lies in the future");
    if (t > in->now + YEARS_10)
        return refuse(in, "a deadline lies within the next ten years");
    d->deadline = t;
    return 0;
}

static int take_max_cost(struct directive *d, const struct input *in)
{
    money_t m;

    if (money_parse(in->value, &m, NULL) < 0)
        return refuse(in, "not an amount of dollars; write it like 12 or 0.25");
    if (m <= 0)
        return refuse(in, "must be more than 0; to rent nothing say --burst=never");
    if (m > MAX_COST)
        return refuse(in, "more than a billion dollars");
    d->max_cost = m;
    return 0;
}

static int take_runtime(struct directive *d, const struct input *in)
{
    int64_t s;

    if (clock_parse_duration(in->value, &s, NULL) < 0)
        return refuse(in, "not a duration; write it like --time: minutes, hours:minutes:seconds or "
                          "days-hours:minutes:seconds, up to ten years");
    d->runtime_s = s;
    return 0;
}

// Copies a value that was found good.
static int keep(char *field, size_t size, const struct input *in)
{
    char text[96];

    if (strlen(in->value) >= size) {
        snprintf(text, sizeof(text), "too long; at most %zu characters are possible", size - 1);
        return refuse(in, text);
    }
    snprintf(field, size, "%s", in->value);
    return 0;
}

static int take_clouds(struct directive *d, const struct input *in)
{
    int names = 1;
    size_t len = 0;

    for (const char *p = in->value;; p++) {
        if (*p == ',' || !*p) {
            if (len == 0 || len >= DIRECTIVE_CLOUD_MAX || names > DIRECTIVE_CLOUDS)
                return refuse(in, "must be up to 16 names of clouds with commas between, "
                                  "like aws,gcp");
            if (!*p)
                break;
            names++;
            len = 0;
        } else if (!is_name_char(*p)) {
            return refuse(in, "a cloud's name has letters, digits, - and _ only; write names with "
                              "commas between, like aws,gcp");
        } else {
            len++;
        }
    }
    return keep(d->clouds, sizeof(d->clouds), in);
}

const char *directive_data_job(const struct directive_data *item)
{
    return strncmp(item->location, "job/", 4) == 0 ? item->location + 4 : NULL;
}

// "123" or "123_4".
static bool is_job(const char *p)
{
    const char *start = p;

    while (is_digit(*p))
        p++;
    if (p == start || p - start > 10)
        return false;
    if (*p != '_')
        return !*p;
    for (start = ++p; is_digit(*p); p++)
        ;
    return p > start && p - start <= 10 && !*p;
}

// One "cloud/region:GB" or "job/ID:GB"; leaves *p behind it.
static bool data_item(const char **p, struct directive_data *item)
{
    const char *start = *p;
    double scale = 1;
    int slashes = 0;

    for (; is_name_char(**p) || **p == '.' || **p == '/'; (*p)++)
        if (**p == '/' && (slashes++, *p == start || !is_name_char((*p)[1])))
            return false;
    size_t len = (size_t)(*p - start);
    if (slashes != 1 || len >= sizeof(item->location) || **p != ':')
        return false;
    memcpy(item->location, start, len);
    item->location[len] = '\0';
    const char *job = directive_data_job(item);
    if (job && !is_job(job))
        return false;
    (*p)++;
    if (!is_digit(**p))
        return false;
    for (item->size_gb = 0; is_digit(**p); (*p)++)
        if ((item->size_gb = item->size_gb * 10 + (**p - '0')) > 1e9)
            return false;
    if (**p == '.') {
        if (!is_digit((*p)[1]))
            return false;
        for ((*p)++; is_digit(**p); (*p)++)
            item->size_gb += (**p - '0') * (scale /= 10);
    }
    return item->size_gb > 0;
}

bool directive_data_next(const char **cursor, struct directive_data *item)
{
    const char *p = *cursor;

    if (*p == ',')
        p++;
    if (!*p || !data_item(&p, item))
        return false;
    *cursor = p;
    return true;
}

static int take_data(struct directive *d, const struct input *in)
{
    struct directive_data item;
    const char *p = in->value;
    int n = 0;

    do {
        if (!data_item(&p, &item) || ++n > DIRECTIVE_DATA || (*p && *p != ','))
            return refuse(in, "must be up to 16 items CLOUD/REGION:GB or job/ID:GB with commas "
                              "between, like aws/us-east-1:150");
    } while (*p++ == ',');
    return keep(d->data, sizeof(d->data), in);
}

// Is the path element of len characters ".."?
static bool is_parent(const char *p, size_t len)
{
    return len == 2 && p[0] == '.' && p[1] == '.';
}

static const char *path_fault(const char *path, size_t len)
{
    if (len == 0)
        return "a path is empty; write paths with commas between, like data,/scratch/run1";
    if (path[0] == '~')
        return "~ is not known here; write the path in full";
    if (strspn(path, "/") >= len)
        return "the whole file system cannot be copied; name a directory";
    for (size_t i = 0, start = 0; i <= len; i++) {
        if (i < len && ((unsigned char)path[i] < ' ' || path[i] == 0x7f))
            return "line ends and control characters cannot be part of a path here";
        if (i == len || path[i] == '/') {
            if (is_parent(path + start, i - start))
                return "paths with .. are not taken; write the path in full";
            start = i + 1;
        }
    }
    return NULL;
}

static int take_paths(char *field, size_t size, const struct input *in)
{
    const char *p = in->value, *fault;
    int n = 0;

    do {
        size_t len = strcspn(p, ",");
        if ((fault = path_fault(p, len)))
            return refuse(in, fault);
        if (++n > PATHS_MAX)
            return refuse(in, "names more than 64 paths; name a directory above them");
        p += len;
    } while (*p++ == ',');
    return keep(field, size, in);
}

static int take_stage_in(struct directive *d, const struct input *in)
{
    return take_paths(d->stage_in, sizeof(d->stage_in), in);
}

static int take_stage_out(struct directive *d, const struct input *in)
{
    return take_paths(d->stage_out, sizeof(d->stage_out), in);
}

// In the order of directive_options[] and of the DIRECTIVE_HAS_ bits.
static int (*const take[])(struct directive *, const struct input *) = {
    take_mode,    take_deadline, take_max_cost, take_clouds,    take_market,
    take_runtime, take_data,     take_stage_in, take_stage_out,
};
#define OPTIONS (sizeof(take) / sizeof(take[0]))
_Static_assert(sizeof(directive_options) / sizeof(directive_options[0]) == OPTIONS + 1,
               "one function per option");

static int set_nth(struct directive *d, size_t i, const char *value, int64_t now,
                   burst_error_t *errp)
{
    char what[32];
    struct input in = {.what = what, .value = value ? value : "", .now = now, .errp = errp};

    bool list = (1u << i) & (DIRECTIVE_HAS_CLOUDS | DIRECTIVE_HAS_DATA | DIRECTIVE_HAS_STAGE_IN |
                             DIRECTIVE_HAS_STAGE_OUT);
    size_t most = list ? DIRECTIVE_LIST_MAX : DIRECTIVE_VALUE_MAX;

    snprintf(what, sizeof(what), "--%s", directive_options[i].name);
    if (strnlen(in.value, most + 1) > most) {
        char text[64];
        snprintf(text, sizeof(text), "longer than the %zu bytes that are read", most);
        return refuse(&in, text);
    }
    if (take[i](d, &in) < 0)
        return -1;
    d->given |= 1u << i;
    return 0;
}

int directive_set(struct directive *d, const char *option, const char *value, int64_t now,
                  burst_error_t *errp)
{
    char q[QUOTED_MAX];

    for (size_t i = 0; i < OPTIONS; i++)
        if (strcmp(directive_options[i].name, option) == 0)
            return set_nth(d, i, value, now, errp);
    return errprintf(errp, "--%s: there is no such option", quoted(option, q));
}

// Does the name in an environment entry ("burst_max_cost") mean this option ("burst-max-cost")?
static bool same_option(const char *option, const char *name, size_t len)
{
    if (strlen(option) != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (name[i] != (option[i] == '-' ? '_' : option[i]))
            return false;
    return true;
}

int directive_from_env(struct directive *d, char *const *env, size_t n, int64_t now,
                       burst_error_t *errp)
{
    const size_t prefix = strlen(ENV_PREFIX);

    for (size_t e = 0; env && e < n; e++) {
        if (!env[e] || strncmp(env[e], ENV_PREFIX, prefix) != 0)
            continue;
        const char *name = env[e] + prefix;
        size_t len = strcspn(name, "="), i = 0;
        while (i < OPTIONS && !same_option(directive_options[i].name, name, len))
            i++;
        if (i == OPTIONS) {
            char q[QUOTED_MAX];
            return errprintf(errp,
                             "option %s is not known to the burst plugin of this cluster; the one "
                             "on your machine is of another version",
                             quoted(name, q));
        }
        if (set_nth(d, i, name[len] ? name + len + 1 : "", now, errp) < 0)
            return -1;
    }
    return 0;
}

// ---- the mark

const char *directive_find_mark(const char *admin_comment)
{
    const char *found = NULL;

    if (!admin_comment)
        return NULL;
    if (strncmp(admin_comment, MARK, strlen(MARK)) == 0)
        found = admin_comment;
    for (const char *p = admin_comment; (p = strstr(p, SEPARATOR MARK)); p++)
        found = p + strlen(SEPARATOR);
    return found;
}

static int hex_digit(char c)
{
    return is_digit(c) ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Decodes len characters into buf; false when it does not fit, is not our coding, or hides a NUL.
static bool decode(const char *p, size_t len, char *buf, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        char c = p[i];
        if (c == '%') {
            int hi = i + 2 < len ? hex_digit(p[i + 1]) : -1, lo = hi < 0 ? -1 : hex_digit(p[i + 2]);
            if (lo < 0 || (hi == 0 && lo == 0))
                return false;
            c = (char)(hi * 16 + lo);
            i += 2;
        }
        if (n + 1 >= size)
            return false;
        buf[n++] = c;
    }
    buf[n] = '\0';
    return true;
}

static bool number(const char *p, int64_t *out)
{
    for (*out = 0; is_digit(*p); p++)
        if ((*out = *out * 10 + (*p - '0')) > MAX_COST) // exact as a JSON number, too
            return false;
    return !*p && *out > 0;
}

// Keys of the mark whose value is that of an option, by index; the others are told apart below.
static const char *const keys[OPTIONS] = {"mode",    "deadline", "max_cost", "clouds", "market",
                                          "runtime", "data",     "in",       "out"};

static bool is_key(const char *name, const char *key, size_t key_len)
{
    return strlen(name) == key_len && strncmp(name, key, key_len) == 0;
}

static bool keep_text(char *at, size_t size, const char *value)
{
    size_t len = strlen(value);

    if (len < size)
        memcpy(at, value, len + 1);
    return len < size;
}

// Keys that are not a user's option. An unknown one is skipped: a later version may have written
// it.
static bool take_own_key(struct directive *d, const char *key, size_t key_len, const char *value)
{
    if (is_key("hold", key, key_len))
        d->user_hold = strcmp(value, "user") == 0;
    if (is_key("max_nodes", key, key_len)) {
        int64_t n = 0;
        d->moved = true;
        if (strcmp(value, "none") != 0 && (!number(value, &n) || n > UINT32_MAX))
            return false;
        d->max_nodes = (uint32_t)n;
    }
    if (is_key("part", key, key_len))
        return keep_text(d->part, sizeof(d->part), value);
    if (is_key("sub", key, key_len))
        return keep_text(d->submit_dir, sizeof(d->submit_dir), value);
    return true;
}

static bool take_key(struct directive *d, const char *key, size_t key_len, const char *value)
{
    int64_t *plain;
    size_t i = 0;

    while (i < OPTIONS && !is_key(keys[i], key, key_len))
        i++;
    if (i == OPTIONS)
        return take_own_key(d, key, key_len, value);
    switch (1u << i) { // stored as plain numbers, unlike the option
    case DIRECTIVE_HAS_DEADLINE:
        plain = &d->deadline;
        break;
    case DIRECTIVE_HAS_MAX_COST:
        plain = &d->max_cost;
        break;
    case DIRECTIVE_HAS_RUNTIME:
        plain = &d->runtime_s;
        break;
    default:
        return set_nth(d, i, value, 0, NULL) == 0;
    }
    d->given |= 1u << i;
    return number(value, plain);
}

static bool parse_mark(const char *p, struct directive *d)
{
    char value[sizeof(d->stage_in)], name[16];
    size_t len;

    p += strlen(MARK);
    len = strcspn(p, " ");
    if (len >= sizeof(name))
        return false;
    memcpy(name, p, len);
    name[len] = '\0';
    int cls = name_index(class_names, 3, name);
    if (cls < 0)
        return false;
    d->cls = (enum directive_class)cls;
    for (p += len; *p; p += len) {
        const char *key = ++p;
        len = strcspn(p, " ");
        size_t key_len = strcspn(p, "= ");
        if (key_len == 0 || key_len >= len ||
            !decode(key + key_len + 1, len - key_len - 1, value, sizeof(value)) ||
            !take_key(d, key, key_len, value))
            return false;
    }
    return true;
}

int directive_from_mark(const char *admin_comment, struct directive *d)
{
    const char *mark = directive_find_mark(admin_comment);

    memset(d, 0, sizeof(*d));
    if (mark && parse_mark(mark, d))
        return 0;
    memset(d, 0, sizeof(*d));
    return -1;
}

// A buffer that counts on when it is full.
struct out {
    char *buf;
    size_t size, len;
};

static void put(struct out *o, char c)
{
    if (o->len + 1 < o->size)
        o->buf[o->len] = c;
    o->len++;
}

static void puts_raw(struct out *o, const char *s)
{
    for (; *s; s++)
        put(o, *s);
}

static void put_key(struct out *o, const char *key, const char *value)
{
    static const char hex[] = "0123456789ABCDEF";

    put(o, ' ');
    puts_raw(o, key);
    put(o, '=');
    for (; *value; value++) {
        unsigned char c = (unsigned char)*value;
        if (is_name_char(*value) || strchr("./:,+@", *value)) {
            put(o, *value);
        } else {
            put(o, '%');
            put(o, hex[c >> 4]);
            put(o, hex[c & 15]);
        }
    }
}

static void put_number(struct out *o, const char *key, int64_t n)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRId64, n);
    put_key(o, key, text);
}

static void write_mark(const struct directive *d, struct out *to)
{
    struct out o = *to;

    puts_raw(&o, MARK);
    puts_raw(&o, class_names[d->cls]);
    if (d->given & DIRECTIVE_HAS_MODE)
        put_key(&o, "mode", mode_names[d->mode]);
    if (d->given & DIRECTIVE_HAS_DEADLINE)
        put_number(&o, "deadline", d->deadline);
    if (d->given & DIRECTIVE_HAS_MAX_COST)
        put_number(&o, "max_cost", d->max_cost);
    if (d->given & DIRECTIVE_HAS_CLOUDS)
        put_key(&o, "clouds", d->clouds);
    if (d->given & DIRECTIVE_HAS_MARKET)
        put_key(&o, "market", market_names[d->market]);
    if (d->given & DIRECTIVE_HAS_RUNTIME)
        put_number(&o, "runtime", d->runtime_s);
    if (d->given & DIRECTIVE_HAS_DATA)
        put_key(&o, "data", d->data);
    if (d->given & DIRECTIVE_HAS_STAGE_IN)
        put_key(&o, "in", d->stage_in);
    if (d->given & DIRECTIVE_HAS_STAGE_OUT)
        put_key(&o, "out", d->stage_out);
    if (d->user_hold)
        put_key(&o, "hold", "user");
    if (d->part[0])
        put_key(&o, "part", d->part);
    if (d->submit_dir[0])
        put_key(&o, "sub", d->submit_dir);
    if (d->moved && d->max_nodes)
        put_number(&o, "max_nodes", d->max_nodes);
    else if (d->moved)
        put_key(&o, "max_nodes", "none");
    *to = o;
}

int directive_to_mark(const struct directive *d, char *buf, size_t size)
{
    struct out o = {.buf = buf, .size = size};

    if (size == 0)
        return -1;
    write_mark(d, &o);
    buf[o.len < size ? o.len : size - 1] = '\0';
    return o.len >= size || d->cls == DIRECTIVE_UNMARKED ? -1 : (int)o.len;
}

size_t directive_mark_length(const struct directive *d)
{
    struct out o = {.size = 0};

    write_mark(d, &o);
    return o.len;
}

int directive_check_sum(const struct directive *d, burst_error_t *errp)
{
    size_t len =
        directive_mark_length(d) + (d->part[0] ? 0 : PART_ROOM) + (d->moved ? 0 : MOVED_ROOM);

    if (len < DIRECTIVE_MARK_MAX)
        return 0;
    return errprintf(errp,
                     "the values of the --burst options are too long together (%zu bytes of %d; a "
                     "character other than a letter, digit or one of ./:,+@-_ takes three); name "
                     "directories instead of many files",
                     len, DIRECTIVE_MARK_MAX - 1);
}

bool directive_allows_cloud(const struct directive *d, const char *cloud)
{
    if (!d->clouds[0])
        return true;
    for (const char *p = d->clouds; *p;) {
        size_t len = strcspn(p, ",");
        if (strlen(cloud) == len && strncmp(p, cloud, len) == 0)
            return true;
        p += len + (p[len] == ',');
    }
    return false;
}
