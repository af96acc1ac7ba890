/* Model files: what is saved is loaded, damage is named, heads and preprocessing are understood. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <math.h>

#include "util/file.h"
#include "net/model.h"
#include "mien/safetensors.h"
#include "tensor/st_writer.h"

static char path[] = "/tmp/mien-test-model-XXXXXX";

static int set_up(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(path);
}

static const char text[] = "input 6x6x3\nc conv 4 3x3\nb bn\nd dwconv 3x3 bias=no\np prelu\n"
                           "gender_logits dense 2\ngender softmax\n"
                           "age_logits dense 101 from=p\nage softmax\n";

static struct model make(const char *prep)
{
    struct model m = {0};
    struct mien_err e = {{0}};
    if (net_parse(&m.net, text, strlen(text), &e) != 0 ||
        mien_prep_parse(&m.prep, prep, strlen(prep), &e) != 0)
        fail_msg("%s", e.msg);
    m.weights = net_weights_new(&m.net, &e);
    assert_non_null(m.weights);
    assert_int_equal((uintptr_t)m.weights % 64, 0);
    net_init(&m.net, m.weights, 3);
    m.made = strdup("by a test\nin two lines");
    return m;
}

static void round_trip(void **state)
{
    (void)state;
    struct mien_err e = {{0}};
    struct model m = make("size=6x6 color=bgr age0=1"), back = {0};
    assert_int_equal(model_save(&m, path, &e), 0);
    if (model_load(&back, path, &e) != 0)
        fail_msg("%s", e.msg);
    assert_int_equal(back.net.n, m.net.n);
    assert_int_equal(back.net.nweights, m.net.nweights);
    assert_memory_equal(back.weights, m.weights, m.net.nweights * sizeof *m.weights);
    assert_string_equal(back.prep.text, m.prep.text);
    assert_string_equal(back.made, m.made);
    model_free(&back);
    assert_null(back.weights);
    /* The file as others see it. */
    struct mien_safetensors *s = mien_st_open(path, &e);
    assert_non_null(s);
    assert_string_equal(mien_st_meta(s, "format"), "mien-model");
    assert_string_equal(mien_st_meta(s, "net"), text);
    assert_string_equal(mien_st_meta(s, "classes"), "gender: female, male; age: 101 years from 1");
    const struct mien_tensor *t = mien_st_find(s, "d.weight");
    assert_non_null(t);
    assert_true(t->ndim == 3 && t->shape[0] == 3 && t->shape[1] == 3 && t->shape[2] == 4);
    assert_int_equal(mien_st_count(s), 2 + 4 + 1 + 1 + 2 + 2);
    mien_st_close(s);
    model_free(&m);
}

static void same_bytes(void **state)
{
    (void)state;
    struct mien_err e;
    struct model m = make("size=6x6");
    struct file_map a, b;
    char other[] = "/tmp/mien-test-model-XXXXXX";
    assert_true(close(mkstemp(other)) == 0);
    assert_int_equal(model_save(&m, path, &e), 0);
    assert_int_equal(model_save(&m, other, &e), 0);
    assert_int_equal(file_map(path, &a, &e), 0);
    assert_int_equal(file_map(other, &b, &e), 0);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
    file_unmap(&a);
    file_unmap(&b);
    unlink(other);
    model_free(&m);
}

/* Writes a file of a one-layer net whose parts the caller chooses, loads it, and compares the
   message; wanted NULL means that it loads. */
static void load(const char *version, const char *net, enum mien_dtype type, size_t rows,
                 const void *weight, const char *wanted)
{
    struct mien_err e = {{0}};
    struct model m = {0};
    struct st_writer *w = st_writer_new(&e);
    assert_int_equal(st_add_meta(w, "format", "mien-model", &e), 0);
    assert_int_equal(st_add_meta(w, "version", version, &e), 0);
    assert_int_equal(st_add_meta(w, "net", net, &e), 0);
    assert_int_equal(st_add_meta(w, "prep", "", &e), 0);
    assert_int_equal(st_add(w, "f.weight", type, 2, (size_t[]){rows, 1}, weight, &e), 0);
    assert_int_equal(st_save(w, path, &e), 0);
    st_writer_free(w);
    int rc = model_load(&m, path, &e);
    if (wanted == NULL) {
        assert_int_equal(rc, 0);
        assert_true(m.weights[0] == 1 && m.weights[1] == -2);
        model_free(&m);
        return;
    }
    if (rc >= 0 || strstr(e.msg, wanted) == NULL || strstr(e.msg, path) == NULL)
        fail_msg("got '%s', wanted '%s'", e.msg, wanted);
    assert_true(m.weights == NULL && m.net.layer == NULL);
}

