/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the user asked for: filled in by builtin-run.c from the command line,
 * const from then on. Strings are borrowed from argv or owned by the config.
 */
#ifndef LKVM_CONFIG_H
#define LKVM_CONFIG_H

#include "lkvm/display.h"
#include "lkvm/image.h"
#include "lkvm/types.h"
#include "lkvm/vfio.h"

struct arch_config;
struct net;

#define CONFIG_MAX_DISKS 31 /* as many as the PCI bus has slots for */
#define CONFIG_MAX_SHARES 16
#define CONFIG_MAX_TTYS 4
#define CONFIG_MAX_PORTS 16
#define CONFIG_PORT_NAME_LEN 64
#define CONFIG_MAX_SCSI 4
#define CONFIG_MAX_VFIO 31
#define CONFIG_MAX_NICS 8
#define CONFIG_MAX_NET_PAIRS 8
#define CONFIG_MAX_FORWARDS 32

enum disk_format {
	DISK_FORMAT_RAW,
	DISK_FORMAT_QCOW2,
};

struct disk_config {
	const char *path;
	const char *serial; /* NULL or empty: one made of the image's inode */
	enum disk_format format;
	bool read_only;
	bool direct;	     /* O_DIRECT: past the host's page cache */
	bool backing;	     /* qcow2: the image may name a backing file */
	unsigned int queues; /* 0: as many as suit the CPUs */
};

/* A directory that the guest mounts by its tag. */
struct share_config {
	const char *path;
	const char *tag;
	bool read_only;
	bool mapped; /* security=mapped, not passthrough */
};

/* A target of the host's kernel. */
struct scsi_config {
	char wwpn[224]; /* as long as vhost_wwpn in linux/vhost_types.h */
};

struct vfio_config {
	char name[VFIO_NAME_LEN];
	bool rom_off;
	const char *romfile; /* instead of the device's ROM, or NULL; owned */
};

enum iommufd_mode {
	IOMMUFD_AUTO, /* where kernel and devices have it */
	IOMMUFD_ON,
	IOMMUFD_OFF, /* containers and groups */
};

/* What is at the host's end of a port of the virtio console. */
enum port_kind {
	PORT_PTY,    /* a new pseudo-terminal */
	PORT_FILE,   /* output only */
	PORT_UNIX,   /* a socket, for one program at a time */
	PORT_STREAM, /* one of lkvm's own standard streams, or only history */
};

struct port_config {
	char name[CONFIG_PORT_NAME_LEN]; /* what the guest calls it */
	enum port_kind kind;
	const char *path;  /* of file or socket; else NULL */
	int in_fd, out_fd; /* of a stream: see chardev_open_stream() */
};

enum console_kind {
	CONSOLE_SERIAL, /* first serial port: ttyS0 */
	CONSOLE_VIRTIO, /* virtio console: hvc0 */
};

enum virtio_transport_kind {
	VIRTIO_TRANSPORT_PCI,
	VIRTIO_TRANSPORT_PCI_LEGACY,
	VIRTIO_TRANSPORT_MMIO,
	VIRTIO_TRANSPORT_MMIO_LEGACY,
};

enum net_mode {
	NET_MODE_TAP,
	NET_MODE_USER,
};

/* A port of the host that leads to one of the guest. */
struct net_forward {
	bool is_udp;
	u32 host_ip, guest_ip; /* as below; guest_ip 0: the guest's */
	u16 host_port, guest_port;
};

struct net_config {
	enum net_mode mode;
	bool is_default;    /* nobody asked for it: it may be missing */
	const char *tapif;  /* interface, or path of a macvtap; or NULL */
	int fd;		    /* of an open tap; -1: none */
	bool vhost;	    /* the kernel serves the queues */
	unsigned int pairs; /* of queues */
	const char *script; /* run with the interface's name; or NULL */
	const char *downscript;
	u32 host_ip, guest_ip; /* in the CPU's byte order */
	bool has_mac;
	u8 mac[6];
	bool has_transport; /* not as config->virtio_transport says */
	enum virtio_transport_kind transport;
	struct net_forward forwards[CONFIG_MAX_FORWARDS];
	unsigned int nr_forwards;
	struct net *net; /* open; outlives VMs that restart; owned */
};

enum reboot_action {
	REBOOT_EXIT,	/* a guest reset ends the VM */
	REBOOT_RESTART, /* a guest reset starts it again */
};

struct kvm_config {
	const char *name; /* of this VM; file-name safe */
	int kvm_fd;	  /* /dev/kvm, from host_open_kvm(); borrowed */
	unsigned int cpus;
	u64 ram_len;  /* bytes, a multiple of the page size */
	u64 ram_base; /* guest physical address; 0: the machine's own */
	const char *hugetlbfs; /* mount to take RAM from, or NULL */
	struct image kernel;   /* owned */
	struct image initrd;   /* owned; fd -1: none */
	struct image firmware; /* owned; fd -1: none. Boots instead of kernel */
	const char *firmware_path; /* --firmware, or NULL */
	const char *flash;	   /* image of the flash memory, or NULL */
	const char *cmdline;	   /* whole kernel command line, owned */
	enum console_kind console;
	bool hidden_console; /* the kernel's messages are kept, but not shown */
	bool tty_pty[CONFIG_MAX_TTYS]; /* this serial port goes to a new pty */
	struct disk_config disks[CONFIG_MAX_DISKS];
	unsigned int nr_disks;
	struct scsi_config scsi[CONFIG_MAX_SCSI];
	unsigned int nr_scsi;
	u64 vsock_cid; /* 0: no vsock */
	struct share_config shares[CONFIG_MAX_SHARES];
	unsigned int nr_shares;
	struct port_config ports[CONFIG_MAX_PORTS];
	unsigned int nr_ports;
	struct net_config nics[CONFIG_MAX_NICS];
	unsigned int nr_nics;
	enum virtio_transport_kind virtio_transport;
	bool rng;
	struct vfio_config vfio[CONFIG_MAX_VFIO];
	unsigned int nr_vfio;
	enum iommufd_mode iommufd;
	bool balloon;
	struct display_config display;
	u32 display_width, display_height; /* pixels, at start */
	const char *dump_acpi; /* folder for the ACPI tables, or NULL */
	bool dump_pci;	       /* print the PCI tree when the VM ends */
	u64 timeout_ns;	       /* 0: none */
	enum reboot_action reboot;
	bool extended_status;
	bool debug_single_step;
	bool debug_ioport;	  /* log port accesses that nobody handles */
	bool debug_mmio;	  /* the same for memory */
	u64 debug_iodelay_ns;	  /* added to every disk request */
	struct arch_config *arch; /* owned; what arch_run_options set */
};

#endif
