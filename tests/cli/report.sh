#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2317 # predicates, called by their names
# For scripts and CI: --result, --log, the console's last lines, --config, and many
# VMs at once.

# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

# ---- --config and --print-config ----

config='\{
  "cpus": "2",
  "disk": \[
    "a,ro",
    "b"
  \],
  "rng": false,
  "params": "x .*y.*",
  "nodefaults": true,
  "kernel": "k"
\}'
line=(--cpu=2 -d 'a,ro' --disk b --rng --no-rng -p 'x "y"' --nodefaults k)
expect 'print-config' 0 "^$config\$" '' run --print-config "${line[@]}"
"$LKVM" run --print-config "${line[@]}" >"$tmp/config"
expect 'config says the same' 0 "^$config\$" '' \
	run --config "$tmp/config" --print-config
"$LKVM" run --config - --print-config <"$tmp/config" >"$tmp/config2"
if cmp -s "$tmp/config" "$tmp/config2"; then
	pass 'config from standard input'
else
	fail 'config from standard input' "$(cat "$tmp/config2")"
fi
expect 'what comes later wins' 0 '"7".*"disk": false' '' \
	run --config "$tmp/config" --no-disk -c 7 --print-config
expect 'nothing said' 0 '^\{\}$' '' run --print-config

# refused WHY TEXT: a config with that text.
refused()
{
	printf '%s' "$2" >"$tmp/bad"
	usage_error "config: $1" "$1" run --config "$tmp/bad"
}
usage_error 'config: no file' '--config: /nonexistent' \
	run --config /nonexistent
refused 'there is no option frob' '{"frob":1}'
refused 'there is no option cpu:' '{"cpu":1}'
refused '--cpus: x is no number' '{"cpus":"x"}'
refused '--cpus: 0 is no number' '{"cpus":0}'
refused '--cpus: needs an argument' '{"cpus":true}'
refused '--rng: is true or false' '{"rng":"yes"}'
refused 'values are strings' '{"cpus":1.5}'
refused 'values are strings' '{"cpus":{}}'
refused 'is no JSON object' '[]'
refused 'line 2' '{"cpus":1,
'
refused 'duplicate' '{"cpus":1,"cpus":2}'
refused 'names no other' '{"config":"x"}'
refused '--realm: ' '{"realm":true}'

expect 'result: cannot be written' 128 '' '--result /nonexistent/r: No such' \
	run --result /nonexistent/r k
expect 'log: cannot be written' 128 '' '--log /nonexistent/l: No such' \
	run --log /nonexistent/l k

if ! has_kvm; then
	skip 'guests' 'no /dev/kvm here'
	finish
fi

flags=(--nodefaults -m 64 -c 1 --result "$tmp/result" --log "$tmp/log")
# "Hi" and a newline to the serial port, then what the name says.
hi='\272\370\003\260H\356\260i\356\260\n\356'
guest "$tmp/reset" "$hi"'\260\376\346\144\364\353\375'
guest "$tmp/halt" "$hi"'\372\364\353\375'
guest "$tmp/triple" '\372\056\017\001\036\024\000\017\040\300\014\001\017\042\300\314\364\353\375\000\000\000\000\000\000\000'

# result NAME REGEX: what --result says.
result()
{
	if [[ $(cat "$tmp/result") =~ $2 ]]; then
		pass "$1"
	else
		fail "$1" "$(cat "$tmp/result")"
	fi
}

expect 'reset' 0 '^Hi$' '' run "${flags[@]}" --name x "$tmp/reset"
result 'result: reset' '^\{"name":"x","how":"reset","status":0,"run_ms":[0-9]+,"first_exit_ms":[0-9]+,"exits":4,"port_exits":4,"memory_exits":0,"peak_memory":[0-9]+\}$'
expect 'no init' 0 '^Hi$' '' run "${flags[@]}" "$tmp/reset"
[[ $(<"$tmp/result") != *init_ms* ]] || fail 'result: no init' "$(<"$tmp/result")"
expect 'timeout shows the last lines' 124 '^Hi$' \
	'the console.s last lines:'$'\n''    Hi$' \
	run "${flags[@]}" --timeout 1 "$tmp/halt"
result 'result: timeout' '"how":"timeout","status":124'
if grep -q 'Error: --timeout: ' "$tmp/log"; then
	pass 'log: has the messages'
else
	fail 'log: has the messages' "$(cat "$tmp/log")"
