/* The text of network descriptions, as net.h defines it: reading and writing. */
#include "op.h"

#include <ctype.h>
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/num.h"

enum { MAX_LINE = 1024, MAX_WORDS = 16, MAX_NUMBER = 1 << 20 };

/* How an attribute is written: as n whole numbers, which may be negative, or one to n of them, or
   two of which one stands for both; n reals, or one from 0 to 1; yes or no; one of some words; some
   of the letters h, w, c; a padding. */
enum form { NUMBERS, SIGNED, LIST, ONE_OR_BOTH, REALS, SHARE, YES_OR_NO, CHOICE, AXES, PADDING };

static const struct attribute_form {
    enum attribute a;
    const char *key; /* of an option; NULL: a word */
    enum form form;
    int n;
    char sep;
    size_t at;         /* in struct layer: the first of n numbers */
    const char *what;  /* said of one that is malformed; CHOICE: the words */
    const char *needs; /* said of a word that is missing */
} forms[] = {
#define AT(field) offsetof(struct layer, field)
    {A_SHAPE, NULL, NUMBERS, 3, 'x', AT(shape), "a shape is HxWxC", "its shape, HxWxC"},
    {A_UNITS, NULL, NUMBERS, 1, ',', AT(units), "units is one number", "its number of units"},
    {A_KERNEL, NULL, NUMBERS, 2, 'x', AT(kh), "a kernel is HxW", "its kernel, HxW"},
    {A_SIZE, NULL, NUMBERS, 3, 'x', AT(size), "a shape is HxWxC", "its shape, HxWxC"},
    {A_EXTENT, NULL, NUMBERS, 2, 'x', AT(size), "a size is HxW", "its size, HxW"},
    {A_RATE, NULL, SHARE, 1, ',', AT(rate), NULL, "its rate"},
    {A_BORDER, NULL, NUMBERS, 4, ',', AT(pt), "a border is T,B,L,R", "its border, T,B,L,R"},
    {A_RANGE, NULL, REALS, 2, ',', AT(a), "bounds are LO,HI", "its bounds, LO,HI"},
    {A_KIND, NULL, CHOICE, 1, '|', AT(kind), "mean|sum|max|min|prod|l1|l2|sumsq|logsum|logsumexp",
     "what it computes, such as mean"},
    {A_AXES, NULL, AXES, 1, 0, AT(axes), "axes are letters of hwc", "its axes, letters of hwc"},
    {A_STRIDE, "stride", ONE_OR_BOTH, 2, 'x', AT(sh), "stride is S or SyxSx", NULL},
    {A_DILATION, "dilation", ONE_OR_BOTH, 2, 'x', AT(dh), "dilation is D or DyxDx", NULL},
    {A_PAD, "pad", PADDING, 4, ',', AT(pt), "pad is same, valid, N or T,B,L,R", NULL},
    {A_OUTPAD, "outpad", NUMBERS, 2, ',', AT(oh), "outpad is H,W", NULL},
    {A_GROUPS, "groups", NUMBERS, 1, ',', AT(groups), "groups is one number", NULL},
    {A_BIAS, "bias", YES_OR_NO, 1, 0, AT(bias), "bias is yes or no", NULL},
    {A_EPS, "eps", SHARE, 1, ',', AT(rate), NULL, NULL},
    {A_CHANNELS, "channels", NUMBERS, 2, ',', AT(cb), "channels is BEFORE,AFTER", NULL},
    {A_CEIL, "ceil", YES_OR_NO, 1, 0, AT(ceil), "ceil is yes or no", NULL},
    {A_COUNT, "count", YES_OR_NO, 1, 0, AT(count), "count is yes or no", NULL},
    {A_MODE, "mode", CHOICE, 1, '|', AT(kind), "value|edge|reflect|wrap", NULL},
    {A_FILL, "value", REALS, 1, ',', AT(a), "value is one number", NULL},
    {A_VALUE, "value", NUMBERS, 3, 'x', AT(size), "value is a shape, HxWxC", NULL},
    {A_SWAP, "swap", YES_OR_NO, 1, 0, AT(swap), "swap is yes or no", NULL},
    {A_ALPHA, "alpha", REALS, 1, ',', AT(a), "alpha is one number", NULL},
    {A_BETA, "beta", REALS, 1, ',', AT(b), "beta is one number", NULL},
    {A_K, "k", REALS, 1, ',', AT(k), "k is one number", NULL},
    {A_AFFINE, "affine", YES_OR_NO, 1, 0, AT(bias), "affine is yes or no", NULL},
    {A_OVER, "axes", AXES, 1, 0, AT(axes), "axes are letters of hwc", NULL},
    {A_AXIS, "axis", CHOICE, 1, '|', AT(axis), "h|w|c", NULL},
    {A_AT, "at", NUMBERS, 3, ',', AT(at), "at is H,W,C", NULL},
    {A_STEP, "step", SIGNED, 3, ',', AT(step), "step is H,W,C", NULL},
    {A_VIEW, "view", LIST, NET_MAX_VIEW, 'x', AT(view), "view is a shape of 1 to 6 numbers", NULL},
    {A_ORDER, "order", LIST, NET_MAX_VIEW, ',', AT(order), "order is 1 to 6 numbers", NULL},
    {A_INTERPOLATION, "mode", CHOICE, 1, '|', AT(kind), "nearest|linear|cubic", NULL},
    {A_COORDS, "coords", CHOICE, 1, '|', AT(coords), "half|asymmetric|corners|pytorch", NULL},
    {A_ROUND, "round", CHOICE, 1, '|', AT(rounding), "prefer-floor|prefer-ceil|floor|ceil", NULL},
    {A_SCALE, "scale", REALS, 2, ',', AT(a), "scale is Y,X", NULL},
    {A_TA, "ta", YES_OR_NO, 1, 0, AT(ta), "ta is yes or no", NULL},
    {A_TB, "tb", YES_OR_NO, 1, 0, AT(tb), "tb is yes or no", NULL},
#undef AT
};
enum { FORMS = sizeof forms / sizeof forms[0] };

