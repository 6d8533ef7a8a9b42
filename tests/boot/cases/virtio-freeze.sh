# SPDX-License-Identifier: GPL-2.0-only
# default: never
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# Linux really asleep, with the disk mounted, and woken by the clock's alarm.

root_disk
pci_guest --rng -d disk.img -p quiet <<'GUEST'
say states $(cat /sys/power/state)
mount -t ext4 /dev/vda /mnt
echo before >/mnt/file
alarm=/sys/class/rtc/rtc0
echo $(($(cat $alarm/since_epoch) + 4)) >$alarm/wakealarm
start=$(cat $alarm/since_epoch)
echo freeze >/sys/power/state
say slept $(($(cat $alarm/since_epoch) - start))
say file $(cat /mnt/file)
echo 3 >/proc/sys/vm/drop_caches
echo after >>/mnt/file
sync
say disk $(md5sum </mnt/bin/busybox | cut -d' ' -f1)
say rng $(rng_io)
umount /mnt
say mounted-again $(mount -t ext4 /dev/vda /mnt && cat /mnt/file)
finish
GUEST
tail -n 20 out
expect_no_complaints
expect_out "@ states .*freeze"
expect_least "seconds asleep" 2 "$(value slept)"
expect_eq "the file" before "$(value file)"
expect_eq "random bytes" 64 "$(value rng)"
expect_eq "the file, after a mount" "before after" "$(value mounted-again)"
