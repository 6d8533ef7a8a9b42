# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# More than 3 GiB of RAM splits around the hole below 4 GiB.

free=$(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)
[ "$free" -ge 3000 ] || skip "needs 3 GiB of free memory, $free MiB are"
guest -m 4096 <<'GUEST'
echo "@ mib $(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)"
echo "@ above $(grep -c '1[0-9a-f]\{8\} : System RAM' /proc/iomem)"
GUEST
expect_status 0
expect_least "MiB that the guest sees" 3700 "$(value mib)"
expect_least "ranges above 4 GiB" 1 "$(value above)"
