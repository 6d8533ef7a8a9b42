# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# While the guest idles, lkvm's own threads sleep, its vCPU next to always.

guest_start --rng <<'GUEST'
echo "@ ready"
sleep 20
GUEST
wait_out "@ ready"
quietest_second "$lkvm_pid"
expect_most "wake-ups of lkvm's own threads in a second" 0 "$woken"
expect_most "ticks of the vCPU in a second" 10 "$ticks"
kill "$lkvm_pid"
lk_wait 5
