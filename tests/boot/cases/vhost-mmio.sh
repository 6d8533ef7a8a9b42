# SPDX-License-Identifier: GPL-2.0-only
# arch: arm64
# shellcheck shell=sh disable=SC2154,SC2034
# The vhost case with modern drivers on MMIO.

vhost_options="--virtio-transport mmio"
# shellcheck source=/dev/null
. "$CASES/vhost.sh"
