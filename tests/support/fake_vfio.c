/* SPDX-License-Identifier: GPL-2.0-only */
#include "fake_vfio.h"

#include <errno.h>
#include <ftw.h>
#include <linux/kvm.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "vfio/uapi.h"
#include "vfio/vfio_priv.h"

/* Descriptors of no kernel. */
#define CONTAINER_FD 100000
#define GROUP_FD 100001
#define DEVICE_FD 100002
#define IOMMU_FD 100003
#define KVM_DEVICE_FD 100004

#define REGION_SHIFT 40

struct fake_vfio fake_vfio;

const char *vfio_sys_root(void)
{
	return fake_vfio.root;
}

/* ---- Files ---- */

static void make_parents(const char *path)
{
	char part[256];

	snprintf(part, sizeof(part), "%s%s", fake_vfio.root, path);
	for (char *slash = strchr(part + strlen(fake_vfio.root) + 1, '/');
	     slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(part, 0700);
		*slash = '/';
	}
}

void fake_vfio_file(const char *path, const char *text)
{
	char full[256];
	FILE *file;

	make_parents(path);
	snprintf(full, sizeof(full), "%s%s", fake_vfio.root, path);
	file = fopen(full, "w");
	if (!file)
		abort();
	fputs(text, file);
	fclose(file);
}

void fake_vfio_link(const char *path, const char *target)
{
	char full[256];

	make_parents(path);
	snprintf(full, sizeof(full), "%s%s", fake_vfio.root, path);
	unlink(full);
	if (symlink(target, full))
		abort();
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *where)
{
	return remove(path);
}

void fake_vfio_remove(const char *path)
{
	char full[256];

	snprintf(full, sizeof(full), "%s%s", fake_vfio.root, path);
	if (nftw(full, remove_one, 8, FTW_DEPTH | FTW_PHYS))
		abort();
}

static void device_file(const char *name, const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", name, file);
	fake_vfio_file(path, text);
}

static void device_link(const char *name, const char *file, const char *target)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", name, file);
	fake_vfio_link(path, target);
}

void fake_vfio_add_sibling(const char *name, const char *class_code,
			   const char *driver)
{
	char path[128];

	device_file(name, "vendor", "0x8086\n");
	device_file(name, "device", "0x1234\n");
	device_file(name, "class", class_code);
	device_link(name, "iommu_group", "../../../kernel/iommu_groups/7");
	if (driver) {
		snprintf(path, sizeof(path), "../../drivers/%s", driver);
		device_link(name, "driver", path);
	}
	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/7/devices/%s",
		 name);
	fake_vfio_file(path, "");
}

/* ---- The device ---- */

void fake_vfio_put(unsigned int offset, unsigned int len, u32 value)
{
	for (unsigned int i = 0; i < len; i++)
		fake_vfio.config[offset + i] = (u8)(value >> (8 * i));
}

u32 fake_vfio_get(unsigned int offset, unsigned int len)
{
	u32 value = 0;

	for (unsigned int i = 0; i < len; i++)
		value |= (u32)fake_vfio.config[offset + i] << (8 * i);
	return value;
}

void fake_vfio_add_cap(unsigned int offset, u8 id)
{
	unsigned int link = PCI_CAPABILITY_LIST;

	while (fake_vfio.config[link])
		link = fake_vfio.config[link] + 1U;
	fake_vfio.config[link] = (u8)offset;
	fake_vfio.config[offset] = id;
	fake_vfio.config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
}

void fake_vfio_add_bar(unsigned int bar, u32 flags, u64 size)
{
	fake_vfio_put(PCI_BASE_ADDRESS_0 + 4 * bar, 4, 0xf0000000 | flags);
	fake_vfio.regions[bar].size = size;
	if (flags & PCI_BASE_ADDRESS_SPACE_IO)
		fake_vfio.regions[bar].no_mmap = true;
}

void fake_vfio_add_msix(unsigned int offset, unsigned int vectors, u32 table,
			u32 pba)
{
	fake_vfio_add_cap(offset, PCI_CAP_ID_MSIX);
	fake_vfio_put(offset + PCI_MSIX_FLAGS, 2, vectors - 1);
	fake_vfio_put(offset + PCI_MSIX_TABLE, 4, table);
	fake_vfio_put(offset + PCI_MSIX_PBA, 4, pba);
	fake_vfio.nr_irqs[VFIO_PCI_MSIX_IRQ_INDEX] = vectors;
}

