// SPDX-License-Identifier: GPL-2.0-only
//
// The PC that lkvm builds, as the guest's ACPI interpreter sees it. Addresses
// are those of x86/machine.h; what is only known at start (the 64-bit PCI
// window) comes from the SSDT that x86/acpi.c writes.
//
DefinitionBlock ("", "DSDT", 2, "LKVM", "LKVMDSDT", 1)
{
    External (\P64S, IntObj)    // start of the 64-bit PCI window
    External (\PS2S, IntObj)    // _STA of keyboard and mouse
    External (\P64L, IntObj)    // its length; 0: there is none

    // Soft off. The value is what PM1a_CNT.SLP_TYP must hold.
    Name (\_S5, Package () { 5, 0, 0, 0 })

    Scope (\_SB)
    {
        Device (PCI0)
        {
            Name (_HID, EisaId ("PNP0A08"))
            Name (_CID, EisaId ("PNP0A03"))
            Name (_UID, 0)
            Name (_SEG, 0)
            Name (_BBN, 0)

            Name (CR32, ResourceTemplate ()
            {
                WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
                    0, 0, 0, 0, 1)
                IO (Decode16, 0x0CF8, 0x0CF8, 1, 8)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode,
                    EntireRange, 0, 0x6000, 0xFFFF, 0, 0xA000)
                DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
                    NonCacheable, ReadWrite,
                    0, 0xC0000000, 0xDFFFFFFF, 0, 0x20000000)
            })
            Name (CR64, ResourceTemplate ()
            {
                QWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
                    NonCacheable, ReadWrite,
                    0, 0x0, 0x0, 0, 0x1, , , PW64)
            })
            Method (_CRS, 0, Serialized)
            {
                If (LEqual (\P64L, 0))
                {
                    Return (CR32)
                }
                CreateQWordField (CR64, \_SB.PCI0.PW64._MIN, MIN)
                CreateQWordField (CR64, \_SB.PCI0.PW64._MAX, MAX)
                CreateQWordField (CR64, \_SB.PCI0.PW64._LEN, LEN)
                Store (\P64S, MIN)
                Store (\P64L, LEN)
                Store (Subtract (Add (\P64S, \P64L), 1), MAX)
                Return (ConcatenateResTemplate (CR32, CR64))
            }

            // Pin p of slot s is GSI 16 + (s + p) % 8.
