// SPDX-License-Identifier: GPL-2.0-only
/*
 * The option -n, --network: one network card, as words KEY=VALUE with commas
 * between them.
 */
#include "builtin-run.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "lkvm/arch.h"
#include "lkvm/failure.h"
#include "lkvm/net.h"

#define NETMASK 0xffffff00U
#define DEFAULT_NETWORK 0xc0a82100U /* 192.168.33.0 */
#define HOST_NUMBER 1U
#define GUEST_NUMBER 15U
#define MAC_LEN 6

#define FNV_OFFSET 0xcbf29ce484222325ULL
#define FNV_PRIME 0x100000001b3ULL

/* What a setter of a word has to know. */
struct word {
	const struct option *opt;
	const char *key;
	char *value; /* may be cut up and kept */
	struct net_config *nic;
	struct failure *why;
};

static int bad(const struct word *word, const char *what)
{
	return option_fail(word->opt, word->why, "%s=%s: %s", word->key,
			   word->value, what);
}

/* ---- The words ---- */

static int set_mode(struct word *word)
{
	if (!strcmp(word->value, "tap"))
		word->nic->mode = NET_MODE_TAP;
	else if (!strcmp(word->value, "user"))
		word->nic->mode = NET_MODE_USER;
	else
		return bad(word, "it is one of tap, user, none");
	return 0;
}

static int set_tapif(struct word *word)
{
	word->nic->tapif = word->value;
	return 0;
}

/* "none" is kvmtool's word for no script. */
static const char *script_path(const struct word *word)
{
	return strcmp(word->value, "none") ? word->value : NULL;
}

static int set_script(struct word *word)
{
	word->nic->script = script_path(word);
	return 0;
}

static int set_downscript(struct word *word)
{
	word->nic->downscript = script_path(word);
	return 0;
}

static int set_fd(struct word *word)
{
	u64 fd;

	if (!parse_u64(word->value, &fd) || fd < 3 || fd > INT32_MAX)
		return bad(word, "it is the number of an open tap, 3 or more");
	word->nic->fd = (int)fd;
	return 0;
}

static int set_vhost(struct word *word)
{
	if (strcmp(word->value, "0") && strcmp(word->value, "1"))
		return bad(word, "it is 0 or 1");
	word->nic->vhost = word->value[0] == '1';
	return 0;
}

static int set_mq(struct word *word)
{
	u64 pairs;

	if (!parse_u64(word->value, &pairs) || !pairs ||
	    pairs > CONFIG_MAX_NET_PAIRS)
		return bad(word, "there may be 1 to 8 pairs of queues");
	word->nic->pairs = (unsigned int)pairs;
	return 0;
}

static bool parse_ip(const char *text, u32 *ip)
{
	struct in_addr address;

	if (inet_pton(AF_INET, text, &address) != 1)
		return false;
	*ip = ntohl(address.s_addr);
	return true;
}

static int set_ip(struct word *word, u32 *ip)
{
	return parse_ip(word->value, ip) ? 0
					 : bad(word, "it is no IPv4 address");
}

static int set_host_ip(struct word *word)
{
	return set_ip(word, &word->nic->host_ip);
}

static int set_guest_ip(struct word *word)
{
	return set_ip(word, &word->nic->guest_ip);
}

/* One or two hexadecimal digits, and the character behind them. */
static const char *parse_hex(const char *text, u8 *out)
{
	static const char digits[] = "0123456789abcdef";
	unsigned int value = 0, nr = 0;
	const char *digit;

	for (; nr < 2 && isxdigit((unsigned char)*text); nr++, text++) {
		digit = strchr(digits, tolower((unsigned char)*text));
		value = value << 4 | (unsigned int)(digit - digits);
	}
	*out = (u8)value;
	return nr ? text : NULL;
}

static bool parse_mac(const char *text, u8 *mac)
{
	for (unsigned int i = 0; i < MAC_LEN; i++) {
		text = parse_hex(text, &mac[i]);
		if (!text || *text++ != (i < MAC_LEN - 1 ? ':' : '\0'))
			return false;
	}
	return true;
}

static int set_guest_mac(struct word *word)
{
	if (!parse_mac(word->value, word->nic->mac))
		return bad(word, "it is no MAC address");
	if (word->nic->mac[0] & 1)
		return bad(word, "a multicast address belongs to no card");
	word->nic->has_mac = true;
	return 0;
}

static int set_trans(struct word *word)
{
	word->nic->has_transport = true;
	return run_parse_transport(word->opt, word->value,
				   &word->nic->transport, word->why);
}

/* ---- hostfwd=tcp|udp:[ADDRESS:]PORT:[ADDRESS:]PORT ---- */

static bool parse_port(const char *text, u16 *port)
{
	u64 number;

	if (!parse_u64(text, &number) || !number || number > UINT16_MAX)
		return false;
	*port = (u16)number;
	return true;
}

/* Nothing is the default. */
static bool parse_address(const char *text, u32 *out)
{
	return !*text || parse_ip(text, out);
}

