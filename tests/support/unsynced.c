/* Preloaded into a program, writes down what it does to the files below one folder, in order, with the bytes.
 *
 * A test makes of that what a power cut may leave (tests/support/powercut.py). One record an operation, appended to the
 * file that HP_UNSYNCED_LOG names; the folder is HP_UNSYNCED_FOLDER. Reading, locking and mapping are not of interest.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct record {
    int64_t time_us, offset;
    uint64_t size; /* of the data */
    uint16_t path, other; /* lengths */
    char op;
    char pad[3];
};

static int journal = -1;
static char folder[PATH_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* an operation and its record are one */

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

__attribute__((constructor)) static void begin(void) {
    const char *log = getenv("HP_UNSYNCED_LOG"), *wanted = getenv("HP_UNSYNCED_FOLDER");
    if (log && wanted && realpath(wanted, folder))
        journal = REAL(open)(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int below(const char *path) {
    size_t length = strlen(folder);
    return journal >= 0 && strncmp(path, folder, length) == 0 && (path[length] == '/' || !path[length]);
}

static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return below(path);
}

static int named(int at, const char *name, char *path) {
    char parent[PATH_MAX];
    if (name[0] == '/') snprintf(path, PATH_MAX, "%s", name);
    else if (at == AT_FDCWD) {
        if (!getcwd(parent, sizeof parent)) return 0;
        if (snprintf(path, PATH_MAX, "%s/%s", parent, name) >= PATH_MAX) return 0;
    } else {
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", at);
        ssize_t length = readlink(link, parent, sizeof parent - 1);
        if (length < 0) return 0;
        parent[length] = 0;
        if (snprintf(path, PATH_MAX, "%s/%s", parent, name) >= PATH_MAX) return 0;
    }
    return below(path);
}

static void note(char op, const char *path, const char *other, int64_t offset, const void *data, uint64_t size) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct record head = {now.tv_sec * 1000000LL + now.tv_nsec / 1000, offset, size,
                          (uint16_t)strlen(path), (uint16_t)strlen(other), op, {0}};
    struct iovec parts[] = {{&head, sizeof head}, {(void *)path, head.path}, {(void *)other, head.other}, {(void *)data, size}};
    if (REAL(writev)(journal, parts, 4) != (ssize_t)(sizeof head + head.path + head.other + size)) abort();
}

#define KEEPING_ERRNO(call) do { int kept = errno; call; errno = kept; } while (0)

ssize_t write(int fd, const void *data, size_t size) {
    char path[PATH_MAX];
    if (journal < 0 || !path_of(fd, path)) return REAL(write)(fd, data, size);
    pthread_mutex_lock(&lock);
    ssize_t done = REAL(write)(fd, data, size);
    if (done > 0) KEEPING_ERRNO(note('W', path, "", lseek(fd, 0, SEEK_CUR) - done, data, done));
    pthread_mutex_unlock(&lock);
    return done;
}

static ssize_t positioned(ssize_t (*call)(int, const void *, size_t, off_t), int fd, const void *data, size_t size, off_t at) {
    char path[PATH_MAX];
    if (journal < 0 || !path_of(fd, path)) return call(fd, data, size, at);
    pthread_mutex_lock(&lock);
    ssize_t done = call(fd, data, size, at);
    if (done > 0) KEEPING_ERRNO(note('W', path, "", at, data, done));
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return positioned(REAL(pwrite), fd, data, size, at); }
ssize_t pwrite64(int fd, const void *data, size_t size, off_t at) { return positioned(REAL(pwrite64), fd, data, size, at); }

static int cut(int (*call)(int, off_t), int fd, off_t size) {
    char path[PATH_MAX];
    if (journal < 0 || !path_of(fd, path)) return call(fd, size);
    pthread_mutex_lock(&lock);
    int result = call(fd, size);
    if (!result) KEEPING_ERRNO(note('T', path, "", size, "", 0));
    pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate(int fd, off_t size) { return cut(REAL(ftruncate), fd, size); }
int ftruncate64(int fd, off_t size) { return cut(REAL(ftruncate64), fd, size); }

/* What was written when the call began is on the disk when it ends: the record stands where it began. */
static int synced(int (*call)(int), int fd) {
    char path[PATH_MAX];
    if (journal < 0 || !path_of(fd, path)) return call(fd);
    KEEPING_ERRNO(note('B', path, "", fd, "", 0));
    int result = call(fd);
    KEEPING_ERRNO(note(result ? 'F' : 'S', path, "", fd, "", 0));
    return result;
}

int fsync(int fd) { return synced(REAL(fsync), fd); }
int fdatasync(int fd) { return synced(REAL(fdatasync), fd); }

static int opened(int (*call)(int, const char *, int, ...), int at, const char *name, int flags, mode_t mode) {
    char path[PATH_MAX];
    struct stat there;
    if (journal < 0 || !(flags & (O_CREAT | O_TRUNC)) || !named(at, name, path)) return call(at, name, flags, mode);
    pthread_mutex_lock(&lock);
    int fresh = fstatat(at, name, &there, 0) != 0;
    int fd = call(at, name, flags, mode);
    if (fd >= 0 && fresh) KEEPING_ERRNO(note('C', path, "", 0, "", 0));
    else if (fd >= 0 && flags & O_TRUNC) KEEPING_ERRNO(note('T', path, "", 0, "", 0));
    pthread_mutex_unlock(&lock);
    return fd;
}

#define MODE(flags, last) ({ mode_t mode = 0; if ((flags) & O_CREAT) { va_list more; va_start(more, last); mode = va_arg(more, mode_t); va_end(more); } mode; })

int open(const char *name, int flags, ...) { return opened(REAL(openat), AT_FDCWD, name, flags, MODE(flags, flags)); }
int open64(const char *name, int flags, ...) { return opened(REAL(openat64), AT_FDCWD, name, flags, MODE(flags, flags)); }
int openat(int at, const char *name, int flags, ...) { return opened(REAL(openat), at, name, flags, MODE(flags, flags)); }
int openat64(int at, const char *name, int flags, ...) { return opened(REAL(openat64), at, name, flags, MODE(flags, flags)); }

int unlink(const char *name) {
    char path[PATH_MAX];
    if (journal < 0 || !named(AT_FDCWD, name, path)) return REAL(unlink)(name);
    pthread_mutex_lock(&lock);
    int result = REAL(unlink)(name);
    if (!result) KEEPING_ERRNO(note('U', path, "", 0, "", 0));
    pthread_mutex_unlock(&lock);
    return result;
}

int rename(const char *from, const char *to) {
    char path[PATH_MAX], other[PATH_MAX];
    if (journal < 0 || !named(AT_FDCWD, from, path) || !named(AT_FDCWD, to, other)) return REAL(rename)(from, to);
    pthread_mutex_lock(&lock);
    int result = REAL(rename)(from, to);
    if (!result) KEEPING_ERRNO(note('R', path, other, 0, "", 0));
    pthread_mutex_unlock(&lock);
    return result;
}
