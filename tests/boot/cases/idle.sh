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
others() { grep -v '^vcpu' "$1" | awk '{ t += $2 } END { print t + 0 }'; }
all() { awk '{ t += $2 } END { print t + 0 }' "$1"; }
grep -q '^vcpu' after || fail "expected a thread called vcpu..."
expect_most "ticks of lkvm's own threads in 5 s" 0 \
	$(($(others after) - $(others before)))
expect_most "ticks of all in 5 s" 50 $(($(all after) - $(all before)))
kill "$lkvm_pid"
lk_wait 5
