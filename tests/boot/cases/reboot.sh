# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# A reset by the guest ends lkvm: 0, or 32 with --extended-status.

for extended in "" --extended-status; do
	expected=32
	[ -n "$extended" ] || expected=0
	# shellcheck disable=SC2086 # none or one
	guest $extended <<-'GUEST'
	reboot -f
	sleep 60
	GUEST
	expect_status $expected
	expect_out "reboot: Restarting system"
done
