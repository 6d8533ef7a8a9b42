# SPDX-License-Identifier: GPL-2.0-only
# arch: x86
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# A panic with pvpanic loaded: 34.

guest <<'GUEST'
echo "@ pvpanic $(ls /sys/bus/acpi/drivers/pvpanic-mmio /sys/module/pvpanic 2>/dev/null | wc -w)"
echo c >/proc/sysrq-trigger
sleep 60
GUEST
expect_status 34
expect_out "Kernel panic - not syncing"
