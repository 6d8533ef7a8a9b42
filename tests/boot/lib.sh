#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The words that boot cases are written in. `sh lib.sh CASE` runs one case:
# with busybox ash in L1, with the host's sh in direct mode. Given are LKVM
# (the binary), LAB (kernel, initramfs, disk image), BARE (guests without an
# operating system, for arm64), T (a folder of the
# case's own), SHARED (a folder that all cases of one run share), LAB_ARCH.
# A case that is for one machine only says so in its head: "# arch: x86".

# fail MESSAGE...: ends the case.
fail()
{
	echo "FAIL: $*"
	if [ -s "$T/err" ]; then
		echo "--- the end of lkvm's stderr:"
		tail -n 5 "$T/err"
	fi
	if [ -s "$T/out" ]; then
		echo "--- the end of lkvm's stdout:"
		tail -n 12 "$T/out" | cut -c1-200 | tr -cd '\011\012\040-\176'
	fi
	exit 1
}

# progress TEXT: for who waits for the case, and takes silence for its end.
progress()
{
	echo "@$*" >&3
}

# skip REASON...: ends the case, which could not run here.
skip()
{
	echo "SKIP: $*"
	exit 77
}

# lk ARGUMENT...: runs lkvm to its end. Its output is in $T/out and $T/err,
# its status in $status; stdin comes from $T/in where that exists. Killed
# after $limit seconds (default 240).
lk()
{
	lk_start "$@"
	lk_wait "${limit:-240}"
}

# lk_start ARGUMENT...: starts lkvm in the background, process $lkvm_pid.
# $prefix is a command that ends up as lkvm: env, say.
lk_start()
{
	echo "+ lkvm $*"
	if [ -e "$T/in" ]; then
		$prefix "$LKVM" "$@" <"$T/in" >"$T/out" 2>"$T/err" &
	else
		$prefix "$LKVM" "$@" </dev/null >"$T/out" 2>"$T/err" &
	fi
	lkvm_pid=$!
}

# lk_wait SECONDS: waits for the lkvm that lk_start started.
lk_wait()
{
	(
		sleep "$1"
		echo "still running after $1 s: killed"
		kill -KILL "$lkvm_pid"
	) &
	lk_watchdog=$!
	status=0
	wait "$lkvm_pid" || status=$?
	kill "$lk_watchdog" 2>/dev/null
	echo "status $status"
}

# guest_initrd: makes $T/initrd, the guests' initramfs with /case.sh, a
# script that comes on stdin, and with the parts in $parts (cpio archives).
guest_initrd()
{
	mkdir -p "$T/part"
	cat >"$T/part/case.sh"
	(cd "$T/part" && echo case.sh | cpio -o -H newc 2>/dev/null) \
		>"$T/part.cpio"
	# shellcheck disable=SC2086 # a list of files
	cat "$LAB/guest.cpio" $parts "$T/part.cpio" >"$T/initrd"
}

# guest OPTION...: runs a Linux guest that runs the script on stdin, to its
# end. guest_start: in the background. The kernel prints only what is wrong:
# in the lab the rest takes as long as the boot itself. Cases that read it set
# hush to nothing.
hush="-p quiet"
guest()
{
	guest_initrd
	# shellcheck disable=SC2086 # words
	lk run -k "$LAB/vmlinuz" -i "$T/initrd" -m 256 -c 1 -n mode=none \
		$hush "$@"
}

guest_start()
{
	guest_initrd
	# shellcheck disable=SC2086 # words
	lk_start run -k "$LAB/vmlinuz" -i "$T/initrd" -m 256 -c 1 \
		-n mode=none $hush "$@"
}

# wait_out PATTERN [SECONDS]: until the guest has printed PATTERN.
wait_out()
{
	wait_until "${2:-180}" "\"$1\" on the guest's console" \
		grep -q -e "$1" "$T/out"
}

# wait_until SECONDS WHAT COMMAND...: until COMMAND succeeds, while lkvm lives.
wait_until()
{
	wu_end=$(($(now) + $1))
	wu_what=$2
	shift 2
	until "$@"; do
		if ! kill -0 "$lkvm_pid" 2>/dev/null; then
			"$@" && return 0
			fail "lkvm ended before: $wu_what"
		fi
		[ "$(now)" -lt "$wu_end" ] || fail "not in time: $wu_what"
		sleep 0.2
	done
}

