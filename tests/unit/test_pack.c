/* Packs: records come back as they were, odd ones stay out, and no pack leads a reader astray. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/file.h"
#include "mien/pack.h"
#include "mien/safetensors.h"
#include "record/encoding.h"
#include "tensor/pack_writer.h"
#include "tensor/st_writer.h"

static char folder[] = "/tmp/mien-test-pack-XXXXXX";
static char path[64];

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/p", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder); /* fails when a temporary file was left */
}

/* Record i: pixels of 3x5, labels on some, a subject on some, fields that nobody knows. */
static void fill(struct mien_rec *r, int i)
{
    const uint32_t shape[3] = {3, 5, 3}, one[1] = {3};
    char text[32];
    mien_rec_clear(r);
    snprintf(text, sizeof text, "%02d/%d.jpg", i % 100, i);
    if (i % 7 != 6)
        mien_rec_set_str(r, MIEN_TAG_ID, text);
    memset(mien_rec_alloc(r, 4000, MIEN_U8, 1, one), i, 3);
    memset(mien_rec_alloc(r, MIEN_TAG_PIXELS, MIEN_U8, 3, shape), i * 3, 45);
    if (i % 5 != 4)
        mien_rec_set_u8(r, MIEN_TAG_AGE, i % 101);
    else
        memcpy(mien_rec_alloc(r, MIEN_TAG_AGE_BAND, MIEN_U8, 1, (uint32_t[]){2}),
               (uint8_t[]){20, 29}, 2);
    if (i % 3 != 2)
        mien_rec_set_u8(r, MIEN_TAG_GENDER, i % 2);
    if (i % 4 != 3)
        mien_rec_set_text(r, MIEN_TAG_SUBJECT, "Zoe\xcc\x88", 5);
    mien_rec_set_str(r, MIEN_TAG_PREP, "crop=whole size=3x5");
}

static struct pack_writer *new_writer(enum mien_pack_kind kind)
{
    struct mien_err e;
    struct pack_writer *w = pack_writer_new(path, kind, &e);
    if (!w)
        fail_msg("%s", e.msg);
    return w;
}

static void finish(struct pack_writer *w)
{
    struct mien_err e;
    if (pack_writer_end(w, "by the test", "", &e) < 0)
        fail_msg("%s", e.msg);
    pack_writer_free(w);
}

static void open_pack(struct mien_pack *p)
{
    struct mien_err e;
    if (mien_pack_open(p, path, &e) < 0)
        fail_msg("%s", e.msg);
}

static void assert_same_record(const struct mien_rec *a, const struct mien_rec *b)
{
    struct mien_buf x = {0}, y = {0};
    assert_int_equal(rec_encode(a, 0, &x), 0);
    assert_int_equal(rec_encode(b, 0, &y), 0);
    assert_int_equal(x.len, y.len);
    assert_memory_equal(x.data, y.data, x.len);
    mien_buf_free(&x);
    mien_buf_free(&y);
}

