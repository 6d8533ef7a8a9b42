/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The input devices (virtio 1.2, 5.8) of a VM with a display: a keyboard, and a
 * tablet, with which the guest's pointer is where the user's is. What the driver
 * says of LEDs is taken and shown nowhere.
 */
#include "virtio/input_priv.h"

#include <errno.h>
#include <linux/input-event-codes.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include "lkvm/devices.h"
#include "lkvm/kvm.h"

#define BUS_OF_VIRTIO 0x06 /* BUS_VIRTUAL of <linux/input.h> */
#define STATUS_MAX_REQUESTS 16U

/* A keyboard that repeats keys by itself and has lights, or a tablet. */
static const struct code_range {
	bool is_tablet;
	u8 type;
	u16 first, last;
} code_ranges[] = {
	{ false, EV_KEY, KEY_ESC, KEY_COMPOSE },
	{ false, EV_REP, REP_DELAY, REP_PERIOD },
	{ false, EV_LED, LED_NUML, LED_SCROLLL },
	{ true, EV_KEY, BTN_LEFT, BTN_EXTRA },
	{ true, EV_REL, REL_WHEEL, REL_WHEEL },
	{ true, EV_ABS, ABS_X, ABS_Y },
};

static struct virtio_input *of(struct virtio_device *vdev)
{
	return container_of(vdev, struct virtio_input, vdev);
}

/* ---- What it is: configuration space (5.8.4) ---- */

static u8 put_string(struct virtio_input_config *config, const char *text)
{
	size_t len = strlen(text);

	memcpy(config->u.string, text, len);
	return (u8)len;
}

static u8 put_ids(struct virtio_input_config *config,
		  const struct virtio_input *input)
{
	config->u.ids = (struct virtio_input_devids){
		.bustype = BUS_OF_VIRTIO,
		.product = input->is_tablet ? 2 : 1,
		.version = 1,
	};
	return sizeof(config->u.ids);
}

static void put_bit(struct virtio_input_config *config, unsigned int bit,
		    u8 *len)
{
	config->u.bitmap[bit / 8] |= 1 << bit % 8;
	if (*len < bit / 8 + 1)
		*len = (u8)(bit / 8 + 1);
}

/* Which codes of event type @type it sends, or takes. */
static u8 put_codes(struct virtio_input_config *config,
		    const struct virtio_input *input, u8 type)
{
	u8 len = 0;

	for (size_t i = 0; i < ARRAY_SIZE(code_ranges); i++) {
		const struct code_range *range = &code_ranges[i];

		if (range->is_tablet != input->is_tablet || range->type != type)
			continue;
		for (unsigned int code = range->first; code <= range->last;
		     code++)
			put_bit(config, code, &len);
	}
	return len;
}

static u8 put_abs(struct virtio_input_config *config,
		  const struct virtio_input *input, u8 axis)
{
	if (!input->is_tablet || axis > ABS_Y)
		return 0;
	config->u.abs = (struct virtio_input_absinfo){ .max = INPUT_ABS_MAX };
	return sizeof(config->u.abs);
}

static u8 fill_config(struct virtio_input_config *config,
		      const struct virtio_input *input)
{
	switch (input->select) {
	case VIRTIO_INPUT_CFG_ID_NAME:
		return put_string(config, input->is_tablet ? "lkvm tablet"
							   : "lkvm keyboard");
	case VIRTIO_INPUT_CFG_ID_DEVIDS:
		return put_ids(config, input);
	case VIRTIO_INPUT_CFG_EV_BITS:
		return put_codes(config, input, input->subsel);
	case VIRTIO_INPUT_CFG_ABS_INFO:
		return put_abs(config, input, input->subsel);
	default:
		return 0;
	}
}

static void input_config_read(struct virtio_device *vdev, unsigned int offset,
			      void *buf, unsigned int len)
{
	const struct virtio_input *input = of(vdev);
	struct virtio_input_config config = {
		.select = input->select,
		.subsel = input->subsel,
	};

	config.size = fill_config(&config, input);
	memcpy(buf, (const u8 *)&config + offset, len);
}

static void input_config_write(struct virtio_device *vdev, unsigned int offset,
			       const void *buf, unsigned int len)
{
	struct virtio_input *input = of(vdev);
	const u8 *bytes = buf;

	for (unsigned int i = 0; i < len; i++) {
		if (offset + i == 0)
			input->select = bytes[i];
		else if (offset + i == 1)
			input->subsel = bytes[i];
	}
}

/* ---- Events to the driver ---- */

static bool take_buffer_locked(struct virtio_input *input,
			       struct virtq_chain *chain)
{
	struct virtq *q = &input->vdev.queues[VIRTIO_INPUT_EVENTS];

