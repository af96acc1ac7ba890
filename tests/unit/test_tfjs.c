/* The importer of TensorFlow.js graphs: every op and quantisation, in graphs made here and in
   faceres when it is there, against tf_reference.h; and what must be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/bytes.h"
#include "util/hash.h"
#include "infer/plan.h"
#include "util/half.h"
#include "tfjs/tfjs.h"

#include "tf_reference.h"

/* --- Making graphs ------------------------------------------------------------------------- */

static char folder[] = "/tmp/mien-test-tfjs-XXXXXX";
static json_t *nodes, *weights, *outputs;
static struct mien_buf data;
static struct rng rng;

static const char *at(const char *name)
{
    static char path[2][300];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static json_t *base64(const char *s, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char out[64], *o = out;
    for (size_t i = 0; i < n; i += 3) {
        unsigned v = (unsigned)s[i] << 16 | (i + 1 < n ? (unsigned)s[i + 1] << 8 : 0) |
                     (i + 2 < n ? (unsigned)s[i + 2] : 0);
        for (int k = 0; k < 4; k++)
            *o++ = i + (size_t)k <= n ? digits[v >> (18 - 6 * k) & 63] : '=';
    }
    *o = '\0';
    return json_string(out);
}

/* One attribute: true or false, @number, #whole, a list of numbers, text, or texts with a bar. */
static json_t *attribute(const char *key, char *value)
{
    if (strcmp(value, "true") == 0 || strcmp(value, "false") == 0)
        return json_pack("{s:b}", "b", value[0] == 't');
    if (value[0] == '@')
        return json_pack("{s:f}", "f", atof(value + 1));
    if (value[0] == '#')
        return json_pack("{s:s}", "i", value + 1);
    json_t *list = json_array();
    if (strchr("-0123456789", value[0]) != NULL) {
        for (char *s = strtok(value, ","); s != NULL; s = strtok(NULL, ","))
            json_array_append_new(list, json_string(s));
        if (strcmp(key, "shape") != 0)
            return json_pack("{s:{s:o}}", "list", "i", list);
        json_t *dims = json_array(), *size;
        size_t k;
        json_array_foreach(list, k, size)
            json_array_append_new(dims, json_pack("{s:O}", "size", size));
        json_decref(list);
        return json_pack("{s:{s:o}}", "shape", "dim", dims);
    }
    if (strcmp(key, "fused_ops") != 0) {
        json_decref(list);
        return json_pack("{s:o}", "s", base64(value, strlen(value)));
    }
    for (char *s = strtok(value, "|"); s != NULL; s = strtok(NULL, "|"))
        json_array_append_new(list, base64(s, strlen(s)));
    return json_pack("{s:{s:o}}", "list", "s", list);
}

/* Adds a node; inputs and attributes ("key=value") are words. */
static void node(const char *op, const char *name, const char *inputs, const char *attributes)
{
    char text[300], *save;
    json_t *in = json_array(), *attr = json_object();
    snprintf(text, sizeof text, "%s", inputs);
    for (char *s = strtok_r(text, " ", &save); s != NULL; s = strtok_r(NULL, " ", &save))
        json_array_append_new(in, json_string(s));
    snprintf(text, sizeof text, "%s", attributes);
    for (char *s = strtok_r(text, " ", &save); s != NULL; s = strtok_r(NULL, " ", &save)) {
        char *value = strchr(s, '=');
        *value++ = '\0';
        json_object_set_new(attr, s, attribute(s, value));
    }
    json_array_append_new(
        nodes, json_pack("{s:s,s:s,s:o,s:o}", "op", op, "name", name, "input", in, "attr", attr));
}

/* Starts the description of a constant and its node. Returns the number of its elements. */
static size_t constant(const char *name, const char *shape, const char *type, json_t *quantised)
{
    char text[100];
    size_t n = 1;
    json_t *dims = json_array();
    snprintf(text, sizeof text, "%s", shape);
    for (char *s = strtok(text, ","); s != NULL; s = strtok(NULL, ",")) {
        json_array_append_new(dims, json_integer(atoi(s)));
        n *= (size_t)atoi(s);
    }
    json_t *w = json_pack("{s:s,s:o,s:s}", "name", name, "shape", dims, "dtype", type);
    if (quantised != NULL)
        json_object_set_new(w, "quantization", quantised);
    json_array_append_new(weights, w);
    node("Const", name, "", "");
    return n;
}

/* Random weights within lo..hi, stored as float32, float16, uint8 or uint16. */
static void weight(const char *name, const char *shape, const char *coding, double lo, double hi)
{
    bool small = strcmp(coding, "uint8") == 0, large = strcmp(coding, "uint16") == 0;
    json_t *q = NULL;
    if (small || large)
        q = json_pack("{s:s,s:f,s:f}", "dtype", coding, "scale", (hi - lo) / (small ? 255 : 65535),
                      "min", lo);
    else if (strcmp(coding, "float16") == 0)
        q = json_pack("{s:s}", "dtype", coding);
    size_t n = constant(name, shape, "float32", q);
    for (size_t i = 0; i < n; i++) {
        float x = (float)(lo + (hi - lo) * rng_uniform(&rng));
        unsigned char b[4];
        uint16_t half;
        uint32_t bits;
        memcpy(&bits, &x, 4);
        floats_to_half(&x, &half, 1);
        if (small)
            b[0] = (unsigned char)rng_below(&rng, 256);
        else if (large)
            put_le16(b, (uint16_t)rng_below(&rng, 65536));
        else if (q != NULL)
            put_le16(b, half);
        else
            put_le32(b, bits);
        assert_int_equal(mien_buf_append(&data, b, small ? 1 : q != NULL ? 2 : 4), 0);
    }
}

/* A constant of whole numbers, or of floats. */
static void numbers(const char *name, const char *shape, const char *type, const char *values)
{
    char text[100];
    size_t n = constant(name, shape, type, NULL), got = 0;
    snprintf(text, sizeof text, "%s", values);
    for (char *s = strtok(text, ","); s != NULL; s = strtok(NULL, ","), got++) {
        float f = strtof(s, NULL);
        uint32_t bits = (uint32_t)atoi(s);
        if (type[0] == 'f')
            memcpy(&bits, &f, 4);
        unsigned char b[4];
        put_le32(b, bits);
        assert_int_equal(mien_buf_append(&data, b, 4), 0);
    }
    assert_int_equal(got, n);
}

static void output(const char *name)
{
    json_object_set_new(outputs, name, json_pack("{s:s+}", "name", name, ":0"));
}

static void graph_new(void)
{
    nodes = json_array();
    weights = json_array();
    outputs = json_object();
    mien_buf_clear(&data);
    rng = (struct rng){42};
}

static void put_file(const char *name, const void *p, size_t n)
{
    FILE *f = fopen(at(name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

/* Writes graph.json and two files of weights, split at an odd place. */
static void graph_write(void)
{
    size_t cut = data.len * 2 / 5 | 1;
    json_t *root =
        json_pack("{s:s,s:s,s:{s:o},s:{s:o},s:[{s:[s,s],s:o}]}", "format", "graph-model",
                  "generatedBy", "a test", "signature", "outputs", outputs, "modelTopology", "node",
                  nodes, "weightsManifest", "paths", "a.bin", "b.bin", "weights", weights);
    assert_non_null(root);
    assert_int_equal(json_dump_file(root, at("graph.json"), JSON_INDENT(1)), 0);
    json_decref(root);
    cut = cut < data.len ? cut : data.len;
    put_file("a.bin", data.data, cut);
    put_file("b.bin", data.data + cut, data.len - cut);
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(at("graph.json"));
    unlink(at("a.bin"));
    unlink(at("b.bin"));
    mien_buf_free(&data);
    return rmdir(folder);
}

/* --- Comparing ----------------------------------------------------------------------------- */

static void import(struct model *m, const char *path, const char *gender, const char *age)
{
    struct mien_err e;
    struct tfjs *t = tfjs_open(path, &e);
    *m = (struct model){0};
    if (t == NULL || tfjs_import(t, m, gender, age, 0, 0, &e) < 0)
        fail_msg("%s", e.msg);
    tfjs_close(t);
}

/* The layer's output is the node's, within tolerance of the largest element. */
static void compare(const struct model *m, const char *layer, const unsigned char *pixels,
                    struct ref *r, const char *name, double tolerance)
{
    struct mien_err e;
    int out = net_find(&m->net, layer);
    if (out < 0)
        fail_msg("no layer '%s'", layer);
    struct plan *p = plan_new(m, &out, 1, 1, PRECISION_FLOAT, &e);
    assert_non_null(p);
    struct plan_work *work = plan_work_new(p, &e);
    assert_non_null(work);
    struct ref_tensor want = ref_eval(r, name);
    assert_int_equal(plan_out_count(p, 0), want.n);
    float *got = calloc((size_t)want.n, sizeof *got);
    plan_run(p, work, (const void *[]){pixels}, 1, &got);
    double most = 0, worst = 0;
    for (int i = 0; i < want.n; i++) {
        most = fmax(most, fabs(want.v[i]));
        worst = fmax(worst, fabs(got[i] - want.v[i]));
    }
    if (!(worst <= tolerance * most) || most == 0)
        fail_msg("%s: off by %g of %g", layer, worst, most);
    free(got);
    plan_work_free(work);
    plan_free(p);
}

/* A picture, and as the reference takes it. */
static void draw(unsigned char *px, double *v, int n)
{
    struct rng r = {9};
    for (int i = 0; i < n; i++)
        v[i] = px[i] = (unsigned char)rng_below(&r, 256);
}

enum { H = 13, W = 10 };

/* Imports the graph made here, whose layers must be these, and compares "LAYER=NODE ...". */
static void check(const char *layers, const char *pairs, const char *gender, const char *age)
{
    struct model m;
    struct ref r;
    struct mien_buf description = {0};
    unsigned char px[H * W * 3];
    double v[H * W * 3];
    char text[500], *save;
    graph_write();
    import(&m, at("graph.json"), gender, age);
    assert_int_equal(net_print(&m.net, &description), 0);
    mien_buf_append(&description, "", 1);
    assert_string_equal((char *)description.data, layers);
    ref_open(&r, at("graph.json"));
    draw(px, v, H * W * 3);
    r.input = v;
    snprintf(text, sizeof text, "%s", pairs);
    for (char *s = strtok_r(text, " ", &save); s != NULL; s = strtok_r(NULL, " ", &save)) {
        char *name = strchr(s, '=');
        *name++ = '\0';
        compare(&m, s, px, &r, name, 1e-5);
    }
    ref_close(&r);
    mien_buf_free(&description);
    model_free(&m);
}

/* An image of H x W, its values brought to -1..1 by the graph itself. */
static void image(void)
{
    graph_new();
    node("Placeholder", "image", "", "shape=-1,13,10,3");
    numbers("mean", "3", "float32", "120,127.5,130");
    numbers("factor", "", "float32", "0.0078125");
    node("Sub", "pre/Sub", "image mean", "");
    node("Mul", "pre/Mul", "factor pre/Sub", "");
}

#define CONV " data_format=NHWC dilations=1,1,1,1"

/* --- What is supported --------------------------------------------------------------------- */

/* Convolutions, everything that is folded into them, activations. */
static void convolutions(void **state)
{
    (void)state;
    image();
    weight("conv1/kernel", "3,3,3,8", "float32", -0.5, 0.5);
    weight("conv1/bias", "8", "float32", -1, 1);
    weight("gamma", "8", "float32", 0.5, 1.5);
    weight("beta", "8", "float16", -1, 1);
    weight("moving_mean", "8", "float32", -1, 1);
    weight("moving_var", "8", "uint16", 0.1, 2);
    node("Conv2D", "conv1/Conv2D", "pre/Mul conv1/kernel", "strides=1,2,2,1 padding=SAME" CONV);
    node("BiasAdd", "conv1/BiasAdd", "conv1/Conv2D conv1/bias", "");
    node("FusedBatchNormV3", "bn", "conv1/BiasAdd gamma beta moving_mean moving_var",
         "epsilon=@0.001 is_training=false");
    numbers("six", "", "float32", "6");
    numbers("zero", "", "float32", "0");
    node("Relu", "relu1/Relu", "bn", "");
    node("Minimum", "relu1/Minimum", "relu1/Relu six", "");
    node("Maximum", "relu1/clip", "relu1/Minimum zero", "");
    weight("dw1/kernel", "3,3,8,1", "float16", -1, 1);
    weight("dw1/scale", "8", "float32", 0.5, 2);
    weight("dw1/shift", "1,1,1,8", "float32", -1, 1);
    node("DepthwiseConv2dNative", "dw1/depthwise", "relu1/clip dw1/kernel",
         "strides=1,1,1,1 padding=EXPLICIT explicit_paddings=0,0,1,0,2,1,0,0" CONV);
    node("Mul", "dw1/mul", "dw1/depthwise dw1/scale", "");
    node("AddV2", "dw1/add", "dw1/shift dw1/mul", "");
    node("Relu6", "relu2", "dw1/add", "");
    weight("conv2/kernel", "1,1,8,12", "uint8", -1, 1);
    weight("conv2/bias", "12", "float32", -1, 1);
    weight("conv2/alpha", "1,1,12", "float32", 0, 0.5);
    node("_FusedConv2D", "conv2/Prelu", "relu2 conv2/kernel conv2/bias conv2/alpha",
         "strides=1,1,1,1 padding=VALID fused_ops=BiasAdd|Prelu" CONV);
    weight("dw2/kernel", "2,3,12,1", "float32", -1, 1);
    weight("dw2/bias", "12", "float32", -1, 1);
    node("FusedDepthwiseConv2dNative", "dw2", "conv2/Prelu dw2/kernel dw2/bias",
         "strides=1,2,2,1 padding=VALID fused_ops=BiasAdd|Relu6" CONV);
    weight("two", "12", "float32", 1, 3);
    node("Sub", "turn", "two dw2", ""); /* a constant less a tensor */
    weight("alpha", "12", "float32", -0.5, 0.5);
    node("Prelu", "slope", "turn alpha", "");
    node("RealDiv", "part", "slope two", "");
    node("Maximum", "low", "zero part", "");
    node("Minimum", "high", "six low", "");
    output("low"); /* so that it stays a relu beside the relu6 */
    output("high");
    node("ClipByValue", "clipped", "turn zero six", "");
    output("clipped");
    output("turn");
    /* The bn layers are those that had nothing to be folded into, or that others read. */
    check("input 13x10x3\npre bn eps=0\nconv1 conv 8 3x3 stride=2 pad=same\nrelu1 relu6\n"
          "dw1 dwconv 3x3 pad=1,0,2,1\nrelu2 relu6\nconv2_linear conv 12 1x1\nconv2 prelu\n"
          "dw2_linear dwconv 2x3 stride=2\ndw2 relu6\nturn bn eps=0\nslope prelu\npart bn eps=0\n"
          "low relu\nhigh relu6\nclipped relu6 from=turn\n",
          "pre=pre/Mul conv1=bn relu1=relu1/clip dw1=dw1/add relu2=relu2 conv2=conv2/Prelu dw2=dw2 "
          "turn=turn part=part low=low high=high clipped=clipped",
          NULL, NULL);
}

/* Pooling, padding, sums, concatenations, what others read, heads. */
static void joins(void **state)
{
    (void)state;
    image();
    weight("model_1/c1/Conv2D/ReadVariableOp", "3,3,3,6", "uint16", -0.5, 0.5);
    node("Conv2D", "model_1/c1/Conv2D", "pre/Mul model_1/c1/Conv2D/ReadVariableOp",
         "strides=1,1,1,1 padding=SAME");
    node("MaxPool", "max", "model_1/c1/Conv2D", "ksize=1,3,3,1 strides=1,2,2,1 padding=SAME");
    node("AvgPool", "avg", "model_1/c1/Conv2D", "ksize=1,3,2,1 strides=1,2,2,1 padding=SAME");
    node("AddV2", "sum", "max avg", "");
    numbers("border", "4,2", "int32", "0,0,1,2,0,1,2,1");
    numbers("same", "4,2", "int32", "0,0,1,2,0,1,0,0");
    numbers("nothing", "", "float32", "0");
    node("Pad", "wide", "sum border", "");
    node("PadV2", "narrow", "sum same nothing", "");
    numbers("axis", "", "int32", "-1");
    node("ConcatV2", "both", "wide narrow wide axis", "");
    weight("c2/kernel", "1,1,24,5", "float16", -1, 1);
    weight("factor5", "5", "float32", -1, 1);
    node("Conv2D", "c2/Conv2D", "both c2/kernel", "strides=1,1,1,1 padding=VALID");
    node("Identity", "c2/Identity", "c2/Conv2D", "");
    node("Identity", "c2/Alone", "c2/Conv2D", "");
    node("Mul", "scaled", "c2/Alone factor5", ""); /* not into c2, which others read */
    node("Relu", "rectified", "c2/Identity", "");
    node("AddN", "three", "scaled rectified c2/Conv2D", "");
    /* A vector by its means, and by all its elements in their order. */
    numbers("axes", "2", "int32", "2,1");
    node("Mean", "pool/Mean", "three axes", "keep_dims=true");
    node("Squeeze", "pool/Squeeze", "pool/Mean", "");
    weight("fc/kernel", "5,7", "float32", -1, 1);
    weight("fc/bias", "7", "float32", -1, 1);
    node("_FusedMatMul", "fc/Relu", "pool/Squeeze fc/kernel fc/bias",
         "fused_ops=BiasAdd|Relu transpose_a=false transpose_b=false");
    weight("g/kernel", "2,7", "float32", -1, 1);
    node("MatMul", "g/MatMul", "fc/Relu g/kernel", "transpose_b=true");
    node("Softmax", "g/Softmax", "g/MatMul", "");
    output("g/Softmax");
    numbers("row", "2", "int32", "-1,300");
    weight("a/kernel", "300,1", "uint8", -0.1, 0.1);
    weight("a/bias", "1", "float32", -1, 1);
    node("Reshape", "flat", "three row", "");
    node("MatMul", "a/MatMul", "flat a/kernel", "");
    node("Add", "a/BiasAdd", "a/MatMul a/bias", "");
    node("Sigmoid", "a/Sigmoid", "a/BiasAdd", "");
    output("a/Sigmoid");
    /* An output that is another layer's, in another shape. */
    numbers("rows", "3", "int32", "1,60,5");
    node("Reshape", "tf_op_layer_regressors/regressors", "rectified rows", "");
    node("Identity", "Identity_1", "tf_op_layer_regressors/regressors", "");
    output("Identity_1");
    check("input 13x10x3\npre bn eps=0\nc1 conv 6 3x3 pad=same\nmax maxpool 3x3 stride=2 pad=same\n"
          "avg avgpool 3x2 stride=2 pad=same from=c1\nsum add from=max,avg\n"
          "wide pad 1,2,0,1 channels=2,1\nnarrow pad 1,2,0,1 from=sum\n"
          "both concat from=wide,narrow,wide\nc2 conv 5 1x1\nscaled bn eps=0\n"
          "regressors relu from=c2\nthree add from=scaled,regressors,c2\npool gap\n"
          "fc_linear dense 7\nfc relu\nage_logits dense 2\nage softmax\n"
          "flat flatten from=three\ngender_logits dense 1\ngender sigmoid\n",
          "sum=sum both=both c2=c2/Conv2D regressors=Identity_1 three=three pool=pool/Squeeze "
          "fc=fc/Relu age=g/Softmax flat=flat gender=a/Sigmoid",
          "a_Sigmoid", "g/Softmax:0");
}

/* Functions of one number, arithmetic of two tensors, reductions, parts of rows. */
static void arithmetic(void **state)
{
    (void)state;
    image();
    weight("c/kernel", "1,1,3,6", "float32", -1, 1);
    weight("six", "6", "float32", 0.1, 0.5);
    numbers("image_axes", "2", "int32", "1,2");
    numbers("all_axes", "3", "int32", "1,-1,2");
    numbers("one", "", "int32", "1");
    node("Conv2D", "c", "pre/Mul c/kernel", "strides=1,1,1,1 padding=VALID");
    node("Abs", "abs", "c", "");
    node("Neg", "neg", "c", "");
    node("Tanh", "tanh", "c", "");
    node("Square", "square", "c", "");
    node("AddV2", "positive", "square six", "");
    node("Sqrt", "sqrt", "positive", "");
    node("Rsqrt", "rsqrt", "positive", "");
    node("RealDiv", "inverse", "six positive", "");
    node("Minimum", "least", "c six", "");
    node("Maximum", "most", "six c", "");
    node("Maximum", "larger", "tanh neg", "");
    node("Sub", "less", "abs tanh", "");
    node("RealDiv", "ratio", "tanh sqrt", "");
    node("Max", "peaks", "less image_axes", "keep_dims=true");
    node("Mul", "gated", "rsqrt peaks", "");
    node("Sum", "sums", "gated image_axes", "keep_dims=false");
    node("Mul", "again", "sums ratio", "");
    node("Mean", "mean_all", "again all_axes", "keep_dims=false");
    node("ExpandDims", "row", "mean_all one", "");
    node("Max", "highest", "sums one", "keep_dims=false");
    numbers("from", "2", "int32", "0,-4");
    numbers("to", "2", "int32", "0,100");
    numbers("step", "2", "int32", "1,1");
    node("StridedSlice", "part", "sums from to step",
         "begin_mask=#1 end_mask=#1 shrink_axis_mask=#0 ellipsis_mask=#0 new_axis_mask=#0");
    node("StridedSlice", "element", "sums from to step",
         "begin_mask=#1 end_mask=#1 shrink_axis_mask=#2 ellipsis_mask=#0 new_axis_mask=#0");
    node("ExpandDims", "element_row", "element one", "");
    numbers("axis", "", "int32", "1");
    node("ConcatV2", "rows", "row part element_row axis", "");
    for (const char *const *s =
             (const char *const[]){"inverse", "least", "most", "larger", "rows", "highest", NULL};
         *s != NULL; s++)
        output(*s);
    check("input 13x10x3\npre bn eps=0\nc conv 6 1x1\nabs abs\nneg neg from=c\ntanh tanh from=c\n"
          "square mul from=c,c\npositive bn eps=0\nsqrt sqrt\nrsqrt sqrt from=positive\n"
          "rsqrt_2 reciprocal\ninverse reciprocal from=positive\ninverse_2 bn eps=0\n"
          "least min value=1x1x6 from=c\nmost max value=1x1x6 from=c\nlarger max from=tanh,neg\n"
          "less sub from=abs,tanh\nratio div from=tanh,sqrt\npeaks reduce max hw from=less\n"
          "gated mul from=rsqrt_2,peaks\nsums reduce sum hw\nagain mul from=sums,ratio\n"
          "mean_all reduce mean hwc\nhighest reduce max c from=sums\n"
          "part slice 1x1x4 at=0,0,2 from=sums\nelement slice 1x1x1 at=0,0,2 from=sums\n"
          "rows concat from=mean_all,part,element\n",
          "abs=abs neg=neg tanh=tanh square=square sqrt=sqrt rsqrt_2=rsqrt inverse_2=inverse "
          "least=least most=most larger=larger less=less ratio=ratio peaks=peaks gated=gated "
          "sums=sums again=again mean_all=mean_all highest=highest part=part element=element "
          "rows=rows",
          NULL, NULL);
}

/* Rectifiers that were taken apart are whole again, and what they were made of is gone. */
static void rectifiers(void **state)
{
    (void)state;
    image();
    weight("c/kernel", "1,1,3,4", "float32", -1, 1);
    weight("slopes", "4", "float32", -0.5, 0.5);
    numbers("zero", "", "float32", "0");
    numbers("half", "", "float32", "0.5");
    numbers("fifth", "", "float32", "-0.2");
    node("Conv2D", "c", "pre/Mul c/kernel", "strides=1,1,1,1 padding=VALID");
    /* max(x, 0) - a max(-x, 0), as Keras has it */
    node("Relu", "k_up", "c", "");
    node("Neg", "k_neg", "c", "");
    node("Relu", "k_down", "k_neg", "");
    node("Mul", "k_scaled", "slopes k_down", "");
    node("Sub", "keras", "k_up k_scaled", "");
    /* max(x, 0) + a (x - |x|) / 2, as TensorFlow's examples have it */
    node("Relu", "t_up", "keras", "");
    node("Abs", "t_abs", "keras", "");
    node("Sub", "t_both", "keras t_abs", "");
    node("Mul", "t_scaled", "t_both slopes", "");
    node("Mul", "t_half", "t_scaled half", "");
    node("AddV2", "examples", "t_half t_up", "");
    /* max(x, 0) + a min(x, 0), as MXNet has it; a is the same for all */
    node("Maximum", "m_up", "examples zero", "");
    node("Minimum", "m_down", "zero examples", "");
    node("Mul", "m_scaled", "m_down fifth", "");
    node("AddV2", "mxnet", "m_up m_scaled", "");
    /* Behind a relu it does nothing. */
    node("Relu", "r", "mxnet", "");
    node("Relu", "r_up", "r", "");
    node("Abs", "r_abs", "r", "");
    node("Sub", "r_both", "r r_abs", "");
    node("Mul", "r_scaled", "r_both slopes", "");
    node("AddV2", "relu", "r_up r_scaled", "");
    /* Something else: the sides have different factors. */
    node("Relu", "e_up", "c", "");
    node("Mul", "e_twice", "e_up fifth", "");
    node("AddV2", "else", "e_twice k_scaled", "");
    output("relu");
    output("else");
    check("input 13x10x3\npre bn eps=0\nc conv 4 1x1\nk_neg neg\nk_down relu\n"
          "k_scaled bn eps=0\nkeras prelu from=c\nexamples prelu\nmxnet leaky alpha=-0.2\n"
          "relu relu\ne_up relu from=c\ne_twice bn eps=0\nelse add from=e_twice,k_scaled\n",
          "keras=keras examples=examples mxnet=mxnet relu=relu else=else", NULL, NULL);
}

/* An image of one channel is the brightness of one of three. */
static void one_channel(void **state)
{
    (void)state;
    struct model m;
    struct ref r;
    unsigned char px[H * W * 3];
    double v[H * W * 3], gray[H * W];
    graph_new();
    node("Placeholder", "image", "", "shape=-1,13,10,1");
    weight("c/kernel", "3,3,1,4", "float32", -1, 1);
    node("Conv2D", "c", "image c/kernel", "strides=1,1,1,1 padding=SAME");
    output("c");
    graph_write();
    import(&m, at("graph.json"), NULL, NULL);
    ref_open(&r, at("graph.json"));
    draw(px, v, H * W * 3);
    for (int i = 0; i < H * W; i++)
        gray[i] = 0.299 * v[3 * i] + 0.587 * v[3 * i + 1] + 0.114 * v[3 * i + 2];
    r.input = gray;
    compare(&m, "c", px, &r, "c", 1e-5);
    ref_close(&r);
    model_free(&m);
}

/* --- What is refused ----------------------------------------------------------------------- */

/* What the graph file now says is refused with this message. */
static void refuse_file(const char *why)
{
    struct mien_err e = {{0}};
    struct model m = {0};
    struct tfjs *t = tfjs_open(at("graph.json"), &e);
    if (t != NULL && tfjs_import(t, &m, NULL, NULL, 0, 0, &e) == 0)
        fail_msg("not refused: %s", why);
    tfjs_close(t);
    assert_null(m.weights);
    assert_null(m.net.layer);
    if (strstr(e.msg, why) == NULL)
        fail_msg("got '%s', wanted '%s'", e.msg, why);
}

static void refuse(const char *why)
{
    graph_write();
    refuse_file(why);
}

/* An image, the weights "w" of this shape, and a node "x" that reads both and is the output. */
static void one(const char *op, const char *shape, const char *attributes, const char *why)
{
    image();
    weight("w", shape, "float32", 0, 1);
    node(op, "x", "pre/Mul w", attributes);
    output("x");
    refuse(why);
}

static void unsupported(void **state)
{
    (void)state;
    one("Conv2D", "3,3,3,4", "strides=1,1,1,1 padding=SAME data_format=NCHW",
        "node 'x' (Conv2D): data format NCHW");
    one("Conv2D", "3,3,3,4", "strides=1,1,1,1 padding=SAME dilations=1,2,2,1", "dilation of 2");
    one("Conv2D", "3,3,3,4", "strides=1,1,1,2 padding=SAME", "strides");
    one("Conv2D", "3,3,3,4", "padding=SAME", "strides");
    one("Conv2D", "3,3,3,4", "strides=1,1,1,1 padding=FULL", "padding 'FULL'");
    one("Conv2D", "3,3,2,4", "strides=1,1,1,1 padding=SAME", "for 2 channels, its input has 3");
    one("Conv2D", "3,3,4", "strides=1,1,1,1 padding=SAME", "4 dimensions");
    one("Conv2D", "20,3,3,4", "strides=1,1,1,1 padding=VALID", "larger than its input");
    one("_FusedConv2D", "1,1,3,4", "strides=1,1,1,1 padding=VALID fused_ops=Elu", "'Elu'");
    one("_FusedConv2D", "1,1,3,4", "strides=1,1,1,1 padding=VALID fused_ops=BiasAdd",
        "input 3 isn't a constant");
    one("DepthwiseConv2dNative", "3,3,3,2", "strides=1,1,1,1 padding=SAME",
        "node 'x' (DepthwiseConv2dNative): a depth multiplier of 2");
    one("Transpose", "1", "", "node 'x' (Transpose): the op is not supported");
    one("MatMul", "3,4", "", "needs a vector");
    one("Mul", "13,10,1", "", "'w' is not one number or one a channel");
    one("Mul", "10", "", "'w' is not one number or one a channel");
    one("Minimum", "13,10,1", "", "'w' is not one number or one a channel");
    one("Mean", "2", "", "height and width");
    one("StridedSlice", "1", "", "a slice of a row");
    one("ExpandDims", "1", "", "only one number can become a row");
    one("Softmax", "1", "", "softmax at every pixel");
    one("Pad", "2,2", "", "padding of an image");
    one("ConcatV2", "1", "", "concatenation of channels");
    one("FusedBatchNormV3", "3", "", "epsilon");
    one("Reshape", "2", "", "doesn't hold the input's 390 elements");
    one("MaxPool", "1", "ksize=2,2,2,1 strides=1,1,1,1 padding=SAME", "window [1, h, w, 1]");

    image();
    numbers("six", "", "float32", "6");
    node("Minimum", "x", "pre/Mul six", "");
    node("Sigmoid", "y", "x", "");
    output("y");
    refuse("a minimum that no maximum with 0 follows");
    image();
    numbers("rows", "3", "int32", "1,130,3");
    node("Reshape", "x", "pre/Mul rows", "");
    node("Mul", "y", "x mean", "");
    output("y");
    refuse("reshaped to a shape that no layer has");
    image();
    node("Placeholder", "other", "", "shape=-1,13,10,3");
    node("AddV2", "x", "pre/Mul other", "");
    output("x");
    refuse("node 'other' (Placeholder): a second input");
    image();
    node("ConcatV2", "x", "", "");
    output("x");
    refuse("node 'x' (ConcatV2): input 1 is missing");
    image();
    node("AddV2", "x", "mean factor", "");
    output("x");
    refuse("node 'x' (AddV2): input 1 is missing, or a constant");
    image();
    node("Relu", "x", "y", "");
    node("Relu", "y", "x", "");
    output("y");
    refuse("has a cycle");
    image();
    node("Relu", "x", "nowhere", "");
    output("x");
    refuse("node 'x' (Relu) reads 'nowhere'");
    image();
    node("Relu", "x", "pre/Mul:1", "");
    output("x");
    refuse("reads 'pre/Mul:1', which is a second output");
    image();
    output("nothing");
    refuse("output 'nothing:0' isn't a node");
    image();
    output("mean");
    refuse("node 'mean' (Const): the output is a constant");
    image();
    node("Const", "bare", "", "");
    node("Mul", "x", "pre/Mul bare", "");
    output("x");
    refuse("constant 'bare' has no weights");
    image();
    weight("w", "1,1,3,1", "float32", INFINITY, INFINITY);
    node("Conv2D", "x", "pre/Mul w", "strides=1,1,1,1 padding=SAME");
    output("x");
    refuse("layer 'x' has a weight that isn't a number");
    graph_new();
    node("Placeholder", "image", "", "shape=-1,-1,-1,3");
    weight("w", "1,1,3,1", "float32", 0, 1);
    node("Conv2D", "x", "image w", "strides=1,1,1,1 padding=SAME");
    output("x");
    refuse("choose one with --size");
}

/* Files that are damaged, or not what they should be. */
static void damage(void **state)
{
    (void)state;
    static const char head[] = "{\"format\":\"graph-model\",\"modelTopology\":{\"node\":[{\"name\":"
                               "\"x\",\"op\":\"Const\"}]},\"weightsManifest\":[{\"paths\":";
    static const struct {
        const char *paths, *weight, *why;
    } manifests[] = {
        {"[\"../a.bin\"]", "{}", "isn't in the graph's folder"},
        {"[\"/etc/passwd\"]", "{}", "isn't in the graph's folder"},
        {"[\"c.bin\"]", "{}", "cannot open"},
        {"[\"a.bin\"]", "{}", "no name or shape"},
        {"[\"a.bin\"]", "{\"name\":\"w\",\"shape\":[4],\"dtype\":\"string\"}", "only float32"},
        {"[\"a.bin\"]", "{\"name\":\"w\",\"shape\":[-4],\"dtype\":\"int32\"}", "isn't a size"},
        {"[\"a.bin\"]",
         "{\"name\":\"w\",\"shape\":[2000000000,2000000000,2000000000],"
         "\"dtype\":\"int32\"}",
         "too large"},
        {"[\"a.bin\"]", "{\"name\":\"w\",\"shape\":[1,1,1,1,1,1,1],\"dtype\":\"int32\"}",
         "more than 6 dimensions"},
        {"[\"a.bin\"]", "{\"name\":\"w\",\"shape\":[3],\"dtype\":\"int32\"}",
         "'w' lies beyond its file's 8 bytes"},
        {"[\"a.bin\"]", "{\"name\":\"w\",\"shape\":[1],\"dtype\":\"int32\"}",
         "have 8 bytes, the graph names 4"},
        {"[\"a.bin\"]",
         "{\"name\":\"w\",\"shape\":[8],\"dtype\":\"float32\",\"quantization\":"
         "{\"dtype\":\"uint8\",\"scale\":1}}",
         "quantization"},
        {"[\"a.bin\"]", "{\"name\":\"w\",\"shape\":[2],\"dtype\":\"int32\"}", "no signature"},
    };
    char text[1000];
    put_file("a.bin", "12345678", 8);
    for (size_t i = 0; i < sizeof manifests / sizeof manifests[0]; i++) {
        snprintf(text, sizeof text, "%s%s,\"weights\":[%s]}]}", head, manifests[i].paths,
                 manifests[i].weight);
        put_file("graph.json", text, strlen(text));
        refuse_file(manifests[i].why);
    }
    put_file("graph.json", "{\"format\": \"layers-model\"}", 26);
    refuse_file("it is a layers-model");
    snprintf(text, sizeof text, "{\"modelTopology\":{\"class_name\":\"Sequential\"}}");
    put_file("graph.json", text, strlen(text));
    refuse_file("it is a layers-model, layers of Keras instead of a graph: tensorflowjs_converter");
    put_file("graph.json", "{\n\"format\":", 12);
    refuse_file("line 2, byte ");
    put_file("graph.json", "[]", 2);
    refuse_file("no graph");
    put_file("graph.json", "", 0);
    refuse_file("graph.json");
}

/* --- Faceres ------------------------------------------------------------------------------- */

/* The folder of real models: $MIEN_MODELS, or the cache of make models. */
static bool models(char *path, size_t n, const char *name)
{
    const char *dir = getenv("MIEN_MODELS"), *cache = getenv("XDG_CACHE_HOME");
    if (dir != NULL)
        snprintf(path, n, "%s/%s", dir, name);
    else if (cache != NULL)
        snprintf(path, n, "%s/mien/%s", cache, name);
    else
        snprintf(path, n, "%s/.cache/mien/%s", getenv("HOME") ? getenv("HOME") : "", name);
    return access(path, R_OK) == 0;
}

static void real_model(const char *name, int side, const char *const *layers,
                       const char *const *names, int n, const char *gender, const char *age)
{
    char path[600];
    struct model m;
    struct ref r;
    if (!models(path, sizeof path, name)) {
        fprintf(stderr, "# %s is not there: make models fetches it\n", name);
        return; // cmocka prints skip() as a failure of TAP
    }
    size_t count = (size_t)side * (size_t)side * 3;
    unsigned char *px = malloc(count);
    double *v = malloc(count * sizeof *v);
    assert_true(px != NULL && v != NULL);
    draw(px, v, (int)count);
    import(&m, path, gender, age);
    ref_open(&r, path);
    r.input = v;
    for (int i = 0; i < n; i++)
        compare(&m, layers[i], px, &r, names[i], 1e-3);
    ref_close(&r);
    model_free(&m);
    free(px);
    free(v);
}

static void real_faceres(void **state)
{
    (void)state;
    const char *layers[] = {"conv1_relu", "global_pooling", "feats", "gender", "age"};
    const char *names[] = {"conv1_relu/clip_by_value", "global_pooling/Mean", "feats/Relu",
                           "gender_pred/Sigmoid", "age_pred/Softmax"};
    real_model("faceres.json", 224, layers, names, 5, "gender_pred/Sigmoid", "age_pred/Softmax");
}

static void real_blazeface(void **state)
{
    (void)state;
    const char *layers[] = {"classificators_1", "classificators_2", "regressors_1", "regressors_2"};
    const char *names[] = {"Identity", "Identity_1", "Identity_2", "Identity_3"};
    real_model("blazeface.json", 256, layers, names, 4, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions),   cmocka_unit_test(joins),
        cmocka_unit_test(arithmetic),     cmocka_unit_test(rectifiers),
        cmocka_unit_test(one_channel),    cmocka_unit_test(unsupported),
        cmocka_unit_test(damage),         cmocka_unit_test(real_faceres),
        cmocka_unit_test(real_blazeface),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
