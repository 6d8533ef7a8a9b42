// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an exit costs in user space, without KVM: ioport_handle_exit() and
 * mmio_handle_exit() on a made-up struct kvm_run, with 10 and 1,000 registered
 * ranges, one and two threads at once.
 *
 *   dispatch [ROUNDS]
 *
 * Prints nanoseconds of the thread's CPU time per exit, the median of rounds.
 */
#include <err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "lkvm/bus.h"
#include "lkvm/failure.h"
#include "lkvm/ioport.h"
#include "lkvm/kvm.h"
#include "lkvm/mmio.h"
#include "lkvm/vcpu.h"

#define EXITS 200000U
#define MAX_RANGES 1000U
#define MAX_THREADS 2U
#define MAX_ROUNDS 101U
#define RANGE_LEN 8U
#define RANGE_STEP 64U
#define MMIO_BASE 0xc0000000ULL

static struct failure failure = FAILURE_INIT;
static const struct kvm_config config;
static struct bus_region regions[2][MAX_RANGES];

struct worker {
	struct kvm *vm;
	unsigned int ranges;
	bool is_mmio;
	u32 random;
	double ns; /* per exit */
	pthread_t thread;
	pthread_barrier_t *start;
};

static enum bus_result access_cb(void *opaque, struct bus_access *acc)
{
	return BUS_HANDLED;
}

static void add_regions(struct bus *bus, struct bus_region *list, u64 base,
			unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		list[i] = (struct bus_region){ .start = base + i * RANGE_STEP,
					       .len = RANGE_LEN,
					       .name = "bench",
					       .access = access_cb };
		if (bus_add(bus, &list[i]))
			errx(1, "%s", failure.text);
	}
}

static void remove_regions(struct bus *bus, struct bus_region *list,
			   unsigned int nr)
{
	while (nr)
		bus_remove(bus, &list[--nr]);
}

/* Any range, unpredictably: a branch predictor must not learn the way. */
static u64 next_address(struct worker *w, u64 base)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 17;
	w->random ^= w->random << 5;
	return base + w->random % w->ranges * RANGE_STEP;
}

static void one_port_exit(struct worker *w, struct vcpu *vcpu)
{
	vcpu->run->io.port = (u16)next_address(w, 0);
	ioport_handle_exit(vcpu);
}

static void one_mmio_exit(struct worker *w, struct vcpu *vcpu)
{
	vcpu->run->mmio.phys_addr = next_address(w, MMIO_BASE);
	mmio_handle_exit(vcpu);
}

static double thread_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static void run_exits(struct worker *w, struct vcpu *vcpu)
{
	unsigned int i;
	double start;

	pthread_barrier_wait(w->start);
	start = thread_ns();
	for (i = 0; i < EXITS; i++) {
		if (w->is_mmio)
			one_mmio_exit(w, vcpu);
		else
			one_port_exit(w, vcpu);
	}
	w->ns = (thread_ns() - start) / EXITS;
}

static void *work(void *opaque)
{
	struct worker *w = opaque;
	struct kvm_run *run = aligned_alloc(4096, 8192);
	struct vcpu vcpu = { .vm = w->vm, .run = run };

	if (!run)
		errx(1, "out of memory");
	bus_attach(&w->vm->ports, &vcpu.port_reader);
	bus_attach(&w->vm->mmio, &vcpu.mmio_reader);
	if (w->is_mmio) {
		run->mmio.len = 4;
		run->mmio.is_write = 1;
	} else {
		run->io.direction = KVM_EXIT_IO_OUT;
		run->io.size = 1;
		run->io.count = 1;
		run->io.data_offset = 4096;
	}
	run_exits(w, &vcpu);
	bus_detach(&w->vm->mmio, &vcpu.mmio_reader);
	bus_detach(&w->vm->ports, &vcpu.port_reader);
	free(run);
	return NULL;
}

/* One round: the mean over threads of the cost of an exit. */
static double round_ns(struct kvm *vm, bool is_mmio, unsigned int ranges,
		       unsigned int threads)
{
	struct worker workers[MAX_THREADS];
	pthread_barrier_t start;
	double sum = 0;
	unsigned int i;

	pthread_barrier_init(&start, NULL, threads);
	for (i = 0; i < threads; i++) {
		workers[i] = (struct worker){ .vm = vm,
					      .ranges = ranges,
					      .is_mmio = is_mmio,
					      .random = 2463534242U + i,
					      .start = &start };
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			errx(1, "no thread");
	}
	for (i = 0; i < threads; i++) {
		pthread_join(workers[i].thread, NULL);
		sum += workers[i].ns;
	}
	pthread_barrier_destroy(&start);
	return sum / threads;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void bench(struct kvm *vm, unsigned int rounds, unsigned int ranges)
{
	double ns[2][MAX_THREADS][MAX_ROUNDS];
	unsigned int round, threads, mmio;

	add_regions(&vm->ports, regions[0], 0, ranges);
	add_regions(&vm->mmio, regions[1], MMIO_BASE, ranges);
	for (round = 0; round < rounds; round++)
		for (threads = 1; threads <= MAX_THREADS; threads++)
			for (mmio = 0; mmio < 2; mmio++)
				ns[mmio][threads - 1][round] =
					round_ns(vm, mmio, ranges, threads);
	for (mmio = 0; mmio < 2; mmio++) {
		printf("  %-5s %5u ranges:", mmio ? "MMIO" : "port", ranges);
		for (threads = 0; threads < MAX_THREADS; threads++) {
			qsort(ns[mmio][threads], rounds, sizeof(double),
			      compare);
			printf("  %u vCPU%s %6.1f", threads + 1,
			       threads ? "s" : "",
			       ns[mmio][threads][rounds / 2]);
		}
		printf("\n");
	}
	remove_regions(&vm->ports, regions[0], ranges);
	remove_regions(&vm->mmio, regions[1], ranges);
}

int main(int argc, char **argv)
{
	static struct kvm vm = { .config = &config };
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 11;

	if (!rounds || rounds > MAX_ROUNDS)
		errx(2, "1 to %u rounds", MAX_ROUNDS);
	bus_init(&vm.ports, "port", &failure);
	bus_init(&vm.mmio, "MMIO", &failure);
	bench(&vm, (unsigned int)rounds, 10);
	bench(&vm, (unsigned int)rounds, 1000);
	bus_release(&vm.mmio);
	bus_release(&vm.ports);
	return 0;
}