	do {
		if (virtq_pop(q, chain) > 0)
			return true;
		/* Ring when there are more; look once again after that. */
	} while (virtq_enable_kicks(q));
	return false;
}

static void flush_locked(struct virtio_input *input)
{
	struct virtq *q = &input->vdev.queues[VIRTIO_INPUT_EVENTS];
	struct virtq_chain chain = {
		.iov = input->iov,
		.max_iov = ARRAY_SIZE(input->iov),
	};
	bool any = false;

	while (input->nr_events && take_buffer_locked(input, &chain)) {
		const struct virtio_input_event *event =
			&input->events[input->first_event];
		size_t len = iov_from_buf(chain.iov + chain.nr_out, chain.nr_in,
					  0, event, sizeof(*event));

		virtq_push(q, chain.head, (u32)len);
		input->first_event =
			(input->first_event + 1) % VIRTIO_INPUT_MAX_EVENTS;
		input->nr_events--;
		any = true;
	}
	virtq_disable_kicks(q);
	/* Its doorbell rings only where something waits for a buffer. */
	if (input->nr_events && virtq_enable_kicks(q))
		virtq_kick(q);
	if (any)
		virtq_notify(q);
}

static void put_event(struct virtio_input *input, u16 type, u16 code, u32 value)
{
	unsigned int at = (input->first_event + input->nr_events) %
			  VIRTIO_INPUT_MAX_EVENTS;

	input->events[at] = (struct virtio_input_event){
		.type = type,
		.code = code,
		.value = value,
	};
	input->nr_events++;
}

/* Up to two events and what ends them; all or, where there is no room, none. */
static void tell(struct virtio_input *input,
		 const struct virtio_input_event *events, unsigned int nr)
{
	pthread_mutex_lock(&input->lock);
	if (input->serving && input->nr_events + nr < VIRTIO_INPUT_MAX_EVENTS) {
		for (unsigned int i = 0; i < nr; i++)
			put_event(input, events[i].type, events[i].code,
				  events[i].value);
		put_event(input, EV_SYN, SYN_REPORT, 0);
		flush_locked(input);
	}
	pthread_mutex_unlock(&input->lock);
}

static bool is_ready(void *opaque)
{
	struct virtio_input *input = opaque;
	bool ready;

	pthread_mutex_lock(&input->lock);
	ready = input->serving;
	pthread_mutex_unlock(&input->lock);
	return ready;
}

static bool is_idle(void *opaque)
{
	struct virtio_input *input = opaque;
	bool idle;

	pthread_mutex_lock(&input->lock);
	idle = !input->nr_events;
	pthread_mutex_unlock(&input->lock);
	return idle;
}

static void tell_key(void *opaque, u16 code, bool down)
{
	const struct virtio_input_event event = { EV_KEY, code, down };

	tell(opaque, &event, 1);
}

static void tell_position(void *opaque, u16 x, u16 y)
{
	const struct virtio_input_event events[] = { { EV_ABS, ABS_X, x },
						     { EV_ABS, ABS_Y, y } };

	tell(opaque, events, 2);
}

static void tell_wheel(void *opaque, int notches)
{
	const struct virtio_input_event event = { EV_REL, REL_WHEEL,
						  (u32)notches };

	tell(opaque, &event, 1);
}

static const struct input_ops keyboard_ops = {
	.is_ready = is_ready,
	.is_idle = is_idle,
	.key = tell_key,
};

static const struct input_ops tablet_ops = {
	.is_ready = is_ready,
	.key = tell_key,
	.move_to = tell_position,
	.wheel = tell_wheel,
};

/* ---- The driver: event loop ---- */

static void events_kicked(struct event_source *source, u32 events)
{
	struct virtio_input *input =
		container_of(source, struct virtio_input, events_kick);

	virtq_take_kick(&input->vdev.queues[VIRTIO_INPUT_EVENTS]);
	pthread_mutex_lock(&input->lock);
	if (input->serving)
		flush_locked(input);
	pthread_mutex_unlock(&input->lock);
}

static void status_kicked(struct event_source *source, u32 events)
{
	struct virtio_input *input =
		container_of(source, struct virtio_input, status_kick);
	struct virtq *q = &input->vdev.queues[VIRTIO_INPUT_STATUS];
	struct virtq_chain chain = {
		.iov = input->status_iov,
		.max_iov = ARRAY_SIZE(input->status_iov),
	};

	virtq_take_kick(q);
	virtq_disable_kicks(q);
	for (unsigned int i = 0; i < STATUS_MAX_REQUESTS; i++) {
		if (virtq_pop(q, &chain) <= 0)
			break;
		virtq_push(q, chain.head, 0);
	}
	virtq_notify(q);
	if (virtq_enable_kicks(q))
		virtq_kick(q);
}

