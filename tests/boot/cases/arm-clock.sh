# SPDX-License-Identifier: GPL-2.0-only
# arch: arm64
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# The real-time clock is the host's, and its alarm rings.

guest <<'GUEST'
echo "@ rtc $(cat /sys/class/rtc/rtc0/name)"
echo "@ epoch $(cat /sys/class/rtc/rtc0/since_epoch)"
echo +3 >/sys/class/rtc/rtc0/wakealarm
sleep 6
echo "@ alarms $(awk '/rtc-pl031/ { print $2 }' /proc/interrupts)"
poweroff -f
GUEST
expect_status 0
expect_out "@ rtc rtc-pl031"
expect_eq "alarms" 1 "$(value alarms)"
off=$(($(date +%s) - $(value epoch)))
expect_most "seconds that the clock is behind" 60 "$off"
expect_least "seconds that the clock is behind" 0 "$off"