/* Enough records that every column goes through its temporary file. */
static void round_trip(void **state)
{
    (void)state;
    enum { N = 70000 };
    struct mien_rec r = {0}, back = {0};
    struct mien_pack p;
    struct mien_err e;
    struct pack_writer *w = new_writer(MIEN_PACK_AUTO);
    for (int i = 0; i < N; i++) {
        fill(&r, i);
        assert_int_equal(pack_add(w, &r, &e), 0);
    }
    finish(w);
    open_pack(&p);
    assert_int_equal(p.n, N);
    assert_int_equal(p.kind, MIEN_PACK_PIXELS);
    assert_int_equal(p.height, 3);
    assert_int_equal(p.width, 5);
    assert_string_equal(p.prep.text, "crop=whole size=3x5");
    struct mien_safetensors *st = mien_st_open(path, &e);
    assert_non_null(st);
    assert_string_equal(mien_st_meta(st, "made"), "by the test");
    mien_st_close(st);
    for (int i = 0; i < N; i++) {
        size_t k = (size_t)i, len, want;
        fill(&r, i);
        assert_int_equal(p.age[i], i % 5 != 4 ? i % 101 : MIEN_PACK_UNKNOWN);
        assert_int_equal(p.band[2 * i], i % 5 != 4 ? MIEN_PACK_UNKNOWN : 20);
        assert_int_equal(p.band[2 * i + 1], i % 5 != 4 ? MIEN_PACK_UNKNOWN : 29);
        assert_int_equal(p.gender[i], i % 3 != 2 ? i % 2 : MIEN_PACK_UNKNOWN);
        assert_int_equal(mien_pack_pixels(&p, k)[0], i * 3 & 255);
        assert_int_equal(mien_pack_pixels(&p, k)[44], i * 3 & 255);
        const char *text = mien_pack_id(&p, k, &len), *id = mien_rec_text(&r, MIEN_TAG_ID, &want);
        assert_int_equal(len, id ? want : 0);
        if (id)
            assert_memory_equal(text, id, len);
        text = mien_pack_subject(&p, k, &len);
        assert_int_equal(len, i % 4 != 3 ? 5 : 0);
        assert_memory_equal(text, "Zoe\xcc\x88", len);
        assert_int_equal(mien_pack_record(&p, k, &back, &e), 0);
        assert_same_record(&r, &back);
    }
    mien_pack_close(&p);
    mien_rec_free(&r);
    mien_rec_free(&back);
}

static void other_kinds(void **state)
{
    (void)state;
    struct mien_rec r = {0}, back = {0};
    struct mien_pack p;
    struct mien_err e;
    size_t len;

    /* Images of any length beside pixels, on demand. */
    struct pack_writer *w = new_writer(MIEN_PACK_IMAGE);
    for (int i = 0; i < 3; i++) {
        fill(&r, i);
        memset(mien_rec_alloc(&r, MIEN_TAG_IMAGE, MIEN_U8, 1, (uint32_t[]){1 + (uint32_t)i}),
               'a' + i, 1 + (size_t)i);
        assert_int_equal(pack_add(w, &r, &e), 0);
    }
    finish(w);
    open_pack(&p);
    assert_int_equal(p.kind, MIEN_PACK_IMAGE);
    assert_null(p.band);
    assert_memory_equal(mien_pack_image(&p, 1, &len), "bb", 2);
    assert_int_equal(len, 2);
    assert_memory_equal(mien_pack_image(&p, 2, &len), "ccc", 3);
    assert_int_equal(mien_pack_record(&p, 2, &back, &e), 0);
    assert_same_record(&r, &back);
    mien_pack_close(&p);

    /* Features come before pixels. */
    w = new_writer(MIEN_PACK_AUTO);
    fill(&r, 1);
    mien_rec_set_f32v(&r, MIEN_TAG_FEATURES, (float[]){1.5f, -2, 1e30f}, 3);
    assert_int_equal(pack_add(w, &r, &e), 0);
    finish(w);
    open_pack(&p);
    assert_int_equal(p.kind, MIEN_PACK_FEATURES);
    assert_int_equal(p.dim, 3);
    assert_memory_equal(mien_pack_features(&p, 0), ((float[]){1.5f, -2, 1e30f}), 12);
    assert_int_equal(mien_pack_record(&p, 0, &back, &e), 0);
    assert_same_record(&r, &back);
    mien_pack_close(&p);
    mien_rec_free(&r);
    mien_rec_free(&back);
}

/* Adds r, which must be refused for this cause. */
static void assert_refused(struct pack_writer *w, const struct mien_rec *r, const char *cause)
{
    struct mien_err e = {""};
    assert_int_equal(pack_add(w, r, &e), MIEN_ERR_FORMAT);
    if (!strstr(e.msg, cause))
        fail_msg("'%s' instead of '%s'", e.msg, cause);
}

