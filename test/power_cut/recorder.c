/* Preloaded into our programs, notes what they do to the files under given folders, and what they say on sockets, in one
 * log for all of them. replay.py reads it, and describes what each entry means.
 *
 *   POWER_CUT_LOG       the log; appended to
 *   POWER_CUT_FOLDERS   folder:folder, as realpath(3) gives them
 *
 * An entry is one write with O_APPEND, made before the call that it notes returns; so what happened before another thing,
 * as a program can know it, stands before it in the log. A write, a name and the end of a sync are noted once they are
 * done, the begin of a sync and what is said before they are done: what is in doubt counts as not yet on the disk.
 * SQLite's -shm is left out: it is mapped, and made anew after a crash. Any other shared mapping is noted, for it cannot
 * be followed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MAKE = 1, WRITE, SIZE, RENAME, LINK, UNLINK, MKDIR, RMDIR, SYNC, SYNCED, CONTENT, SAY, HEAR, MAP };

struct entry {
  uint32_t magic;
  uint8_t what;
  uint8_t is_folder;
  uint16_t path_bytes;
  uint16_t other_bytes;
  uint16_t unused;
  uint32_t process;
  uint64_t file;  /* inode; of SAY and HEAR the descriptor */
  int64_t number; /* offset, size, or which sync */
  uint32_t data_bytes;
  uint32_t more;
};

static int log_fd = -1;
static char folders[8][PATH_MAX];
static int folder_count;
static atomic_uint syncs;

