/* Exports: the wire format byte by byte; graphs that hang together, whatever the operators; weights in
   the order of others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../failing_alloc.h"

#include "export/onnx.h"
#include "export/operator.h"
#include "export/protobuf.h"
#include "export/torch.h"
#include "util/file.h"

/* What is written to a temporary file, read back; the caller frees it. */
static struct mien_buf written(int fd)
{
    struct mien_buf b = {0};
    struct mien_err e;
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(file_slurp(fd, &b, (size_t)1 << 24, "it", &e), 0);
    close(fd);
    return b;
}

static struct mien_buf encoded(struct pb *b)
{
    struct mien_err e;
    int fd = file_temp(&e);
    assert_true(fd >= 0);
    assert_int_equal(pb_write(b, fd, &e), 0);
    pb_free(b);
    return written(fd);
}

/* --- Wire format ---------------------------------------------------------------------------- */

/* The first four are the examples of the format's documentation. */
static void wire_format(void **state)
{
    (void)state;
    static const unsigned char want[] = {
        0x08, 0x96, 0x01,                                                 /* 1: 150 */
        0x12, 7,    't',  'e',  's',  't',  'i',  'n',  'g',              /* 2 */
        0x1a, 3,    0x08, 0x96, 0x01,                                     /* 3: {1: 150} */
        0x20, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, /* 4: -2 */
        0x2d, 0,    0,    0xc0, 0x3f,                                     /* 5: 1.5f */
        0xa0, 0x01, 0,                                                    /* 20: 0 */
        0x32, 0};                                                         /* 6: {} */
    struct pb b = {0};
    pb_int(&b, 1, 150);
    pb_string(&b, 2, "testing");
    size_t at = pb_open(&b, 3);
    pb_int(&b, 1, 150);
    pb_close(&b, at);
    pb_int(&b, 4, -2);
    pb_float(&b, 5, 1.5f);
    pb_int(&b, 20, 0);
    pb_close(&b, pb_open(&b, 6));
    struct mien_buf got = encoded(&b);
    assert_int_equal(got.len, sizeof want);
    assert_memory_equal(got.data, want, sizeof want);
    mien_buf_free(&got);
}

/* Spans count in the lengths of all messages around them, and stay in their places when these are
   moved for lengths of several bytes. */
static void spans(void **state)
{
    (void)state;
    enum { LONG = 300 };
    static unsigned char bytes[LONG];
    struct pb b = {0};
    for (int i = 0; i < LONG; i++)
        bytes[i] = (unsigned char)(i + 1);
    pb_span(&b, 1, "ab", 2);
    size_t outer = pb_open(&b, 2), inner = pb_open(&b, 3);
    pb_span(&b, 4, bytes, LONG);
    pb_span(&b, 5, "", 0);
    pb_int(&b, 6, 7);
    pb_close(&b, inner);
    pb_span(&b, 7, "cd", 2);
    pb_close(&b, outer);
    pb_int(&b, 8, 1);
    struct mien_buf got = encoded(&b);

    const unsigned char *p = got.data;
    size_t in = 3 + LONG + 2 + 2, out = 3 + in + 4;
    assert_memory_equal(p,
                        "\x0a\x02"
                        "ab\x12",
                        5);
    assert_int_equal((p[5] & 0x7f) | p[6] << 7, out);
    assert_int_equal(p[7], 3 << 3 | 2);
    assert_int_equal((p[8] & 0x7f) | p[9] << 7, in);
    assert_int_equal(p[10], 4 << 3 | 2);
    assert_int_equal((p[11] & 0x7f) | p[12] << 7, LONG);
    assert_memory_equal(p + 13, bytes, LONG);
    assert_memory_equal(p + 13 + LONG,
                        "\x2a\0\x30\x07\x3a\x02"
                        "cd\x40\x01",
                        10);
    assert_int_equal(got.len, 13 + LONG + 10);
    mien_buf_free(&got);
}

/* --- Graphs --------------------------------------------------------------------------------- */

/* A field of a message. */
struct field {
    int number;
    uint64_t value;            /* of a varint */
    const unsigned char *data; /* of what has a length */
    size_t n;
};

static uint64_t read_varint(const unsigned char **p)
{
    uint64_t v = 0;
    int shift = 0;
    do
        v |= (uint64_t)(**p & 0x7f) << shift, shift += 7;
    while (*(*p)++ & 0x80);
    return v;
}

