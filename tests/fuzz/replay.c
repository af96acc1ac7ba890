/*
 * The main of a fuzz target without libFuzzer:
 *
 *   NAME [-a N] FILE...    runs the files, each also N times with some bytes altered
 *   NAME -s FOLDER         writes the target's own seeds there
 *
 * What is altered depends on the file alone: the same run twice does the same.
 */
#include "fuzz.h"

#include "mien/buf.h"
#include "util/file.h"
#include "util/hash.h"

enum { MAX_INPUT = 1 << 20 };

static const char *seeds;

__attribute__((weak)) void fuzz_seeds(void)
{
}

void fuzz_seed(const char *name, const void *p, size_t n)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", seeds, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    FUZZ_CHECK(fd >= 0 && file_write(fd, p, n) == 0 && close(fd) == 0);
}

/* Runs bytes in memory of exactly their size, so that a sanitizer sees a read beyond them. */
static void run(const void *p, size_t n)
{
    uint8_t *exact = malloc(n > 0 ? n : 1);
    FUZZ_CHECK(exact != NULL);
    if (n > 0)
        memcpy(exact, p, n);
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
}

/* Alters a few places: a bit, a byte, a run that is left out or doubled, or the end cut off. */
static void alter(struct mien_buf *b, struct rng *rng)
{
    for (uint64_t k = 1 + rng_below(rng, 4); k > 0 && b->len > 0; k--) {
        size_t at = (size_t)rng_below(rng, b->len), n = (size_t)rng_below(rng, b->len - at) + 1;
        switch (rng_below(rng, 6)) {
        case 0:
            b->data[at] ^= (unsigned char)(1u << rng_below(rng, 8));
            break;
        case 1:
            b->data[at] = (unsigned char)rng_next(rng);
            break;
        case 2:
            b->data[at] = rng_below(rng, 2) == 0 ? 0 : 0xff;
            break;
        case 3:
            n = n > 16 ? 16 : n;
            memmove(b->data + at, b->data + at + n, b->len - at - n);
            b->len -= n;
            break;
        case 4:
            n = n > 16 ? 16 : n;
            FUZZ_CHECK(mien_buf_reserve(b, n) == 0);
            memmove(b->data + at + n, b->data + at, b->len - at);
            b->len += n;
            break;
        default:
            b->len = rng_below(rng, 8) == 0 ? at : b->len;
        }
    }
}

static void run_file(const char *path, long times)
{
    struct mien_buf b = {0}, c = {0};
    struct mien_err e;
    int fd = file_open(path, &e);
    if (fd < 0 || file_slurp(fd, &b, MAX_INPUT, path, &e) < 0) {
        fprintf(stderr, "replay: %s\n", e.msg);
        exit(2);
    }
    close(fd);
    run(b.data, b.len);
    struct rng rng = {hash_bytes(1, b.data, b.len)};
    for (long i = 0; i < times; i++) {
        mien_buf_clear(&c);
        FUZZ_CHECK(mien_buf_append(&c, b.data, b.len) == 0);
        alter(&c, &rng);
        run(c.data, c.len);
    }
    mien_buf_free(&b);
    mien_buf_free(&c);
}

int main(int argc, char **argv)
{
    int i = 1;
    long times = 0;
    if (argc > 2 && strcmp(argv[1], "-a") == 0) {
        times = atol(argv[2]);
        i = 3;
    }
    if (argc == 3 && strcmp(argv[1], "-s") == 0) {
        seeds = argv[2];
        fuzz_seeds();
        return 0;
    }
    for (; i < argc; i++)
        run_file(argv[i], times);
    return 0;
}
