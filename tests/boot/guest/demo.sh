# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What the guest of the demo does where nobody types.

say()
{
	echo "# $*"
	"$@"
}

dmesg -n 1
echo
say uname -a
say grep -m 1 "model name" /proc/cpuinfo
say lspci
say df -h /
say date
