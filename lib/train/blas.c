#include "blas.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void blas_without_threads(char **argv)
{
    static const char name[] = "OPENBLAS_NUM_THREADS";
    const char *now = getenv(name);
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self);
    if ((now != NULL && strcmp(now, "1") == 0) || n < 1 || n == sizeof self ||
        setenv(name, "1", 1) != 0)
        return;
    self[n] = '\0';
    execv(self, argv); /* where that can't be, the threads are there, and harmless */
}