/* The next field; false at the end. */
static bool next_field(const unsigned char **p, const unsigned char *end, struct field *f)
{
    if (*p == end)
        return false;
    assert_true(*p < end);
    uint64_t key = read_varint(p);
    *f = (struct field){.number = (int)(key >> 3)};
    switch (key & 7) {
    case 0:
        f->value = read_varint(p);
        break;
    case 5:
        *p += 4;
        break;
    case 2:
        f->n = (size_t)read_varint(p);
        f->data = *p;
        *p += f->n;
        break;
    default:
        fail_msg("wire type %d", (int)(key & 7));
    }
    return true;
}

/* The first field of this number, empty where there is none. */
static struct field find_field(const unsigned char *p, size_t n, int number)
{
    struct field f;
    for (const unsigned char *end = p + n; next_field(&p, end, &f);) {
        if (f.number == number)
            return f;
    }
    return (struct field){0};
}

enum { MOST_NAMES = 512 };
struct names {
    char *name[MOST_NAMES];
    int n;
};

static bool has(const struct names *names, const struct field *f)
{
    for (int i = 0; i < names->n; i++) {
        if (strlen(names->name[i]) == f->n && memcmp(names->name[i], f->data, f->n) == 0)
            return true;
    }
    return false;
}

/* Adds a name that is new. */
static void define(struct names *names, const struct field *f)
{
    assert_true(f->n > 0 && names->n < MOST_NAMES);
    if (has(names, f))
        fail_msg("'%.*s' is made twice", (int)f->n, (const char *)f->data);
    names->name[names->n] = strndup((const char *)f->data, f->n);
    assert_non_null(names->name[names->n++]);
}

/* Checks that every value of a graph is made once, before it is read. Returns the nodes. */
static int check_graph(const struct mien_buf *file)
{
    struct names names = {0};
    struct field graph = find_field(file->data, file->len, 7), f, g;
    int nodes = 0;
    const unsigned char *end = graph.data + graph.n;
    for (const unsigned char *p = graph.data; next_field(&p, end, &f);) {
        if (f.number == 5) { /* initializer */
            g = find_field(f.data, f.n, 8);
            define(&names, &g);
        } else if (f.number == 11) { /* input */
            g = find_field(f.data, f.n, 1);
            define(&names, &g);
        } else if (f.number == 1) { /* node */
            for (const unsigned char *q = f.data; next_field(&q, f.data + f.n, &g);) {
                if (g.number == 1 && !has(&names, &g))
                    fail_msg("'%.*s' is read before it is made", (int)g.n, (const char *)g.data);
            }
            g = find_field(f.data, f.n, 2);
            define(&names, &g);
            nodes++;
        }
    }
    for (const unsigned char *p = graph.data; next_field(&p, end, &f);) { /* outputs */
        if (f.number != 12)
            continue;
        g = find_field(f.data, f.n, 1);
        if (!has(&names, &g))
            fail_msg("'%.*s' isn't made", (int)g.n, (const char *)g.data);
    }
    for (int i = 0; i < names.n; i++)
        free(names.name[i]);
    return nodes;
}

#define FUNCTION(type, word) "f." #word " " #word "\n"

