# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# timeout: 400
# Four CPUs come up, and the guest sees their topology and interrupts; --result
# knows when its init began.

hush=
limit=350
guest -c 4 --result result.json <<'GUEST'
echo "@ cpus $(nproc)"
echo "@ packages $(grep '^physical id' /proc/cpuinfo | sort -u | wc -l)"
echo "@ apicids $(grep '^initial apicid' /proc/cpuinfo | sort -u | wc -l)"
for c in 0 1 2 3; do
	taskset $((1 << c)) sh -c "echo '@ ran$c' \$((6 * 7))"
done
sleep 1
GUEST
expect_status 0
expect_eq "CPUs" 4 "$(value cpus)"
[ "$LAB_ARCH" != x86 ] || expect_eq "APIC ids" 4 "$(value apicids)"
for c in 0 1 2 3; do
	expect_eq "work on CPU $c" 42 "$(value ran$c)"
done
expect_no_out "APIC id mismatch"
expect_no_out "firmware bug"
# number NAME: what --result says of it.
number()
{
	sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" result.json
}
for pair in first_exit_ms:init_ms init_ms:run_ms; do
	[ "$(number ${pair%:*})" -le "$(number ${pair#*:})" ] ||
		fail "--result: $pair: $(cat result.json)"
done