void fake_vfio_init(void)
{
	fake_vfio = (struct fake_vfio){
		.root = "/tmp/fake_vfio.XXXXXX",
		.config_len = 256,
		.nr_irqs = { 1, 0, 0 },
		.can_reset = true,
		.unmask_fd = -1,
	};
	if (!mkdtemp(fake_vfio.root))
		abort();
	memset(fake_vfio.irq_fds, 0xff, sizeof(fake_vfio.irq_fds));
	fake_vfio_put(PCI_VENDOR_ID, 4, 0x12348086);
	fake_vfio_put(PCI_CLASS_REVISION, 4, 0x02000003);
	fake_vfio_put(PCI_INTERRUPT_LINE, 2, 0x020b);
	fake_vfio_put(PCI_HEADER_TYPE, 1, 0x80);
	fake_vfio_add_sibling(FAKE_VFIO_NAME, "0x020000\n", "vfio-pci");
	device_file(FAKE_VFIO_NAME, "reset_method", "flr bus\n");
	fake_vfio_file("/sys/bus/pci/drivers/vfio-pci/bind", "");
	fake_vfio_file(
		"/sys/kernel/iommu_groups/7/reserved_regions",
		"0x0000000000000000 0x0000000000ffffff direct-relaxable\n"
		"0x00000000fee00000 0x00000000feefffff msi\n");
	fake_vfio_file("/dev/vfio/vfio", "");
	fake_vfio_file("/dev/vfio/7", "");
}

void fake_vfio_release(void)
{
	for (unsigned int i = 0; i < FAKE_VFIO_REGIONS; i++)
		free(fake_vfio.regions[i].bytes);
	fake_vfio_remove("");
}

/* ---- Files of the kernel's ---- */

int vfio_sys_open(const char *path)
{
	path += strlen(fake_vfio.root);
	fake_vfio.nr_open++;
	if (!strcmp(path, "/dev/vfio/vfio"))
		return CONTAINER_FD;
	if (!strcmp(path, "/dev/vfio/7"))
		return GROUP_FD;
	if (!strcmp(path, "/dev/iommu"))
		return IOMMU_FD;
	if (!strcmp(path, "/dev/vfio/devices/vfio0"))
		return DEVICE_FD;
	fake_vfio.nr_open--;
	return -ENOENT;
}

void vfio_sys_close(int fd)
{
	if (fd >= 0)
		fake_vfio.nr_open--;
}

static u8 *region_bytes(unsigned int index)
{
	struct fake_vfio_region *region = &fake_vfio.regions[index];

	if (!region->bytes)
		region->bytes =
			aligned_alloc(4096, align_up(region->size, 4096));
	if (!region->bytes)
		abort();
	return region->bytes;
}

/* The bytes that an access reaches, or NULL. */
static u8 *find_bytes(u64 offset, size_t len)
{
	unsigned int index = (unsigned int)(offset >> REGION_SHIFT);

	offset &= BIT64(REGION_SHIFT) - 1;
	if (index == VFIO_PCI_CONFIG_REGION_INDEX)
		return range_within(offset, len, fake_vfio.config_len)
			       ? fake_vfio.config + offset
			       : NULL;
	if (index >= FAKE_VFIO_REGIONS ||
	    !range_within(offset, len, fake_vfio.regions[index].size))
		return NULL;
	return region_bytes(index) + offset;
}

ssize_t vfio_sys_pread(int fd, void *buf, size_t len, u64 offset)
{
	const u8 *bytes = find_bytes(offset, len);

	if (fd != DEVICE_FD || !bytes)
		return -EINVAL;
	memcpy(buf, bytes, len);
	return (ssize_t)len;
}

ssize_t vfio_sys_pwrite(int fd, const void *buf, size_t len, u64 offset)
{
	u8 *bytes = find_bytes(offset, len);

	if (fd != DEVICE_FD || !bytes)
		return -EINVAL;
	if (offset >> REGION_SHIFT == VFIO_PCI_CONFIG_REGION_INDEX) {
		fake_vfio.nr_config_writes++;
		fake_vfio.last_config_offset = offset &
					       (BIT64(REGION_SHIFT) - 1);
		fake_vfio.last_config_len = (unsigned int)len;
	}
	memcpy(bytes, buf, len);
	return (ssize_t)len;
}

void *vfio_sys_mmap(int fd, u64 len, bool writable, u64 offset)
{
	return find_bytes(offset, len);
}

void vfio_sys_munmap(void *hva, u64 len)
{
}

/* ---- Requests ---- */