fi
# kvmtool gives 0.
expect '10.2-26: a crash' 33 '' '.' run "${flags[@]}" "$tmp/triple"
result '10.2-26: result: crash' '"how":"crash","status":33'
expect 'no kernel' 128 '' 'Unable to open' run "${flags[@]}" -k /nonexistent/k
result 'result: no kernel' '"how":"error","status":128,"error":"Unable to open'
expect 'no KVM' 77 '' 'does not exist' \
	run "${flags[@]}" --dev /nonexistent/kvm "$tmp/halt"
result 'result: no KVM' '"how":"error","status":77'
"$LKVM" run "${flags[@]}" "$tmp/halt" >"$tmp/out" 2>/dev/null </dev/null &
pid=$!
wait_while $pid 'a guest to kill' grep -q Hi "$tmp/out"
kill -TERM $pid
wait $pid 2>/dev/null
result 'result: a signal' '"how":"signal","status":143'
# A panic that ends in a reset, as with panic=-1: lodsb; test; jz; out; jmp
guest "$tmp/panic" '\216\330\276\100\000\016\037\272\370\003\254\204\300\164\003\356\353\370\260\376\346\144\364\353\375'
truncate -s 64 "$tmp/panic"
printf 'Run x as as init process\r\nKernel panic - not syncing: VFS\r\nbye\r\n\0' \
	>>"$tmp/panic"
expect 'a panic on the console is shown' 0 'Kernel panic' \
	'the guest.s kernel said: Kernel panic - not syncing: VFS'$'\n.*''    bye$' \
	run "${flags[@]}" "$tmp/panic"
result 'result: and when the init process began' '"first_exit_ms":[0-9]+,"init_ms":[0-9]+,'
result 'result: names it' '"how":"reset".*"panic":"Kernel panic - not syncing: VFS"'
status=0
"$LKVM" run "${flags[@]}" --timeout 1 "$tmp/halt" >"$tmp/both" 2>&1 || status=$?
if [ "$(grep -c Hi "$tmp/both")" = 1 ]; then
	pass 'last lines: not twice in one file'
else
	fail 'last lines: not twice in one file' "$(cat "$tmp/both")"
fi

# ---- Fifty at once, without names ----

nobody=()
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null &&
	[ "$(stat -c %G /dev/kvm)" = kvm ]; then
	# An ordinary user, of the group that /dev/kvm has.
	nobody=(setpriv --reuid 65534 --regid 65534 --groups kvm)
	install -m 755 "$LKVM" "$tmp/lkvm"
	LKVM=$tmp/lkvm
	chmod 755 "$tmp"
	chmod 644 "$tmp/halt"
	mkdir "$tmp/nobody"
	chown 65534:65534 "$tmp/nobody"
	export XDG_RUNTIME_DIR=$tmp/nobody
fi
user() { ${nobody[@]+"${nobody[@]}"} "$@"; }
if ! user test -w /dev/kvm; then
	skip 'fifty VMs' 'an ordinary user cannot write to /dev/kvm here'
	finish
fi
pids=()
for ((i = 0; i < 50; i++)); do
	user "$LKVM" run --nodefaults -m 64 -c 1 -k "$tmp/halt" \
		</dev/null >"$tmp/out$i" 2>"$tmp/err$i" &
	pids+=($!)
done
all_said_hi() { [ "$(cat "$tmp"/out[0-9]* | grep -c Hi)" = 50 ]; }
wait_for 'fifty guests run' all_said_hi
listed=$(user "$LKVM" list --json | grep -c '"state":"running"')
if [ "$listed" = 50 ]; then
	pass 'fifty VMs run'
else
	fail 'fifty VMs run' "$listed are listed" "$(cat "$tmp"/err[0-9]*)"
fi
if user "$LKVM" stop --all 2>"$tmp/err"; then
	pass 'and stop'
else
	fail 'and stop' "$(cat "$tmp/err")"
fi
bad=0
for pid in "${pids[@]}"; do
	wait "$pid" || bad=$((bad + 1))
done
if [ "$bad" = 0 ] && [ -z "$(cat "$tmp"/err[0-9]*)" ] &&
	[ -z "$(ls "$XDG_RUNTIME_DIR/lkvm")" ]; then
	pass 'all with status 0, no message, no socket left'
else
	fail 'all with status 0, no message, no socket left' "$bad failed" \
		"$(cat "$tmp"/err[0-9]*)" "$(ls "$XDG_RUNTIME_DIR/lkvm")"
fi
finish
