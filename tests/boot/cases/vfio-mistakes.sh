# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# l1: vfio
# timeout: 120
#
# What users forget, and the cure that each message names.

# shellcheck source=tests/boot/vfio.sh
. "$CASES/../vfio.sh"
echo kernel >kernel
chmod 755 .
chmod 666 /dev/kvm

# refused STATUS TEXT...: lkvm run with $devices ends so, each text in its line.
refused()
{
	rf_status=$1
	shift
	# shellcheck disable=SC2086 # several options
	lk run -k kernel -m 64 -c 1 $devices
	expect_status "$rf_status"
	expect_eq 'reasons' 1 "$(grep -c '^  Fatal: ' err)"
	for rf_text; do
		expect_err "$rf_text"
	done
}

devices="--vfio-pci 0000:00:1e.7"
refused 77 'no PCI device 0000:00:1e.7' 'lkvm vfio list'

# Not bound, and then bound as the message says.
vfio_unbind "$fast"
devices="--vfio-pci 13.0"
refused 128 "$fast: its driver is (none), not vfio-pci"
"$LKVM" vfio check "$fast" >checked 2>err && fail "check passes"
expect_err "its driver is (none)"
sed -n 's/^  \(.*drivers_probe\)$/\1/p' checked >commands
expect_eq 'commands' 1 "$(wc -l <commands)"
cat commands
sh -e ./commands
"$LKVM" vfio check "$fast" >checked || fail "check does not pass"
grep -q "Ready: lkvm run --vfio-pci $fast" checked || fail "$(cat checked)"
expect_eq 'driver' vfio-pci \
	"$(basename "$(readlink "/sys/bus/pci/devices/$fast/driver")")"

# The other function of the device has a driver of the host's.
modprobe 8139cp
vfio_bind "$twin"
vfio_unbind "$twin2"
echo "$twin2" >/sys/bus/pci/drivers_probe
devices="--vfio-pci $twin"
refused 128 "holds devices that the host uses: $twin2 (driver 8139cp)" \
	"lkvm vfio check $twin"
"$LKVM" vfio check "$twin" | grep "echo $twin2 >.*unbind" ||
	fail "check does not say how to unbind $twin2"
"$LKVM" vfio list | grep "$twin2.*8139cp.*used by the host" ||
	fail "list does not show $twin2"
echo "$twin2" >/sys/bus/pci/drivers/8139cp/unbind
vfio_unbind "$twin"

# Permission, and the limit of locked memory, of a user.
group=$(basename "$(readlink "/sys/bus/pci/devices/$fast/iommu_group")")
devices="--vfio-pci $fast"
as_a_user()
{
	# shellcheck disable=SC2034 # for lk
	prefix="/usr/bin/setpriv --reuid 1000 --regid 1000 --clear-groups"
	chmod 666 /dev/vfio/vfio
	chmod 600 "/dev/vfio/$group"
	refused 77 "/dev/vfio/$group: Permission denied" 'chown 1000'
	chown 1000 "/dev/vfio/$group"
	# shellcheck disable=SC3045 # busybox has it
	ulimit -l 1024
	refused 128 'limit is 1 MiB: ulimit -l 131072' 'LimitMEMLOCK=128M'
	# shellcheck disable=SC3045
	ulimit -l unlimited
	# shellcheck disable=SC2034
	prefix=
}
[ ! -x /usr/bin/setpriv ] || as_a_user

# In use.
guest_start -p quiet --vfio-pci "$fast" <<'GUEST'
echo "@ running"
sleep 1000
GUEST
in_use()
{
	# shellcheck disable=SC2010,SC2154 # no strange names; of lk_start
	ls -l "/proc/$lkvm_pid/fd" | grep -q "vfio-device"
}
wait_until 60 'its device' in_use
first=$lkvm_pid
"$LKVM" run -k kernel -m 64 -c 1 --vfio-pci "$fast" 2>busy && fail "it runs"
cat busy
grep -q "its IOMMU group $group is in use by another VM" busy ||
	fail "busy is not said"
kill -TERM "$first"
lk_wait 30

# --iommufd=on, where the kernel has none.
devices="--vfio-pci $fast --iommufd=on"
refused 77 '--iommufd=on: /dev/iommu is not there'
