/* Networks: descriptions read and written, shapes, paddings, parameters, costs, initial values. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "net/net.h"

static void parse(struct net *net, const char *text)
{
    struct mien_err e = {{0}};
    *net = (struct net){0};
    if (net_parse(net, text, strlen(text), &e) != 0)
        fail_msg("%s", e.msg);
}

/* The description is refused, with this part in the message. */
static void refuse(const char *text, const char *why)
{
    struct mien_err e = {{0}};
    struct net net = {0};
    if (net_parse(&net, text, strlen(text), &e) != MIEN_ERR_ARG || strstr(e.msg, why) == NULL)
        fail_msg("'%s': got '%s', wanted '%s'", text, e.msg, why);
    assert_null(net.layer);
    assert_int_equal(net.n, 0);
}

static void assert_shape(const struct net *net, const char *name, int h, int w, int c)
{
    int i = net_find(net, name);
    assert_true(i >= 0);
    struct shape s = net->layer[i].shape;
    if (s.h != h || s.w != w || s.c != c)
        fail_msg("%s: %dx%dx%d", name, s.h, s.w, s.c);
}

/* Every type that has words or options, with every option in another form than its default. */
static const char everything[] =
    "input 20x31x3\n"
    "conv1 conv 8 3x5 stride=2x3 pad=same bias=no\n"
    "bn1 bn\n"
    "bn2 bn eps=1e-05\n"
    "relu1 relu\n"
    "conv2 conv 12 3x3 pad=1 groups=4\n"
    "relu2 relu6\n"
    "dw dwconv 3x3 stride=2 pad=0,1,1,0\n"
    "dw2 dwconv 1x1 bias=no\n"
    "slope prelu\n"
    "pool1 maxpool 2x2 pad=same\n"
    "pool2 avgpool 3x3 pad=same\n"
    "sum add from=pool1,pool2\n"
    "wide pad 1,2,0,3 channels=1,4\n"
    "narrow pad 1,2,0,3 from=sum\n"
    "both concat from=wide,narrow\n"
    "drop dropout 0.3\n"
    "flat flatten from=sum\n"
    "fc dense 6 bias=no\n"
    "unit l2norm\n"
    "mean gap from=both\n"
    "gender_logits dense 1\n"
    "gender sigmoid\n"
    "age_logits dense 101 from=mean\n"
    "age softmax\n"
    "rank coral 4 from=flat\n"
    "t1 tconv 6 3x2 stride=2 dilation=1x2 pad=1,0,0,1 outpad=1,0 "
    "groups=3 bias=no from=pool1\n"
    "far conv 3 2x2 dilation=2\n"
    "fit maxpool 3x3 stride=2 dilation=2 pad=1 ceil=yes\n"
    "all avgpool 2x2 stride=2 pad=1 ceil=yes count=yes\n"
    "f1 leaky alpha=0.25\n"
    "f2 selu alpha=1.5 beta=0.5\n"
    "f3 clip -1.5,2\n"
    "f4 hswish\n"
    "gate gap\n"
    "gated mul from=f4,gate\n"
    "less sub value=1x1x3 swap=yes\n"
    "both2 div from=gated,less\n"
    "more add value=1x1x1\n"
    "turned permute 1x3x9 view=3x3x3 order=2,1,0\n"
    "again reshape 3x3x3\n"
    "part slice 2x3x3 at=0,0,2 step=2,1,-1\n"
    "over concat axis=h from=again,part\n"
    "wide2 pad 1,0,0,1 channels=1,0 mode=edge value=0.5 from=again\n"
    "layer norm c eps=0.001\n"
    "group norm hwc groups=2 affine=no\n"
    "local lrn 5 alpha=0.001 beta=0.5 k=2\n"
    "soft softmax axes=hw\n"
    "best reduce logsumexp hc\n"
    "small resize 2x9 mode=linear coords=corners round=ceil scale=2,0.5\n"
    "square matmul tb=yes from=layer,layer\n";

static void round_trip(void **state)
{
    (void)state;
    struct net net;
    struct mien_buf out = {0};
    parse(&net, everything);
    assert_int_equal(net_print(&net, &out), 0);
    assert_int_equal(out.len, strlen(everything));
    assert_memory_equal(out.data, everything, out.len);
    mien_buf_free(&out);
    net_free(&net);
}

