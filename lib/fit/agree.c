#include "agree.h"

#include <stdlib.h>
#include <string.h>

size_t differ_at(const char *a, const char *b)
{
    size_t at = 0;
    while (a[at] == b[at] && a[at] != '\0')
        at++;
    while (at > 0 && a[at - 1] != ' ' && a[at - 1] != '\n')
        at--;
    return at;
}

int differ_word(const char *s)
{
    size_t n = strcspn(s, " \n");
    return n < 200 ? (int)n : 200;
}

/* Compares the texts, which begin at at[q]. */
static int compare(const struct ranks *r, const char *all, const size_t *at, struct mien_err *e)
{
    for (int q = 1; q < r->size; q++) {
        const char *text = all + at[q];
        if (strcmp(all, text) == 0)
            continue;
        size_t differ = differ_at(all, text);
        return mien_err_set(
            e, MIEN_ERR_FORMAT, "rank %d trains something else: it has '%.*s', rank 0 '%.*s'", q,
            differ_word(text + differ), text + differ, differ_word(all + differ), all + differ);
    }
    return 0;
}

int agree_text(struct ranks *r, const char *text, struct mien_err *e)
{
    size_t len[RANKS_MOST], at[RANKS_MOST + 1] = {0};
    if (ranks_size(r) == 1)
        return 0;
    len[r->rank] = strlen(text) + 1;
    ranks_gather_each(r, len, sizeof *len);
    for (int q = 0; q < r->size; q++)
        at[q + 1] = at[q] + len[q];
    char *all = malloc(at[r->size]);
    if (all == NULL)
        return mien_err_mem(e, at[r->size], "descriptions");
    memcpy(all + at[r->rank], text, len[r->rank]);
    ranks_gather(r, all, at);
    int rc = compare(r, all, at, e);
    free(all);
    return rc;
}

bool agree_any(struct ranks *r, bool one)
{
    unsigned char said[RANKS_MOST] = {0};
    said[ranks_rank(r)] = one;
    ranks_gather_each(r, said, 1);
    for (int q = 0; q < ranks_size(r); q++)
        one = one || said[q];
    return one;
}

uint64_t agree_sum(struct ranks *r, uint64_t one)
{
    uint64_t each[RANKS_MOST] = {0}, sum = 0;
    each[ranks_rank(r)] = one;
    ranks_gather_each(r, each, sizeof *each);
    for (int q = 0; q < ranks_size(r); q++)
        sum += each[q];
    return sum;
}
