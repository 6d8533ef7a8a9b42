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
# Nobody else's VMs: commands look into both.
export XDG_RUNTIME_DIR=$tmp HOME=$tmp
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

# wait_for WHAT COMMAND...: until that succeeds, for two minutes at most. Else
# prints FAIL: WHAT.
wait_for()
{
	wait_while '' "$@"
}

# wait_while PID WHAT COMMAND...: the same, and no longer than that process lives.
wait_while()
{
	local pid=$1 what=$2 i

	shift 2
	for ((i = 0; i < 2400; i++)); do
		"$@" && return 0
		[ -z "$pid" ] || kill -0 "$pid" 2>/dev/null || break
		sleep 0.05
	done
	if [ "$i" = 2400 ]; then
		fail "$what" "waited for in vain: $*"
	else
		fail "$what" "the process ended before it: $*"
	fi
	return 1
}

# is_listed NAME REGEX: "lkvm list --json" has that on the VM's line.
is_listed()
{
	"$LKVM" list --json | grep -qE "\"name\":\"$1\",.*$2"
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
