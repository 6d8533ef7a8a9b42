# SPDX-License-Identifier: GPL-2.0-only
# arch: x86
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# On a terminal: Ctrl-A h lists the keys, Ctrl-A x ends the VM with status 0,
# and the terminal's settings are what they were, then and after SIGTERM.

script=/usr/bin/script
[ -x $script ] || skip "no script(1) to make a terminal"
guest_initrd <<'GUEST'
echo "@ ready"
sleep 600
GUEST
mkfifo in
exec 9<>in
cat >session <<'SESSION'
stty sane
stty -a >stty.before
$LKVM run -k $LAB/vmlinuz -i initrd -m 128 -c 1 -n mode=none --name tty 2>err &
pid=$!
echo $pid >pid
# In the foreground, as a user has it.
fg >/dev/null
echo $? >status
stty -a >stty.after
SESSION
# busybox ash has no job control in scripts without -m.
$script -qefc "sh -m ./session" /dev/null <in >out 2>&1 &
lkvm_pid=$!
wait_out "Linux version"
printf '\001h' >&9
sleep 1
printf '\001x' >&9
wait_until 60 "the session's end" test -s stty.after
expect_eq "status after Ctrl-A x" 0 "$(cat status)"
diff stty.before stty.after || fail "the terminal's settings changed"
cat err

rm -f stty.after pid
wait "$lkvm_pid"
$script -qefc "sh -m ./session" /dev/null <in >out 2>&1 &
lkvm_pid=$!
wait_out "Linux version"
kill -TERM "$(cat pid)"
wait_until 60 "the session's end" test -s stty.after
diff stty.before stty.after || fail "SIGTERM left the terminal changed"
