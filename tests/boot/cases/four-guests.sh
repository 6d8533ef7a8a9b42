# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# default: never
# shellcheck shell=sh disable=SC2154
# Four Linux guests at once, each with a disk, a share's worth of entropy and a
# name of its own: all come up, are listed, and are stopped by their buttons. One is
# killed meanwhile: the list is right and its name is free.

export XDG_RUNTIME_DIR="$T"
guest_initrd <<'GUEST'
head -c 65536 /dev/hwrng >/dev/vda && sync
echo "@ up $(ip link 2>/dev/null | grep -c virtio)"
sleep 1000
GUEST

# start NUMBER
start()
{
	truncate -s 1M "disk$1"
	# shellcheck disable=SC2086 # words
	"$LKVM" run -k "$LAB/vmlinuz" -i "$T/initrd" -m 256 -c 1 -n mode=none \
		--name "four$1" -d "disk$1" --rng $hush \
		</dev/null >"out$1" 2>"err$1" &
	lkvm_pid=$!
	eval "pid$1=$lkvm_pid"
}

running()
{
	[ "$("$LKVM" list --json | grep -c '"state":"running"')" = "$1" ]
}

for i in 1 2 3 4; do
	start $i
done
for i in 1 2 3 4; do
	eval "lkvm_pid=\$pid$i"
	wait_until 300 "guest $i" grep -q '@ up' "out$i"
done
running 4 || fail "list: $("$LKVM" list)"
for i in 1 2 3 4; do
	[ "$(od -An -tx1 -N64 "disk$i" | tr -d ' 0\n')" ] ||
		fail "guest $i has not written to its disk"
done

eval "kill -KILL \$pid3"
eval "wait \$pid3" 2>/dev/null
running 3 || fail "list after kill -9: $("$LKVM" list)"
start 3
wait_until 60 "the name is free" running 4

"$LKVM" stop --grace 100 four1 four2 four4 || fail "stop"
for i in 1 2 4; do
	eval "wait \$pid$i" || fail "guest $i: status $?: $(cat "err$i")"
	[ ! -s "err$i" ] || fail "guest $i said: $(cat "err$i")"
done
running 1 || fail "list at the end: $("$LKVM" list)"
"$LKVM" stop --force four3 || fail "stop --force"
eval "wait \$pid3" || fail "guest 3: status $?"
