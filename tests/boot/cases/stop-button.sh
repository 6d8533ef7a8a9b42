# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# lkvm stop presses the power button, of ACPI or of gpio-keys: the guest sees the
# key and powers itself off.

export XDG_RUNTIME_DIR="$T"
guest_start --name button <<'GUEST'
for name in /sys/class/input/event*/device/name; do
	grep -qiE 'power|gpio' "$name" || continue
	event=${name#/sys/class/input/}
	exec 8<"/dev/input/${event%%/*}"
done
echo "@ ready"
# struct input_event: two words of time, type, code, value.
echo "@ key $(dd bs=24 count=1 <&8 2>/dev/null | od -An -tu2 -j 16 | xargs)"
poweroff -f
GUEST
wait_out "@ ready"
"$LKVM" stop --grace 60 button || fail "lkvm stop: status $?"
lk_wait 120
expect_status 0
expect_eq "type, code, value of the key" "1 116 1 0" "$(value key)"
