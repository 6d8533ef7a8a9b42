/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Opening an image: what it is, whether we may have it, and who else has it.
 * Formats are what the user says, never guessed from contents that a guest may
 * have written.
 */
#include "backend/disk_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lkvm/config.h"
#include "lkvm/failure.h"

/* Block sizes that make sense to a guest. */
#define MAX_BLOCK_SIZE (64 * KIB)

static int open_failed(const struct disk_config *config, int err,
		       struct failure *why)
{
	const char *hint = "";

	if (!config->read_only && (err == EACCES || err == EROFS))
		hint = " (',ro' behind the name opens it read-only)";
	else if (config->direct && err == EINVAL)
		hint = " (its file system has no O_DIRECT: leave out "
		       "',direct')";
	return fail(why, -err, "disk %s: %s%s", config->path, strerror(err),
		    hint);
}

/* Regular files and block devices only; says why not. */
static int check_type(const struct disk_config *config, const struct stat *st,
		      struct failure *why)
{
	if (S_ISREG(st->st_mode) || S_ISBLK(st->st_mode))
		return 0;
	if (S_ISDIR(st->st_mode))
		return fail(why, -EISDIR,
			    "disk %s: is a directory; a disk is an image file "
			    "or a block device",
			    config->path);
	return fail(why, -EINVAL,
		    "disk %s: is neither a file nor a block device",
		    config->path);
}

/*
 * O_EXCL on a block device claims it: the host refuses while it is mounted or
 * in use otherwise. Readers do not claim it, so that they can be many. The type is looked at before, because opening a FIFO or a
 * tape drive has effects.
 */
static int open_image(const struct disk_config *config, struct failure *why)
{
	int flags = O_CLOEXEC | (config->read_only ? O_RDONLY : O_RDWR);
	struct stat st;
	int err, fd;

	if (stat(config->path, &st) < 0)
		return open_failed(config, errno, why);
	err = check_type(config, &st, why);
	if (err)
		return err;
	if (S_ISBLK(st.st_mode) && !config->read_only)
		flags |= O_EXCL;
	if (config->direct)
		flags |= O_DIRECT;
	err = disk_refuse_in_use(config, &st, why);
	if (err)
		return err;
	fd = open(config->path, flags);
	if (fd < 0 && errno == EBUSY)
		return fail(why, -EBUSY,
			    "disk %s: this block device is in use: by another "
			    "VM, or what is on it is mounted, or part of a "
			    "RAID or LVM",
			    config->path);
	return fd < 0 ? open_failed(config, errno, why) : fd;
}

/*
 * Writers exclude everybody, readers exclude writers. The lock belongs to the
 * open file description: it ends with the process, however that ends.
 */
static int lock_image(const struct disk *disk, const struct disk_config *config,
		      struct failure *why)
{
	struct flock lock = {
		.l_type = config->read_only ? F_RDLCK : F_WRLCK,
		.l_whence = SEEK_SET,
	};

	if (!fcntl(disk->fd, F_OFD_SETLK, &lock))
		return 0;
	if (errno != EAGAIN && errno != EACCES)
		return 0; /* a file system without locks */
	return fail(why, -EBUSY,
		    "disk %s: is in use by another VM; two may share it only "
		    "if both have ',ro'",
		    config->path);
}

static u32 usable_block_size(u64 size, u32 at_least)
{
	if (!is_power_of_two(size) || size < at_least || size > MAX_BLOCK_SIZE)
		return at_least;
	return (u32)size;
}

static int measure_block_device(struct disk *disk)
{
	unsigned int physical = 0;
	int logical = 0;

	if (ioctl(disk->fd, BLKGETSIZE64, &disk->info.len) < 0 ||
	    ioctl(disk->fd, BLKSSZGET, &logical) < 0 ||
	    ioctl(disk->fd, BLKPBSZGET, &physical) < 0)
		return -errno;
	disk->info.sector_size = usable_block_size(logical, DISK_SECTOR);
	disk->info.block_size =
		usable_block_size(physical, disk->info.sector_size);
	return 0;
}

static int measure(struct disk *disk, const struct stat *st)
{
	int err = 0;

	if (disk->is_block_device) {
		err = measure_block_device(disk);
	} else {
		disk->info.len = (u64)st->st_size;
		disk->info.sector_size = DISK_SECTOR;
		disk->info.block_size =
			usable_block_size((u64)st->st_blksize, DISK_SECTOR);
	}
	disk->info.len = align_down(disk->info.len, disk->info.sector_size);
	disk->info.discard_len = disk->info.block_size;
	return err;
}

/* The same image has the same name after a restart: which inode it is. */
static void name_serial(struct disk *disk, const struct stat *st)
{
	u64 file_system = disk->is_block_device ? st->st_rdev : st->st_dev;
	u64 inode = disk->is_block_device ? 0 : st->st_ino;

	snprintf(disk->info.serial, sizeof(disk->info.serial), "%06llx%012llx",
		 (unsigned long long)file_system & 0xffffff,
		 (unsigned long long)inode & 0xffffffffffff);
}

