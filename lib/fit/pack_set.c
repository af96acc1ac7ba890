#include "pack_set.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/num.h"

#define LEAST 0.001
#define MOST  100.0

/* For one more. Returns whether there is memory. */
static bool make_room(struct pack_set *s)
{
    size_t n = s->n + 1;
    char **path = realloc(s->path, n * sizeof *path);
    if (path != NULL)
        s->path = path;
    double *weight = realloc(s->weight, n * sizeof *weight);
    if (weight != NULL)
        s->weight = weight;
    size_t *records = realloc(s->records, n * sizeof *records);
    if (records != NULL)
        s->records = records;
    return path != NULL && weight != NULL && records != NULL;
}

int pack_set_add(void *dst, const char *word, struct mien_err *e)
{
    struct pack_set *s = dst;
    const char *colon = access(word, F_OK) < 0 ? strrchr(word, ':') : NULL;
    double weight = 1;
    struct mien_err why;
    if (colon != NULL && num_real(colon + 1, -HUGE_VAL, HUGE_VAL, &weight, &why) < 0)
        colon = NULL; /* a file's name, then, which isn't there */
    if (colon != NULL && !(weight >= LEAST && weight <= MOST))
        return mien_err_set(e, MIEN_ERR_ARG, "'%s': a weight must be from %g to %g", word, LEAST,
                            MOST);
    size_t bytes = colon != NULL ? (size_t)(colon - word) : strlen(word);
    char *name = make_room(s) ? strndup(word, bytes) : NULL;
    if (name == NULL)
        return mien_err_mem(e, bytes, "the names of packs");
    s->path[s->n] = name;
    s->weight[s->n] = weight;
    s->records[s->n++] = 0;
    return 0;
}

void pack_set_free(struct pack_set *s)
{
    for (size_t k = 0; k < s->n; k++)
        free(s->path[k]);
    free(s->path);
    free(s->weight);
    free(s->records);
    *s = (struct pack_set){0};
}

int pack_set_open(struct pack_set *s, struct mien_pack *p, struct mien_err *e)
{
    return mien_pack_open_all(p, (const char *const *)s->path, s->n, s->records, e);
}

bool pack_set_weighted(const struct pack_set *s)
{
    bool weighted = false;
    for (size_t k = 0; s != NULL && k < s->n; k++)
        weighted = weighted || s->weight[k] != 1;
    return weighted;
}

size_t pack_set_draws_of(const struct pack_set *s, size_t k)
{
    return (size_t)fmax(round(s->weight[k] * (double)s->records[k]), 1);
}

size_t pack_set_draws(const struct pack_set *s, size_t n)
{
    size_t draws = 0;
    for (size_t k = 0; s != NULL && k < s->n; k++)
        draws += pack_set_draws_of(s, k);
    return s != NULL ? draws : n;
}

int pack_set_copies(const struct pack_set *s)
{
    double most = 1;
    for (size_t k = 0; s != NULL && k < s->n; k++)
        most = fmax(most, ceil(s->weight[k]));
    return (int)most;
}
