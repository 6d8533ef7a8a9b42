# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# The guest's clock at boot is the host's, to 3 s.

mkfifo in
exec 9<>in
guest_start <<'GUEST'
echo "@ ready"
read -r _
echo "@ date $(date +%s)"
echo "@ rtc $(cat /sys/class/rtc/rtc0/since_epoch)"
GUEST
wait_out "@ ready"
before=$(date +%s)
echo >&9
lk_wait 120
after=$(date +%s)
expect_status 0
expect_least "guest's clock" $((before - 3)) "$(value date)"
expect_most "guest's clock" $((after + 3)) "$(value date)"
expect_least "real-time clock chip" $((before - 3)) "$(value rtc)"
expect_most "real-time clock chip" $((after + 3)) "$(value rtc)"
