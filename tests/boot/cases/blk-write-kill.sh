# SPDX-License-Identifier: GPL-2.0-only
# default: x86
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# timeout: 400
# Much (write_script: how much) written with fsync, then lkvm is killed as soon
# as the guest's sync returned: the same bytes outside.

truncate -s "${mib}M" disk.raw
write_script "sync; echo '@ synced'; sleep 600" >script
guest_start -d disk.raw <script
wait_out "@ synced" 180
kill -KILL "$lkvm_pid"
lk_wait 120
expect_status 137
expect_eq "checksum outside" "$(value md5)" "$(md5sum <disk.raw | cut -d' ' -f1)"
