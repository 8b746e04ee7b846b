/* Loaded before the C library: allocations from number FAILING_MALLOC_AT on fail,
 * FAILING_MALLOC_COUNT of them (1). Counted over all threads of the process. */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* old, size_t size);

static atomic_long calls;
static long first, last = -1;

__attribute__((constructor)) static void read_environment(void)
{
    const char* at = getenv("FAILING_MALLOC_AT");
    const char* count = getenv("FAILING_MALLOC_COUNT");
    if (at != NULL) {
        first = atol(at);
        last = first + (count == NULL ? 1 : atol(count)) - 1;
    }
}

static int fails(void)
{
    const long number = atomic_fetch_add(&calls, 1) + 1;
    if (number < first || number > last) {
        return 0;
    }
    errno = ENOMEM;
    return 1;
}

void* malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void* calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

void* realloc(void* old, size_t size)
{
    return fails() ? NULL : __libc_realloc(old, size);
}
