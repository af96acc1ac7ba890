/* What systems other than Linux with glibc lack, taken away where it was declared. Included before a
   source by tests/cmd/portable.t. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#undef _GNU_SOURCE
#undef _DEFAULT_SOURCE
#undef __GLIBC__
#undef __linux__
#undef F_SETPIPE_SZ
#undef O_TMPFILE
#undef MADV_HUGEPAGE
#undef CLOCK_MONOTONIC_COARSE
#undef _SC_PHYS_PAGES
#undef _POSIX_ADVISORY_INFO
#undef CPU_COUNT_S
#undef CPU_ALLOC
#pragma GCC poison posix_fallocate sched_getaffinity syncfs
