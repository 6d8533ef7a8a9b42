#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# "lkvm sandbox" and "lkvm setup" up to where a kernel would have to boot.

# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

export HOME=$tmp/home
mkdir "$HOME"

# ---- setup ----

expect 'setup' 0 '' 'home/.lkvm/box: use it with "lkvm run --disk box"' setup box
if [ "$(readlink "$HOME/.lkvm/box/usr")" = /host/usr ] &&
	[ -d "$HOME/.lkvm/box/virt/home" ] &&
	[ "$(stat -c %a "$HOME/.lkvm")" = 700 ]; then
	pass 'what setup makes'
else
	fail 'what setup makes' "$(ls -laR "$HOME/.lkvm")"
fi
expect 'setup again' 128 '' 'box exists already' setup box
expect 'setup of no name' 128 '' 'a/b is no name for a root' setup a/b
usage_error 'setup without a name' 'which name' setup
usage_error 'setup of two' 'two names: a and b' setup a b
if HOME='' "$LKVM" setup x 2>"$tmp/err"; then
	fail 'setup without HOME'
elif grep -q 'set HOME' "$tmp/err"; then
	pass 'setup without HOME'
else
	fail 'setup without HOME' "$(cat "$tmp/err")"
fi

# ---- sandbox ----

usage_error 'sandbox without a command' 'which command' sandbox
usage_error 'sandbox without a command behind --' 'which command' sandbox --
usage_error 'unknown option' 'unknown option --frob' sandbox --frob -- true
usage_error 'run knows no --user' 'unknown option --user' run --user k
expect 'help' 0 '--user  ' '' sandbox --help

# The kernel says its release in its header: that of a bzImage, and no more.
bzimage=$tmp/bzImage
{
	head -c 514 /dev/zero
	printf HdrS
	head -c 8 /dev/zero
	printf '\000\002'
	head -c 496 /dev/zero
	printf '9.8.7-none (me)'
	head -c 3000 /dev/zero
} >"$bzimage"

if has_kvm; then
	expect 'a kernel that is not there' 128 '' \
		'Fatal: Unable to open kernel _NO_FILE_' \
		sandbox -k _NO_FILE_ ls -l --frob
	if [ -e "/boot/vmlinuz-$(uname -r)" ]; then
		skip 'where kernels are looked for' 'there is one'
	else
		mkdir "$tmp/empty"
		cd "$tmp/empty" || exit 1
		expect 'where kernels are looked for' 128 '' \
			"looked for .*, /boot/vmlinuz-$(uname -r)" sandbox true
		cd "$OLDPWD" || exit 1
	fi
	expect 'an initrd' 128 '' '--initrd .*: a sandbox has' \
		sandbox -k "$bzimage" -i "$bzimage" -- true
	expect 'a directory' 128 '' 'not for a sandbox' \
		sandbox -k "$bzimage" -d "$tmp" -- true
	expect 'no modules' 128 '' '--modules /none: no modules.dep there' \
		sandbox -k "$bzimage" --modules /none -- true
	expect 'a script that is not there' 128 '' '--sandbox /none: No such' \
		sandbox -k "$bzimage" -d box --sandbox /none
	expect 'a tag that is taken' 128 '' 'the tag hostfs is taken' \
		sandbox -k "$bzimage" --9p "$tmp",hostfs -- true
	expect 'too many ports' 128 '' 'at most 12 with a command' \
		sandbox -k "$bzimage" --port={a,b,c,d,e,f,g,h,i,j,k,l,m}=pty -- true
	# A root file system has one VM.
	exec 7<"$HOME/.lkvm/box"
	flock 7
	expect 'a root file system in use' 128 '' 'of another VM that runs' \
		sandbox -k "$bzimage" -d box -- true
	exec 7<&-
else
	skip 'up to the kernel' 'no /dev/kvm here'
fi

finish
