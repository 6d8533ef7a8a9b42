/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * 16550A UART, after the National Semiconductor PC16550D data sheet. Characters
 * take no time: what the chardev takes has left the transmitter at once, and
 * nothing depends on the divisor. Not modelled: parity and framing errors, DMA
 * mode.
 */
#include "hw/hw_priv.h"

#include <errno.h>
#include <linux/serial_reg.h>
#include <stdlib.h>
#include "lkvm/arch.h"
#include "lkvm/chardev.h"
#include "lkvm/devices.h"

#define SERIAL_REGISTERS 8
#define SERIAL_CLOCK_HZ 1843200 /* of the crystal that all PCs have */
#define IER_BITS (UART_IER_RDI | UART_IER_THRI | UART_IER_RLSI | UART_IER_MSI)
#define MCR_BITS                                                               \
	(UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT1 | UART_MCR_OUT2 |         \
	 UART_MCR_LOOP)
#define MSR_DELTAS                                                             \
	(UART_MSR_DCTS | UART_MSR_DDSR | UART_MSR_TERI | UART_MSR_DDCD)
#define IIR_TIMEOUT 0x0c
#define IIR_FIFO_ENABLED 0xc0

/* There is a cable, and the other side is always there and ready. */
#define MSR_CONNECTED (UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS)

static bool has_fifos(const struct serial *s)
{
	return s->fcr & UART_FCR_ENABLE_FIFO;
}

/* Without FIFOs there is one holding register each way. */
static unsigned int fifo_depth(const struct serial *s)
{
	return has_fifos(s) ? SERIAL_FIFO_LEN : 1;
}

static void fifo_push(struct serial_fifo *fifo, u8 byte)
{
	fifo->bytes[(fifo->first + fifo->count) % SERIAL_FIFO_LEN] = byte;
	fifo->count++;
}

static u8 fifo_pop(struct serial_fifo *fifo)
{
	u8 byte = fifo->bytes[fifo->first];

	fifo->first = (fifo->first + 1) % SERIAL_FIFO_LEN;
	fifo->count--;
	return byte;
}

static void fifo_clear(struct serial_fifo *fifo)
{
	fifo->first = 0;
	fifo->count = 0;
}

/* ---- Interrupts ---- */

static unsigned int rx_trigger(const struct serial *s)
{
	static const u8 levels[] = { 1, 4, 8, 14 };

	return has_fifos(s) ? levels[s->fcr >> 6] : 1;
}

/*
 * The enabled cause with the highest priority (table 5 of the data sheet), as
 * IIR shows it. The timeout of four character times is not waited for: input
 * comes in bursts, and nothing follows soon when the chardev has given all.
 */
static u8 interrupt_cause(const struct serial *s)
{
	if ((s->ier & UART_IER_RLSI) && s->line_errors)
		return UART_IIR_RLSI;
	if ((s->ier & UART_IER_RDI) && s->rx.count)
		return s->rx.count >= rx_trigger(s) ? UART_IIR_RDI
						    : IIR_TIMEOUT;
	if ((s->ier & UART_IER_THRI) && s->thre_pending)
		return UART_IIR_THRI;
	if ((s->ier & UART_IER_MSI) && (s->msr & MSR_DELTAS))
		return UART_IIR_MSI;
	return UART_IIR_NO_INT;
}

/*
 * A PC gates the interrupt with OUT2, and loopback disconnects the OUT2 pin.
 */
static void update_irq(struct serial *s)
{
	bool gate = (s->mcr & (UART_MCR_OUT2 | UART_MCR_LOOP)) == UART_MCR_OUT2;
	bool level = gate && interrupt_cause(s) != UART_IIR_NO_INT;

	if (level == s->irq_level || s->paused)
		return;
	s->irq_level = level;
	irq_line_set(&s->irq, level);
}

/* ---- Receiver ---- */

static void receive_byte(struct serial *s, u8 byte)
{
	if (s->rx.count >= fifo_depth(s)) {
		s->line_errors |= UART_LSR_OE;
		/* The holding register is overwritten, the FIFO is not. */
		if (!has_fifos(s))
			s->rx.bytes[s->rx.first] = byte;
		return;
	}
	fifo_push(&s->rx, byte);
}

/*
 * Does the guest listen? The chip would take bytes from the first moment on,
 * but drivers throw away what they find when they open the port, and so the
 * start of piped input would be lost. The other side honours RTS, therefore. A
 * guest that sets up no modem lines listens once it polls the line status.
 */
