# SPDX-License-Identifier: GPL-2.0-only
# arch: x86
# default: never
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# Linux moves the display's BAR at boot, away from where the boot parameters say that
# the picture is: efifb finds it again. Not by pci=resource_alignment: with that, Linux
# switches the device's memory off, and efifb does not switch it on.

parts=$LAB/display.cpio
export XDG_RUNTIME_DIR="$T"
mkfifo in
exec 9<>in
pci_guest_start --name d --vnc=unix:vnc \
	-p reserve=0xc0000000,0x8000 <<'GUEST'
p=$(basename $(dirname $(grep -l 0x1234 /sys/bus/pci/devices/*/vendor)))
dmesg | grep -iE "$p|efifb"
say place $(bar $p 0)
say driver $(cat /proc/fb)
printf '\033[?25l' >/dev/tty0 # no cursor in it
display pattern
read -r _
finish
GUEST
wait_out "^@ pattern"
expect_eq "the driver" "0 EFI VGA" "$(value driver)"
[ "$(value place)" != 0x00000000c0000000 ] || fail "BAR 0 was not moved"
"$LKVM" screenshot -n d shot.png || fail "screenshot"
expect_eq "pattern, pixel for pixel" 1024x768 "$(screen pattern shot.png 2>&1)"
echo >&9
lk_wait 60
expect_status 0
