#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What is not "run": help, version, commands that are not there.

# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

overview='usage: lkvm .*The most commonly used.*   run .*   version .*   help '
expect 'no arguments: help on stdout' 0 "$overview" ''
expect '--help' 0 "$overview" '' --help
expect '-h' 0 "$overview" '' -h
expect 'help' 0 "$overview" '' help
expect 'help run' 0 '^usage: lkvm run .*--kernel.*Exit status' '' help run
expect 'run --help is the same' 0 '^usage: lkvm run .*--kernel' '' run --help
expect 'run -h among others' 0 '^usage: lkvm run ' '' run -c 2 -h --nonsense
expect 'help help' 0 '^usage: lkvm help' '' help help
expect 'version --help' 0 '^usage: lkvm version' '' version --help
version=$(cat VERSION)
expect 'version' 0 "^lkvm ${version//./\\.}[^ ]*\$" '' version
expect '--version' 0 "^lkvm ${version//./\\.}[^ ]*\$" '' --version
usage_error 'version with an argument' 'unexpected argument x' version x
usage_error 'unknown command' 'no command frobnicate' frobnicate
usage_error 'help of an unknown command' 'no command x' help x
usage_error 'help of two' 'unexpected argument version' help run version
ln -f "$LKVM" "$tmp/vm" 2>/dev/null || cp "$LKVM" "$tmp/vm"
if "$tmp/vm" --help | grep -q 'The most commonly used'; then
	pass 'called vm'
else
	fail 'called vm'
fi
if "$LKVM" --help >/dev/full 2>"$tmp/err"; then
	fail 'a full stdout is an error'
else
	pass 'a full stdout is an error'
fi
finish
