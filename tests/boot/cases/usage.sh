# SPDX-License-Identifier: GPL-2.0-only
# default: x86
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# A kernel that is not there: 128 and the sentence that scripts look for.
# Wrong usage: 129 before anything else. Help is on stdout: 0.

lk run -k _NO_FILE_4Uhere_
expect_status 128
expect_err "Fatal: Unable to open kernel _NO_FILE_4Uhere_"
expect_eq "size of stdout" 0 "$(stat -c %s out)"

for bad in --no-such-option "-c x" "--reboot=maybe" "-m 12Q" "--console=no"; do
	# shellcheck disable=SC2086 # words
	lk run $bad -k "$LAB/vmlinuz"
	expect_status 129
	expect_least "bytes of stderr" 10 "$(stat -c %s err)"
	expect_eq "size of stdout" 0 "$(stat -c %s out)"
done

lk no-such-command
expect_status 129

lk --help
expect_status 0
expect_out "The most commonly used"
