// SPDX-License-Identifier: GPL-3.0-or-later
// See reasons.h.
#include "job/reasons.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *name;
    enum reason_kind kind;
} known[] = {
    {"", REASON_PASSING},
    {"None", REASON_PASSING},
    {"Cleaning", REASON_PASSING}, // it was requeued, its old nodes are not free yet
    {"SchedDefer", REASON_PASSING},
    {"Prolog", REASON_PASSING},
    {"FrontEndDown", REASON_PASSING},
    {"WaitForScheduling", REASON_PASSING},
    {"NoDataFromServer", REASON_PASSING},
    {"Resources", REASON_CAPACITY},
    {"Priority", REASON_CAPACITY},
    {"BadConstraints", REASON_JOB},
    {"PartitionNodeLimit", REASON_JOB},
    {"PartitionTimeLimit", REASON_JOB},
    {"PartitionConfig", REASON_JOB},
    {"MaxMemPerLimit", REASON_JOB}, // MaxMemPerNode, MaxMemPerCPU of the partition
    {"AccountNotAllowed", REASON_JOB},
    {"QOSNotAllowed", REASON_JOB},
    {"InvalidAccount", REASON_JOB},
    {"InvalidQOS", REASON_JOB},
    {"DeadLine", REASON_JOB},
    {"AccountingPolicy", REASON_LIMIT},
    {"JobArrayTaskLimit", REASON_LIMIT},
    {"MaxJobsPerAccount", REASON_LIMIT},
    {"Licenses", REASON_LIMIT},
    {"PartitionDown", REASON_PARTITION},
    {"PartitionInactive", REASON_PARTITION},
    {"NodeDown", REASON_PARTITION},
    {"Reservation", REASON_PARTITION},
    {"ReservationDeleted", REASON_PARTITION},
    {"JobHeldUser", REASON_HELD},
    {"JobHeldAdmin", REASON_HELD},
    {"launch_failed_requeued_held", REASON_HELD},
    {"Dependency", REASON_HELD},
    {"DependencyNeverSatisfied", REASON_HELD},
    {"BeginTime", REASON_HELD},
};

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

enum reason_kind reason_kind(const char *reason)
{
    size_t len = strcspn(reason, " ,(:");

    for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++)
        if (strlen(known[k].name) == len && strncmp(reason, known[k].name, len) == 0)
            return known[k].kind;
    // AssocGrpCpuLimit, QOSMaxJobsPerUserLimit, AssocMaxJobsLimit, QOSUsageThreshold, ...
    if (begins(reason, "Assoc") || begins(reason, "QOS") || begins(reason, "MaxJobs"))
        return REASON_LIMIT;
    // ReqNodeNotAvail, "ReqNodeNotAvail, UnavailableNodes:...", "Nodes required for job are
    // DOWN..."
    if (begins(reason, "ReqNodeNotAvail") || begins(reason, "Nodes_required") ||
        begins(reason, "Nodes"))
        return REASON_PARTITION;
    return REASON_OTHER;
}

bool reason_launch_failed(const char *reason)
{
    return begins(reason, "launch_failed") || begins(reason, "JobLaunchFailure");
}
