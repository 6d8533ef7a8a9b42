# SPDX-License-Identifier: GPL-2.0-only
# default: never
# shellcheck shell=sh disable=SC2154,SC2034
# The vhost case with modern drivers that have INTx only.

vhost_params=pci=nomsi
# shellcheck source=/dev/null
. "$CASES/vhost.sh"
expect_no_out "@irq.*MSI"
