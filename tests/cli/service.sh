#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# lkvm as a service: what it tells a service manager, the unit file, Slurm.

# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

sed "s|@BINDIR@|${LKVM%/*}|" service/lkvm@.service.in >"$tmp/lkvm@.service"
if command -v systemd-analyze >/dev/null; then
	if err=$(systemd-analyze verify --man=no "$tmp/lkvm@.service" 2>&1) &&
		[ -z "$err" ]; then
		pass 'the unit file'
	else
		fail 'the unit file' "$err"
	fi
else
	skip 'the unit file' 'no systemd-analyze here'
fi
# Where there is none, at least what it runs is right.
words=$(sed -n 's/^ExecStart=[^ ]* //p' "$tmp/lkvm@.service" |
	sed "s|%E/lkvm|$tmp|; s|%i|web|g")
echo '{"kernel":"k"}' >"$tmp/web.json"
# shellcheck disable=SC2086 # a list of words
expect 'ExecStart' 0 '"kernel": "k",.*"name": "web"' '' $words --print-config
stop=$(sed -n 's/^ExecStop=[^ ]* //p' "$tmp/lkvm@.service")
# shellcheck disable=SC2086
expect 'ExecStop' 128 '' 'no VM of the name web' ${stop//%i/web}

if ! has_kvm; then
	skip 'a VM that says READY' 'no /dev/kvm here'
	finish
fi
guest "$tmp/halt" '\372\364\353\375'
flags=(--nodefaults -m 64 -c 1)
if command -v python3 >/dev/null; then
	for name in "$tmp/notify" "@lkvm-test-$$"; do
		: >"$tmp/said" # not what the one before said
		python3 - "$name" >"$tmp/said" <<-'PYTHON' &
		import socket, sys
		name = sys.argv[1]
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.bind("\0" + name[1:] if name[0] == "@" else name)
		print("bound", flush=True)
		s.settimeout(30)
		print(s.recv(100).decode().split("\n")[0], flush=True)
		PYTHON
		listener=$!
		wait_while $listener 'a listener' grep -q bound "$tmp/said"
		NOTIFY_SOCKET=$name "$LKVM" run "${flags[@]}" --name n \
			"$tmp/halt" </dev/null >/dev/null 2>"$tmp/err" &
		vm=$!
		wait $listener
		run stop n
		if wait $vm && grep -q '^READY=1$' "$tmp/said"; then
			pass "READY=1 to ${name:0:1}"
		else
			fail "READY=1 to ${name:0:1}" "$(cat "$tmp/said" "$tmp/err")"
		fi
	done
else
	skip 'a VM that says READY' 'no python3 here'
fi
NOTIFY_SOCKET=/nonexistent expect 'a manager that is not there' 124 '' 'timeout' \
	run "${flags[@]}" --timeout 1 "$tmp/halt"

# A job array of ten boots: docs/service.md.
# shellcheck source=tests/lib/slurm.sh
. tests/lib/slurm.sh
if ! slurm_start "$tmp/slurm"; then
	skip 'Slurm' "$slurm_why"
	finish
fi
guest "$tmp/reset" '\260\376\346\144\364\353\375'
cat >"$tmp/boots.sh" <<TEXT
#!/bin/sh
exec $LKVM run ${flags[*]} --timeout 60 --result $tmp/result-\$SLURM_ARRAY_TASK_ID.json $tmp/reset
TEXT
timeout 300 sbatch --wait --array=1-10 --output="$tmp/job-%a" "$tmp/boots.sh" \
	>"$tmp/out" 2>&1
if [ "$(cat "$tmp"/result-*.json | grep -c '"how":"reset","status":0')" = 10 ]; then
	pass 'Slurm: an array of ten boots'
else
	fail 'Slurm: an array of ten boots' \
		"$(tail "$tmp/out" "$tmp"/result-* "$tmp"/job-*)"
fi
slurm_stop "$tmp/slurm"
finish
