/* The text of network descriptions, as net.h defines it: reading and writing. */
#include "net.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/num.h"

enum { MAX_LINE = 1024, MAX_WORDS = 16, MAX_NUMBER = 1 << 20 };

/* What a type's line has behind the type: words in this order, then options in any order. */
enum {
    HAS_SHAPE = 1,
    HAS_UNITS = 2,
    HAS_KERNEL = 4,
    HAS_RATE = 8,
    HAS_BORDER = 16, /* the last word */
    HAS_WINDOW = 32,
    HAS_GROUPS = 64,
    HAS_BIAS = 128,
    HAS_EPS = 256,
    HAS_CHANNELS = 512
};

static const struct {
    const char *name;
    unsigned has;
} types[] = {
    [L_INPUT] = {"input", HAS_SHAPE},
    [L_CONV] = {"conv", HAS_UNITS | HAS_KERNEL | HAS_WINDOW | HAS_GROUPS | HAS_BIAS},
    [L_DWCONV] = {"dwconv", HAS_KERNEL | HAS_WINDOW | HAS_BIAS},
    [L_DENSE] = {"dense", HAS_UNITS | HAS_BIAS},
    [L_CORAL] = {"coral", HAS_UNITS},
    [L_BN] = {"bn", HAS_EPS},
    [L_RELU] = {"relu", 0},
    [L_RELU6] = {"relu6", 0},
    [L_PRELU] = {"prelu", 0},
    [L_SIGMOID] = {"sigmoid", 0},
    [L_SOFTMAX] = {"softmax", 0},
    [L_L2NORM] = {"l2norm", 0},
    [L_FLATTEN] = {"flatten", 0},
    [L_MAXPOOL] = {"maxpool", HAS_KERNEL | HAS_WINDOW},
    [L_AVGPOOL] = {"avgpool", HAS_KERNEL | HAS_WINDOW},
    [L_GAP] = {"gap", 0},
    [L_DROPOUT] = {"dropout", HAS_RATE},
    [L_ADD] = {"add", 0},
    [L_CONCAT] = {"concat", 0},
    [L_PAD] = {"pad", HAS_BORDER | HAS_CHANNELS},
};

const char *layer_type_name(enum layer_type t)
{
    return types[t].name;
}

/* The type of this name, or -1. */
static int type_of(const char *name)
{
    for (int t = 0; t < (int)(sizeof types / sizeof types[0]); t++) {
        if (strcmp(types[t].name, name) == 0)
            return t;
    }
    return -1;
}

/* --- Reading ------------------------------------------------------------------------------- */

/* Splits s at the character sep into at most max whole numbers; returns how many. s is cut up. */
static int numbers(char *s, char sep, int max, int *v, struct mien_err *e)
{
    int n = 0;
    for (char *next = s; next != NULL; s = next) {
        long long x;
        next = strchr(s, sep);
        if (next != NULL)
            *next++ = '\0';
        if (n == max)
            return mien_err_set(e, MIEN_ERR_ARG, "there are more than %d numbers", max);
        if (num_int(s, 0, MAX_NUMBER, &x, e) < 0)
            return MIEN_ERR_ARG;
        v[n++] = (int)x;
    }
    return n;
}

/* Exactly n numbers; what says of what kind ("a kernel is HxW"). */
static int exactly(char *s, char sep, int n, int *v, const char *what, struct mien_err *e)
{
    int got = numbers(s, sep, n, v, e);
    if (got == n)
        return 0;
    return got < 0 ? got : mien_err_set(e, MIEN_ERR_ARG, "%s", what);
}

static int real(const char *s, float *v, struct mien_err *e)
{
    double x;
    if (num_real(s, 0, 1, &x, e) < 0)
        return MIEN_ERR_ARG;
    *v = (float)x;
    return 0;
}

