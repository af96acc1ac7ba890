/* Weights that PyTorch wrote, for networks that are known. The file's metadata choose the network, by
   `case`, and map its layers, by `map`. */
#include "fuzz.h"
#include "mutate_safetensors.h"

#include "import/torch_weights.h"
#include "tensor/st_format.h"

static const char *const nets[] = {
    "input 4x4x3\nconv1 conv 2 3x3 pad=same\nbn1 bn\nr relu\nfc dense 2\n",
    "input 4x4x3\na_dw dwconv 3x3 pad=1\na_p prelu\na_t tconv 4 2x2 stride=2\ng gap\nfc dense 3\n",
    "input 4x4x3\nc conv 4 1x1 bias=no\nn norm c\nm clip 0,6\nf flatten\nd coral 3\n",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mien_err e = {{0}};
    struct model m = {0};
    struct mien_buf left = {0};
    struct mien_safetensors *file = st_open_foreign(fuzz_file("input", data, size), &e);
    if (file == NULL) {
        fuzz_error(MIEN_ERR_FORMAT, &e);
        return 0;
    }
    const char *which = mien_st_meta(file, "case");
    const char *net =
        nets[which != NULL ? (unsigned char)*which % (sizeof nets / sizeof *nets) : 0];
    FUZZ_CHECK(net_parse(&m.net, net, strlen(net), &e) == 0);
    const char *map = mien_st_meta(file, "map");
    int rc = torch_weights(&m, file, map, map != NULL ? strlen(map) : 0, &left, &e);
    if (rc < 0)
        fuzz_error(rc, &e);
    FUZZ_CHECK(rc < 0 || m.weights != NULL);
    mien_st_close(file);
    mien_buf_free(&left);
    model_free(&m);
    return 0;
}
