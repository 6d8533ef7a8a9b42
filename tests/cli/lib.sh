# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For the cases of tests/cli: each sources this file and calls expect() and its
# like, which print PASS or FAIL. LKVM is the binary; $tmp a folder that goes
# away at the end.

set -u
case_name=$(basename "$0" .sh)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# Nobody else's VMs.
export XDG_RUNTIME_DIR=$tmp
failed=0

pass()
{
	echo "PASS cli/$case_name: $1"
}

# fail NAME DETAIL...
fail()
{
	local name=$1 detail

	shift
	echo "FAIL cli/$case_name: $name"
	for detail; do
		echo "    ${detail//$'\n'/$'\n'    }"
	done
	failed=1
}

skip()
{
	echo "SKIP cli/$case_name: $1: $2"
}

has_kvm()
{
	[ -r /dev/kvm ] && [ -w /dev/kvm ]
}

# run ARG...: lkvm; its output in $out and $err, its status in $status.
run()
{
	status=0
	timeout 60 "$LKVM" "$@" </dev/null >"$tmp/out" 2>"$tmp/err" ||
		status=$?
	out=$(tr -d '\0' <"$tmp/out")
	err=$(tr -d '\0' <"$tmp/err")
}

# matches TEXT REGEX: an empty regex wants an empty text.
matches()
{
	if [ -z "$2" ]; then
		[ -z "$1" ]
	else
		[[ $1 =~ $2 ]]
	fi
}

# expect NAME STATUS STDOUT-REGEX STDERR-REGEX ARG...
expect()
{
	local name=$1 want=$2 want_out=$3 want_err=$4

	shift 4
	run "$@"
	if [ "$status" = "$want" ] && matches "$out" "$want_out" &&
		matches "$err" "$want_err"; then
		pass "$name"
	else
		fail "$name" "lkvm $*" "status $status, not $want" \
			"stdout ($want_out): $out" "stderr ($want_err): $err"
	fi
}

# usage_error NAME STDERR-REGEX ARG...: status 129, one line on stderr.
usage_error()
{
	local name=$1 want_err=$2

	shift 2
	local line=$'[^\n]*'

	expect "$name" 129 '' "^  Error: $line${want_err}$line\$" "$@"
}

# accepted NAME ARG...: the options are fine: a kernel that is not there is the
# only fault. This is how kvm-unit-tests asks, too.
accepted()
{
	local name=$1

	shift
	if has_kvm; then
		expect "$name" 128 '' \
			'Fatal: Unable to open kernel _NO_FILE_4Uhere_' \
			run --kernel _NO_FILE_4Uhere_ "$@"
	else
		skip "$name" "no /dev/kvm here"
	fi
}

# guest FILE OCTAL-OR-TEXT: a real-mode image, loaded at 1000:0000.
guest()
{
	# shellcheck disable=SC2059 # the bytes are the format
	printf "$2" >"$1"
}

# finish: the status of the case.
finish()
{
	exit "$failed"
}
