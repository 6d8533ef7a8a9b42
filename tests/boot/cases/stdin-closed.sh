# SPDX-License-Identifier: GPL-2.0-only
# default: x86
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# stdin closed: the guest boots, and no file of its own ends up as stdin.

guest_initrd <<'GUEST'
echo "@ up yes"
GUEST
truncate -s 1M disk.raw
status=0
"$LKVM" run -k "$LAB/vmlinuz" -i initrd -m 256 -c 1 -n mode=none \
	-d disk.raw <&- >out 2>err || status=$?
expect_status 0
expect_eq "guest came up" yes "$(value up)"
