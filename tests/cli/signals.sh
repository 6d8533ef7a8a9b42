#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Signals end the VM within a second, with its output complete, and the parent
# sees a death of that signal. The limit is for machines under load.

# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

if ! has_kvm; then
	skip 'signals' 'no /dev/kvm here'
	finish
fi

soon=10000 # ms

# "Hi" to the serial port, then halt for ever.
guest "$tmp/hi" '\272\370\003\260H\356\260i\356\260\n\356\372\364\353\375'
flags=(--nodefaults -m 64 -c 1)

# A background job ignores SIGINT, and so would lkvm.
fresh=(env "--default-signal=TERM,INT,HUP")

# start COMMAND...: lkvm by way of it in the background ($pid), until the guest
# has said "Hi".
start()
{
	: >"$tmp/out"
	"$@" "$LKVM" run "${flags[@]}" "$tmp/hi" \
		</dev/null >"$tmp/out" 2>"$tmp/err" &
	pid=$!
	wait_while $pid 'the guest runs' grep -q Hi "$tmp/out"
}

# end: waits for it; $status and $took (ms since $asked).
end()
{
	local watchdog

	status=0
	(sleep 40 && kill -KILL "$pid") >/dev/null 2>&1 &
	watchdog=$!
	wait "$pid" 2>/dev/null || status=$?
	took=$((($(date +%s%N) - asked) / 1000000))
	kill $watchdog
	wait $watchdog 2>/dev/null
}

for signal in TERM INT HUP; do
	start "${fresh[@]}" || fail "SIG$signal: the guest runs" "$(cat "$tmp/err")"
	asked=$(date +%s%N)
	kill -$signal $pid
	end
	want=$((128 + $(kill -l $signal)))
	if [ $status = $want ] && [ $took -lt $soon ] && [ ! -s "$tmp/err" ]; then
		pass "SIG$signal"
	else
		fail "SIG$signal" "status $status, not $want, after $took ms" \
			"$(cat "$tmp/err")"
	fi
done

# nohup
survives_hup()
(
	trap '' HUP
	start env --default-signal=TERM && kill -HUP $pid && sleep 0.3 && kill -0 $pid
	alive=$?
	kill $pid
	exit $alive
)
if survives_hup; then
	pass 'SIGHUP under nohup is ignored'
else
	fail 'SIGHUP under nohup is ignored'
fi

# A reader that does not read: 800 ms of patience, not more.
mkfifo "$tmp/fifo"
guest "$tmp/flood" '\272\370\003\260x\356\353\375'
# shellcheck disable=SC2217 # that it does not read is the point
sleep 60 <"$tmp/fifo" &
sleeper=$!
"${fresh[@]}" "$LKVM" run "${flags[@]}" "$tmp/flood" </dev/null >"$tmp/fifo" 2>"$tmp/err" &
pid=$!
sleep 2
asked=$(date +%s%N)
kill $pid
end
kill $sleeper
wait $sleeper 2>/dev/null
if [ $status = 143 ] && [ $took -lt $soon ]; then
	pass 'SIGTERM with a reader that does not read'
else
	fail 'SIGTERM with a reader that does not read' \
		"status $status after $took ms" "$(cat "$tmp/err")"
fi

# While the kernel comes from a pipe, nothing is to be ended in order.
mkfifo "$tmp/kernel"
sleep 60 >"$tmp/kernel" &
sleeper=$!
"${fresh[@]}" "$LKVM" run "${flags[@]}" -k "$tmp/kernel" </dev/null >"$tmp/out" 2>&1 &
pid=$!
sleep 0.5
asked=$(date +%s%N)
kill $pid
end
kill $sleeper
wait $sleeper 2>/dev/null
if [ $status = 143 ] && [ $took -lt $soon ]; then
	pass 'SIGTERM while the kernel is read'
else
	fail 'SIGTERM while the kernel is read' \
		"status $status after $took ms" "$(cat "$tmp/out")"
fi
finish