static void damage(void **state)
{
    (void)state;
    static const char net[] = "input 1x1x2\nf dense 1 bias=no\n";
    const float w[3] = {1, -2, 0}, bad[2] = {1, NAN};
    const uint16_t half[2] = {0x3c00, 0xc000}, inf[2] = {0x3c00, 0x7c00};
    const int32_t i32[2] = {1, -2};
    load("1", net, MIEN_ST_F32, 2, w, NULL);
    load("1", net, MIEN_ST_F16, 2, half, NULL);
    load("2", net, MIEN_ST_F32, 2, w, "version 2");
    load("1", net, MIEN_ST_F32, 3, w, "'f.weight' doesn't have the type and shape");
    load("1", net, MIEN_ST_I32, 2, i32, "'f.weight' doesn't have the type and shape");
    load("1", net, MIEN_ST_F32, 2, bad, "'f.weight' has a value that isn't a number");
    load("1", net, MIEN_ST_F16, 2, inf, "'f.weight' has a value that isn't a number");
    load("1", "input 1x1x2\nf dense 1\n", MIEN_ST_F32, 2, w, "'f.bias' is missing");
    load("1", "input 1x1x2\nf tense 1\n", MIEN_ST_F32, 2, w, "its description, line 2: ");
    load("1", "input 1024x1024x1024\ng dense 2\n", MIEN_ST_F32, 2, w, "'g.weight' is missing");
    /* Less than 1 KB, which mien-embed once read as 4 GB: in 32 bits e has the input's channels. */
    load("1",
         "input 1x1x1048576\na concat from=input,input,input,input,input,input,input,input\n"
         "b concat from=a,a,a,a,a,a,a,a\nc concat from=b,b,b,b,b,b,b,b\nd concat from=c,c\n"
         "e concat from=d,d,d,d,input\nf dense 1 bias=no from=input\n",
         MIEN_ST_F32, 2, w, "its description, line 6: layer 'e': its output is empty or too large");
    /* Files of other kinds. */
    struct mien_err e = {{0}};
    struct model m = {0};
    struct st_writer *s = st_writer_new(&e);
    assert_int_equal(st_save(s, path, &e), 0);
    st_writer_free(s);
    assert_true(model_load(&m, path, &e) < 0);
    assert_non_null(strstr(e.msg, "not a mien model"));
    assert_true(model_load(&m, "/nonexistent", &e) < 0);
    assert_non_null(strstr(e.msg, "No such file"));
}

/* The ages of a training part are kept where they are, and must be counts. */
static void ages(void **state)
{
    (void)state;
    struct mien_err e = {{0}};
    struct model m = make("ages=0:50"), back = {0};
    m.age_count[30] = 12345678;
    m.age_count[100] = 1;
    assert_int_equal(model_save(&m, path, &e), 0);
    assert_int_equal(model_load(&back, path, &e), 0);
    assert_memory_equal(back.age_count, m.age_count, sizeof m.age_count);
    model_free(&back);
    m.age_count[0] = -1;
    assert_int_equal(model_save(&m, path, &e), 0);
    assert_int_equal(model_load(&back, path, &e), MIEN_ERR_FORMAT);
    assert_non_null(strstr(e.msg, "'age.count' has a value that isn't a count"));
    model_free(&m);
}

static void gender(void **state)
{
    (void)state;
    float two[2];
    model_gender((float[]){0.25f}, 1, two);
    assert_true(two[0] == 0.75f && two[1] == 0.25f);
    model_gender((float[]){0.1f, 0.9f}, 2, two);
    assert_true(two[0] == 0.1f && two[1] == 0.9f);
}

static void refuse_input(const char *prep, const char *why)
{
    struct mien_err e = {{0}};
    struct model_input in;
    struct model m = make(prep);
    if (model_input(&m, &in, &e) != MIEN_ERR_FORMAT || strstr(e.msg, why) == NULL)
        fail_msg("%s: got '%s', wanted '%s'", prep, e.msg, why);
    model_free(&m);
}

static void input(void **state)
{
    (void)state;
    struct mien_err e;
    struct model_input in;
    struct model m = make("");
    assert_int_equal(model_input(&m, &in, &e), 0);
    assert_true(in.h == 6 && in.w == 6 && !in.bgr && in.scale == 1);
    assert_true(in.temp_gender == 1 && in.temp_age == 1 && in.shift_age == 0);
    assert_true(in.mean[0] == 0 && in.mean[1] == 0 && in.mean[2] == 0);
    model_free(&m);
    m = make("size=6x6 color=bgr mean=103.939,116.779,123.68 scale=0.5 age0=1");
    assert_int_equal(model_input(&m, &in, &e), 0);
    assert_true(in.bgr && in.mean[0] == 103.939f && in.mean[1] == 116.779f &&
                in.mean[2] == 123.68f && in.scale == 0.5f);
    model_free(&m);
    m = make("mean=127.5");
    assert_int_equal(model_input(&m, &in, &e), 0);
    assert_true(in.mean[0] == 127.5f && in.mean[2] == 127.5f);
    model_free(&m);
    refuse_input("size=7x6", "the network's input is 6x6");
    refuse_input("color=gray", "neither rgb nor bgr");
    refuse_input("mean=1,2", "three numbers");
    refuse_input("mean=1,2,3,4", "three numbers");
    refuse_input("mean=1,2,x", "'x'");
    refuse_input("mean=", "three numbers");
    refuse_input("scale=0", "is 0, too large or not a number");
    m = make("temp_age=1.5 temp_gender=0.75 shift_age=-0.25");
    assert_int_equal(model_input(&m, &in, &e), 0);
    assert_true(in.temp_gender == 0.75 && in.temp_age == 1.5 && in.shift_age == -0.25);
    model_free(&m);
    refuse_input("temp_age=0", "temp_age: '0' is not within 0.05..20");
    refuse_input("shift_age=6", "shift_age: '6' is not within -5..5");
    refuse_input("temp_gender=hot", "temp_gender: 'hot' is not a number");
    /* Features have no height and width; gray images can't be fed. */
    struct model plain = {0};
    assert_int_equal(net_parse(&plain.net, "input 1x1x40\n", 13, &e), 0);
    assert_int_equal(model_input(&plain, &in, &e), 0);
    assert_true(in.h == 0 && in.w == 0);
    net_free(&plain.net);
    assert_int_equal(net_parse(&plain.net, "input 9x9x1\n", 12, &e), 0);
    assert_int_equal(model_input(&plain, &in, &e), MIEN_ERR_FORMAT);
    net_free(&plain.net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip), cmocka_unit_test(same_bytes), cmocka_unit_test(damage),
        cmocka_unit_test(ages),       cmocka_unit_test(gender),     cmocka_unit_test(input),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
