/* MATLAB files, IMDB-WIKI's and others: every entry's labels. */
#include "fuzz.h"
#include "../mat_make.h"

#include "labels/imdb.h"
#include "labels/mat.h"
#include "labels/table.h"
#include "util/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct imdb_rule rule = {.min_score = 1};
    struct mien_err e = {{0}};
    struct mien_rec r = {0};
    struct imdb *im = NULL;
    struct mat_rows *rows = NULL;
    char head[MAT_HEAD];
    int fd = fuzz_fd(data, size);
    ssize_t n = file_read(fd, head, sizeof head);
    int rc = mat_sniff(head, (size_t)n, &e);
    if (rc > 0)
        rc = imdb_read(fd, head, &im, &rows, &e);
    if (rc < 0)
        fuzz_error(rc, &e);
    for (size_t i = 0; im != NULL && i < imdb_count(im); i++) {
        struct labels l;
        imdb_labels(im, i, &l);
        imdb_judge(&rule, &l);
        labels_derive_age(&l);
        mien_rec_clear(&r);
        FUZZ_CHECK(labels_to_rec(&l, &r) == 0);
    }
    struct table *t = NULL;
    if (rows != NULL)
        t = table_of_mat(rows, &(struct rule){.any_age = true}, NULL, NULL, &e);
    for (rc = 1; t != NULL && (rc == 1 || rc == MIEN_ERR_FORMAT);)
        rc = table_next(t, &r, &e);
    table_free(t);
    imdb_free(im);
    mien_rec_free(&r);
    return 0;
}

static void cells(struct mk *m, uint32_t n, int type, const char *a, const char *b)
{
    size_t at = mk_begin(m, MK_CELL_CLASS, "", n);
    for (uint32_t i = 0; i < n; i++)
        mk_text(m, type, i % 2 == 0 ? a : b);
    mk_end(m, at);
}

/* Three entries, in the types that a writer may choose. */
static void seed(const char *name, bool big, bool compressed, int number, int text)
{
    static const char *const field[] = {
        "dob",           "photo_taken", "full_path",         "gender",      "name",
        "face_location", "face_score",  "second_face_score", "celeb_names", "celeb_id"};
    static const double box[][4] = {{1, 1, 60, 60}, {5, 6, 50, 51}, {1, 1, 20, 20}};
    struct mk m = {.big = big};
    struct mien_buf out = {0};
    size_t at = mk_begin(&m, MK_STRUCT_CLASS, "imdb", 1);
    mk_fields(&m, field, 10);
    mk_reals(&m, "", number, (double[]){100, 120, 90}, 3);
    mk_reals(&m, "", number, (double[]){200, 201, 202}, 3);
    cells(&m, 3, text, "01/nm1_rm2_1960-1-2_2000.jpg", "b\xc3\xa9.jpg");
    mk_reals(&m, "", number, (double[]){0, 1, 1}, 3);
    cells(&m, 3, text, "Ada", "");
    size_t boxes = mk_begin(&m, MK_CELL_CLASS, "", 3);
    for (int i = 0; i < 3; i++)
        mk_reals(&m, "", number, box[i], 4);
    mk_end(&m, boxes);
    mk_reals(&m, "", number, (double[]){3, 1, 2}, 3);
    mk_reals(&m, "", number, (double[]){0, 2, 1}, 3);
    cells(&m, 2, text, "Ada", "Bo");
    mk_reals(&m, "", number, (double[]){1, 2, 1}, 3);
    mk_end(&m, at);
    mk_file(&m, compressed, &out);
    fuzz_seed(name, out.data, out.len);
    mien_buf_free(&m.b);
    mien_buf_free(&out);
}

/* CACD's layout, and one struct a row. */
static void other_seed(const char *name, bool rows)
{
    static const char *const field[] = {"age", "identity", "name", "bbox"};
    struct mk m = {0};
    struct mien_buf out = {0};
    size_t at = mk_begin(&m, MK_STRUCT_CLASS, "celebrityImageData", rows ? 2 : 1);
    mk_fields(&m, field, 4);
    for (int i = 0; i < (rows ? 2 : 1); i++) {
        mk_reals(&m, "", MK_UINT8, (double[]){53, 14}, rows ? 1 : 2);
        mk_reals(&m, "", MK_DOUBLE, (double[]){1, 1}, rows ? 1 : 2);
        if (rows)
            mk_text(&m, MK_UTF8, "53_Ada_0001.jpg");
        else
            cells(&m, 2, MK_UTF16, "53_Ada_0001.jpg", "14_Bo_0001.jpg");
        mk_reals(&m, "", MK_DOUBLE, (double[]){1, 2, 30, 40}, 4);
    }
    mk_end(&m, at);
    mk_file(&m, rows, &out);
    fuzz_seed(name, out.data, out.len);
    mien_buf_free(&m.b);
    mien_buf_free(&out);
}

void fuzz_seeds(void)
{
    other_seed("columns", false);
    other_seed("rows", true);
    seed("little", false, false, MK_DOUBLE, MK_UTF8);
    seed("big", true, false, MK_DOUBLE, MK_UTF16);
    seed("small", false, false, MK_UINT8, MK_UINT8);
    seed("single", true, false, MK_SINGLE, MK_UINT16);
    seed("compressed", false, true, MK_UINT16, MK_UTF8);
}