static bool is_listening(const struct serial *s)
{
	if (s->paused || (s->mcr & UART_MCR_LOOP))
		return false;
	return (s->mcr & UART_MCR_RTS) || (s->ier & UART_IER_RDI) ||
	       (s->polled && !s->mcr_written);
}

/* Something may have made room: the chardev looks again. */
static void kick_input(struct serial *s)
{
	if (s->chr && is_listening(s) && s->rx.count < fifo_depth(s))
		chardev_kick_input(s->chr);
}

static size_t serial_room(void *opaque)
{
	struct serial *s = opaque;
	size_t room = 0;

	pthread_mutex_lock(&s->lock);
	if (is_listening(s) && s->rx.count < fifo_depth(s))
		room = fifo_depth(s) - s->rx.count;
	pthread_mutex_unlock(&s->lock);
	return room;
}

static void serial_receive(void *opaque, const u8 *bytes, size_t len)
{
	struct serial *s = opaque;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < len; i++)
		receive_byte(s, bytes[i]);
	update_irq(s);
	pthread_mutex_unlock(&s->lock);
}

/*
 * A break shows as a zero with BI set in LSR (data sheet 8.4), and here LSR is not
 * kept for each byte: it must be the first one that the driver will read.
 */
int serial_send_break(struct serial *s, u8 key)
{
	int err = 0;

	pthread_mutex_lock(&s->lock);
	if (!is_listening(s) || s->rx.count || fifo_depth(s) < 2) {
		err = -EAGAIN;
	} else {
		receive_byte(s, 0);
		s->line_errors |= UART_LSR_BI;
		receive_byte(s, key);
		update_irq(s);
	}
	pthread_mutex_unlock(&s->lock);
	return err;
}

/* ---- Transmitter ---- */

/* Hand over what waits, as far as the chardev has room. */
static void transmit(struct serial *s)
{
	while (s->tx.count) {
		u8 byte = s->tx.bytes[s->tx.first];

		if (s->chr && !chardev_write(s->chr, &byte, 1))
			return;
		fifo_pop(&s->tx);
	}
	s->thre_pending = true;
}

static void serial_writable(void *opaque)
{
	struct serial *s = opaque;

	pthread_mutex_lock(&s->lock);
	if (s->tx.count) {
		transmit(s);
		update_irq(s);
	}
	pthread_mutex_unlock(&s->lock);
}

const struct chardev_front_ops serial_front_ops = {
	.room = serial_room,
	.receive = serial_receive,
	.writable = serial_writable,
};

static void write_thr(struct serial *s, u8 byte)
{
	s->thre_pending = false;
	if (s->mcr & UART_MCR_LOOP) {
		receive_byte(s, byte);
		s->thre_pending = true;
		return;
	}
	/* A driver that does not wait for THRE loses bytes, as on the chip. */
	if (s->tx.count < fifo_depth(s))
		fifo_push(&s->tx, byte);
	transmit(s);
}

/* ---- Registers ---- */

static u8 line_status(const struct serial *s)
{
	u8 lsr = s->line_errors;

	if (s->rx.count)
		lsr |= UART_LSR_DR;
	if (!s->tx.count)
		lsr |= UART_LSR_THRE | UART_LSR_TEMT;
	return lsr;
}

static u8 read_lsr(struct serial *s)
{
	u8 lsr = line_status(s);

	if (s->line_errors) {
		s->line_errors = 0;
		update_irq(s);
	}
	if (!s->polled) {
		s->polled = true;
		kick_input(s);
	}
	return lsr;
}

static u8 read_rbr(struct serial *s)
{
	u8 byte;

	if (!s->rx.count)
		return 0;
	byte = fifo_pop(&s->rx);
	update_irq(s);
	/* One look for a FIFO full, not one for each byte. */
	if (!s->rx.count)
		kick_input(s);
	return byte;
}

static u8 read_iir(struct serial *s)
{
	u8 cause = interrupt_cause(s);

	if (cause == UART_IIR_THRI) {
		s->thre_pending = false;
		update_irq(s);
	}
	return cause | (has_fifos(s) ? IIR_FIFO_ENABLED : 0);
}

/* Loopback wires the modem outputs to the inputs (data sheet 8.6). */
static u8 modem_inputs(const struct serial *s)
{
	u8 lines = 0;

	if (!(s->mcr & UART_MCR_LOOP))
		return MSR_CONNECTED;
	if (s->mcr & UART_MCR_RTS)
		lines |= UART_MSR_CTS;
	if (s->mcr & UART_MCR_DTR)
		lines |= UART_MSR_DSR;
	if (s->mcr & UART_MCR_OUT1)
		lines |= UART_MSR_RI;
	if (s->mcr & UART_MCR_OUT2)
		lines |= UART_MSR_DCD;
	return lines;
}