static bool has(const struct op *op, const struct attribute_form *f)
{
    return op->has >> f->a & 1;
}

const char *layer_type_name(enum layer_type t)
{
    return op_of(t)->name;
}

/* The type of this name, or -1. */
static int type_of(const char *name)
{
    for (int t = 0; t < LAYER_TYPES; t++) {
        if (strcmp(op_of((enum layer_type)t)->name, name) == 0)
            return t;
    }
    return -1;
}

/* --- Reading ------------------------------------------------------------------------------- */

/* Splits s at the character sep into at most max whole numbers, each `least` or more; returns how
   many. s is cut up. */
static int numbers(char *s, char sep, int least, int max, int *v, struct mien_err *e)
{
    int n = 0;
    for (char *next = s; next != NULL; s = next) {
        long long x;
        next = strchr(s, sep);
        if (next != NULL)
            *next++ = '\0';
        if (n == max)
            return mien_err_set(e, MIEN_ERR_ARG, "there are more than %d numbers", max);
        if (num_int(s, least, MAX_NUMBER, &x, e) < 0)
            return MIEN_ERR_ARG;
        v[n++] = (int)x;
    }
    return n;
}

/* The same for reals of [lo, hi]. */
static int reals(char *s, char sep, double lo, double hi, int max, float *v, struct mien_err *e)
{
    int n = 0;
    for (char *next = s; next != NULL; s = next) {
        double x;
        next = strchr(s, sep);
        if (next != NULL)
            *next++ = '\0';
        if (n == max)
            return mien_err_set(e, MIEN_ERR_ARG, "there are more than %d numbers", max);
        if (num_real(s, lo, hi, &x, e) < 0)
            return MIEN_ERR_ARG;
        v[n++] = (float)x;
    }
    return n;
}

/* Which of the words of a list, "a|b|c", s is, or -1. */
static int choice(const char *s, const char *list)
{
    size_t len = strlen(s);
    for (int k = 0;; k++, list++) {
        size_t n = strcspn(list, "|");
        if (n == len && strncmp(list, s, n) == 0)
            return k;
        list += n;
        if (*list == '\0')
            return -1;
    }
}

