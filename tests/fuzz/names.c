/* Labels in file names: the first line is a pattern, the next few are paths that are held against
   it. */
#include "fuzz.h"

#include "labels/names.h"

enum { PATHS = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct rule rule = {.codes = {"f", "m"}};
    struct mien_err e = {{0}};
    const char *text = (const char *)data, *end = text + size;
    const char *eol = size > 0 ? memchr(text, '\n', size) : NULL;
    if (eol == NULL)
        return 0;
    char *pattern = malloc((size_t)(eol - text) + 1);
    FUZZ_CHECK(pattern != NULL);
    memcpy(pattern, text, (size_t)(eol - text));
    pattern[eol - text] = '\0';
    struct names *p = names_new(pattern, &rule, &e);
    if (p == NULL)
        fuzz_error(MIEN_ERR_ARG, &e);
    for (int i = 0; i < PATHS && p != NULL && eol < end; i++) {
        struct mien_rec r = {0};
        struct labels l;
        const char *path = eol + 1;
        eol = path < end ? memchr(path, '\n', (size_t)(end - path)) : NULL;
        eol = eol != NULL ? eol : end;
        labels_init(&l);
        int rc = names_match(p, path, (size_t)(eol - path), &l, &e);
        if (rc < 0)
            fuzz_error(rc, &e);
        labels_derive_age(&l);
        FUZZ_CHECK(labels_to_rec(&l, &r) == 0);
        mien_rec_free(&r);
    }
    names_free(p);
    free(pattern);
    return 0;
}
