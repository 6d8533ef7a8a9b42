#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Running VMs: list, stop, pause, resume, reset, wait, debug, stat; names and the
# folder of sockets; clients of all kinds.

# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

usage_error 'console: which' 'console: which VM' console
expect 'screenshot: no such VM' 128 '' 'no VM of the name x is' \
	screenshot -n x a.png
expect 'sendkey: names of keys' 0 ' f12.* ctrl .* leftbracket ' '' help sendkey
for command in stop pause resume reset wait stat balloon; do
	usage_error "$command: which" "$command: which VM" "$command"
	usage_error "$command: all or one" "all VMs, or those" \
		"$command" -a -n x
	expect "$command: no such VM" 128 '' \
		"^  Error: $command: no VM of the name x is running[^"$'\n'']*$' \
		"$command" -n x
	expect "$command: nobody is there" 0 '' 'Info: no VM is running' \
		"$command" --all
done
expect 'debug: what' 129 '' 'debug: what' debug -a
usage_error 'a name that can be none' 'a/b can be no name' stop -n a/b
usage_error 'negative grace' 'is no number of seconds' stop -n a --grace -5
expect 'list: none' 0 '^ +PID +NAME +STATE[^'$'\n'']*$' '' list
expect 'list --json: none' 0 '' '' list --json

if ! has_kvm; then
	skip 'running VMs' 'no /dev/kvm here'
	finish
fi

folder=$XDG_RUNTIME_DIR/lkvm
guest "$tmp/halt" '\372\364\353\375' # cli; hlt; jmp
guest "$tmp/reset" '\260\376\346\144\364\353\375'
flags=(--nodefaults -m 64 -c 1)

# is_up NAME: it answers.
is_up()
{
	wait_for "$1 comes up" is_listed "$1" '"state":"r' && return
	cat "$tmp/$1.err"
	return 1
}

# is_waited_for NAME: a waiter has come.
is_waited_for()
{
	wait_for "$1 is waited for" is_listed "$1" '"waiting":1'
}

# start NAME ARG...: a VM in the background, its pid in $pid, and it answers.
start()
{
	local name=$1

	shift
	"$LKVM" run "${flags[@]}" --name "$name" "$@" "$tmp/halt" \
		</dev/null >/dev/null 2>"$tmp/$name.err" &
	pid=$!
	is_up "$name"
}

# ended NAME WANT: the VM in $pid does, with that status and nothing to say.
ended()
{
	status=0
	wait "$pid" 2>/dev/null || status=$?
	if [ "$status" = "$2" ] && [ ! -s "$tmp/$1.err" ]; then
		pass "$1: status $2"
	else
		fail "$1: status $2" "status $status" "$(cat "$tmp/$1.err")"
	fi
}

# check NAME CONDITION...
check()
{
	local name=$1

	shift
	if "$@"; then pass "$name"; else fail "$name" "$*"; fi
}

truncate -s 1M "$tmp/disk"
start airy --balloon -d "$tmp/disk"
expect 'stat: devices' 0 'virtio-blk@00:01.0 queues 0 requests: 0' '' stat airy
expect 'stat --json: devices' 0 '"virtio-balloon@00:03.0":\{"queues":\[\{"requests":0,"bytes_out":0,"bytes_in":0,"wakeups":0,"interrupts":0\}' '' \
	stat --json airy
expect 'debug --queues' 0 'virtio-blk@00:01.0: status 0x00, features 0x0 of .*queue 0: size 512, not enabled' '' \
	debug --queues airy
expect 'balloon -i' 0 '^airy: asked for 16 MiB, has given 0 MiB, and has no' '' \
	balloon -i 16 -n airy
expect 'balloon -d' 0 '^airy: asked for 12 MiB' '' balloon -d 4 airy
expect 'balloon --target' 0 '^airy: asked for 20 MiB' '' \
	balloon --target 20M airy
