// SPDX-License-Identifier: GPL-3.0-or-later
// Answers of the fake EC2.
#include "fakecloud/ec2_inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#define NS "xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\""

static void text(struct strbuf *out, const char *s)
{
    for (const char *p = s; *p; p++)
        if (*p == '<')
            strbuf_adds(out, "&lt;");
        else if (*p == '&')
            strbuf_adds(out, "&amp;");
        else if (*p == '>')
            strbuf_adds(out, "&gt;");
        else
            strbuf_add(out, p, 1);
}

void ec2_element(struct strbuf *out, const char *name, const char *value)
{
    strbuf_addf(out, "<%s>", name);
    text(out, value);
    strbuf_addf(out, "</%s>", name);
}

void ec2_fail(struct call *c, int status, const char *code, const char *fmt, ...)
{
    char message[300];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    strbuf_reset(&c->out);
    strbuf_adds(&c->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error>");
    ec2_element(&c->out, "Code", code);
    ec2_element(&c->out, "Message", message);
    strbuf_addf(&c->out, "</Error></Errors><RequestID>fake-%u</RequestID></Response>",
                c->e->requests);
    c->status = status;
}

void ec2_begin(struct call *c)
{
    strbuf_addf(&c->out,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<%sResponse " NS
                "><requestId>fake-%u</requestId>",
                c->action, c->e->requests);
    c->status = 200;
}

void ec2_end(struct call *c)
{
    strbuf_addf(&c->out, "</%sResponse>", c->action);
}

void ec2_time(int64_t ms, const char *fmt, char *buf, size_t size)
{
    time_t t = (time_t)(ms / 1000);
    struct tm tm;

    strftime(buf, size, fmt, gmtime_r(&t, &tm));
}
