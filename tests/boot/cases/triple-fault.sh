# SPDX-License-Identifier: GPL-2.0-only
# arch: x86
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# A triple fault, which is how this kernel resets: 33, and a message.

guest -p reboot=t <<'GUEST'
reboot -f
sleep 60
GUEST
expect_status 33
expect_least "bytes of stderr" 10 "$(stat -c %s err)"
