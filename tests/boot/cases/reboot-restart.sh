# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# timeout: 400
# With --reboot=restart a reset boots the guest again, in the same process,
# with working devices. The disk counts the boots.

printf '0' >counter.img
truncate -s 1M counter.img
limit=350
guest -d counter.img --reboot=restart <<'GUEST'
n=$(($(head -c 1 /dev/vda) + 1))
echo "@ boot$n $(head -c 4 /dev/hwrng | wc -c)"
printf '%s' "$n" | dd of=/dev/vda conv=notrunc,fsync 2>/dev/null
[ "$n" = 1 ] && reboot -f
poweroff -f
GUEST
expect_status 0
expect_eq "boots" 2 "$(head -c 1 counter.img)"
expect_eq "boots that told" 2 "$(grep -c "@ boot[12] " out)"
