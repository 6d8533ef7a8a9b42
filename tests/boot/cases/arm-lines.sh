# SPDX-License-Identifier: GPL-2.0-only
# arch: arm64
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# Command lines that users of kvmtool have, with stand-ins for their files: a
# flat image that prints where it is, its arguments and its initrd.

suite=$BARE/suite.flat
export HOME="$T" XDG_RUNTIME_DIR="$T"
printf 'A=1\nB="two"' >env.txt
truncate -s 1M rootfs.ext4
head -c 5001 /dev/zero >domd.dtb
ln -s "$LKVM" vm

# ran PARAMETERS: the guest had these as its last, and came to its end.
ran()
{
	expect_status 0
	expect_out "EXIT: STATUS=1"
	got=$(value args)
	[ "${got%"$1"}$1" = "$got" ] || fail "expected '$1' at the end of '$got'"
}

# kvm-unit-tests: arguments as they are, an initrd that is no archive.
unit="--nodefaults --network mode=none --loglevel=warning --cpus 2 --mem 256"
for more in "" --pmu --irqchip=gicv3 --irqchip=gicv3-its; do
	# shellcheck disable=SC2086 # words
	lk run --kernel "$suite" --params 'setup smp=2 mem=256' $unit \
		--initrd env.txt $more
	ran 'setup smp=2 mem=256'
	expect_eq "all arguments" 'setup smp=2 mem=256' "$(value args)"
	expect_eq "initrd" 'A=1' "$(value initrd)"
	expect_out '^B="two"'
	expect_eq "place" 0000000080080000 "$(value at)"
	expect_eq "size of stderr" 0 "$(stat -c %s err)"
done
(
	LKVM=$T/vm
	# shellcheck disable=SC2086 # words
	lk run "$suite" $unit --params "setup smp=2 mem=256"
	ran 'setup smp=2 mem=256'
) || exit 1
# shellcheck disable=SC2086 # words
lk run --kernel "$suite" $unit --nested
expect_status 129
expect_err "nested"

# 32-bit: print A if the program counter is at 0x80008000, then SYSTEM_OFF.
for insn in e1a0200f e3a03480 e3833902 e2833008 e1520003 e3a01041 13a01042 \
	e3a00401 e5c01000 e3a0100a e5c01000 e3a00484 e3800008 e1400070 \
	eafffffe; do
	# shellcheck disable=SC2059 # bytes
	printf "$(echo "$insn" | sed 's/\(..\)\(..\)\(..\)\(..\)/\\x\4\\x\3\\x\2\\x\1/')"
done >selftest32.flat
# shellcheck disable=SC2086 # words
lk run --kernel selftest32.flat $unit --aarch32
expect_status 0
expect_eq "place of a 32-bit image" A "$(cat out)"
lk run -c 1 "$LAB/vmlinuz" --aarch32
expect_status 128
expect_err "64-bit kernel"

lk run -c 1 --console=serial -k "$suite"
ran ''
# Not seekable.
mkfifo pipe
cat "$suite" >pipe &
lk run -c 8 -p earlycon pipe
ran earlycon
lk run -m 128 -p 'nokaslr console=ttyS0 root=/dev/nvme0n1' -k "$suite" --debug
ran 'nokaslr console=ttyS0 root=/dev/nvme0n1'
# Three ports, two of them at terminals that lkvm names.
lk run -k "$suite" -i env.txt -m 128 -c 1 --name ID -p "iommu=off console=ttyS0" \
	--tty 1 --tty 2
ran 'iommu=off console=ttyS0'
expect_eq "terminals" 2 "$(cat out err | grep -c 'pty /dev/pts/[0-9]')"
# RAM at 513 GiB, of large pages.
mkdir hugepages
if [ "$(id -u)" = 0 ] && echo 40 >/proc/sys/vm/nr_hugepages &&
	mount -t hugetlbfs none hugepages; then
	lk run --irqchip gicv3 -k "$suite" -p "earlycon" -d rootfs.ext4 \
		--force-pci -c "$(nproc)" --debug -m 64@525312 \
		--hugetlbfs hugepages
	umount hugepages
	echo 0 >/proc/sys/vm/nr_hugepages
	ran earlycon
	expect_eq "place" 0000008040080000 "$(value at)"
fi
# A kernel that has no name any more.
cp "$suite" guest-Image
exec 3<guest-Image
rm guest-Image
lk run --debug -k /proc/self/fd/3 -m 210 -c 1 --name yocto_gui_guest \
	--irqchip gicv3-its --console virtio \
	-p "root=/dev/vda rw console=tty0 console=hvc0"
exec 3<&-
expect_status 0
lk run --name agl-normal --kernel "$suite" --disk rootfs.ext4 --cpus 1 \
	--mem 512M --console serial \
	--params "console=ttyAMA0,115200 root=/dev/vda rw"
ran 'console=ttyAMA0,115200 root=/dev/vda rw'
lk run --cpus 2 --disk rootfs.ext4 --kernel "$suite" --force-pci \
	--irqchip gicv3-its --debug --dump-dtb test.dtb
ran ''
[ -s test.dtb ] || fail "no device tree"
lk run -k "$suite" -i env.txt --name armvirt0
ran ''
lk run --nodefaults -m 256 -c 2 -d rootfs.ext4 -k "$suite" \
	-p 'console=ttyS0 rootwait root=/dev/vda ro no_console_suspend'
ran 'console=ttyS0 rootwait root=/dev/vda ro no_console_suspend'
# Xen, with a file as disk that is no number of sectors.
lk run -k "$suite" -p "dom0_mem=3G,max:3G loglvl=all console=dtuart" \
	-d domd.dtb -m 512 -c 2
ran "dom0_mem=3G,max:3G loglvl=all console=dtuart"
lk run --name vm_guest -i env.txt --kernel "$suite" --console serial --debug
ran ''
lk run --realm --disable-sve --irqchip=gicv3-its --firmware KVMTOOL_EFI.fd \
	-c 1 -m 512 --no-pvtime --pmu --disk rootfs.ext4 --restricted_mem \
	--virtio-transport pci
expect_status 129
expect_err "realm"
