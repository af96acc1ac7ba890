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

static bool begins(const struct head *h, size_t at, const char *text, size_t n)
{
    return h->n >= at + n && memcmp(h->p + at, text, n) == 0;
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

static bool is_zip(const struct head *h)
{
    return begins(h, 0, "PK\3\4", 4);
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
    return ends(h, ".json") || (k < h->n && h->p[k] == '{');
}

/* Protocol buffers have no magic number: a version of 1 to 20, then a known field. */
static bool is_onnx(const struct head *h)
{
    return ends(h, ".onnx") || (h->n > 3 && h->p[0] == 0x08 && h->p[1] >= 1 && h->p[1] <= 20 &&
                                (h->p[2] == 0x12 || h->p[2] == 0x3a || h->p[2] == 0x42) &&
                                !ends(h, ".pb") && !ends(h, ".mlmodel"));
}

static bool is_torch_zip(const struct head *h)
{
    return is_zip(h) && (has(h, "data.pkl") || has(h, "/version") || has(h, "constants.pkl"));
}
static bool is_torch_pickle(const struct head *h)
{
    return begins(h, 0, "\x80\x02", 2) || ends(h, ".pth") || ends(h, ".pt");
}
static bool is_keras_zip(const struct head *h)
{
    return is_zip(h) && (has(h, "metadata.json") || has(h, "config.json"));
}
static bool is_npz(const struct head *h)
{
    return is_zip(h) && has(h, ".npy");
}
static bool is_hdf5(const struct head *h)
{
    return begins(h, 0, "\x89HDF\r\n\x1a\n", 8);
}
static bool is_tflite(const struct head *h)
{
    return begins(h, 4, "TFL3", 4);
}
static bool is_ncnn(const struct head *h)
{
    return begins(h, 0, "7767517", 7) || ends(h, ".param");
}
static bool is_mlmodel(const struct head *h)
{
    return ends(h, ".mlmodel");
}
static bool is_saved_model(const struct head *h)
{
    return ends(h, "saved_model.pb") || ends(h, ".pb");
}
static bool is_caffe(const struct head *h)
{
    return ends(h, ".caffemodel");
}
static bool is_openvino(const struct head *h)
{
    return begins(h, 0, "<?xml", 5) && has(h, "<net");
}
static bool is_bin(const struct head *h)
{
    return ends(h, ".bin");
}
static bool is_numpy(const struct head *h)
{
    return begins(h, 0, "\x93NUMPY", 6);
}

/* In this order: the first that fits. */
static const struct {
    enum import_kind kind;
    bool (*is)(const struct head *h);
    const char *name, *what, *how;
} formats[] = {
    {IMPORT_OTHER, is_tflite, ".tflite", "a TensorFlow Lite model",
     "python -m tf2onnx.convert --tflite FILE --output model.onnx"},
    {IMPORT_OTHER, is_hdf5, ".h5", "a Keras model in HDF5",
     "load it with Keras and call model.export('model.onnx', format='onnx'), or use tf2onnx"},
    {IMPORT_OTHER, is_torch_zip, ".pt", "a PyTorch file",
     "load it in PyTorch and call torch.onnx.export(model, example, 'model.onnx')"},
    {IMPORT_OTHER, is_keras_zip, ".keras", "a Keras model",
     "load it with Keras and call model.export('model.onnx', format='onnx')"},
    {IMPORT_OTHER, is_npz, ".npz", "an archive of NumPy arrays, without a network",
     "export the network that they are of as ONNX"},
    {IMPORT_OTHER, is_numpy, ".npy", "a NumPy array, without a network",
     "export the network that they are of as ONNX"},
    {IMPORT_OTHER, is_ncnn, ".param", "an ncnn model",
     "convert the model that it was made from to ONNX; ncnn's files can't be turned back"},
    {IMPORT_OTHER, is_openvino, ".xml", "an OpenVINO model",
     "take the ONNX file that it was made from; the Open Model Zoo has it"},
    {IMPORT_OTHER, is_mlmodel, ".mlmodel", "a Core ML model",
     "convert the model that it was made from to ONNX"},
    {IMPORT_OTHER, is_caffe, ".caffemodel", "a Caffe model",
     "convert it to ONNX, with caffe2onnx or MMdnn, say"},
    {IMPORT_OTHER, is_saved_model, "SavedModel", "a TensorFlow model",
     "python -m tf2onnx.convert --saved-model FOLDER --output model.onnx"},
    {IMPORT_ONNX, is_onnx, ".onnx", "an ONNX file", NULL},
    {IMPORT_SAFETENSORS, is_safetensors, ".safetensors", "a safetensors file, without a network",
     "give the description of its network with --net; a model of mien needs no import"},
    {IMPORT_TFJS, is_json, ".json", "a TensorFlow.js graph model", NULL},
    {IMPORT_OTHER, is_torch_pickle, ".pth", "a PyTorch file",
     "load it in PyTorch and call torch.onnx.export(model, example, 'model.onnx')"},
    {IMPORT_OTHER, is_bin, ".bin", "a file of weights",
     "name the file that describes the network: TensorFlow.js' .json, for one"},
};
enum { FORMATS = sizeof formats / sizeof formats[0] };

int import_kind(const char *path, const char **what, const char **how, struct mien_err *e)
{
    const char *slash = strrchr(path, '/');
    struct head h = {.name = slash != NULL ? slash + 1 : path};
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        *what = "a folder, as TensorFlow's SavedModels are";
        *how = "python -m tf2onnx.convert --saved-model FOLDER --output model.onnx";
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
        if (formats[k].is(&h)) {
            *what = formats[k].what;
            *how = formats[k].how;
            return (int)formats[k].kind;
        }
    }
    *what = "no format that is known";
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
