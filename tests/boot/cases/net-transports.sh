# SPDX-License-Identifier: GPL-2.0-only
# default: never
# timeout: 2000
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# net-tap and net-user over the other transports. Takes minutes.

transports=pci-legacy
[ "$LAB_ARCH" = x86 ] || transports="pci-legacy mmio mmio-legacy"
for transport in $transports; do
	echo "== $transport"
	progress "net-transports: $transport, tap"
	# shellcheck source=/dev/null
	(. "$CASES/net-tap.sh") || exit $?
	rm -f downs
	progress "net-transports: $transport, user"
	# shellcheck source=/dev/null
	(. "$CASES/net-user.sh") || exit $?
	rm -f out err
done
