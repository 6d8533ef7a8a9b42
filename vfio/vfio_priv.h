/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Passing PCI devices of the host through with VFIO. The parts:
 *
 *   sys.c       all that asks the host's kernel: a test puts a model in its place
 *   sysfs.c     what the host says of a device and its IOMMU group
 *   check.c     what a user forgot, and the cure
 *   iommu.c     one address space for DMA for each VM: RAM, and BARs of peers
 *   container.c, iommufd.c    the kernel's two interfaces for that
 *   device.c    the life of a device
 *   config.c    its configuration space: what the core answers, what the device
 *   bar.c       its BARs: what is mapped, what traps; rom.c: the expansion ROM
 *   irq.c       INTx, MSI and MSI-X: the host's side follows the guest's
 *   caps.c      chains of capabilities in what the kernel answers
 *
 * lkvm binds no device: "lkvm vfio check" prints how.
 */
#ifndef LKVM_VFIO_PRIV_H
#define LKVM_VFIO_PRIV_H

#include <pthread.h>
#include <sys/types.h>
#include "lkvm/config.h"
#include "lkvm/device.h"
#include "lkvm/log.h"
#include "lkvm/pci.h"
#include "lkvm/types.h"
#include "lkvm/vfio.h"

struct failure;
struct kvm;

/* ---- sys.c ---- */

/* What stands before "/sys/..." and "/dev/...": nothing, except in tests. */
const char *vfio_sys_root(void);
/* File descriptor, or negative errno. */
int vfio_sys_open(const char *path);
void vfio_sys_close(int fd); /* accepts -1 */
/* What ioctl(2) returned, or negative errno. */
int vfio_sys_ioctl(int fd, unsigned long request, void *arg);
ssize_t vfio_sys_pread(int fd, void *buf, size_t len, u64 offset);
ssize_t vfio_sys_pwrite(int fd, const void *buf, size_t len, u64 offset);
/* NULL: the host refuses. */
void *vfio_sys_mmap(int fd, u64 len, bool writable, u64 offset);
void vfio_sys_munmap(void *hva, u64 len);

/* ---- sysfs.c ---- */

#define VFIO_GROUP_MAX_DEVICES 64U

/* 0; -ENODEV: there is no such device. */
int vfio_sysfs_device(const char *name, struct vfio_host_device *out);
/* The devices of @group, in order; returns how many, cut at @max. */
unsigned int vfio_sysfs_group(int group, struct vfio_host_device *out,
			      unsigned int max);
/* Is there an iommufd that we may use? */
bool vfio_has_iommufd(void);
/* Has the host any IOMMU group? */
bool vfio_sysfs_has_iommu(void);
/* Is there a driver of that name? */
bool vfio_sysfs_has_driver(const char *name);
/* How the device can be reset, "flr bus"; "" where the host does not say. */
void vfio_sysfs_reset_method(const char *name, char *out, size_t len);

/* An address range that the IOMMU keeps for itself. */
struct vfio_reserved {
	u64 start, last;
	char type[24]; /* "msi", "reserved", "direct" */
};

/* The first reserved range of @group that overlaps [@start, @start + @len). */
bool vfio_sysfs_reserved(int group, u64 start, u64 len,
			 struct vfio_reserved *out);

/* ---- caps.c ---- */

/*
 * The capability @id of the kernel's answer @info, which is @len bytes and says
 * that the first one is at @offset. NULL: there is none, or the chain makes no
 * sense. *@cap_len: bytes from the capability's header to the answer's end.
 */
const void *vfio_find_cap(const void *info, u32 len, u32 offset, u16 id,
			  u32 *cap_len);
/*
 * Ask @request, whose answer begins with u32 argsz, until the answer fits.
 * @first_len: size of the fixed part, which *@out holds at least; free() it.
 */
int vfio_get_info(int fd, unsigned long request, u32 index, u32 first_len,
		  void **out, u32 *len);

/* ---- iommu.c ---- */

struct vfio_range {
	u64 start, last;
};

struct vfio_iommu;

struct vfio_iommu_ops {
	const char *name;
	/* File descriptor of the device; or negative errno, having said why. */
	int (*open_device)(struct vfio_iommu *iommu,
			   const struct vfio_host_device *host);
	/* @flags: KVM_MEM_READONLY or 0. Any thread. */
	int (*map)(struct vfio_iommu *iommu, u64 iova, u64 len, void *hva,
		   u32 flags);
	void (*unmap)(struct vfio_iommu *iommu, u64 iova, u64 len);
	/* Ranges that can be mapped: how many, at most @max; 0: not known. */
	unsigned int (*ranges)(struct vfio_iommu *iommu, struct vfio_range *out,
			       unsigned int max);
	void (*close)(struct vfio_iommu *iommu);
};

/* Of a container: the groups that are in it. */
struct vfio_group {
	int number, fd;
	struct vfio_group *next;
};

/* The address space that all passed-through devices of a VM share. */
struct vfio_iommu {
	const struct vfio_iommu_ops *ops;
	struct device base; /* destroyed after all devices in it */
	struct kvm *vm;
	int fd;	     /* the container, or /dev/iommu; -1 */
	u32 ioas_id; /* of iommufd */
	struct vfio_group *groups;
	bool is_set; /* the container has its IOMMU */
	int kvm_fd;  /* KVM's own VFIO device, told of each group; -1 */
	struct pci_memory_watch watch;
	struct log_once no_peer;
};

