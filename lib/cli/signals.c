/*
 * The names of temporary files, and the files that are mapped, which a handler may read at any time
 * and in any thread: a slot holds one or NULL. Neither may be freed while the handler reads it, so
 * whoever takes one out looks afterwards whether a handler has begun to end the program, and then
 * waits for that.
 */
#include "signals.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mien/cli.h"
#include "util/file.h"
#include "util/printable.h"

enum { SLOTS = 64, NAMES = 1024 };

/* Names beyond the first NAMES go to blocks that are added when needed and stay; of those that
   there is no memory for nothing is known. */
struct block {
    _Atomic(const char *) name[NAMES];
    _Atomic(struct block *) next;
};

static struct block names;
static _Atomic(const struct file_map *) maps[SLOTS];
static const char *program;
static atomic_bool ending;
static _Atomic(void (*)(int)) first; /* called by the first signal */

/* The block behind another one, made if there is none. NULL when out of memory. */
static struct block *next_block(struct block *b)
{
    struct block *none = NULL;
    if (atomic_load(&b->next) != NULL)
        return b->next;
    struct block *more = calloc(1, sizeof *more);
    if (more != NULL && !atomic_compare_exchange_strong(&b->next, &none, more)) {
        free(more);
        more = none;
    }
    return more;
}

/* Puts a name in the place of another one, either of which may be NULL. */
static void change(const char *from, const char *to)
{
    for (struct block *b = &names; b != NULL; b = from == NULL ? next_block(b) : b->next) {
        for (int i = 0; i < NAMES; i++) {
            const char *name = from;
            if (atomic_load_explicit(&b->name[i], memory_order_relaxed) == from &&
                atomic_compare_exchange_strong(&b->name[i], &name, to))
                return;
        }
    }
}

static void made(const char *tmp)
{
    change(NULL, tmp);
}

static void gone(const char *tmp)
{
    change(tmp, NULL);
    while (atomic_load(&ending))
        pause();
}

static void mapped(const struct file_map *m)
{
    const struct file_map *none = NULL;
    for (int i = 0; i < SLOTS && !atomic_compare_exchange_strong(&maps[i], &none, m); i++)
        none = NULL;
}

static void unmapped(const struct file_map *m)
{
    const struct file_map *map = m;
    for (int i = 0; i < SLOTS && !atomic_compare_exchange_strong(&maps[i], &map, NULL); i++)
        map = m;
    while (atomic_load(&ending))
        pause();
}

static void remove_files(void)
{
    atomic_store(&ending, true);
    for (struct block *b = &names; b != NULL; b = atomic_load(&b->next)) {
        for (int i = 0; i < NAMES; i++) {
            const char *name = atomic_load(&b->name[i]);
            if (name != NULL)
                unlink(name);
        }
    }
}

static void on_signal(int number)
{
    void (*call)(int) = atomic_exchange(&first, NULL);
    if (call != NULL) {
        if (number == SIGXCPU)
            signal(SIGXCPU, SIG_IGN); /* it comes again every second */
        call(number);
        return;
    }
    remove_files();
    signal(number, SIG_DFL);
    raise(number); /* delivered when this function returns */
}

/* Appends to a line, where there is room. */
static void append(char *line, size_t size, const char *s)
{
    size_t n = strlen(line), k = strlen(s);
    memcpy(line + n, s, n + k < size ? k + 1 : 0);
}

/* Another process has cut a file short that is mapped here. Whatever else raises SIGBUS ends the
   program by it. */
static void on_bus_error(int number, siginfo_t *info, void *context)
{
    (void)context;
    const unsigned char *at = info->si_addr;
    while (atomic_exchange(&ending, true)) /* another thread is at it */
        pause();
    for (int i = 0; i < SLOTS; i++) {
        const struct file_map *m = atomic_load(&maps[i]);
        if (m == NULL || at < m->data || at >= m->data + m->len)
            continue;
        char line[1024] = "";
        append(line, sizeof line, program);
        append(line, sizeof line, ": '");
        append(line, sizeof line - 64, m->path);
        append(line, sizeof line, "' was cut short while it was read");
        size_t n = printable(line, sizeof line - 1, line, strlen(line));
        line[n++] = '\n';
        (void)!write(STDERR_FILENO, line, n);
        remove_files();
        _exit(MIEN_EXIT_FATAL);
    }
    remove_files();
    signal(number, SIG_DFL); /* it comes again */
}

void cli_catch_signals(const char *name)
{
    static const struct file_watch watch = {made, gone, mapped, unmapped};
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGXCPU};
    struct sigaction a = {.sa_handler = on_signal, .sa_flags = SA_RESTART}, old;
    struct sigaction bus = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
    program = name;
    file_watch(&watch);
    sigaction(SIGBUS, &bus, NULL);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(numbers[i], &a, NULL);
    }
    signal(SIGXFSZ, SIG_IGN);
}

void mien_cli_on_signal(void (*call)(int number))
{
    atomic_store(&first, call);
}
