# SPDX-License-Identifier: GPL-2.0-only
# timeout: 230
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# Memory that the guest frees goes back to the host by itself.

# rss: MiB of memory that lkvm has.
rss()
{
	awk '/^Rss:/ { print int($2 / 1024) }' "/proc/$lkvm_pid/smaps_rollup"
}

rss_at_most()
{
	[ "$(rss)" -le "$1" ]
}

mkfifo in
exec 9<>in
guest_start --balloon -p quiet <<'GUEST'
head -c 41943040 /dev/zero >/tmp/file
echo "@ full"
read -r line
rm /tmp/file
echo "@ freed"
read -r line
GUEST
wait_out "@ full" 150
full=$(rss)
expect_least "MiB that lkvm has, with 40 MiB of files in its guest" 40 "$full"
echo go on >&9
wait_out "@ freed" 100
# All but what is in pieces too small to be reported.
wait_until 60 "35 MiB less than $full" rss_at_most $((full - 35))
echo "with files $full MiB, without them $(rss) MiB"
echo go on >&9
lk_wait 60
expect_status 0
