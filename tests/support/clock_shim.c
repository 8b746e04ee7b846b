/* Preloaded into a program, moves its wall clock by the nanoseconds in the file CLOCK_SHIM names,
 * an int64; a second one makes the kernel say that the clock is not synchronised (1) or that it is
 * (2). Both may change at any time. No other clock is touched. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

enum { SECOND = 1000000000 };

struct shim {
    _Atomic int64_t offset, discipline; /* beyond the end of the file: 0 */
};
static const struct shim* shim;

__attribute__((constructor)) static void map_offset(void)
{
    const char* path = getenv("CLOCK_SHIM");
    const int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        void* mapped = mmap(NULL, sizeof *shim, PROT_READ, MAP_SHARED, file, 0);
        shim = mapped == MAP_FAILED ? NULL : mapped;
        close(file);
    }
}

int clock_gettime(clockid_t clock, struct timespec* time)
{
    const long result = syscall(SYS_clock_gettime, clock, time);
    if (result == 0 && shim != NULL &&
        (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        const int64_t total =
            (int64_t)time->tv_sec * SECOND + time->tv_nsec + atomic_load(&shim->offset);
        time->tv_sec = total / SECOND;
        time->tv_nsec = total % SECOND;
    }
    return (int)result;
}

int gettimeofday(struct timeval* time, void* zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t* out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL) {
        *out = now.tv_sec;
    }
    return now.tv_sec;
}

int adjtimex(struct timex* state)
{
    const int result = (int)syscall(SYS_adjtimex, state);
    const int64_t discipline = shim == NULL ? 0 : atomic_load(&shim->discipline);
    if (discipline != 0) {
        state->status = discipline == 1 ? STA_UNSYNC : STA_PLL;
        state->maxerror = 2000;
        return discipline == 1 ? TIME_ERROR : TIME_OK;
    }
    return result;
}