/* A delta bit stands four below its line; RI counts when it goes away only. */
static void update_msr(struct serial *s)
{
	u8 lines = modem_inputs(s);
	u8 changed = lines ^ (s->msr & ~MSR_DELTAS);

	if (lines & UART_MSR_RI)
		changed &= ~UART_MSR_RI;
	s->msr = lines | (s->msr & MSR_DELTAS) | changed >> 4;
}

static u8 read_msr(struct serial *s)
{
	u8 msr = s->msr;

	s->msr &= ~MSR_DELTAS;
	update_irq(s);
	return msr;
}

static void write_ier(struct serial *s, u8 value)
{
	u8 old = s->ier;

	s->ier = value & IER_BITS;
	/* Enabling the interrupt while THR is empty raises it. */
	if ((s->ier & ~old & UART_IER_THRI) && !s->tx.count)
		s->thre_pending = true;
	kick_input(s);
}

static void write_fcr(struct serial *s, u8 value)
{
	u8 clear = value & (UART_FCR_CLEAR_RCVR | UART_FCR_CLEAR_XMIT);

	/* Turning the FIFOs on or off empties both. */
	if ((value ^ s->fcr) & UART_FCR_ENABLE_FIFO)
		clear = UART_FCR_CLEAR_RCVR | UART_FCR_CLEAR_XMIT;
	else if (!(value & UART_FCR_ENABLE_FIFO))
		return; /* the other bits count only with bit 0 */

	s->fcr = value & UART_FCR_ENABLE_FIFO ? value & (UART_FCR_ENABLE_FIFO |
							 UART_FCR_TRIGGER_MASK)
					      : 0;
	if (clear & UART_FCR_CLEAR_RCVR)
		fifo_clear(&s->rx);
	if ((clear & UART_FCR_CLEAR_XMIT) && s->tx.count) {
		fifo_clear(&s->tx);
		s->thre_pending = true;
	}
	kick_input(s);
}

/* Data sheet 8.1: in loopback a break comes back as a break. */
static void write_lcr(struct serial *s, u8 value)
{
	bool starts = (value & ~s->lcr) & UART_LCR_SBC;

	s->lcr = value;
	if (starts && (s->mcr & UART_MCR_LOOP)) {
		receive_byte(s, 0);
		s->line_errors |= UART_LSR_BI;
	}
}

static void write_mcr(struct serial *s, u8 value)
{
	s->mcr = value & MCR_BITS;
	s->mcr_written = true;
	update_msr(s);
	kick_input(s);
}

static u8 read_register(void *chip, u64 offset)
{
	struct serial *s = chip;
	bool dlab = s->lcr & UART_LCR_DLAB;

	switch (offset) {
	case UART_LSR:
		return read_lsr(s);
	case UART_RX:
		return dlab ? s->dll : read_rbr(s);
	case UART_IER:
		return dlab ? s->dlm : s->ier;
	case UART_IIR:
		return read_iir(s);
	case UART_LCR:
		return s->lcr;
	case UART_MCR:
		return s->mcr;
	case UART_MSR:
		return read_msr(s);
	default:
		return s->scr;
	}
}

static void write_register(void *chip, u64 offset, u8 value)
{
	struct serial *s = chip;
	bool dlab = s->lcr & UART_LCR_DLAB;

	switch (offset) {
	case UART_TX:
		if (dlab)
			s->dll = value;
		else
			write_thr(s, value);
		break;
	case UART_IER:
		if (dlab)
			s->dlm = value;
		else
			write_ier(s, value);
		break;
	case UART_FCR:
		write_fcr(s, value);
		break;
	case UART_LCR:
		write_lcr(s, value);
		break;
	case UART_MCR:
		write_mcr(s, value);
		break;
	case UART_SCR:
		s->scr = value;
		break;
	default: /* LSR and MSR: factory test only */
		return;
	}
	update_irq(s);
}

enum bus_result serial_access(void *opaque, struct bus_access *acc)
{
	struct serial *s = opaque;
	enum bus_result result = BUS_HANDLED;

	pthread_mutex_lock(&s->lock);
	if (acc->size != 1)
		result = hw_access_bytes(acc, SERIAL_REGISTERS, read_register,
					 write_register, s);
	else if (acc->is_write)
		write_register(s, acc->offset, (u8)acc->value);
	else
		acc->value = read_register(s, acc->offset);
	pthread_mutex_unlock(&s->lock);
	return result;
}

