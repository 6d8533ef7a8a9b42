# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# Bytes of a pipe reach the guest; its end does not stop the guest, and costs
# no CPU.

mkfifo in
{
	exec 8>in
	until grep -q '@ ready' out 2>/dev/null; do sleep 0.2; done
	echo "hello guest" >&8
} &
guest_start <<'GUEST'
echo "@ ready"
read -r line
echo "@ line $line"
sleep 20
echo "@ alive yes"
GUEST
wait_out "@ line"
expect_quiet "$lkvm_pid"
lk_wait 120
expect_status 0
expect_eq "line" "hello guest" "$(value line)"
expect_eq "alive after the end of stdin" yes "$(value alive)"
