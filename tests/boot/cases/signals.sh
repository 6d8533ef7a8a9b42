# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# SIGTERM, SIGINT and SIGHUP end the VM within a second, with what the guest
# printed on stdout, and by a status that is not one of a guest's.

for signal in TERM INT HUP; do
	guest_start <<-'GUEST'
	echo "@ ready"
	sleep 600
	GUEST
	# INT once the guest is up: a shell's background job ignores it by
	# default, which lkvm must not inherit silently.
	if [ $signal = TERM ]; then
		wait_out "@ ready"
	else
		wait_out "Linux version"
	fi
	start=$(now_ms)
	kill -$signal "$lkvm_pid"
	lk_wait 10
	took=$(($(now_ms) - start))
	expect_most "ms from SIG$signal to the end" 1000 "$took"
	[ "$status" != 137 ] || fail "SIG$signal did not end lkvm"
done