static void set_serving(struct virtio_input *input, bool serving)
{
	pthread_mutex_lock(&input->lock);
	input->serving = serving;
	pthread_mutex_unlock(&input->lock);
}

static int input_activate(struct virtio_device *vdev)
{
	struct virtio_input *input = of(vdev);
	int err = event_add(input->loop, &input->events_kick, EPOLLIN);

	if (err)
		return err;
	err = event_add(input->loop, &input->status_kick, EPOLLIN);
	if (err) {
		event_remove(input->loop, &input->events_kick);
		return err;
	}
	set_serving(input, true);
	virtq_kick(&vdev->queues[VIRTIO_INPUT_EVENTS]);
	virtq_kick(&vdev->queues[VIRTIO_INPUT_STATUS]);
	return 0;
}

static void input_deactivate(struct virtio_device *vdev)
{
	struct virtio_input *input = of(vdev);

	set_serving(input, false);
	event_remove(input->loop, &input->events_kick);
	event_remove(input->loop, &input->status_kick);
}

static void input_reset(struct virtio_device *vdev)
{
	struct virtio_input *input = of(vdev);

	pthread_mutex_lock(&input->lock);
	input->nr_events = 0;
	pthread_mutex_unlock(&input->lock);
	input->select = VIRTIO_INPUT_CFG_UNSET;
	input->subsel = 0;
}

#define INPUT_VDEV_OPS(of_name, class)                                         \
	{                                                                      \
		.name = (of_name), .id = VIRTIO_ID_INPUT,                      \
		.pci_class = (class), .config_read = input_config_read,        \
		.config_write = input_config_write,                            \
		.activate = input_activate, .deactivate = input_deactivate,    \
		.reset = input_reset,                                          \
	}

/* PCI classes: keyboard; other input controller. */
static const struct virtio_dev_ops keyboard_vdev_ops =
	INPUT_VDEV_OPS("keyboard", 0x090000);
static const struct virtio_dev_ops tablet_vdev_ops =
	INPUT_VDEV_OPS("tablet", 0x098000);

/* ---- Life ---- */

static void input_destroy(struct virtio_input *input)
{
	input_detach(input->hub, &input->device);
	virtio_transport_destroy(&input->vdev);
	virtio_device_release(&input->vdev);
	pthread_mutex_destroy(&input->lock);
	free(input);
}

static void input_device_destroy(struct device *dev)
{
	input_destroy(container_of(dev, struct virtio_input, vdev.base));
}

static const struct device_ops input_device_ops = {
	.name = "virtio-input",
	.describe = virtio_device_describe,
	.virtio = virtio_device_of,
	.pause = virtio_device_pause,
	.resume = virtio_device_resume,
	.stop = virtio_device_stop,
	.destroy = input_device_destroy,
};

static int input_setup(struct virtio_input *input, struct kvm *vm)
{
	int err = virtio_device_init(
		&input->vdev,
		input->is_tablet ? &tablet_vdev_ops : &keyboard_vdev_ops,
		&vm->memory, 0, sizeof(struct virtio_input_config),
		VIRTIO_INPUT_QUEUES, VIRTIO_INPUT_QUEUE_SIZE);

	if (err)
		return err;
	input->loop = &vm->loop;
	input->events_kick = (struct event_source){
		.fd = input->vdev.queues[VIRTIO_INPUT_EVENTS].kick_fd,
		.ready = events_kicked,
	};
	input->status_kick = (struct event_source){
		.fd = input->vdev.queues[VIRTIO_INPUT_STATUS].kick_fd,
		.ready = status_kicked,
	};
	return virtio_transport_create(vm, &input->vdev);
}

static int create_one(struct kvm *vm, bool is_tablet)
{
	struct virtio_input *input = calloc(1, sizeof(*input));
	int err;

	if (!input)
		return -ENOMEM;
	pthread_mutex_init(&input->lock, NULL);
	input->hub = &vm->input;
	input->is_tablet = is_tablet;
	input->device.ops = is_tablet ? &tablet_ops : &keyboard_ops;
	input->device.opaque = input;
	err = input_setup(input, vm);
	if (err) {
		input_destroy(input);
		return vm_fail(vm, err, "cannot create virtio-input: %s",
			       strerror(-err));
	}
	device_register(vm, &input->vdev.base, &input_device_ops);
	input_attach(input->hub, &input->device);
	return 0;
}

static int input_class_create(struct kvm *vm, const struct kvm_config *config)
{
	int err;

	if (config->display.kind == DISPLAY_NONE)
		return 0;
	err = create_one(vm, false);
	return err ? err : create_one(vm, true);
}

const struct device_class virtio_input_class = {
	.name = "virtio-input",
	.create = input_class_create,
};
