/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * NOR flash with Intel's command set (JEDEC JESD68, CFI; Intel 28F P30): two
 * chips of 16 bits side by side on a bus of 32, as firmware for this kind of
 * machine drives them. Both get each command, so one state stands for both.
 * Programming and erasing take no time. Not modelled: suspend, OTP registers,
 * lock-down, block locking across resets.
 *
 * While the array can be read, the guest reads host memory through a slot,
 * without an exit; any command takes the slot away until the array is back.
 */
#include "hw/hw_priv.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include "lkvm/arch.h"
#include "lkvm/devices.h"
#include "lkvm/log.h"

#define BUS_WIDTH 4U /* bytes: of both chips */

enum command {
	CMD_LOCK = 0x01,
	CMD_PROGRAM = 0x10,
	CMD_ERASE = 0x20,
	CMD_PROGRAM_2 = 0x40,
	CMD_CLEAR_STATUS = 0x50,
	CMD_LOCK_SETUP = 0x60,
	CMD_READ_STATUS = 0x70,
	CMD_READ_ID = 0x90,
	CMD_READ_CFI = 0x98,
	CMD_CONFIRM = 0xd0, /* also: unlock */
	CMD_PROGRAM_BUFFER = 0xe8,
	CMD_READ_ARRAY = 0xff,
};

#define STATUS_READY 0x80
#define STATUS_ERASE_ERROR 0x20
#define STATUS_PROGRAM_ERROR 0x10
#define STATUS_SEQUENCE_ERROR (STATUS_ERASE_ERROR | STATUS_PROGRAM_ERROR)
#define STATUS_LOCKED 0x02

#define ID_INTEL 0x89
#define ID_DEVICE 0x18
#define ID_LOCK_WORD 2U /* of each block */

/* The CFI table begins at this word; what lies before it reads 0. */
#define CFI_FIRST 0x10U
#define CFI_SIZE 0x27U
#define CFI_BLOCKS 0x2dU

/* Of one chip: half of the bank's. */
static const u8 cfi_table[] = {
	'Q',  'R',  'Y',  0x01, 0x00, /* primary command set: Intel extended */
	0x31, 0x00,		      /* where its table is */
	0x00, 0x00, 0x00, 0x00,	      /* no alternate command set */
	0x17, 0x20, 0x00, 0x00,	      /* 1.7 V to 2.0 V; no Vpp */
	0x01, 0x01, 0x01, 0x00,	      /* word, buffer, block: 2^n us, ms */
	0x01, 0x01, 0x01, 0x00,	      /* at most 2^n times that */
	0x00,			      /* size: filled in */
	0x01, 0x00,		      /* 16 bits */
	0x06, 0x00,		      /* write buffer: 2^6 bytes */
	0x01,			      /* regions of equal blocks */
	0x00, 0x00, 0x00, 0x00,	      /* blocks: filled in */
	'P',  'R',  'I',  '1',	'0',  /* Intel's own table, 1.0 */
	0x20, 0x00, 0x00, 0x00,	      /* instant locking of single blocks */
	0x00, 0x01, 0x00,	      /* nothing while suspended; lock status */
	0x18, 0x00,		      /* Vcc 1.8 V */
};

/* Both chips answer the same. */
static u32 both(u8 value)
{
	return value | (u32)value << 16;
}

static u8 cfi_byte(const struct cfi_flash *flash, u64 word)
{
	u32 blocks = (u32)(flash->len / CFI_FLASH_BLOCK) - 1;
	u8 log2_len = 0;

	switch (word) {
	case CFI_SIZE:
		while (1ULL << (log2_len + 1) < flash->len)
			log2_len++;
		return log2_len; /* of one chip */
	case CFI_BLOCKS:
		return (u8)blocks;
	case CFI_BLOCKS + 1:
		return (u8)(blocks >> 8);
	case CFI_BLOCKS + 2: /* size of a chip's block, in units of 256 */
		return CFI_FLASH_BLOCK / 2 / 256;
	default:
		return word - CFI_FIRST < sizeof(cfi_table)
			       ? cfi_table[word - CFI_FIRST]
			       : 0;
	}
}

static u64 block_of(u64 offset)
{
	return offset / CFI_FLASH_BLOCK;
}

static bool is_locked(const struct cfi_flash *flash, u64 offset)
{
	return flash->locked[block_of(offset)];
}

static u8 id_byte(const struct cfi_flash *flash, u64 offset)
{
	u64 word = offset % CFI_FLASH_BLOCK / BUS_WIDTH;

	switch (word) {
	case 0:
		return ID_INTEL;
	case 1:
		return ID_DEVICE;
	case ID_LOCK_WORD:
		return is_locked(flash, offset);
	default:
		return 0;
	}
}

/* ---- Programming and erasing ---- */

