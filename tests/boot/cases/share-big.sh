# SPDX-License-Identifier: GPL-2.0-only
# default: never
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# timeout: 3000
# 20,000 small files unpacked in a share, listed, and a git clone of some: the same
# outside. Minutes of emulation: only by name.

need_root
files=20000
mkdir -p share from
progress "making $files files"
make_tree "$files"
tar -cf from/tree.tar tree
progress "making a repository"
install_git from/repo.git tree/d1 tree/d2 tree/d3 tree/link ||
	echo "no git here: without a clone"
parts=$LAB/git.cpio
guest_start -m 512 --9p share,share --9p from,from,ro <<'GUEST'
dmesg -n 1
modprobe -a 9p 9pnet_virtio
mkdir /s /f
mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=loose share /s
mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=loose from /f
ms() { awk '{ printf "%d\n", $1 * 1000 }' /proc/uptime; }
# One line for a thousand files.
thousands() { awk -v what="$1" 'NR % 1000 == 0 { print "@ " what, NR; fflush() }'; }
cd /s
a=$(ms)
tar -xvf /f/tree.tar | thousands unpacked
echo "@ untar $(($(ms) - a)) ms"
a=$(ms)
find tree -type f -exec stat -c %s {} + | tee /tmp/sizes | thousands found
echo "@ listed $(wc -l </tmp/sizes) in $(($(ms) - a)) ms"
if [ -e /f/repo.git ]; then
	export HOME=/tmp GIT_EXEC_PATH=/usr/lib/git-core
	git config --global --add safe.directory '*'
	a=$(ms)
	git clone -q /f/repo.git clone && echo "@ clone $(($(ms) - a)) ms"
	git -C clone fsck >/dev/null 2>&1 && echo "@ fsck ok"
	echo "@ status $(git -C clone status --porcelain | wc -l)"
fi
GUEST
last=
while kill -0 "$lkvm_pid" 2>/dev/null; do
	now=$(grep '^@ ' out | tail -n 1)
	[ "$now" = "$last" ] || progress "share-big: ${now#@ }"
	last=$now
	sleep 5
done
lk_wait 5
expect_status 0
grep "@ " out
expect_out "@ untar"
expect_out "@ listed $files "
expect_eq "checksums outside" "$(tree_sum .)" "$(tree_sum share)"
if [ -e from/repo.git ]; then
	expect_out "@ clone"
	expect_out "@ fsck ok"
	expect_eq "files that git finds changed" 0 "$(value status)"
	expect_clone share/clone
fi
