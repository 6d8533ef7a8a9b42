// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looks at the displays of guests, for the display cases:
 *
 *   screen vnc SOCKET COMMAND...   one connection to a VNC server (RFC 6143), which
 *                                  does in order:
 *       shot FILE      the whole screen as it is, to FILE, a PNG
 *       size WxH       waits until the screen has that size
 *       type TEXT      types it and Enter, as on a US keyboard
 *       point X,Y,B    the pointer is there, with the buttons of mask B down
 *       wait           for a line on standard input
 *   screen text LETTERS PICTURE    prints the text of a picture in cells of 8x16, of
 *                                  which LETTERS has those from ! to ~ in its first row
 *   screen window XWD X Y W H FILE that part of an X server's screen, which is
 *                                  an X window dump, to FILE, a PNG
 *   screen pattern PICTURE         is it the pattern of guest/display.c?
 *   screen same PICTURE PICTURE    are both the same?
 *
 * Ends with 1 if not, having said where.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <zlib.h>

#define CELL_WIDTH 8
#define CELL_HEIGHT 16
#define FIRST_LETTER '!'
#define LAST_LETTER '~'
#define ENCODING_RAW 0
#define ENCODING_SIZE (-223)

struct picture {
	uint32_t width, height;
	uint32_t *pixels; /* 0x00RRGGBB */
};

static void die(const char *what)
{
	fprintf(stderr, "screen: %s\n", what);
	exit(1);
}

static void *allocate(size_t len)
{
	void *memory = calloc(1, len ? len : 1);

	if (!memory)
		die("out of memory");
	return memory;
}

static uint32_t get32(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
	       (uint32_t)bytes[2] << 8 | bytes[3];
}

