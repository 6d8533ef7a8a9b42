#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The manual page and shell completion say what --help says.

# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

names=$("$LKVM" help --names run)
[ -n "$names" ] || fail 'names of the options'
# groff writes "-" as "\-".
page=$(sed 's/\\-/-/g' docs/lkvm.1)
# Sections of options that another architecture has.
for arch in x86 arm64; do
	"$LKVM" help run | grep -qx "$arch:" ||
		page=$(sed "/^\.Ss $arch\$/,/^\.El\$/d" <<<"$page")
done
missing=
for name in $names; do
	name=${name%=}
	grep -qE "^\.It Fl .*${name#-}( |\$)|^\.It Fl .*${name#-}," <<<"$page" ||
		missing+=" $name"
done
if [ -z "$missing" ]; then
	pass 'the manual page has every option'
else
	fail 'the manual page has every option' "missing:$missing"
fi
extra=
for name in $(grep -oE '^\.It Fl .*' <<<"$page" |
	grep -oE ' -[a-z][a-z0-9-]*' | tr -d ' '); do
	grep -qxE -- "-$name=?" <<<"$names" || extra+=" $name"
done
if [ -z "$extra" ]; then
	pass 'the manual page has no other option'
else
	fail 'the manual page has no other option' "too many:$extra"
fi

# complete WORD...: what bash offers for the last word.
complete_words()
{
	(
		# shellcheck source=completion/lkvm.bash
		. completion/lkvm.bash
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		COMP_LINE=$*
		COMP_POINT=${#COMP_LINE}
		compopt() { :; }
		_lkvm
		printf '%s\n' "${COMPREPLY[@]}" | LC_ALL=C sort | tr '\n' ' '
	)
}

# offers NAME WANT WORD...
offers()
{
	local name=$1 want=$2 got

	shift 2
	got=$(complete_words "$@")
	if [ "$got" = "$want" ]; then
		pass "$name"
	else
		fail "$name" "offered: $got" "wanted: $want"
	fi
}

offers 'completion of commands' 'version ' "$LKVM" ve
offers 'completion of options' '--debug-iodelay= --debug-ioport ' \
	"$LKVM" run --debug-io
offers 'completion of values' 'serial virtio ' "$LKVM" run --console ''
offers 'completion of help' 'run ' "$LKVM" help ru
mkdir "$tmp/dir"
touch "$tmp/dir/bzImage"
offers 'completion of kernels' "$tmp/dir/bzImage " \
	"$LKVM" run -k "$tmp/dir/bz"
finish
