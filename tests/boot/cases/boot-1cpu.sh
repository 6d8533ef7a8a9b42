# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# A stock kernel boots from an initramfs with one CPU and powers off: 0.

guest <<'GUEST'
echo "@ cpus $(nproc)"
poweroff -f
GUEST
expect_status 0
expect_eq "CPUs" 1 "$(value cpus)"
expect_out "reboot: Power down"
expect_eq "size of stderr" 0 "$(stat -c %s err)"