/* Programming turns ones to zeroes, and only that. */
static void program(struct cfi_flash *flash, u64 offset, u64 value,
		    unsigned int size)
{
	if (is_locked(flash, offset)) {
		flash->status |= STATUS_PROGRAM_ERROR | STATUS_LOCKED;
		return;
	}
	for (unsigned int i = 0; i < size; i++)
		if (offset + i < flash->len)
			flash->data[offset + i] &= (u8)(value >> 8 * i);
}

static void erase(struct cfi_flash *flash, u64 offset)
{
	if (is_locked(flash, offset))
		flash->status |= STATUS_ERASE_ERROR | STATUS_LOCKED;
	else
		memset(flash->data + align_down(offset, CFI_FLASH_BLOCK), 0xff,
		       CFI_FLASH_BLOCK);
}

static void program_buffer(struct cfi_flash *flash)
{
	for (unsigned int i = 0; i < flash->buffered; i++)
		program(flash, flash->buffer[i].offset, flash->buffer[i].value,
			BUS_WIDTH);
}

/* ---- Commands ---- */

static void sequence_error(struct cfi_flash *flash)
{
	flash->status |= STATUS_SEQUENCE_ERROR;
	flash->phase = CFI_IDLE;
	flash->mode = CFI_STATUS;
}

static void finish(struct cfi_flash *flash)
{
	flash->phase = CFI_IDLE;
	flash->mode = CFI_STATUS;
}

static void begin(struct cfi_flash *flash, enum cfi_phase phase, u64 offset)
{
	flash->phase = phase;
	flash->mode = CFI_STATUS;
	flash->offset = offset;
}

static void first_write(struct cfi_flash *flash, u64 offset, u8 command)
{
	switch (command) {
	case CMD_PROGRAM:
	case CMD_PROGRAM_2:
		begin(flash, CFI_PROGRAM_DATA, offset);
		break;
	case CMD_ERASE:
		begin(flash, CFI_ERASE_CONFIRM, offset);
		break;
	case CMD_LOCK_SETUP:
		begin(flash, CFI_LOCK_CONFIRM, offset);
		break;
	case CMD_PROGRAM_BUFFER:
		begin(flash, CFI_BUFFER_COUNT, offset);
		break;
	case CMD_CLEAR_STATUS:
		flash->status = STATUS_READY;
		break;
	case CMD_READ_STATUS:
		flash->mode = CFI_STATUS;
		break;
	case CMD_READ_ID:
		flash->mode = CFI_ID;
		break;
	case CMD_READ_CFI:
		flash->mode = CFI_QUERY;
		break;
	default: /* read array, and what no chip knows */
		flash->mode = CFI_ARRAY;
		break;
	}
}

static void confirm_lock(struct cfi_flash *flash, u64 offset, u8 command)
{
	if (command != CMD_LOCK && command != CMD_CONFIRM) {
		sequence_error(flash);
		return;
	}
	flash->locked[block_of(offset)] = command == CMD_LOCK;
	finish(flash);
}

static void confirm_erase(struct cfi_flash *flash, u64 offset, u8 command)
{
	if (command != CMD_CONFIRM) {
		sequence_error(flash);
		return;
	}
	erase(flash, offset);
	finish(flash);
}

/* The number of words to come, less one. */
static void count_buffer(struct cfi_flash *flash, u8 count)
{
	if (count >= CFI_FLASH_BUFFER_WORDS) {
		sequence_error(flash);
		return;
	}
	flash->expected = count + 1U;
	flash->buffered = 0;
	flash->phase = CFI_BUFFER_DATA;
}

static void fill_buffer(struct cfi_flash *flash, u64 offset, u32 value)
{
	struct cfi_flash_word *word = &flash->buffer[flash->buffered];

	if (block_of(offset) != block_of(flash->offset)) {
		sequence_error(flash);
		return;
	}
	word->offset = (u32)align_down(offset, BUS_WIDTH);
	word->value = value;
	flash->buffered++;
	if (flash->buffered == flash->expected)
		flash->phase = CFI_BUFFER_CONFIRM;
}

static void confirm_buffer(struct cfi_flash *flash, u8 command)
{
	if (command != CMD_CONFIRM) {
		sequence_error(flash);
		return;
	}
	program_buffer(flash);
	finish(flash);
}

static void write_locked(struct cfi_flash *flash, const struct bus_access *acc)
{
	u8 command = (u8)acc->value;

	switch (flash->phase) {
	case CFI_IDLE:
		first_write(flash, acc->offset, command);
		break;
	case CFI_PROGRAM_DATA:
		program(flash, acc->offset, acc->value, acc->size);
		finish(flash);
		break;
	case CFI_ERASE_CONFIRM:
		confirm_erase(flash, acc->offset, command);
		break;
	case CFI_LOCK_CONFIRM:
		confirm_lock(flash, acc->offset, command);
		break;
	case CFI_BUFFER_COUNT:
		count_buffer(flash, command);
		break;
	case CFI_BUFFER_DATA:
		fill_buffer(flash, acc->offset, (u32)acc->value);
		break;
	case CFI_BUFFER_CONFIRM:
		confirm_buffer(flash, command);
		break;
	}
}

