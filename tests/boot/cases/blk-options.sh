# SPDX-License-Identifier: GPL-2.0-only
# default: x86
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# Read-only and direct disks, their order and serial numbers, discard.

need_root
modprobe loop 2>/dev/null
truncate -s 4M one.raw
head -c 8388608 /dev/urandom >two.raw
md5=$(md5sum <two.raw | cut -d" " -f1)
loop=$(losetup -f) || skip "no loop device"
losetup "$loop" two.raw || skip "no loop device"
# shellcheck disable=SC2064 # now
trap "losetup -d $loop" EXIT
head -c 4194304 /dev/urandom >three.raw
guest -d one.raw,ro -d "$loop,direct" -d three.raw <<'GUEST'
dmesg -n 1
try() { "$@" 2>/dev/null && echo ok || echo error; }
echo "@ ro $(cat /sys/block/vda/ro)$(cat /sys/block/vdb/ro)$(cat /sys/block/vdc/ro)"
echo "@ sizes $(cat /sys/block/vd[abc]/size | xargs)"
echo "@ serials $(for d in a b c; do cat /sys/block/vd$d/serial; echo; done | sort -u | wc -l)"
echo "@ write $(try dd if=/dev/zero of=/dev/vda bs=4k count=1 oflag=direct)"
echo "@ md5 $(md5sum </dev/vdb | cut -d' ' -f1)"
echo "@ mark $(try sh -c 'echo direct-write | dd of=/dev/vdb bs=512 count=1 conv=fsync,sync')"
echo "@ discard $(try blkdiscard -o 1048576 -l 2097152 /dev/vdc)"
GUEST
expect_status 0
expect_eq "read-only flags" 100 "$(value ro)"
expect_eq "sizes in sectors" "8192 16384 8192" "$(value sizes)"
expect_eq "different serial numbers" 3 "$(value serials)"
expect_eq "write to a read-only disk" error "$(value write)"
expect_eq "checksum" "$md5" "$(value md5)"
expect_eq "write to a direct disk" ok "$(value mark)"
sync
expect_eq "what it wrote" direct-write "$(head -n 1 two.raw)"
expect_eq "discard" ok "$(value discard)"
expect_most "512-byte blocks that the image still takes" 4500 \
	"$(stat -c %b three.raw)"