expect 'balloon, as it is' 0 '^airy: asked for 20 MiB' '' balloon airy
expect 'balloon beyond the RAM' 128 '' 'airy: .*67108864' balloon -i 1G airy
usage_error 'balloon, no size' 'x is no size' balloon -i x airy
# Its guest has no driver, and cannot be waited for.
expect 'stat -m, no driver' 0 'airy: balloon target: 20971520' '' stat -m airy
expect 'stop' 0 '' '' stop --force airy
wait "$pid"
# kvmtool shares the host's / with every guest.
"$LKVM" run -m 64 -c 1 --name plain -d "$tmp/disk" -k "$tmp/halt" \
	</dev/null >/dev/null 2>"$tmp/plain.err" &
pid=$!
is_up plain
run stat --json plain
[[ $out == *virtio-blk* && $out != *virtio-9p* ]]
check 'S19: nothing of the host is shared unasked' [ $? = 0 ]
run stop --force plain
ended plain 0
start one
mode=$(stat -c '%a %F' "$folder" "$folder/one.sock")
check 'folder 0700, socket 0600' [ "$mode" = "700 directory
600 socket" ]
expect 'list' 0 "$pid +one +running +1 +64" '' list
expect 'list --json' 0 "^\\{\"name\":\"one\",\"pid\":$pid,\"state\":\"running\"" '' \
	list --json
expect 'a name that is taken' 128 '' \
	'Fatal: a VM with the name one is running' \
	run "${flags[@]}" --name one "$tmp/halt"
expect 'a name that is taken, in another folder' 128 '' 'the name one is' \
	run "${flags[@]}" --name one "$tmp/halt"
expect 'pause' 0 '^one: paused$' '' pause one
expect 'pause again' 0 '^one: was paused already$' '' pause one
expect 'list shows it' 0 '"state":"paused"' '' list --json
expect 'debug of a paused VM' 0 '^one:.*vCPU 0 registers:.*rip 0*2 .*eb fd' '' \
	debug -d -n one
expect 'resume' 0 '^one: resumed$' '' resume -n one
expect 'resume again' 0 '^one: was not paused$' '' resume -n one
expect 'debug --dump' 0 'vCPU 0 registers:.*stack at.*page tables' '' \
	debug --dump one
expect 'debug --pci' 0 '00:00.0 1b36:0008 .*host bridge' '' debug --pci one
expect 'debug --nmi' 0 '' '' debug --nmi 0 one
# kvmtool dies of the first one.
usage_error 'S15: a negative vCPU' '-5 is no number of a CPU' debug -m -5 one
expect 'a vCPU that is not there' 128 '' 'cpu is from 0 to 0, not 7' \
	debug -m 7 one
expect 'sysrq: the guest does not listen' 128 '' 'does not read' \
	debug -s h one
expect 'stat' 0 'one: ram: 67108864.*one: cpus 0 exits: ' '' stat one
# kvmtool hangs here, and so does every other command from then on.
expect '10.2-9: stat -m without a balloon' 0 'ram: 67108864' '' \
	stat -m -n one
expect 'list after that' 0 'one +running' '' list
expect 'balloon without a balloon' 128 '' 'one: .*start it with --balloon' \
	balloon -i 16 one
expect 'screenshot without a display' 128 '' 'one: .*start it with --sdl or' \
	screenshot -n one "$tmp/none.png"
check 'no file is made then' [ ! -e "$tmp/none.png" ]
usage_error 'screenshot: of two' 'of one VM' screenshot -n one -n one x.png
usage_error 'screenshot: two files' 'one file: a or b' screenshot -n one a b
usage_error 'screenshot: no file' 'to which FILE' screenshot -n one
expect 'sendkey without a keyboard' 128 '' 'one: .*start it with --sdl or' \
	sendkey -n one a
usage_error 'sendkey: none' 'which keys' sendkey -n one
usage_error 'sendkey: a name that is none' '"hyper" is no key' \
	sendkey -n one ctrl-hyper-a
usage_error 'sendkey: too many' 'at most 5 keys' sendkey -n one a-b-c-d-e-f
"$LKVM" wait one >"$tmp/waited" 2>&1 &
waiter=$!
is_waited_for one
expect 'stop' 0 '' '' stop -n one
ended one 0
wait $waiter
check 'wait: status' [ $? = 0 ]
check 'wait: how' [ "$(cat "$tmp/waited")" = 'one: stop, status 0' ]
check 'the socket has gone' [ ! -e "$folder/one.sock" ]

# A crash, and a signal, as wait tells them.
start two
"$LKVM" wait two >"$tmp/waited" 2>&1 &
waiter=$!
is_waited_for two
kill -TERM "$pid"
wait "$pid" 2>/dev/null
status=0
wait $waiter || status=$?
check 'wait: a signal' [ "$status $(cat "$tmp/waited")" = \
	'143 two: signal, status 143' ]
check 'SIGTERM: the socket has gone' [ ! -e "$folder/two.sock" ]

# kill -9 leaves a socket that nobody listens on.
start three
kill -KILL "$pid"
wait "$pid" 2>/dev/null
check 'kill -9: the socket is there' [ -S "$folder/three.sock" ]
run list --json
check 'kill -9: list is right' [ -z "$out" ]
check 'kill -9: list cleaned up' [ ! -e "$folder/three.sock" ]
start three
kill -KILL "$pid"
wait "$pid" 2>/dev/null
start three # with the socket of the one before
expect 'kill -9: the name is free' 0 'three +running' '' list

# The same at any time of its life: the next one has the name, and list is right.
for ((i = 0; i < 30; i++)); do
	"$LKVM" run "${flags[@]}" --name any -d "$tmp/disk" "$tmp/halt" \
		</dev/null >/dev/null 2>"$tmp/any.err" &
	pid=$!
	sleep "0.0$((RANDOM % 90 + 10))"
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	run list --json
	[ -z "$(grep '"any"' "$tmp/out")$(cat "$tmp/any.err")" ] ||
		fail "kill -9 at any time" "$out" "$(cat "$tmp/any.err")"
done
start any -d "$tmp/disk"
expect 'kill -9 at any time: the name is free' 0 'any +running' '' list
run stop --force any
ended any 0

# A VM that is stopped, as by Ctrl-Z, takes nobody with it.
start four
kill -STOP "$pid"
run list
check 'a VM that does not answer' grep -qE "$pid +four +silent" "$tmp/out"
check 'and those that do' grep -qE 'three +running' "$tmp/out"
kill -CONT "$pid"
expect 'reset' 0 '^four: ended: only --reboot=restart' '' reset four
ended four 0
start five --reboot=restart
expect 'reset: restarts' 0 '^five: reset$' '' reset five
is_up five && pass 'five runs again, and has its socket'
expect 'stop --all --force' 0 '' '' stop --all --force
ended five 0
check 'all have gone' [ -z "$("$LKVM" list --json)" ]

# Consoles: this guest says Hi, and then what it hears.
guest "$tmp/halt" '\272\370\003\260H\356\260i\356\260\n\356\272\375\003\354\250\001\164\373\272\370\003\354\356\353\361'
start echo --reboot=restart
expect 'console: history' 0 '^Hi$' '' console --history echo
# Two look while one types; both see it all, in the end.
: >"$tmp/look1"
: >"$tmp/look2"
timeout 200 "$LKVM" console echo </dev/null >"$tmp/look1" 2>&1 &
looker=$!
yes typed | head -n 12000 | timeout 200 "$LKVM" console echo >"$tmp/look2" 2>&1 &
typist=$!
# lines FILE: how many came.
lines() { tr -d '\0' <"$1" | grep -c typed; }
for ((i = 0; i < 2400; i++)); do
	[ "$(lines "$tmp/look1")" = 12000 ] && [ "$(lines "$tmp/look2")" = 12000 ] && break
	sleep 0.05
done
check 'console: what was typed was heard, in order' \
	[ "$(sort -u "$tmp/look2")" = 'Hi
typed' ]
check 'console: all of it, by both' \
	[ "$(lines "$tmp/look1") $(lines "$tmp/look2")" = '12000 12000' ]
run console --history echo
check 'console: history is 64 KiB' [ "$(wc -c <"$tmp/out")" = 65536 ]
run reset echo
for ((i = 0; i < 2400; i++)); do
	grep -q 'typed.*Hi' <(tr '\n' ' ' <"$tmp/look1") && break
	sleep 0.05
done
check 'console: it stays when the machine restarts' \
	grep -q 'typed.*Hi' <(tr '\n' ' ' <"$tmp/look1")
run stop --force echo
ended echo 0
wait $looker
check 'console: the end of the VM is its end' [ $? = 0 ]
wait $typist
check 'console: whatever stdin is' [ $? = 0 ]
guest "$tmp/halt" '\372\364\353\375'
start moved --tty 0
cat >"$tmp/want" <<-TEXT
	Error: moved: this VM's console is not on lkvm's standard output: see --tty
TEXT
expect 'console: it is elsewhere' 128 '' "$(cat "$tmp/want")" console moved
run stop moved
kill $pid 2>/dev/null
wait $pid

# Folders.
other=$tmp/other
mkdir "$other"
unset_run() { env -u XDG_RUNTIME_DIR "$@"; }
unset_run HOME="$other" "$LKVM" run "${flags[@]}" --name home "$tmp/halt" \
	</dev/null >/dev/null 2>"$tmp/home.err" &
pid=$!
HOME=$other is_up home
check 'without XDG_RUNTIME_DIR: .lkvm at home' [ -S "$other/.lkvm/home.sock" ]
HOME=$other expect 'the name is taken there, too' 128 '' 'name home is running' \
	run "${flags[@]}" --name home "$tmp/halt"
HOME=$other expect 'stop it there' 0 '' '' stop home
ended home 0
status=0
err=$(env -u XDG_RUNTIME_DIR -u HOME "$LKVM" run "${flags[@]}" "$tmp/reset" \
	2>&1 </dev/null) || status=$?
if [ "$(id -u)" = 0 ] && [ -w /run ]; then
	check 'without a home: /run/lkvm' [ "$status$err" = 0 ]
else
	check 'without HOME it runs' [ "$status" = 0 ]
fi
long=$tmp/$(printf '%0120d' 1)
mkdir "$long"
XDG_RUNTIME_DIR=$long start long
XDG_RUNTIME_DIR=$long expect 'a folder with a long path' 0 'long +running' '' list
XDG_RUNTIME_DIR=$long run stop long
ended long 0
chmod 755 "$folder"
start six
check 'a folder that others could enter' [ "$(stat -c %a "$folder")" = 700 ]

# Clients that are not lkvm.
if command -v python3 >/dev/null; then
	while read -r line; do
		case $line in
		PASS*) pass "${line#PASS }" ;;
		*) fail "${line#FAIL }" ;;
		esac
	done < <(python3 tests/cli/control_clients.py "$folder/six.sock" 2>&1)
else
	skip 'clients of all kinds' 'no python3 here'
fi
expect 'after all that' 0 'six +running' '' list

# Another user who gets at the socket all the same is not listened to.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null &&
	[ -x /usr/bin/python3 ]; then
	cat >"$tmp/stranger.py" <<-'PYTHON'
	import socket, sys
	s = socket.socket(socket.AF_UNIX)
	s.settimeout(20)
	s.connect(sys.argv[1])
	try:
	    s.sendall(b'{"op":"stop","force":true}\n')
	    print("answer", s.recv(100))
	except (BrokenPipeError, ConnectionResetError):
	    print("answer", b"")
	PYTHON
	chmod 755 "$tmp" "$folder"
	chmod 666 "$folder/six.sock"
	said=$(setpriv --reuid 65534 --regid 65534 --clear-groups \
		/usr/bin/python3 - "$folder/six.sock" \
		<"$tmp/stranger.py" 2>&1)
	check 'another user is not answered' [ "$said" = "answer b''" ]
	chmod 700 "$folder" "$tmp"
	expect 'and stops nothing' 0 'six +running' '' list
else
	skip 'another user' 'needs root, setpriv and /usr/bin/python3'
fi
expect 'stop six' 0 '' '' stop six
ended six 0
finish