static u64 read_array(const struct cfi_flash *flash,
		      const struct bus_access *acc)
{
	u64 value = 0;

	for (unsigned int i = 0; i < acc->size; i++)
		if (acc->offset + i < flash->len)
			value |= (u64)flash->data[acc->offset + i] << 8 * i;
	return value;
}

static u64 read_locked(const struct cfi_flash *flash,
		       const struct bus_access *acc)
{
	u64 word = acc->offset / BUS_WIDTH;
	unsigned int shift = 8 * (acc->offset % BUS_WIDTH);

	switch (flash->mode) {
	case CFI_ARRAY:
		return read_array(flash, acc);
	case CFI_ID:
		return both(id_byte(flash, acc->offset)) >> shift;
	case CFI_QUERY:
		return both(cfi_byte(flash, word)) >> shift;
	default:
		return both(flash->status) >> shift;
	}
}

enum bus_result cfi_flash_access(void *opaque, struct bus_access *acc)
{
	struct cfi_flash *flash = opaque;

	if (acc->offset >= flash->len)
		return BUS_UNHANDLED;
	pthread_mutex_lock(&flash->lock);
	if (acc->is_write) {
		write_locked(flash, acc);
		if (flash->show)
			flash->show(flash, flash->mode == CFI_ARRAY);
	} else {
		acc->value = read_locked(flash, acc);
	}
	pthread_mutex_unlock(&flash->lock);
	return BUS_HANDLED;
}

/* ---- In a VM ---- */

int cfi_flash_init(struct cfi_flash *flash, u8 *data, u64 len)
{
	*flash = (struct cfi_flash){
		.data = data,
		.len = len,
		.file = FLASH_FILE_NONE,
		.slot = -1,
		.mode = CFI_ARRAY,
		.status = STATUS_READY,
		.region = {
			.name = "flash",
			.access = cfi_flash_access,
			.opaque = flash,
		},
	};
	pthread_mutex_init(&flash->lock, NULL);
	flash->locked = calloc(len / CFI_FLASH_BLOCK, sizeof(*flash->locked));
	return flash->locked ? 0 : -ENOMEM;
}

void cfi_flash_release(struct cfi_flash *flash)
{
	free(flash->locked);
	pthread_mutex_destroy(&flash->lock);
}

/* Where the host gives no slot, reads trap and give the same. */
static void show_array(struct cfi_flash *flash, bool visible)
{
	struct memory *memory = &flash->dev.vm->memory;

	if (visible == (flash->slot >= 0))
		return;
	if (visible) {
		flash->slot = memory_slot_add(memory, flash->region.start,
					      flash->len, flash->data,
					      KVM_MEM_READONLY);
		return;
	}
	memory_slot_remove(memory, flash->slot);
	flash->slot = -1;
}

static void cfi_flash_describe(struct device *dev, struct device_desc *out)
{
	const struct cfi_flash *flash =
		container_of(dev, struct cfi_flash, dev);

	*out = (struct device_desc){
		.node = "flash",
		DEVICE_COMPATIBLE("cfi-flash"),
		.label = "System-firmware",
		.start = flash->region.start,
		.len = flash->region.len,
		.properties = { { "bank-width", BUS_WIDTH } },
	};
}

static void cfi_flash_destroy(struct device *dev)
{
	struct cfi_flash *flash = container_of(dev, struct cfi_flash, dev);

	bus_remove(flash->bus, &flash->region);
	show_array(flash, false);
	flash_file_close(&flash->file);
	cfi_flash_release(flash);
	free(flash);
}

static const struct device_ops cfi_flash_ops = {
	.name = "flash",
	.describe = cfi_flash_describe,
	.destroy = cfi_flash_destroy,
};

static int cfi_flash_create(struct kvm *vm, const struct kvm_config *config)
{
	struct flash_file file;
	struct device_place place;
	struct cfi_flash *flash;
	int err;

	if (!config->flash)
		return 0;
	err = arch_place(vm, PLACE_FLASH, 0, &place);
	if (err)
		return vm_fail(vm, err, "--flash: this machine has no flash");
	err = flash_file_open(&file, config->flash, place.len, vm->failure);
	if (err)
		return err;
	flash = malloc(sizeof(*flash));
	err = flash ? cfi_flash_init(flash, file.data, file.len) : -ENOMEM;
	if (err) {
		flash_file_close(&file);
		free(flash);
		return vm_fail(vm, err, "--flash: out of memory");
	}
	flash->file = file;
	flash->bus = place.bus;
	flash->show = show_array;
	place.len = file.len;
	device_register(vm, &flash->dev, &cfi_flash_ops);
	err = hw_add_region(vm, &place, &flash->region);
	if (!err)
		show_array(flash, true);
	return err;
}

const struct device_class cfi_flash_class = {
	.name = "flash",
	.create = cfi_flash_create,
};
