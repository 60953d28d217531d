# SPDX-License-Identifier: GPL-3.0-or-later

# A tarball can be built, shown and tested like a checkout.
EXTRA_DIST += \
	.ci/run scripts/cluster scripts/demo scripts/install-deps scripts/test \
	docs/design/burstd.md docs/design/internals.md docs/design/slurm-behaviour.md \
	etc/demo/burst.yaml etc/demo/localcloud.json \
	etc/demo/catalog/aws.csv etc/demo/catalog/azure.csv etc/demo/catalog/egress.csv \
	etc/demo/catalog/gcp.csv \
	tests/t/00-cluster.t tests/t/10-localcloud.t tests/t/20-slurm-link.t tests/t/25-plugin.t tests/t/26-need.t \
	tests/t/30-stage.t tests/t/40-burst.t tests/t/41-faults.t tests/t/42-restarts.t \
	tests/t/43-plan.t tests/t/44-changed.t tests/t/45-hostile.t tests/t/46-limits.t tests/t/50-fakecloud.t tests/t/lib.sh tests/unit/reference.h
