#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"

#define MAX_PARTS 32
#define MAX_NAME  1024 /* bytes of a path that are looked at */

enum kind { LITERAL, STAR, AGE, GENDER, GROUP, SUBJECT, BIRTH, YEAR, SPLIT };

static const struct {
    const char *name;
    enum kind kind;
} label[] = {{"age", AGE},     {"gender", GENDER}, {"group", GROUP}, {"subject", SUBJECT},
             {"birth", BIRTH}, {"year", YEAR},     {"split", SPLIT}};

static const struct {
    const char *name, *pattern;
    struct label_codes codes;
    const char *group[6]; /* what the digits of {group} mean, NULL-terminated */
} known[] = {{"utkface",
              "{age}_{gender}_{group}_*",
              {"1", "0"},
              {"White", "Black", "Asian", "Indian", "Other", NULL}}};

struct pattern_part {
    enum kind kind;
    const char *s; /* LITERAL: the text, in the pattern */
    size_t len;
};

struct names {
    char *pattern;
    struct label_codes codes;
    const char *const *group;
    int slashes; /* '/' in the pattern */
    size_t n;
    struct pattern_part part[MAX_PARTS];
};

/* One attempt. dead remembers from which part and place no match is possible, so that a pattern of
   many stars takes no more steps than parts times places times lengths. */
struct match {
    const struct names *p;
    const char *s;
    size_t len;
    struct label_text got[MAX_PARTS];
    bool dead[MAX_PARTS + 1][MAX_NAME + 1];
};

static int add_part(struct names *p, enum kind kind, const char *s, size_t len, struct mien_err *e)
{
    if (kind == LITERAL && len == 0)
        return 0;
    if (p->n == MAX_PARTS)
        return mien_err_set(e, MIEN_ERR_ARG, "a pattern of more than %d parts", MAX_PARTS);
    for (size_t i = 0; i < p->n; i++)
        if (kind > STAR && p->part[i].kind == kind)
            return mien_err_set(e, MIEN_ERR_ARG, "{%.*s} occurs twice in the pattern", (int)len, s);
    p->part[p->n++] = (struct pattern_part){kind, s, len};
    return 0;
}

/* Adds the label that begins at s, with a brace. Returns its length with both braces, or a negative
   code. */
static int add_label(struct names *p, const char *s, struct mien_err *e)
{
    size_t len = strcspn(s + 1, "}"), i = 0, n = sizeof label / sizeof *label;
    while (i < n && (strlen(label[i].name) != len || memcmp(label[i].name, s + 1, len) != 0))
        i++;
    if (i == n || s[1 + len] != '}')
        return mien_err_set(e, MIEN_ERR_ARG,
                            "'%.*s' in the pattern is none of {age} {gender} {group} {subject} "
                            "{birth} {year} {split}",
                            (int)len + 2, s);
    int rc = add_part(p, label[i].kind, s + 1, len, e);
    return rc < 0 ? rc : (int)len + 2;
}

static int compile(struct names *p, struct mien_err *e)
{
    const char *text = p->pattern; /* what is met as it is */
    for (const char *s = text; *s;) {
        p->slashes += *s == '/';
        if (*s != '*' && *s != '{') {
            s++;
            continue;
        }
        int rc = add_part(p, LITERAL, text, (size_t)(s - text), e), len = 1;
        if (rc < 0)
            return rc;
        rc = *s == '*' ? add_part(p, STAR, s, 1, e) : (len = add_label(p, s, e));
        if (rc < 0)
            return rc;
        text = s += len;
    }
    int rc = add_part(p, LITERAL, text, strlen(text), e);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < p->n; i++) {
        if (p->part[i].kind > STAR)
            return 0;
    }
    return mien_err_set(e, MIEN_ERR_ARG, "the pattern '%s' has no label such as {age}", p->pattern);
}

