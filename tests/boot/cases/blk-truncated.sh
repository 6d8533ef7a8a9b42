# SPDX-License-Identifier: GPL-2.0-only
# default: x86
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# The image is truncated under the guest: requests beyond its new end fail or
# read zeroes, those before it work, and lkvm stays up.

mkfifo in
exec 9<>in
truncate -s 16M disk.raw
guest_start -d disk.raw <<'GUEST'
dmesg -n 1
try() { "$@" 2>/dev/null && echo ok || echo error; }
echo "@ ready"
read -r _
echo "@ beyond $(try dd if=/dev/vda of=/dev/null bs=4k skip=2048 count=1 iflag=direct)"
echo "@ across $(try dd if=/dev/vda of=/dev/null bs=1M count=2 iflag=direct)"
echo "@ before $(try dd if=/dev/vda of=/dev/null bs=4k count=1 iflag=direct)"
GUEST
wait_out "@ ready"
truncate -s 1M disk.raw
echo >&9
lk_wait 120
expect_status 0
expect_eq "read beyond the end" error "$(value beyond)"
expect_eq "read across the end" error "$(value across)"
expect_eq "read before the end" ok "$(value before)"