/* Every operator, in a row's and an image's place, with names that others might want to have. */
static const char everything[] =
    "input 9x8x3\n"
    "c1 conv 6 3x3 stride=2x1 pad=same\n"
    "c2 conv 6 3x3 pad=1 groups=3 bias=no\n"
    "b1 bn eps=0.01\n"
    "r1 relu\n"
    "for dwconv 3x3 pad=same\n"
    "r6 relu6\n"
    "sum add from=c1,r6,b1\n"
    "mp maxpool 3x3 stride=2 pad=same\n"
    "ap avgpool 3x3 stride=2 pad=1,1,0,2 from=sum\n"
    "pr prelu\n"
    "b2 bn from=ap\n"
    "cat concat from=pr,b2,ap\n"
    "pd pad 1,0,2,1 channels=2,3\n"
    "sg sigmoid\n"
    "dr dropout 0.3\n"
    "sm softmax\n"
    "c3 conv 7 2x2 from=sm\n"
    "pixels l2norm\n"
    "d0 dense 20 from=pixels\n"
    "d1 dense 20 from=dr bias=no\n"
    "fl flatten from=dr\n"
    "fl.row dense 20 from=fl\n"
    "d3 add from=d1,fl.row,d0\n"
    "tc tconv 4 3x2 stride=2 pad=same outpad=1,0 from=c3\n"
    "pm permute 8x5x6 view=5x8x2x3 order=1,0,3,2 from=c2\n"
    "rs reshape 5x8x6\n"
    "sl slice 2x3x1 at=4,0,5 step=-2,1,-1\n"
    "ed pad 1,2,3,4 mode=edge\n"
    "mw maxpool 2x2 dilation=3 pad=2 ceil=yes from=c2\n"
    "ac avgpool 3x3 stride=2 pad=1 ceil=yes count=yes from=c2\n"
    "n1 norm c from=c2\n"
    "n2 norm hwc groups=2 affine=no\n"
    "lr lrn 3\n"
    "l2 l2norm axes=c\n"
    "sa softmax axes=hw\n"
    "sb softmax axes=c\n"
    "sc logsoftmax axes=w\n"
    "rm reduce sum hw from=c2\n"
    "rx reduce logsumexp c from=c2\n"
    "rz resize 11x7 from=c2\n"
    "ma slice 5x8x3 at=0,0,0 step=1,1,1 from=c2\n"
    "mm matmul tb=yes from=ma,ma\n"
    "self.weight bn from=d3\n"
    "self relu\n"
    "gp gap from=dr\n"
    "gp.row dense 20 from=gp\n"
    "both concat from=self,gp.row\n" PLAIN_UNARY_OPS(FUNCTION) "leaky leaky\n"
                                                               "elu elu\n"
                                                               "selu selu\n"
                                                               "celu celu\n"
                                                               "clip clip -1,2\n"
                                                               "hsigmoid hsigmoid\n"
                                                               "threshold threshold\n"
                                                               "shrink shrink\n"
                                                               "sub sub from=shrink,both\n"
                                                               "mul mul value=1x1x1 from=c2\n"
                                                               "div div value=5x1x6 swap=yes\n"
                                                               "min min value=1x8x1\n"
                                                               "max max from=min,c1\n"
                                                               "gmax gap\n"
                                                               "pow pow from=gmax,max\n"
                                                               "gpow gap\n"
                                                               "ends concat from=sub,gpow\n"
                                                               "p_gender prelu\n"
                                                               "logits dense 1 from=p_gender\n"
                                                               "gender sigmoid\n"
                                                               "ranks coral 3 from=p_gender\n"
                                                               "age sigmoid\n"
                                                               "left conv 2 1x1 from=r1\n";

static struct model make(const char *text, const char *prep)
{
    struct model m = {0};
    struct mien_err e = {{0}};
    if (net_parse(&m.net, text, strlen(text), &e) != 0 ||
        mien_prep_parse(&m.prep, prep, strlen(prep), &e) != 0)
        fail_msg("%s", e.msg);
    m.weights = net_weights_new(&m.net, &e);
    assert_non_null(m.weights);
    net_init(&m.net, m.weights, 3);
    m.made = strdup("by a test");
    return m;
}

static const char full_prep[] =
    "color=bgr mean=1,2,3 scale=0.5 ages=0:10:20:60 temp_gender=1.5 temp_age=2";

static void whole_graphs(void **state)
{
    (void)state;
    static const struct export_options options[] = {
        {.fold = true},
        {.preprocessing = true},
        {.embed = "d1", .fold = true},
        {.embed = "sm", .preprocessing = true},
        {.embed = "c2", .fold = true},
        {.embed = "input"},
        {.embed = "p_gender"},
    };
    int nodes[sizeof options / sizeof options[0]];
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        struct model m = make(everything, full_prep);
        struct outgoing o = {0};
        struct mien_err e;
        for (int k = 1; k < m.net.n; k++)
            assert_non_null(export_operator(m.net.layer[k].type));
        if (outgoing_take(&o, &m, &options[i], &e) != 0)
            fail_msg("%s", e.msg);
        assert_null(m.weights);
        int fd = file_temp(&e);
        assert_int_equal(onnx_write(&o, fd, &e), 0);
        struct mien_buf file = written(fd);
        nodes[i] = check_graph(&file);
        mien_buf_free(&file);
        outgoing_free(&o);
    }
    assert_true(nodes[1] > nodes[0]);  /* the input's preparation, and the bn that is folded */
    assert_int_equal(nodes[4], 2 + 3); /* two convolutions, and their output as a row */
    assert_int_equal(nodes[5], 3);
}

/* What ONNX lacks is refused by name. */
static void refused(void **state)
{
    (void)state;
    struct model m = make("input 4x4x3\nc conv 2 1x1\nb pad 1,1,1,1 mode=wrap\n", "");
    struct outgoing o = {0};
    struct mien_err e;
    assert_int_equal(outgoing_take(&o, &m, &(struct export_options){.fold = true}, &e), 0);
    int fd = file_temp(&e), other = file_temp(&e);
    assert_int_equal(onnx_write(&o, fd, &e), MIEN_ERR_ARG);
    assert_string_equal(e.msg, "layer 'b': ONNX has no borders with mode=wrap");
    assert_int_equal(lseek(fd, 0, SEEK_END), 0);
    assert_int_equal(torch_write(&o, other, fd, &e), 0);
    close(fd);
    close(other);
    outgoing_free(&o);
}

