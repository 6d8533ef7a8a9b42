#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The options of "run": what is accepted, what is refused, and how.

# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

# ---- Accepted ----

accepted 'nothing more'
accepted '--cpu abbreviates --cpus' --cpu 1
accepted 'attached short arguments' -c2 -m2048
accepted 'arguments with =' --cpus=1 --mem=64 --loglevel=warning
for mem in 64 64M 64m 65536K 65536k 67108864B 1G 1g 0x40; do
	accepted "-m $mem" -m "$mem"
done
accepted 'me and mem are --mem' --me 64
accepted 'all of the consoles' --console serial --console=virtio --console v
accepted '--tty 0 to 3' --tty 0 --tty 1 --tty 2 --tty 3
accepted 'ports' --port a=pty --port b.c-d=file:/x,y=z --port=e=unix:sock
accepted 'ports taken back' --port a=pty --no-port --port a=unix:x
accepted 'names' --name agl-normal_0.1
accepted 'root file systems' --no-dhcp --sandbox x --modules /lib/modules/x
accepted 'params' -p 'root=/dev/vda rw' --params=quiet
accepted 'network none' --network mode=none -n mode=none --no-network
accepted 'no vsock' --vsock 3 --vsock 0 --vsock=0x10 --no-vsock
accepted 'scsi disks taken back' -d scsi:naa.1:x --no-disk
accepted 'a tap' --network mode=tap,tapif=tap0,host_ip=10.1.1.1,guest_ip=10.1.1.2
accepted 'all of a tap' -n tapif=/dev/tap7,guest_mac=02:00:00:00:00:01,vhost=1 \
	-n fd=3,script=none,downscript=/bin/true,trans=pci -n mq=8,vhost=0
accepted 'user mode' -n mode=user,tapif=x,guest_mac=0a:1:2:3:4:5
accepted 'ports' -n mode=user,hostfwd=tcp:2222:22,hostfwd=udp:0.0.0.0:53:53 \
	-n mode=user,hostfwd=tcp::2222-:22,hostfwd=tcp:1.2.3.4:5:6.7.8.9:10
accepted 'network words of old' --network virtio -n user -n none
accepted 'transport' --virtio-transport pci --virtio-transport=pci-legacy \
	--no-virtio-transport --virtio-legacy --no-virtio-legacy
accepted 'flags' --rng --balloon --nodefaults --debug --debug-single-step \
	--debug-ioport --debug-mmio --debug-iodelay 5
accepted 'flags taken back' --rng --no-rng --no-nodefaults --no-debug \
	--no-balloon --no-vfio-pci --no-timeout --no-disk
accepted 'no device' --vfio-pci 1:2.3,rom=off --no-vfio-pci --iommufd=off \
	--iommufd=on --iommufd auto
accepted 'ends' --timeout 5 --reboot=exit --reboot restart --extended-status
accepted 'log levels' --loglevel error --loglevel warning --loglevel info \
	--loglevel debug
accepted 'as kvm-unit-tests does' --cpus 1 --params 'setup smp=1 mem=256' \
	--nodefaults --network mode=none --loglevel=warning --mem 256

touch "$tmp/disk"
accepted 'disk words' -d "$tmp/disk,ro" -d "$tmp/disk,direct,ro" \
	-d "$tmp/disk,format=raw" -d "$tmp/disk,readonly=on,direct=off" \
	-d "$tmp/disk,ro,format=qcow2,backing=on,queues=2,serial=abc"
most=()
for _ in {1..31}; do
	most+=(-d "$tmp/disk,ro")
done
accepted '31 disks' "${most[@]}"

# ---- Refused ----

for address in x 1 1: 1:2 1:2.8 1:20.0 100:0.0 10000:00:00.0 0:0:0:0.0 00.0x; do
	usage_error "device $address" "--vfio-pci: $address is no PCI address" \
		run --vfio-pci "$address" k
done
usage_error 'a device twice' '0000:01:02.3 is given twice' \
	run --vfio-pci 1:2.3 --vfio-pci 0:1:2.3 k
usage_error 'device words' 'rom=on is none of rom=off, romfile=FILE' \
	run --vfio-pci 1:2.3,rom=on k
usage_error 'iommufd' '--iommufd: maybe is none of auto, on, off' \
	run --iommufd=maybe k
usage_error 'vfio alone' 'vfio: needs list, or check and an address' vfio
usage_error 'vfio what' 'vfio: there is only list, and check' vfio bind
usage_error 'vfio check' 'vfio: check takes one address' vfio check
usage_error 'vfio check x' 'vfio check: x is no PCI address' vfio check x

