# SPDX-License-Identifier: GPL-2.0-only
# timeout: 220
# default: x86
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# A running guest under load: looked into, poked at, typed at, paused and
# resumed: no lockup is seen, its clock is right, its disk goes on. A short pause
# with short watchdogs; LAB_FULL=1: a minute, and the watchdogs as they come.

export XDG_RUNTIME_DIR="$T"
pause=12
thresh=4 # soft lockup after twice as many seconds
[ "${LAB_FULL:-}" != 1 ] || { pause=60 thresh=10; }

truncate -s 4M disk.img
guest_start --name c -d disk.img <<GUEST
echo $thresh >/proc/sys/kernel/watchdog_thresh
echo 1 >/proc/sys/kernel/sysrq
while :; do dd if=/dev/vda of=/dev/null bs=64k iflag=direct 2>/dev/null; done &
echo "@ ready"
while read -r line; do eval "\$line"; done
GUEST

# type_in COMMAND PATTERN: into the guest's shell, until it has answered.
type_in()
{
	(echo "$1"; sleep 1) | timeout 1 "$LKVM" console c >/dev/null
	wait_out "$2"
}

wait_out "@ ready"
reads='set -- $(cat /sys/block/vda/stat); echo "@ $what $1"'
type_in "what=reads1; $reads" '^@ reads1 '
"$LKVM" debug --sysrq h c || fail "sysrq"
wait_out 'sysrq: HELP'
"$LKVM" debug --dump --pci c >debug.txt || fail "debug"
"$LKVM" stat --json c >stat.txt || fail "stat"
expect_eq "exits are counted" 1 "$(grep -c '"exits":[1-9]' stat.txt)"
if [ "$LAB_ARCH" = x86 ]; then
	grep -q 'PML4E' debug.txt || fail "debug shows no page tables"
	"$LKVM" debug --nmi 0 c || fail "nmi"
	wait_out 'NMI received for unknown reason'
fi

"$LKVM" pause c || fail "pause"
"$LKVM" list | grep -q 'c  *paused' || fail "list does not say paused"
size=$(wc -c <out)
sleep $pause
expect_eq "output while paused" "$size" "$(wc -c <out)"
"$LKVM" resume c || fail "resume"
type_in "what=reads2; $reads" '^@ reads2 '
sleep 2
type_in "what=reads3; $reads" '^@ reads3 '
[ "$(value reads3)" -gt "$(value reads2)" ] || fail "the disk stands still"
if grep -iE 'soft lockup|rcu.*stall|hung task|clocksource.*unstable' out; then
	fail "the guest thinks that it has hung"
fi
if [ "$LAB_ARCH" = x86 ]; then
	type_in 'echo "@ clock $(date +%s)"' '^@ clock '
	off=$(($(date +%s) - $(value clock)))
	if [ "$off" -lt -1 ] || [ "$off" -gt 4 ]; then
		fail "the guest's clock is $off s behind"
	fi
fi
"$LKVM" stop --force c || fail "stop"
lk_wait 20
expect_status 0