static int parse_pad(struct layer *l, char *s, struct mien_err *e)
{
    int v[4];
    if (strcmp(s, "same") == 0 || strcmp(s, "valid") == 0) {
        l->pad = s[0] == 's' ? PAD_SAME : PAD_VALID;
        return 0;
    }
    int n = numbers(s, ',', 4, v, e);
    if (n != 1 && n != 4)
        return n < 0 ? n : mien_err_set(e, MIEN_ERR_ARG, "pad is same, valid, N or T,B,L,R");
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

/* One option, key=value. */
static int parse_option(const struct net *net, struct layer *l, char *key, struct mien_err *e)
{
    unsigned has = types[l->type].has;
    int v[2], n;
    char *s = strchr(key, '=');
    if (s == NULL)
        return mien_err_set(e, MIEN_ERR_ARG, "unexpected word '%s'", key);
    *s++ = '\0';
    if (strcmp(key, "from") == 0)
        return parse_from(net, l, s, e);
    if (strcmp(key, "pad") == 0 && has & HAS_WINDOW)
        return parse_pad(l, s, e);
    if (strcmp(key, "eps") == 0 && has & HAS_EPS)
        return real(s, &l->rate, e);
    if (strcmp(key, "stride") == 0 && has & HAS_WINDOW) {
        if ((n = numbers(s, 'x', 2, v, e)) < 0)
            return n;
        l->sh = v[0];
        l->sw = n == 2 ? v[1] : v[0];
        return 0;
    }
    if (strcmp(key, "groups") == 0 && has & HAS_GROUPS)
        return exactly(s, ',', 1, &l->groups, "groups is one number", e);
    if (strcmp(key, "channels") == 0 && has & HAS_CHANNELS) {
        n = exactly(s, ',', 2, v, "channels is BEFORE,AFTER", e);
        l->cb = v[0];
        l->ca = v[1];
        return n;
    }
    if (strcmp(key, "bias") == 0 && has & HAS_BIAS) {
        l->bias = strcmp(s, "no") != 0;
        return strcmp(s, "no") == 0 || strcmp(s, "yes") == 0
                   ? 0
                   : mien_err_set(e, MIEN_ERR_ARG, "bias is yes or no");
    }
    return mien_err_set(e, MIEN_ERR_ARG, "a %s layer has no option '%s'", types[l->type].name, key);
}

/* One of the words behind the type. */
static int parse_word(struct layer *l, unsigned what, char *s, struct mien_err *e)
{
    int v[4], rc = 0;
    switch (what) {
    case HAS_SHAPE:
        if ((rc = exactly(s, 'x', 3, v, "a shape is HxWxC", e)) == 0)
            l->shape = (struct shape){v[0], v[1], v[2]};
        break;
    case HAS_UNITS:
        rc = exactly(s, ',', 1, &l->units, "units is one number", e);
        break;
    case HAS_KERNEL:
        if ((rc = exactly(s, 'x', 2, v, "a kernel is HxW", e)) == 0)
            l->kh = v[0], l->kw = v[1];
        break;
    case HAS_RATE:
        rc = real(s, &l->rate, e);
        break;
    case HAS_BORDER:
        if ((rc = exactly(s, ',', 4, v, "a border is T,B,L,R", e)) == 0)
            l->pt = v[0], l->pb = v[1], l->pl = v[2], l->pr = v[3];
        break;
    }
    return rc;
}

/* The words and options behind the type; returns the first failure. */
static int parse_rest(const struct net *net, struct layer *l, char **word, int n,
                      struct mien_err *e)
{
    static const struct {
        unsigned has;
        const char *what;
    } words[] = {{HAS_SHAPE, "its shape, HxWxC"},
                 {HAS_UNITS, "its number of units"},
                 {HAS_KERNEL, "its kernel, HxW"},
                 {HAS_RATE, "its rate"},
                 {HAS_BORDER, "its border, T,B,L,R"}};
    unsigned has = types[l->type].has;
    int i = 0;
    for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
        if (!(has & words[k].has))
            continue;
        if (i == n || strchr(word[i], '=') != NULL)
            return mien_err_set(e, MIEN_ERR_ARG, "a %s layer needs %s", types[l->type].name,
                                words[k].what);
        if (parse_word(l, words[k].has, word[i++], e) < 0)
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

static int put_window(struct mien_buf *out, const struct layer *l)
{
    int rc = 0;
    if (l->sh != l->sw)
        rc |= mien_buf_printf(out, " stride=%dx%d", l->sh, l->sw);
    else if (l->sh != 1)
        rc |= mien_buf_printf(out, " stride=%d", l->sh);
    if (l->pad == PAD_SAME)
        rc |= mien_buf_printf(out, " pad=same");
    else if (l->pad == PAD_EXPLICIT && l->pt == l->pb && l->pt == l->pl && l->pt == l->pr)
        rc |= mien_buf_printf(out, " pad=%d", l->pt);
    else if (l->pad == PAD_EXPLICIT)
        rc |= mien_buf_printf(out, " pad=%d,%d,%d,%d", l->pt, l->pb, l->pl, l->pr);
    return rc;
}

static int put_layer(struct mien_buf *out, const struct net *net, int i)
{
    const struct layer *l = &net->layer[i];
    unsigned has = types[l->type].has;
    int rc = 0;
    if (i > 0 || strcmp(l->name, "input") != 0)
        rc |= mien_buf_printf(out, "%s ", l->name);
    rc |= mien_buf_printf(out, "%s", types[l->type].name);
    if (has & HAS_SHAPE)
        rc |= mien_buf_printf(out, " %dx%dx%d", l->shape.h, l->shape.w, l->shape.c);
    if (has & HAS_UNITS)
        rc |= mien_buf_printf(out, " %d", l->units);
    if (has & HAS_KERNEL)
        rc |= mien_buf_printf(out, " %dx%d", l->kh, l->kw);
    if (has & HAS_RATE) {
        rc |= mien_buf_append(out, " ", 1);
        rc |= put_real(out, l->rate);
    }
    if (has & HAS_BORDER)
        rc |= mien_buf_printf(out, " %d,%d,%d,%d", l->pt, l->pb, l->pl, l->pr);
    if (has & HAS_WINDOW)
        rc |= put_window(out, l);
    if (has & HAS_GROUPS && l->groups != 1)
        rc |= mien_buf_printf(out, " groups=%d", l->groups);
    if (has & HAS_BIAS && !l->bias)
        rc |= mien_buf_printf(out, " bias=no");
    if (has & HAS_EPS && l->rate != layer_make("", L_BN).rate) {
        rc |= mien_buf_append(out, " eps=", 5);
        rc |= put_real(out, l->rate);
    }
    if (has & HAS_CHANNELS && (l->cb != 0 || l->ca != 0))
        rc |= mien_buf_printf(out, " channels=%d,%d", l->cb, l->ca);
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
