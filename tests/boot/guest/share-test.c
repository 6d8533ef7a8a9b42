// SPDX-License-Identifier: GPL-2.0-only
/*
 * share-test DIR [mapped]: what programs do with files, in a folder that a guest has
 * mounted. Prints "ok NAME" or "FAILED NAME: line, errno" for each, and at the end
 * how many there were of either.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static int mapped; /* owners and kinds are the guest's own */

/* Ends a test: 0 is success, else the line. */
#define NEED(condition)                                                        \
	do {                                                                   \
		if (!(condition))                                              \
			return __LINE__;                                       \
	} while (0)

static int write_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	int ok = fd >= 0 &&
		 write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

static int has(const char *name, const char *text)
{
	char buf[256] = "";
	int fd = open(name, O_RDONLY);
	ssize_t n = fd >= 0 ? read(fd, buf, sizeof(buf) - 1) : -1;

	if (fd >= 0)
		close(fd);
	return n == (ssize_t)strlen(text) && !strcmp(buf, text);
}

static int fd_has(int fd, const char *text)
{
	char buf[256] = "";

	return pread(fd, buf, sizeof(buf) - 1, 0) == (ssize_t)strlen(text) &&
	       !strcmp(buf, text);
}

static int test_data(void)
{
	const size_t len = 3 << 20;
	char *data = malloc(len), *back = malloc(len);
	struct stat st;
	int fd;

	for (size_t i = 0; i < len; i++)
		data[i] = (char)(i * 31 >> 5);
	fd = open("data", O_RDWR | O_CREAT | O_EXCL, 0600);
	NEED(fd >= 0);
	NEED(write(fd, data, len) == (ssize_t)len);
	NEED(fsync(fd) == 0);
	NEED(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
	NEED(pread(fd, back, len, 0) == (ssize_t)len);
	NEED(!memcmp(data, back, len));
	NEED(pread(fd, back, 100, 12345) == 100);
	NEED(!memcmp(data + 12345, back, 100));
	NEED(pread(fd, back, 100, (off_t)len - 10) == 10);
	NEED(fstat(fd, &st) == 0 && st.st_size == (off_t)len);
	close(fd);
	NEED(open("data", O_RDWR | O_CREAT | O_EXCL, 0600) < 0);
	NEED(errno == EEXIST);
	free(data);
	free(back);
	return unlink("data") ? __LINE__ : 0;
}

static int test_holes(void)
{
	struct stat st;
	char buf[16];
	int fd = open("holes", O_RDWR | O_CREAT, 0644);

	NEED(fd >= 0);
	NEED(pwrite(fd, "end", 3, 5 << 20) == 3);
	NEED(pread(fd, buf, 16, 1 << 20) == 16);
	NEED(buf[0] == 0 && buf[15] == 0);
	fsync(fd);
	NEED(fstat(fd, &st) == 0 && st.st_size == (5 << 20) + 3);
	NEED(st.st_blocks < 1024);
	NEED(ftruncate(fd, 4) == 0);
	NEED(fstat(fd, &st) == 0 && st.st_size == 4);
	close(fd);
	return 0;
}

static int test_append_and_truncate(void)
{
	int a = open("log", O_WRONLY | O_CREAT | O_APPEND, 0644);
	int b = open("log", O_WRONLY | O_APPEND);

	NEED(a >= 0 && b >= 0);
	NEED(write(a, "one ", 4) == 4 && write(b, "two ", 4) == 4);
	NEED(write(a, "three", 5) == 5);
	close(a);
	close(b);
	NEED(has("log", "one two three"));
	NEED(write_file("log", "new"));
	return has("log", "new") ? 0 : __LINE__;
}

static int test_open_unlink_fstat(void)
{
	struct stat st;
	int fd = open("gone", O_RDWR | O_CREAT, 0644);

	NEED(fd >= 0);
	NEED(write(fd, "still here", 10) == 10);
	NEED(unlink("gone") == 0);
	NEED(fstat(fd, &st) == 0);
	NEED(st.st_size == 10 && st.st_nlink == 0);
	NEED(fd_has(fd, "still here"));
	NEED(ftruncate(fd, 5) == 0);
	NEED(fchmod(fd, 0600) == 0);
	NEED(fstat(fd, &st) == 0 && st.st_size == 5);
	NEED(access("gone", F_OK) < 0);
	return close(fd) ? __LINE__ : 0;
}

static int test_rename_over_open(void)
{
	struct stat st;
	int fd;

	NEED(write_file("target", "old") && write_file("source", "new"));
	fd = open("target", O_RDWR);
	NEED(fd >= 0);
	NEED(rename("source", "target") == 0);
	NEED(has("target", "new"));
	NEED(fd_has(fd, "old"));
	NEED(fstat(fd, &st) == 0 && st.st_size == 3);
	close(fd);
	/* The open file itself moves. */
	fd = open("target", O_RDWR);
	NEED(rename("target", "moved") == 0);
	NEED(pwrite(fd, "NEW", 3, 0) == 3);
	close(fd);
	return has("moved", "NEW") ? 0 : __LINE__;
}

static int test_folders(void)
{
	NEED(mkdir("a", 0755) == 0 && mkdir("a/b", 0755) == 0);
	NEED(write_file("a/b/f", "x"));
	NEED(rmdir("a/b") < 0 && errno == ENOTEMPTY);
	NEED(rename("a", "a/b/c") < 0 && errno == EINVAL);
	NEED(rename("a/b", "moved-folder") == 0);
	NEED(has("moved-folder/f", "x") &&
	     has("moved-folder/../moved-folder/f", "x"));
	NEED(unlink("moved-folder/f") == 0 && rmdir("moved-folder") == 0);
	NEED(mkdir("a", 0755) < 0 && errno == EEXIST);
	return rmdir("a") ? __LINE__ : 0;
}

static int test_links(void)
{
	char target[3000], back[4096];
	struct stat st;
	ssize_t n;

	memset(target, 'x', sizeof(target) - 1);
	target[sizeof(target) - 1] = '\0';
	NEED(symlink(target, "long-link") == 0);
	n = readlink("long-link", back, sizeof(back));
	NEED(n == (ssize_t)strlen(target) && !memcmp(back, target, (size_t)n));
	NEED(write_file("linked", "text"));
	NEED(symlink("linked", "short-link") == 0);
	NEED(has("short-link", "text"));
	NEED(lstat("short-link", &st) == 0 && S_ISLNK(st.st_mode));
	NEED(link("linked", "hard") == 0);
	NEED(stat("hard", &st) == 0 && st.st_nlink == 2);
	NEED(unlink("linked") == 0);
	NEED(stat("hard", &st) == 0 && st.st_nlink == 1);
	return has("hard", "text") ? 0 : __LINE__;
}

/* Two ends of a FIFO: both are this kernel's. */
static int test_fifo(void)
{
	struct stat st;
	char c = 0;
	int in, out;

	NEED(mkfifo("fifo", 0666) == 0);
	NEED(lstat("fifo", &st) == 0 && S_ISFIFO(st.st_mode));
	in = open("fifo", O_RDONLY | O_NONBLOCK);
	out = open("fifo", O_WRONLY | O_NONBLOCK);
	NEED(in >= 0 && out >= 0);
	NEED(write(out, "!", 1) == 1 && read(in, &c, 1) == 1 && c == '!');
	close(in);
	close(out);
	return 0;
}

static int test_device_nodes(void)
{
	struct stat st;
	int err = mknod("null", S_IFCHR | 0666, makedev(1, 3));

	if (!mapped) {
		NEED(err < 0 && errno == EPERM);
		return 0;
	}
	NEED(err == 0);
	NEED(lstat("null", &st) == 0 && S_ISCHR(st.st_mode));
	return st.st_rdev == makedev(1, 3) ? 0 : __LINE__;
}

static int test_attributes(void)
{
	struct timespec times[2] = { { 1, 2 }, { 5000000000, 999999999 } };
	struct stat st;

	NEED(write_file("attr", "x"));
	NEED(chmod("attr", 0751) == 0);
	NEED(utimensat(AT_FDCWD, "attr", times, 0) == 0);
	NEED(chown("attr", 1234, 5678) == 0);
	NEED(stat("attr", &st) == 0);
	NEED((st.st_mode & 07777) == 0751);
	NEED(st.st_uid == 1234 && st.st_gid == 5678);
	/* Linux's 9p file system has whole seconds. */
	NEED(st.st_mtim.tv_sec == 5000000000);
	NEED(st.st_atim.tv_sec == 1);
	return st.st_ino ? 0 : __LINE__;
}

static int test_xattr(void)
{
	char value[4000], back[4096];
	ssize_t n;

	memset(value, 'v', sizeof(value));
	NEED(write_file("xattr", "x"));
	NEED(getxattr("xattr", "user.a", back, sizeof(back)) < 0 &&
	     errno == ENODATA);
	NEED(setxattr("xattr", "user.a", "one", 3, XATTR_REPLACE) < 0 &&
	     errno == ENODATA);
	NEED(setxattr("xattr", "user.a", "one", 3, 0) == 0);
	NEED(setxattr("xattr", "user.a", "two", 3, XATTR_CREATE) < 0 &&
	     errno == EEXIST);
	NEED(setxattr("xattr", "user.large", value, 2000, 0) == 0);
	NEED(getxattr("xattr", "user.large", back, sizeof(back)) == 2000);
	NEED(!memcmp(value, back, 2000));
	n = listxattr("xattr", back, sizeof(back));
	NEED(n == (ssize_t)sizeof("user.a\0user.large"));
	NEED(removexattr("xattr", "user.a") == 0);
	NEED(getxattr("xattr", "user.a", back, sizeof(back)) < 0);
	return listxattr("xattr", back, sizeof(back)) == 11 ? 0 : __LINE__;
}

/* In another process: can it have the lock? */
static int other_can_lock(const char *name, int use_flock)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	pid_t pid = fork();
	int status, fd;

	if (pid == 0) {
		fd = open(name, O_RDWR);
		_exit(use_flock ? flock(fd, LOCK_EX | LOCK_NB) != 0
				: fcntl(fd, F_SETLK, &fl) != 0);
	}
	waitpid(pid, &status, 0);
	return status == 0;
}