static void odd_records(void **state)
{
    (void)state;
    struct mien_rec r = {0};
    struct mien_pack p;
    struct mien_err e;
    struct pack_writer *w = new_writer(MIEN_PACK_AUTO);
    mien_rec_set_str(&r, MIEN_TAG_ID, "empty");
    assert_refused(w, &r, "has no features, pixels or image");
    fill(&r, 0);
    mien_rec_set_str(&r, MIEN_TAG_PREP, "no words");
    assert_refused(w, &r, "not key=value");
    fill(&r, 0);
    assert_int_equal(pack_add(w, &r, &e), 0);

    mien_rec_set_str(&r, MIEN_TAG_PREP, "crop=box size=3x5");
    assert_refused(w, &r, "'crop=box size=3x5', those before with 'crop=whole size=3x5'");
    fill(&r, 0);
    mien_rec_del(&r, MIEN_TAG_PREP);
    assert_refused(w, &r, "made with ''");
    fill(&r, 0);
    mien_rec_alloc(&r, MIEN_TAG_PIXELS, MIEN_U8, 3, (uint32_t[]){5, 3, 3});
    assert_refused(w, &r, "pixels of 5x3, those before have 3x5");
    mien_rec_alloc(&r, MIEN_TAG_PIXELS, MIEN_U8, 3, (uint32_t[]){0, 3, 3});
    assert_refused(w, &r, "has no pixels");
    mien_rec_alloc(&r, MIEN_TAG_PIXELS, MIEN_U8, 2, (uint32_t[]){5, 9});
    assert_refused(w, &r, "has no pixels");
    mien_rec_del(&r, MIEN_TAG_PIXELS);
    assert_refused(w, &r, "has no pixels");
    fill(&r, 0);
    mien_rec_set_u8(&r, MIEN_TAG_AGE, 101);
    assert_refused(w, &r, "age 101");
    fill(&r, 0);
    mien_rec_set_u8(&r, MIEN_TAG_GENDER, 2);
    assert_refused(w, &r, "gender 2");
    fill(&r, 4);
    *(uint8_t *)mien_rec_alloc(&r, MIEN_TAG_AGE_BAND, MIEN_U8, 1, (uint32_t[]){2}) = 60;
    ((uint8_t *)mien_rec_find(&r, MIEN_TAG_AGE_BAND)->data)[1] = 59;
    assert_refused(w, &r, "age band 60-59");

    /* Two fields of pixels, which only a foreign program makes. */
    struct mien_buf b = {0};
    fill(&r, 0);
    unsigned nfield = (unsigned)r.nfield;
    assert_int_equal(rec_encode(&r, 0, &b), 0);
    assert_int_equal(rec_encode(&r, 0, &b), 0);
    assert_int_equal(rec_decode(&r, b.data, b.len, 2 * nfield, &e), 0);
    assert_refused(w, &r, "pixels 2 times");
    mien_buf_free(&b);

    finish(w);
    open_pack(&p); /* nothing of them is in it */
    assert_int_equal(p.n, 1);
    mien_pack_close(&p);
    unlink(path);

    w = new_writer(MIEN_PACK_AUTO);
    assert_int_equal(pack_writer_end(w, "", "", &e), MIEN_ERR_ARG);
    pack_writer_free(w);
    assert_int_equal(access(path, F_OK), -1);
    assert_null(pack_writer_new("/nonexistent/p", MIEN_PACK_AUTO, &e));
    mien_rec_free(&r);
}

/* A pack of two records as another program might write it, and what may be wrong with it. */
struct tensor {
    const char *name;
    enum mien_dtype dtype;
    int ndim;
    size_t shape[4];
    const void *data;
};

