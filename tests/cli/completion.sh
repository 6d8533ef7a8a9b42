#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Completion, manual pages and --help say the same: all come from the tables.

# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

# shellcheck source=completion/lkvm.bash
. completion/lkvm.bash
compopt() { :; }

# complete_to WANT WORD...: what is offered for the last word.
complete_to()
{
	local want=$1

	shift
	COMP_WORDS=("$LKVM" "$@")
	COMP_CWORD=$#
	_lkvm
	if [ "${COMPREPLY[*]}" = "$want" ]; then
		pass "bash: $*"
	else
		fail "bash: $*" "${COMPREPLY[*]}" "not: $want"
	fi
}

complete_to 'stop stat' st
complete_to 'resume' help resu
complete_to '--grace=' stop --gr
complete_to '--config= --confine=' run --conf
complete_to 'on off' run --confine o
complete_to 'on off' run --confine = o
complete_to 'virtio' run --console v
complete_to 'warning' run --loglevel w
complete_to 'mode=user mode=tap mode=none' run -n m
complete_to '' run --timeout 1
complete_to '--json' list --j
touch "$tmp/kernel"
complete_to "$tmp/kernel" run "$tmp/k"
complete_to "$tmp/kernel" run -i "$tmp/k"
complete_to "$tmp/kernel" screenshot "$tmp/k"
complete_to 'pageup pagedown' sendkey page
if has_kvm; then
	guest "$tmp/halt" '\372\364\353\375'
	"$LKVM" run --nodefaults -m 64 -c 1 --name somebody "$tmp/halt" \
		</dev/null >/dev/null 2>&1 &
	wait_while $! 'a VM to complete' is_listed somebody running
	complete_to 'somebody' stop some
	complete_to 'somebody' stop -n some
	run stop somebody
	wait
fi

# Each option of each command: in --help, in the generated page, and for run in
# the written one.
for command in $("$LKVM" help --names); do
	"$LKVM" help "$command" >"$tmp/help"
	"$LKVM" help --man "$command" >"$tmp/page.1"
	missing=
	while read -r option; do
		option=${option%=}
		grep -q -e "$option" "$tmp/help" || missing+=" help:$option"
		grep -q -e "Fl ${option#-}" "$tmp/page.1" || missing+=" page:$option"
		[ "$command" != run ] || grep -q -e "Fl ${option#-}\b" docs/lkvm.1 ||
			missing+=" lkvm.1:$option"
	done < <("$LKVM" help --names "$command" | grep '^--')
	if [ -z "$missing" ]; then
		pass "the options of $command"
	else
		fail "the options of $command" "$missing"
	fi
	if command -v mandoc >/dev/null; then
		if err=$(mandoc -T lint -W error "$tmp/page.1"); then
			pass "the page of $command"
		else
			fail "the page of $command" "$err"
		fi
	fi
done

if command -v zsh >/dev/null; then
	if err=$(zsh -n completion/_lkvm 2>&1) && [ -z "$err" ]; then
		pass 'zsh: it parses'
	else
		fail 'zsh: it parses' "$err"
	fi
	out=$(zsh -c '
		_arguments() { print -l -- "$@" }
		compadd() { print -l -- ${(P)@[-1]} }
		words=("$LKVM" stop --); CURRENT=3
		functions[_test]="$(sed -n "/^_lkvm()/,/^}/p" completion/_lkvm | sed "1,2d;\$d")"
		_test' 2>&1)
	if [[ $out == *'*--grace=[end it by force after that time (default: 10)]:SECONDS: '* ]]; then
		pass 'zsh: options with their help'
	else
		fail 'zsh: options with their help' "$out"
	fi
else
	skip 'zsh' 'no zsh here'
fi
finish