static void put32(uint8_t *bytes, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* ---- PNG: 8 bits, RGB, rows without a filter ---- */

static const uint8_t signature[8] = "\x89PNG\r\n\x1a\n";

static void write_chunk(FILE *out, const char *type, const uint8_t *data,
			size_t len)
{
	uint8_t word[4];
	uLong crc = crc32(crc32(0, NULL, 0), (const Bytef *)type, 4);

	put32(word, (uint32_t)len);
	fwrite(word, 4, 1, out);
	fwrite(type, 4, 1, out);
	fwrite(data, 1, len, out);
	put32(word, (uint32_t)crc32(crc, data, (uInt)len));
	fwrite(word, 4, 1, out);
}

static void save(const struct picture *picture, const char *path)
{
	size_t row = 1 + 3 * (size_t)picture->width;
	size_t len = row * picture->height;
	uint8_t *raw = allocate(len), header[13] = { 0 };
	uLongf packed_len = compressBound(len);
	uint8_t *packed = allocate(packed_len);
	char part[256];
	FILE *out;

	/* Whoever waits for the file finds it whole. */
	snprintf(part, sizeof(part), "%s.part", path);
	out = fopen(part, "wb");
	if (!out)
		die(part);
	for (size_t i = 0; i < (size_t)picture->width * picture->height; i++) {
		uint8_t *to = raw + i / picture->width * row + 1 +
			      3 * (i % picture->width);

		to[0] = (uint8_t)(picture->pixels[i] >> 16);
		to[1] = (uint8_t)(picture->pixels[i] >> 8);
		to[2] = (uint8_t)picture->pixels[i];
	}
	put32(header, picture->width);
	put32(header + 4, picture->height);
	header[8] = 8;
	header[9] = 2;
	if (compress2(packed, &packed_len, raw, len, 1) != Z_OK)
		die("compress");
	fwrite(signature, sizeof(signature), 1, out);
	write_chunk(out, "IHDR", header, sizeof(header));
	write_chunk(out, "IDAT", packed, packed_len);
	write_chunk(out, "IEND", NULL, 0);
	if (fclose(out) || rename(part, path))
		die(path);
	free(raw);
	free(packed);
}

static uint8_t *read_all(const char *path, size_t *len)
{
	FILE *in = fopen(path, "rb");
	uint8_t *bytes = allocate(64 << 20);

	if (!in)
		die(path);
	*len = fread(bytes, 1, 64 << 20, in);
	fclose(in);
	return bytes;
}

/* Only what was written without a filter. */
static struct picture load(const char *path)
{
	struct picture picture = { 0 };
	uint8_t *file, *packed, *raw;
	size_t len, packed_len = 0, row;
	uLongf raw_len;

	file = read_all(path, &len);
	packed = allocate(len);
	if (len < 33 || memcmp(file, signature, 8) || file[24] != 8 ||
	    file[25] != 2)
		die("no PNG of 8 bits and RGB");
	picture.width = get32(file + 16);
	picture.height = get32(file + 20);
	for (size_t at = 8; at + 12 <= len;) {
		size_t part = get32(file + at);

		if (part > len - at - 12)
			die("the PNG is cut off");
		if (!memcmp(file + at + 4, "IDAT", 4)) {
			memcpy(packed + packed_len, file + at + 8, part);
			packed_len += part;
		}
		at += 12 + part;
	}
	row = 1 + 3 * (size_t)picture.width;
	raw_len = row * picture.height;
	raw = allocate(raw_len);
	if (uncompress(raw, &raw_len, packed, packed_len) != Z_OK)
		die("the PNG cannot be unpacked");
	picture.pixels = allocate(4 * (size_t)picture.width * picture.height);
	for (size_t i = 0; i < (size_t)picture.width * picture.height; i++) {
		const uint8_t *from = raw + i / picture.width * row;

		if (*from)
			die("a filter in the PNG");
		from += 1 + 3 * (i % picture.width);
		picture.pixels[i] = (uint32_t)from[0] << 16 |
				    (uint32_t)from[1] << 8 | from[2];
	}
	free(file);
	free(packed);
	free(raw);
	return picture;
}

/* ---- VNC ---- */

static int vnc;
static struct picture screen;

static void receive(void *to, size_t len)
{
	uint8_t *bytes = to;

	while (len) {
		ssize_t n = read(vnc, bytes, len);

		if (n <= 0)
			die("the server has closed the connection");
		bytes += n;
		len -= (size_t)n;
	}
}

static void transmit(const void *from, size_t len)
{
	if (write(vnc, from, len) != (ssize_t)len)
		die("the server does not listen");
}

static void resize(uint32_t width, uint32_t height)
{
	free(screen.pixels);
	screen.width = width;
	screen.height = height;
	screen.pixels = allocate(4 * (size_t)width * height);
}

static void skip(size_t len)
{
	uint8_t byte;

	while (len--)
		receive(&byte, 1);
}

static void join(const char *path)
{
	/* 32 bits, little endian, 0x00RRGGBB; raw pixels and sizes. */
	static const uint8_t wishes[] = {
		0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0,	255,  16,   8,
		0, 0, 0, 0, 2,	0,  0, 2, 0, 0,	  0, 0,	  0xff, 0xff, 0xff, 0x21
	};
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	uint8_t bytes[24];

	vnc = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(vnc, (struct sockaddr *)&address, sizeof(address)))
		die("nobody listens");
	receive(bytes, 12);
	transmit("RFB 003.008\n", 12);
	receive(bytes, 1);
	skip(bytes[0]);
	transmit("\x01", 1); /* no authentication */
	receive(bytes, 4);
	if (get32(bytes))
		die("refused");
	transmit("\x01", 1); /* shared */
	receive(bytes, 24);
	resize((uint32_t)bytes[0] << 8 | bytes[1],
	       (uint32_t)bytes[2] << 8 | bytes[3]);
	skip(get32(bytes + 20));
	transmit(wishes, sizeof(wishes));
}

static void request(int incremental)
{
	uint8_t bytes[10] = { 3, (uint8_t)incremental };

	bytes[6] = (uint8_t)(screen.width >> 8);
	bytes[7] = (uint8_t)screen.width;
	bytes[8] = (uint8_t)(screen.height >> 8);
	bytes[9] = (uint8_t)screen.height;
	transmit(bytes, sizeof(bytes));
}