/* ---- In a VM ---- */

void serial_init(struct serial *s, struct chardev *chr)
{
	*s = (struct serial){
		.chr = chr,
		.msr = MSR_CONNECTED,
		.region = {
			.name = "serial port",
			.access = serial_access,
			.opaque = s,
		},
	};
	pthread_mutex_init(&s->lock, NULL);
}

void serial_release(struct serial *s)
{
	pthread_mutex_destroy(&s->lock);
}

static struct serial *to_serial(struct device *dev)
{
	return container_of(dev, struct serial, dev);
}

static int serial_start(struct device *dev)
{
	struct serial *s = to_serial(dev);
	int err;

	if (!s->chr)
		return 0;
	err = chardev_attach(s->chr, &dev->vm->loop, &serial_front_ops, s);
	if (err)
		return vm_fail(dev->vm, err,
			       "serial port %u: cannot be connected", s->index);
	return 0;
}

static void serial_pause(struct device *dev)
{
	struct serial *s = to_serial(dev);

	pthread_mutex_lock(&s->lock);
	s->paused = true;
	pthread_mutex_unlock(&s->lock);
}

static void serial_resume(struct device *dev)
{
	struct serial *s = to_serial(dev);

	pthread_mutex_lock(&s->lock);
	s->paused = false;
	update_irq(s);
	kick_input(s);
	pthread_mutex_unlock(&s->lock);
}

static void serial_stop(struct device *dev)
{
	struct serial *s = to_serial(dev);

	if (s->chr)
		chardev_detach(s->chr);
}

static void serial_destroy(struct device *dev)
{
	struct serial *s = to_serial(dev);

	serial_stop(dev);
	bus_remove(s->bus, &s->region);
	serial_release(s);
	free(s);
}

static void serial_describe(struct device *dev, struct device_desc *out)
{
	const struct serial *s = to_serial(dev);

	*out = (struct device_desc){
		.node = "serial",
		DEVICE_COMPATIBLE("ns16550a"),
		.start = s->region.start,
		.len = s->region.len,
		.irq = s->irq.hub,
		.properties = { { "clock-frequency", SERIAL_CLOCK_HZ } },
	};
}

/* The kernel's console is the first port, unless it is another device. */
static int serial_send_sysrq(struct device *dev, u8 key)
{
	struct serial *s = to_serial(dev);

	if (s->index || dev->vm->config->console != CONSOLE_SERIAL)
		return -ENODEV;
	return serial_send_break(s, key);
}

static const struct device_ops serial_ops = {
	.name = "serial",
	.describe = serial_describe,
	.send_sysrq = serial_send_sysrq,
	.start = serial_start,
	.pause = serial_pause,
	.resume = serial_resume,
	.stop = serial_stop,
	.destroy = serial_destroy,
};

/* A pty that the user asked for goes before the console. */
static struct chardev *chardev_of_port(const struct kvm *vm,
				       const struct kvm_config *config,
				       unsigned int index)
{
	if (!vm->consoles)
		return NULL;
	if (vm->consoles->ttys[index])
		return vm->consoles->ttys[index];
	if (index == 0 && config->console == CONSOLE_SERIAL)
		return vm->consoles->console;
	return NULL;
}

static int create_port(struct kvm *vm, const struct device_place *place,
		       struct chardev *chr, unsigned int index)
{
	struct serial *s = malloc(sizeof(*s));
	int err;

	if (!s)
		return vm_fail(vm, -ENOMEM, "serial port: out of memory");
	serial_init(s, chr);
	s->index = index;
	s->bus = place->bus;
	s->irq = place->irq;
	err = hw_add_region(vm, place, &s->region);
	if (err) {
		serial_release(s);
		free(s);
		return err;
	}
	device_register(vm, &s->dev, &serial_ops);
	return 0;
}

static int serial_create(struct kvm *vm, const struct kvm_config *config)
{
	for (unsigned int i = 0; i < CONFIG_MAX_TTYS; i++) {
		struct device_place place;
		int err = arch_place(vm, PLACE_SERIAL, i, &place);

		if (err == -ENODEV)
			continue;
		if (!err)
			err = create_port(vm, &place,
					  chardev_of_port(vm, config, i), i);
		if (err)
			return err;
	}
	return 0;
}

const struct device_class serial_class = {
	.name = "serial",
	.create = serial_create,
};
