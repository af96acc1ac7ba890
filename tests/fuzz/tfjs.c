/* TensorFlow.js graphs: a JSON file, a zero byte, and its weights, in a file named `weights`. */
#include "fuzz.h"

#include "import/tfjs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mien_err e = {{0}};
    struct mien_buf text = {0};
    unsigned how = size > 0 ? data[size - 1] : 0;
    const uint8_t *zero = size > 0 ? memchr(data, 0, size) : NULL;
    size_t n = zero != NULL ? (size_t)(zero - data) : size;
    fuzz_file("weights", zero != NULL ? zero + 1 : data, zero != NULL ? size - n - 1 : 0);
    struct tfjs *t = tfjs_open(fuzz_file("input", data, n), &e);
    if (t == NULL) {
        fuzz_error(MIEN_ERR_FORMAT, &e);
        return 0;
    }
    tfjs_made_by(t);
    tfjs_converted_by(t);
    tfjs_has_output(t, "s");
    struct model m = {0};
    bool heads = how & 1;
    int rc = tfjs_import(t, &m, heads ? "g/Softmax" : NULL, heads ? "a/Softmax" : NULL,
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
