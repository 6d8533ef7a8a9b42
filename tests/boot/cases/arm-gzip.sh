# SPDX-License-Identifier: GPL-2.0-only
# arch: arm64
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# A compressed Image boots as the plain one does; a damaged one is refused.

gzip -c "$LAB/vmlinuz" >Image.gz
guest_initrd <<'GUEST'
echo "@ up yes"
poweroff -f
GUEST
lk run -k Image.gz -i initrd -m 256 -c 1 -n mode=none -p quiet
expect_status 0
expect_eq "up" yes "$(value up)"
head -c 9000000 Image.gz >cut.gz
lk run -k cut.gz -m 256
expect_status 128
expect_err "gzip data: damaged"