/* Writes a valid pack whose tensor of t's name is t instead, t without name being none. */
static void put_pack(const char *format, const char *version, const char *prep,
                     const struct tensor *t, const char *without)
{
    static const float features[2] = {1, 2};
    const uint8_t age[2] = {30, 255}, gender[2] = {0, 255}, band[4] = {255, 255, 20, 29};
    const uint64_t offsets[3] = {0, 1, 2}, roffsets[3] = {0, 0, 0};
    const int32_t fields[2] = {0, 0};
    const struct tensor valid[] = {
        {"features", MIEN_ST_F32, 2, {2, 1}, features},
        {"id_offsets", MIEN_ST_U64, 1, {3}, offsets},
        {"record_offsets", MIEN_ST_U64, 1, {3}, roffsets},
        {"record", MIEN_ST_U8, 1, {0}, ""},
        {"record_fields", MIEN_ST_I32, 1, {2}, fields},
        {"id", MIEN_ST_U8, 1, {2}, "ab"},
        {"age", MIEN_ST_U8, 1, {2}, age},
        {"gender", MIEN_ST_U8, 1, {2}, gender},
        {"age_band", MIEN_ST_U8, 2, {2, 2}, band},
    };
    struct mien_err e;
    struct st_writer *w = st_writer_new(&e);
    assert_int_equal(st_add_meta(w, "format", format, &e), 0);
    assert_int_equal(st_add_meta(w, "version", version, &e), 0);
    assert_int_equal(st_add_meta(w, "prep", prep, &e), 0);
    for (size_t i = 0; i < sizeof valid / sizeof valid[0]; i++) {
        const struct tensor *v = &valid[i];
        if (t && strcmp(v->name, t->name) == 0)
            v = t;
        if (without && strcmp(v->name, without) == 0)
            continue;
        assert_int_equal(st_add(w, v->name, v->dtype, v->ndim, v->shape, v->data, &e), 0);
    }
    assert_int_equal(st_save(w, path, &e), 0);
    st_writer_free(w);
}

static void assert_damaged(const char *cause)
{
    struct mien_pack p;
    struct mien_err e = {""};
    assert_true(mien_pack_open(&p, path, &e) < 0);
    if (!strstr(e.msg, cause))
        fail_msg("'%s' instead of '%s'", e.msg, cause);
}