/* The axes of which s has the letters; 0 where that is something else. */
static unsigned axes_of(const char *s)
{
    static const char letters[] = "hwc";
    unsigned axes = 0;
    for (; *s != '\0'; s++) {
        const char *p = strchr(letters, *s);
        if (p == NULL)
            return 0;
        axes |= 1U << (p - letters);
    }
    return axes;
}

static int parse_pad(struct layer *l, char *s, const char *what, struct mien_err *e)
{
    int v[4];
    if (strcmp(s, "same") == 0 || strcmp(s, "valid") == 0) {
        l->pad = s[0] == 's' ? PAD_SAME : PAD_VALID;
        return 0;
    }
    int n = numbers(s, ',', 0, 4, v, e);
    if (n != 1 && n != 4)
        return n < 0 ? n : mien_err_set(e, MIEN_ERR_ARG, "%s", what);
    l->pad = PAD_EXPLICIT;
    l->pt = v[0];
    l->pb = v[n == 4 ? 1 : 0];
    l->pl = v[n == 4 ? 2 : 0];
    l->pr = v[n == 4 ? 3 : 0];
    return 0;
}

static int parse_from(const struct net *net, struct layer *l, char *s, struct mien_err *e)
{
    l->nin = 0;
    for (char *next = s; next != NULL; s = next) {
        next = strchr(s, ',');
        if (next != NULL)
            *next++ = '\0';
        if (l->nin == NET_MAX_IN)
            return mien_err_set(e, MIEN_ERR_ARG, "there are more than %d inputs", NET_MAX_IN);
        int i = net_find(net, s);
        if (i < 0)
            return mien_err_set(e, MIEN_ERR_ARG, "there is no layer '%s' above", s);
        l->in[l->nin++] = i;
    }
    return 0;
}

/* Sets one attribute from its text, which is cut up. */
static int parse_attribute(struct layer *l, const struct attribute_form *f, char *s,
                           struct mien_err *e)
{
    void *at = (char *)l + f->at;
    int *v = at, n = f->n;
    switch (f->form) {
    case NUMBERS:
    case SIGNED:
        n = numbers(s, f->sep, f->form == SIGNED ? -MAX_NUMBER : 0, f->n, v, e);
        break;
    case LIST:
        n = numbers(s, f->sep, 0, f->n, v, e);
        n = n > 0 ? f->n : n;
        break;
    case ONE_OR_BOTH:
        n = numbers(s, f->sep, 0, f->n, v, e);
        v[1] = n == 1 ? v[0] : v[1];
        n = n > 0 ? f->n : n;
        break;
    case REALS:
        n = reals(s, f->sep, -(double)FLT_MAX, (double)FLT_MAX, f->n, at, e);
        break;
    case SHARE:
        n = reals(s, f->sep, 0, 1, 1, at, e);
        break;
    case YES_OR_NO:
        n = strcmp(s, "no") == 0 || strcmp(s, "yes") == 0;
        *(bool *)at = s[0] == 'y';
        break;
    case CHOICE:
        if ((*v = choice(s, f->what)) < 0)
            return mien_err_set(e, MIEN_ERR_ARG, "'%s' is not one of %s", s, f->what);
        break;
    case AXES:
        *(unsigned *)at = axes_of(s);
        n = *(unsigned *)at != 0;
        break;
    case PADDING:
        return parse_pad(l, s, f->what, e);
    }
    if (n < 0)
        return n;
    return n == f->n ? 0 : mien_err_set(e, MIEN_ERR_ARG, "%s", f->what);
}

/* One option, key=value. */
static int parse_option(const struct net *net, struct layer *l, char *key, struct mien_err *e)
{
    const struct op *op = op_of(l->type);
    char *s = strchr(key, '=');
    if (s == NULL)
        return mien_err_set(e, MIEN_ERR_ARG, "unexpected word '%s'", key);
    *s++ = '\0';
    if (strcmp(key, "from") == 0)
        return parse_from(net, l, s, e);
    for (const struct attribute_form *f = forms; f < forms + FORMS; f++) {
        if (has(op, f) && f->key != NULL && strcmp(key, f->key) == 0)
            return parse_attribute(l, f, s, e);
    }
    return mien_err_set(e, MIEN_ERR_ARG, "a %s layer has no option '%s'", op->name, key);
}

