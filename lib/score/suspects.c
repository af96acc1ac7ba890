#include "suspects.h"

#include <stdlib.h>

#include "record/col.h"

/* Moves the last one to its place. */
static void sift(struct suspects *s)
{
    for (size_t i = s->n - 1; i > 0 && s->list[i].doubt > s->list[i - 1].doubt; i--) {
        struct suspect later = s->list[i - 1];
        s->list[i - 1] = s->list[i];
        s->list[i] = later;
    }
}

int suspects_add(void *ctx, const struct mien_rec *r, struct mien_err *e)
{
    struct suspects *s = ctx;
    struct col_value v;
    s->records++;
    if (!col_get(r, COL_DOUBT, &v))
        return 0;
    s->judged++;
    if (s->list == NULL && (s->list = calloc(s->most + 1, sizeof *s->list)) == NULL)
        return mien_err_mem(e, (s->most + 1) * sizeof *s->list, "suspects");
    if (s->n == s->most && !(v.number > s->list[s->n - 1].doubt))
        return 0;
    struct suspect *last = &s->list[s->n];
    if (mien_rec_copy(&last->rec, r) < 0)
        return mien_err_mem(e, mien_rec_bytes(r), "a record");
    last->doubt = v.number;
    s->n++;
    sift(s);
    if (s->n > s->most)
        s->n--; /* its memory serves the next one */
    return 0;
}

void suspects_free(struct suspects *s)
{
    for (size_t i = 0; s->list != NULL && i <= s->most; i++)
        mien_rec_free(&s->list[i].rec);
    free(s->list);
}
