# SPDX-License-Identifier: GPL-2.0-only
# arch: x86
# default: never
# timeout: 240
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# The window of a Linux guest, on an X server without a screen: its text and its
# pictures are there, and what is typed at it arrives. In the lab by
# L1_EXTRA=x11 tests/boot/run display-sdl; pictures are kept beside the log.

command -v Xvfb >/dev/null || skip "no Xvfb here (in the lab: L1_EXTRA=x11)"
command -v xdotool >/dev/null || skip "no xdotool here"
command -v screen >/dev/null || skip "only in the lab"
parts=$LAB/display.cpio
export XDG_RUNTIME_DIR="$T" DISPLAY=:7 SDL_VIDEODRIVER=x11
hush="-p loglevel=6"
mkfifo in
exec 9<>in

# see NAME: the window, to NAME.png.
see()
{
	screen window Xvfb_screen0 "$X" "$Y" 1024 768 "$1.png" ||
		fail "no picture: $1"
}

# expect_seen NAME PATTERN: sooner or later the window has that text.
expect_seen()
{
	for _ in $(seq 60); do
		see "$1"
		screen text letters.png "$1.png" | sed 's/ *$//' >"$1.txt"
		if grep -q -e "$2" "$1.txt"; then
			grep -v '^$' "$1.txt"
			return
		fi
		sleep 0.5
	done
	cat "$1.txt"
	fail "expected '$2' in $1.png"
}

Xvfb $DISPLAY -screen 0 1600x1200x24 -fbdir "$T" -nolisten tcp >xvfb.log 2>&1 &
xvfb=$!
for _ in $(seq 100); do
	[ ! -S /tmp/.X11-unix/X7 ] || break
	sleep 0.2
done
pci_guest_start --name window --sdl <<'GUEST'
exec </dev/ttyS0 >/dev/ttyS0 2>&1
stty -echo
PS1='tty# ' setsid sh -c 'exec sh -i </dev/tty1 >/dev/tty1 2>&1' &
until grep -q 'tty#' /dev/vcs1; do sleep 0.1; done
say ready
while read -r line; do eval "$line"; done
GUEST
wait_out "^@ ready"
# In the middle, where it was opened.
eval "$(xdotool mousemove 800 600 getmouselocation --shell)"
eval "$(xdotool getwindowgeometry --shell "$WINDOW")"
see boot
xdotool mousemove $((X + 300)) $((Y + 300))
xdotool type --delay 60 'echo "@ Typed-$((6*7))" | tee /dev/ttyS0'
xdotool key Return
wait_out "^@ Typed-42"
sleep 2
see typed
printf '%s\n' 'printf "\033[2J\033[H\033[?25l" >/dev/tty1; awk "BEGIN { for (i = 33; i < 127; i++) printf \"%c\", i }" >/dev/tty1; say letters' >&9
wait_out "^@ letters"
sleep 2
see letters
for name in boot typed; do
	screen text letters.png $name.png | sed 's/ *$//' >$name.txt
	grep -v '^$' $name.txt
done
grep -q '\] Key type' boot.txt || fail "no boot text in boot.png"
grep -q '^tty# ' boot.txt || fail "no prompt in boot.png"
grep -q '^@ Typed-42' typed.txt || fail "nothing typed in typed.png"

echo 'display pattern' >&9
wait_out "^@ pattern"
for _ in $(seq 60); do
	see pattern
	! screen pattern pattern.png || break
	sleep 0.5
done
screen pattern pattern.png || fail "the pattern is not there"

# The pointer, which SDL is told of by the X server.
echo 'modprobe virtio_input; display pointer 1024 768 &' >&9
wait_out "^@ tablet"
for at in "511 383" "1 1" "1022 2"; do
	# shellcheck disable=SC2086 # two words
	set -- $at
	xdotool mousemove $((X + $1)) $((Y + $2))
	wait_out "^@ pointer $at"
done
echo 'clear >/dev/tty1; modprobe bochs; echo other >/dev/tty1' >&9
expect_seen bochs 'other$'
echo finish >&9
lk_wait 60
kill $xvfb
expect_no_complaints