/* Cut @text at colons, and at QEMU's dash. Returns how many, at most @max + 1. */
static unsigned int split(char *text, char **parts, unsigned int max)
{
	unsigned int nr = 0;

	for (;;) {
		if (nr < max)
			parts[nr] = text;
		nr++;
		text += strcspn(text, ":-");
		if (!*text || nr > max)
			return nr;
		*text++ = '\0';
	}
}

static bool parse_forward(char *text, struct net_forward *fwd)
{
	char *p[5] = { NULL };
	unsigned int nr = split(text, p, 5);

	*fwd = (struct net_forward){
		.host_ip = INADDR_LOOPBACK,
	};
	fwd->is_udp = !strcmp(p[0], "udp");
	if (!fwd->is_udp && strcmp(p[0], "tcp"))
		return false;
	if (nr == 3)
		return parse_port(p[1], &fwd->host_port) &&
		       parse_port(p[2], &fwd->guest_port);
	if (nr == 4)
		return parse_address(p[1], &fwd->host_ip) &&
		       parse_port(p[2], &fwd->host_port) &&
		       parse_port(p[3], &fwd->guest_port);
	return nr == 5 && parse_address(p[1], &fwd->host_ip) &&
	       parse_port(p[2], &fwd->host_port) &&
	       parse_address(p[3], &fwd->guest_ip) &&
	       parse_port(p[4], &fwd->guest_port);
}

static int set_hostfwd(struct word *word)
{
	struct net_config *nic = word->nic;
	struct word whole = *word;
	char text[128];

	/* For the message: parsing cuts the value. */
	snprintf(text, sizeof(text), "%s", word->value);
	whole.value = text;
	if (nic->nr_forwards == CONFIG_MAX_FORWARDS)
		return bad(&whole, "there are too many of them");
	if (!parse_forward(word->value, &nic->forwards[nic->nr_forwards]))
		return bad(&whole, "it is tcp:HOSTPORT:GUESTPORT or udp:..., "
				   "with an IPv4 address and a colon before "
				   "each port if need be");
	nic->nr_forwards++;
	return 0;
}

/* ---- The list ---- */

static int set_word(struct word *word)
{
	static const struct {
		const char *key;
		int (*set)(struct word *word);
	} keys[] = {
		{ "mode", set_mode },
		{ "tapif", set_tapif },
		{ "fd", set_fd },
		{ "vhost", set_vhost },
		{ "mq", set_mq },
		{ "script", set_script },
		{ "downscript", set_downscript },
		{ "host_ip", set_host_ip },
		{ "guest_ip", set_guest_ip },
		{ "guest_mac", set_guest_mac },
		{ "trans", set_trans },
		{ "hostfwd", set_hostfwd },
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(word->key, keys[i].key))
			return keys[i].set(word);
	return option_fail(word->opt, word->why,
			   "unknown key %s: it is one of mode, tapif, fd, "
			   "vhost, mq, script, downscript, host_ip, guest_ip, "
			   "guest_mac, trans, hostfwd",
			   word->key);
}

/*
 * kvmtool's words of old: the mode, or "virtio" for the only card there is.
 * False: @text is none of them.
 */
static bool set_old_word(const char *text, struct net_config *nic)
{
	if (!strcmp(text, "user"))
		nic->mode = NET_MODE_USER;
	else if (!strcmp(text, "tap"))
		nic->mode = NET_MODE_TAP;
	else
		return !strcmp(text, "virtio");
	return true;
}

static int set_words(const struct option *opt, char *text,
		     struct net_config *nic, struct failure *why)
{
	struct word word = { .opt = opt, .nic = nic, .why = why };
	char *at, *save = NULL;
	int err = 0;

	for (at = strtok_r(text, ",", &save); at && !err;
	     at = strtok_r(NULL, ",", &save)) {
		char *equals = strchr(at, '=');

		if (equals) {
			*equals = '\0';
			word.key = at;
			word.value = equals + 1;
			err = set_word(&word);
		} else if (!set_old_word(at, nic)) {
			err = option_fail(opt, why, "%s is no KEY=VALUE", at);
		}
	}
	return err;
}

/* What does not go together. */
static int check(const struct option *opt, const struct net_config *nic,
		 struct failure *why)
{
	bool user = nic->mode == NET_MODE_USER;

	if (user && nic->vhost)
		return option_fail(opt, why, "vhost=1 needs mode=tap");
	if (user && nic->pairs > 1)
		return option_fail(opt, why, "mq=%u needs mode=tap",
				   nic->pairs);
	if (user && nic->fd >= 0)
		return option_fail(opt, why, "fd=%d needs mode=tap", nic->fd);
	if (nic->fd >= 0 && nic->pairs > 1)
		return option_fail(opt, why,
				   "fd=%d is one queue, and mq=%u wants "
				   "several",
				   nic->fd, nic->pairs);
	if (nic->fd >= 0 && nic->tapif)
		return option_fail(opt, why, "fd=%d and tapif=%s: one of them",
				   nic->fd, nic->tapif);
	if (!user && nic->nr_forwards)
		return option_fail(opt, why, "hostfwd= needs mode=user");
	return 0;
}

