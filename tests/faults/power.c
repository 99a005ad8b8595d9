/* Records every change that a process makes to the files below one folder, in the order in which it happens.
 *
 * Loaded with LD_PRELOAD. From the record, power.py makes the folder that a power cut would have left at any moment: what
 * was synced is there, what was not may be there, in part, or not at all.
 *
 * SIMWARD_POWER_FOLDER: the folder that is watched. SIMWARD_POWER_RECORD: the file that the record is appended to.
 * A record is: kind (1 octet), inode, offset, length (8 octets each, little endian), then `length` octets.
 *   W write: octets at offset        T truncate: to offset            S sync of this inode (a file or a folder)
 *   C create: name                   U unlink: name                   R rename: old name, 0, new name
 *   F failed sync: what was not yet synced is forgotten, as Linux does (its pages count as clean from then on)
 *
 * As Linux does since 4.13 (errseq_t), a sync that failed is told to every descriptor of the file that was open then,
 * once each: another thread that syncs the same file later is not told that all is well.
 *
 * SIMWARD_POWER_FAIL: one in this many syncs of a file fails with EIO (0: none); SIMWARD_POWER_SEED chooses which.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST 4096

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static unsigned char watched[MOST];
static unsigned char owed[MOST]; /* a sync of its file has failed, and this descriptor was not told yet */
static int record = -1;
static char folder[PATH_MAX];
static size_t folder_length;
static int one_in;
static unsigned seed;

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

