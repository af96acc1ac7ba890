/* The memory that there is. */
#ifndef MIEN_UTIL_MEMORY_H
#define MIEN_UTIL_MEMORY_H

#include <stddef.h>

/* The machine's memory in bytes; SIZE_MAX where the system doesn't tell. */
size_t memory_installed(void);

#endif