static int test_locks(void)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open("lock", O_RDWR | O_CREAT, 0644), ro;

	NEED(fd >= 0);
	NEED(fcntl(fd, F_SETLK, &fl) == 0);
	NEED(!other_can_lock("lock", 0));
	fl.l_type = F_UNLCK;
	NEED(fcntl(fd, F_SETLK, &fl) == 0);
	NEED(other_can_lock("lock", 0));
	close(fd);
	ro = open("lock", O_RDONLY);
	NEED(flock(ro, LOCK_EX | LOCK_NB) == 0);
	NEED(!other_can_lock("lock", 1));
	NEED(flock(ro, LOCK_UN) == 0);
	NEED(other_can_lock("lock", 1));
	return close(ro) ? __LINE__ : 0;
}

static int test_fsync(void)
{
	int fd = open("synced", O_RDWR | O_CREAT, 0644);
	int dir = open(".", O_RDONLY | O_DIRECTORY);

	NEED(fd >= 0 && dir >= 0);
	NEED(write(fd, "x", 1) == 1);
	NEED(fsync(fd) == 0 && fdatasync(fd) == 0);
	NEED(fsync(dir) == 0 && fdatasync(dir) == 0);
	close(fd);
	return close(dir) ? __LINE__ : 0;
}

static int test_statfs(void)
{
	struct statfs fs;

	NEED(statfs(".", &fs) == 0);
	NEED(fs.f_type == 0x01021997);
	NEED(fs.f_bsize && fs.f_blocks && fs.f_bavail <= fs.f_blocks);
	return fs.f_namelen == 255 ? 0 : __LINE__;
}