static void shapes(void **state)
{
    (void)state;
    struct net net;
    parse(&net, everything);
    assert_shape(&net, "conv1", 10, 11, 8);
    assert_shape(&net, "conv2", 10, 11, 12);
    assert_shape(&net, "dw", 5, 5, 12); /* (10+1-3)/2+1, (11+1-3)/2+1 */
    assert_shape(&net, "pool1", 5, 5, 12);
    assert_shape(&net, "wide", 8, 8, 17);
    assert_shape(&net, "both", 8, 8, 29);
    assert_shape(&net, "flat", 1, 1, 300);
    assert_shape(&net, "mean", 1, 1, 29);
    assert_shape(&net, "age", 1, 1, 101);
    assert_shape(&net, "t1", 11, 10, 6); /* 4*2+3+1-1, 4*2+(2-1)*2+1-1 */
    assert_shape(&net, "far", 9, 8, 3);
    assert_shape(&net, "fit", 4, 4, 3); /* (8+2-5)/2 rounded up, +1 */
    assert_shape(&net, "gated", 3, 3, 3);
    assert_shape(&net, "over", 5, 3, 3);
    assert_shape(&net, "best", 1, 4, 1);
    assert_shape(&net, "square", 4, 4, 4);
    /* TensorFlow's "same": 20 rows at stride 2 under 3 need 1 row more, and it goes behind; 31
       columns at stride 3 under 5 need 4. */
    const struct layer *l = &net.layer[net_find(&net, "conv1")];
    assert_true(l->pt == 0 && l->pb == 1 && l->pl == 2 && l->pr == 2);
    net_free(&net);
}

static void parameters(void **state)
{
    (void)state;
    struct net net;
    parse(&net, everything);
    const struct layer *l = &net.layer[net_find(&net, "conv2")];
    assert_int_equal(l->nparam, 2);
    assert_string_equal(l->param[0].name, "weight");
    assert_int_equal(l->param[0].count, 3 * 3 * 2 * 12);
    assert_int_equal(l->param[1].count, 12);
    assert_int_equal(layer_params(l), 228);
    assert_true(layer_madds(&net, net_find(&net, "conv2")) == 10 * 11 * 12 * 3 * 3 * 2);
    assert_true(layer_madds(&net, net_find(&net, "dw")) == 5 * 5 * 12 * 9);
    assert_true(layer_madds(&net, net_find(&net, "fc")) == 300 * 6);
    l = &net.layer[net_find(&net, "rank")];
    assert_true(layer_params(l) == 300 + 4 && layer_madds(&net, net_find(&net, "rank")) == 300);
    assert_int_equal(net.layer[net_find(&net, "conv1")].nparam, 1);
    /* Parameters don't overlap and are aligned. */
    size_t at = 0;
    for (int i = 0; i < net.n; i++) {
        for (int k = 0; k < net.layer[i].nparam; k++) {
            const struct param *p = &net.layer[i].param[k];
            assert_true(p->at % 16 == 0 && p->at >= at);
            at = p->at + p->count;
        }
    }
    assert_true(at <= net.nweights && net.nweights % 16 == 0);
    net_free(&net);
}

static void loose_text(void **state)
{
    (void)state;
    struct net net;
    parse(&net,
          "# faces\r\n\n  input\t4x4x3 # small\r\nfc dense 2 bias=yes from=input\nend softmax");
    assert_int_equal(net.n, 3);
    assert_true(net.layer[1].bias);
    net_free(&net);
    /* An input of another name. */
    struct mien_buf out = {0};
    parse(&net, "image input 4x4x3\ninput gap\n");
    assert_int_equal(net_print(&net, &out), 0);
    assert_int_equal(out.len, 28);
    assert_memory_equal(out.data, "image input 4x4x3\ninput gap\n", 28);
    mien_buf_free(&out);
    net_free(&net);
}

