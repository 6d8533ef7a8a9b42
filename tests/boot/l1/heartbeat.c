// SPDX-License-Identifier: GPL-2.0-only
/*
 * Has the HPET of L1 interrupt four times a second, for ever. QEMU's emulated
 * SVM changes the set of pending interrupts without a lock, so that now and
 * then one is lost; an idle L1 that lost its timer's interrupt would wait for
 * it for ever (HLT=1, vector 236 in the IRR). Any other interrupt brings it
 * back. The HPET runs on the clock that counts instructions, so that the
 * figures of the exact bench still repeat.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/hpet.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(void)
{
	int fd = open("/dev/hpet", O_RDONLY);

	if (fd < 0 || ioctl(fd, HPET_IRQFREQ, 4) < 0 ||
	    ioctl(fd, HPET_EPI, 0) < 0 || ioctl(fd, HPET_IE_ON, 0) < 0) {
		printf("heartbeat: /dev/hpet: %s\n", strerror(errno));
		return 1;
	}
	for (;;)
		pause();
}
