/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs on the machine that builds lkvm: makes the filters from the lists in
 * confine_rules.c and prints them as C, so that lkvm needs neither libseccomp nor
 * the time that it takes.
 *
 * usage: confine_gen x86|arm glibc|other
 */
#include "confine_rules.h"

#include <errno.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Calls of Linux have numbers below that. */
#define MAX_CALLS 600
#define MAX_INSNS 4096

/* lkvm is built with glibc, which has no use for tkill(). */
static bool is_for_glibc;

static void die(const char *what, const char *which, int err)
{
	fprintf(stderr, "confine_gen: %s %s: %s\n", what, which,
		strerror(-err));
	exit(1);
}

static void add_rule(scmp_filter_ctx filter, const struct confine_rule *rule)
{
	uint32_t action = rule->is_refused ? SCMP_ACT_ERRNO(ENOSYS)
					   : SCMP_ACT_ALLOW;
	int call = seccomp_syscall_resolve_name(rule->name);
	struct scmp_arg_cmp cmp = { rule->arg, SCMP_CMP_MASKED_EQ, rule->mask,
				    rule->value };
	int err;

	if (is_for_glibc && !strcmp(rule->name, "tkill"))
		return;
	if (call == __NR_SCMP_ERROR) {
		if (!rule->is_optional)
			die("libseccomp does not know", rule->name, -ENOSYS);
		return;
	}
	err = seccomp_rule_add_array(filter, action, call, rule->mask ? 1 : 0,
				     &cmp);
	if (err && err != -EEXIST)
		die("rule for", rule->name, err);
}

static void add_rules(scmp_filter_ctx filter,
		      const struct confine_kind_rules *kind)
{
	const struct confine_rule *rule;
	unsigned int i;

	for (i = 0; i < CONFINE_MAX_LISTS && kind->lists[i]; i++)
		for (rule = kind->lists[i]; rule->name; rule++)
			add_rule(filter, rule);
}

static scmp_filter_ctx create_filter(uint32_t arch)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
	int err = filter ? 0 : -ENOMEM;

	if (!err)
		err = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH,
				       SCMP_ACT_TRAP);
	/* A binary tree: the kernel tries the filter on every call at once. */
	if (!err)
		err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (!err && arch != seccomp_arch_native()) {
		err = seccomp_arch_remove(filter, SCMP_ARCH_NATIVE);
		if (!err)
			err = seccomp_arch_add(filter, arch);
	}
	if (err)
		die("libseccomp", "filter", err);
	return filter;
}

/* The instructions, by way of a file, which is all that libseccomp offers. */
static unsigned int export_filter(scmp_filter_ctx filter,
				  struct sock_filter insns[MAX_INSNS])
{
	FILE *file = tmpfile();
	size_t nr;
	int err;

	if (!file)
		die("temporary", "file", -errno);
	err = seccomp_export_bpf(filter, fileno(file));
	if (err)
		die("libseccomp", "export", err);
	rewind(file);
	nr = fread(insns, sizeof(*insns), MAX_INSNS, file);
	if (!nr || nr == MAX_INSNS)
		die("filter", "length", -EFBIG);
	fclose(file);
	return (unsigned int)nr;
}

static unsigned int print_filter(const struct confine_kind_rules *kind,
				 uint32_t arch)
{
	static struct sock_filter insns[MAX_INSNS];
	scmp_filter_ctx filter = create_filter(arch);
	unsigned int nr;

	add_rules(filter, kind);
	nr = export_filter(filter, insns);
	seccomp_release(filter);
	printf("static const struct sock_filter confine_%s[] = {\n",
	       kind->name);
	for (unsigned int i = 0; i < nr; i++)
		printf("\t{ 0x%02x, %u, %u, 0x%08x },\n", insns[i].code,
		       insns[i].jt, insns[i].jf, insns[i].k);
	printf("};\n\n");
	return nr;
}

static void print_filters(uint32_t arch)
{
	unsigned int max = 0;

	for (int i = 0; i < CONFINE_KINDS; i++) {
		unsigned int nr = print_filter(&confine_kinds[i], arch);

		if (nr > max)
			max = nr;
	}
	printf("#define CONFINE_MAX_INSNS %u\n\n"
	       "static const struct confine_filter confine_filters[] = {\n",
	       max);
	for (int i = 0; i < CONFINE_KINDS; i++) {
		const char *name = confine_kinds[i].name;

		printf("\t{ confine_%s, sizeof(confine_%s) /\n"
		       "\t\tsizeof(confine_%s[0]) },\n",
		       name, name, name);
	}
	printf("};\n\n");
}

/* One string for all names, in the order of numbers: no relocations. */
static void print_names(uint32_t arch)
{
	printf("static const char confine_call_names[] =\n");
	for (int call = 0; call < MAX_CALLS; call++) {
		char *name = seccomp_syscall_resolve_num_arch(arch, call);

		printf("\t\"%s\\0\"\n", name ? name : "");
		free(name);
	}
	printf("\t;\n#define CONFINE_NAMED_CALLS %d\n", MAX_CALLS);
}

int main(int argc, char **argv)
{
	uint32_t arch;

	if (argc != 3)
		die("usage:", "confine_gen x86|arm glibc|other", -EINVAL);
	is_for_glibc = !strcmp(argv[2], "glibc");
	arch = strcmp(argv[1], "arm") ? SCMP_ARCH_X86_64 : SCMP_ARCH_AARCH64;
	printf("/* Made by tools/confine_gen.c. */\n"
	       "#include <linux/filter.h>\n"
	       "#include \"confine_priv.h\"\n\n"
	       "#define CONFINE_AUDIT_ARCH 0x%08xU\n\n",
	       arch);
	print_filters(arch);
	print_names(arch);
	return fflush(stdout) || ferror(stdout);
}
