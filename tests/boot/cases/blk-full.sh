# SPDX-License-Identifier: GPL-2.0-only
# default: x86
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# The host's file system fills up under a sparse image: the guest sees I/O
# errors, what was written before is there, and lkvm stays up.

need_root
mkdir small
mount -t tmpfs -o size=8M small small || skip "cannot mount a tmpfs"
trap 'umount -l "$T/small"' EXIT
truncate -s 64M small/disk.raw
guest -d small/disk.raw <<'GUEST'
dmesg -n 1
try() { "$@" 2>/dev/null && echo ok || echo error; }
echo "@ first $(try dd if=/dev/urandom of=/dev/vda bs=1M count=4 conv=fsync)"
echo "@ full $(try dd if=/dev/zero of=/dev/vda bs=1M seek=4 count=32 oflag=direct)"
echo "@ again $(try dd if=/dev/vda of=/dev/null bs=1M count=4 iflag=direct)"
GUEST
expect_status 0
expect_eq "write while there is room" ok "$(value first)"
expect_eq "write beyond it" error "$(value full)"
expect_eq "read of what was written" ok "$(value again)"