usage_error 'unknown option' 'unknown option --frobnicate' run --frobnicate
usage_error 'unknown short option' 'unknown option -Z' run -Z
usage_error 'ambiguous' '--de is ambiguous: --dev or --debug' run --de
usage_error 'missing argument' '--mem: needs an argument' run -m
usage_error 'argument to a flag' '--rng takes no argument, not yes' \
	run --rng=yes
usage_error 'two words' 'two kernels: a and b' run a b
usage_error 'word after -k' 'two kernels: --kernel a and the word b' \
	run -k a b
usage_error 'word before -k' 'two kernels: --kernel a and the word b' \
	run b -k a
for mem in 0 0G x 5X 5MB -5 '5 ' 1.5 '' 99999999999P 16384P; do
	usage_error "-m '$mem'" '--mem: ' run -m "$mem" k
done
usage_error '-m with a bad address' '--mem: z is no address' run -m 5@z k
for cpus in 0 x 2x -1 '' 1.0; do
	usage_error "-c '$cpus'" '--cpus: .*is no number' run -c "$cpus" k
done
usage_error '--tty 4' '--tty: 4 is no serial port' run --tty 4
usage_error '--tty x' '--tty: x is no serial port' run --tty x
usage_error '--console hv' '--console: hv exists only on POWER' \
	run --console hv
usage_error '--console x' '--console: x is neither' run --console x
usage_error '--console empty' '--console:  is neither' run --console=
usage_error '--loglevel x' '--loglevel: x is none of' run --loglevel x
usage_error '--timeout x' '--timeout: 5s is no number' run --timeout 5s
usage_error '--reboot x' '--reboot: x is neither' run --reboot x
usage_error '--debug-iodelay x' 'iodelay: x is no number' run --debug-iodelay x
usage_error 'name with a slash' '--name: slashes' run --name a/b
usage_error 'name with a dot first' '--name: \.a: a name' run --name .a
usage_error 'empty name' '--name: ' run --name ''
usage_error 'long name' '--name: ' run --name "$(printf '%065d' 0)"
for network in mode=bridge mode= fd=2 fd=x vhost=2 mq=0 mq=9 host_ip=1.2.3 \
	guest_ip=x guest_mac=02:00:00:00:00 guest_mac=01:00:00:00:00:00 \
	guest_mac=02:00:00:00:00:00:00 trans=x; do
	usage_error "-n $network" "--network: (${network%%=*}=|there is no tr)" \
		run -n "$network"
done
usage_error 'unknown network key' '--network: unknown key tap: ' run -n tap=tap0
usage_error 'unknown network word' '--network: what is no KEY=VALUE' run -n what
for forward in tcp tcp:1 tcp:1:x tcp:0:1 tcp:1:65536 sctp:1:2 tcp:a:1:2 \
	tcp:1.2.3.4:1:2:3:4; do
	usage_error "hostfwd=$forward" "--network: hostfwd=$forward: it is tcp" \
		run -n "mode=user,hostfwd=$forward"
done
usage_error 'vhost in user mode' 'vhost=1 needs mode=tap' \
	run -n mode=user,vhost=1
usage_error 'several queues in user mode' 'mq=2 needs mode=tap' \
	run -n mode=user,mq=2
usage_error 'fd and tapif' 'fd=3 and tapif=t' run -n fd=3,tapif=t
usage_error 'forwarding to a tap' 'hostfwd= needs mode=user' \
	run -n hostfwd=tcp:1:2
for transport in mmio mmio-legacy; do
	usage_error "transport $transport" "this machine has no $transport: pci" \
		run --virtio-transport $transport
done
usage_error 'transport x' 'there is no transport x' run --virtio-transport x
usage_error 'scsi disk without a name' 'needs the name of a vhost target' \
	run -d scsi:
usage_error 'scsi disk with words' 'no further words' run -d scsi:naa.1,ro
usage_error '5 scsi disks' 'at most 4' run -d scsi:naa.1 -d scsi:naa.2 \
	-d scsi:naa.3 -d scsi:iqn.2001-04.com.example:x -d scsi:naa.5
for cid in 1 2 4294967295 4294967296 4294967299 18446744073709551615; do
	usage_error "vsock $cid" "$cid is no guest's CID: those are 3 to" \
		run --vsock $cid
done
for cid in -3 3x 18446744073709551616 ''; do
	usage_error "vsock $cid" 'is no number' run "--vsock=$cid"
done
usage_error 'two directories as root' 'a directory as root already' \
	run -d "$tmp" -d "$tmp"
