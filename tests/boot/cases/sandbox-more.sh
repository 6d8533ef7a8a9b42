# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# default: never
# timeout: 1200
# More of sandboxes, by name: commands that are not there, a terminal, a reader that
# goes, a network, a shell on lkvm's own root, a VM that ends too early, signals.

need_root
[ -d "/lib/modules/$(uname -r)" ] || skip "no modules of this kernel here"
# mktemp's folder below /tmp is as good a home as any.
export HOME="$T"
limit=200

sandbox()
{
	lk sandbox -k "$LAB/vmlinuz" -m 256 -c 1 "$@"
}

sandbox -- no-such-command
expect_status 127
expect_err "no-such-command: No such file"
sandbox -- /lib
expect_status 126
sandbox --user -n mode=user -- sh -c 'ip addr; ip route; cat /etc/resolv.conf'
expect_status 0
expect_out "inet 192.168.33.15/24"
expect_out "default via 192.168.33.1"
expect_out "nameserver 192.168.33.3"

# The reader of its output goes.
"$LKVM" sandbox -k "$LAB/vmlinuz" -m 256 -c 1 -- sh -c 'yes; echo $? >&2' \
	</dev/null 2>err | head -n 1 >out
expect_out y
expect_err 141

# The guest ends by itself; its kernel panics.
sandbox -- poweroff -f
expect_status 128
expect_err "ended before the command did"
sandbox -- sh -c 'echo c >/proc/sysrq-trigger'
expect_status 34
expect_err "Kernel panic"

# Neither kernel nor modules have what is needed.
mkdir -p none && : >none/modules.dep
sandbox --modules none -- true
expect_status 128
expect_err "ended before the command did"

lk_start sandbox -k "$LAB/vmlinuz" -m 256 -c 1 -- sh -c 'echo up; sleep 1000'
wait_out up
kill -TERM "$lkvm_pid"
lk_wait 30
expect_status 143

# A shell on a root of lkvm's own, for whom no disk is named.
mkfifo in
exec 9<>in
lk_start run -k "$LAB/vmlinuz" -m 256 -c 1 -p quiet
wait_out '/ # '
printf 'echo "@ root $(grep " / 9p" /proc/mounts)"\ntouch /kept\nexit\n' >&9
lk_wait 60
exec 9>&-
expect_status 0
expect_out "@ root /dev/root / 9p rw"
[ -e "$HOME/.lkvm/default/kept" ] || fail "the file is not in the root"
rm in

# On a terminal, whose size is the guest's, and changes.
if [ -x /usr/bin/script ]; then
	cat >session <<-'SESSION'
	stty sane rows 41 cols 91
	stty -a >stty.before
	tty >tty
	$LKVM sandbox -k $LAB/vmlinuz -m 256 -c 1 -- sh -c '
		trap "stty size" WINCH
		tty; stty size
		until read -r line; do :; done
		echo "line $line"
		exit 9'
	echo "status $?"
	stty sane rows 41 cols 91
	stty -a >stty.after
	SESSION
	mkfifo typed
	/usr/bin/script -qefc "sh ./session" /dev/null <typed >out 2>&1 &
	lkvm_pid=$!
	exec 9>typed
	wait_out "/dev/hvc0"
	wait_out "41 91"
	stty -F "$(cat tty)" rows 30 cols 100
	wait_out "30 100"
	echo typed >&9
	wait_out "line typed"
	wait_out "status 9"
	exec 9>&-
	wait "$lkvm_pid"
	diff stty.before stty.after || fail "the terminal's settings changed"
fi
