# SPDX-License-Identifier: GPL-2.0-only
# default: x86
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# A console and named ports: a file, a pty and a socket at their host's ends, both
# ways, by name, and large. The console is hvc0 all the while.

command -v sockcat >/dev/null || skip "no sockcat: it is in the lab"
mkfifo in
exec 9<>in
guest_start --console virtio --port org.lkvm.log=file:log --port tty=pty \
	--port org.lkvm.cmd=unix:sock -p quiet <<'GUEST'
port()
{
	for p in /sys/class/virtio-ports/*; do
		[ "$(cat $p/name 2>/dev/null)" != "$1" ] || echo /dev/${p##*/}
	done
}
echo "@ console $(cat /sys/class/tty/console/active)"
echo "@ names" $(cat /sys/class/virtio-ports/*/name | sort)
log=$(port org.lkvm.log)
cmd=$(port org.lkvm.cmd)
tty=$(port tty)
seq 100000 >$log
echo "@ logged"
# One open port both ways; the host has not connected yet.
exec 3<>$cmd
echo "from the guest" >&3
echo "@ sent"
read -r line <&3
echo "@ answer $line"
exec 4<>$tty
read -r line <&4
echo "@ typed $line"
echo "to the pty" >&4
read -r line
echo "@ line $line"
GUEST
wait_out "@ logged" 150
seq 100000 | cmp - log || fail "the file is not what the guest wrote"
expect_eq "mode of the socket" 600 "$(stat -c %a sock)"
if grep -q "@ sent" out; then
	fail "the guest could write before anybody was connected"
fi
mkfifo say
sockcat sock <say >heard &
client=$!
exec 6>say
echo "from the host" >&6
wait_out "@ answer"
expect_eq "what the socket's client heard" "from the guest" "$(cat heard)"
kill $client
pty=$(sed -n 's|.*port tty is pty \(/dev/pts/[0-9]*\).*|\1|p' err)
# By a child: this shell leads its session, and a terminal that it opens becomes
# its own, to die with.
(
	exec 5<>"$pty"
	echo "into the pty" >&5
	head -n 1 <&5 >from-pty
) &
reader=$!
wait_out "@ typed"
wait "$reader"
expect_eq "what the pty's reader got" "to the pty" "$(cat from-pty)"
echo "to hvc0" >&9
lk_wait 60
expect_status 0
expect_eq "console" hvc0 "$(value console)"
expect_eq "names" "org.lkvm.cmd org.lkvm.log tty" "$(value names)"
expect_eq "answer" "from the host" "$(value answer)"
expect_eq "typed" "into the pty" "$(value typed)"
expect_eq "line" "to hvc0" "$(value line)"
[ ! -e sock ] || fail "the socket is still there"