usage_error 'word of a root directory' 'direct is none of' run -d "$tmp,direct"
usage_error '9p without a directory' '--9p: needs a directory' run --9p ,tag
usage_error '9p tag that is too long' 'does not have 1 to 32 bytes' \
	run --9p "$tmp,$(printf '%033d' 0)"
usage_error '9p tag that is empty' 'does not have 1 to 32 bytes' run --9p "$tmp,"
usage_error '9p tag twice' 'have the same tag, kvm_9p' run --9p "$tmp" --9p /tmp
usage_error '9p word' 'mapd is none of ro, security=' \
	run --9p "$tmp,tag,ro,mapd"
usage_error '9p security' 'security=none is none of' \
	run --9p "$tmp,tag,security=none"
if has_kvm; then
	guest "$tmp/halt" '\364'
	for share in "--9p /" "--9p /,tag,security=mapped" "-d /"; do
		# shellcheck disable=SC2086 # words
		expect "S19: $share" 128 '' \
			"the host's own root directory is shared only read-only" \
			run $share -n mode=none -k "$tmp/halt"
	done
else
	skip "S19: the host's own root directory" "no /dev/kvm here"
fi
usage_error 'disk format' 'format=vmdk: it is raw or qcow2' \
	run -d "$tmp/disk,format=vmdk"
usage_error 'backing file of a raw disk' 'backing=on is for format=qcow2' \
	run -d "$tmp/disk,backing=on"
usage_error 'queues of a disk' 'queues=17: it is a number from 1 to 16' \
	run -d "$tmp/disk,queues=17"
usage_error 'serial of a disk' 'serial=.*: it is 1 to 20 printable' \
	run -d "$tmp/disk,serial=123456789012345678901"
usage_error 'switch of a disk' 'ro=maybe: it is on or off' \
	run -d "$tmp/disk,ro=maybe"
usage_error 'disk word' 'rw is none of' run -d "$tmp/disk,rw"
usage_error 'disk without a path' 'needs the path' run -d ',ro'
usage_error '32 disks' 'at most 31' run "${most[@]}" -d "$tmp/disk"

for port in x x= =pty x=pts x=file: x=unix: x=/dev/pts/3; do
	usage_error "--port $port" '--port: ' run --port "$port" k
done
usage_error 'port names' 'a name has 1 to 63' run --port 'a b=pty' k
usage_error 'two ports of one name' 'two ports are called a' \
	run --port a=pty --port a=file:x k
most=()
for i in {1..16}; do
	most+=(--port "p$i=pty")
done
usage_error '17 ports' 'at most 16 ports' run "${most[@]}" --port q=pty k

# By name, saying what is missing; the argument's form does not matter.
for option in \
	--firmware=x --flash=x --aarch32 --pmu \
	--disable-mte --vcpu-affinity=0-1 --kaslr-seed=1 --no-pvtime \
	--sve-max-vl=256 --irqchip=gicv3-its --dump-dtb=x \
	--override-bad-firmware-cntfrq=1 --firmware-address=1 --force-pci \
	--nested --e2h0 --realm --restricted_mem --measurement-algo=sha256 \
	--disable-sve --sve-vl=512 --protected --protected-ffa \
	--iommufd-vdevice --vfio-bounce-buffer=4 --dtb=x.dtb --disable-ssaia; do
	usage_error "${option%%=*} is refused by name" \
		"${option%%=*}: .*(not in this version|arm64|RISC-V)" \
		run "$option" k
done
usage_error '-f is refused by name' '--firmware: ' run -f x
usage_error '-F is refused by name' '--flash: ' run -F x
usage_error 'displays as in a crash of kvmtool' '--gtk: .*--sdl or --vnc' \
	run -c2 -m2048 -k bzImage --sdl --gtk
usage_error 'two displays' 'one display' run --sdl --vnc k
usage_error 'no size' '--vidmode: 10x is no size' run --vnc --vidmode 10x k
usage_error 'too small a size' '--vidmode: 10x10: from' \
	run --vnc --vidmode 10x10 k
usage_error 'too large a size' '--vidmode: 9999x768: from' \
	run --vnc --vidmode 9999x768 k
usage_error 'words of --vnc' 'it is not password-file=FILE' \
	run --vnc=:5901,password=x k
usage_error 'an Arm CCA line' '--realm: ' run --realm --disable-sve \
	--irqchip=gicv3-its --firmware KVMTOOL_EFI.fd -c 1 -m 512 --pmu
usage_error 'a pKVM line' '--protected: ' run --protected --protected-ffa
finish
