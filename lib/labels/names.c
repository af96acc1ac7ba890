#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "names.h"

#define MAX_PARTS 32
#define MAX_NAME  1024 /* bytes of a path that are looked at */

#define MAX_ALTERNATIVES 16

enum kind { LITERAL, STAR, AGE, BAND, GENDER, GROUP, SUBJECT, BIRTH, YEAR, SPLIT };

static const struct {
    const char *name;
    enum kind kind;
} label[] = {{"age", AGE},         {"band", BAND},   {"gender", GENDER}, {"group", GROUP},
             {"subject", SUBJECT}, {"birth", BIRTH}, {"year", YEAR},     {"split", SPLIT}};

struct pattern_part {
    enum kind kind;
    const char *s; /* LITERAL: the text, in the pattern */
    size_t len;
};

/* One of the alternatives. */
struct pattern {
    int slashes; /* '/' in the pattern */
    size_t n;
    struct pattern_part part[MAX_PARTS];
};

struct names {
    char *text;
    const struct rule *rule;
    size_t n;
    struct pattern pattern[MAX_ALTERNATIVES];
};

/* One attempt. dead remembers from which part and place no match is possible, so that a pattern of
   many stars takes no more steps than parts times places times lengths. */
struct match {
    const struct rule *rule;
    const struct pattern *p;
    const char *s;
    size_t len;
    struct label_text got[MAX_PARTS];
    bool dead[MAX_PARTS + 1][MAX_NAME + 1];
};

static int add_part(struct pattern *p, enum kind kind, const char *s, size_t len,
                    struct mien_err *e)
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
static int add_label(struct pattern *p, const char *s, struct mien_err *e)
{
    size_t len = strcspn(s + 1, "}"), i = 0, n = sizeof label / sizeof *label;
    while (i < n && (strlen(label[i].name) != len || memcmp(label[i].name, s + 1, len) != 0))
        i++;
    if (i == n || s[1 + len] != '}')
        return mien_err_set(e, MIEN_ERR_ARG,
                            "'%.*s' in the pattern is not one of {age} {band} {gender} {group} "
                            "{subject} {birth} {year} {split}",
                            (int)len + 2, s);
    int rc = add_part(p, label[i].kind, s + 1, len, e);
    return rc < 0 ? rc : (int)len + 2;
}

/* Compiles the alternative that is text. */
static int compile(struct pattern *p, const char *text, struct mien_err *e)
{
    const char *from = text; /* of what is met as it is */
    for (const char *s = text; *s;) {
        p->slashes += *s == '/';
        if (*s != '*' && *s != '{') {
            s++;
            continue;
        }
        int rc = add_part(p, LITERAL, from, (size_t)(s - from), e), len = 1;
        if (rc < 0)
            return rc;
        rc = *s == '*' ? add_part(p, STAR, s, 1, e) : (len = add_label(p, s, e));
        if (rc < 0)
            return rc;
        from = s += len;
    }
    int rc = add_part(p, LITERAL, from, strlen(from), e);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < p->n; i++) {
        if (p->part[i].kind > STAR)
            return 0;
    }
    return mien_err_set(e, MIEN_ERR_ARG, "the pattern '%s' has no label such as {age}", text);
}

struct names *names_new(const char *pattern, const struct rule *rule, struct mien_err *e)
{
    struct names *p = calloc(1, sizeof *p);
    if (!p || !(p->text = strdup(pattern))) {
        mien_err_mem(e, sizeof *p, "a pattern");
        names_free(p);
        return NULL;
    }
    p->rule = rule;
    for (char *s = p->text, *next; s; s = next) {
        if ((next = strchr(s, '|')) != NULL)
            *next++ = '\0';
        if (p->n == MAX_ALTERNATIVES) {
            mien_err_set(e, MIEN_ERR_ARG, "more than %d patterns", MAX_ALTERNATIVES);
        } else if (compile(&p->pattern[p->n], s, e) == 0) {
            p->n++;
            continue;
        }
        names_free(p);
        return NULL;
    }
    return p;
}

