# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# --console virtio: the guest's console is hvc0, both ways.

mkfifo in
exec 9<>in
guest_start --console virtio <<'GUEST'
echo "@ console $(cat /sys/class/tty/console/active)"
echo "@ ready"
read -r line
echo "@ line $line"
stty raw -echo </dev/hvc0
head -c 65536 /dev/zero | tr '\0' 'z' >/dev/hvc0
GUEST
wait_out "@ ready"
echo "from outside" >&9
lk_wait 120
expect_status 0
value console | grep -q hvc0 || fail "expected hvc0 to be a console"
expect_eq "line that the guest read" "from outside" "$(value line)"
expect_eq "bytes z on stdout" 65536 "$(tail -c 65700 out | tr -cd z | wc -c)"
