/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Block requests of a hostile driver: the input is the driver's features and a
 * list of descriptors with their contents. Each request completes or costs the
 * device, and the image neither grows nor shrinks.
 */
#include <errno.h>
#include <linux/virtio_config.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lkvm/config.h"
#include "lkvm/failure.h"
#include "tests/support/fake_virtio.h"
#include "tests/support/fuzz_input.h"
#include "virtio/blk_priv.h"

#define RAM_LEN (64 * KIB)
#define IMAGE_LEN (64 * KIB)
#define SIZE 16

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

static struct disk *open_image(int fd)
{
	struct failure why = FAILURE_INIT;
	struct disk_config config = { 0 };
	struct disk *disk;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	config.path = path;
	if (ftruncate(fd, IMAGE_LEN) || disk_open(&config, &why, &disk))
		abort();
	return disk;
}

/* One chain: a header, and buffers of any kind. */
static void post_request(struct fake_ring *ring, struct fuzz_input *in,
			 u64 header)
{
	u32 type = (u32)fuzz_take(in, 1);
	u64 sector = fuzz_take(in, 2);
	u16 nr = (u16)(1 + fuzz_take(in, 1) % (SIZE - 1));
	struct virtio_blk_outhdr outhdr = {
		.type = type,
		/* Now and then far away. */
		.sector = sector & 0x8000 ? sector << 48 : sector & 0xff,
	};

	memcpy(fake_ptr(ring->guest, header, sizeof(outhdr)), &outhdr,
	       sizeof(outhdr));
	fake_desc(ring, 0, header, sizeof(outhdr), VRING_DESC_F_NEXT, 1);
	for (u16 i = 1; i <= nr; i++) {
		u64 at = FAKE_RAM_START + fuzz_take(in, 2);
		u64 kind = fuzz_take(in, 2);
		u16 flags = i < nr ? VRING_DESC_F_NEXT : 0;

		if (kind & 1)
			flags |= VRING_DESC_F_WRITE;
		fake_desc(ring, i, at, (u32)kind >> 1, flags, i + 1);
	}
	fake_desc(ring, SIZE - 1, header, 1, VRING_DESC_F_WRITE, 0);
	fake_post(ring, 0);
}

static void run_driver(struct fake_guest *guest, struct blk *blk,
		       struct fuzz_input *in)
{
	struct virtio_device *vdev = &blk->vdev;
	u64 header = fake_alloc(guest, sizeof(struct virtio_blk_outhdr), 16);
	struct vring_used_elem elem;
	struct fake_ring ring;

	fake_negotiate(vdev, fuzz_take(in, 1) & 1 ? vdev->host_features
						  : BIT64(VIRTIO_F_VERSION_1));
	fake_ring_init(&ring, guest, &vdev->queues[0], SIZE);
	if (virtio_queue_enable(vdev, ring.q))
		abort();
	fake_driver_ok(vdev);
	while (in->len &&
	       !(virtio_get_status(vdev) & VIRTIO_CONFIG_S_NEEDS_RESET)) {
		post_request(&ring, in, header);
		virtio_kick(vdev, 0);
		while (!fake_used(&ring, &elem) &&
		       !(virtio_get_status(vdev) & VIRTIO_CONFIG_S_NEEDS_RESET))
			;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct fuzz_input in = { data, len };
	struct fake_guest guest;
	struct fake_transport transport;
	int fd = memfd_create("image", MFD_CLOEXEC);
	struct stat st;
	const struct blk_options options = { .queues = 1 };
	struct blk *blk;

	if (fd < 0 || len > 4096)
		return close(fd);
	fake_guest_init(&guest, RAM_LEN);
	if (blk_create(&guest.mem, open_image(fd), &options, &blk))
		abort();
	atomic_flag_test_and_set(&blk->vdev.guest_error.done);
	fake_transport_init(&transport, &blk->vdev);
	run_driver(&guest, blk, &in);
	blk_destroy(blk);
	if (fstat(fd, &st) || st.st_size != IMAGE_LEN)
		abort();
	close(fd);
	fake_guest_release(&guest);
	return 0;
}
