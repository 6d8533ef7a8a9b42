# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# timeout: 240
# A Linux guest writes to, discards from and makes file systems on qcow2 disks,
# with several queues. Killed in the middle: no errors in the images, what was
# synced is there. The next guest goes on with them and powers off: again.

qcow2=$BARE/qcow2

# no_errors FILE: leaks are what a kill may leave.
no_errors()
{
	found=$("$qcow2" check "$1")
	echo "$1: $found"
	[ "${found%% *}" = 0 ] || fail "$1: errors: $found"
}

# The words of both guests: random places in the first 24 of 48 MiB.
cat >words <<'GUEST'
place() { echo $(($(od -An -N2 -tu2 /dev/urandom) % $1)); }
scribble()
{
	for i in $(seq "$1"); do
		dd if=/dev/urandom of=/dev/vdb bs=512 seek=$(place 48000) \
			count=$((1 + $(place 300))) conv=notrunc 2>/dev/null
	done
}
drop() { blkdiscard -o $(($(place 160) * 65536)) -l 1048576 /dev/vdb; }
sum() { dd if=/dev/vdb bs=1M count=24 2>/dev/null | md5sum | cut -d' ' -f1; }
GUEST

"$qcow2" create files 64 16
"$qcow2" create bytes 48 9
{
	cat words
	cat <<'GUEST'
echo "@ queues $(ls /sys/block/vda/mq | wc -l) $(ls /sys/block/vdb/mq | wc -l)"
echo "@ serial $(cat /sys/block/vdb/serial)"
echo "@ discard $(cat /sys/block/vda/queue/discard_granularity)"
mke2fs -F /dev/vda >/dev/null 2>&1
mount -t ext4 -o discard /dev/vda /mnt || echo "@ mount failed"
cp /bin/busybox /mnt/one
cp /bin/busybox /mnt/two
sync
rm /mnt/two
scribble 30
drop
scribble 10
drop
# sync(2) writes a block device's pages and sends no flush; fsync() does.
dd of=/dev/vdb conv=notrunc,fsync </dev/null 2>/dev/null
echo "@ md5 $(sum)"
echo "@ synced"
n=0
while :; do
	dd if=/dev/urandom of=/dev/vdb bs=4k seek=$((6200 + $(place 6000))) \
		count=40 conv=notrunc 2>/dev/null
	cp /bin/busybox /mnt/more.$n
	rm -f /mnt/more.$((n - 2))
	fstrim /mnt
	n=$((n + 1))
	echo "@ round $n"
done
GUEST
} >script
guest_start -c 2 -d files,format=qcow2 -d bytes,format=qcow2,serial=bytes-1 \
	<script
wait_out "@ round 2" 100
kill -KILL "$lkvm_pid"
lk_wait 5
expect_status 137
expect_eq "queues, with two CPUs" "2 2" "$(value queues)"
expect_eq "serial number" bytes-1 "$(value serial)"
expect_eq "discard granularity" 65536 "$(value discard)"
no_errors files
no_errors bytes
expect_eq "checksum of what was synced" "$(value md5)" \
	"$("$qcow2" cat bytes 24 | md5sum | cut -d' ' -f1)"
md5=$(value md5)

{
	cat words
	cat <<'GUEST'
echo "@ before $(sum)"
mount -t ext4 /dev/vda /mnt || echo "@ mount failed"
cmp /bin/busybox /mnt/one && echo "@ file same"
dmesg | grep -E 'EXT4-fs error|I/O error|blk_update' && echo "@ file errors"
rm -f /mnt/more.*
fstrim /mnt
umount /mnt
scribble 20
drop
echo "@ after $(sum)"
poweroff -f
GUEST
} >script
guest -d files,format=qcow2,queues=3 -d bytes,format=qcow2,direct <script
if grep -q 'has no O_DIRECT' err; then
	# A memory file system, as L1's is.
	guest -d files,format=qcow2,queues=3 -d bytes,format=qcow2 <script
fi
expect_status 0
expect_eq "checksum in the second guest" "$md5" "$(value before)"
expect_eq "file in the second guest" same "$(value file)"
no_errors files
no_errors bytes
expect_eq "checksum after power-off" "$(value after)" \
	"$("$qcow2" cat bytes 24 | md5sum | cut -d' ' -f1)"
