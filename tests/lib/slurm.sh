# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # slurm_why is the caller's
#
# A Slurm of one node for a test, where Slurm is installed (Debian: slurm-wlm)
# and whatever the machine's own configuration: with its files, keys and ports to
# itself, all daemons and jobs as this user.
#
# Ten jobs run at once, whatever CPUs there are.
#
# slurm_start DIR   in that empty folder; SLURM_CONF is exported; 1: none here, or
#                   it does not start, and $slurm_why says why
# slurm_stop DIR

# slurm_port: one that nobody listens on.
slurm_port()
{
	local port

	while :; do
		port=$((20000 + RANDOM % 10000))
		(: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
	done
	echo "$port"
}

# slurm_until COMMAND...: waits for it, a minute at most.
slurm_until()
{
	local i

	for ((i = 0; i < 600; i++)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	return 1
}

slurm_configure()
{
	local dir=$1 host user

	host=$(hostname -s)
	user=$(id -un)
	cat >"$dir/slurm.conf" <<-CONF
	ClusterName=lkvm
	SlurmctldHost=$host(127.0.0.1)
	SlurmctldPort=$(slurm_port)
	SlurmdPort=$(slurm_port)
	SlurmUser=$user
	SlurmdUser=$user
	AuthType=auth/munge
	AuthInfo=socket=$dir/munge.socket
	CryptoType=crypto/munge
	StateSaveLocation=$dir/state
	SlurmdSpoolDir=$dir/spool
	SlurmctldPidFile=$dir/slurmctld.pid
	SlurmdPidFile=$dir/slurmd.pid
	SlurmctldLogFile=$dir/slurmctld.log
	SlurmdLogFile=$dir/slurmd.log
	ProctrackType=proctrack/linuxproc
	TaskPlugin=task/none
	JobAcctGatherType=jobacct_gather/none
	AccountingStorageType=accounting_storage/none
	MpiDefault=none
	SelectType=select/cons_tres
	SelectTypeParameters=CR_CPU
	SchedulerParameters=sched_interval=1,batch_sched_delay=0
	SlurmdParameters=config_overrides
	ReturnToService=2
	MailProg=/bin/true
	NodeName=$host NodeAddr=127.0.0.1 CPUs=10 State=UNKNOWN
	PartitionName=all Nodes=ALL Default=YES State=UP
	CONF
}

slurm_start()
{
	local dir=$1 program

	PATH=$PATH:/usr/sbin:/sbin
	for program in munged slurmctld slurmd sbatch sinfo; do
		command -v $program >/dev/null && continue
		slurm_why="there is no $program here"
		return 1
	done
	mkdir -p "$dir/state" "$dir/spool"
	slurm_configure "$dir"
	export SLURM_CONF=$dir/slurm.conf
	(umask 077 && head -c 1024 /dev/urandom >"$dir/munge.key")
	munged --force --key-file="$dir/munge.key" --seed-file="$dir/seed" \
		--socket="$dir/munge.socket" --pid-file="$dir/munged.pid" \
		--log-file="$dir/munged.log" >"$dir/start.log" 2>&1 &&
		slurmctld -c -f "$SLURM_CONF" >>"$dir/start.log" 2>&1 &&
		slurmd -c -f "$SLURM_CONF" >>"$dir/start.log" 2>&1 &&
		slurm_until slurm_is_idle && return 0
	slurm_why="it does not start: $(tail -n 3 "$dir"/*.log)"
	slurm_stop "$dir"
	return 1
}

slurm_is_idle()
{
	[ "$(sinfo -h -o %t)" = idle ]
}

slurm_stop()
{
	local daemon

	for daemon in slurmd slurmctld munged; do
		[ ! -s "$1/$daemon.pid" ] || kill "$(cat "$1/$daemon.pid")"
	done
	slurm_until slurm_has_gone "$1"
}

slurm_has_gone()
{
	! [ -e "$1/slurmd.pid" ] && ! [ -e "$1/slurmctld.pid" ]
}
