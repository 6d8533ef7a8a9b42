# SPDX-License-Identifier: GPL-2.0-only
# timeout: 240
# default: x86
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# A stock kernel with a display and no options, seen and typed at by VNC: its
# boot text and a shell are on the screen; pictures come out pixel for pixel, from efifb
# (on arm64 there is none), and from bochs-drm after its BARs were moved; modes
# change; the pointer follows.

# The pictures are kept as display.NAME.png beside the log.
parts=$LAB/display.cpio
export XDG_RUNTIME_DIR="$T"
mkfifo in
exec 9<>in
mkfifo clicks
# What is printed, on both consoles, costs the lab more time than all the rest:
# not the kernel's chatter, but more than what is wrong.
hush="-p loglevel=6"

# tell COMMAND PATTERN: the guest does it, and says so at the start of a line.
tell()
{
	echo "$1" | tr '\n' ' ' >&9
	echo >&9
	wait_out "^@ $2"
}

# see NAME: the screen, to NAME.png.
see()
{
	screen vnc vnc shot "$1.png" || fail "no picture: $1"
}

# expect_pattern NAME SIZE
expect_pattern()
{
	# bochs-drm copies what was drawn to the screen soon after.
	for _ in $(seq 20); do
		see "$1"
		[ "$(screen pattern "$1.png" 2>&1)" != "$2" ] || return 0
	done
	fail "$1.png: $(screen pattern "$1.png" 2>&1), not the $2 pattern"
}

# read_text NAME: the text of a picture, to NAME.txt.
read_text()
{
	screen text letters.png "$1.png" >"$1.txt" || fail "no text: $1"
	sed 's/ *$//' "$1.txt" | grep -v '^$'
}

# expect_seen NAME PATTERN: soon after, the screen has that text.
expect_seen()
{
	for _ in $(seq 20); do
		see "$1"
		read_text "$1" >read.txt
		! grep -q -e "$2" "$1.txt" || return 0
	done
	cat read.txt
	fail "expected '$2' in $1.png"
}

# expect_text NAME PATTERN
expect_text()
{
	grep -q -e "$2" "$1.txt" || fail "expected '$2' in $1.png"
}

pci_guest_start --name d --vnc=unix:vnc <<'GUEST'
exec </dev/ttyS0 >/dev/ttyS0 2>&1
stty -echo
[ "$(uname -m)" = x86_64 ] || modprobe -a bochs virtio_input
PS1='tty# ' setsid sh -c 'exec sh -i </dev/tty1 >/dev/tty1 2>&1' &
until grep -q 'tty#' /dev/vcs1; do sleep 0.1; done
p=$(basename $(dirname $(grep -l 0x1234 /sys/bus/pci/devices/*/vendor)))
say driver $(cat /proc/fb)
say ready
while read -r line; do eval "$line"; done
GUEST
wait_out "^@ ready"
driver="0 EFI VGA"
[ "$LAB_ARCH" = x86 ] || driver="0 bochs-drmdrmfb"
expect_eq "the driver" "$driver" "$(value driver)"
see boot
# On x86 through the keyboard of the PC. Signs, digits and both cases.
screen vnc vnc type 'echo "@ Typed-$((6*7))" | tee /dev/ttyS0' ||
	fail "typing"
wait_out "^@ Typed-42"
see typed
tell 'printf "\033[2J\033[H\033[?25l" >/dev/tty1;
	awk "BEGIN { for (i = 33; i < 127; i++) printf \"%c\", i }" >/dev/tty1;
	say letters' letters
see letters
read_text boot
expect_text boot '\] Key type'
expect_text boot '^tty# '
read_text typed
expect_text typed '^tty# echo "@ Typed-$((6\*7))" | tee /dev/ttyS0'
expect_text typed '^@ Typed-42'

tell 'display pattern' pattern
expect_pattern pattern 1024x768
"$LKVM" screenshot -n d shot.png || fail "screenshot"
screen same pattern.png shot.png || fail "screenshot and VNC differ"

# The driver that changes modes. From here on BARs move: efifb would be left behind.
tell 'modprobe bochs; say driver $(cat /proc/fb); say loaded' loaded
expect_eq "the driver" "0 bochs-drmdrmfb" "$(value driver)"
tell 'display pattern' 'pattern 1024x768 bochs'
expect_pattern pattern-bochs 1024x768

# Out of Linux and in again: found elsewhere, and put where Linux wants it, behind
# input devices that want more.
tell 'i=$(for d in /sys/bus/pci/devices/*; do
		! grep -q 0x1052 $d/device || basename $d; done);
	! lsmod | grep -q virtio_input || rmmod virtio_input;
	say place1 $(bar $p 0); poke $p 0x10 $(at 0x10000000);
	echo "25@pci:1af4:1052" >/sys/bus/pci/resource_alignment; again $i $p;
	say found $(dmesg | grep -c "$p: BAR 0 .mem $(at 0x10000000)-");
	say place2 $(bar $p 0); say driver $(cat /proc/fb);
	clear >/dev/tty1; echo moved >/dev/tty1; say again' again
expect_eq "the driver" "0 bochs-drmdrmfb" "$(value driver)"
expect_eq "times that BAR 0 was found elsewhere" 1 "$(value found)"
[ "$(value place1)" != "$(value place2)" ] || fail "BAR 0 was not moved"
expect_seen moved '^moved'

# A client that is there sees the mode change, and change back.
screen vnc vnc size 800x600 wait shot mode.png size 1024x768 <clicks &
client=$!
exec 8<>clicks
tell 'mkfifo /tmp/hold; display mode 800 600 </tmp/hold & m=$!; exec 8>/tmp/hold' \
	'mode 800x600'
echo >&8
wait_until 60 "a picture of the mode" test -s mode.png
expect_eq "pattern, pixel for pixel, in another mode" 800x600 \
	"$(screen pattern mode.png 2>&1)"
tell 'exec 8>&-; wait $m; echo back >/dev/tty1; say back' back
wait "$client" || fail "the client was not told of the old mode"
expect_seen back '^back'

# The tablet.
tell 'modprobe virtio_input; display pointer 1024 768 &' tablet
for at in 511,383,0 0,0,0 1023,767,0 1,1,1 700,2,0 3,766,0; do
	screen vnc vnc point $at || fail "no pointer"
	want=$(echo $at | tr , ' ')
	wait_out "^@ pointer $want"
done
# And the keyboard of virtio.
screen vnc vnc type 'echo "@ Typed-$((7*7))" >/dev/ttyS0' || fail "typing"
wait_out "^@ Typed-49"
"$LKVM" sendkey -n d e c h o space shift-apostrophe shift-2 space k e y s \
	shift-apostrophe shift-dot slash d e v slash t t y shift-s 0 enter ||
	fail "sendkey"
wait_out "^@ keys"

# Nobody looks, nothing moves: the display's thread and all others sleep.
expect_quiet "$lkvm_pid"
echo finish >&9
lk_wait 60
expect_no_complaints