#define ENTRIES 300

static int test_readdir(void)
{
	unsigned char seen[ENTRIES] = { 0 };
	struct dirent *entry;
	char name[300];
	long middle = 0;
	int n = 0, rest = 0;
	DIR *dir;

	NEED(mkdir("many", 0755) == 0 && chdir("many") == 0);
	for (int i = 0; i < ENTRIES; i++) {
		/* Names of any length. */
		snprintf(name, sizeof(name), "%0*d", 3 + i % 200, i);
		NEED(write_file(name, ""));
	}
	dir = opendir(".");
	NEED(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		seen[atoi(entry->d_name)]++;
		if (++n == ENTRIES / 2)
			middle = telldir(dir);
	}
	NEED(n == ENTRIES);
	for (int i = 0; i < ENTRIES; i++)
		NEED(seen[i] == 1);
	seekdir(dir, middle);
	while ((entry = readdir(dir)))
		rest += entry->d_name[0] != '.';
	NEED(rest == ENTRIES - ENTRIES / 2);
	rewinddir(dir);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			NEED(unlink(entry->d_name) == 0);
	closedir(dir);
	NEED(chdir("..") == 0);
	return rmdir("many") ? __LINE__ : 0;
}

static int test_names(void)
{
	static const char odd[] = "\n\t\x01\xff *?\"'\\";
	char longest[257];

	memset(longest, 'n', 256);
	longest[256] = '\0';
	NEED(!write_file(longest, "x") && errno == ENAMETOOLONG);
	longest[255] = '\0';
	NEED(write_file(longest, "x") && has(longest, "x"));
	NEED(unlink(longest) == 0);
	NEED(write_file(odd, "odd") && has(odd, "odd"));
	return unlink(odd) ? __LINE__ : 0;
}

