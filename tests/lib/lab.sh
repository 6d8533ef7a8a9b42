# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Shared by the scripts that use the lab (tests/boot, tests/bench/exact).
# The lab is QEMU in pure emulation (L1), which has hardware virtualization
# for lkvm to use; docs/testing.md tells why. Sourced by bash, from anywhere.

# shellcheck disable=SC2034 # these two are for who sources this file
lab_tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
lab_build=${BUILD_DIR:-${O:-$lab_tree/build}}
case $lab_build in /*) ;; *) lab_build=$lab_tree/$lab_build ;; esac
lab_cache=${LKVM_LAB_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/lkvm-lab}
# Debian's arm64 libraries, unpacked by prepare for the cross compiler.
lab_sysroot=$lab_cache/sysroot-arm64

# The architecture that lkvm runs on: x86, or arm64 with LAB_ARCH=arm64.
lab_arch=${LAB_ARCH:-x86}
case $lab_arch in
x86)
	lab_native=x86_64
	lab_suite=boot
	lab_qemu=qemu-system-x86_64
	# The machine of docs/testing.md. One CPU: with two, Linux's text
	# patching livelocks under multi-threaded TCG.
	lab_machine=(-M "q35,kernel-irqchip=split" -cpu EPYC-Milan -smp 1 -m 4G)
	# L1's own log, and what cases print. Where the host is loaded, L1's
	# test of its timer would fail: a panic.
	lab_log=ttyS1
	lab_params=no_timer_check
	lab_ports=(-serial chardev:ctl)
	;;
arm64)
	lab_native=aarch64
	lab_suite=boot-arm64
	lab_qemu=qemu-system-aarch64
	# Others, for cases with "# l1: KIND".
	case ${LAB_L1:-} in
	gicv2) lab_l1=(gic-version=2 cortex-a57) ;;
	max) lab_l1=("gic-version=3,mte=on" max) ;;
	*) lab_l1=(gic-version=3 cortex-a57) ;;
	esac
	lab_machine=(-M "virt,virtualization=on,iommu=smmuv3,${lab_l1[0]}"
		-cpu "${lab_l1[1]}" -smp 2 -m 4G)
	lab_log=ttyAMA0
	lab_params=
	lab_ports=(-device "pci-serial,chardev=ctl")
	;;
*)
	echo "lab: LAB_ARCH=$lab_arch is neither x86 nor arm64" >&2
	exit 1
	;;
esac
lab_fast=(-accel "tcg,thread=multi,tb-size=512")
# More devices of L1.
lab_devices=()

# lab_die MESSAGE...: says why and ends the script with 77, "cannot run here".
lab_die()
{
	echo "lab: $*" >&2
	exit 77
}

# lab_mode: prints "direct" where stock kernels run on /dev/kvm, else "lab".
lab_mode()
{
	if [ -n "${LKVM_LAB:-}" ]; then
		echo "$LKVM_LAB"
	elif [ "$(uname -m)" != "$lab_native" ]; then
		echo lab
	elif [ -r /dev/kvm ] && [ -w /dev/kvm ] && { [ "$lab_arch" = arm64 ] ||
		grep -qE '^flags.* (vmx|svm)( |$)' /proc/cpuinfo; }; then
		echo direct
	else
		echo lab
	fi
}

# lab_find_lkvm: prints the binary under test, $LKVM or the tree's.
lab_find_lkvm()
{
	local f

	for f in ${LKVM:+"$LKVM"} "$lab_build/lkvm" "$lab_tree/lkvm"; do
		[ -x "$f" ] && { realpath "$f"; return 0; }
	done
	return 1
}

# lab_pack DIR BINARY [PATH]: copies BINARY to DIR/PATH (default: its own
# path) with the shared libraries that it needs.
lab_pack()
{
	local dir=$1 bin=$2 path=${3:-$2} lib

	install -D -m 755 "$bin" "$dir/$path"
	if [ "$(uname -m)" != "$lab_native" ]; then
		lab_pack_foreign_libraries "$dir" "$bin"
		return
	fi
	ldd "$bin" 2>/dev/null | grep -o '/[^ ]*' | while read -r lib; do
		[ -e "$dir/$lib" ] || install -D -m 755 "$lib" "$dir/$lib"
	done
}

# lab_pack_foreign_libraries DIR BINARY: the libraries of a program that this
# machine cannot ask for them, from the cross compiler and the lab's sysroot.
lab_pack_foreign_libraries()
{
	local lib from

	install -D -m 755 -t "$1/lib" \
		/usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1
	readelf -d "$2" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
		while read -r lib; do
		[ ! -e "$1/lib/$lib" ] || continue
		for from in /usr/aarch64-linux-gnu/lib \
			"$lab_sysroot"/{usr/,}lib/aarch64-linux-gnu; do
			[ -e "$from/$lib" ] || continue
			install -D -m 755 -t "$1/lib" "$from/$lib"
			lab_pack_foreign_libraries "$1" "$from/$lib"
			break
		done
	done
}

# lab_pack_lkvm DIR BINARY PATH: the same for lkvm, with the libraries that it
# loads when a VM needs them.
lab_pack_lkvm()
{
	local lib

	lab_pack "$@"
	if [ "$(uname -m)" != "$lab_native" ]; then
		for lib in lib/aarch64-linux-gnu/libz.so.1 \
			usr/lib/aarch64-linux-gnu/libslirp.so.0 \
			usr/lib/aarch64-linux-gnu/libvncserver.so.1; do
			lab_pack "$1" "$lab_sysroot/$lib" "/lib/${lib##*/}"
		done
		return
	fi
	for lib in liblzma.so.5 libz.so.1 libzstd.so.1 libslirp.so.0 \
		libvncserver.so.1; do
		lib=$(/sbin/ldconfig -p |
			awk -v lib="$lib" '$1 == lib { print $NF; exit }')
		[ -z "$lib" ] || lab_pack "$1" "$lib"
	done
}

