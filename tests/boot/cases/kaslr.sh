# SPDX-License-Identifier: GPL-2.0-only
# arch: x86
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# timeout: 400
# Each boot puts the kernel elsewhere, in physical and in virtual memory, and
# tells it so; with nokaslr all is where it was linked for. With mem= the kernel
# unpacks itself, as it does wherever lkvm cannot, and does all that as well.

# places PARAMETERS: boots a guest; sets $text, $code (addresses of the
# kernel's first instruction and of its code in RAM) and $flags (loadflags in
# the zero page: 2 is KASLR).
places()
{
	guest --debug -p "$1" <<-'GUEST'
	echo 0 >/proc/sys/kernel/kptr_restrict
	echo "@ text $(awk '$3 == "_text" { print $1 }' /proc/kallsyms)"
	echo "@ code $(awk '/Kernel code/ { print $1 }' /proc/iomem)"
	echo "@ flags $(dd if=/sys/kernel/boot_params/data bs=1 skip=529 \
		count=1 2>/dev/null | od -An -tu1 | tr -d ' ')"
	poweroff -f
	GUEST
	expect_status 0
	text=$(value text)
	code=$(value code)
	flags=$(value flags)
	echo "text $text, code $code, flags $flags"
}

places nokaslr
expect_eq "_text" ffffffff81000000 "$text"
expect_eq "the code" 01000000 "${code%-*}"
expect_eq "the KASLR flag" 0 "$((flags & 2))"

places quiet
expect_eq "the KASLR flag" 2 "$((flags & 2))"
first=$text first_code=$code
places quiet
# Each is one of a few hundred places: all the same is no chance.
[ "$first $first_code" != "$text $code" ] ||
	fail "twice at $text, physical $code"
[ "$text $first" != "ffffffff81000000 ffffffff81000000" ] ||
	fail "twice at its link address"
grep -q "unpacks itself" err && fail "lkvm does not unpack Debian's kernel"

places mem=200M
expect_err "unpacks itself: the command line limits its memory"
expect_eq "the KASLR flag" 2 "$((flags & 2))"
