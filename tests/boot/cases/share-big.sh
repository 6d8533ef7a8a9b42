# SPDX-License-Identifier: GPL-2.0-only
# default: never
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# timeout: 900
# 20,000 small files unpacked in a share, and a git clone of them: the same outside,
# and how long it took. Minutes of emulation: only by name.

need_root
mkdir -p share from git
(cd git && cpio -idu <"$LAB/git.cpio" 2>/dev/null)
[ -e git/usr/bin/git ] || skip "no git here"
cp -r git/* /
make_tree 20000
tar -cf from/tree.tar tree
git config --global user.email lab
git config --global user.name lab
git init -q repo
mkdir repo/src
cp -r tree/d1 tree/d2 tree/d3 tree/link repo/src/
git -C repo add -A
git -C repo commit -q -m "files"
git clone -q --bare repo from/repo.git || fail "git does not work in L1"
parts=$LAB/git.cpio
limit=800
guest -m 512 --9p share,share --9p from,from,ro <<'GUEST'
dmesg -n 1
modprobe -a 9p 9pnet_virtio
mkdir /s /f
mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=loose share /s
mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=loose from /f
ms() { awk '{ printf "%d\n", $1 * 1000 }' /proc/uptime; }
export HOME=/tmp GIT_EXEC_PATH=/usr/lib/git-core
git config --global --add safe.directory '*'
cd /s
a=$(ms)
tar -xf /f/tree.tar && echo "@ untar $(($(ms) - a)) ms"
a=$(ms)
echo "@ found $(find tree -type f -exec stat -c %s {} + | wc -l) in $(($(ms) - a)) ms"
a=$(ms)
git clone -q /f/repo.git clone && echo "@ clone $(($(ms) - a)) ms"
git -C clone fsck >/dev/null 2>&1 && echo "@ fsck ok"
echo "@ status $(git -C clone status --porcelain | wc -l)"
GUEST
expect_status 0
grep "@ " out
expect_out "@ untar"
expect_out "@ found 20000"
expect_out "@ clone"
expect_out "@ fsck ok"
expect_eq "files that git finds changed" 0 "$(value status)"
expect_eq "checksums outside" "$(tree_sum .)" "$(tree_sum share)"
git config --global --add safe.directory '*'
git -C share/clone fsck >/dev/null || fail "git fsck outside"
expect_eq "commit" "$(git -C repo rev-parse HEAD)" \
	"$(git -C share/clone rev-parse HEAD)"
expect_eq "files that git finds changed outside" "" \
	"$(git -C share/clone status --porcelain | head)"