Name (_PRT, Package ()
            {
                Package () {0x000000FFFF, 0, 0, 16}, Package () {0x000000FFFF, 1, 0, 17},
                Package () {0x000000FFFF, 2, 0, 18}, Package () {0x000000FFFF, 3, 0, 19},
                Package () {0x000001FFFF, 0, 0, 17}, Package () {0x000001FFFF, 1, 0, 18},
                Package () {0x000001FFFF, 2, 0, 19}, Package () {0x000001FFFF, 3, 0, 20},
                Package () {0x000002FFFF, 0, 0, 18}, Package () {0x000002FFFF, 1, 0, 19},
                Package () {0x000002FFFF, 2, 0, 20}, Package () {0x000002FFFF, 3, 0, 21},
                Package () {0x000003FFFF, 0, 0, 19}, Package () {0x000003FFFF, 1, 0, 20},
                Package () {0x000003FFFF, 2, 0, 21}, Package () {0x000003FFFF, 3, 0, 22},
                Package () {0x000004FFFF, 0, 0, 20}, Package () {0x000004FFFF, 1, 0, 21},
                Package () {0x000004FFFF, 2, 0, 22}, Package () {0x000004FFFF, 3, 0, 23},
                Package () {0x000005FFFF, 0, 0, 21}, Package () {0x000005FFFF, 1, 0, 22},
                Package () {0x000005FFFF, 2, 0, 23}, Package () {0x000005FFFF, 3, 0, 16},
                Package () {0x000006FFFF, 0, 0, 22}, Package () {0x000006FFFF, 1, 0, 23},
                Package () {0x000006FFFF, 2, 0, 16}, Package () {0x000006FFFF, 3, 0, 17},
                Package () {0x000007FFFF, 0, 0, 23}, Package () {0x000007FFFF, 1, 0, 16},
                Package () {0x000007FFFF, 2, 0, 17}, Package () {0x000007FFFF, 3, 0, 18},
                Package () {0x000008FFFF, 0, 0, 16}, Package () {0x000008FFFF, 1, 0, 17},
                Package () {0x000008FFFF, 2, 0, 18}, Package () {0x000008FFFF, 3, 0, 19},
                Package () {0x000009FFFF, 0, 0, 17}, Package () {0x000009FFFF, 1, 0, 18},
                Package () {0x000009FFFF, 2, 0, 19}, Package () {0x000009FFFF, 3, 0, 20},
                Package () {0x00000AFFFF, 0, 0, 18}, Package () {0x00000AFFFF, 1, 0, 19},
                Package () {0x00000AFFFF, 2, 0, 20}, Package () {0x00000AFFFF, 3, 0, 21},
                Package () {0x00000BFFFF, 0, 0, 19}, Package () {0x00000BFFFF, 1, 0, 20},
                Package () {0x00000BFFFF, 2, 0, 21}, Package () {0x00000BFFFF, 3, 0, 22},
                Package () {0x00000CFFFF, 0, 0, 20}, Package () {0x00000CFFFF, 1, 0, 21},
                Package () {0x00000CFFFF, 2, 0, 22}, Package () {0x00000CFFFF, 3, 0, 23},
                Package () {0x00000DFFFF, 0, 0, 21}, Package () {0x00000DFFFF, 1, 0, 22},
                Package () {0x00000DFFFF, 2, 0, 23}, Package () {0x00000DFFFF, 3, 0, 16},
                Package () {0x00000EFFFF, 0, 0, 22}, Package () {0x00000EFFFF, 1, 0, 23},
                Package () {0x00000EFFFF, 2, 0, 16}, Package () {0x00000EFFFF, 3, 0, 17},
                Package () {0x00000FFFFF, 0, 0, 23}, Package () {0x00000FFFFF, 1, 0, 16},
                Package () {0x00000FFFFF, 2, 0, 17}, Package () {0x00000FFFFF, 3, 0, 18},
                Package () {0x000010FFFF, 0, 0, 16}, Package () {0x000010FFFF, 1, 0, 17},
                Package () {0x000010FFFF, 2, 0, 18}, Package () {0x000010FFFF, 3, 0, 19},
                Package () {0x000011FFFF, 0, 0, 17}, Package () {0x000011FFFF, 1, 0, 18},
                Package () {0x000011FFFF, 2, 0, 19}, Package () {0x000011FFFF, 3, 0, 20},
                Package () {0x000012FFFF, 0, 0, 18}, Package () {0x000012FFFF, 1, 0, 19},
                Package () {0x000012FFFF, 2, 0, 20}, Package () {0x000012FFFF, 3, 0, 21},
                Package () {0x000013FFFF, 0, 0, 19}, Package () {0x000013FFFF, 1, 0, 20},
                Package () {0x000013FFFF, 2, 0, 21}, Package () {0x000013FFFF, 3, 0, 22},
                Package () {0x000014FFFF, 0, 0, 20}, Package () {0x000014FFFF, 1, 0, 21},
                Package () {0x000014FFFF, 2, 0, 22}, Package () {0x000014FFFF, 3, 0, 23},
                Package () {0x000015FFFF, 0, 0, 21}, Package () {0x000015FFFF, 1, 0, 22},
                Package () {0x000015FFFF, 2, 0, 23}, Package () {0x000015FFFF, 3, 0, 16},
                Package () {0x000016FFFF, 0, 0, 22}, Package () {0x000016FFFF, 1, 0, 23},
                Package () {0x000016FFFF, 2, 0, 16}, Package () {0x000016FFFF, 3, 0, 17},
                Package () {0x000017FFFF, 0, 0, 23}, Package () {0x000017FFFF, 1, 0, 16},
                Package () {0x000017FFFF, 2, 0, 17}, Package () {0x000017FFFF, 3, 0, 18},
                Package () {0x000018FFFF, 0, 0, 16}, Package () {0x000018FFFF, 1, 0, 17},
                Package () {0x000018FFFF, 2, 0, 18}, Package () {0x000018FFFF, 3, 0, 19},
                Package () {0x000019FFFF, 0, 0, 17}, Package () {0x000019FFFF, 1, 0, 18},
                Package () {0x000019FFFF, 2, 0, 19}, Package () {0x000019FFFF, 3, 0, 20},
                Package () {0x00001AFFFF, 0, 0, 18}, Package () {0x00001AFFFF, 1, 0, 19},
                Package () {0x00001AFFFF, 2, 0, 20}, Package () {0x00001AFFFF, 3, 0, 21},
                Package () {0x00001BFFFF, 0, 0, 19}, Package () {0x00001BFFFF, 1, 0, 20},
                Package () {0x00001BFFFF, 2, 0, 21}, Package () {0x00001BFFFF, 3, 0, 22},
                Package () {0x00001CFFFF, 0, 0, 20}, Package () {0x00001CFFFF, 1, 0, 21},
                Package () {0x00001CFFFF, 2, 0, 22}, Package () {0x00001CFFFF, 3, 0, 23},
                Package () {0x00001DFFFF, 0, 0, 21}, Package () {0x00001DFFFF, 1, 0, 22},
                Package () {0x00001DFFFF, 2, 0, 23}, Package () {0x00001DFFFF, 3, 0, 16},
                Package () {0x00001EFFFF, 0, 0, 22}, Package () {0x00001EFFFF, 1, 0, 23},
                Package () {0x00001EFFFF, 2, 0, 16}, Package () {0x00001EFFFF, 3, 0, 17},
                Package () {0x00001FFFFF, 0, 0, 23}, Package () {0x00001FFFFF, 1, 0, 16},
                Package () {0x00001FFFFF, 2, 0, 17}, Package () {0x00001FFFFF, 3, 0, 18}
            })

            // Interrupts and power events are the guest's own business; there
            // is no hotplug, error reporting or latency tolerance to hand over.
            Method (_OSC, 4, NotSerialized)
            {
                CreateDWordField (Arg3, 0, CDW1)
                If (LNotEqual (Arg0,
                    ToUUID ("33db4d5b-1ff7-401c-9657-7441c03dd766")))
                {
                    Or (CDW1, 0x04, CDW1)       // unknown UUID
                    Return (Arg3)
                }
                If (LNotEqual (Arg1, 1))
                {
                    Or (CDW1, 0x08, CDW1)       // unknown revision
                }
                If (LGreaterEqual (SizeOf (Arg3), 12))
                {
                    CreateDWordField (Arg3, 8, CDW3)
                    Store (And (CDW3, 0x14), Local0)
                    If (LNotEqual (Local0, CDW3))
                    {
                        Or (CDW1, 0x10, CDW1)   // some were not granted
                    }
                    Store (Local0, CDW3)
                }
                Return (Arg3)
            }
        }

        // What PCI0 must not hand out: ECAM, and the power management ports.
        Device (MBRD)
        {
            Name (_HID, EisaId ("PNP0C02"))
            Name (_UID, 0)
            Name (_CRS, ResourceTemplate ()
            {
                Memory32Fixed (ReadWrite, 0xE0000000, 0x10000000)
                IO (Decode16, 0x0600, 0x0600, 1, 6)
            })
        }

        Device (COM1)
        {
            Name (_HID, EisaId ("PNP0501"))
            Name (_UID, 1)
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x03F8, 0x03F8, 1, 8)
                IRQ (Edge, ActiveHigh, Shared) {4}
            })
        }

        Device (COM2)
        {
            Name (_HID, EisaId ("PNP0501"))
            Name (_UID, 2)
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x02F8, 0x02F8, 1, 8)
                IRQ (Edge, ActiveHigh, Shared) {3}
            })
        }

        Device (COM3)
        {
            Name (_HID, EisaId ("PNP0501"))
            Name (_UID, 3)
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x03E8, 0x03E8, 1, 8)
                IRQ (Edge, ActiveHigh, Shared) {4}
            })
        }

        Device (COM4)
        {
            Name (_HID, EisaId ("PNP0501"))
            Name (_UID, 4)
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x02E8, 0x02E8, 1, 8)
                IRQ (Edge, ActiveHigh, Shared) {3}
            })
        }

        Device (RTC)
        {
            Name (_HID, EisaId ("PNP0B00"))
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x0070, 0x0070, 1, 2)
                IRQNoFlags () {8}
            })
        }

        Device (PS2K)
        {
            Name (_HID, EisaId ("PNP0303"))
            Method (_STA) { Return (\PS2S) }
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x0060, 0x0060, 1, 1)
                IO (Decode16, 0x0064, 0x0064, 1, 1)
                IRQNoFlags () {1}
            })
        }

        Device (PS2M)
        {
            Name (_HID, EisaId ("PNP0F13"))
            Method (_STA) { Return (\PS2S) }
            Name (_CRS, ResourceTemplate ()
            {
                IRQNoFlags () {12}
            })
        }

        Device (PVPN)
        {
            Name (_HID, "QEMU0001")
            Name (_STA, 0x0F)
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x0505, 0x0505, 1, 1)
            })
        }
    }
}
