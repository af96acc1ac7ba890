#ifdef __linux__
#define _GNU_SOURCE /* CPU_COUNT */
#include <sched.h>
#endif
#include "cores.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Reads the first line of a file in a folder. */
static bool read_line(const char *folder, const char *name, char *line, int size)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = n > 0 && (size_t)n < sizeof path ? fopen(path, "r") : NULL;
    if (f == NULL)
        return false;
    bool got = fgets(line, size, f) != NULL;
    fclose(f);
    return got;
}

/* The quota of a group itself; INFINITY without one, or without such a group. */
static double quota_of(const char *folder, bool v2)
{
    char line[64], line2[64];
    double quota = -1, period = 0;
    if (v2 && read_line(folder, "cpu.max", line, sizeof line)) {
        /* NOLINTNEXTLINE(cert-err34-c): "max", and what is no number, is no quota */
        sscanf(line, "%lf %lf", &quota, &period);
    } else if (!v2 && read_line(folder, "cpu.cfs_quota_us", line, sizeof line) &&
               read_line(folder, "cpu.cfs_period_us", line2, sizeof line2)) {
        /* NOLINTBEGIN(cert-err34-c): the same */
        sscanf(line, "%lf", &quota);
        sscanf(line2, "%lf", &period);
        /* NOLINTEND(cert-err34-c) */
    }
    return quota > 0 && period > 0 ? quota / period : INFINITY;
}

/* The least quota of a group and those above it. In a container the names may be those outside of
   it, where only the uppermost one is found. */
static double least_quota(const char *mount, const char *group, bool v2)
{
    char folder[PATH_MAX];
    int n = snprintf(folder, sizeof folder, "%s%s", mount, group);
    if (n < 0 || (size_t)n >= sizeof folder)
        return INFINITY;
    double least = INFINITY;
    for (char *end = folder + n; end >= folder + strlen(mount); end--) {
        if (*end != '\0' && *end != '/')
            continue;
        *end = '\0';
        least = fmin(least, quota_of(folder, v2));
    }
    return least;
}

static bool has_word(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *s = list;; s += strcspn(s, ",") + 1) {
        if (strncmp(s, word, n) == 0 && (s[n] == ',' || s[n] == '\0'))
            return true;
        if (s[strcspn(s, ",")] == '\0')
            return false;
    }
}

int cores_of_quota(const char *cgroups, const char *mount)
{
    char line[PATH_MAX], v1[PATH_MAX];
    double least = INFINITY;
    FILE *f = fopen(cgroups, "r");
    if (f == NULL)
        return INT_MAX;
    snprintf(v1, sizeof v1, "%s/cpu", mount);
    while (fgets(line, sizeof line, f) != NULL) { /* such as "3:cpu,cpuacct:/user.slice" */
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':');
        char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
        if (group == NULL)
            continue;
        *group++ = '\0';
        if (controllers[1] == '\0')
            least = fmin(least, least_quota(mount, group, true));
        else if (has_word(controllers + 1, "cpu"))
            least = fmin(least, least_quota(v1, group, false));
    }
    fclose(f);
    return least < INT_MAX ? (int)fmax(1, ceil(least)) : INT_MAX;
}

/* glibc's sysconf doesn't ask for the affinity mask. */
static long processors(void)
{
#ifdef __linux__
    /* The mask must have room for all processors of the machine, however few are ours. */
    for (int most = 1024; most <= 1 << 20; most *= 4) {
        size_t size = CPU_ALLOC_SIZE(most);
        cpu_set_t *mask = CPU_ALLOC(most);
        int n = mask != NULL && sched_getaffinity(0, size, mask) == 0 ? CPU_COUNT_S(size, mask) : 0;
        CPU_FREE(mask);
        if (n > 0)
            return n;
    }
#endif
    return sysconf(_SC_NPROCESSORS_ONLN);
}

int cores_usable(void)
{
    long n = processors(), quota = cores_of_quota("/proc/self/cgroup", "/sys/fs/cgroup");
    n = n < quota ? n : quota;
    return n < 1 ? 1 : n > 256 ? 256 : (int)n;
}
