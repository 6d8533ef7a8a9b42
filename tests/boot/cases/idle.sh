# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# While the guest idles, lkvm's own threads use no CPU, its vCPU next to none.

guest_start --rng <<'GUEST'
echo "@ ready"
sleep 9
GUEST
wait_out "@ ready"
sleep 1
cpu_ticks "$lkvm_pid" >before
sleep 5
cpu_ticks "$lkvm_pid" >after
cat before after
expect_least "threads" 2 "$(wc -l <after)"
expect_most "ticks of lkvm's own threads in 5 s" 0 \
	$(($(own_ticks after) - $(own_ticks before)))
expect_most "ticks of the vCPU in 5 s" 50 \
	$(($(tail -n 1 after) - $(tail -n 1 before)))
kill "$lkvm_pid"
lk_wait 5
