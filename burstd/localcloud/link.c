// SPDX-License-Identifier: GPL-3.0-or-later
// Requests are sent one at a time and answered at once by the kernel (RFC 3549); addresses are set
// by the older ioctls, which are shorter for the single address that an instance has.
#include "localcloud/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <net/route.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct request {
    struct nlmsghdr head;
    struct ifinfomsg info;
    char attributes[512];
};

static void *end_of(struct request *r)
{
    return (char *)r + NLMSG_ALIGN(r->head.nlmsg_len);
}

// Every caller adds a handful of short attributes: the room in struct request is enough.
static struct rtattr *put(struct request *r, unsigned short type, const void *data, size_t len)
{
    struct rtattr *a = end_of(r);

    a->rta_type = type;
    a->rta_len = (unsigned short)RTA_LENGTH(len);
    if (len)
        memcpy(RTA_DATA(a), data, len);
    r->head.nlmsg_len = NLMSG_ALIGN(r->head.nlmsg_len) + (uint32_t)RTA_ALIGN(a->rta_len);
    return a;
}

static void put_str(struct request *r, unsigned short type, const char *s)
{
    put(r, type, s, strlen(s) + 1);
}

static void put_u32(struct request *r, unsigned short type, uint32_t v)
{
    put(r, type, &v, sizeof(v));
}

static void close_nest(struct request *r, struct rtattr *nest)
{
    nest->rta_len = (unsigned short)((char *)end_of(r) - (char *)nest);
}

static struct request make_request(int type, int flags)
{
    struct request r;

    memset(&r, 0, sizeof(r));
    r.head.nlmsg_len = NLMSG_LENGTH(sizeof(r.info));
    r.head.nlmsg_type = (uint16_t)type;
    r.head.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
    r.info.ifi_family = AF_UNSPEC;
    return r;
}

// Sends the request and waits for its acknowledgement. 0, or -1 with errno.
static int ask(const struct request *r)
{
    char reply[4096];
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    int rc = -1;

    if (fd < 0)
        return -1;
    if (send(fd, r, r->head.nlmsg_len, 0) == (ssize_t)r->head.nlmsg_len) {
        ssize_t n = recv(fd, reply, sizeof(reply), 0);
        const struct nlmsghdr *h = (const struct nlmsghdr *)reply;
        if (n >= 0 && (size_t)n >= NLMSG_LENGTH(sizeof(struct nlmsgerr)) &&
            h->nlmsg_type == NLMSG_ERROR) {
            const struct nlmsgerr *e = NLMSG_DATA(h);
            errno = -e->error;
            rc = e->error ? -1 : 0;
        } else if (n >= 0) {
            errno = EPROTO;
        }
    }
    int saved = errno;
    close(fd);
    errno = saved;
    return rc;
}

int link_create_pair(const char *name, const char *bridge, int pid, uint32_t address,
                     burst_error_t *errp)
{
    unsigned master = if_nametoindex(bridge);
    const unsigned char mac[6] = {0x02,
                                  0x42,
                                  (unsigned char)(address >> 24),
                                  (unsigned char)(address >> 16),
                                  (unsigned char)(address >> 8),
                                  (unsigned char)address};
    struct request r = make_request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);

    if (!master)
        return errprintf(errp, "there is no bridge %s in this network namespace", bridge);
    r.info.ifi_flags = r.info.ifi_change = IFF_UP;
    put_str(&r, IFLA_IFNAME, name);
    put_u32(&r, IFLA_MASTER, master);
    struct rtattr *info = put(&r, IFLA_LINKINFO, NULL, 0);
    put_str(&r, IFLA_INFO_KIND, "veth");
    struct rtattr *data = put(&r, IFLA_INFO_DATA, NULL, 0);
    struct ifinfomsg none = {.ifi_family = AF_UNSPEC};
    struct rtattr *peer = put(&r, VETH_INFO_PEER, &none, sizeof(none));
    put_str(&r, IFLA_IFNAME, "eth0");
    put(&r, IFLA_ADDRESS, mac, sizeof(mac));
    put_u32(&r, IFLA_NET_NS_PID, (uint32_t)pid);
    close_nest(&r, peer);
    close_nest(&r, data);
    close_nest(&r, info);
    if (ask(&r) < 0)
        return errprintf(errp, "cannot make the link %s on %s: %s", name, bridge, strerror(errno));
    return 0;
}

int link_delete(const char *name, burst_error_t *errp)
{
    struct request r = make_request(RTM_DELLINK, 0);

    put_str(&r, IFLA_IFNAME, name);
    if (ask(&r) < 0 && errno != ENODEV)
        return errprintf(errp, "cannot remove the link %s: %s", name, strerror(errno));
    return 0;
}

bool link_exists(const char *name)
{
    return if_nametoindex(name) != 0;
}

static void set_inet(struct sockaddr *where, uint32_t address)
{
    struct sockaddr_in *in = (struct sockaddr_in *)where;

    memset(in, 0, sizeof(*in));
    in->sin_family = AF_INET;
    in->sin_addr.s_addr = htonl(address);
}

static int set_flags(int fd, struct ifreq *ifr, bool up)
{
    if (ioctl(fd, SIOCGIFFLAGS, ifr) < 0)
        return -1;
    if (up)
        ifr->ifr_flags |= IFF_UP;
    else
        ifr->ifr_flags &= ~IFF_UP;
    return ioctl(fd, SIOCSIFFLAGS, ifr);
}

int link_set_up(const char *name, bool up, burst_error_t *errp)
{
    struct ifreq ifr = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int rc = -1;

    snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
    if (fd >= 0)
        rc = set_flags(fd, &ifr, up);
    if (rc < 0)
        errprintf(errp, "cannot set the link %s %s: %s", name, up ? "up" : "down", strerror(errno));
    if (fd >= 0)
        close(fd);
    return rc;
}

int link_configure(const char *name, uint32_t address, unsigned prefix, burst_error_t *errp)
{
    struct ifreq ifr = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int rc = fd < 0 ? -1 : 0;

    snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
    if (rc == 0 && address) {
        set_inet(&ifr.ifr_addr, address);
        rc = ioctl(fd, SIOCSIFADDR, &ifr);
        if (rc == 0) {
            set_inet(&ifr.ifr_netmask, prefix ? ~UINT32_C(0) << (32 - prefix) : 0);
            rc = ioctl(fd, SIOCSIFNETMASK, &ifr);
        }
    }
    if (rc == 0)
        rc = set_flags(fd, &ifr, true);
    if (rc < 0)
        errprintf(errp, "cannot configure the link %s: %s", name, strerror(errno));
    if (fd >= 0)
        close(fd);
    return rc;
}

int link_default_route(uint32_t gateway, burst_error_t *errp)
{
    struct rtentry route = {.rt_flags = RTF_UP | RTF_GATEWAY};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int rc = -1;

    set_inet(&route.rt_dst, 0);
    set_inet(&route.rt_genmask, 0);
    set_inet(&route.rt_gateway, gateway);
    if (fd >= 0)
        rc = ioctl(fd, SIOCADDRT, &route);
    if (rc < 0)
        errprintf(errp, "cannot set the default route: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
    return rc;
}
