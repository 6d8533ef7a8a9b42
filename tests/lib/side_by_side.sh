# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by the scripts that have many independent things to run.

# side_by_side COMMAND [ARGUMENT...]: calls it with the words of each line of
# stdin behind, for as many lines at once as there are CPUs ($JOBS). COMMAND
# may be a function; it runs in a process of its own. What each prints comes in
# one piece, in the order of the lines, as soon as those before it have ended.
side_by_side()
{
	local dir words started=0 shown=0 most=${JOBS:-$(nproc)}

	dir=$(mktemp -d)
	while read -ra words; do
		side_by_side_wait "$((most - 1))"
		side_by_side_one "$dir/$started" "$@" "${words[@]}" &
		started=$((started + 1))
	done
	side_by_side_wait 0
	rm -rf "$dir"
}

# side_by_side_one FILE COMMAND...: its output is in FILE.ended when it has.
side_by_side_one()
{
	local file=$1

	shift
	("$@") >"$file" 2>&1 </dev/null
	mv "$file" "$file.ended"
}

# side_by_side_wait N: until no more than N run; shows what ended, with the
# variables of side_by_side.
side_by_side_wait()
{
	while [ "$(jobs -rp | wc -l)" -gt "$1" ]; do
		wait -n
		while [ -e "$dir/$shown.ended" ]; do
			cat "$dir/$shown.ended"
			shown=$((shown + 1))
		done
	done
	[ "$1" != 0 ] || for (( ; shown < started; shown++)); do
		cat "$dir/$shown" # it was killed
	done
}
