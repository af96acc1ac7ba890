#include "cli/rules.h"

#include <assert.h>
#include <string.h>

#include "cli/help.h"
#include "cli/state.h"

/* What a word of a rule names: an option, or an option with a value. */
struct named {
    const struct mien_option *option;
    const char *value; /* of `len` bytes; NULL: any */
    size_t len;
};

/* Takes the first word from a list. Returns false at its end. */
static bool next(const struct mien_cli *c, const char **list, struct named *w)
{
    const char *word = *list + strspn(*list, " ");
    size_t all = strcspn(word, " "), n = strcspn(word, " =");
    if (all == 0)
        return false;
    w->option = cli_find_option(c, 0, word, n);
    assert(w->option != NULL && w->option->alias == NULL); /* else the rule is wrong */
    w->value = n < all ? word + n + 1 : NULL;
    w->len = n < all ? all - n - 1 : 0;
    *list = word + all;
    return true;
}

static bool is_given(const struct mien_cli *c, const struct named *w)
{
    const char *value = cli_given(c, w->option)->value;
    return value != NULL &&
           (w->value == NULL || (strlen(value) == w->len && strncmp(value, w->value, w->len) == 0));
}

enum { SHOWN = 80 };

/* An option as it was typed or else by its long name, which an option with a value always has. */
static const char *show(const struct mien_cli *c, const struct named *w, char text[SHOWN])
{
    const struct mien_option *o = w->option;
    const char *typed = cli_given(c, o)->typed;
    if (w->value != NULL)
        snprintf(text, SHOWN, "--%s %.*s", o->name, (int)w->len, w->value);
    else if (typed[0] != '\0')
        snprintf(text, SHOWN, "%s", typed);
    else
        snprintf(text, SHOWN, "--%s%s%s", o->name, o->arg != NULL ? " " : "",
                 o->arg != NULL ? o->arg : "");
    return text;
}

/* None of these goes with one of those, or, without those, with another of these. */
static void check_exclusion(const struct mien_cli *c, const char *these, const char *those)
{
    struct named a, b;
    char first[SHOWN], second[SHOWN];
    while (next(c, &these, &a)) {
        const char *others = those != NULL ? those : these;
        while (next(c, &others, &b)) {
            if (is_given(c, &a) && is_given(c, &b))
                mien_cli_die(c, "%s and %s exclude each other", show(c, &a, first),
                             show(c, &b, second));
        }
    }
}

/* "--a, --b or --c". Returns whether one of them was given. */
static bool list_options(const struct mien_cli *c, const char *names, char *text, size_t size)
{
    struct named w;
    char shown[SHOWN];
    bool given = false;
    for (size_t len = 0; next(c, &names, &w);) {
        const char *comma = len == 0 ? "" : *names != '\0' ? ", " : " or ";
        given |= is_given(c, &w);
        len += (size_t)snprintf(text + len, size - len, "%s%s", comma, show(c, &w, shown));
        assert(len < size);
    }
    return given;
}

/* Each of these goes only with one of those; without these, one of those must be there. */
static void check_need(const struct mien_cli *c, const char *these, const char *those)
{
    struct named a;
    char list[4 * SHOWN], shown[SHOWN];
    bool met = list_options(c, those, list, sizeof list);
    if (these == NULL && !met)
        mien_cli_die(c, "missing option: %s; see %s --help", list, c->name);
    while (these != NULL && next(c, &these, &a)) {
        if (is_given(c, &a) && !met)
            mien_cli_die(c, "%s needs %s", show(c, &a, shown), list);
    }
}

void cli_check_rules(const struct mien_cli *c)
{
    for (size_t i = 0; i < c->nrules; i++) {
        const struct mien_option_rule *r = &c->rules[i];
        (r->needs ? check_need : check_exclusion)(c, r->these, r->those);
    }
}
