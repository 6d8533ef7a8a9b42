# SPDX-License-Identifier: GPL-2.0-only
# default: x86
# timeout: 230
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# Memory that the guest frees goes back to the host by itself; it gives more when
# it is asked, says what it has, and takes it back when it would run out.

# rss: MiB of memory that lkvm has.
rss()
{
	awk '/^Rss:/ { print int($2 / 1024) }' "/proc/$lkvm_pid/smaps_rollup"
}

rss_at_most()
{
	[ "$(rss)" -le "$1" ]
}

has_given()
{
	"$LKVM" balloon airy | tee given | grep -q "has given $1 MiB"
}

has_given_less_than()
{
	"$LKVM" balloon airy >given
	[ "$(sed 's/.*has given \([0-9]*\) MiB.*/\1/' given)" -lt "$1" ]
}

# stat_of WORD: a number of lkvm stat.
stat_of()
{
	"$LKVM" stat -m airy | sed -n "s/^airy: $1: //p"
}

mkfifo in
exec 9<>in
guest_start --balloon --name airy -p quiet <<'GUEST'
mount -o remount,size=100% /tmp
head -c 41943040 /dev/zero >/tmp/file
echo "@ full"
read -r line
rm /tmp/file
echo "@ freed"
read -r line
head -c 94371840 /dev/zero >/tmp/file
echo "@ survived $(stat -c %s /tmp/file)"
read -r line
GUEST
wait_out "@ full" 150
full=$(rss)
expect_least "MiB that lkvm has, with 40 MiB of files in its guest" 40 "$full"
echo go on >&9
wait_out "@ freed"
# All but what is in pieces too small to be reported: below 2 MiB.
wait_until 60 "20 MiB less than $full" rss_at_most $((full - 20))
echo "with files $full MiB, without them $(rss) MiB"
expect_least "bytes reported" 20971520 "$(stat_of 'balloon reported')"

free=$(stat_of 'guest free-memory')
expect_least "bytes that the guest has free" 104857600 "$free"
"$LKVM" balloon --target 130 airy || fail "cannot set a target"
wait_until 60 "130 MiB in the balloon" has_given 130
expect_least "bytes fewer that are free" 125829120 \
	$((free - $(stat_of 'guest free-memory')))

# More than is left: the balloon gives way, and nothing is killed.
echo go on >&9
wait_out "@ survived" 100
expect_eq "bytes that could be written" 94371840 "$(value survived)"
wait_until 20 "a smaller balloon" has_given_less_than 130
cat given
"$LKVM" balloon --target 0 airy
wait_until 60 "an empty balloon" has_given 0
echo go on >&9
lk_wait 60
expect_status 0