/* The words and options behind the type; returns the first failure. */
static int parse_rest(const struct net *net, struct layer *l, char **word, int n,
                      struct mien_err *e)
{
    const struct op *op = op_of(l->type);
    int i = 0;
    for (const struct attribute_form *f = forms; f < forms + FORMS; f++) {
        if (!(has(op, f)) || f->key != NULL)
            continue;
        if (i == n || strchr(word[i], '=') != NULL)
            return mien_err_set(e, MIEN_ERR_ARG, "a %s layer needs %s", op->name, f->needs);
        if (parse_attribute(l, f, word[i++], e) < 0)
            return MIEN_ERR_ARG;
    }
    for (; i < n; i++) {
        if (parse_option(net, l, word[i], e) < 0)
            return MIEN_ERR_ARG;
    }
    return 0;
}

/* Adds the layer of one line, already without its comment; an empty line adds none. */
static int parse_line(struct net *net, char *line, struct mien_err *e)
{
    char *word[MAX_WORDS + 1], *save;
    int n = 0;
    for (char *w = strtok_r(line, " \t\r", &save); w != NULL; w = strtok_r(NULL, " \t\r", &save)) {
        if (n == MAX_WORDS)
            return mien_err_set(e, MIEN_ERR_ARG, "there are more than %d words", MAX_WORDS);
        word[n++] = w;
    }
    if (n == 0)
        return 0;
    /* "input 224x224x3" is short for "input input 224x224x3". */
    bool brief = net->n == 0 && n == 2 && strcmp(word[0], "input") == 0;
    int at = brief ? 0 : 1;
    if (at == n)
        return mien_err_set(e, MIEN_ERR_ARG, "layer '%s' has no type", word[0]);
    int type = type_of(word[at]);
    if (type < 0)
        return mien_err_set(e, MIEN_ERR_ARG, "unknown layer type '%s'", word[at]);
    if (strlen(word[0]) >= NET_NAME)
        return mien_err_set(e, MIEN_ERR_ARG, "a name has at most %d characters", NET_NAME - 1);
    struct layer l = layer_make(word[0], (enum layer_type)type);
    if (net->n > 0) {
        l.nin = 1;
        l.in[0] = net->n - 1;
    }
    if (parse_rest(net, &l, word + at + 1, n - at - 1, e) < 0)
        return MIEN_ERR_ARG;
    return net_add(net, &l, e);
}

int net_parse(struct net *net, const char *text, size_t len, struct mien_err *e)
{
    struct mien_err cause = {{0}};
    int rc = 0, number = 0;
    for (size_t at = 0; at < len && rc >= 0;) {
        char line[MAX_LINE];
        const char *end = memchr(text + at, '\n', len - at);
        size_t n = (end != NULL ? (size_t)(end - text) : len) - at, used = 0;
        number++;
        while (used < n && used < MAX_LINE - 1 && text[at + used] != '#') {
            line[used] = text[at + used];
            if (!isprint((unsigned char)line[used]) && line[used] != '\t' && line[used] != '\r')
                rc = mien_err_set(&cause, MIEN_ERR_ARG, "a character that isn't ASCII");
            used++;
        }
        if (used == MAX_LINE - 1)
            rc =
                mien_err_set(&cause, MIEN_ERR_ARG, "it is longer than %d characters", MAX_LINE - 2);
        line[used] = '\0';
        if (rc >= 0)
            rc = parse_line(net, line, &cause);
        at += n + 1;
    }
    if (rc >= 0 && net->n > 0)
        return 0;
    net_free(net);
    if (rc >= 0)
        return mien_err_set(e, MIEN_ERR_ARG, "line %d: the description has no layers", number);
    return mien_err_set(e, rc, "line %d: %s", number, cause.msg);
}

/* --- Writing ------------------------------------------------------------------------------- */

static int put_real(struct mien_buf *out, float x)
{
    char s[NUM_TEXT];
    num_print_float(s, x);
    return mien_buf_append(out, s, strlen(s));
}