/* One rectangle; true: it was the size. */
static int take_rectangle(void)
{
	uint8_t bytes[12];
	uint32_t x, y, width, height;
	int32_t encoding;

	receive(bytes, 12);
	x = (uint32_t)bytes[0] << 8 | bytes[1];
	y = (uint32_t)bytes[2] << 8 | bytes[3];
	width = (uint32_t)bytes[4] << 8 | bytes[5];
	height = (uint32_t)bytes[6] << 8 | bytes[7];
	encoding = (int32_t)get32(bytes + 8);
	if (encoding == ENCODING_SIZE) {
		resize(width, height);
		return 1;
	}
	if (encoding != ENCODING_RAW || x + width > screen.width ||
	    y + height > screen.height)
		die("what rectangle is this?");
	for (uint32_t row = 0; row < height; row++)
		receive(screen.pixels + (y + row) * screen.width + x,
			4 * (size_t)width);
	return 0;
}

/* Returns whether the size was told, so that what came is not all of it. */
static int update(void)
{
	uint8_t bytes[4];
	int sizes = 0;
	unsigned int nr;

	receive(bytes, 1);
	if (bytes[0] != 0)
		die("what message is this?");
	receive(bytes + 1, 3);
	nr = (unsigned int)bytes[2] << 8 | bytes[3];
	for (unsigned int i = 0; i < nr; i++)
		sizes += take_rectangle();
	return sizes;
}

static void whole(void)
{
	do {
		request(0);
	} while (update());
}

static void shot(const char *path)
{
	/* The first may have been on its way when the guest drew last. */
	whole();
	whole();
	for (size_t i = 0; i < (size_t)screen.width * screen.height; i++)
		screen.pixels[i] &= 0xffffff;
	save(&screen, path);
}

static void wait_size(const char *size)
{
	char now[32];

	for (;;) {
		snprintf(now, sizeof(now), "%ux%u", screen.width,
			 screen.height);
		if (!strcmp(now, size))
			return;
		request(1);
		update();
	}
}

static void send_key(uint32_t keysym, int down)
{
	uint8_t bytes[8] = { 4, (uint8_t)down };

	put32(bytes + 4, keysym);
	transmit(bytes, sizeof(bytes));
}

static void press(uint32_t keysym, int shift)
{
	if (shift)
		send_key(0xffe1, 1);
	send_key(keysym, 1);
	send_key(keysym, 0);
	if (shift)
		send_key(0xffe1, 0);
	/* A keyboard has no long memory, and a lab no fast guest. */
	usleep(50000);
}

static void type(const char *text)
{
	for (; *text; text++)
		press((uint8_t)*text,
		      strchr("~!@#$%^&*()_+{}|:\"<>?ABCDEFGHIJKLMNOPQRSTUVWXYZ",
			     *text) != NULL);
	press(0xff0d, 0);
}

static void point(const char *where)
{
	unsigned int x, y, buttons;
	uint8_t bytes[6] = { 5 };

	if (sscanf(where, "%u,%u,%u", &x, &y, &buttons) != 3)
		die("point X,Y,BUTTONS");
	bytes[1] = (uint8_t)buttons;
	bytes[2] = (uint8_t)(x >> 8);
	bytes[3] = (uint8_t)x;
	bytes[4] = (uint8_t)(y >> 8);
	bytes[5] = (uint8_t)y;
	transmit(bytes, sizeof(bytes));
}

static void wait_line(void)
{
	char byte = 0;

	while (byte != '\n' && read(STDIN_FILENO, &byte, 1) == 1)
		;
}

static int talk(int argc, char **argv)
{
	join(argv[0]);
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];

		if (!strcmp(word, "wait"))
			wait_line();
		else if (i + 1 == argc)
			die("commands have an argument");
		else if (!strcmp(word, "shot"))
			shot(argv[++i]);
		else if (!strcmp(word, "size"))
			wait_size(argv[++i]);
		else if (!strcmp(word, "type"))
			type(argv[++i]);
		else if (!strcmp(word, "point"))
			point(argv[++i]);
		else
			die(word);
	}
	/* What was sent is read before the end of the connection is: a picture
	 * comes behind it. */
	request(0);
	update();
	return 0;
}

/* ---- Pictures ---- */

struct glyph {
	uint8_t rows[CELL_HEIGHT];
};

/* What differs from the cell's corner, whatever the colours. */
static struct glyph cut(const struct picture *picture, uint32_t column,
			uint32_t line)
{
	const uint32_t *at = picture->pixels +
			     line * CELL_HEIGHT * picture->width +
			     column * CELL_WIDTH;
	struct glyph glyph = { { 0 } };

	for (unsigned int y = 0; y < CELL_HEIGHT; y++)
		for (unsigned int x = 0; x < CELL_WIDTH; x++)
			glyph.rows[y] |=
				(uint8_t)((at[y * picture->width + x] != at[0])
					  << x);
	return glyph;
}

