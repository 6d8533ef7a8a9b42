#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2317 # predicates, called by their names
# --confine: what it accepts, and what it does to the threads of a running VM.

# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

usage_error 'a wrong value' '--confine: x is none of on, log, off' \
	run --confine x
usage_error 'no value' '--confine: ' run --confine=
accepted 'off' --confine off
accepted 'taken back' --confine=off --no-confine

if ! grep -q Seccomp_filters: /proc/self/status; then
	skip 'threads' 'this kernel says nothing of filters'
	finish
fi
if ! has_kvm || [ "$(uname -m)" != x86_64 ]; then
	skip 'threads' 'needs x86-64 and /dev/kvm'
	finish
fi
run run --confine on --kernel _NO_FILE_4Uhere_
if [[ $err == *'built without'* ]]; then
	skip 'threads' 'this lkvm has no filters'
	finish
fi
accepted 'on' --confine on
accepted 'log, with a line on where it shows' --confine=log
[[ $err == *'Info: --confine=log: '*'audit log'* ]] ||
	fail 'log says where it shows' "$err"

guest "$tmp/busy" '\353\376' # jmp .
truncate -s 1M "$tmp/disk1" "$tmp/disk2"

# start ARG...: a VM with every kind of thread, in $vm.
start()
{
	"$LKVM" run --nodefaults -n mode=none -c 2 -m 64 --rng --tty 1 --balloon \
		--port "port=unix:$tmp/port" \
		-d "$tmp/disk1" -d "$tmp/disk2,direct,ro" -k "$tmp/busy" "$@" \
		</dev/null >/dev/null 2>"$tmp/err" &
	vm=$!
}

# stop: it must end of our signal, as unconfined ones do.
stop()
{
	kill -TERM "$vm"
	status=0
	wait "$vm" || status=$?
	[ "$status" = 143 ] || fail 'the end' "status $status" "$(<"$tmp/err")"
}

# threads_with FIELD VALUE: how many of the threads have that.
threads_with()
{
	grep -lE "^$1:[[:space:]]*$2\$" "/proc/$vm"/task/*/status 2>/dev/null |
		wc -l
}

# These are to be waited for: a VM takes its time to start.
# Main, signals, two outputs, two disks, event loop, two vCPUs.
all_confined()
{
	local nr

	nr=$(find "/proc/$vm/task" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l)
	[ "$nr" -ge 9 ] && [ "$(threads_with Seccomp 2)" = "$nr" ] &&
		[ "$(threads_with NoNewPrivs 1)" = "$nr" ] &&
		[ "$(threads_with CapEff 0+)" = "$nr" ] &&
		[ "$(threads_with CapPrm 0+)" = "$nr" ]
}

# Main creates a VM in each round, the others cannot.
all_but_main_confined()
{
	local nr

	nr=$(threads_with Seccomp 2)
	[ "$nr" -ge 9 ] && [ "$(threads_with CapEff 0+)" -ge $((nr - 1)) ]
}

none_confined()
{
	[ "$(threads_with Seccomp 0)" -ge 9 ] &&
		[ "$(threads_with NoNewPrivs 1)" = 0 ]
}

# threads_are PREDICATE NAME
threads_are()
{
	if wait_while "$vm" "$2" "$1"; then
		pass "$2"
	else
		grep -HE '^(Name|Seccomp|NoNewPrivs|Cap...):' \
			"/proc/$vm"/task/*/status 2>/dev/null
		cat "$tmp/err"
	fi
}

start
threads_are all_confined 'every thread is confined'
kill -USR2 "$vm"
wait_while "$vm" 'SIGUSR2' grep -q '00:00.0' "$tmp/err"
stop

start --confine=log
threads_are all_confined 'and so with log'
stop

start --confine=off
threads_are none_confined 'none with off'
stop

start --reboot=restart
threads_are all_but_main_confined 'restart: every thread is confined'
stop

# The keyboard controller's reset, over and over: mov al, 0xfe; out 0x64, al; hlt.
guest "$tmp/reset" '\260\376\346\144\364\353\375'
expect 'restarts go on until the time limit' 124 '' 'Error: --timeout' \
	run --nodefaults -n mode=none -c 2 -m 64 --rng --tty 1 --timeout 8 \
	-d "$tmp/disk1" -d "$tmp/disk2,direct,ro" --reboot=restart \
	-k "$tmp/reset"
[[ $err != *confinement* ]] || fail 'restarts' "$err"
finish
