# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154
# A stock kernel boots from an initramfs, prints, and powers off.

guest <<'GUEST'
echo "@ cpus $(nproc)"
echo "@ cmdline $(cat /proc/cmdline)"
GUEST
expect_status 0
expect_eq "CPUs" 1 "$(value cpus)"
value cmdline
