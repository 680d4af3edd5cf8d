/* Preloaded into the line's programs by test_clock.py, so that a test can set their clock while they run, as a person, NTP
 * or a dead battery would.
 *
 *   FAXLINE_MOVED_CLOCK   a file of three 64-bit numbers, looked at in each call: by how many milliseconds the time of day
 *                         is another; by how many the time since the machine's start is; whether somebody keeps the clock right
 *
 * What a program waits by (CLOCK_MONOTONIC) stays as it is, for that is never set. The times of files are the kernel's. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

enum { TIME_OF_DAY, SINCE_BOOT, KEPT_RIGHT, NUMBERS };

static const _Atomic int64_t* numbers;

__attribute__((constructor)) static void begin(void) {
  const char* path = getenv("FAXLINE_MOVED_CLOCK");
  const int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (fd < 0) return;
  void* place = mmap(NULL, NUMBERS * sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
  if (place != MAP_FAILED) numbers = place;
  close(fd);
}

static int64_t number(int which) { return numbers ? atomic_load(&numbers[which]) : 0; }

int clock_gettime(clockid_t id, struct timespec* time) {
  const int done = (int)syscall(SYS_clock_gettime, id, time);
  if (done != 0) return done;
  const int64_t ms = id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE ? number(TIME_OF_DAY) : id == CLOCK_BOOTTIME ? number(SINCE_BOOT) : 0;
  const int64_t ns = time->tv_nsec + ms % 1000 * 1000000;
  time->tv_sec += ms / 1000 + (ns < 0 ? -1 : ns / 1000000000);
  time->tv_nsec = ns < 0 ? ns + 1000000000 : ns % 1000000000;
  return 0;
}

int gettimeofday(struct timeval* restrict value, void* restrict zone) {
  struct timespec time;
  (void)zone;
  if (clock_gettime(CLOCK_REALTIME, &time) != 0) return -1;
  value->tv_sec = time.tv_sec;
  value->tv_usec = time.tv_nsec / 1000;
  return 0;
}

time_t time(time_t* place) {
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  if (place) *place = now.tv_sec;
  return now.tv_sec;
}

int adjtimex(struct timex* state) {
  if (!numbers) return (int)syscall(SYS_adjtimex, state);
  memset(state, 0, sizeof *state);
  state->status = number(KEPT_RIGHT) ? 0 : STA_UNSYNC;
  return number(KEPT_RIGHT) ? TIME_OK : TIME_ERROR;
}

/* systemd-timesyncd's mark is another way to say it. */
int access(const char* path, int mode) {
  if (numbers && strcmp(path, "/run/systemd/timesync/synchronized") == 0) {
    errno = ENOENT;
    return number(KEPT_RIGHT) ? 0 : -1;
  }
  return (int)syscall(SYS_faccessat, AT_FDCWD, path, mode);
}
