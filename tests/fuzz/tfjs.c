/* TensorFlow.js graphs: a JSON file, a zero byte, and its weights, in a file named `weights`; which
   is made as long as the graph wants it, else hardly an altered graph would be read any further. */
#include "fuzz.h"

#include "tfjs/tfjs.h"

static struct tfjs *open_graph(const char *path, const uint8_t *weights, size_t n,
                               struct mien_err *e)
{
    static uint8_t bytes[1 << 16];
    fuzz_file("weights", weights, n);
    struct tfjs *t = tfjs_open(path, e);
    const char *wanted = t == NULL ? strstr(e->msg, "the graph names ") : NULL;
    unsigned long size = wanted != NULL ? strtoul(wanted + 16, NULL, 10) : 0;
    if (size == 0 || size > sizeof bytes)
        return t;
    for (size_t i = 0; i < size; i++)
        bytes[i] = n > 0 ? weights[i % n] : 0;
    fuzz_file("weights", bytes, size);
    return tfjs_open(path, e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mien_err e = {{0}};
    struct mien_buf text = {0};
    unsigned how = size > 0 ? data[size - 1] : 0;
    const uint8_t *zero = size > 0 ? memchr(data, 0, size) : NULL;
    size_t n = zero != NULL ? (size_t)(zero - data) : size;
    struct tfjs *t = open_graph(fuzz_file("input", data, n), zero != NULL ? zero + 1 : NULL,
                                zero != NULL ? size - n - 1 : 0, &e);
    if (t == NULL) {
        fuzz_error(MIEN_ERR_FORMAT, &e);
        return 0;
    }
    tfjs_made_by(t);
    tfjs_converted_by(t);
    tfjs_has_output(t, "s");
    struct model m = {0};
    int rc = tfjs_import(t, &m, how & 1 ? "g/Softmax" : NULL, how & 4 ? "out" : NULL,
                         how & 2 ? 24 : 0, how & 2 ? 16 : 0, &e);
    if (rc < 0) {
        fuzz_error(rc, &e);
        FUZZ_CHECK(m.weights == NULL && m.net.n == 0);
    } else {
        FUZZ_CHECK(net_print(&m.net, &text) == 0);
    }
    model_free(&m);
    tfjs_close(t);
    mien_buf_free(&text);
    return 0;
}
