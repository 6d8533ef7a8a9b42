/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest memory: one anonymous (or hugetlbfs) mapping for all RAM, shown to the
 * guest through KVM memory slots, and the checked translation of addresses.
 */
#include "lkvm/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <unistd.h>
#include "lkvm/failure.h"

/* Pages of the second-stage tables are this large where hva and gpa allow. */
#define HUGE_PAGE (2 * MIB)

void memory_init(struct memory *mem, int vm_fd)
{
	*mem = (struct memory){
		.vm_fd = vm_fd,
		.page_len = (u64)sysconf(_SC_PAGESIZE),
	};
	pthread_mutex_init(&mem->lock, NULL);
}

void memory_release(struct memory *mem)
{
	if (mem->hva)
		munmap(mem->hva, mem->mapped_len);
	mem->hva = NULL;
	pthread_mutex_destroy(&mem->lock);
}

/*
 * Map @len bytes at a multiple of HUGE_PAGE: a larger reservation is trimmed at
 * both ends. Without that alignment KVM could use 4 KiB pages only.
 */
static int map_anonymous(struct memory *mem, u64 len)
{
	u64 reserve = len + HUGE_PAGE;
	u64 start, head;
	u8 *base;

	base = mmap(NULL, reserve, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		return -errno;
	start = align_up((uintptr_t)base, HUGE_PAGE);
	head = start - (uintptr_t)base;
	if (head)
		munmap(base, head);
	if (reserve - head > len)
		munmap(base + head + len, reserve - head - len);
	mem->hva = base + head;
	mem->mapped_len = len;
	/* Advice only: a kernel without huge pages refuses it. */
	madvise(mem->hva, len, MADV_HUGEPAGE);
	madvise(mem->hva, len, MADV_DONTDUMP);
	return 0;
}

static int map_hugetlbfs(struct memory *mem, u64 len, const char *path,
			 struct failure *why)
{
	struct statfs fs;
	u8 *base;
	u64 file_len;
	int fd, err;

	fd = open(path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(why, -errno, "--hugetlbfs %s: %s", path,
			    strerror(errno));
	if (fstatfs(fd, &fs) < 0 || fs.f_type != HUGETLBFS_MAGIC) {
		err = fail(why, -EINVAL,
			   "--hugetlbfs %s: not a mounted hugetlbfs", path);
		goto err_close;
	}
	file_len = align_up(len, (u64)fs.f_bsize);
	if (ftruncate(fd, (off_t)file_len) < 0) {
		err = fail(why, -errno, "--hugetlbfs %s: %s", path,
			   strerror(errno));
		goto err_close;
	}
	base = mmap(NULL, file_len, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (base == MAP_FAILED) {
		err = fail(why, -errno,
			   "--hugetlbfs %s: no %llu MiB of huge pages free; "
			   "raise /proc/sys/vm/nr_hugepages",
			   path, (unsigned long long)(file_len / MIB));
		goto err_close;
	}
	mem->hva = base;
	mem->mapped_len = file_len;
	mem->is_hugetlb = true;
	mem->page_len = (u64)fs.f_bsize;
	err = 0;
err_close:
	close(fd);
	return err;
}

int memory_alloc(struct memory *mem, u64 len, const char *hugetlbfs,
		 struct failure *why)
{
	int err;

	if (hugetlbfs) {
		err = map_hugetlbfs(mem, len, hugetlbfs, why);
	} else {
		err = map_anonymous(mem, len);
		if (err)
			fail(why, err,
			     "cannot reserve %llu MiB for the guest: "
			     "%s; give less with -m",
			     (unsigned long long)(len / MIB), strerror(-err));
	}
	if (!err)
		mem->len = len;
	return err;
}

int memory_map_ram(struct memory *mem, u64 gpa, u64 len, u64 offset,
		   struct failure *why)
{
	struct ram_range *range;
	int slot;

	if (mem->nr_ram == MEMORY_MAX_RAM_RANGES ||
	    !range_within(offset, len, mem->len))
		return fail(why, -EINVAL, "RAM range at 0x%llx does not fit",
			    (unsigned long long)gpa);
	slot = memory_slot_add(mem, gpa, len, mem->hva + offset, 0);
	if (slot < 0)
		return fail(why, slot,
			    "KVM refuses %llu MiB of RAM at 0x%llx: %s",
			    (unsigned long long)(len / MIB),
			    (unsigned long long)gpa, strerror(-slot));
	range = &mem->ram[mem->nr_ram++];
	range->gpa = gpa;
	range->len = len;
	range->hva = mem->hva + offset;
	return 0;
}

void *guest_ptr(const struct memory *mem, u64 gpa, u64 len)
{
	for (unsigned int i = 0; i < mem->nr_ram; i++) {
		const struct ram_range *range = &mem->ram[i];
		u64 offset = gpa - range->gpa;

		/* Below the range, offset wraps and is refused here too. */
		if (offset < range->len &&
		    range_within(offset, len, range->len))
			return range->hva + offset;
	}
	return NULL;
}

void memory_clear(const struct memory *mem, u64 gpa, u64 len)
{
	u64 page_size = (u64)sysconf(_SC_PAGESIZE);
	u8 *start = guest_ptr(mem, gpa, len);
	size_t head, tail; /* bytes outside of whole pages */

	if (!start)
		return;
	head = align_up((uintptr_t)start, page_size) - (uintptr_t)start;
	tail = ((uintptr_t)start + len) % page_size;
	/*
	 * Huge pages of hugetlbfs can only be given back whole, and nobody
	 * gains by that: they are the guest's anyway. Pinned pages stay.
	 */
	if (mem->is_hugetlb || mem->is_pinned || len <= head + tail ||
	    madvise(start + head, len - head - tail, MADV_DONTNEED) < 0) {
		memset(start, 0, len);
		return;
	}
	memset(start, 0, head);
	memset(start + len - tail, 0, tail);
}

u64 memory_discard(const struct memory *mem, void *hva, u64 len)
{
	u64 head = align_up((uintptr_t)hva, mem->page_len) - (uintptr_t)hva;
	u64 inner;

	if (mem->is_pinned || len <= head)
		return 0;
	inner = align_down(len - head, mem->page_len);
	/* RAM is a private mapping, on hugetlbfs too (Linux 5.18). */
	if (!inner || madvise((u8 *)hva + head, inner, MADV_DONTNEED) < 0)
		return 0;
	return inner;
}

u64 memory_end(const struct memory *mem)
{
	u64 end = 0;

	for (unsigned int i = 0; i < mem->nr_ram; i++) {
		const struct ram_range *range = &mem->ram[i];

		if (range->gpa + range->len > end)
			end = range->gpa + range->len;
	}
	return end;
}
