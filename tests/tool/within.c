/* within SECONDS MEGABYTES COMMAND...: runs a command that must end by itself within a time and a
   resident set; 0 megabytes: any. Prints what it took on standard error when done. Exits with the
   command's status, or 124 when it was killed for its time, 125 when it took more memory, 126 when
   a signal ended it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t late;
static pid_t child;

static void on_alarm(int number)
{
    (void)number;
    late = 1;
    kill(child, SIGKILL);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: within SECONDS MEGABYTES COMMAND...\n");
        return 2;
    }
    double start = now();
    child = fork();
    if (child == 0) {
        execvp(argv[3], argv + 3);
        fprintf(stderr, "within: cannot run '%s': %s\n", argv[3], strerror(errno));
        _exit(127);
    }
    struct sigaction act = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &act, NULL);
    alarm((unsigned)atoi(argv[1]));
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) {
        fprintf(stderr, "within: %s\n", strerror(errno));
        return 2;
    }
    struct rusage used;
    getrusage(RUSAGE_CHILDREN, &used);
    double most = atof(argv[2]), took = (double)used.ru_maxrss / 1024; /* Linux counts KB */
    fprintf(stderr, "within: %.2f s, %.0f MB\n", now() - start, took);
    if (late != 0)
        return 124;
    if (most > 0 && took > most)
        return 125;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}
