# SPDX-License-Identifier: GPL-3.0-or-later
# Scripts for rented nodes, systemd units, users and directories.
nodedir = $(pkgdatadir)/node
dist_node_DATA = \
	etc/node/agent.sh \
	etc/node/check.sh \
	etc/node/join.sh \
	etc/node/leftovers.sh \
	etc/node/lib.sh \
	etc/node/poweroff.sh \
	etc/node/signal.sh \
	etc/node/prepare.sh \
	etc/node/stage-in.sh \
	etc/node/stage-out.sh \
	etc/node/user.sh

systemdunitdir = $(prefix)/lib/systemd/system
systemdunit_DATA = etc/burstd.service etc/burst-stagerd.service etc/burst-localcloud.service
dist_pkgdata_DATA += etc/burst.yaml.example
EXTRA_DIST += etc/burstd.service.in etc/burst-stagerd.service.in etc/burst-localcloud.service.in \
	etc/burst.sysusers etc/burst.tmpfiles
CLEANFILES += $(systemdunit_DATA) etc/sysusers.d/burst.conf etc/tmpfiles.d/burst.conf

etc/%.service: $(srcdir)/etc/%.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) etc && sed -e 's|@sbindir[@]|$(sbindir)|g' \
		-e 's|@sysconfdir[@]|$(sysconfdir)|g' $< >$@.tmp && mv $@.tmp $@

sysusersdir = $(prefix)/lib/sysusers.d
nodist_sysusers_DATA = etc/sysusers.d/burst.conf
etc/sysusers.d/burst.conf: $(srcdir)/etc/burst.sysusers
	$(AM_V_GEN)$(MKDIR_P) etc/sysusers.d && cp $< $@
tmpfilesdir = $(prefix)/lib/tmpfiles.d
nodist_tmpfiles_DATA = etc/tmpfiles.d/burst.conf
etc/tmpfiles.d/burst.conf: $(srcdir)/etc/burst.tmpfiles
	$(AM_V_GEN)$(MKDIR_P) etc/tmpfiles.d && cp $< $@