/* Without heads the outputs are what none reads. */
static void loose_ends(void **state)
{
    (void)state;
    struct model m = make("input 4x4x3\na conv 2 1x1\nb relu\nc gap from=a\nd dense 5\n", "");
    struct outgoing o = {0};
    struct mien_err e;
    assert_int_equal(outgoing_take(&o, &m, &(struct export_options){.fold = true}, &e), 0);
    assert_int_equal(o.kind, OUT_LAYERS);
    int fd = file_temp(&e);
    assert_int_equal(onnx_write(&o, fd, &e), 0);
    struct mien_buf file = written(fd);
    struct field graph = find_field(file.data, file.len, 7), f, name[2];
    int n = 0;
    for (const unsigned char *p = graph.data; next_field(&p, graph.data + graph.n, &f);) {
        if (f.number == 12 && n < 2)
            name[n++] = find_field(f.data, f.n, 1);
    }
    assert_int_equal(n, 2);
    assert_memory_equal(name[0].data, "b", name[0].n);
    assert_memory_equal(name[1].data, "d", name[1].n);
    mien_buf_free(&file);
    outgoing_free(&o);
}

/* --- Weights -------------------------------------------------------------------------------- */

/* Weights count up from 0; where they are put tells what they were. */
static void order(void **state)
{
    (void)state;
    struct model m = make("input 4x3x3\nc1 conv 4 1x1\nc conv 6 2x3 pad=same groups=2\n"
                          "d dwconv 3x2 pad=same\nlogits dense 5\n",
                          "");
    struct mien_err e;
    for (int i = 1; i < m.net.n; i++) {
        const struct param *p = &m.net.layer[i].param[0];
        for (size_t k = 0; k < p->count; k++)
            m.weights[p->at + k] = (float)k;
    }
    struct outgoing o = {0};
    assert_int_equal(outgoing_take(&o, &m, &(struct export_options){0}, &e), 0);
    const float *w[5];
    for (int i = 1; i < 5; i++)
        w[i] = o.model.weights + o.model.net.layer[i].param[0].at;
    for (int u = 0; u < 6; u++) {
        for (int in = 0; in < 2; in++) {
            for (int k = 0; k < 2 * 3; k++) /* [2, 3, 2, 6] */
                assert_int_equal(w[2][(u * 2 + in) * 6 + k], (k * 2 + in) * 6 + u);
        }
        for (int k = 0; k < 3 * 2; k++) /* [3, 2, 6] */
            assert_int_equal(w[3][u * 6 + k], k * 6 + u);
    }
    for (int u = 0; u < 5; u++) {
        for (int in = 0; in < 6; in++) {
            for (int k = 0; k < 4 * 3; k++) /* [4, 3, 6, 5] */
                assert_int_equal(w[4][(u * 6 + in) * 12 + k], (k * 6 + in) * 5 + u);
        }
    }
    outgoing_free(&o);
}

/* --- Failures ------------------------------------------------------------------------------- */

/* Every allocation fails once: an error, or the same bytes. */
static void out_of_memory(void **state)
{
    (void)state;
    if (!FAILING_ALLOC)
        skip();
    struct mien_err e;
    for (int torch = 0; torch < 2; torch++) {
        long n = 1;
        for (bool reached = true; reached; n++) {
            struct model m = make(everything, full_prep);
            struct outgoing o = {0};
            struct export_options x = {.preprocessing = true, .fold = !torch};
            int fd = file_temp(&e), other = file_temp(&e);
            assert_true(fd >= 0 && other >= 0);
            failing_alloc(n);
            int rc = outgoing_take(&o, &m, &x, &e);
            if (rc == 0)
                rc = torch ? torch_write(&o, other, fd, &e) : onnx_write(&o, fd, &e);
            reached = failing_alloc(0);
            assert_int_equal(rc, reached ? MIEN_ERR_MEM : 0);
            outgoing_free(&o);
            close(fd);
            close(other);
        }
        assert_true(n > 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wire_format),   cmocka_unit_test(spans),   cmocka_unit_test(whole_graphs),
        cmocka_unit_test(loose_ends),    cmocka_unit_test(refused), cmocka_unit_test(order),
        cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests_name("export", tests, NULL, NULL);
}
