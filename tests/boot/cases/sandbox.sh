# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# default: x86
# timeout: 400
# A command on the host's files: its status, its streams apart and to their ends,
# what it reads and writes. Then a script in a root file system of lkvm's own.

need_root
[ -d "/lib/modules/$(uname -r)" ] || skip "no modules of this kernel here"
[ -x /usr/bin/setpriv ] || skip "no setpriv"
mib=10
[ -z "${LAB_FULL:-}" ] || mib=100
chmod 755 .
chmod 666 /dev/kvm
mkdir -p files own/run own/home
chown -R 1000:1000 own
echo here >files/read
echo hidden >secret
chmod 600 secret
head -c 65536 /dev/urandom >seed
cat >command.sh <<'COMMAND'
echo to stdout
echo to stderr >&2
cat files/read
echo changed >files/read
echo new >files/new
mkdir files/folder && mv files/read files/folder/moved
cat files/folder/moved
pwd
echo "words: $#: $1 $2"
echo "variable: $VARIABLE"
id -u
test -t 0 || echo no terminal
cat secret nothing
cat
sleep 1000 &
exit 7
COMMAND
i=0
while [ $i -lt $((mib * 16)) ]; do
	cat seed
	i=$((i + 1))
done >in

# As a user who cannot read all of it; in the guest it is root who tries.
prefix="env HOME=$T/own/home XDG_RUNTIME_DIR=$T/own/run VARIABLE=value
	/usr/bin/setpriv --reuid 1000 --regid 1000 --clear-groups"
lk sandbox -k "$LAB/vmlinuz" -m 256 -c 1 -- sh command.sh 'a b' c
expect_status 7
cat >want.err <<'WANT'
to stderr
cat: can't open 'secret': Permission denied
cat: can't open 'nothing': No such file or directory
WANT
cmp want.err err || fail "stderr is another"
{
	echo to stdout
	echo here
	echo changed
	pwd
	echo "words: 2: a b c"
	echo "variable: value"
	echo 0
	echo no terminal
	cat in
} >want
cmp want out || fail "stdout is another"
expect_eq "the host's file" here "$(cat files/read)"
expect_eq "the host's folder" read "$(ls files)"

# The script's files stay, the host's do not change, whatever its root tries, and
# it is killed.
rm in
lk setup box
expect_status 0
cat >own/script.sh <<SCRIPT
echo kept >/root/kept
cd /host$T && cat files/read
touch files/by-mount
mount -o remount,rw /host && touch files/by-remount
hostname
grep -o slub_debug=UZ /proc/cmdline
ip route | grep -o 'default via 192.168.33.1'
kill -KILL \$\$
SCRIPT
# The words of facts/users.md 1.2, line 6, and a name.
prefix="taskset -c 0 $prefix"
lk sandbox --disk box --kernel "$LAB/vmlinuz" --params "slub_debug=UZ quiet" \
	--mem 1024 --cpus 1 --network mode=user --name a-name \
	--result own/result --sandbox own/script.sh
expect_status 137
expect_eq "what the script said" \
	"here a-name slub_debug=UZ default via 192.168.33.1" \
	"$(tr '\n' ' ' <out | sed 's/ $//')"
expect_eq "attempts that failed" 2 "$(grep -c 'Read-only file system' err)"
expect_eq "its file" kept "$(cat own/home/.lkvm/box/root/kept)"
expect_eq "the host's folder" read "$(ls files)"
expect_eq "the user's folder" "home result run script.sh" "$(echo own/* | sed 's|own/||g')"
grep -q '"how":"command","status":137' own/result || fail "$(cat own/result)"
