/* Conditions of --select, on a record that has much and on one that has nothing; and lists of
   columns. */
#include "fuzz.h"

#include "record/col.h"
#include "record/expr.h"

static void fill(struct mien_rec *r)
{
    static float p_age[MIEN_AGES];
    int bad = 0;
    p_age[30] = p_age[31] = 0.5f;
    bad |= mien_rec_set_str(r, MIEN_TAG_ID, "a/b.jpg");
    bad |= mien_rec_set_str(r, MIEN_TAG_GROUP, "White");
    bad |= mien_rec_set_str(r, MIEN_TAG_BIRTH, "1980-01-02");
    bad |= mien_rec_set_u8(r, MIEN_TAG_AGE, 30);
    bad |= mien_rec_set_u8(r, MIEN_TAG_GENDER, 1);
    bad |= mien_rec_set_i32(r, MIEN_TAG_YEAR, 2010);
    bad |= mien_rec_set_f32(r, MIEN_TAG_SCORE, 2.5f);
    bad |= mien_rec_set_f32v(r, MIEN_TAG_BOX, (float[]){1, 2, 3, 4}, 4);
    bad |= mien_rec_set_f32v(r, MIEN_TAG_P_GENDER, (float[]){0.25f, 0.75f}, 2);
    bad |= mien_rec_set_f32v(r, MIEN_TAG_P_AGE, p_age, MIEN_AGES);
    FUZZ_CHECK(bad == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mien_rec full, empty;
    struct mien_err e = {{0}};
    if (full.nfield == 0)
        fill(&full);
    char *text = malloc(size + 1);
    FUZZ_CHECK(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    struct expr *x = expr_parse(text, &e);
    if (x == NULL) {
        fuzz_error(MIEN_ERR_ARG, &e);
    } else {
        expr_match(x, &full);
        expr_match(x, &empty);
    }
    expr_free(x);
    struct column *cols = NULL;
    size_t n;
    e = (struct mien_err){{0}};
    int rc = col_parse(text, &cols, &n, &e);
    if (rc < 0)
        fuzz_error(rc, &e);
    else
        free(cols);
    free(text);
    return 0;
}
