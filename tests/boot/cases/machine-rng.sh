# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# The random number device gives bytes that differ.

machine_boot
expect_eq "hwrng in use" virtio_rng.0 "$(value rng)"
expect_eq "bytes read" 4096 "$(value rngbytes)"
expect_least "size of them compressed" 4000 "$(value rnggzip)"