void names_free(struct names *p)
{
    if (!p)
        return;
    free(p->text);
    free(p);
}

/* A group or a split, by what it stands for. */
static bool set_text(const struct rule *rule, int role, struct label_text text,
                     struct label_text *out)
{
    if (rule_has_meanings(rule, role) && !rule_has_meaning(rule, role, text))
        return false;
    *out = rule_meaning(rule, role, text);
    return true;
}

/* Sets one label from the text in its place. Returns false when it can't stand there. */
static bool set_label(const struct rule *rule, enum kind kind, const char *s, size_t len,
                      struct labels *l)
{
    static const struct label_ages years;
    struct label_text text = {s, len};
    switch (kind) {
    case AGE:
        for (size_t i = 0; i < len; i++)
            if (!isdigit((unsigned char)s[i]))
                return false;
        return labels_age(l, s, len, &years, NULL) == 0;
    case BAND:
        return !labels_missing(s, len) && labels_age(l, s, len, &years, NULL) == 0;
    case GENDER:
        return labels_gender(l, s, len, &rule->codes, NULL) == 0;
    case BIRTH:
        return labels_date(&l->birth, s, len, rule->date, NULL) == 0;
    case YEAR:
        return labels_taken(l, s, len, rule->date, NULL) == 0;
    case GROUP:
        return set_text(rule, ROLE_GROUP, text, &l->group);
    case SUBJECT:
        l->subject = text;
        return true;
    case SPLIT:
        return set_text(rule, ROLE_SPLIT, text, &l->split);
    default:
        return true;
    }
}

/* Whether the parts from i on meet the text from place at on, to its end. */
static bool meets(struct match *m, size_t i, size_t at)
{
    const struct pattern_part *part = &m->p->part[i];
    const bool greedy = part->kind == AGE || part->kind == BAND || part->kind == SUBJECT;
    size_t least, most, n;
    struct labels trial;
    if (i == m->p->n)
        return at == m->len;
    if (m->dead[i][at])
        return false;
    if (part->kind == LITERAL) {
        if (part->len <= m->len - at && !strncasecmp(part->s, m->s + at, part->len) &&
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
        n = greedy ? most + least - k : k;
        if (!set_label(m->rule, part->kind, m->s + at, n, &trial) || !meets(m, i + 1, at + n))
            continue;
        m->got[i] = (struct label_text){m->s + at, n};
        return true;
    }
    m->dead[i][at] = true;
    return false;
}

/* Holds a path against one pattern. */
static bool match(const struct names *names, const struct pattern *p, const char *path, size_t len,
                  struct labels *l)
{
    struct match m;
    size_t start = len;
    for (int slashes = 0; start > 0; start--)
        if (path[start - 1] == '/' && slashes++ == p->slashes)
            break;
    m.rule = names->rule;
    m.p = p;
    m.s = path + start;
    m.len = len - start;
    if (m.len > MAX_NAME)
        return false;
    for (size_t i = 0; i <= p->n; i++)
        memset(m.dead[i], 0, m.len + 1);
    if (!meets(&m, 0, 0))
        return false;
    for (size_t i = 0; i < p->n; i++)
        set_label(names->rule, p->part[i].kind, m.got[i].s, m.got[i].len, l);
    return true;
}

int names_match(const struct names *names, const char *path, size_t len, struct labels *l,
                struct mien_err *e)
{
    for (size_t i = 0; i < names->n; i++) {
        if (!match(names, &names->pattern[i], path, len, l))
            continue;
        labels_derive_age(l);
        return 0;
    }
    if (names->n > 1)
        return mien_err_set(e, MIEN_ERR_FORMAT, "the name matches none of the patterns");
    return mien_err_set(e, MIEN_ERR_FORMAT, "the name does not match %s", names->text);
}
