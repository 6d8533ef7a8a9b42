# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# timeout: 200
# Each boot puts the kernel elsewhere, in physical and in virtual memory, and
# its own memory regions, too; with nokaslr all is where it was linked for.

# places: sets $text, $code and $lowmem of a guest with kernel parameters "$1".
places()
{
	guest -p "$1" <<-'GUEST'
	echo 0 >/proc/sys/kernel/kptr_restrict
	echo "@ text $(awk '$3 == "_text" { print $1 }' /proc/kallsyms)"
	echo "@ offset $(awk '$3 == "page_offset_base" { print $1 }' \
		/proc/kallsyms)"
	echo "@ code $(awk '/Kernel code/ { print $1 }' /proc/iomem)"
	poweroff -f
	GUEST
	expect_status 0
	text=$(value text)
	code=$(value code)
}

places nokaslr
expect_eq "_text" ffffffff81000000 "$text"
expect_eq "the code" 01000000 "${code%-*}"
expect_no_out "KASLR enabled"

places loglevel=7
first=$text first_code=$code
[ -n "$text" ] && [ -n "$code" ] || fail "the guest did not say where it is"
places loglevel=7
# One of a few hundred places by chance: both boots in the same of both kinds.
[ "$first $first_code" != "$text $code" ] ||
	fail "twice at $text, physical $code"
[ "$text" != ffffffff81000000 ] || [ "$first" != ffffffff81000000 ] ||
	fail "twice at its link address"
