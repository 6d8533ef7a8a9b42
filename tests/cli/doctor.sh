#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# lkvm doctor: what this host can do.

# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

usage_error 'a word' 'doctor: unexpected argument x' doctor x
expect 'no KVM' 77 '^bad +kvm +/nonexistent does not exist: load KVM' '' \
	doctor --dev /nonexistent
expect 'no KVM, nothing to run' 77 'bad +run +no guest runs here' \
	'Fatal: /nonexistent does not exist' \
	doctor --run --dev /nonexistent
expect 'JSON' 77 '^\{.*"kvm": \{.*"verdict": "bad",.*"text": "/nonexistent .*\}' \
	'' doctor --json --dev /nonexistent
if ! has_kvm; then
	skip 'a host that can' 'no /dev/kvm here'
	finish
fi
expect 'this host' 0 '^ok +kvm +/dev/kvm, VMs of up to [0-9]+ CPUs' '' doctor
expect 'the proof' 0 'ok +run +a guest ran, and reset itself$' '' doctor --run
expect 'the proof as JSON' 0 '"run": \{.*"verdict": "ok"' '' \
	doctor --run --json
finish
