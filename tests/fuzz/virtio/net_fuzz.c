/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A hostile driver of the network device: control commands, chains to send, and
 * buffers for packets that the network really has. Everything comes back, or the
 * device asks for a reset.
 */
#include <linux/virtio_config.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "lkvm/failure.h"
#include "tests/support/fake_net.h"
#include "tests/support/fake_virtio.h"
#include "tests/support/fuzz_input.h"
#include "virtio/net_priv.h"

#define RAM_LEN (256 * KIB)
#define SIZE 16
#define PAIRS 2

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

/* A chain of any buffers; what is read from them is fuzzed, too. */
static void post_chain(struct fake_ring *ring, struct fuzz_input *in)
{
	u16 nr = (u16)(1 + fuzz_take(in, 1) % 4);

	for (u16 i = 0; i < nr; i++) {
		u64 at = FAKE_RAM_START + fuzz_take(in, 2);
		u64 kind = fuzz_take(in, 2);
		u32 len = (u32)kind >> 1;
		u64 bytes = fuzz_take(in, 8);
		u16 flags = i + 1 < nr ? VRING_DESC_F_NEXT : 0;

		if (kind & 1)
			flags |= VRING_DESC_F_WRITE;
		memcpy(fake_ptr(ring->guest, at, sizeof(bytes)), &bytes,
		       sizeof(bytes));
		fake_desc(ring, i, at, len, flags, i + 1);
	}
	fake_post(ring, 0);
}

static bool is_broken(struct virtio_device *vdev)
{
	return virtio_get_status(vdev) & VIRTIO_CONFIG_S_NEEDS_RESET;
}

static void drain_host(struct fake_net *host)
{
	u8 byte;

	for (unsigned int i = 0; i < PAIRS; i++)
		while (recv(host->ends[i], &byte, 1, MSG_DONTWAIT) >= 0)
			;
}

/* Commands and what is sent come back; buffers may wait for packets. */
static void run_queue(struct nic *nic, struct fake_net *host,
		      struct fake_ring *ring, unsigned int queue,
		      bool comes_back, struct fuzz_input *in)
{
	struct vring_used_elem elem;

	post_chain(ring, in);
	virtio_kick(&nic->vdev, queue);
	while (comes_back && !fake_used(ring, &elem) && !is_broken(&nic->vdev))
		drain_host(host);
}

static void send_packet(struct fake_net *host, struct fuzz_input *in)
{
	u8 packet[4096] = { 0 };
	size_t len = 1 + fuzz_take(in, 2) % (sizeof(packet) - 1);

	for (unsigned int i = 0; i < 32; i++)
		packet[i] = (u8)fuzz_take(in, 1);
	(void)!send(host->ends[0], packet, len, MSG_DONTWAIT);
}

static void run_driver(struct nic *nic, struct fake_net *host,
		       struct fake_guest *guest, struct fuzz_input *in)
{
	struct virtio_device *vdev = &nic->vdev;
	struct fake_ring rings[2 * PAIRS + 1];
	u64 features = vdev->host_features;
	unsigned int control;

	if (fuzz_take(in, 1) & 1)
		features &= fuzz_take(in, 4) | BIT64(VIRTIO_F_VERSION_1);
	fake_negotiate(vdev, features);
	control = features & BIT64(VIRTIO_NET_F_MQ) ? 2 * PAIRS : 2;
	for (unsigned int i = 0; i < ARRAY_SIZE(rings); i++) {
		fake_ring_init(&rings[i], guest, &vdev->queues[i], SIZE);
		if (virtio_queue_enable(vdev, rings[i].q))
			abort();
	}
	fake_driver_ok(vdev);
	while (in->len && !is_broken(vdev)) {
		switch (fuzz_take(in, 1) % 4) {
		case 0:
			run_queue(nic, host, &rings[1], 1, true, in);
			break;
		case 1:
			run_queue(nic, host, &rings[0], 0, false, in);
			break;
		case 2:
			run_queue(nic, host, &rings[control], control,
				  features & BIT64(VIRTIO_NET_F_CTRL_VQ), in);
			break;
		default:
			send_packet(host, in);
		}
	}
	virtio_set_status(vdev, 0);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	static const u8 mac[] = { 2, 0, 0, 0, 0, 1 };
	static struct event_loop loop;
	static bool is_running;
	struct failure why = FAILURE_INIT;
	struct fuzz_input in = { data, len };
	struct fake_transport transport;
	struct fake_guest guest;
	struct fake_net host;
	struct nic *nic;

	if (len > 2048)
		return -1;
	if (!is_running &&
	    (event_loop_init(&loop, &why) || event_loop_start(&loop)))
		abort();
	is_running = true;
	fake_guest_init(&guest, RAM_LEN);
	guest.next += 2 * 65536;
	fake_net_init(&host, PAIRS, 0x1f);
	if (nic_create(&guest.mem, &loop, &host.net, mac, false, &nic))
		abort();
	atomic_flag_test_and_set(&nic->vdev.guest_error.done);
	fake_transport_init(&transport, &nic->vdev);
	run_driver(nic, &host, &guest, &in);
	nic_destroy(nic);
	fake_net_release(&host);
	fake_guest_release(&guest);
	return 0;
}
