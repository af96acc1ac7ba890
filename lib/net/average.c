#include "average.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mien/buf.h"
#include "util/num.h"

/* How confidences are scaled. */
static const char *const scalings[] = {"temp_gender", "temp_age", "shift_age"};
enum { SCALINGS = sizeof scalings / sizeof *scalings };

static bool is_temperature(const char *scaling)
{
    return strncmp(scaling, "temp_", 5) == 0;
}

/* The length of the line of which s is within a text, and its start. */
static int line_around(const char *text, const char **s)
{
    while (*s > text && (*s)[-1] != '\n')
        --*s;
    size_t n = strcspn(*s, "\n");
    return n < 100 ? (int)n : 100;
}

/* Whether two networks are the same. Else the first lines that differ are told. */
static int same_network(const char *a, const char *b, struct mien_err *e)
{
    const char *x = a, *y = b;
    while (*x != '\0' && *x == *y)
        x++, y++;
    if (*x == *y)
        return 0;
    int nx = line_around(a, &x), ny = line_around(b, &y);
    return mien_err_set(e, MIEN_ERR_ARG, "another network: '%.*s', not '%.*s'", ny, y, nx, x);
}

/* Whether b's preprocessing has what a's has. Else the first key that differs is told. */
static int same_keys(const struct mien_prep *a, const struct mien_prep *b, const char *otherwise,
                     struct mien_err *e)
{
    char key[MIEN_PREP_MAX], x[MIEN_PREP_MAX], y[MIEN_PREP_MAX];
    for (const char *word = a->text; *word != '\0'; word += strspn(word, " ")) {
        size_t all = strcspn(word, " "), n = strcspn(word, "= ");
        memcpy(key, word, n);
        key[n] = '\0';
        word += all;
        if (mien_prep_get(a, key, x, sizeof x) == NULL)
            continue;
        if (mien_prep_get(b, key, y, sizeof y) == NULL)
            return mien_err_set(e, MIEN_ERR_ARG, "another preprocessing: %s '%s=%s'", otherwise,
                                key, x);
        if (strcmp(x, y) != 0)
            return mien_err_set(e, MIEN_ERR_ARG, "another preprocessing: '%s=%s', not '%s=%s'", key,
                                y, key, x);
    }
    return 0;
}

static int compare(const struct model *a, const struct model *b, struct mien_err *e)
{
    struct mien_buf net[2] = {{0}, {0}};
    struct mien_prep prep[2] = {a->prep, b->prep};
    int rc = net_print(&a->net, &net[0]) | net_print(&b->net, &net[1]) |
             mien_buf_append(&net[0], "", 1) | mien_buf_append(&net[1], "", 1);
    rc = rc < 0 ? mien_err_mem(e, net[0].cap, "a description")
                : same_network((char *)net[0].data, (char *)net[1].data, e);
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < SCALINGS; k++)
            mien_prep_del(&prep[i], scalings[k]);
        mien_buf_free(&net[i]);
    }
    if (rc == 0)
        rc = same_keys(&prep[0], &prep[1], "it lacks", e);
    return rc < 0 ? rc : same_keys(&prep[1], &prep[0], "it also has", e);
}

/* What a scaling adds to the mean: a temperature's logarithm, or a shift. False where it has none. */
static bool get_scaling(const struct model *m, const char *key, double *out)
{
    char text[MIEN_PREP_MAX];
    struct mien_err unused;
    bool temperature = is_temperature(key);
    if (mien_prep_get(&m->prep, key, text, sizeof text) == NULL ||
        num_real(text, temperature ? 1e-6 : -1e6, 1e6, out, &unused) < 0)
        return false;
    *out = temperature ? log(*out) : *out;
    return true;
}

static int average_scaling(struct model *m, const struct model *other, int n, const char *key,
                           struct mien_err *e)
{
    double sum = 0, t;
    bool all = get_scaling(m, key, &sum);
    for (int i = 0; all && i < n; i++) {
        all = get_scaling(&other[i], key, &t);
        sum += all ? t : 0;
    }
    double mean = sum / (n + 1);
    if (!all)
        mien_prep_del(&m->prep, key);
    else if (mien_prep_set(&m->prep, key, "%.4g", is_temperature(key) ? exp(mean) : mean) < 0)
        return mien_err_set(e, MIEN_ERR_LIMIT, "no room for the temperatures of confidence");
    return 0;
}

int model_average(struct model *m, const struct model *other, int n, int *which, struct mien_err *e)
{
    int rc = 0;
    for (*which = 0; *which < n; ++*which) {
        if ((rc = compare(m, &other[*which], e)) < 0)
            return rc;
    }
    for (int k = 0; rc == 0 && k < SCALINGS; k++)
        rc = average_scaling(m, other, n, scalings[k], e);
    if (rc < 0)
        return rc;
    for (size_t k = 0; k < m->net.nweights; k++) {
        double sum = (double)m->weights[k];
        for (int i = 0; i < n; i++)
            sum += (double)other[i].weights[k];
        m->weights[k] = (float)(sum / (n + 1));
    }
    for (int i = 0; i < n; i++) {
        for (int y = 0; y < MIEN_AGES; y++)
            m->age_count[y] += other[i].age_count[y];
    }
    return 0;
}
