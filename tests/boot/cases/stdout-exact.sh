# SPDX-License-Identifier: GPL-2.0-only
# default: x86
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# timeout: 400
# stdout holds what the guest wrote, byte for byte, and nothing else. Every
# byte value goes over the serial port, 256 KiB of them.

limit=350
guest <<'GUEST'
dmesg -n 1
i=0
while [ $i -lt 256 ]; do
	printf "\\$(printf %03o $i)"
	i=$((i + 1))
done >/tmp/all
# 1021 is prime: the pattern is not aligned with any buffer.
{ cat /tmp/all /tmp/all /tmp/all /tmp/all; } | head -c 1021 >/tmp/line
i=0
while [ $i -lt 257 ]; do
	echo $i
	cat /tmp/line
	i=$((i + 1))
done | head -c 262144 >/tmp/pattern
echo "@ md5 $(md5sum </tmp/pattern | cut -d' ' -f1)"
stty raw -echo
printf '@begin\n'
cat /tmp/pattern
printf '@end'
stty sane
GUEST
expect_status 0
# After the line of the marker: 262144 bytes, then the end marker.
start=$(($(sed '/@begin$/q' out | wc -c) + 1))
tail -c "+$start" out | head -c 262144 >pattern
expect_eq "marker after the pattern" "@end" \
	"$(tail -c "+$((start + 262144))" out | head -c 4)"
expect_eq "checksum" "$(value md5)" "$(md5sum <pattern | cut -d' ' -f1)"
expect_eq "size of stderr" 0 "$(stat -c %s err)"
