// SPDX-License-Identifier: GPL-3.0-or-later
// What the files of the fake EC2 share; nobody else includes it.
#ifndef FAKECLOUD_EC2_INSIDE_H
#define FAKECLOUD_EC2_INSIDE_H

#include "fakecloud/ec2.h"
#include "libburst/money.h"
#include "libburst/strbuf.h"

#define MAX_TAGS 50

struct offer {
    char zone[32], type[40];
    money_t price, spot; // MONEY_UNKNOWN: not sold so
    int64_t capacity;    // -1: any
};

struct vm {
    char id[24], type[40], zone[32], token[68], image[40], address[20], public[20];
    bool spot, reclaimed;
    money_t price;
    unsigned number;
    uint64_t asked;                // digest of the launch's parameters
    int64_t launched_ms, ended_ms; // 0: it runs
    size_t n_tags;
    struct {
        char *key, *value;
    } tag[MAX_TAGS];
};

struct fault {
    char action[48], code[64];
    int status;
    int64_t tries;
    bool done, lost;
};

struct ec2 {
    struct offer *offers;
    size_t n_offers;
    int64_t quota, boot_ms, lag_ms, page;
    struct vm **vms;
    size_t n;
    struct fault *faults;
    size_t n_faults;
    unsigned requests;
};

// One request on its way.
struct call {
    struct ec2 *e;
    const char *region, *action;
    const struct form *f;
    int64_t now;
    struct strbuf out;
    int status;
};

// Of the request's region, which is a zone's name without its letter?
bool ec2_in_region(const char *zone, const char *region);
struct vm *ec2_find_vm(const struct ec2 *e, const char *id); // NULL: there is none
struct offer *ec2_find_offer(const struct ec2 *e, const char *zone, const char *type);

// Of the answer: an element with text; the beginning and the end of one that says yes; one that
// says no, in place of what was written before.
void ec2_element(struct strbuf *out, const char *name, const char *value);
void ec2_begin(struct call *c);
void ec2_end(struct call *c);
void ec2_fail(struct call *c, int status, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void ec2_time(int64_t ms, const char *fmt, char *buf, size_t size); // as strftime(), UTC
void ec2_add_vm(struct call *c, const struct vm *v);                // as <item>

// The actions.
void ec2_run_instances(struct call *c);
void ec2_describe_instances(struct call *c);
void ec2_terminate_instances(struct call *c);

#endif