static void refusals(void **state)
{
    (void)state;
    refuse("", "no layers");
    refuse("# nothing\n\n", "line 2: the description has no layers");
    refuse("c conv 3 3x3\n", "line 1: layer 'c': the first layer, and no other, must be the input");
    refuse("input 4x4x3\ninput 4x4x3\n", "line 2: ");
    refuse("input 4x4\n", "HxWxC");
    refuse("input 0x4x3\n", "empty or too large");
    refuse("input 4x4x-3\n", "not within");
    refuse("input 4x4x3x1\n", "more than 3 numbers");
    refuse("input 4x4x3\n\nc\n", "line 3: layer 'c' has no type");
    refuse("input 4x4x3\nc convolution 3 3x3\n", "unknown layer type 'convolution'");
    refuse("input 4x4x3\nc conv 3\n", "needs its kernel");
    refuse("input 4x4x3\nc conv stride=2\n", "needs its number of units");
    refuse("input 4x4x3\nc conv 3 3\n", "a kernel is HxW");
    refuse("input 4x4x3\nc conv 3 3x3 2\n", "unexpected word '2'");
    refuse("input 4x4x3\nc conv 3 3x3 stride=0\n", "kernel and stride must be");
    refuse("input 4x4x3\nc conv 3 3x3 stride=x\n", "not a whole number");
    refuse("input 4x4x3\nc conv 3 3x3 pad=1,2\n", "pad is same, valid");
    refuse("input 4x4x3\nc conv 3 3x3 bias=maybe\n", "bias is yes or no");
    refuse("input 4x4x3\na mul value=1x1x2\n", "differ in shape");
    refuse("input 4x4x3\na mul value=0x1x3\n", "its value is empty");
    refuse("input 4x4x3\na sub\n", "2 inputs, or one and a value");
    refuse("input 4x4x3\na gap\nb sub value=1x1x3 from=input,a\n",
           "a value and more than one input");
    refuse("input 4x4x3\na clip 2,1\n", "the lower bound is above");
    refuse("input 4x4x3\na clip 2\n", "bounds are LO,HI");
    refuse("input 4x4x3\na reduce middle hw\n", "'middle' is not one of mean|");
    refuse("input 4x4x3\na reduce mean hx\n", "letters of hwc");
    refuse("input 4x4x3\na reshape 4x4x4\n", "more or fewer elements");
    refuse("input 4x4x3\na permute 4x4x3 view=4x4x4 order=0,1,2\n", "its view has more or fewer");
    refuse("input 4x4x3\na permute 4x4x3 view=4x4x3 order=0,1,1\n", "an axis twice");
    refuse("input 4x4x3\na permute 4x4x3 view=4x4x3 order=0,1\n", "its order isn't");
    refuse("input 4x4x3\na permute 4x4x3 view=4x4x3 order=0,1,3\n", "its order isn't");
    refuse("input 4x4x3\na slice 2x4x3 at=3,0,0\n", "beyond its input");
    refuse("input 4x4x3\na slice 2x4x3 step=0,1,1\n", "beyond its input");
    refuse("input 4x4x3\na slice 2x4x3 step=-1,1,1\n", "beyond its input");
    refuse("input 4x4x3\na pad 4,0,0,0 mode=reflect\n", "larger than its input");
    refuse("input 4x4x3\na norm h groups=3\n", "groups don't fit");
    refuse("input 4x4x3\na lrn 0\n", "its size must be at least 1");
    refuse("input 4x4x3\na conv 5 1x1\nb matmul from=input,a\n", "matrices don't fit");
    refuse("input 4x4x3\na tconv 5 1x1 pad=1\n", "as large as the kernel");
    refuse("input 4x4x3\na tconv 5 1x1 stride=2 pad=same outpad=2000,0\n", "outpad must be");
    refuse("input 1x4x3\na maxpool 2x1 dilation=3x1 pad=1\n", "as large as the kernel");
    refuse("input 1x4x3\na maxpool 2x1 dilation=3x1 pad=1,2,0,0\n", "no element of its input");
    refuse("input 4x4x3\na resize 0x4\n", "empty or too large");
    refuse("input 4x4x3\na conv 3 1x1 dilation=0\n", "dilation must be 1 to 1024");
    refuse("input 4x4x3\nc conv 3 3x3 twist=2\n", "no option 'twist'");
    refuse("input 4x4x3\nc conv 3 5x5\n", "kernel is larger");
    refuse("input 4x4x3\nc conv 4 3x3 groups=3\n", "don't fit");
    refuse("input 4x4x3\nr relu stride=2\n", "a relu layer has no option 'stride'");
    refuse("input 4x4x3\nr relu from=x\n", "there is no layer 'x' above");
    refuse("input 4x4x3\nr relu from=r\n", "there is no layer 'r' above");
    refuse("input 4x4x3\nr relu\nr relu\n", "the name is taken");
    refuse("input 4x4x3\na add\n", "2 to 8 inputs");
    refuse("input 4x4x3\nd dropout 1\n", "less than 1");
    refuse("input 4x4x3\nd dropout nan\n", "not a number");
    refuse("input 4x4x3\nd \xc3\xa9 1\n", "isn't ASCII");
    refuse(
        "input 4x4x3\na_name_that_is_much_longer_than_anyone_would_want_to_type_or_to_read relu\n",
        "at most 63");
    refuse("input 4x4x3\nx 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n", "more than 16 words");
    char *line = malloc(3000);
    memset(line, 'x', 3000);
    memcpy(line, "input 4x4x3\n", 12);
    line[2999] = '\0';
    refuse(line, "line 2: it is longer");
    free(line);
}

