# SPDX-License-Identifier: GPL-2.0-only
# default: x86
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# One writable image serves one VM: a second is refused, readers included;
# many may share it read-only.

truncate -s 1M disk.raw
mkfifo in
exec 9<>in
guest_start -d disk.raw <<'GUEST'
echo "@ ready"
read -r _
GUEST
first=$lkvm_pid
wait_out "@ ready"
rm in
mkdir second
cp out first.out
for option in "" ,ro; do
	status=0
	"$LKVM" run -k "$LAB/vmlinuz" -d "disk.raw$option" -m 64 -n mode=none \
		--timeout 20 </dev/null >second/out 2>second/err || status=$?
	cat second/err
	expect_status 128
	grep -q disk.raw second/err || fail "expected the message to name disk.raw"
done
echo >&9
lkvm_pid=$first
lk_wait 120
expect_status 0
