/*
 * What the fuzz targets share. A target is a file NAME.c of this folder and a line of the table
 * `targets`: its LLVMFuzzerTestOneInput gives bytes to a part of the library that reads what others
 * have made, and looks at everything that comes of it.
 *
 * Under `make fuzz` clang's libFuzzer makes up the bytes (MIEN_FUZZ is defined then). Otherwise
 * replay.c is the main, which runs files; so `make check` replays the inputs that once broke
 * something, crashes/NAME-*, with any compiler.
 *
 * A target may also have
 *   - words that are worth a try, in NAME.dict;
 *   - seeds, made by the script `seeds` or, where C makes them easily, by fuzz_seeds;
 *   - LLVMFuzzerCustomMutator, where changed bytes would never pass a checksum or a length.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mien/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A target's own seeds: each is handed to fuzz_seed, which replay.c writes to a file. */
void fuzz_seeds(void);
#ifdef MIEN_FUZZ
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);
static inline void fuzz_seed(const char *name, const void *p, size_t n)
{
    (void)name, (void)p, (void)n;
}
#else
void fuzz_seed(const char *name, const void *p, size_t n);
#endif

/* What must hold of any input whatever. */
#define FUZZ_CHECK(x)                                                                              \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            fprintf(stderr, "%s:%d: this does not hold: %s\n", __FILE__, __LINE__, #x);            \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* A failure comes with a line of text that says why. e is to be empty before. */
static inline void fuzz_error(int rc, const struct mien_err *e)
{
    FUZZ_CHECK(rc >= MIEN_ERR_ARG && rc < 0);
    FUZZ_CHECK(e->msg[0] != '\0');
    for (const char *s = e->msg; *s != '\0'; s++)
        FUZZ_CHECK((unsigned char)*s >= 0x20 && *s != 0x7f);
}

/* Takes the last byte: parameters stand at the end of an input, so that files as they are may be
   seeds. 0 when there is none. */
static inline unsigned fuzz_last(const uint8_t *data, size_t *size)
{
    return *size > 0 ? data[--*size] : 0;
}

/* --- Files: rewritten for each input, in a folder of the process's own ------------------------ */

static char fuzz_dir[4096];

static inline void fuzz_clean(void)
{
    static const char *const names[] = {"input", "weights", "model", "pack"};
    char path[sizeof fuzz_dir + 16];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", fuzz_dir, names[i]);
        unlink(path);
    }
    rmdir(fuzz_dir);
}

/* The path of a file of that folder: "input", "weights", "model" or "pack". */
static inline const char *fuzz_path(const char *name)
{
    static char path[4][sizeof fuzz_dir + 16];
    static unsigned turn;
    if (fuzz_dir[0] == '\0') {
        const char *tmp = getenv("TMPDIR");
        snprintf(fuzz_dir, sizeof fuzz_dir, "%s/fuzz.XXXXXX", tmp != NULL ? tmp : "/tmp");
        FUZZ_CHECK(mkdtemp(fuzz_dir) != NULL);
        atexit(fuzz_clean);
    }
    char *p = path[turn++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", fuzz_dir, name);
    return p;
}

static inline void fuzz_write(int fd, const void *p, size_t n)
{
    FUZZ_CHECK(ftruncate(fd, 0) == 0);
    for (size_t done = 0; done < n;) {
        ssize_t k = pwrite(fd, (const char *)p + done, n - done, (off_t)done);
        FUZZ_CHECK(k > 0);
        done += (size_t)k;
    }
}

/* A file of these bytes. */
static inline const char *fuzz_file(const char *name, const void *p, size_t n)
{
    const char *path = fuzz_path(name);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    FUZZ_CHECK(fd >= 0);
    fuzz_write(fd, p, n);
    close(fd);
    return path;
}

/* A descriptor for reading and writing these bytes from their beginning, to be closed by no one. */
static inline int fuzz_fd(const void *p, size_t n)
{
    static int fd = -1;
    if (fd < 0)
        fd = open(fuzz_path("input"), O_RDWR | O_CREAT, 0600);
    FUZZ_CHECK(fd >= 0);
    fuzz_write(fd, p, n);
    FUZZ_CHECK(lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

#endif
