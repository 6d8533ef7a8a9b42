# SPDX-License-Identifier: GPL-2.0-only
# default: never
# shellcheck shell=sh disable=SC2154,SC2034
# The vhost case with legacy drivers and MSI-X.

vhost_options=--virtio-legacy
# shellcheck source=/dev/null
. "$CASES/vhost.sh"
