# SPDX-License-Identifier: GPL-2.0-only
# default: never
# shellcheck shell=sh disable=SC2154,SC2034
# The vhost case with a stream over vsock after the suspend, too: for guests whose
# Linux has "vsock/virtio: fix variables initialization during resuming" (2025).
# Before it the driver miscounts its receive buffers after a suspend, and does not
# fill the queue again: a stream may stall, on any hypervisor. Debian's 6.1 is so.

vhost_params=vsock_suspend
vhost_resumed="ok ok"
# shellcheck source=/dev/null
. "$CASES/vhost.sh"