/* Where only one address is given, the other is in its network. */
static void complete_addresses(struct net_config *nic)
{
	u32 network = DEFAULT_NETWORK;

	if (nic->host_ip)
		network = nic->host_ip & NETMASK;
	else if (nic->guest_ip)
		network = nic->guest_ip & NETMASK;
	if (!nic->host_ip)
		nic->host_ip = network | HOST_NUMBER;
	if (!nic->guest_ip)
		nic->guest_ip = network | GUEST_NUMBER;
}

static struct net_config *add_nic(struct run_options *run, enum net_mode mode)
{
	struct net_config *nic = &run->config.nics[run->config.nr_nics++];

	*nic = (struct net_config){ .mode = mode, .fd = -1, .pairs = 1 };
	return nic;
}

static void drop_nics(struct run_options *run)
{
	while (run->config.nr_nics)
		free(run->network_words[--run->config.nr_nics]);
}

/* mode=none, wherever it stands, adds nothing. */
static bool says_none(const char *text)
{
	const char *at = strstr(text, "mode=none");

	return !strcmp(text, "none") || (at && (at == text || at[-1] == ',') &&
					 (!at[9] || at[9] == ','));
}

int run_set_network(const struct option *opt, const struct option_value *value,
		    void *target, struct failure *why)
{
	const char *text = value->text ? value->text : "";
	struct run_options *run = target;
	struct net_config *nic;
	char *words;
	int err;

	run->has_network = true;
	if (value->negated) {
		drop_nics(run);
		return 0;
	}
	if (says_none(text))
		return 0;
	if (run->config.nr_nics == CONFIG_MAX_NICS)
		return option_fail(opt, why, "at most %u network cards",
				   CONFIG_MAX_NICS);
	words = strdup(text);
	if (!words)
		return option_fail(opt, why, "out of memory");
	run->network_words[run->config.nr_nics] = words;
	nic = add_nic(run, NET_MODE_TAP);
	err = set_words(opt, words, nic, why);
	if (!err)
		err = check(opt, nic, why);
	complete_addresses(nic);
	return err;
}

/* ---- Behind the options ---- */

static u64 hash(u64 state, const void *bytes, size_t len)
{
	const u8 *at = bytes;

	while (len--)
		state = (state ^ *at++) * FNV_PRIME;
	return state;
}

/* What tells this host from others, if it is known. */
static u64 hash_machine(u64 state)
{
	char id[33] = "";
	FILE *file = fopen("/etc/machine-id", "re");

	if (file) {
		size_t len = fread(id, 1, sizeof(id) - 1, file);

		fclose(file);
		state = hash(state, id, len);
	}
	return state;
}

/*
 * The same for a VM that has a name, whenever it starts on this host; random for
 * others. 02: "locally administered" (IEEE 802, 8.2.2).
 */
static void choose_mac(const struct run_options *run, unsigned int index,
		       u8 *mac)
{
	u64 value = 0;

	if (run->name != run->name_storage) {
		value = hash_machine(FNV_OFFSET);
		value = hash(value, run->name, strlen(run->name));
		value = hash(value, &index, sizeof(index));
		value ^= value >> 40;
	} else if (getrandom(&value, sizeof(value), 0) != sizeof(value)) {
		value = hash(FNV_OFFSET, run->name, strlen(run->name)) + index;
	}
	mac[0] = 0x02;
	for (unsigned int i = 1; i < MAC_LEN; i++)
		mac[i] = (u8)(value >> (8 * (i - 1)));
}

static bool same_tap(const struct net_config *a, const struct net_config *b)
{
	return a->mode == NET_MODE_TAP && b->mode == NET_MODE_TAP && a->tapif &&
	       b->tapif && !strcmp(a->tapif, b->tapif);
}

int run_open_networks(struct run_options *run, struct failure *why)
{
	struct kvm_config *config = &run->config;

	if (!run->has_network) {
		struct net_config *nic = add_nic(run, NET_MODE_USER);

		nic->is_default = true;
		complete_addresses(nic);
	}
	for (unsigned int i = 0; i < config->nr_nics; i++) {
		struct net_config *nic = &config->nics[i];
		int err;

		for (unsigned int j = 0; j < i; j++)
			if (same_tap(nic, &config->nics[j]))
				return fail(why, -EBUSY,
					    "--network: tapif=%s twice",
					    nic->tapif);
		if (!nic->has_mac)
			choose_mac(run, i, nic->mac);
		err = net_open(nic, why, &nic->net);
		if (err == -ENOTSUP && nic->is_default)
			log_debug("no network card: user-mode networking "
				  "needs libslirp, which is not here");
		else if (err)
			return err;
	}
	return 0;
}

void run_close_networks(struct run_options *run)
{
	for (unsigned int i = 0; i < run->config.nr_nics; i++)
		net_close(run->config.nics[i].net);
	drop_nics(run);
}
