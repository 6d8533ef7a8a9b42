# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Bash completion for lkvm and vm. The commands and options come from the
# program itself ("lkvm help --names"), so they are always those of --help.

# _lkvm_pci FOLDER: addresses of the PCI devices in that folder of sysfs.
_lkvm_pci()
{
	local path

	for path in "/sys/bus/pci/$1"/*:*:*.*; do
		[ ! -e "$path" ] || echo "${path##*/}"
	done
}

# _lkvm_vms PROGRAM: names of running VMs.
_lkvm_vms()
{
	"$1" list --json 2>/dev/null | sed -n 's/^{"name":"\([^" ]*\)".*/\1/p'
}

# _lkvm_word PROGRAM COMMAND WORD: one that is no option's argument. Sets words,
# or completes a file's name.
_lkvm_word()
{
	case $2,$3 in
	*,-*) words=$("$1" help --names "$2" 2>/dev/null) ;;
	sendkey,*) words=$("$1" help sendkey | sed -n 's/^ \([a-z0-9]\)/\1/p') ;;
	run,* | sandbox,* | screenshot,*) # a kernel, a command, a picture
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$3")
		return 0
		;;
	*) words=$(_lkvm_vms "$1") ;;
	esac
	return 1
}

_lkvm()
{
	local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]}
	local before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]:-}
	local words='' argument

	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		words=$("$program" help --names 2>/dev/null)
	elif [ "$command" = help ]; then
		[ "$COMP_CWORD" = 2 ] &&
			words=$("$program" help --names 2>/dev/null)
	elif [ "$command" = vfio ]; then
		case $COMP_CWORD,$before in
		2,*) words='list check' ;;
		3,check) words=$(_lkvm_pci devices) ;;
		esac
	else
		# Bash splits --option=value into three words.
		[ "$word" = = ] && word=
		[ "$before" = = ] && before=${COMP_WORDS[COMP_CWORD - 2]}
		argument=$("$program" help --words "$command" 2>/dev/null |
			awk -F '\t' -v o="$before" '$1 == o || $2 == o { print $3 }')
		case $before,$argument in
		--vfio-pci,*) words=$(_lkvm_pci drivers/vfio-pci) ;;
		--tty,*) words='0 1 2 3' ;;
		--vidmode,*) words='640x480 800x600 1024x768 1280x1024' ;;
		--virtio-transport,*)
			words='pci pci-legacy'
			[ "$HOSTTYPE" != aarch64 ] ||
				words+=' mmio mmio-legacy'
			;;
		--network,mode=* | -n,mode=*) words='mode=user mode=tap mode=none' ;;
		*,DIR*)
			mapfile -t COMPREPLY < <(compgen -d -- "$word")
			return
			;;
		*,*[A-Z,=]*'|'*) return ;; # words of more than one part
		*,*'|'*) words=${argument//|/ } ;;
		*,FILE* | *,PATH* | *,IMAGE*)
			compopt -o filenames 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -f -- "$word")
			return
			;;
		*,NAME)
			[ "$command" = run ] || [ "$command" = sandbox ] ||
				words=$(_lkvm_vms "$program")
			;;
		*,?*) return ;;
		*) _lkvm_word "$program" "$command" "$word" && return ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
	case ${COMPREPLY[*]-} in
	*=) compopt -o nospace 2>/dev/null ;;
	esac
}

complete -F _lkvm lkvm vm
