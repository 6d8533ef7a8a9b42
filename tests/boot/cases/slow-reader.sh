# SPDX-License-Identifier: GPL-2.0-only
# default: x86
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# timeout: 400
# A reader of stdout that stops for long (30 s with LAB_FULL=1) stalls no vCPU:
# the guest's own clock goes on while it prints more than any buffer holds.

pause=10
[ -z "${LAB_FULL:-}" ] || pause=30
mkfifo pipe
{
	head -c 20000
	sleep $pause
	cat
} <pipe >copy &
reader=$!
echo "long=$((pause + 15))" >script
cat >>script <<'GUEST'
dmesg -n 1
tick() { while :; do read -r up _ </proc/uptime; echo "$up"; sleep 0.2; done; }
tick >/tmp/ticks &
ticker=$!
end=$(($(cut -d. -f1 /proc/uptime) + long))
# More than pipes and lkvm hold; in the background, as it may block itself.
(while :; do echo "a line that fills the buffers up to the brim and beyond"; done) &
printer=$!
while [ "$(cut -d. -f1 /proc/uptime)" -lt $end ]; do sleep 1; done
kill $ticker $printer
echo
echo "@ ticks $(wc -l </tmp/ticks)"
echo "@ gap $(awk 'NR > 1 && $1 - p > m { m = $1 - p } { p = $1 } END { printf "%d\n", m * 1000 }' /tmp/ticks)"
GUEST
guest_initrd <script
"$LKVM" run -k "$LAB/vmlinuz" -i initrd -m 256 -c 1 -n mode=none \
	</dev/null >pipe 2>err &
lkvm_pid=$!
lk_wait 300
wait "$reader"
mv copy out
expect_status 0
expect_least "ticks" 20 "$(value ticks)"
expect_most "longest gap between two ticks, in ms" 7000 "$(value gap)"