extern const struct vfio_iommu_ops vfio_container_ops;
extern const struct vfio_iommu_ops vfio_iommufd_ops;

/* Create and register with @vm; @ops says how. */
int vfio_iommu_create(struct kvm *vm, const struct vfio_iommu_ops *ops,
		      struct vfio_iommu **out);
/* All devices are open: map RAM, from now on also BARs that come. */
int vfio_iommu_map_ram(struct vfio_iommu *iommu);
/* KVM learns of a group or device fd, for cache coherency. */
void vfio_iommu_tell_kvm(struct vfio_iommu *iommu, int fd);

/* ---- device.c ---- */

#define VFIO_MAX_PIECES 8U
#define VFIO_BARS 6U
#define VFIO_MAX_VECTORS 2048U

/* A region of the device, as the kernel describes it. */
struct vfio_region {
	u64 offset; /* in the device's file */
	u64 size;   /* 0: there is none */
	bool can_read, can_write, can_mmap;
	struct pci_memory pieces[VFIO_MAX_PIECES]; /* mapped; BARs only */
	unsigned int nr_pieces;
};

/* How the host's side signals interrupts. */
enum vfio_irq_mode {
	VFIO_IRQ_NONE,
	VFIO_IRQ_INTX,
	VFIO_IRQ_MSI,
	VFIO_IRQ_MSIX,
};

struct vfio_irqs {
	pthread_mutex_t lock; /* guards all below */
	enum vfio_irq_mode mode;
	int intx_fd, unmask_fd; /* eventfds; -1 */
	bool intx_attached;
	/* One for each message vector that the guest ever enabled, else -1. */
	int *fds;
	unsigned int nr_fds;	/* length of fds; const */
	bool can_grow;		/* vectors can be added to those; const */
	unsigned int nr_active; /* vectors that the host has now */
	struct log_once failed;
};

struct vfio_device {
	struct device base;
	struct pci_function fn;
	const struct vfio_config *config;
	struct vfio_host_device host;
	int fd; /* -1 before it is open */
	bool can_reset;
	u8 raw[PCI_CONFIG_LEN]; /* configuration space as it was at start */
	u32 config_len;		/* bytes of it that there are */
	struct vfio_region config_space;
	struct vfio_region bars[VFIO_BARS];
	u32 nr_irqs[VFIO_IRQ_MSIX + 1]; /* that the host offers, by mode */
	/* Bits of configuration space that the core answers. Const. */
	u8 held[PCI_CONFIG_LEN];
	u8 *rom; /* rom_len bytes, mapped; NULL: none */
	u64 rom_len;
	struct pci_memory rom_piece;
	struct vfio_irqs irqs;
};

/* Read region @index's description. */
int vfio_device_region(struct vfio_device *dev, u32 index,
		       struct vfio_region *out, void **info, u32 *info_len);

/* ---- config.c ---- */

/*
 * Copy the device's configuration space to @fn, decide who answers what, and
 * adopt its MSI and MSI-X capabilities. BARs exist.
 */
int vfio_config_init(struct vfio_device *dev);
/* Read the header, so that BARs can be made. Before vfio_config_init(). */
int vfio_config_load(struct vfio_device *dev);
/* The device's command register, for a guest that wrote @guest to its own. */
void vfio_config_command(struct vfio_device *dev, u16 guest);
void vfio_config_read(struct pci_function *fn, unsigned int offset,
		      unsigned int len);
void vfio_config_written(struct pci_function *fn, unsigned int offset,
			 unsigned int len, u32 value);
/* The header is from a device; may be anything. For tests and the fuzzer. */
void vfio_config_sanitize(u8 *config, u32 len, u8 *held);
/* Offset of capability @id, or 0. */
unsigned int vfio_config_find(const u8 *config, u8 id);

/* ---- bar.c, rom.c ---- */

int vfio_bars_init(struct vfio_device *dev);
void vfio_bars_release(struct vfio_device *dev);
enum bus_result vfio_bar_access(struct pci_function *fn, unsigned int bar,
				struct bus_access *acc);
int vfio_rom_init(struct vfio_device *dev);
void vfio_rom_release(struct vfio_device *dev);
enum bus_result vfio_rom_access(struct vfio_device *dev,
				struct bus_access *acc);

/* ---- irq.c ---- */

/* What needs no device: vfio_irqs_release() may be called from then on. */
void vfio_irqs_prepare(struct vfio_device *dev);
int vfio_irqs_init(struct vfio_device *dev);
/* The host signals nothing any more. */
void vfio_irqs_stop(struct vfio_device *dev);
/* Make the host's side what the guest's registers now say. Any thread. */
void vfio_irqs_sync(struct vfio_device *dev);
void vfio_irqs_release(struct vfio_device *dev);
/* ops->msix_written of the PCI core. */
void vfio_msix_written(struct pci_function *fn, unsigned int first,
		       unsigned int nr);

/* ---- check.c ---- */

/* The shell commands, for root, that give @host to vfio-pci. */
void vfio_bind_commands(const struct vfio_host_device *host, char *out,
			size_t len);
/* Does it keep its group from being a VM's? */
bool vfio_is_in_the_way(const struct vfio_host_device *host);

/*
 * All that keeps @host from being passed through by a VM with @ram_len bytes of
 * RAM, except what only trying shows. 0; or negative errno, and @why with a cure.
 */
int vfio_check(const struct vfio_host_device *host, u64 ram_len,
	       bool with_iommufd, struct failure *why);

#endif
