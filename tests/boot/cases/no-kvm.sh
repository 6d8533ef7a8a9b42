# SPDX-License-Identifier: GPL-2.0-only
# arch: x86
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# No /dev/kvm, or no permission to use it: 77, and a message with the cure.

need_root
# lk_hidden COMMAND...: lkvm where COMMAND prepared a mount namespace.
lk_hidden()
{
	echo "+ $1"
	status=0
	unshare -m sh -c "$1; exec $2 \"$LKVM\" run -k \"$LAB/vmlinuz\" -m 64" \
		</dev/null >out 2>err || status=$?
	cat err
}

lk_hidden "mount -t tmpfs none /dev"
expect_status 77
expect_err "/dev/kvm"
expect_eq "size of stdout" 0 "$(stat -c %s out)"

lk_hidden "mknod -m 600 kvm c 10 232; mount --bind kvm /dev/kvm" \
	"/usr/bin/setpriv --reuid 65534 --regid 65534 --clear-groups"
expect_status 77
expect_err "/dev/kvm"
expect_err "group"

lk_hidden "mount --bind /dev/null /dev/kvm"
expect_status 77
