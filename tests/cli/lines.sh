#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Command lines that people were found to use, with stand-ins for their files and
# devices. The numbers are those of the survey that issue 8 speaks of. A line that
# needs what this version lacks must say so by name and counts as skipped; those
# for arm64 run there, in the lab (boot/arm-lines), and are refused by name here;
# those with vhost and devices of the host run there, too (boot/lines-devices);
# those of forks are refused by name everywhere.

# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

if ! has_kvm || [ "$(uname -m)" != x86_64 ]; then
	skip 'command lines' 'needs x86-64 and /dev/kvm'
	finish
fi

# The kernel of all lines says Hi and resets.
guest "$tmp/k" '\272\370\003\260H\356\260i\356\260\n\356\260\376\346\144\364\353\375'
printf 'TEXT=no cpio at all\n' >"$tmp/initrd"
truncate -s 1M "$tmp/disk" "$tmp/disk2" "$tmp/guest.dtb"
mkdir "$tmp/dir" "$tmp/bin"
ln -s "$LKVM" "$tmp/bin/lkvm"
ln -s "$LKVM" "$tmp/bin/vm"
cd "$tmp" || exit 1
PATH=$tmp/bin:$PATH
unset XDG_RUNTIME_DIR
export HOME=$tmp

# line NUMBER STDOUT COMMAND...: it ends with status 0, and that output.
line()
{
	local number=$1 want=$2 missing

	shift 2
	status=0
	timeout 60 "$@" </dev/null >out 2>err || status=$?
	missing=$(grep -oE -- '--[a-z0-9-]+: .*(not in this version|was built without).*' \
		err | head -n 1)
	if [ "$status" = 129 ] && [ -n "$missing" ]; then
		skip "line $number" "$missing"
	elif [ "$status" = 0 ] && [ "$(cat out)" = "$want" ]; then
		pass "line $number"
	elif [[ $status = 77 || $status = 128 ]] && grep -qiE 'Fatal: .*(tap|/dev/net/tun)' err; then
		skip "line $number" "$(cat err)"
	else
		fail "line $number" "$*" "status $status" "$(cat out err)"
	fi
}

# refused NUMBER OPTION COMMAND...: wrong usage, and the message names OPTION.
refused()
{
	local number=$1 option=$2

	shift 2
	status=0
	timeout 60 "$@" </dev/null >out 2>err || status=$?
	if [ "$status" = 129 ] && grep -q -- "Error: $option: " err &&
		[ "$(wc -l <err)" = 1 ] && [ ! -s out ]; then
		pass "line $number: $option"
	else
		fail "line $number: $option" "$*" "status $status" \
			"$(cat out err)"
	fi
}

line 1 Hi timeout -k 1s --foreground 90s lkvm run --kernel k --cpus 2 \
	--params 'setup smp=2 mem=256' --nodefaults --network mode=none \
	--loglevel=warning --mem 256 --initrd initrd
line 2 Hi vm run k --nodefaults --network mode=none --loglevel=warning \
	--cpus 2 --mem 256 --params 'setup smp=2 mem=256'
line 3 Hi lkvm run -c 1 --console=serial -k k
line 4 Hi lkvm run -c 8 -p earlycon <(cat k)
refused 5 --aarch32 lkvm run -c 1 k --aarch32
line 6 Hi taskset -c 0 lkvm run --disk disk --kernel k \
	--params 'slub_debug=UZ' --mem 1024 --cpus 1 --network mode=user
line 6-setup '' env HOME="$tmp/dir" lkvm setup syz-0
line 7 '' lkvm run --name rkt-6b5a --no-dhcp --cpu 1 --mem 128 \
	--console=virtio --kernel k --disk dir --params 'init=/x' \
	--network mode=tap,tapif=T,host_ip=172.16.28.1,guest_ip=172.16.28.2
line 8 '' env HOME="$tmp/dir" lkvm run -k k -i initrd -m 128 -c 1 --name ID \
	-p 'iommu=off console=ttyS0' --tty 0 --tty 1 --tty 2 \
	--network mode=tap,tapif=N -d dir --9p dir,tag
if [ "$status" != 0 ]; then
	skip 'line 8: names of terminals' 'it did not run: see above'
elif [ "$(grep -c 'pty /dev/pts/[0-9]' err)" = 3 ]; then
	pass 'line 8: names of terminals'
else
	fail 'line 8: names of terminals' "$(cat err)"
fi
line 9 Hi env HOME="$tmp" lkvm run --name H -m 512 -c 1 --console serial --rng \
	-k k -i initrd -p 'console=ttyS0 reboot=k panic=1' -d disk,ro --balloon \
	-d disk2,direct,ro --9p "$tmp/dir,tag" \
	-n mode=tap,tapif=T,guest_mac=02:00:00:00:00:01