__attribute__((constructor)) static void begin(void) {
    const char *named = getenv("SIMWARD_POWER_FOLDER"), *to = getenv("SIMWARD_POWER_RECORD");
    if (!named || !to) return;
    strncpy(folder, named, sizeof folder - 1);
    folder_length = strlen(folder);
    one_in = getenv("SIMWARD_POWER_FAIL") ? atoi(getenv("SIMWARD_POWER_FAIL")) : 0;
    seed = getenv("SIMWARD_POWER_SEED") ? (unsigned)atoi(getenv("SIMWARD_POWER_SEED")) : 1;
    record = (int)syscall(SYS_openat, AT_FDCWD, to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int inside(const char *path) {
    return record >= 0 && !strncmp(path, folder, folder_length) && (path[folder_length] == '/' || !path[folder_length]);
}

static int is_watched(int fd) { return fd >= 0 && fd < MOST && watched[fd]; }

static uint64_t inode(int fd) {
    struct stat found;
    return fstat(fd, &found) ? 0 : found.st_ino;
}

static uint64_t inode_of(const char *path) {
    struct stat found;
    return stat(path, &found) ? 0 : found.st_ino;
}

static void note(char kind, uint64_t node, uint64_t offset, const void *octets, uint64_t length) {
    unsigned char head[25];
    head[0] = (unsigned char)kind;
    memcpy(head + 1, &node, 8);
    memcpy(head + 9, &offset, 8);
    memcpy(head + 17, &length, 8);
    struct iovec parts[2] = {{head, sizeof head}, {(void *)octets, length}};
    if (syscall(SYS_writev, record, parts, length ? 2 : 1) < 0) abort();
}

static int opened(int dir, const char *path, int flags, mode_t mode) {
    pthread_mutex_lock(&turn);
    int mine = inside(path), there = mine && !access(path, F_OK), saved;
    int fd = (int)syscall(SYS_openat, dir, path, flags, mode);
    saved = errno;
    if (fd >= 0 && fd < MOST) {
        watched[fd] = (unsigned char)mine;
        owed[fd] = 0;
        if (mine && !there) note('C', inode(fd), 0, path + folder_length + 1, strlen(path + folder_length + 1));
        if (mine && there && (flags & O_TRUNC)) note('T', inode(fd), 0, NULL, 0);
    }
    pthread_mutex_unlock(&turn);
    errno = saved;
    return fd;
}

#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); }

int open(const char *path, int flags, ...) { MODE(flags) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return opened(AT_FDCWD, path, flags | O_LARGEFILE, mode); }
int openat(int dir, const char *path, int flags, ...) { MODE(flags) return opened(dir, path, flags, mode); }
int openat64(int dir, const char *path, int flags, ...) { MODE(flags) return opened(dir, path, flags | O_LARGEFILE, mode); }

int close(int fd) {
    pthread_mutex_lock(&turn);
    if (fd >= 0 && fd < MOST) watched[fd] = owed[fd] = 0;
    int done = (int)syscall(SYS_close, fd), saved = errno;
    pthread_mutex_unlock(&turn);
    errno = saved;
    return done;
}

static ssize_t written(int fd, const void *octets, size_t count, off_t offset) {
    pthread_mutex_lock(&turn);
    ssize_t done = (ssize_t)syscall(SYS_pwrite64, fd, octets, count, offset);
    int saved = errno;
    if (done > 0) note('W', inode(fd), (uint64_t)offset, octets, (uint64_t)done);
    pthread_mutex_unlock(&turn);
    errno = saved;
    return done;
}

ssize_t pwrite(int fd, const void *octets, size_t count, off_t offset) {
    if (is_watched(fd)) return written(fd, octets, count, offset);
    return (ssize_t)syscall(SYS_pwrite64, fd, octets, count, offset);
}
ssize_t pwrite64(int fd, const void *octets, size_t count, off_t offset) { return pwrite(fd, octets, count, offset); }

ssize_t write(int fd, const void *octets, size_t count) {
    if (!is_watched(fd)) return (ssize_t)syscall(SYS_write, fd, octets, count);
    off_t offset = lseek(fd, 0, SEEK_CUR);
    ssize_t done = written(fd, octets, count, offset);
    if (done > 0) lseek(fd, offset + done, SEEK_SET);
    return done;
}

int ftruncate(int fd, off_t length) {
    pthread_mutex_lock(&turn);
    int done = (int)syscall(SYS_ftruncate, fd, length), saved = errno;
    if (!done && is_watched(fd)) note('T', inode(fd), (uint64_t)length, NULL, 0);
    pthread_mutex_unlock(&turn);
    errno = saved;
    return done;
}
int ftruncate64(int fd, off_t length) { return ftruncate(fd, length); }

static void tell_others(int fd) {
    uint64_t node = inode(fd);
    for (int other = 0; other < MOST; other++)
        if (other != fd && watched[other] && inode(other) == node) owed[other] = 1;
}

static int synced(int fd) {
    /* The page cache does for the process; only the record decides what would have survived. */
    int failed = 0;
    if (is_watched(fd)) {
        struct stat found;
        pthread_mutex_lock(&turn);
        if (fstat(fd, &found)) { /* another thread has closed it meanwhile: no file was synced */
            pthread_mutex_unlock(&turn);
            errno = EBADF;
            return -1;
        }
        failed = one_in && S_ISREG(found.st_mode) && rand_r(&seed) % one_in == 0;
        note(failed ? 'F' : 'S', inode(fd), 0, NULL, 0);
        if (failed) tell_others(fd);
        failed |= owed[fd];
        owed[fd] = 0;
        pthread_mutex_unlock(&turn);
    }
    if (failed) errno = EIO;
    return failed ? -1 : 0;
}
int fsync(int fd) { return synced(fd); }
int fdatasync(int fd) { return synced(fd); }

int rename(const char *old, const char *new) {
    pthread_mutex_lock(&turn);
    uint64_t node = inside(new) ? inode_of(old) : 0;
    int done = (int)syscall(SYS_renameat2, AT_FDCWD, old, AT_FDCWD, new, 0), saved = errno;
    if (!done && node) {
        char both[2 * PATH_MAX];
        size_t first = strlen(old + folder_length + 1) + 1, second = strlen(new + folder_length + 1);
        memcpy(both, old + folder_length + 1, first);
        memcpy(both + first, new + folder_length + 1, second);
        note('R', node, 0, both, first + second);
    }
    pthread_mutex_unlock(&turn);
    errno = saved;
    return done;
}

int unlink(const char *path) {
    pthread_mutex_lock(&turn);
    uint64_t node = inside(path) ? inode_of(path) : 0;
    int done = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0), saved = errno;
    if (!done && node) note('U', node, 0, path + folder_length + 1, strlen(path + folder_length + 1));
    pthread_mutex_unlock(&turn);
    errno = saved;
    return done;
}
