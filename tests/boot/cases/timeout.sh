# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# --timeout ends a guest that goes on: 124.

start=$(now)
guest --timeout 5 <<'GUEST'
sleep 600
GUEST
expect_status 124
expect_least "seconds" 5 $(($(now) - start))
expect_most "seconds" 40 $(($(now) - start))
