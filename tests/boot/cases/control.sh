# SPDX-License-Identifier: GPL-2.0-only
# timeout: 240
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# A running guest under load: looked into, poked at, typed at, paused and
# resumed: no lockup is seen, its clock is right, its disk goes on (10.2-11); SysRq
# arrives at once and needs no terminal (10.2-12). A short pause with short
# watchdogs; LAB_FULL=1: a minute, and the watchdogs as they come.

export XDG_RUNTIME_DIR="$T"
pause=12
thresh=4 # soft lockup after twice as many seconds
[ "${LAB_FULL:-}" != 1 ] || { pause=60 thresh=10; }

# The CPU is never idle: coming out of idleness resets watchdogs.
truncate -s 4M disk.img
guest_start --name c -d disk.img <<GUEST
echo $thresh >/proc/sys/kernel/watchdog_thresh
echo 1 >/proc/sys/kernel/sysrq
while :; do dd if=/dev/vda of=/dev/null bs=64k iflag=direct 2>/dev/null; done &
while :; do :; done &
echo "@ watchdog \$(cat /proc/sys/kernel/soft_watchdog)"
echo "@ ready"
while read -r line; do eval "\$line"; done
GUEST

# type_in COMMAND PATTERN: into the guest's shell, until it has answered.
type_in()
{
	echo "$1" >&3
	wait_out "$2"
}

wait_out "@ ready"
mkfifo keys
"$LKVM" console c <keys >seen 2>&1 &
console=$!
exec 3>keys
expect_eq "the guest has a watchdog" 1 "$(value watchdog)"
reads='set -- $(cat /sys/block/vda/stat); echo "@ $what $1"'
type_in "what=reads1; $reads" '^@ reads1 '

# Paused, while the kernel has printed nothing for a while: that resets watchdogs.
sleep 4
began=$(date +%s)
type_in 'read -r up rest </proc/uptime; echo "@ before ${up%.*}"' '^@ before '
"$LKVM" pause c || fail "pause"
"$LKVM" list | grep -q 'c  *paused' || fail "list does not say paused"
size=$(wc -c <out)
paused=$(date +%s)
sleep $pause
expect_eq "output while paused" "$size" "$(wc -c <out)"
paused=$(($(date +%s) - paused))
"$LKVM" resume c || fail "resume"
type_in 'read -r up rest </proc/uptime; echo "@ after ${up%.*}"' '^@ after '
took=$(($(date +%s) - began))
jump=$(($(value after) - $(value before)))
type_in "what=reads2; $reads" '^@ reads2 '
sleep 2
type_in "what=reads3; $reads" '^@ reads3 '
[ "$(value reads3)" -gt "$(value reads2)" ] || fail "the disk stands still"
if grep -iE 'soft lockup|rcu.*stall|hung task|clocksource.*unstable' out; then
	fail "the guest thinks that it has hung"
fi
if [ "$LAB_ARCH" = x86 ]; then
	[ "$jump" -ge "$paused" ] || fail "the guest's clock stood still"
	asked=$(date +%s)
	type_in 'echo "@ clock $(date +%s)"' '^@ clock '
	if [ "$(value clock)" -lt $((asked - 2)) ] ||
		[ "$(value clock)" -gt $(($(date +%s) + 2)) ]; then
		fail "the guest's clock: $(value clock), not $asked"
	fi
elif [ "$jump" -gt $((took - paused + 2)) ]; then
	fail "the guest's clock has not stood still: $jump of $took s"
fi

# Looked into.
"$LKVM" debug --sysrq h c || fail "sysrq"
wait_out 'sysrq: HELP'

# What it says of itself, when it has done something.
"$LKVM" stat --json c >stat.txt || fail "stat"
expect_eq "exits are counted" 1 "$(grep -c '"exits":[1-9]' stat.txt)"
counted='"virtio-blk@00:01.0":{"queues":\[{"requests":[1-9][0-9]*,'
counted="$counted"'"bytes_out":[1-9][0-9]*,"bytes_in":[1-9][0-9]*,'
counted="$counted"'"wakeups":[1-9][0-9]*,"interrupts":[1-9][0-9]*}'
grep -q "$counted" stat.txt || fail "stat: the disk: $(cat stat.txt)"
# look: what "debug" says has all that it may have. A CPU that is just about to take
# a page fault has less.
look()
{
	"$LKVM" debug --dump --pci --queues c >debug.txt || fail "debug"
	case $LAB_ARCH in
	x86) tables='^PML4E' ;;
	arm64) tables='^physical 0000[8-9a-f]' ;;
	esac
	for line in "$tables" '^code at [0-9a-f]*: [0-9a-f][0-9a-f] ' \
		'^stack at [0-9a-f]*: [0-9a-f][0-9a-f] ' \
		'queue 0: size [0-9]*, enabled, interrupt: MSI-X vector 1' \
		'available index [1-9]'; do
		grep -q "$line" debug.txt || return 1
	done
}
look || look || look || fail "debug, three times: $line: $(cat debug.txt)"
if [ "$LAB_ARCH" = x86 ]; then
	"$LKVM" debug --nmi 0 c || fail "nmi"
	wait_out 'NMI received for unknown reason'
fi

"$LKVM" stop --force c || fail "stop"
lk_wait 20
expect_status 0
wait $console || fail "console: status $?: $(tail -n 3 seen)"
grep -q '@ reads3' seen || fail "console: $(tail -n 3 seen)"
