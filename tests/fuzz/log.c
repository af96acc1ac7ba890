/* The log of a training that is gone on with. The last byte is the next epoch. */
#include "fuzz.h"

#include "fit/fit_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mien_err e = {{0}};
    struct fit_epoch epoch = {.epoch = 1 + (int)(fuzz_last(data, &size) % 8)};
    const char *path = fuzz_file("input", data, size);
    struct fit_log *log = fit_log_open(path, true, &e);
    if (log == NULL) {
        fuzz_error(MIEN_ERR_FORMAT, &e);
        return 0;
    }
    for (int i = 0; i < 2; i++, epoch.epoch++)
        FUZZ_CHECK(fit_log_write(log, &epoch, &e) == 0);
    FUZZ_CHECK(fit_log_close(log, &e) == 0);
    return 0;
}
