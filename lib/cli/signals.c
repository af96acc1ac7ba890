/*
 * The names of temporary files, which a handler may read at any time and in any thread: a slot holds
 * a name or NULL. A file's name must not be freed while the handler reads it, so whoever takes a name
 * out looks afterwards whether a handler has begun, and then waits for it to end the program.
 */
#include "signals.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "mien/cli.h"
#include "util/file.h"

enum { SLOTS = 64 }; /* more files than a program writes at once; others would stay behind */

static _Atomic(const char *) slot[SLOTS];
static atomic_bool ending;
static _Atomic(void (*)(int)) first; /* called by the first signal */

static void made(const char *tmp)
{
    for (int i = 0; i < SLOTS; i++) {
        const char *none = NULL;
        if (atomic_compare_exchange_strong(&slot[i], &none, tmp))
            return;
    }
}

static void gone(const char *tmp)
{
    for (int i = 0; i < SLOTS; i++) {
        const char *name = tmp;
        if (atomic_compare_exchange_strong(&slot[i], &name, NULL))
            break;
    }
    while (atomic_load(&ending))
        pause();
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
    atomic_store(&ending, true);
    for (int i = 0; i < SLOTS; i++) {
        const char *name = atomic_load(&slot[i]);
        if (name != NULL)
            unlink(name);
    }
    signal(number, SIG_DFL);
    raise(number); /* delivered when this function returns */
}

void cli_catch_signals(void)
{
    static const struct file_watch watch = {made, gone};
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGXCPU};
    struct sigaction a = {.sa_handler = on_signal, .sa_flags = SA_RESTART}, old;
    file_watch(&watch);
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
