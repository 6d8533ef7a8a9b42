# SPDX-License-Identifier: GPL-2.0-only
# arch: arm64
# l1: max
# default: never
# timeout: 400
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# On a CPU that has all that QEMU emulates: SVE, pointer authentication and
# memory tagging reach the guest, and options take them away.

limit=350
features()
{
	guest "$@" <<-'GUEST'
	echo "@ features $(sed -n 's/^Features.*: //p' /proc/cpuinfo | head -n 1)"
	echo "@ vector $(cat /proc/sys/abi/sve_default_vector_length)"
	poweroff -f
	GUEST
	expect_status 0
	value features
}

has()
{
	case " $(value features) " in
	*" $1 "*) echo yes ;;
	*) echo no ;;
	esac
}

features
for f in sve paca pacg mte; do
	expect_eq "$f" yes "$(has $f)"
done
features --sve-max-vl 128 --disable-mte
expect_eq "mte" no "$(has mte)"
expect_eq "sve" yes "$(has sve)"
expect_eq "bytes of a vector" 16 "$(value vector)"
