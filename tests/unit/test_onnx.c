/* ONNX files to networks: what their operators compute, and what is refused. The conformance cases
   of ONNX itself are run by tests/slow/onnx.t. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "onnx/onnx.h"
#include "infer/plan.h"
#include "util/file.h"

#include "../onnx_make.h"

static char folder[] = "/tmp/test_onnx.XXXXXX";
static struct mien_err err;

static void write_file(const char *name, const struct mien_buf *b, char path[64])
{
    snprintf(path, 64, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(b->data, 1, b->len, f), b->len);
    assert_int_equal(fclose(f), 0);
}

/* Imports a graph, which is freed, of version 13. */
static int import_as(struct mien_buf *graph, struct model *m, const struct onnx_options *how)
{
    char path[64];
    struct mien_buf model = om_model(graph, 13);
    *m = (struct model){0};
    write_file("x.onnx", &model, path);
    mien_buf_free(&model);
    struct onnx *o = onnx_open(path, &err);
    int rc = o == NULL ? MIEN_ERR_FORMAT : onnx_import(o, m, how, &err);
    onnx_close(o);
    return rc;
}

static void import(struct mien_buf *graph, struct model *m)
{
    const struct onnx_options how = {0};
    if (import_as(graph, m, &how) < 0)
        fail_msg("%s", err.msg);
}

static void refuses(struct mien_buf *graph, const char *why)
{
    struct model m;
    const struct onnx_options how = {0};
    assert_true(import_as(graph, &m, &how) < 0);
    if (strstr(err.msg, why) == NULL)
        fail_msg("'%s' lacks '%s'", err.msg, why);
}

/* The description, its lines joined by ';'. */
static void is_net(const struct model *m, const char *want)
{
    struct mien_buf text = {0};
    assert_int_equal(net_print(&m->net, &text), 0);
    for (size_t k = 0; k < text.len; k++) {
        if (text.data[k] == '\n')
            text.data[k] = ';';
    }
    assert_int_equal(mien_buf_append(&text, "", 1), 0);
    assert_string_equal((char *)text.data, want);
    mien_buf_free(&text);
}

/* Runs a network of a row of numbers and compares what its last layer makes. */
static void makes(struct model *m, const float *in, const float *want, size_t n)
{
    int last = m->net.n - 1;
    struct plan *p = plan_new(m, &last, 1, 1, PRECISION_FLOAT, &err);
    assert_non_null(p);
    struct plan_work *w = plan_work_new(p, &err);
    assert_non_null(w);
    assert_int_equal(plan_out_count(p, 0), n);
    float *out = malloc(n * sizeof *out);
    const void *rows = in;
    plan_run(p, w, &rows, 1, &out);
    for (size_t k = 0; k < n; k++) {
        if (fabs((double)(out[k] - want[k])) > 1e-5)
            fail_msg("element %zu is %g, not %g", k, (double)out[k], (double)want[k]);
    }
    free(out);
    plan_work_free(w);
    plan_free(p);
    model_free(m);
}

