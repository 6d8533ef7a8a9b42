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

_lkvm()
{
	local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]}
	local before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]:-}
	local words=

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
	elif [ "$command" != run ]; then
		case $word in
		-*) words=$("$program" help --names "$command" 2>/dev/null) ;;
		*)
			# Names of running VMs.
			words=$("$program" list --json 2>/dev/null |
				sed -n 's/^{"name":"\([^" ]*\)".*/\1/p')
			;;
		esac
	else
		# Bash splits --option=value into three words.
		[ "$word" = = ] && word=
		[ "$before" = = ] && before=${COMP_WORDS[COMP_CWORD - 2]}
		case $before in
		--confine) words='on log off' ;;
		--iommufd) words='auto on off' ;;
		--vfio-pci) words=$(_lkvm_pci drivers/vfio-pci) ;;
		--console) words='serial virtio' ;;
		--loglevel) words='error warning info debug' ;;
		--reboot) words='exit restart' ;;
		--tty) words='0 1 2 3' ;;
		--virtio-transport)
			words='pci pci-legacy'
			[ "$HOSTTYPE" != aarch64 ] ||
				words+=' mmio mmio-legacy'
			;;
		--network | -n) words='mode=user mode=tap mode=none' ;;
		--cpus | -c | --mem | -m | --params | -p | --name | \
			--timeout | --debug-iodelay | --vsock) return ;;
		--hugetlbfs | --dump-acpi | --9p)
			mapfile -t COMPREPLY < <(compgen -d -- "$word")
			return
			;;
		*)
			case $word in
			-*) words=$("$program" help --names run 2>/dev/null) ;;
			*)
				# A kernel, a disk, an initrd.
				compopt -o filenames 2>/dev/null
				mapfile -t COMPREPLY < <(compgen -f -- "$word")
				return
				;;
			esac
			;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
	case ${COMPREPLY[*]-} in
	*=) compopt -o nospace 2>/dev/null ;;
	esac
}

complete -F _lkvm lkvm vm
