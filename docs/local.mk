# SPDX-License-Identifier: GPL-3.0-or-later
dist_man_MANS += docs/man/burst-localcloud.8 docs/man/burst-stagerd.8
dist_man_MANS += docs/man/burst.1 docs/man/burst.yaml.5 docs/man/burstd.8
EXTRA_DIST += docs/guide/install.md docs/guide/operate.md docs/guide/user.md
