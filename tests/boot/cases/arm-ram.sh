# SPDX-License-Identifier: GPL-2.0-only
# arch: arm64
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# RAM where the user says, beyond 4 GiB; affinity, counters, a fixed seed.

guest -m 512@8G --pmu --vcpu-affinity 1 --kaslr-seed 7 --dump-dtb t.dtb \
	--no-pvtime <<'GUEST'
echo "@ ram $(sed -n 's/ : System RAM//p' /proc/iomem | head -n 1)"
echo "@ stolen $(dmesg | grep -c 'using stolen time PV')"
echo "@ kaslr $(dmesg | grep -c 'KASLR enabled')"
echo "@ counters $(dmesg | sed -n 's/.*PMU driver, \([0-9]*\) counters.*/\1/p')"
echo "@ pmu $(ls /sys/bus/event_source/devices | grep -c armv8)"
poweroff -f
GUEST
expect_status 0
expect_out "@ ram 200000000-"
expect_least "PMUs" 1 "$(value pmu)"
expect_least "performance counters" 2 "$(value counters)"
expect_eq "stolen time with --no-pvtime" 0 "$(value stolen)"
expect_eq "KASLR by the seed" 1 "$(value kaslr)"
expect_least "bytes of device tree" 4000 "$(stat -c %s t.dtb)"