line 9-user Hi lkvm run -m 512 -c 1 -k k \
	-n mode=user,tapif=X,guest_mac=02:00:00:00:00:01
line 12 '' bash -c 'exec 3<k; exec lkvm run --debug -k /proc/self/fd/3 -m 210 \
	-c 1 --name yocto_gui_guest --console virtio \
	-p "root=/dev/vda rw console=tty0 console=hvc0" -n mode=none -d disk'
refused 11 --irqchip lkvm run --irqchip gicv3 -k k -p earlycon -d disk \
	--force-pci -c 2 --debug
refused 14 --force-pci lkvm run --cpus 2 --disk disk --kernel k --force-pci
line 15 Hi lkvm run --disk disk --kernel k --network virtio
line 16 Hi lkvm run -k k -i initrd --name armvirt0
line 16-directory Hi lkvm run -k k -d dir/
line 17 Hi lkvm run --nodefaults -m 256 -c 2 -d disk -k k \
	-p 'console=ttyS0 rootwait root=/dev/vda ro no_console_suspend'
line 18 Hi lkvm run -k k -p 'dom0_mem=3G,max:3G loglvl=all' -d guest.dtb \
	-m 512 -c 2
line 19 Hi lkvm run -k k --disk disk --9p dir,tagmount -n mode=tap,tapif=tap0
line 20 Hi lkvm run --name busy -c 1 -m 64 -d disk -k k
refused 21 --gtk lkvm run -c2 -m2048 -k k --sdl --gtk
line 22 Hi lkvm run --name vm_guest -i initrd --kernel k --console serial --debug

# 20: on a terminal that is another program's.
if command -v script >/dev/null; then
	said=$(timeout 60 script -qec 'lkvm run --name busy -c 1 -m 64 -d disk -k k' \
		/dev/null </dev/null 2>&1 | tr -d '\r')
	if [ "$said" = Hi ]; then
		pass 'line 20: on a terminal'
	else
		fail 'line 20: on a terminal' "$said"
	fi
fi

# 13: a serial line of the host on stdin and stdout, in the background; the socket
# that its script removes by hand is not in the way.
rm -f .lkvm/agl-normal.sock
lkvm run --name agl-normal --kernel k --disk disk --cpus 1 --mem 512M \
	--console serial --params 'console=ttyAMA0,115200 root=/dev/vda rw' \
	<initrd >out 2>&1 &
if wait $! && [ "$(cat out)" = Hi ]; then
	pass 'line 13'
else
	fail 'line 13' "$(cat out)"
fi

# 8, 9 and 16: what is done with them.
printf '\372\364\353\375' >halt
for name in ID H armvirt0 armvirt1 armvirt2; do
	lkvm run -m 128 -c 1 -k halt --balloon --name $name \
		</dev/null >/dev/null 2>&1 &
	wait_while $! "line 16: $name runs" is_listed "$name" running
done
if lkvm balloon -i 64 -n H >out && lkvm balloon -d 64 -n H >>out; then
	pass 'line 9: balloon'
else
	fail 'line 9: balloon' "$(cat out)"
fi
if lkvm stop -n ID && lkvm stop -n H; then
	pass 'line 8: stop'
else
	fail 'line 8: stop' "$(lkvm list)"
fi
if lkvm stop --name armvirt0 && lkvm stop --all &&
	[ -z "$(lkvm list --json)" ] && wait; then
	pass 'line 16: stop --name, stop --all'
else
	fail 'line 16: stop --name, stop --all' "$(lkvm list)"
fi

refused 10 --vfio-pci lkvm run -m 128 -p 'nokaslr' -k k \
	--vfio-pci=nonsense --debug

# Forks.
refused 23 --realm lkvm run --realm --disable-sve --irqchip=gicv3-its \
	--firmware KVMTOOL_EFI.fd -c 1 -m 512 --no-pvtime --pmu --disk disk \
	--restricted_mem --virtio-transport pci
refused 24 --realm lkvm run --realm -m 256m --restricted_mem --kernel k
refused 25 --realm lkvm run --realm -c 2 -m 2G -k k -d disk --restricted_mem
refused 26 --realm lkvm run --debug --realm --measurement-algo=sha256
refused 27 --realm nice -20 lkvm run --realm --disable-sve -c 8 -m 1000 -k k
refused 28 --protected lkvm run --protected --protected-ffa --name a
refused 29 --dtb lkvm run -k k --dtb x.dtb
refused 29 --sve-vl lkvm run -k k --sve-vl=512
refused 29 --disable-ssaia lkvm run -k k --disable-ssaia
finish
