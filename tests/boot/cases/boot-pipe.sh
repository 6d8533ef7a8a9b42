# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# Kernel and initrd that cannot be seeked in: a pipe and /proc/self/fd/N.

guest_initrd <<'GUEST'
echo "@ up yes"
GUEST
mkfifo kernel
cat "$LAB/vmlinuz" >kernel &
exec 5<"$T/initrd"
lk run kernel -i /proc/self/fd/5 -m 256 -c 1 -n mode=none
exec 5<&-
expect_status 0
expect_eq "guest came up" yes "$(value up)"
