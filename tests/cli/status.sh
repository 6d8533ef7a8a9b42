#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Hosts that cannot, kernels that are not there, and how guests end.

# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

expect 'no KVM device' 77 '' 'Fatal: /nonexistent/kvm does not exist' \
	run --dev /nonexistent/kvm -k x
expect 'host before kernel' 77 '' 'Fatal: /nonexistent/kvm' \
	run --dev /nonexistent/kvm -k /nonexistent/kernel
expect 'options before host' 129 '' 'unknown option' \
	run --dev /nonexistent/kvm --frobnicate
expect 'something else than KVM' 77 '' 'Fatal: /dev/null ' \
	run --dev /dev/null -k x
touch "$tmp/secret"
chmod 0 "$tmp/secret"
if [ "$(id -u)" != 0 ]; then
	expect 'no permission' 77 '' 'usermod -aG' run --dev "$tmp/secret" -k x
elif command -v setpriv >/dev/null; then
	# As somebody else, who must reach the binary and the file.
	install -m 755 "$LKVM" "$tmp/lkvm"
	chmod 755 "$tmp"
	status=0
	err=$(setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$tmp/lkvm" run --dev "$tmp/secret" -k x 2>&1) || status=$?
	if [ "$status" = 77 ] && [[ $err =~ 'no permission' ]]; then
		pass 'no permission'
	else
		fail 'no permission' "status $status" "$err"
	fi
else
	skip 'no permission' 'we are root and there is no setpriv'
fi

if ! has_kvm; then
	skip 'guests' 'no /dev/kvm here'
	finish
fi

expect 'missing kernel' 128 '' \
	'^  Fatal: Unable to open kernel /nonexistent/k: No such file' \
	run -k /nonexistent/k
expect 'missing kernel as a word' 128 '' \
	'Fatal: Unable to open kernel /nonexistent/k' run /nonexistent/k -c 1
expect 'kernel that is a directory' 128 '' 'Unable to open kernel /' run -k /
guest "$tmp/reset" '\260\376\346\144\364\353\375' # mov al,0xfe; out 0x64,al
expect 'missing initrd' 128 '' 'Unable to open initrd /nonexistent/i' \
	run "$tmp/reset" -i /nonexistent/i
expect 'missing disk' 128 '' '/nonexistent/d' \
	run "$tmp/reset" -m 64 -c 1 -d /nonexistent/d
expect 'RAM at an address' 128 '' 'Fatal: ' run -m 64@1G -c 1 "$tmp/reset"

status=0
(cd "$tmp" && mkdir -p empty && cd empty &&
	"$LKVM" run -c 1 -m 64 >../out 2>../err) || status=$?
if [ -e "/boot/vmlinuz-$(uname -r)" ] || [ -e "/boot/bzImage-$(uname -r)" ]; then
	skip 'no kernel named' 'this machine has one in /boot'
elif [ "$status" = 128 ] &&
	grep -q "looked for bzImage, .*/boot/vmlinuz-$(uname -r)" "$tmp/err"; then
	pass 'no kernel named: where it looked'
else
	fail 'no kernel named: where it looked' "status $status" \
		"$(cat "$tmp/err")"
fi

flags=(--nodefaults -m 64 -c 1)
# "Hi" and a newline to the serial port, then reset.
guest "$tmp/hi" \
	'\272\370\003\260H\356\260i\356\260\n\356\260\376\346\144\364\353\375'
expect 'output is the guest'"'"'s alone' 0 '^Hi$' '' \
	run "${flags[@]}" "$tmp/hi"
expect 'options behind the kernel' 0 '^Hi$' '' run "$tmp/hi" "${flags[@]}"
expect 'kernel from a descriptor' 0 '^Hi$' '' \
	run "${flags[@]}" -k <(cat "$tmp/hi")
expect 'reset' 0 '' '' run "${flags[@]}" "$tmp/reset"
expect 'reset, extended status' 32 '' '' \
	run "${flags[@]}" --extended-status "$tmp/reset"
# cli; lidt [cs:20] (limit 0); protected mode; int3
guest "$tmp/triple" '\372\056\017\001\036\024\000\017\040\300\014\001\017\042\300\314\364\353\375\000\000\000\000\000\000\000'
expect 'triple fault' 33 '' '.' run "${flags[@]}" "$tmp/triple"
guest "$tmp/halt" '\372\364\353\375' # cli; hlt; jmp
start=$(date +%s%N)
expect 'timeout' 124 '' '--timeout' \
	run "${flags[@]}" --timeout 1 "$tmp/halt"
took=$((($(date +%s%N) - start) / 1000000))
if [ $took -ge 1000 ] && [ $took -lt 20000 ]; then
	pass 'timeout: after its time'
else
	fail 'timeout: after its time' "$took ms"
fi
guest "$tmp/spin" '\353\376'
expect 'timeout of a guest that spins' 124 '' '--timeout' \
	run "${flags[@]}" -c 1 --timeout 1 "$tmp/spin"
mkfifo "$tmp/fifo"
sleep 30 >"$tmp/fifo" &
sleeper=$!
expect 'timeout while the kernel is read' 124 '' '--timeout' \
	run "${flags[@]}" --timeout 1 -k "$tmp/fifo"
kill $sleeper
wait $sleeper 2>/dev/null
expect 'many CPUs are clamped' 0 '' 'Warning: --cpus 1000000' \
	run --nodefaults -m 64 -c 1000000 "$tmp/reset"
expect 'log level error drops warnings' 0 '' '' \
	run --nodefaults -m 64 -c 1000000 --loglevel=error "$tmp/reset"
finish
