#include "age_head.h"

#include <stdlib.h>
#include <string.h>

#include "util/num.h"

static int nearest(int year)
{
    return year < 0 ? 0 : year >= MIEN_AGES ? MIEN_AGES - 1 : year;
}

void age_head_years(const struct age_head *h, int k, int *first, int *last)
{
    *first = nearest(h->from[k]);
    *last = nearest(h->from[k + 1] - 1);
}

bool age_head_binned(const struct age_head *h)
{
    return h->n > 0 && h->from[h->n] - h->from[0] > h->n;
}

/* Shares from how often each year was counted. One more of each keeps a year from being ruled out
   by chance, and makes them even where nothing was counted. */
static void set_shares(struct age_head *h, const float *count)
{
    for (int k = 0; k < h->n; k++) {
        int first, last;
        double sum = 0;
        age_head_years(h, k, &first, &last);
        for (int y = first; y <= last; y++)
            sum += 1 + (double)count[y];
        for (int y = first; y <= last; y++)
            h->share[y] = (1 + (double)count[y]) / sum;
    }
}

static void set_single_years(struct age_head *h, int n, int age0)
{
    h->n = n;
    for (int k = 0; k <= n; k++)
        h->from[k] = age0 + k;
}

/* The first years of bins, "0:10:20". */
static int parse_bins(struct age_head *h, const char *text, struct mien_err *e)
{
    for (const char *s = text; s != NULL;) {
        char word[16];
        long long year;
        const char *end = strchr(s, ':');
        size_t len = end != NULL ? (size_t)(end - s) : strlen(s);
        if (len >= sizeof word)
            return mien_err_set(e, MIEN_ERR_ARG, "'%s' is not a year", s);
        memcpy(word, s, len);
        word[len] = '\0';
        if (num_int(word, 0, MIEN_AGES - 1, &year, e) < 0)
            return MIEN_ERR_ARG;
        if (h->n > 0 && year <= h->from[h->n - 1])
            return mien_err_set(e, MIEN_ERR_ARG, "'%s': a bin begins at %lld, the one before at %d",
                                text, year, h->from[h->n - 1]);
        h->from[h->n++] = (int)year;
        s = end != NULL ? end + 1 : NULL;
    }
    if (h->n < 2)
        return mien_err_set(e, MIEN_ERR_ARG, "'%s' is one bin: there is nothing to distinguish",
                            text);
    h->from[h->n] = MIEN_AGES;
    return 0;
}

int age_head_parse(struct age_head *h, const char *text, struct mien_err *e)
{
    static const float none[MIEN_AGES];
    static const char ranks[] = "coral:";
    bool years = strcmp(text, "101") == 0 || strcmp(text, "coral") == 0;
    const char *bins = strncmp(text, ranks, strlen(ranks)) == 0 ? text + strlen(ranks) : text;
    *h = (struct age_head){.ordinal = text[0] == ranks[0]};
    if (years)
        set_single_years(h, MIEN_AGES, 0);
    else if (strchr(bins, ':') == NULL)
        return mien_err_set(e, MIEN_ERR_ARG,
                            "'%s' is not 101 (years), coral, or the first years of bins, such as "
                            "0:10:20:30",
                            text);
    else if (parse_bins(h, bins, e) < 0)
        return MIEN_ERR_ARG;
    set_shares(h, none);
    return 0;
}

int age_head_of(struct age_head *h, const struct model *m, struct mien_err *e)
{
    char text[MIEN_PREP_MAX];
    struct mien_err cause;
    long long age0 = 0;
    int i = net_find(&m->net, "age");
    *h = (struct age_head){0};
    if (i < 0)
        return 0;
    size_t count = shape_count(m->net.layer[i].shape);
    h->ordinal = m->net.layer[i].type == L_SIGMOID;
    if (count + h->ordinal > AGE_CLASSES)
        return mien_err_set(e, MIEN_ERR_FORMAT, "the layer age has %zu outputs, more than %d",
                            count, AGE_CLASSES);
    int n = (int)count + h->ordinal;
    if (mien_prep_get(&m->prep, "ages", text, sizeof text) != NULL) {
        if (parse_bins(h, text, &cause) < 0)
            return mien_err_set(e, MIEN_ERR_FORMAT, "ages: %s", cause.msg);
        if (h->n != n)
            return mien_err_set(e, MIEN_ERR_FORMAT,
                                "ages=%s has %d classes, the layer age distinguishes %d", text,
                                h->n, n);
    } else {
        if (mien_prep_get(&m->prep, "age0", text, sizeof text) != NULL &&
            num_int(text, -1000, 1000, &age0, &cause) < 0)
            return mien_err_set(e, MIEN_ERR_FORMAT, "age0: %s", cause.msg);
        set_single_years(h, n, (int)age0);
    }
    set_shares(h, m->age_count);
    return 0;
}

int age_head_describe(const struct age_head *h, struct mien_prep *p)
{
    struct mien_buf text = {0};
    int rc = 0;
    mien_prep_del(p, "age0");
    mien_prep_del(p, "ages");
    if (h->n > 0 && !age_head_binned(h))
        return mien_prep_set(p, "age0", "%d", h->from[0]);
    for (int k = 0; k < h->n; k++)
        rc |= mien_buf_printf(&text, "%s%d", k > 0 ? ":" : "", h->from[k]);
    if (rc == 0 && h->n > 0)
        rc = mien_prep_set(p, "ages", "%.*s", (int)text.len, (const char *)text.data);
    mien_buf_free(&text);
    return rc;
}

int age_head_class(const struct age_head *h, int age)
{
    int k = 0;
    while (k + 1 < h->n && age >= h->from[k + 1])
        k++;
    return k;
}

void age_head_classes(const struct age_head *h, const float *out, double *p)
{
    double before = 1, sum = 0;
    if (!h->ordinal) {
        for (int k = 0; k < h->n; k++)
            p[k] = out[k];
        return;
    }
    for (int k = 0; k < h->n; k++) {
        double beyond = k + 1 < h->n ? out[k] : 0;
        p[k] = before > beyond ? before - beyond : 0;
        before = beyond;
        sum += p[k]; /* at least 1 */
    }
    for (int k = 0; k < h->n; k++)
        p[k] /= sum;
}

void age_head_distribution(const struct age_head *h, const float *out, float year[MIEN_AGES])
{
    double p[AGE_CLASSES], sum[MIEN_AGES] = {0};
    age_head_classes(h, out, p);
    for (int k = 0; k < h->n; k++) {
        int first, last;
        age_head_years(h, k, &first, &last);
        for (int y = first; y <= last; y++)
            sum[y] += p[k] * h->share[y];
    }
    for (int y = 0; y < MIEN_AGES; y++)
        year[y] = (float)sum[y];
}
