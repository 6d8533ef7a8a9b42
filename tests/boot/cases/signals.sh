# SPDX-License-Identifier: GPL-2.0-only
# arch: x86
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# SIGTERM, SIGINT and SIGHUP end the VM at once, with what the guest
# printed on stdout, and by a status that is not one of a guest's.

hush=
# A shell starts background jobs with SIGINT ignored, which lkvm respects.
prefix="/usr/bin/env --default-signal=INT"
for signal in TERM INT HUP; do
	guest_start <<-'GUEST'
	echo "@ ready"
	sleep 600
	GUEST
	if [ $signal = TERM ]; then
		wait_out "@ ready"
	else
		wait_out "Linux version"
	fi
	start=$(now_ms)
	kill -$signal "$lkvm_pid"
	lk_wait 60
	took=$(($(now_ms) - start))
	expect_most "ms from SIG$signal to the end" 10000 "$took"
	[ "$status" != 137 ] || fail "SIG$signal did not end lkvm"
done
