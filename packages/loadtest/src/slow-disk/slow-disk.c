/* Preloaded into a server: whatever makes bytes durable takes 50 ms longer, as on a disk in trouble. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

static void wait_for_disk(void) {
  struct timespec left = {0, 50 * 1000 * 1000};
  while (nanosleep(&left, &left) != 0) {
  }
}

static int writes_through(int fd) { return (fcntl(fd, F_GETFL) & O_DSYNC) != 0; }

#define NEXT(type, name, ...) \
  static type (*next)(__VA_ARGS__); \
  if (!next) next = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

int fsync(int fd) {
  NEXT(int, "fsync", int);
  int done = next(fd);
  wait_for_disk();
  return done;
}

int fdatasync(int fd) {
  NEXT(int, "fdatasync", int);
  int done = next(fd);
  wait_for_disk();
  return done;
}

ssize_t write(int fd, const void *bytes, size_t count) {
  NEXT(ssize_t, "write", int, const void *, size_t);
  ssize_t done = next(fd, bytes, count);
  if (writes_through(fd)) wait_for_disk();
  return done;
}

#define PWRITE(name) \
  ssize_t name(int fd, const void *bytes, size_t count, off_t at) { \
    NEXT(ssize_t, #name, int, const void *, size_t, off_t); \
    ssize_t done = next(fd, bytes, count, at); \
    if (writes_through(fd)) wait_for_disk(); \
    return done; \
  }
PWRITE(pwrite)
PWRITE(pwrite64)

#define PWRITEV(name) \
  ssize_t name(int fd, const struct iovec *parts, int count, off_t at) { \
    NEXT(ssize_t, #name, int, const struct iovec *, int, off_t); \
    ssize_t done = next(fd, parts, count, at); \
    if (writes_through(fd)) wait_for_disk(); \
    return done; \
  }
PWRITEV(pwritev)
PWRITEV(pwritev64)