/* Sizes whose product doesn't fit in 64 bits are refused, not wrapped. */
static void huge(void **state)
{
    (void)state;
    refuse("input 1x1x1048576\nc conv 1048576 1024x1024 pad=same\n", "too many parameters");
    refuse("input 1024x1024x1024\nc conv 1048576 1024x1024\n", "too many parameters");
    refuse("input 65536x65536x1048576\n", "too large");
    refuse("input 1024x1024x1024\nf flatten\nc conv 1048576 1024x1024 pad=same\n", "too many");
    refuse("input 1x1x1048576\na concat from=input,input,input,input,input,input,input,input\n"
           "b concat from=a,a,a,a,a,a,a,a\nc concat from=b,b,b,b,b,b,b,b\nd concat from=c,c\n"
           "e concat from=d,d,d,d,input\n",
           "line 6: layer 'e': its output is empty or too large");
}

/* Paddings as an importer may find them in a file. */
static void huge_paddings(void **state)
{
    (void)state;
    static const enum layer_type types[] = {L_MAXPOOL, L_PAD};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct net net;
        struct mien_err e;
        parse(&net, "input 4x4x3\n");
        struct layer l = layer_make("l", types[i]);
        l.nin = 1;
        l.pad = PAD_EXPLICIT;
        l.pt = l.pb = INT_MAX;
        assert_int_equal(net_add(&net, &l, &e), MIEN_ERR_ARG);
        net_free(&net);
    }
}

static void initial_values(void **state)
{
    (void)state;
    struct net net, other, ranks;
    parse(&net, "input 8x8x64\nc conv 256 3x3 bias=no\nb bn\nr relu\ng gap\nf dense 100\n");
    parse(&other, "input 8x8x64\ng gap\nf dense 100\nc conv 256 3x3 bias=no from=input\nr relu\n");
    float *w = calloc(net.nweights, sizeof *w), *v = calloc(other.nweights, sizeof *v);
    assert_true(w != NULL && v != NULL);
    net_init(&net, w, 7);
    const struct param *p = &net.layer[1].param[0];
    double sum = 0, squares = 0;
    for (size_t i = 0; i < p->count; i++) {
        sum += w[p->at + i];
        squares += (double)w[p->at + i] * w[p->at + i];
    }
    double want = 2.0 / (9 * 64); /* He's variance; 147,456 values give it within 2% */
    assert_true(fabs(squares / p->count / want - 1) < 0.02);
    assert_true(fabs(sum / p->count) < 4 * sqrt(want / p->count));
    const float *gamma = w + net.layer[2].param[0].at, *beta = w + net.layer[2].param[1].at;
    assert_true(gamma[0] == 1 && gamma[255] == 1 && beta[0] == 0);
    assert_true(w[net.layer[2].param[2].at] == 0 && w[net.layer[2].param[3].at] == 1);
    /* Glorot's bound. */
    p = &net.layer[5].param[0];
    float most = 0;
    for (size_t i = 0; i < p->count; i++)
        most = fmaxf(most, fabsf(w[p->at + i]));
    assert_true(most <= sqrt(6.0 / 356) && most > 0.99 * sqrt(6.0 / 356));
    /* Ranks of ordinal regression: P(rank > k) = 1 - (k + 1) / 4. */
    parse(&ranks, "input 1x1x2\nr coral 3\n");
    float *r = calloc(ranks.nweights, sizeof *r);
    assert_non_null(r);
    net_init(&ranks, r, 7);
    for (int k = 0; k < 3; k++)
        assert_true(
            fabs(1 / (1 + exp(-r[ranks.layer[1].param[1].at + (size_t)k])) - (3 - k) / 4.0) < 1e-6);
    /* The order of layers changes nothing, the seed does. */
    net_init(&other, v, 7);
    assert_memory_equal(v + other.layer[3].param[0].at, w + net.layer[1].param[0].at,
                        net.layer[1].param[0].count * sizeof *w);
    net_init(&other, v, 8);
    assert_memory_not_equal(v + other.layer[3].param[0].at, w + net.layer[1].param[0].at, 64);
    free(w);
    free(v);
    free(r);
    net_free(&net);
    net_free(&other);
    net_free(&ranks);
}

