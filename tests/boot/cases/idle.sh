# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# While the guest idles, lkvm's own threads sleep, its vCPU next to always.

guest_start --rng <<'GUEST'
echo "@ ready"
sleep 60
GUEST
wait_out "@ ready"
expect_quiet "$lkvm_pid"
kill "$lkvm_pid"
lk_wait 120
