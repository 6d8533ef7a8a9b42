// SPDX-License-Identifier: GPL-2.0-only
/*
 * A console with a named port: the messages that announce it, in their order,
 * and output through port 0 all the same.
 *
 * guest-args: --console virtio --port agent=pty
 * guest-stdout: announced
 */
#include "virtio.h"

#define TRANSMIT 1
#define TO_DRIVER 2
#define FROM_DRIVER 3
#define MULTIPORT (1U << 1)

#define RINGS 0x4000ULL /* of one queue */
#define BUFFER (DMA_AREA + 0x20000)
#define BUFFER_LEN 64

enum {
	DEVICE_READY,
	PORT_ADD,
	PORT_REMOVE,
	PORT_READY,
	CONSOLE_PORT,
	RESIZE,
	PORT_OPEN,
	PORT_NAME,
};

struct message {
	u32 id;
	u16 event, value;
	char tail[BUFFER_LEN - 8];
};

static struct queue transmit, to_driver, from_driver;

static void tell(u32 id, u16 event, u16 value)
{
	static struct message message;

	message.id = id;
	message.event = event;
	message.value = value;
	queue_desc(&from_driver, 0, (u64)(uintptr_t)&message, 8, 0, 0);
	queue_submit(&from_driver, 0);
	check(queue_wait(&from_driver, NULL));
}

/* One buffer at a time: the next message comes when it is there again. */
static bool heard(u32 id, u16 event, u32 tail_len, const char *tail)
{
	volatile struct message *message = (struct message *)BUFFER;
	u32 len = 0;

	queue_desc(&to_driver, 0, BUFFER, BUFFER_LEN, DESC_WRITE, 0);
	queue_submit(&to_driver, 0);
	return queue_wait(&to_driver, &len) && len == 8 + tail_len &&
	       message->id == id && message->event == event &&
	       message->value == 1 &&
	       equal((void *)(BUFFER + 8), tail, tail_len);
}

static bool announced(void)
{
	tell(0, DEVICE_READY, 1);
	if (!heard(0, PORT_ADD, 0, "") || !heard(1, PORT_ADD, 0, ""))
		return false;
	tell(1, PORT_READY, 1);
	if (!heard(1, PORT_NAME, 5, "agent") || !heard(1, PORT_OPEN, 0, ""))
		return false;
	tell(0, PORT_READY, 1);
	return heard(0, CONSOLE_PORT, 0, "") && heard(0, PORT_OPEN, 0, "");
}

static void say(const char *text, u32 len)
{
	queue_desc(&transmit, 0, (u64)(uintptr_t)text, len, 0, 0);
	queue_submit(&transmit, 0);
	queue_wait(&transmit, NULL);
}

void guest_main(void)
{
	struct virtio dev;

	if (virtio_find(&dev, VIRTIO_CONSOLE) &&
	    virtio_start(&dev, MULTIPORT)) {
		queue_setup(&dev, &transmit, TRANSMIT, DMA_AREA, NO_VECTOR);
		queue_setup(&dev, &to_driver, TO_DRIVER, DMA_AREA + RINGS,
			    NO_VECTOR);
		queue_setup(&dev, &from_driver, FROM_DRIVER,
			    DMA_AREA + 2 * RINGS, NO_VECTOR);
		virtio_ready(&dev);
		if (announced())
			say("announced\n", 10);
		else
			say("something else\n", 15);
	}
	end();
}