static int print_text(const char *letters_path, const char *path)
{
	struct picture letters = load(letters_path), picture = load(path);
	struct glyph known[128] = { { { 0 } } };

	if (letters.width / CELL_WIDTH <= LAST_LETTER - FIRST_LETTER)
		die("no room for all letters");
	for (int c = FIRST_LETTER; c <= LAST_LETTER; c++)
		known[c] = cut(&letters, (uint32_t)(c - FIRST_LETTER), 0);
	for (uint32_t y = 0; y < picture.height / CELL_HEIGHT; y++) {
		for (uint32_t x = 0; x < picture.width / CELL_WIDTH; x++) {
			struct glyph glyph = cut(&picture, x, y);
			int c = FIRST_LETTER - 1; /* a blank */

			while (c <= LAST_LETTER &&
			       memcmp(&glyph, &known[c], sizeof(glyph)))
				c++;
			putchar(c <= LAST_LETTER ? c : 0x7f);
		}
		putchar('\n');
	}
	return 0;
}

/* A dump of 32-bit pixels in this machine's order: XWDFile.h. */
static int cut_window(char **argv)
{
	enum {
		HEADER_LEN,
		PIXMAP_WIDTH = 4,
		LINE_LEN = 12,
		COLOURS = 19
	};
	size_t len;
	uint8_t *dump = read_all(argv[0], &len);
	uint32_t x = (uint32_t)atoi(argv[1]), y = (uint32_t)atoi(argv[2]);
	uint32_t line = get32(dump + 4 * LINE_LEN);
	size_t start = get32(dump) + 12 * (size_t)get32(dump + 4 * COLOURS);

	resize((uint32_t)atoi(argv[3]), (uint32_t)atoi(argv[4]));
	if (start + (size_t)line * (y + screen.height) > len ||
	    x + screen.width > get32(dump + 4 * PIXMAP_WIDTH))
		die("the window is not all on the screen");
	for (uint32_t row = 0; row < screen.height; row++)
		memcpy(screen.pixels + row * screen.width,
		       dump + start + (size_t)line * (y + row) + 4 * (size_t)x,
		       4 * (size_t)screen.width);
	for (size_t i = 0; i < (size_t)screen.width * screen.height; i++)
		screen.pixels[i] &= 0xffffff;
	save(&screen, argv[5]);
	return 0;
}

static int complain(uint32_t x, uint32_t y, uint32_t got, uint32_t want)
{
	fprintf(stderr, "screen: pixel %u,%u is %06x, not %06x\n", x, y, got,
		want);
	return 1;
}

static int is_pattern(const char *path)
{
	struct picture picture = load(path);

	for (uint32_t y = 0; y < picture.height; y++) {
		for (uint32_t x = 0; x < picture.width; x++) {
			uint32_t want = (x * 0x010307 + y * 0x0b0501) &
					0xffffff;
			uint32_t got = picture.pixels[y * picture.width + x];

			if (got != want)
				return complain(x, y, got, want);
		}
	}
	printf("%ux%u\n", picture.width, picture.height);
	return 0;
}

static int are_same(const char *first_path, const char *second_path)
{
	struct picture first = load(first_path), second = load(second_path);

	if (first.width != second.width || first.height != second.height)
		die("of different sizes");
	for (size_t i = 0; i < (size_t)first.width * first.height; i++)
		if (first.pixels[i] != second.pixels[i])
			return complain((uint32_t)(i % first.width),
					(uint32_t)(i / first.width),
					second.pixels[i], first.pixels[i]);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "vnc") && argc > 3)
		return talk(argc - 2, argv + 2);
	if (!strcmp(what, "window") && argc == 8)
		return cut_window(argv + 2);
	if (!strcmp(what, "text") && argc == 4)
		return print_text(argv[2], argv[3]);
	if (!strcmp(what, "pattern") && argc == 3)
		return is_pattern(argv[2]);
	if (!strcmp(what, "same") && argc == 4)
		return are_same(argv[2], argv[3]);
	return 2;
}
