/* How many threads it makes sense to run. */
#ifndef MIEN_UTIL_CORES_H
#define MIEN_UTIL_CORES_H

/* The processors that this process may use, 1 to 256: those of its affinity mask, or fewer where
   the control groups that it is in allow less time than they have. */
int cores_usable(void);

/* The part about control groups: cgroups is a file like /proc/self/cgroup, mount where their files
   are, /sys/fs/cgroup. Returns the least quota of time, in processors rounded up, of the groups and
   of those above them; INT_MAX without a quota. Both versions of the interface are read, see
   cgroups(7). */
int cores_of_quota(const char *cgroups, const char *mount);

#endif
