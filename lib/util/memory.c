#define _DEFAULT_SOURCE /* _SC_PHYS_PAGES */
#include "memory.h"

#include <stdint.h>
#include <unistd.h>

size_t memory_installed(void)
{
#ifdef _SC_PHYS_PAGES
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    if (pages > 0 && size > 0)
        return (size_t)pages * (size_t)size;
#endif
    return SIZE_MAX;
}