#define REAL(result, name, ...) \
  static result (*real)(__VA_ARGS__); \
  if (!real) real = (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

__attribute__((constructor)) static void begin(void) {
  const char* log = getenv("POWER_CUT_LOG");
  const char* wanted = getenv("POWER_CUT_FOLDERS");
  if (!log || !wanted) return;
  const int fd = open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  log_fd = fcntl(fd, F_DUPFD_CLOEXEC, 900); /* out of the way of those who count descriptors */
  close(fd);
  char* text = strdup(wanted);
  for (char* one = strtok(text, ":"); one && folder_count < 8; one = strtok(NULL, ":")) snprintf(folders[folder_count++], PATH_MAX, "%s", one);
  free(text);
}

static void die(const char* why) {
  fprintf(stderr, "power-cut recorder: %s: %m\n", why);
  abort();
}

static void note(uint8_t what, const char* path, const char* other, uint64_t file, int64_t number, uint8_t is_folder, const void* data, size_t bytes) {
  if (log_fd < 0) return;
  const int before = errno;
  struct entry entry = {.magic = 0x21545543, .what = what, .is_folder = is_folder, .path_bytes = (uint16_t)strlen(path), .other_bytes = (uint16_t)strlen(other), .process = (uint32_t)getpid(), .file = file, .number = number, .data_bytes = (uint32_t)bytes};
  struct iovec parts[] = {{&entry, sizeof entry}, {(void*)path, entry.path_bytes}, {(void*)other, entry.other_bytes}, {(void*)data, bytes}};
  REAL(ssize_t, "writev", int, const struct iovec*, int);
  if (real(log_fd, parts, 4) != (ssize_t)(sizeof entry + entry.path_bytes + entry.other_bytes + bytes)) die("the log cannot be written");
  errno = before;
}

static int is_ours(const char* path) {
  const size_t length = strlen(path);
  if (length > 4 && strcmp(path + length - 4, "-shm") == 0) return 0;
  for (int i = 0; i < folder_count; ++i) {
    const size_t size = strlen(folders[i]);
    if (strncmp(path, folders[i], size) == 0 && (path[size] == '/' || path[size] == 0)) return 1;
  }
  return 0;
}

/* The whole path of a name as it was given, its last part not followed. 0: not one of ours. */
static int whole_path(int folder_fd, const char* given, char* path) {
  if (log_fd < 0) return 0;
  const int before = errno;
  char joined[PATH_MAX], folder[PATH_MAX];
  if (given[0] != '/' && folder_fd != AT_FDCWD) {
    snprintf(joined, sizeof joined, "/proc/self/fd/%d/%s", folder_fd, given);
  } else {
    snprintf(joined, sizeof joined, "%s", given);
  }
  char* slash = strrchr(joined, '/');
  const char* name = slash ? slash + 1 : joined;
  if (slash == joined) slash = NULL; /* in the root folder: not ours */
  if (slash) *slash = 0;
  const int found = realpath(slash ? joined : ".", folder) != NULL && snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX && is_ours(path);
  errno = before;
  return found;
}

/* What an open descriptor is. 0: not one of ours. `path` as the file was called when it was opened. */
static int tracked(int fd, struct stat* about, char* path) {
  if (log_fd < 0 || fd == log_fd) return 0;
  const int before = errno;
  char link_path[64];
  int found = 0;
  if (fstat(fd, about) == 0 && (S_ISREG(about->st_mode) || S_ISDIR(about->st_mode))) {
    snprintf(link_path, sizeof link_path, "/proc/self/fd/%d", fd);
    const ssize_t length = readlink(link_path, path, PATH_MAX - 1);
    if (length > 0) {
      path[length] = 0;
      char* deleted = strstr(path, " (deleted)");
      if (deleted) *deleted = 0;
      found = is_ours(path);
    }
  }
  errno = before;
  return found;
}

static int is_socket(int fd) {
  const int before = errno;
  struct stat about;
  const int found = log_fd >= 0 && fstat(fd, &about) == 0 && S_ISSOCK(about.st_mode);
  errno = before;
  return found;
}

/* --- files: names --- */

static int noted_open(int (*real)(int, const char*, int, ...), int folder, const char* given, int flags, mode_t mode) {
  char path[PATH_MAX];
  struct stat about = {0}, was = {0};
  const int ours = (flags & (O_CREAT | O_TRUNC)) && whole_path(folder, given, path);
  const int existed = ours && stat(path, &was) == 0;
  const int fd = real(folder, given, flags, mode);
  if (fd < 0 || !ours) return fd;
  const int before = errno;
  if (fstat(fd, &about) == 0) {
    if (!existed) note(MAKE, path, "", about.st_ino, 0, 0, "", 0);
    if (existed && (flags & O_TRUNC)) note(SIZE, path, "", about.st_ino, 0, 0, "", 0);
  }
  errno = before;
  return fd;
}

static int any_open(int folder, const char* path, int flags, mode_t mode) {
  static int (*real)(int, const char*, int, ...);
  if (!real) real = (int (*)(int, const char*, int, ...))dlsym(RTLD_NEXT, "openat");
  return noted_open(real, folder, path, flags, mode);
}

#define OPEN(folder, added) \
  mode_t mode = 0; \
  if (flags & (O_CREAT | O_TMPFILE)) { \
    va_list rest; \
    va_start(rest, flags); \
    mode = va_arg(rest, mode_t); \
    va_end(rest); \
  } \
  return any_open(folder, path, flags | (added), mode)

int open(const char* path, int flags, ...) { OPEN(AT_FDCWD, 0); }
int open64(const char* path, int flags, ...) { OPEN(AT_FDCWD, O_LARGEFILE); }
int openat(int folder, const char* path, int flags, ...) { OPEN(folder, 0); }
int openat64(int folder, const char* path, int flags, ...) { OPEN(folder, O_LARGEFILE); }
int creat(const char* path, mode_t mode) { return any_open(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char* path, mode_t mode) { return creat(path, mode); }

static int noted_pair(uint8_t what, int result, int from_ours, const char* from_path, int to_ours, const char* to_path) {
  if (result != 0 || (!from_ours && !to_ours)) return result;
  const int before = errno;
  struct stat about = {0};
  if (lstat(to_path, &about) != 0) about.st_ino = 0; /* gone again meanwhile */
  note(what, from_path, to_path, about.st_ino, 0, S_ISDIR(about.st_mode) ? 1 : 0, "", 0);
  errno = before;
  return result;
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  REAL(int, "renameat2", int, const char*, int, const char*, unsigned);
  char from_path[PATH_MAX], to_path[PATH_MAX];
  const int from_ours = whole_path(from_folder, from, from_path), to_ours = whole_path(to_folder, to, to_path);
  return noted_pair(RENAME, real(from_folder, from, to_folder, to, flags), from_ours, from_path, to_ours, to_path);
}
int rename(const char* from, const char* to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int from_folder, const char* from, int to_folder, const char* to) { return renameat2(from_folder, from, to_folder, to, 0); }

int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) {
  REAL(int, "linkat", int, const char*, int, const char*, int);
  char from_path[PATH_MAX], to_path[PATH_MAX];
  const int from_ours = whole_path(from_folder, from, from_path), to_ours = whole_path(to_folder, to, to_path);
  return noted_pair(LINK, real(from_folder, from, to_folder, to, flags), from_ours, from_path, to_ours, to_path);
}
int link(const char* from, const char* to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int unlinkat(int folder, const char* given, int flags) {
  REAL(int, "unlinkat", int, const char*, int);
  char path[PATH_MAX];
  const int ours = whole_path(folder, given, path);
  const int result = real(folder, given, flags);
  if (result == 0 && ours) note(flags & AT_REMOVEDIR ? RMDIR : UNLINK, path, "", 0, 0, 0, "", 0);
  return result;
}
int unlink(const char* path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char* path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }
int remove(const char* path) {
  const int result = unlink(path);
  return result != 0 && errno == EISDIR ? rmdir(path) : result;
}

int mkdirat(int folder, const char* given, mode_t mode) {
  REAL(int, "mkdirat", int, const char*, mode_t);
  char path[PATH_MAX];
  const int ours = whole_path(folder, given, path);
  const int result = real(folder, given, mode);
  if (result == 0 && ours) note(MKDIR, path, "", 0, 0, 1, "", 0);
  return result;
}
int mkdir(const char* path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

/* --- files: bytes --- */

/* What came into a file by a way that did not pass us is read back from it. */
static void note_written(int fd, int64_t offset, int64_t bytes) {
  char path[PATH_MAX], again[64];
  struct stat about;
  if (bytes <= 0 || !tracked(fd, &about, path)) return;
  const int before = errno;
  snprintf(again, sizeof again, "/proc/self/fd/%d", fd);
  const int reader = any_open(AT_FDCWD, again, O_RDONLY | O_CLOEXEC, 0);
  char* data = malloc((size_t)bytes);
  if (reader < 0 || !data || pread(reader, data, (size_t)bytes, offset) != bytes) die("what was written cannot be read");
  note(WRITE, path, "", about.st_ino, offset, 0, data, (size_t)bytes);
  free(data);
  close(reader);
  errno = before;
}

static void note_said(int fd, const void* data, size_t bytes) {
  if (is_socket(fd)) note(SAY, program_invocation_short_name, "", (uint64_t)fd, 0, 0, data, bytes < 16384 ? bytes : 16384);
}

ssize_t write(int fd, const void* data, size_t bytes) {
  REAL(ssize_t, "write", int, const void*, size_t);
  note_said(fd, data, bytes);
  const ssize_t done = real(fd, data, bytes);
  char path[PATH_MAX];
  struct stat about;
  if (done > 0 && tracked(fd, &about, path)) note(WRITE, path, "", about.st_ino, lseek(fd, 0, SEEK_CUR) - done, 0, data, (size_t)done);
  return done;
}

ssize_t pwrite64(int fd, const void* data, size_t bytes, off64_t offset) {
  REAL(ssize_t, "pwrite64", int, const void*, size_t, off64_t);
  const ssize_t done = real(fd, data, bytes, offset);
  char path[PATH_MAX];
  struct stat about;
  if (done > 0 && tracked(fd, &about, path)) note(WRITE, path, "", about.st_ino, offset, 0, data, (size_t)done);
  return done;
}
ssize_t pwrite(int fd, const void* data, size_t bytes, off_t offset) { return pwrite64(fd, data, bytes, offset); }

ssize_t writev(int fd, const struct iovec* parts, int count) {
  REAL(ssize_t, "writev", int, const struct iovec*, int);
  if (count > 0) note_said(fd, parts[0].iov_base, parts[0].iov_len);
  const ssize_t done = real(fd, parts, count);
  if (done > 0 && !is_socket(fd)) note_written(fd, lseek(fd, 0, SEEK_CUR) - done, done);
  return done;
}
ssize_t pwritev64(int fd, const struct iovec* parts, int count, off64_t offset) {
  REAL(ssize_t, "pwritev64", int, const struct iovec*, int, off64_t);
  const ssize_t done = real(fd, parts, count, offset);
  note_written(fd, offset, done);
  return done;
}
ssize_t pwritev(int fd, const struct iovec* parts, int count, off_t offset) { return pwritev64(fd, parts, count, offset); }

ssize_t copy_file_range(int from, off64_t* from_offset, int to, off64_t* to_offset, size_t bytes, unsigned flags) {
  REAL(ssize_t, "copy_file_range", int, off64_t*, int, off64_t*, size_t, unsigned);
  const ssize_t done = real(from, from_offset, to, to_offset, bytes, flags);
  if (done > 0) note_written(to, (to_offset ? *to_offset : lseek(to, 0, SEEK_CUR)) - done, done);
  return done;
}
ssize_t sendfile64(int to, int from, off64_t* offset, size_t bytes) {
  REAL(ssize_t, "sendfile64", int, int, off64_t*, size_t);
  const ssize_t done = real(to, from, offset, bytes);
  if (done > 0 && !is_socket(to)) note_written(to, lseek(to, 0, SEEK_CUR) - done, done);
  return done;
}
ssize_t sendfile(int to, int from, off_t* offset, size_t bytes) { return sendfile64(to, from, offset, bytes); }

static int noted_size(int fd, int result) {
  char path[PATH_MAX];
  struct stat about;
  if (result == 0 && tracked(fd, &about, path)) note(SIZE, path, "", about.st_ino, about.st_size, 0, "", 0);
  return result;
}
int ftruncate64(int fd, off64_t size) {
  REAL(int, "ftruncate64", int, off64_t);
  return noted_size(fd, real(fd, size));
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }
int posix_fallocate64(int fd, off64_t offset, off64_t bytes) {
  REAL(int, "posix_fallocate64", int, off64_t, off64_t);
  return noted_size(fd, real(fd, offset, bytes));
}
int posix_fallocate(int fd, off_t offset, off_t bytes) { return posix_fallocate64(fd, offset, bytes); }
int fallocate64(int fd, int mode, off64_t offset, off64_t bytes) {
  REAL(int, "fallocate64", int, int, off64_t, off64_t);
  if (mode & ~1) die("a mode of fallocate(2) that is not followed");
  return noted_size(fd, real(fd, mode, offset, bytes));
}
int fallocate(int fd, int mode, off_t offset, off_t bytes) { return fallocate64(fd, mode, offset, bytes); }

void* mmap64(void* address, size_t bytes, int protection, int flags, int fd, off64_t offset) {
  REAL(void*, "mmap64", void*, size_t, int, int, int, off64_t);
  char path[PATH_MAX];
  struct stat about;
  if (fd >= 0 && (flags & MAP_SHARED) && (protection & PROT_WRITE) && tracked(fd, &about, path)) note(MAP, path, "", about.st_ino, offset, 0, "", 0);
  return real(address, bytes, protection, flags, fd, offset);
}
void* mmap(void* address, size_t bytes, int protection, int flags, int fd, off_t offset) { return mmap64(address, bytes, protection, flags, fd, offset); }

/* --- what makes it durable --- */

/* A child of ours may have written to the file, in a box where nobody looks on: what is in it is noted with the sync. */
static void note_content(int fd, const char* path, const struct stat* about) {
  if (!S_ISREG(about->st_mode) || strstr(path, ".db") != NULL) return;
  char again[64];
  snprintf(again, sizeof again, "/proc/self/fd/%d", fd);
  const int reader = any_open(AT_FDCWD, again, O_RDONLY | O_CLOEXEC, 0);
  char* data = malloc((size_t)about->st_size + 1);
  if (reader < 0 || !data || pread(reader, data, (size_t)about->st_size, 0) != about->st_size) die("what is synced cannot be read");
  note(CONTENT, path, "", about->st_ino, 0, 0, data, (size_t)about->st_size);
  free(data);
  close(reader);
}

static int noted_sync(int (*real)(int), int fd) {
  char path[PATH_MAX];
  struct stat about;
  if (!tracked(fd, &about, path)) return real(fd);
  const int64_t number = (int64_t)getpid() << 24 | ++syncs;
  note_content(fd, path, &about);
  note(SYNC, path, "", about.st_ino, number, S_ISDIR(about.st_mode) ? 1 : 0, "", 0);
  const int result = real(fd);
  if (result == 0) note(SYNCED, path, "", about.st_ino, number, S_ISDIR(about.st_mode) ? 1 : 0, "", 0);
  return result;
}
int fsync(int fd) {
  REAL(int, "fsync", int);
  return noted_sync(real, fd);
}
int fdatasync(int fd) {
  REAL(int, "fdatasync", int);
  return noted_sync(real, fd);
}
/* sync_file_range(2) promises nothing of the size, syncfs(2) is nobody's here: both count as nothing. */

/* --- what the outside sees, and asks --- */

ssize_t send(int fd, const void* data, size_t bytes, int flags) {
  REAL(ssize_t, "send", int, const void*, size_t, int);
  note_said(fd, data, bytes);
  return real(fd, data, bytes, flags);
}
ssize_t sendto(int fd, const void* data, size_t bytes, int flags, const struct sockaddr* to, socklen_t size) {
  REAL(ssize_t, "sendto", int, const void*, size_t, int, const struct sockaddr*, socklen_t);
  note_said(fd, data, bytes);
  return real(fd, data, bytes, flags, to, size);
}
ssize_t sendmsg(int fd, const struct msghdr* message, int flags) {
  REAL(ssize_t, "sendmsg", int, const struct msghdr*, int);
  if (message->msg_iovlen > 0) note_said(fd, message->msg_iov[0].iov_base, message->msg_iov[0].iov_len);
  return real(fd, message, flags);
}

static void note_heard(int fd, const void* data, ssize_t bytes) {
  if (bytes > 0 && is_socket(fd)) note(HEAR, program_invocation_short_name, "", (uint64_t)fd, 0, 0, data, (size_t)(bytes < 8192 ? bytes : 8192));
}
ssize_t read(int fd, void* data, size_t bytes) {
  REAL(ssize_t, "read", int, void*, size_t);
  const ssize_t done = real(fd, data, bytes);
  note_heard(fd, data, done);
  return done;
}
ssize_t recvmsg(int fd, struct msghdr* message, int flags) {
  REAL(ssize_t, "recvmsg", int, struct msghdr*, int);
  const ssize_t done = real(fd, message, flags);
  if (message->msg_iovlen > 0) note_heard(fd, message->msg_iov[0].iov_base, done);
  return done;
}