/* An image of two channels, 2x2, is a row [c, h, w] first; the convolution's weights are OIHW. */
static void conv_and_dense(void **state)
{
    struct mien_buf g = {0};
    struct model m;
    const int64_t image[] = {1, 2, 2, 2};
    const float w[] = {1, 0, 0, 1, 1, 1}, fc[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    const float in[] = {1, 2, 3, 4, 10, 20, 30, 40};
    (void)state;
    om_port(&g, OM_IN, "x", "0x8");
    om_ints(&g, "image", 4, image);
    om_floats(&g, "features.0.weight", "3x2x1x1", w);
    om_floats(&g, "fc.weight", "1x12", fc);
    om_node(&g, "Reshape", "x,image", "r", (char *)NULL);
    om_node(&g, "Conv", "r,features.0.weight", "c", "kernel_shape=1,1", (char *)NULL);
    om_node(&g, "Flatten", "c", "f", (char *)NULL);
    om_node(&g, "Gemm", "f,fc.weight", "y", "transB=1", (char *)NULL);
    om_port(&g, OM_OUT, "y", "0x1");
    import(&g, &m);
    /* What reorders the image for the dense layer is in its weights. */
    assert_int_equal(m.net.layer[m.net.n - 1].type, L_DENSE);
    assert_int_equal(m.net.layer[m.net.n - 2].type, L_CONV);
    assert_string_equal(m.net.layer[m.net.n - 2].name, "features_0");
    /* channels a, b, a + b times 1 to 12, in the order of channels, rows, columns */
    const float want = 1 * 1 + 2 * 2 + 3 * 3 + 4 * 4 + 5 * 10 + 6 * 20 + 7 * 30 + 8 * 40 + 9 * 11 +
                       10 * 22 + 11 * 33 + 12 * 44;
    makes(&m, in, &want, 1);
}

/* Shapes are computed at import, and a batch doesn't matter. */
static void shapes_fold(void **state)
{
    struct mien_buf g = {0};
    struct model m;
    const int64_t zero = 0, minus = -1, axes = 0;
    (void)state;
    om_port(&g, OM_IN, "x", "0x2x3");
    om_ints(&g, "zero", 1, &zero);
    om_ints(&g, "minus", 1, &minus);
    om_ints(&g, "axes", 1, &axes);
    om_node(&g, "Shape", "x", "s", (char *)NULL);
    om_node(&g, "Gather", "s,zero", "n", "axis=0", (char *)NULL);
    om_node(&g, "Concat", "n,minus", "to", "axis=0", (char *)NULL);
    om_node(&g, "Transpose", "x", "t", "perm=0,2,1", (char *)NULL);
    om_node(&g, "Reshape", "t,to", "y", (char *)NULL);
    om_node(&g, "Relu", "y", "z", (char *)NULL);
    om_port(&g, OM_OUT, "z", "0x6");
    import(&g, &m);
    is_net(&m, "input 1x2x3;y permute 1x3x2 view=2x3 order=1,0;z relu;");
    model_free(&m);
}

/* Functions that exporters take apart are one layer again. */
static void taken_apart(void **state)
{
    struct mien_buf g = {0};
    struct model m;
    const float three = 3, six = 6, half = 0.5f, one = 1, root = 1.41421356f;
    const float in[] = {-4, -1, 0, 2}, slopes[] = {-0.1f, -0.2f, -0.3f, -0.4f};
    (void)state;
    om_port(&g, OM_IN, "x", "0x4");
    om_floats(&g, "three", "", &three);
    om_floats(&g, "zero", "", (const float[]){0});
    om_floats(&g, "six", "", &six);
    om_node(&g, "Add", "x,three", "a", (char *)NULL);
    om_node(&g, "Clip", "a,zero,six", "c", (char *)NULL);
    om_node(&g, "Mul", "x,c", "m", (char *)NULL);
    om_node(&g, "Div", "m,six", "hswish", (char *)NULL);
    om_node(&g, "Sigmoid", "hswish", "s", (char *)NULL);
    om_node(&g, "Mul", "s,hswish", "swish", (char *)NULL);
    om_floats(&g, "root", "", &root);
    om_floats(&g, "one", "", &one);
    om_floats(&g, "half", "", &half);
    om_node(&g, "Div", "swish,root", "d", (char *)NULL);
    om_node(&g, "Erf", "d", "e", (char *)NULL);
    om_node(&g, "Add", "e,one", "e1", (char *)NULL);
    om_node(&g, "Mul", "swish,e1", "ge", (char *)NULL);
    om_node(&g, "Mul", "ge,half", "gelu", (char *)NULL);
    om_port(&g, OM_OUT, "gelu", "0x4");
    import(&g, &m);
    is_net(&m, "input 1x1x4;hswish hswish;swish swish;gelu gelu;");
    model_free(&m);

    om_port(&g, OM_IN, "x", "0x4");
    om_floats(&g, "slopes", "4", slopes);
    om_node(&g, "Relu", "x", "up", (char *)NULL);
    om_node(&g, "Neg", "x", "n", (char *)NULL);
    om_node(&g, "Relu", "n", "down", (char *)NULL);
    om_node(&g, "Mul", "down,slopes", "scaled", (char *)NULL);
    om_node(&g, "Add", "up,scaled", "y", (char *)NULL);
    om_port(&g, OM_OUT, "y", "0x4");
    import(&g, &m);
    is_net(&m, "input 1x1x4;y prelu;");
    makes(&m, in, (const float[]){-0.4f, -0.2f, 0, 2}, 4);
}

/* x and its transpose aren't the same, though one layer makes both. */
static void not_the_same(void **state)
{
    struct mien_buf g = {0};
    struct model m;
    (void)state;
    om_port(&g, OM_IN, "x", "1x2x2");
    om_node(&g, "Sigmoid", "x", "s", (char *)NULL);
    om_node(&g, "Transpose", "s", "t", "perm=0,2,1", (char *)NULL);
    om_node(&g, "Mul", "x,t", "y", (char *)NULL);
    om_port(&g, OM_OUT, "y", "1x2x2");
    import(&g, &m);
    assert_int_equal(m.net.layer[m.net.n - 1].type, L_MUL);
    model_free(&m);
}

static void layer_norm(void **state)
{
    struct mien_buf g = {0};
    struct model m;
    const float two = 2, eps = 0.25f, in[] = {1, 3};
    (void)state;
    om_port(&g, OM_IN, "x", "0x2");
    om_floats(&g, "two", "", &two);
    om_floats(&g, "eps", "", &eps);
    om_node(&g, "ReduceMean", "x", "mean", "axes=-1,", (char *)NULL);
    om_node(&g, "Sub", "x,mean", "d", (char *)NULL);
    om_node(&g, "Pow", "d,two", "sq", (char *)NULL);
    om_node(&g, "ReduceMean", "sq", "var", "axes=-1,", (char *)NULL);
    om_node(&g, "Add", "var,eps", "ve", (char *)NULL);
    om_node(&g, "Sqrt", "ve", "root", (char *)NULL);
    om_node(&g, "Div", "d,root", "y", (char *)NULL);
    om_port(&g, OM_OUT, "y", "0x2");
    import(&g, &m);
    is_net(&m, "input 1x1x2;y norm c eps=0.25 affine=no;");
    const float v = 1 / sqrtf(1.25f);
    makes(&m, in, (const float[]){-v, v}, 2);
}

/* Weights of eight bits, whose names are among the inputs, too, as older exporters have it. */
static void quantised_weights(void **state)
{
    struct mien_buf g = {0};
    struct model m;
    const unsigned char q[] = {128, 130, 126, 129};
    const float scale = 0.5f, in[] = {1, 10};
    const unsigned char zero = 128;
    (void)state;
    om_port(&g, OM_IN, "x", "0x2");
    om_port(&g, OM_IN, "q", "2x2");
    struct mien_buf t = om_tensor("q", "2x2", 2, q, 4);
    om_message(&g, 5, &t);
    t = om_tensor("zero", "", 2, &zero, 1);
    om_message(&g, 5, &t);
    om_floats(&g, "scale", "", &scale);
    om_node(&g, "DequantizeLinear", "q,scale,zero", "w", (char *)NULL);
    om_node(&g, "MatMul", "x,w", "y", (char *)NULL);
    om_port(&g, OM_OUT, "y", "0x2");
    import(&g, &m);
    makes(&m, in, (const float[]){-10, 1 + 5}, 2);
}

/* An age of one number becomes a head whose expectation is that number. */
static void age_of_one_number(void **state)
{
    struct mien_buf g = {0};
    struct model m;
    const float w[] = {1, 1}, in[] = {0.2f, 0.13f};
    const struct onnx_options how = {.age = "y", .years = 100, .years0 = 0.5};
    (void)state;
    om_port(&g, OM_IN, "x", "0x2");
    om_floats(&g, "w", "2x1", w);
    om_node(&g, "MatMul", "x,w", "y", (char *)NULL);
    om_port(&g, OM_OUT, "y", "0x1");
    assert_int_equal(import_as(&g, &m, &how), 0);
    int age = net_find(&m.net, "age");
    assert_true(age > 0);
    struct plan *p = plan_new(&m, &age, 1, 1, PRECISION_FLOAT, &err);
    assert_non_null(p);
    struct plan_work *work = plan_work_new(p, &err);
    assert_non_null(work);
    float out[101], *to = out;
    const void *rows = in;
    plan_run(p, work, &rows, 1, &to);
    double years = 0;
    for (int k = 0; k <= 100; k++)
        years += k * (double)out[k];
    assert_true(fabs(years - 33.5) < 1e-3);
    plan_work_free(work);
    plan_free(p);
    model_free(&m);
}

/* A file's promises cost nothing, and weights lie in its folder only. */
static void hostile(void **state)
{
    struct mien_buf g = {0}, t;
    const float w[] = {1};
    const int64_t huge[] = {1 << 20, 1 << 10};
    static const char *const places[] = {"../secret", "/etc/passwd", "a/../../b"};
    (void)state;
    om_port(&g, OM_IN, "x", "0x2");
    t = om_tensor("w", "30000x20000", 1, w, sizeof w);
    om_message(&g, 5, &t);
    om_node(&g, "MatMul", "x,w", "y", (char *)NULL);
    om_port(&g, OM_OUT, "y", "0x1");
    refuses(&g, "tensor 'w' of 600000000 elements has 1");

    for (size_t k = 0; k < 3; k++) {
        struct mien_buf entry = {0};
        om_port(&g, OM_IN, "x", "0x2");
        t = om_tensor("w", "2x1", 1, NULL, 0);
        om_text(&entry, 1, "location");
        om_text(&entry, 2, places[k]);
        om_message(&t, 13, &entry);
        om_int(&t, 14, 1);
        om_message(&g, 5, &t);
        om_node(&g, "MatMul", "x,w", "y", (char *)NULL);
        om_port(&g, OM_OUT, "y", "0x1");
        refuses(&g, "outside its folder");
    }

    om_port(&g, OM_IN, "x", "0x2");
    om_ints(&g, "huge", 2, huge);
    om_node(&g, "Expand", "x,huge", "y", (char *)NULL);
    om_port(&g, OM_OUT, "y", "0x1");
    refuses(&g, "too large");

    om_port(&g, OM_IN, "x", "0x2");
    om_node(&g, "Einsum", "x", "y", (char *)NULL);
    om_port(&g, OM_OUT, "y", "0x2");
    refuses(&g, "node 'y' (Einsum): the operator is not supported");

    om_port(&g, OM_IN, "x", "0x2");
    om_node(&g, "Relu", "z", "y", (char *)NULL);
    om_port(&g, OM_OUT, "y", "0x2");
    refuses(&g, "it reads 'z', which no earlier node makes");
}

/* A weight w [2, 1] whose bytes lie in another file from 4 on. */
static void external(struct mien_buf *g, const char *name, const char *file)
{
    struct mien_buf entry = {0}, t = om_tensor(name, "2x1", 1, NULL, 0);
    om_text(&entry, 1, "location");
    om_text(&entry, 2, file);
    om_message(&t, 13, &entry);
    om_text(&entry, 1, "offset");
    om_text(&entry, 2, "4");
    om_message(&t, 13, &entry);
    om_int(&t, 14, 1);
    om_message(g, 5, &t);
}

/* Weights in a file of the folder; a link out of it isn't followed, and all of them together have no
   more bytes than the file. */
static void external_weights(void **state)
{
    char path[64], link[64];
    struct model m;
    struct mien_buf g = {0};
    const float w[] = {9, 2, 3}, in[] = {10, 100}, want = 320;
    (void)state;
    snprintf(path, sizeof path, "%s/weights.bin", folder);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(w, sizeof w, 1, f), 1);
    assert_int_equal(fclose(f), 0);
    snprintf(link, sizeof link, "%s/link.bin", folder);
    assert_int_equal(symlink("/dev/zero", link), 0);

    om_port(&g, OM_IN, "x", "0x2");
    external(&g, "w", "weights.bin");
    om_node(&g, "MatMul", "x,w", "y", (char *)NULL);
    om_port(&g, OM_OUT, "y", "0x1");
    import(&g, &m);
    makes(&m, in, &want, 1);

    om_port(&g, OM_IN, "x", "0x2");
    external(&g, "w", "link.bin");
    om_node(&g, "MatMul", "x,w", "y", (char *)NULL);
    om_port(&g, OM_OUT, "y", "0x1");
    refuses(&g, "outside its folder");

    om_port(&g, OM_IN, "x", "0x2");
    external(&g, "w", "weights.bin");
    external(&g, "same", "weights.bin");
    om_node(&g, "MatMul", "x,w", "a", (char *)NULL);
    om_node(&g, "MatMul", "x,same", "b", (char *)NULL);
    om_node(&g, "Add", "a,b", "y", (char *)NULL);
    om_port(&g, OM_OUT, "y", "0x1");
    refuses(&g, "than the 12 that it has");
    unlink(path);
    unlink(link);
}

static int setup(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int teardown(void **state)
{
    char path[64];
    (void)state;
    snprintf(path, sizeof path, "%s/x.onnx", folder);
    unlink(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conv_and_dense),    cmocka_unit_test(shapes_fold),
        cmocka_unit_test(taken_apart),       cmocka_unit_test(not_the_same),
        cmocka_unit_test(layer_norm),        cmocka_unit_test(quantised_weights),
        cmocka_unit_test(age_of_one_number), cmocka_unit_test(hostile),
        cmocka_unit_test(external_weights),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