# now: seconds of a clock that nobody sets.
now()
{
	cut -d. -f1 /proc/uptime
}

# now_ms: the same in milliseconds.
now_ms()
{
	awk '{ printf "%d\n", $1 * 1000 }' /proc/uptime
}

expect_status()
{
	[ "$status" = "$1" ] || fail "expected status $1, got $status"
}

# expect_eq WHAT EXPECTED GOT
expect_eq()
{
	[ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"
}

# expect_most WHAT LIMIT GOT: numbers.
expect_most()
{
	[ "$3" -le "$2" ] || fail "$1: expected at most $2, got '$3'"
}

expect_least()
{
	[ "$3" -ge "$2" ] || fail "$1: expected at least $2, got '$3'"
}

# expect_out PATTERN, expect_err PATTERN: a line of stdout, of stderr.
expect_out()
{
	grep -q -e "$1" "$T/out" || fail "expected '$1' on stdout"
}

expect_err()
{
	grep -q -e "$1" "$T/err" || fail "expected '$1' on stderr"
}

expect_no_out()
{
	if grep -q -e "$1" "$T/out"; then
		grep -e "$1" "$T/out" | head -n 10
		fail "did not expect '$1' on stdout"
	fi
}

# value KEY: what the guest printed after "@ KEY ", the last time it did.
value()
{
	tr -d '\r' <"$T/out" | sed -n "s/^.*@ $1 //p" | tail -n 1
}

# section NAME: the lines that the guest printed between "@begin NAME" and
# "@end NAME".
section()
{
	tr -d '\r' <"$T/out" |
		sed -n "/@begin $1\$/,/@end $1\$/p" | sed '1d;$d'
}

# root_disk: makes $T/disk.img, an ext4 root file system with a shell.
root_disk()
{
	gunzip -c "$LAB/disk.img.gz" >"$T/disk.img"
}

# share_root: mounts the root disk at ./root, with share-test in it.
share_root()
{
	root_disk
	mkdir root
	loop=$(losetup -f) || skip "no loop device"
	losetup "$loop" disk.img || skip "no loop device"
	# shellcheck disable=SC2064 # now
	trap "cd /; umount $T/root; losetup -d $loop" EXIT
	mount -t ext4 "$loop" root || skip "no ext4 here"
	(cd root && cpio -idu <"$LAB/share.cpio" 2>/dev/null)
}

# make_tree NUMBER: so many small files, in folders below tree/.
make_tree()
{
	mkdir tree
	for d in $(seq 0 39); do
		mkdir "tree/d$d"
	done
	awk -v n="$1" 'BEGIN {
		for (i = 0; i < n; i++) {
			f = "tree/d" i % 40 "/file-" i ".c"
			for (j = 0; j <= i % 50; j++)
				print "line " j " of " f, i * 7919 >f
			close(f)
			if (i % 1000 == 999)
				print "@made", i + 1 >>"/proc/self/fd/3"
		}
	}'
	ln -s d1/file-1.c tree/link
}

# tree_sum DIR: a checksum of DIR/tree: names, contents, modes.
tree_sum()
{
	(cd "$1" && find tree -exec stat -c '%n %F %a' {} + | sort &&
		find tree -type f -exec md5sum {} + | sort) | md5sum
}

# install_git: git for L1 and for guests, and a repository ./repo with the files
# below DIR..., of which a guest finds the copy that goes to BARE.
# usage: install_git BARE DIR...
install_git()
{
	mkdir git repo repo/src
	(cd git && cpio -idu <"$LAB/git.cpio" 2>/dev/null)
	[ -e git/usr/bin/git ] || return 1
	export HOME="$T" GIT_EXEC_PATH="$T/git/usr/lib/git-core"
	PATH=$PATH:$T/git/usr/bin
	git_bare=$1
	shift
	git config --global user.email lab
	git config --global user.name lab
	git config --global --add safe.directory '*'
	git init -q repo
	cp -r "$@" repo/src/
	git -C repo add -A
	git -C repo commit -q -m "files"
	git clone -q --bare repo "$git_bare" || fail "git does not work here"
}

# expect_clone DIR: it is ./repo, without a byte changed.
expect_clone()
{
	git -C "$1" fsck >/dev/null || fail "git fsck of $1"
	expect_eq "commit" "$(git -C repo rev-parse HEAD)" \
		"$(git -C "$1" rev-parse HEAD)"
	expect_eq "files that git finds changed" "" \
		"$(git -C "$1" status --porcelain | head)"
}

