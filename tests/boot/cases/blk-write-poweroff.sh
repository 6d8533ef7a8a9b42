# SPDX-License-Identifier: GPL-2.0-only
# default: x86
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# timeout: 400
# Much (write_script: how much) written with fsync, then power-off: the same
# bytes outside.

truncate -s "${mib}M" disk.raw
write_script "poweroff -f" >script
limit=350
guest -d disk.raw <script
expect_status 0
expect_eq "checksum outside" "$(value md5)" "$(md5sum <disk.raw | cut -d' ' -f1)"