/*
 * An image that says it is qcow2 was not meant as raw: the guest would see the
 * container, and ruin it. Through a descriptor of its own, as O_DIRECT wants
 * more than four bytes.
 */
static int refuse_formats(const struct disk_config *config, struct failure *why)
{
	u8 magic[4] = { 0 };
	int fd = open(config->path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return open_failed(config, errno, why);
	len = pread(fd, magic, sizeof(magic), 0);
	close(fd);
	if (len != sizeof(magic) || memcmp(magic, "QFI\xfb", sizeof(magic)))
		return 0;
	return fail(why, -EINVAL,
		    "disk %s: looks like qcow2, and is not told to be: write "
		    "%s,format=qcow2",
		    config->path, config->path);
}

static int prepare(struct disk *disk, const struct disk_config *config,
		   struct failure *why)
{
	struct stat st;
	int err;

	if (fstat(disk->fd, &st) < 0)
		return open_failed(config, errno, why);
	err = check_type(config, &st, why);
	if (err)
		return err;
	disk->is_block_device = S_ISBLK(st.st_mode);
	disk->info.read_only = config->read_only;
	disk->info.can_discard = !config->read_only;
	disk->info.queue_depth = 1;
	disk->info.max_queues = UINT_MAX;
	name_serial(disk, &st);
	err = measure(disk, &st);
	if (err)
		return open_failed(config, -err, why);
	if (!disk->info.len)
		return fail(why, -EINVAL, "disk %s: is empty", config->path);
	if (config->format == DISK_FORMAT_RAW)
		err = refuse_formats(config, why);
	if (!err)
		err = lock_image(disk, config, why);
	if (!err && config->direct)
		err = disk_aio_init(disk, config->path, why);
	return err;
}

int disk_open_file(const struct disk_config *config, struct failure *why,
		   struct disk **out)
{
	struct disk *disk;
	int fd, err;

	*out = NULL;
	fd = open_image(config, why);
	if (fd < 0)
		return fd;
	disk = calloc(1, sizeof(*disk));
	if (!disk) {
		close(fd);
		return -ENOMEM;
	}
	disk->ops = &disk_raw_ops;
	disk->fd = fd;
	err = prepare(disk, config, why);
	if (err)
		disk_close(disk);
	else
		*out = disk;
	return err;
}

int disk_open(const struct disk_config *config, struct failure *why,
	      struct disk **out)
{
	struct disk *file;
	int err;

	err = disk_open_file(config, why, out);
	if (!err && config->format == DISK_FORMAT_QCOW2) {
		file = *out;
		err = disk_qcow2_open(file, config, why, out);
	}
	if (!err && config->serial && *config->serial)
		snprintf((*out)->info.serial, sizeof((*out)->info.serial), "%s",
			 config->serial);
	return err;
}

void disk_close(struct disk *disk)
{
	if (!disk)
		return;
	disk->ops->release(disk);
	if (disk->fd >= 0)
		close(disk->fd);
	free(disk);
}

const struct disk_info *disk_info(const struct disk *disk)
{
	return &disk->info;
}

int disk_queue_create(struct disk *disk, int event_fd, struct disk_queue **out)
{
	struct disk_queue *queue = calloc(1, sizeof(*queue));
	int err = 0;

	*out = NULL;
	if (!queue)
		return -ENOMEM;
	queue->disk = disk;
	queue->event_fd = event_fd;
	if (disk->ops->open_queue)
		err = disk->ops->open_queue(queue);
	if (err)
		free(queue);
	else
		*out = queue;
	return err;
}

void disk_queue_destroy(struct disk_queue *queue)
{
	if (!queue)
		return;
	if (queue->disk->ops->close_queue)
		queue->disk->ops->close_queue(queue);
	free(queue);
}

static int check_request(const struct disk *disk,
			 const struct disk_request *req)
{
	bool changes = req->op != DISK_READ && req->op != DISK_FLUSH;
	bool has_data = req->op == DISK_READ || req->op == DISK_WRITE;

	if (!range_within(req->offset, req->len, disk->info.len))
		return -EINVAL;
	if (has_data && req->nr_iov > IOV_MAX)
		return -EINVAL;
	return changes && disk->info.read_only ? -EROFS : 0;
}

void disk_submit(struct disk_queue *queue, struct disk_request *req)
{
	int err = check_request(queue->disk, req);

	if (err)
		req->done(req, err);
	else
		queue->disk->ops->submit(queue, req);
}

void disk_commit(struct disk_queue *queue)
{
	queue->disk->ops->commit(queue);
}

void disk_poll(struct disk_queue *queue)
{
	queue->disk->ops->poll(queue);
}
