#include "kind.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/file.h"

enum { HEAD = 4096 };

struct head {
    unsigned char p[HEAD];
    size_t n;
    const char *name; /* the file's, without folders */
};

enum { WORDS = 3 };

/* A format is known by its first bytes and by a word of those that follow, where it has such; or by
   the end of its files' names; or as a function tells. */
struct format {
    enum import_kind kind;
    const char *name, *what, *how;
    struct {
        size_t at, n;
        const char *bytes;
    } magic;
    const char *word[WORDS], *ending[WORDS];
    bool (*is)(const struct head *h);
};

#define MAGIC(at, text)                                                                            \
    {                                                                                              \
        at, sizeof text - 1, text                                                                  \
    }
#define ZIP MAGIC(0, "PK\3\4")

static bool begins(const struct head *h, size_t at, const char *bytes, size_t n)
{
    return h->n >= at + n && memcmp(h->p + at, bytes, n) == 0;
}

static bool has(const struct head *h, const char *text)
{
    size_t n = strlen(text);
    for (size_t k = 0; k + n <= h->n; k++) {
        if (memcmp(h->p + k, text, n) == 0)
            return true;
    }
    return false;
}

static bool ends(const struct head *h, const char *text)
{
    size_t n = strlen(text), len = strlen(h->name);
    return len >= n && strcmp(h->name + len - n, text) == 0;
}

static bool is_safetensors(const struct head *h)
{
    return h->n > 8 && h->p[8] == '{' && h->p[5] == 0 && h->p[6] == 0 && h->p[7] == 0;
}

static bool is_json(const struct head *h)
{
    size_t k = 0;
    while (k < h->n && strchr(" \t\r\n", h->p[k]) != NULL && h->p[k] != '\0')
        k++;
    return k < h->n && h->p[k] == '{';
}

/* Protocol buffers have no magic number: a version of 1 to 20, then a known field. Others that are
   such come before it in the table. */
static bool is_onnx(const struct head *h)
{
    return h->n > 3 && h->p[0] == 0x08 && h->p[1] >= 1 && h->p[1] <= 20 &&
           (h->p[2] == 0x12 || h->p[2] == 0x3a || h->p[2] == 0x42);
}

#define TO_ONNX_IN_KERAS "load it with Keras and call model.export('model.onnx', format='onnx')"
#define TO_ONNX_IN_TORCH                                                                           \
    "load it in PyTorch and call torch.onnx.export(model, example, 'model.onnx')"
#define TO_ONNX_OF_TF  "python -m tf2onnx.convert --saved-model FOLDER --output model.onnx"
#define EXPORT_ITS_NET "export the network that they belong to as ONNX"

/* In this order: the first that fits. */
static const struct format formats[] = {
    {IMPORT_OTHER, ".tflite", "a TensorFlow Lite model",
     "python -m tf2onnx.convert --tflite FILE --output model.onnx", .magic = MAGIC(4, "TFL3")},
    {IMPORT_OTHER, ".h5", "a Keras model in HDF5", TO_ONNX_IN_KERAS ", or use tf2onnx",
     .magic = MAGIC(0, "\x89HDF\r\n\x1a\n")},
    {IMPORT_OTHER, ".pt", "a PyTorch file", TO_ONNX_IN_TORCH, .magic = ZIP,
     .word = {"data.pkl", "/version", "constants.pkl"}},
    {IMPORT_OTHER, ".keras", "a Keras model", TO_ONNX_IN_KERAS, .magic = ZIP,
     .word = {"metadata.json", "config.json"}},
    {IMPORT_OTHER, ".npz", "an archive of NumPy arrays, without a network", EXPORT_ITS_NET,
     .magic = ZIP, .word = {".npy"}},
    {IMPORT_OTHER, ".npy", "a NumPy array, without a network", EXPORT_ITS_NET,
     .magic = MAGIC(0, "\x93NUMPY")},
    {IMPORT_OTHER, ".param", "an ncnn model",
     "convert the model that it was made from to ONNX; ncnn's files can't be converted back",
     .magic = MAGIC(0, "7767517"), .ending = {".param"}},
    {IMPORT_OTHER, ".xml", "an OpenVINO model",
     "take the ONNX file that it was made from; the Open Model Zoo has it",
     .magic = MAGIC(0, "<?xml"), .word = {"<net"}},
    {IMPORT_OTHER, ".mlmodel", "a Core ML model", "convert the model that it was made from to ONNX",
     .ending = {".mlmodel"}},
    {IMPORT_OTHER, ".caffemodel", "a Caffe model",
     "convert it to ONNX, such as with caffe2onnx or MMdnn", .ending = {".caffemodel"}},
    {IMPORT_OTHER, "SavedModel", "a TensorFlow model", TO_ONNX_OF_TF, .ending = {".pb"}},
    {IMPORT_ONNX, ".onnx", "an ONNX file", NULL, .ending = {".onnx"}, .is = is_onnx},
    {IMPORT_SAFETENSORS, ".safetensors", "a safetensors file, without a network",
     "give the description of its network with --net; a mien model needs no import",
     .is = is_safetensors},
    {IMPORT_TFJS, ".json", "a TensorFlow.js graph model", NULL, .ending = {".json"}, .is = is_json},
    {IMPORT_OTHER, ".pth", "a PyTorch file", TO_ONNX_IN_TORCH, .magic = MAGIC(0, "\x80\x02"),
     .ending = {".pth", ".pt"}},
    {IMPORT_OTHER, ".bin", "a file of weights",
     "name the file that describes the network: such as TensorFlow.js's .json", .ending = {".bin"}},
};
enum { FORMATS = sizeof formats / sizeof formats[0] };

static bool is_of(const struct format *f, const struct head *h)
{
    bool good = f->magic.n > 0 && begins(h, f->magic.at, f->magic.bytes, f->magic.n), word = false;
    for (int k = 0; good && k < WORDS && f->word[k] != NULL; k++)
        word = word || has(h, f->word[k]);
    good = good && (word || f->word[0] == NULL);
    for (int k = 0; k < WORDS && f->ending[k] != NULL; k++)
        good = good || ends(h, f->ending[k]);
    return good || (f->is != NULL && f->is(h));
}

int import_kind(const char *path, const char **what, const char **how, struct mien_err *e)
{
    const char *slash = strrchr(path, '/');
    struct head h = {.name = slash != NULL ? slash + 1 : path};
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        *what = "a folder, as TensorFlow's SavedModels are";
        *how = TO_ONNX_OF_TF;
        return IMPORT_OTHER;
    }
    int fd = file_open(path, e);
    if (fd < 0)
        return fd;
    ssize_t n = file_read(fd, h.p, sizeof h.p);
    int rc = n < 0 ? mien_err_sys(e, "cannot read '%s'", path) : 0;
    close(fd);
    if (rc < 0)
        return rc;
    h.n = (size_t)n;
    for (int k = 0; k < FORMATS; k++) {
        if (is_of(&formats[k], &h)) {
            *what = formats[k].what;
            *how = formats[k].how;
            return (int)formats[k].kind;
        }
    }
    *what = "not a known format";
    *how = "see mien-import --formats";
    return IMPORT_OTHER;
}

int import_formats(struct mien_buf *out)
{
    int rc = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (int k = 0; k < FORMATS; k++) {
            if ((formats[k].kind == IMPORT_OTHER) == (pass == 1))
                rc |= mien_buf_printf(out, "%-13s %s%s%s\n", formats[k].name, formats[k].what,
                                      pass == 1 ? ": " : "", pass == 1 ? formats[k].how : "");
        }
    }
    return rc < 0 ? MIEN_ERR_MEM : 0;
}
