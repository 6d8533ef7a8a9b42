# SPDX-License-Identifier: GPL-2.0-only
# arch: arm64
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# What this host lacks is refused by name, and the device tree is written.

lk run -k "$LAB/vmlinuz" --sve-max-vl 256
expect_status 77
expect_err "this host has no SVE"
lk run -k "$LAB/vmlinuz" -m 256@1G
expect_status 128
expect_err "RAM may begin at 2048M"
lk run -k "$LAB/vmlinuz" -m 1024@1P
expect_status 128
lk run -k "$LAB/vmlinuz" -c 9 --irqchip gicv2
[ "$status" = 77 ] || expect_status 128
lk run --dump-acpi /tmp
expect_status 129
lk run -k nothing --pmu --no-pvtime --disable-mte --irqchip=gicv3 --vcpu-affinity 0
expect_status 128
expect_err "Unable to open kernel nothing"