static void ancestors(void **state)
{
    (void)state;
    struct net net, part = {0};
    struct mien_err e;
    int map[100];
    parse(&net, everything);
    int last = net_ancestors(&part, &net, net_find(&net, "fc"), map, &e);
    assert_int_equal(last, part.n - 1);
    assert_string_equal(part.layer[last].name, "fc");
    assert_int_equal(net_find(&part, "wide"), -1);
    assert_int_equal(map[net_find(&net, "wide")], -1);
    assert_int_equal(map[net_find(&net, "sum")], net_find(&part, "sum"));
    assert_shape(&part, "fc", 1, 1, 6);
    net_free(&part);
    net_free(&net);
}

static void scaling(void **state)
{
    (void)state;
    struct net net, scaled = {0};
    struct mien_err e;
    parse(&net, "input 20x20x3\na conv 32 3x3 stride=2 pad=same\nb dwconv 3x3 pad=same\n"
                "c conv 60 1x1\nd conv 60 1x1 pad=0 from=b\ne add from=c,d\nf dense 100\n"
                "g relu\nh dense 5\ni softmax\nj conv 7 1x1 from=e\n");
    assert_int_equal(net_scale(&scaled, &net, 30, 0, 0.5, &e), 0);
    assert_shape(&scaled, "input", 30, 20, 3);
    assert_shape(&scaled, "a", 15, 10, 16);
    assert_shape(&scaled, "b", 15, 10, 16);
    assert_shape(&scaled, "e", 15, 10, 32); /* 30 */
    assert_shape(&scaled, "g", 1, 1, 48);   /* 50: of 48 and 56 */
    assert_shape(&scaled, "i", 1, 1, 5);    /* classes stay */
    assert_shape(&scaled, "j", 15, 10, 7);
    net_free(&scaled);
    /* 11 would be 8, which is more than a tenth too few. */
    assert_int_equal(net_scale(&scaled, &net, 0, 0, 11.0 / 32, &e), 0);
    assert_shape(&scaled, "a", 10, 10, 16);
    net_free(&scaled);
    /* With nothing asked for it is the same, uneven numbers too. */
    assert_int_equal(net_scale(&scaled, &net, 0, 0, 1, &e), 0);
    assert_shape(&scaled, "e", 10, 10, 60);
    net_free(&scaled);
    assert_int_equal(net_scale(&scaled, &net, 0, 0, 1e9, &e), MIEN_ERR_ARG);
    assert_non_null(strstr(e.msg, "layer 'a'"));
    assert_int_equal(scaled.n, 0);
    /* With the weights that it has, f reads no other size. */
    assert_int_equal(net_resize(&scaled, &net, 30, 20, &e), MIEN_ERR_FORMAT);
    assert_string_equal(e.msg, "layer 'f' has no weights for an input of 30x20");
    assert_int_equal(scaled.n, 0);
    net_free(&net);
    parse(&net, "input 20x20x3\na conv 32 3x3 stride=2 pad=same\ng gap\nf dense 100\n");
    assert_int_equal(net_resize(&scaled, &net, 30, 20, &e), 0);
    assert_shape(&scaled, "a", 15, 10, 32);
    net_free(&scaled);
    net_free(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),    cmocka_unit_test(shapes),
        cmocka_unit_test(parameters),    cmocka_unit_test(loose_text),
        cmocka_unit_test(refusals),      cmocka_unit_test(huge),
        cmocka_unit_test(huge_paddings), cmocka_unit_test(initial_values),
        cmocka_unit_test(ancestors),     cmocka_unit_test(scaling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
