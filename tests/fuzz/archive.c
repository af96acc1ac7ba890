/* Archives and single files: every file of theirs, its kind, and its bytes. */
#include "fuzz.h"

#include "data/source.h"

enum { LIMIT = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mien_err e = {{0}};
    char path[sizeof fuzz_dir + 16];
    snprintf(path, sizeof path, "%s", fuzz_file("input", data, size));
    struct source *s = source_new(&(const char *){path}, 1, LIMIT, &e);
    struct source_file f;
    int rc;
    FUZZ_CHECK(s != NULL);
    while ((rc = source_next(s, &f, &e)) > 0) {
        const unsigned char *bytes;
        size_t n;
        FUZZ_CHECK(f.path != NULL && (f.error == NULL || f.error[0] != '\0'));
        if (f.error != NULL)
            continue;
        rc = source_load(s, &bytes, &n, &e);
        if (rc < 0)
            break;
        FUZZ_CHECK(rc == 0 || n <= LIMIT);
        FUZZ_CHECK(rc > 0 || e.msg[0] != '\0');
    }
    if (rc < 0)
        fuzz_error(rc, &e);
    source_skipped(s);
    source_free(s);
    return 0;
}