# need_root: the case mounts, or loads modules.
need_root()
{
	[ "$(id -u)" = 0 ] || skip "needs root"
}

# thread_use PID: "TICKS WAKEUPS" of each thread, the vCPU's last. TICKS is its
# user and system time, in ticks of 10 ms.
thread_use()
{
	for task in "/proc/$1"/task/*; do
		case $(cat "$task/comm") in
		vcpu*) key=1 ;;
		*) key=0 ;;
		esac
		ticks=$(sed 's/^.*) //' "$task/stat" | awk '{ print $12 + $13 }')
		echo "$key $ticks" \
			"$(awk '/^voluntary/ { print $2 }' "$task/status")"
	done | sort -s -n -k 1,1 | cut -d ' ' -f 2-
}

# expect_quiet PID: a second, of several, in which none of lkvm's own threads
# woke up and the vCPU used next to no time. Even an idle guest wants something
# now and then: its random number generator is fed from --rng. What polls shows
# in every second.
expect_quiet()
{
	for _ in 1 2 3 4 5 6 7 8; do
		thread_use "$1" >before
		sleep 1
		thread_use "$1" >after
		paste before after | tee -a use |
			awk '{ w = n; n += $4 - $2; t = $3 - $1 }
			END { print w + 0, t }' >second
		read -r woken ticks <second
		[ "$woken" -gt 0 ] || [ "$ticks" -gt 10 ] || break
	done
	cat use
	expect_least "threads" 2 "$(wc -l <after)"
	expect_most "wake-ups of lkvm's own threads in a second" 0 "$woken"
	expect_most "ticks of the vCPU in a second" 10 "$ticks"
}

# machine_boot: one guest with disk, console and rng that tells all about its
# machine, for the machine-* cases. The first of them boots it.
machine_boot()
{
	if [ ! -e "$SHARED/machine.out" ]; then
		truncate -s 1M disk.raw
		parts=$LAB/lspci.cpio
		guest --rng -d disk.raw <"$CASES/../guest/machine.sh"
		cp out "$SHARED/machine.out"
		cp err "$SHARED/machine.err"
		echo "$status" >"$SHARED/machine.status"
	fi
	cp "$SHARED/machine.out" out
	cp "$SHARED/machine.err" err
	status=$(cat "$SHARED/machine.status")
	expect_status 0
}

# pci_guest OPTION...: as guest, with the words of guest/pci.sh before the
# script. pci_guest_start: in the background.
pci_guest()
{
	cat "$CASES/../guest/pci.sh" - >pci-script
	guest "$@" <pci-script
}

pci_guest_start()
{
	cat "$CASES/../guest/pci.sh" - >pci-script
	guest_start "$@" <pci-script
}

# expect_no_complaints [ALLOWED]: the guest ran to its end, and its kernel had
# nothing to say of buses and devices but what matches ALLOWED.
expect_no_complaints()
{
	expect_status 0
	expect_out "@ finished"
	# In every VM of the lab: microcode of the emulated processor; on arm64
	# the 64-bit PCI window, which Linux remarks on and uses (docs/arm64.md).
	section complaints |
		grep -vE "IBPB-extending|exceeds max for 32 bits${1:+|$1}" \
			>said || return 0
	cat said
	fail "expected no such complaints in the guest's dmesg"
}

# write_script END: a guest script that writes $mib MiB (16, or 200 with
# LAB_FULL=1) that do not repeat to its disk, through an fsync, prints their
# checksum, and then does END.
mib=16
[ -z "${LAB_FULL:-}" ] || mib=200

write_script()
{
	cat <<-GUEST
	head -c 4194304 /dev/urandom >/tmp/seed
	mkfifo /tmp/sum
	md5sum </tmp/sum >/tmp/md5 &
	for i in \$(seq $((mib / 4))); do
		echo "block \$i"
		cat /tmp/seed
	done | head -c $((mib << 20)) | tee /tmp/sum |
		dd of=/dev/vda bs=1M iflag=fullblock conv=fsync 2>&1
	wait
	echo "@ md5 \$(cut -d' ' -f1 /tmp/md5)"
	$1
	GUEST
}

if [ $# = 1 ]; then
	lkvm_pid=
	parts=
	prefix=
	cd "$T" || exit 1
	# shellcheck source=/dev/null
	. "$CASES/$1.sh"
fi