static void hostile_packs(void **state)
{
    (void)state;
    struct mien_pack p;
    struct mien_rec r = {0};
    struct mien_err e;
    size_t len;
    const char *format = "mien-pack", *version = "1", *prep = "size=3x3";

    put_pack(format, version, prep, NULL, NULL);
    open_pack(&p);
    assert_int_equal(p.n, 2);
    assert_memory_equal(mien_pack_id(&p, 1, &len), "b", 1);
    mien_pack_close(&p);

    put_pack("other", version, prep, NULL, NULL);
    assert_damaged("not a pack");
    put_pack(format, "2", prep, NULL, NULL);
    assert_damaged("version 2");
    put_pack(format, version, "words", NULL, NULL);
    assert_damaged("key=value");

    /* What a pack can't do without, and what it can. */
    static const char *const needed[] = {"features",       "age",           "gender", "id_offsets",
                                         "record_offsets", "record_fields", "record", "id"};
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        put_pack(format, version, prep, NULL, needed[i]);
        assert_damaged("absent or damaged");
    }
    put_pack(format, version, prep, NULL, "age_band");
    open_pack(&p);
    assert_null(p.band);
    mien_pack_close(&p);

    const struct tensor wrong[] = {
        {"features", MIEN_ST_F64, 2, {2, 1}, (double[2]){0}},
        {"features", MIEN_ST_F32, 1, {2}, (float[2]){0}},
        {"features", MIEN_ST_F32, 2, {3, 1}, (float[3]){0}},
        {"features", MIEN_ST_F32, 2, {2, 0}, ""},
        {"features", MIEN_ST_F32, 2, {0, 1}, ""},
        {"age", MIEN_ST_U8, 1, {3}, "abc"},
        {"age", MIEN_ST_U8, 1, {2}, "\x01\x65"},
        {"age", MIEN_ST_I32, 1, {2}, (int[2]){0}},
        {"age", MIEN_ST_U8, 2, {2, 1}, "ab"},
        {"gender", MIEN_ST_U8, 1, {2}, "\x01\x02"},
        {"age_band", MIEN_ST_U8, 2, {2, 2}, "\x14\x13\xff\xff"},
        {"age_band", MIEN_ST_U8, 2, {2, 2}, "\x14\xff\xff\xff"},
        {"age_band", MIEN_ST_U8, 1, {4}, "\x14\x15\xff\xff"},
        {"id_offsets", MIEN_ST_U64, 1, {3}, (uint64_t[]){0, 3, 2}},
        {"id_offsets", MIEN_ST_U64, 1, {3}, (uint64_t[]){1, 1, 2}},
        {"id_offsets", MIEN_ST_U64, 1, {3}, (uint64_t[]){0, 1, 3}},
        {"id_offsets", MIEN_ST_U64, 1, {3}, (uint64_t[]){0, 1, 1}},
        {"id_offsets", MIEN_ST_U64, 1, {3}, (uint64_t[]){0, UINT64_MAX, 2}},
        {"id_offsets", MIEN_ST_U64, 1, {2}, (uint64_t[]){0, 2}},
        {"id_offsets", MIEN_ST_I64, 1, {3}, (uint64_t[]){0, 1, 2}},
        {"id", MIEN_ST_F32, 1, {2}, (float[2]){0}},
        {"record", MIEN_ST_U8, 1, {8}, "12345678"},
        {"record_fields", MIEN_ST_I32, 1, {1}, (int[1]){0}},
        {"record_fields", MIEN_ST_U64, 1, {2}, (uint64_t[2]){0}},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        put_pack(format, version, prep, &wrong[i], NULL);
        assert_damaged("absent or damaged");
    }

    /* The least that a trainer needs, as another program may write it; records need more. */
    struct st_writer *w = st_writer_new(&e);
    assert_int_equal(st_add_meta(w, "format", format, &e), 0);
    assert_int_equal(st_add_meta(w, "version", version, &e), 0);
    assert_int_equal(st_add(w, "pixels", MIEN_ST_U8, 4, (size_t[]){1, 1, 1, 3}, "rgb", &e), 0);
    assert_int_equal(st_add(w, "age", MIEN_ST_U8, 1, (size_t[]){1}, "\x07", &e), 0);
    assert_int_equal(st_add(w, "gender", MIEN_ST_U8, 1, (size_t[]){1}, "\x01", &e), 0);
    assert_int_equal(st_save(w, path, &e), 0);
    st_writer_free(w);
    open_pack(&p);
    assert_memory_equal(mien_pack_pixels(&p, 0), "rgb", 3);
    assert_string_equal(mien_pack_id(&p, 0, &len), "");
    assert_int_equal(len, 0);
    assert_string_equal(p.prep.text, "");
    int v;
    assert_int_equal(mien_pack_record(&p, 0, &r, &e), 0);
    assert_int_equal(r.nfield, 3);
    assert_memory_equal(mien_rec_pixels(&r, &v, &v), "rgb", 3);
    assert_true(mien_rec_int(&r, MIEN_TAG_AGE, &v) && v == 7);
    assert_true(mien_rec_int(&r, MIEN_TAG_GENDER, &v) && v == 1);
    mien_pack_close(&p);

    /* With all that tensors can tell. */
    w = st_writer_new(&e);
    assert_int_equal(st_add_meta(w, "format", format, &e), 0);
    assert_int_equal(st_add_meta(w, "version", version, &e), 0);
    assert_int_equal(st_add_meta(w, "prep", "crop=whole", &e), 0);
    assert_int_equal(
        st_add(w, "image_offsets", MIEN_ST_U64, 1, (size_t[]){3}, (uint64_t[]){0, 3, 5}, &e), 0);
    assert_int_equal(
        st_add(w, "id_offsets", MIEN_ST_U64, 1, (size_t[]){3}, (uint64_t[]){0, 1, 3}, &e), 0);
    assert_int_equal(
        st_add(w, "subject_offsets", MIEN_ST_U64, 1, (size_t[]){3}, (uint64_t[]){0, 0, 1}, &e), 0);
    assert_int_equal(st_add(w, "image", MIEN_ST_U8, 1, (size_t[]){5}, "abcde", &e), 0);
    assert_int_equal(st_add(w, "id", MIEN_ST_U8, 1, (size_t[]){3}, "xyz", &e), 0);
    assert_int_equal(st_add(w, "subject", MIEN_ST_U8, 1, (size_t[]){1}, "s", &e), 0);
    assert_int_equal(st_add(w, "age", MIEN_ST_U8, 1, (size_t[]){2}, "\x07\xff", &e), 0);
    assert_int_equal(st_add(w, "gender", MIEN_ST_U8, 1, (size_t[]){2}, "\xff\x01", &e), 0);
    assert_int_equal(st_add(w, "age_band", MIEN_ST_U8, 2, (size_t[]){2, 2}, "\xff\xff\x14\x1d", &e),
                     0);
    assert_int_equal(st_save(w, path, &e), 0);
    st_writer_free(w);
    open_pack(&p);
    assert_int_equal(mien_pack_record(&p, 1, &r, &e), 0);
    assert_int_equal(r.nfield, 6);
    assert_memory_equal(mien_rec_find(&r, MIEN_TAG_IMAGE)->data, "de", 2);
    assert_memory_equal(mien_rec_find(&r, MIEN_TAG_AGE_BAND)->data, "\x14\x1d", 2);
    assert_memory_equal(mien_rec_text(&r, MIEN_TAG_ID, &len), "yz", 2);
    assert_memory_equal(mien_rec_text(&r, MIEN_TAG_SUBJECT, &len), "s", 1);
    assert_memory_equal(mien_rec_text(&r, MIEN_TAG_PREP, &len), "crop=whole", 10);
    assert_int_equal(mien_pack_record(&p, 0, &r, &e), 0);
    assert_int_equal(r.nfield, 4);
    assert_false(mien_rec_has(&r, MIEN_TAG_GENDER));
    mien_pack_close(&p);

    /* A record of its own that is damaged costs only itself. */
    const struct tensor fields = {"record_fields", MIEN_ST_I32, 1, {2}, (int[]){-1, 70000}};
    put_pack(format, version, prep, &fields, NULL);
    open_pack(&p);
    assert_int_equal(mien_pack_record(&p, 0, &r, &e), MIEN_ERR_FORMAT);
    assert_int_equal(mien_pack_record(&p, 1, &r, &e), MIEN_ERR_FORMAT);
    mien_pack_close(&p);
    mien_rec_free(&r);
}

