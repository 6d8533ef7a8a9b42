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
sleep 4
echo "@ alive yes"
GUEST
wait_out "@ line"
cpu_ticks "$lkvm_pid" >before
sleep 2
cpu_ticks "$lkvm_pid" >after
cat before after
lk_wait 30
expect_status 0
expect_eq "line" "hello guest" "$(value line)"
expect_eq "alive after the end of stdin" yes "$(value alive)"
expect_most "ticks of lkvm's threads in 2 s after the end of stdin" 2 \
	$(($(own_ticks after) - $(own_ticks before)))
