# SPDX-License-Identifier: GPL-2.0-only
# default: x86
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# A disk that returns EIO for some sectors: the guest sees I/O errors for
# those, good data beside them, and lkvm stays up.

need_root
modprobe null_blk nr_devices=0 2>/dev/null
mount -t configfs configfs /sys/kernel/config 2>/dev/null
null=/sys/kernel/config/nullb/lkvm
mkdir "$null" 2>/dev/null || skip "no null_blk with configfs"
# shellcheck disable=SC2064 # now
trap "rmdir $null" EXIT
echo 16 >"$null/size"
echo 1 >"$null/memory_backed"
echo +8192-8199 >"$null/badblocks"
echo 1 >"$null/power"
# The folder's name is the disk's, or its index is in it, by kernel version.
disk=/dev/lkvm
[ -b $disk ] || disk=/dev/nullb$(cat "$null/index")
guest -d "$disk" <<'GUEST'
dmesg -n 1
try() { "$@" 2>/dev/null && echo ok || echo error; }
echo "@ read $(try dd if=/dev/vda of=/dev/null bs=4k skip=1024 count=1 iflag=direct)"
echo "@ big $(try dd if=/dev/vda of=/dev/null bs=1M skip=4 count=1 iflag=direct)"
echo "@ before $(try dd if=/dev/vda of=/dev/null bs=4k skip=1023 count=1 iflag=direct)"
echo "@ after $(try dd if=/dev/zero of=/dev/vda bs=4k seek=1025 count=1 oflag=direct)"
# Last, as the host may keep what it could not write. With fsync: only that
# has to know of a write that the host delayed.
echo "@ write $(try dd if=/dev/zero of=/dev/vda bs=4k seek=1024 count=1 conv=fsync)"
dmesg | grep 'I/O error' | head -n 3
GUEST
expect_status 0
expect_eq "read of a bad sector" error "$(value read)"
expect_eq "write of a bad sector" error "$(value write)"
expect_eq "large read over a bad sector" error "$(value big)"
expect_eq "read before it" ok "$(value before)"
expect_eq "write after it" ok "$(value after)"