/* Bytes of a real pack changed one at a time: whatever opens must be safe to read. */
static void damaged_bytes(void **state)
{
    (void)state;
    struct mien_rec r = {0};
    struct mien_err e;
    struct pack_writer *w = new_writer(MIEN_PACK_AUTO);
    for (int i = 0; i < 3; i++) {
        fill(&r, i);
        assert_int_equal(pack_add(w, &r, &e), 0);
    }
    finish(w);
    struct mien_buf file = {0};
    int fd = file_open(path, &e);
    assert_int_equal(file_slurp(fd, &file, 1 << 20, path, &e), 0);
    close(fd);
    unsigned opened = 0, restored = 0;
    FILE *f = fopen(path, "r+b");
    for (size_t i = 0; i < file.len; i++) {
        if (file.data[i] == ' ' && i > 1200)
            continue; /* the header's padding */
        struct mien_pack p;
        fseek(f, (long)i, SEEK_SET);
        putc(file.data[i] ^ (1 << i % 8), f);
        fflush(f);
        if (mien_pack_open(&p, path, &e) == 0) {
            opened++;
            for (size_t k = 0; k < p.n; k++)
                if (mien_pack_record(&p, k, &r, &e) == 0) {
                    struct mien_buf b = {0};
                    restored += rec_encode(&r, 0, &b) == 0;
                    mien_buf_free(&b);
                }
            mien_pack_close(&p);
        }
        fseek(f, (long)i, SEEK_SET);
        putc(file.data[i], f);
    }
    fclose(f);
    assert_true(opened > 100 && restored > 100);
    mien_buf_free(&file);
    mien_rec_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),    cmocka_unit_test(other_kinds),
        cmocka_unit_test(odd_records),   cmocka_unit_test(hostile_packs),
        cmocka_unit_test(damaged_bytes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