static int put_pad(struct mien_buf *out, const struct layer *l)
{
    if (l->pad == PAD_SAME)
        return mien_buf_printf(out, "same");
    if (l->pt == l->pb && l->pt == l->pl && l->pt == l->pr)
        return mien_buf_printf(out, "%d", l->pt);
    return mien_buf_printf(out, "%d,%d,%d,%d", l->pt, l->pb, l->pl, l->pr);
}

/* Whether an attribute has the value that it has in l, a layer without options. */
static bool is_default(const struct attribute_form *f, const struct layer *a, const struct layer *l)
{
    const void *x = (const char *)a + f->at, *y = (const char *)l + f->at;
    const float *r = x, *q = y;
    switch (f->form) {
    case PADDING:
        return a->pad == l->pad;
    case YES_OR_NO:
        return *(const bool *)x == *(const bool *)y;
    case REALS:
    case SHARE:
        return r[0] == q[0] && (f->n < 2 || r[1] == q[1]);
    default:
        return memcmp(x, y, (size_t)f->n * sizeof(int)) == 0;
    }
}

/* How many of a list's numbers are there: those of a view are more than 0, those of an order not
   less. */
static int list_length(const struct attribute_form *f, const int *v)
{
    int n = 0;
    while (n < f->n && v[n] >= (f->sep == 'x'))
        n++;
    return n;
}

/* The k-th word of a list, "a|b|c". */
static int put_choice(struct mien_buf *out, const char *list, int k)
{
    for (; k > 0; k--)
        list = strchr(list, '|') + 1;
    return mien_buf_append(out, list, strcspn(list, "|"));
}

static int put_attribute(struct mien_buf *out, const struct attribute_form *f,
                         const struct layer *l)
{
    const void *at = (const char *)l + f->at;
    const int *v = at;
    const float *r = at;
    unsigned axes;
    int rc = 0, n = f->n;
    switch (f->form) {
    case PADDING:
        return put_pad(out, l);
    case YES_OR_NO:
        return mien_buf_printf(out, "%s", *(const bool *)at ? "yes" : "no");
    case CHOICE:
        return put_choice(out, f->what, *v);
    case AXES:
        axes = *(const unsigned *)at;
        return mien_buf_printf(out, "%s%s%s", axes & AXIS_H ? "h" : "", axes & AXIS_W ? "w" : "",
                               axes & AXIS_C ? "c" : "");
    case ONE_OR_BOTH:
        n = v[0] == v[1] ? 1 : 2;
        break;
    case LIST:
        n = list_length(f, v);
        break;
    default:
        break;
    }
    for (int k = 0; k < n; k++) {
        rc |= k > 0 ? mien_buf_append(out, &f->sep, 1) : 0;
        if (f->form == REALS || f->form == SHARE)
            rc |= put_real(out, r[k]);
        else
            rc |= mien_buf_printf(out, "%d", v[k]);
    }
    return rc;
}

static int put_layer(struct mien_buf *out, const struct net *net, int i)
{
    const struct layer *l = &net->layer[i], plain = layer_make("", l->type);
    const struct op *op = op_of(l->type);
    int rc = 0;
    if (i > 0 || strcmp(l->name, "input") != 0)
        rc |= mien_buf_printf(out, "%s ", l->name);
    rc |= mien_buf_printf(out, "%s", op->name);
    for (const struct attribute_form *f = forms; f < forms + FORMS; f++) {
        if (!(has(op, f)) || (f->key != NULL && is_default(f, l, &plain)))
            continue;
        rc |= f->key != NULL ? mien_buf_printf(out, " %s=", f->key) : mien_buf_append(out, " ", 1);
        rc |= put_attribute(out, f, l);
    }
    if (l->nin > 1 || (l->nin == 1 && l->in[0] != i - 1)) {
        for (int k = 0; k < l->nin; k++)
            rc |= mien_buf_printf(out, "%s%s", k == 0 ? " from=" : ",", net->layer[l->in[k]].name);
    }
    return rc | mien_buf_append(out, "\n", 1);
}

int net_print(const struct net *net, struct mien_buf *out)
{
    int rc = 0; /* MIEN_ERR_MEM is the one failure, so that results can be gathered with |= */
    for (int i = 0; i < net->n && rc == 0; i++)
        rc = put_layer(out, net, i);
    return rc;
}
