# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# default: x86
# timeout: 250
# A directory as root file system over 9p, and more shares: what programs do
# with files works in each, and what is made in them, by tar and by git, is the
# same outside.

need_root
modprobe -a loop crc32c_generic ext4 2>/dev/null
share_root
make_tree 200
mkdir root/share root/mapped folder work
tar -cf folder/tree.tar tree
! install_git folder/repo.git tree/d1 tree/d2 tree/link || cp -r git/* root/
echo outside >outside
ln -s "$T/outside" root/share/host-link
ln -s "$T" root/share/host-folder
mkfifo root/share/host-fifo
cat >root/case.sh <<'GUEST'
dmesg -n 1
say() { echo "@ $*"; }
over() { mount -t 9p -o "trans=virtio,version=9p2000.L,msize=512000$3" "$1" "$2" || say "mount $1 failed"; }
say root $(grep ' / 9p ' /proc/mounts)
share-test /share | sed 's/^/@1 /'
mkdir -p /tmp/m /tmp/r /tmp/w
over mapped /tmp/m ,cache=none
share-test /tmp/m mapped | sed 's/^/@2 /'
over kvm_9p /tmp/r ,cache=loose
over work /tmp/w ,cache=loose
say ro $(touch /tmp/r/new 2>&1)
say before $(cut -d. -f1 /proc/uptime)
(cd /tmp/w && tar -xf /tmp/r/tree.tar) || say tar failed
say after $(cut -d. -f1 /proc/uptime)
export HOME=/tmp GIT_EXEC_PATH=/usr/lib/git-core
[ ! -e /tmp/r/repo.git ] || {
	git config --global --add safe.directory '*'
	git clone -q /tmp/r/repo.git /tmp/w/clone || say clone failed
	say clone $(git -C /tmp/w/clone status --porcelain | wc -l)
}
say count $(find /tmp/w/tree -type f | wc -l)
(cd /tmp/m && tar -xf /tmp/r/tree.tar tree/d1) || say tar failed
chmod 4755 /tmp/m/tree/d1
chown 12:34 /tmp/m/tree/d1
umount /tmp/m
over mapped /tmp/m ,cache=mmap
say mapped $(stat -c '%a %u %g' /tmp/m/tree/d1)
GUEST
limit=200
lk run -k "$LAB/vmlinuz" -i "$LAB/guest.cpio" -m 256 -c 1 -n mode=none \
	-d root --9p root/mapped,mapped,security=mapped --9p folder,ro \
	--9p work,work
tr -d '\r' <out | grep '^@[12] ' | grep -v '^@[12] ok' >failed
cat failed
expect_status 0
expect_out "@ root /dev/root / 9p rw"
expect_eq "tests that failed over 9p" "0 of 19 failed" \
	"$(sed -n 's/^@1 \([0-9]* of\)/\1/p' failed)"
expect_eq "tests that failed with mapped attributes" "0 of 19 failed" \
	"$(sed -n 's/^@2 \([0-9]* of\)/\1/p' failed)"
expect_out "@ ro touch: .*Read-only file system"
expect_no_out "@ tar failed"
expect_eq "files unpacked" 200 "$(value count)"
expect_eq "checksums outside" "$(tree_sum .)" "$(tree_sum work)"
if [ -e folder/repo.git ]; then
	expect_eq "files that git finds changed in the guest" 0 "$(value clone)"
	expect_clone work/clone
fi
expect_eq "mapped mode and owner" "4755 12 34" "$(value mapped)"
expect_eq "their host's mode" 700 "$(stat -c %a root/mapped/tree/d1)"
expect_eq "what is outside" outside "$(cat outside)"