struct names *names_new(const char *pattern, const struct label_codes *codes, struct mien_err *e)
{
    struct names *p = calloc(1, sizeof *p);
    if (!p) {
        mien_err_mem(e, sizeof *p, "a pattern");
        return NULL;
    }
    p->codes = *codes;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(pattern, known[i].name)) {
            pattern = known[i].pattern;
            p->codes = known[i].codes;
            p->group = known[i].group;
        }
    p->pattern = malloc(strlen(pattern) + 1);
    if (!p->pattern) {
        mien_err_mem(e, strlen(pattern) + 1, "a pattern");
        names_free(p);
        return NULL;
    }
    strcpy(p->pattern, pattern);
    if (compile(p, e) < 0) {
        names_free(p);
        return NULL;
    }
    return p;
}

void names_free(struct names *p)
{
    if (!p)
        return;
    free(p->pattern);
    free(p);
}

/* Sets one label from the text in its place. Returns false when it can't stand there. */
static bool set_label(const struct names *p, enum kind kind, const char *s, size_t len,
                      struct labels *l)
{
    struct label_text text = {s, len};
    switch (kind) {
    case AGE:
        for (size_t i = 0; i < len; i++)
            if (!isdigit((unsigned char)s[i]))
                return false;
        return labels_age(l, s, len, NULL) == 0;
    case GENDER:
        return labels_gender(l, s, len, &p->codes, NULL) == 0;
    case BIRTH:
        return labels_birth(l, s, len, NULL) == 0;
    case YEAR:
        return labels_year(l, s, len, NULL) == 0;
    case GROUP:
        if (!p->group) {
            l->group = text;
            return true;
        }
        for (int i = 0; p->group[i]; i++)
            if (len == 1 && *s == '0' + i) {
                l->group = (struct label_text){p->group[i], strlen(p->group[i])};
                return true;
            }
        return false;
    case SUBJECT:
        l->subject = text;
        return true;
    case SPLIT:
        l->split = text;
        return true;
    default:
        return true;
    }
}

/* Whether the parts from i on meet the text from place at on, to its end. */
static bool meets(struct match *m, size_t i, size_t at)
{
    const struct pattern_part *part = &m->p->part[i];
    size_t least, most, n;
    struct labels trial;
    if (i == m->p->n)
        return at == m->len;
    if (m->dead[i][at])
        return false;
    if (part->kind == LITERAL) {
        if (part->len <= m->len - at && !memcmp(part->s, m->s + at, part->len) &&
            meets(m, i + 1, at + part->len))
            return true;
        m->dead[i][at] = true;
        return false;
    }
    least = part->kind == STAR ? 0 : 1;
    for (most = 0; at + most < m->len && m->s[at + most] != '/'; most++)
        if (part->kind == AGE && !isdigit((unsigned char)m->s[at + most]))
            break;
    labels_init(&trial);
    for (size_t k = least; k <= most; k++) {
        n = part->kind == AGE ? most + least - k : k;
        if (!set_label(m->p, part->kind, m->s + at, n, &trial) || !meets(m, i + 1, at + n))
            continue;
        m->got[i] = (struct label_text){m->s + at, n};
        return true;
    }
    m->dead[i][at] = true;
    return false;
}

int names_match(const struct names *p, const char *path, size_t len, struct labels *l,
                struct mien_err *e)
{
    struct match m;
    size_t start = len;
    for (int slashes = 0; start > 0; start--)
        if (path[start - 1] == '/' && slashes++ == p->slashes)
            break;
    m.p = p;
    m.s = path + start;
    m.len = len - start;
    memset(m.dead, 0, sizeof m.dead);
    if (m.len > MAX_NAME || !meets(&m, 0, 0))
        return mien_err_set(e, MIEN_ERR_FORMAT, "the name does not match %s", p->pattern);
    for (size_t i = 0; i < p->n; i++)
        set_label(p, p->part[i].kind, m.got[i].s, m.got[i].len, l);
    labels_derive_age(l);
    return 0;
}