static int region_info(struct vfio_region_info *info)
{
	struct vfio_region_info_cap_sparse_mmap *cap;
	const struct fake_vfio_region *region;
	u32 need;

	if (info->index >= FAKE_VFIO_REGIONS)
		return -EINVAL;
	region = &fake_vfio.regions[info->index];
	info->offset = (u64)info->index << REGION_SHIFT;
	info->size = info->index == VFIO_PCI_CONFIG_REGION_INDEX
			     ? fake_vfio.config_len
			     : region->size;
	info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	info->cap_offset = 0;
	if (region->size && !region->no_mmap)
		info->flags |= VFIO_REGION_INFO_FLAG_MMAP;
	if (!region->nr_sparse && !region->bad_caps)
		return 0;
	info->flags |= VFIO_REGION_INFO_FLAG_CAPS;
	need = (u32)(sizeof(*info) + sizeof(*cap) +
		     region->nr_sparse * sizeof(cap->areas[0]));
	if (info->argsz < need) {
		info->argsz = need;
		return 0;
	}
	info->argsz = need;
	info->cap_offset = sizeof(*info);
	cap = (void *)(info + 1);
	*cap = (struct vfio_region_info_cap_sparse_mmap){
		.header.id = VFIO_REGION_INFO_CAP_SPARSE_MMAP,
		.header.version = 1,
		.nr_areas = region->nr_sparse,
	};
	memcpy(cap->areas, region->sparse,
	       region->nr_sparse * sizeof(cap->areas[0]));
	if (region->bad_caps) {
		cap->header.id = 99;
		cap->header.next = sizeof(*info);
	}
	return 0;
}

static int iommu_info(struct vfio_iommu_type1_info *info)
{
	struct vfio_iommu_type1_info_cap_iova_range *cap;
	u32 need = (u32)(sizeof(*info) + sizeof(*cap) +
			 fake_vfio.nr_ranges * sizeof(cap->iova_ranges[0]));

	if (!fake_vfio.nr_ranges)
		return 0;
	info->flags = VFIO_IOMMU_INFO_CAPS;
	info->cap_offset = 0;
	if (info->argsz >= need) {
		info->cap_offset = sizeof(*info);
		cap = (void *)(info + 1);
		cap->header.id = VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE;
		cap->nr_iovas = fake_vfio.nr_ranges;
		for (unsigned int i = 0; i < fake_vfio.nr_ranges; i++) {
			cap->iova_ranges[i].start = fake_vfio.ranges[i].start;
			cap->iova_ranges[i].end = fake_vfio.ranges[i].end;
		}
	}
	info->argsz = need;
	return 0;
}

static int irq_info(struct vfio_irq_info *info)
{
	if (info->index > VFIO_PCI_MSIX_IRQ_INDEX)
		return -EINVAL;
	info->flags = VFIO_IRQ_INFO_EVENTFD;
	if (info->index != VFIO_PCI_INTX_IRQ_INDEX && !fake_vfio.can_grow)
		info->flags |= VFIO_IRQ_INFO_NORESIZE;
	info->count = fake_vfio.nr_irqs[info->index];
	return 0;
}

/* As vfio_pci_set_msi_trigger() and its like in the kernel. */
static int set_irqs(const struct vfio_irq_set *set)
{
	u32 *enabled = &fake_vfio.nr_enabled[set->index];
	const int *fds = (const int *)(const void *)set->data;

	if (!set->count) {
		*enabled = 0;
		memset(fake_vfio.irq_fds[set->index], 0xff,
		       sizeof(fake_vfio.irq_fds[0]));
		return 0;
	}
	if (set->start + set->count > fake_vfio.nr_irqs[set->index])
		return -EINVAL;
	if (set->flags & VFIO_IRQ_SET_ACTION_UNMASK) {
		fake_vfio.unmask_fd = fds[0];
		return *enabled ? 0 : -EINVAL;
	}
	for (unsigned int i = 0; i < 3; i++)
		if (i != set->index && fake_vfio.nr_enabled[i])
			return -EINVAL;
	if (!*enabled)
		fake_vfio.nr_enables[set->index]++;
	else if (set->start + set->count > *enabled && !fake_vfio.can_grow)
		return -EINVAL;
	if (*enabled < set->start + set->count)
		*enabled = set->start + set->count;
	memcpy(&fake_vfio.irq_fds[set->index][set->start], fds,
	       set->count * sizeof(*fds));
	return 0;
}