static int test_shared_mapping(void)
{
	int fd = open("mapping", O_RDWR | O_CREAT, 0644);
	char *map;

	NEED(fd >= 0 && ftruncate(fd, 8192) == 0);
	map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return errno == EINVAL || errno == ENODEV ? 0 : __LINE__;
	memcpy(map + 4096, "mapped", 6);
	NEED(msync(map, 8192, MS_SYNC) == 0);
	NEED(munmap(map, 8192) == 0);
	map = malloc(6);
	NEED(pread(fd, map, 6, 4096) == 6 && !memcmp(map, "mapped", 6));
	free(map);
	return close(fd) ? __LINE__ : 0;
}

/* The guest's own links lead to the guest's own files. */
static int test_escapes(void)
{
	NEED(symlink("../../../../../../outside", "escape") == 0);
	NEED(open("escape", O_RDONLY) < 0 && errno == ENOENT);
	NEED(open("../../../../../../outside", O_RDONLY) < 0);
	NEED(symlink("/", "everything") == 0);
	NEED(open("everything/outside", O_RDONLY) < 0 && errno == ENOENT);
	/* Those that the host has made. */
	if (access("host-link", F_OK) < 0 && errno != ENOENT)
		return __LINE__;
	NEED(open("host-link", O_RDONLY) < 0);
	NEED(open("host-folder/outside", O_RDONLY) < 0);
	return 0;
}

static int test_host_fifo(void)
{
	int fd = open("host-fifo", O_RDONLY | O_NONBLOCK);

	NEED(fd >= 0 || errno == ENOENT);
	close(fd);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(void);
} tests[] = {
	{ "data", test_data },
	{ "holes", test_holes },
	{ "append-and-truncate", test_append_and_truncate },
	{ "open-unlink-fstat", test_open_unlink_fstat },
	{ "rename-over-open", test_rename_over_open },
	{ "folders", test_folders },
	{ "links", test_links },
	{ "fifo", test_fifo },
	{ "device-nodes", test_device_nodes },
	{ "attributes", test_attributes },
	{ "xattr", test_xattr },
	{ "locks", test_locks },
	{ "fsync", test_fsync },
	{ "statfs", test_statfs },
	{ "readdir", test_readdir },
	{ "names", test_names },
	{ "shared-mapping", test_shared_mapping },
	{ "escapes", test_escapes },
	{ "host-fifo", test_host_fifo },
};

int main(int argc, char **argv)
{
	int nr = sizeof(tests) / sizeof(tests[0]), failed = 0;

	if (argc < 2 || chdir(argv[1])) {
		perror("share-test");
		return 129;
	}
	mapped = argc > 2;
	for (int i = 0; i < nr; i++) {
		int line;

		errno = 0;
		line = tests[i].run();
		if (line) {
			printf("FAILED %s: line %d: %s\n", tests[i].name, line,
			       strerror(errno));
			failed++;
		} else {
			printf("ok %s\n", tests[i].name);
		}
		fflush(stdout);
	}
	printf("%d of %d failed\n", failed, nr);
	return failed != 0;
}
