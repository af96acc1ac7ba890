/* ONNX files; one may name the file `weights`, which is its own second half. */
#include "fuzz.h"

#include "onnx/onnx.h"
#include "../onnx_make.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mien_err e = {{0}};
    struct mien_buf text = {0};
    struct model m = {0};
    unsigned how = size > 0 ? data[size - 1] : 0;
    struct onnx_options options = {
        .gender = how & 1 ? "gender" : NULL,
        .age = how & 2 ? "y" : NULL,
        .male_first = how & 4,
        .years = 1,
        .h = how & 8 ? 24 : 0,
        .w = how & 8 ? 16 : 0,
        .pixels = how & 16,
        .batch_is_data = how & 32,
        .scale = {how & 64 ? 0.5f : 0, 1, 2},
    };
    fuzz_file("weights", data + size / 2, size - size / 2);
    struct onnx *o = onnx_open(fuzz_file("input", data, size), &e);
    if (o == NULL) {
        fuzz_error(MIEN_ERR_FORMAT, &e);
        return 0;
    }
    onnx_made_by(o);
    onnx_has_value(o, "y");
    FUZZ_CHECK(onnx_outputs(o, &text) == 0);
    int rc = onnx_import(o, &m, &options, &e);
    if (rc < 0) {
        fuzz_error(rc, &e);
        FUZZ_CHECK(m.weights == NULL && m.net.n == 0);
    } else {
        for (int k = 0; k < onnx_output_count(o); k++) {
            struct onnx_layout l;
            int layer = onnx_output(o, k, &l);
            size_t count = 1;
            for (int d = 0; d < l.rank; d++)
                count *= (size_t)l.dim[d];
            FUZZ_CHECK(layer >= 0 && layer < m.net.n);
            FUZZ_CHECK(count == shape_count(m.net.layer[layer].shape) || options.pixels);
        }
        FUZZ_CHECK(net_print(&m.net, &text) == 0);
    }
    model_free(&m);
    onnx_close(o);
    mien_buf_free(&text);
    return 0;
}

/* --- Seeds ---------------------------------------------------------------------------------- */

static void seed(const char *name, struct mien_buf *graph, int opset)
{
    struct mien_buf model = om_model(graph, opset);
    fuzz_seed(name, model.data, model.len);
    mien_buf_free(&model);
}

static void external_weight(struct mien_buf *g)
{
    struct mien_buf entry = {0}, t = om_tensor("q", "2x1", 2, NULL, 0);
    om_text(&entry, 1, "location");
    om_text(&entry, 2, "weights");
    om_message(&t, 13, &entry);
    om_int(&t, 14, 1);
    om_message(g, 5, &t);
}

void fuzz_seeds(void)
{
    static const float w[64] = {1, 2, 3};
    const int64_t image[] = {1, 2, 4, 2}, zero = 0, minus = -1;
    struct mien_buf g = {0};
    om_port(&g, OM_IN, "x", "0x3x8x8");
    om_floats(&g, "a.weight", "4x3x2x2", w);
    om_floats(&g, "b.weight", "4", w);
    om_floats(&g, "fc.weight", "16x2", w);
    om_node(&g, "Conv", "x,a.weight", "a", "strides=2,2", "pads=0,0,1,1", (char *)NULL);
    om_node(&g, "BatchNormalization", "a,b.weight,b.weight,b.weight,b.weight", "b", "epsilon:0.1",
            (char *)NULL);
    om_node(&g, "HardSwish", "b", "c", (char *)NULL);
    om_node(&g, "MaxPool", "c", "d", "kernel_shape=2,2", "strides=2,2", (char *)NULL);
    om_node(&g, "Flatten", "d", "e", (char *)NULL);
    om_node(&g, "Gemm", "e,fc.weight", "f", (char *)NULL);
    om_node(&g, "Softmax", "f", "gender", "axis=1", (char *)NULL);
    om_port(&g, OM_OUT, "gender", "0x2");
    seed("image", &g, 13);

    om_port(&g, OM_IN, "x", "0x16");
    om_ints(&g, "image", 4, image);
    om_ints(&g, "zero", 1, &zero);
    om_ints(&g, "minus", 1, &minus);
    om_node(&g, "Reshape", "x,image", "a", (char *)NULL);
    om_node(&g, "Transpose", "a", "b", "perm=0,2,3,1", (char *)NULL);
    om_node(&g, "Shape", "b", "s", (char *)NULL);
    om_node(&g, "Gather", "s,zero", "n", (char *)NULL);
    om_node(&g, "Concat", "n,minus", "to", "axis=0", (char *)NULL);
    om_node(&g, "Reshape", "b,to", "c", (char *)NULL);
    om_node(&g, "Slice", "c,zero,minus,minus", "d", (char *)NULL);
    om_node(&g, "ReduceMean", "d", "e", "axes=-1,", (char *)NULL);
    om_node(&g, "Sub", "d,e", "y", (char *)NULL);
    om_port(&g, OM_OUT, "y", "0x15");
    seed("shapes", &g, 13);

    om_port(&g, OM_IN, "x", "0x2");
    external_weight(&g);
    om_floats(&g, "scale", "", w);
    om_node(&g, "DequantizeLinear", "q,scale", "w", (char *)NULL);
    om_node(&g, "MatMul", "x,w", "y", (char *)NULL);
    om_port(&g, OM_OUT, "y", "0x1");
    seed("external", &g, 11);

    om_port(&g, OM_IN, "x", "1x4x2x2");
    om_node(&g, "DepthToSpace", "x", "a", "blocksize=2", (char *)NULL);
    om_node(&g, "Pad", "a", "b", "pads=0,0,1,1,0,0,2,-1", "mode~edge", (char *)NULL);
    om_node(&g, "Split", "b", "c", "axis=2", (char *)NULL);
    om_node(&g, "Tile", "c", "d", (char *)NULL);
    om_node(&g, "InstanceNormalization", "c", "e", (char *)NULL);
    om_port(&g, OM_OUT, "c", "1x1x7x5");
    seed("moves", &g, 9);
}