static int add_map(u64 iova, u64 len, bool is_writable)
{
	if (fake_vfio.nr_maps == FAKE_VFIO_MAX_MAPS)
		return -ENOSPC;
	fake_vfio.maps[fake_vfio.nr_maps++] =
		(struct fake_vfio_map){ iova, len, is_writable };
	return 0;
}

static int remove_map(u64 iova, u64 len)
{
	for (unsigned int i = 0; i < fake_vfio.nr_maps; i++) {
		struct fake_vfio_map *map = &fake_vfio.maps[i];

		if (map->iova != iova || map->len != len)
			continue;
		*map = fake_vfio.maps[--fake_vfio.nr_maps];
		return 0;
	}
	return 0;
}

static int iova_ranges(struct iommufd_uapi_ranges *request)
{
	struct iommufd_uapi_range *out =
		(void *)(uintptr_t)request->allowed_iovas;

	for (unsigned int i = 0; i < fake_vfio.nr_ranges; i++)
		out[i] = (struct iommufd_uapi_range){ fake_vfio.ranges[i].start,
						      fake_vfio.ranges[i].end };
	request->num_iovas = fake_vfio.nr_ranges;
	return 0;
}

int vfio_sys_ioctl(int fd, unsigned long request, void *arg)
{
	if (request == fake_vfio.failing)
		return fake_vfio.failure;
	switch (request) {
	case KVM_CREATE_DEVICE:
		((struct kvm_create_device *)arg)->fd = KVM_DEVICE_FD;
		fake_vfio.nr_open++;
		return 0;
	case VFIO_GET_API_VERSION:
		return VFIO_API_VERSION;
	case VFIO_CHECK_EXTENSION:
		return 1;
	case VFIO_GROUP_GET_STATUS:
		((struct vfio_group_status *)arg)->flags =
			VFIO_GROUP_FLAGS_VIABLE;
		return 0;
	case KVM_SET_DEVICE_ATTR:
	case VFIO_GROUP_SET_CONTAINER:
	case VFIO_SET_IOMMU:
		return 0;
	case VFIO_GROUP_GET_DEVICE_FD:
		fake_vfio.nr_open++;
		return strcmp(arg, FAKE_VFIO_NAME) ? -ENODEV : DEVICE_FD;
	case VFIO_DEVICE_GET_INFO:
		((struct vfio_device_info *)arg)->flags =
			VFIO_DEVICE_FLAGS_PCI |
			(fake_vfio.can_reset ? VFIO_DEVICE_FLAGS_RESET : 0);
		return 0;
	case VFIO_DEVICE_GET_REGION_INFO:
		return region_info(arg);
	case VFIO_DEVICE_GET_IRQ_INFO:
		return irq_info(arg);
	case VFIO_DEVICE_SET_IRQS:
		return set_irqs(arg);
	case VFIO_DEVICE_RESET:
		fake_vfio.nr_resets++;
		return 0;
	case VFIO_IOMMU_MAP_DMA: {
		const struct vfio_iommu_type1_dma_map *map = arg;

		return add_map(map->iova, map->size,
			       map->flags & VFIO_DMA_MAP_FLAG_WRITE);
	}
	case VFIO_IOMMU_UNMAP_DMA: {
		const struct vfio_iommu_type1_dma_unmap *unmap = arg;

		return remove_map(unmap->iova, unmap->size);
	}
	case IOMMUFD_UAPI_IOAS_ALLOC:
		((struct iommufd_uapi_ioas_alloc *)arg)->out_ioas_id = 5;
		return 0;
	case VFIO_UAPI_BIND_IOMMUFD:
		return ((struct vfio_uapi_bind *)arg)->iommufd == IOMMU_FD
			       ? 0
			       : -EINVAL;
	case VFIO_UAPI_ATTACH_IOMMUFD_PT:
		return ((struct vfio_uapi_attach *)arg)->pt_id == 5 ? 0
								    : -EINVAL;
	case IOMMUFD_UAPI_IOAS_MAP: {
		const struct iommufd_uapi_map *map = arg;

		return add_map(map->iova, map->length,
			       map->flags & IOMMUFD_UAPI_WRITEABLE);
	}
	case IOMMUFD_UAPI_IOAS_UNMAP: {
		const struct iommufd_uapi_unmap *unmap = arg;

		return remove_map(unmap->iova, unmap->length);
	}
	case VFIO_IOMMU_GET_INFO:
		return iommu_info(arg);
	case IOMMUFD_UAPI_IOVA_RANGES:
		return iova_ranges(arg);
	default:
		return -ENOTTY;
	}
}