# lab_cpio DIR FILE: archives DIR as an initramfs (part): several of them,
# one after the other, are an initramfs too.
lab_cpio()
{
	(cd "$1" && find . -mindepth 1 -print0 | LC_ALL=C sort -z |
		cpio -0 -o -H newc -R 0:0 --reproducible --quiet) >"$2"
}

# lab_make_vfio DIR: fills in lab_devices, L1's devices that can be passed through,
# with an IOMMU before them; their disks and a ROM are files in DIR, for L1 in
# /out/vfio. A card of L1's own is on the same network.
lab_make_vfio()
{
	local dir=$1/vfio

	mkdir -p "$dir"
	head -c 8M /dev/urandom >"$dir/nvme.img"
	head -c 8M /dev/urandom >"$dir/sata.img"
	# 64 KiB with a PCI data structure (PCI Firmware 3.0, 5.1) and no valid
	# checksum, so that no firmware runs it.
	{
		printf '\125\252\200\313' && head -c 20 /dev/zero &&
			printf '\034\000\000\000PCIR\206\200\323\020' &&
			printf '\000\000\030\000\000\000\000\002' &&
			printf '\200\000\000\000\000\200\000\000' &&
			head -c 65484 /dev/urandom
	} >"$dir/rom.bin"
	lab_devices=()
	if [ "$lab_arch" = x86 ]; then
		lab_devices=(-device "intel-iommu,intremap=on,caching-mode=on")
		L1_PARAMS="intel_iommu=on ${L1_PARAMS:-}"
	fi
	lab_devices+=(
		-netdev "hubport,id=own,hubid=0"
		-device "virtio-net-pci,netdev=own,addr=0f.0,romfile="
		-netdev "hubport,id=gigabit,hubid=0"
		-device "e1000e,netdev=gigabit,addr=10.0,romfile=$dir/rom.bin"
		-drive "file=$dir/nvme.img,format=raw,if=none,id=nvme"
		-device "nvme,drive=nvme,serial=nvme,addr=11.0"
		-drive "file=$dir/sata.img,format=raw,if=none,id=sata"
		-device "ich9-ahci,id=ahci,addr=12.0"
		-device "ide-hd,drive=sata,bus=ahci.0"
		-netdev "hubport,id=fast,hubid=0"
		-device "rtl8139,netdev=fast,addr=13.0,romfile="
		# Two functions: one IOMMU group.
		-device "rtl8139,addr=14.0,multifunction=on,romfile="
		-device "rtl8139,addr=14.1,romfile="
	)
}

# lab_boot_l1 LOGDIR INITRD QEMU-OPTION...: boots L1. Its first serial port,
# ttyS0, is this process's stdin and stdout; L1's own kernel log goes to
# LOGDIR/l1.log, and L1 sees LOGDIR as /out.
lab_boot_l1()
{
	local logs=$1 initrd=$2

	shift 2
	# shellcheck disable=SC2154 # set by the caller, from prepare
	exec "$lab_qemu" "${lab_machine[@]}" "${lab_devices[@]}" "$@" \
		-nodefaults -display none -no-reboot -nic none \
		-kernel "$lab_images/vmlinuz" -initrd "$initrd" \
		-append "console=$lab_log panic=-1 mitigations=off quiet $lab_params ${L1_PARAMS:-}" \
		-chardev stdio,id=ctl,signal=off "${lab_ports[@]}" \
		-serial "file:$logs/l1.log" \
		-virtfs "local,path=$logs,mount_tag=out,security_model=none"
}
