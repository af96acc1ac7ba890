#include "help.h"

#include <stdio.h>
#include <string.h>

#include "cli/state.h"

enum {
    WIDTH = 80,
    WIDEST = 26,  /* an option and its argument; help for longer ones starts on the next line */
    LONGEST = 40, /* of the names that are compared */
};

const struct mien_option *cli_option(const struct mien_cli *c, size_t i)
{
    static const struct {
        int use; /* 0: every program has it */
        struct mien_option option;
    } common[] = {
        {MIEN_CLI_MAX_BAD, MIEN_OPT_FUNC(0, "max-bad", "N|P%", NULL, cli_set_max_bad,
                                         "accept up to N bad records, or P% of all [0]")},
        {MIEN_CLI_RANGE, MIEN_OPT_FUNC(0, "range", "OFFSET:BYTES", NULL, cli_set_range,
                                       "read only these bytes of the input, as mien-view --index "
                                       "shows them")},
        {MIEN_CLI_SEGMENT, MIEN_OPT_FUNC(0, "segment", "N", NULL, cli_set_segment,
                                         "also write an end record after every N records")},
        {MIEN_CLI_OUTPUT, MIEN_OPT_FUNC('o', "output", "FILE", NULL, cli_set_output,
                                        "write to FILE, which appears whole or not at all "
                                        "[standard output]")},
        {0, MIEN_OPT_FLAG('q', "quiet", NULL, "print errors only, no summary and no progress")},
        {0, MIEN_OPT_FLAG('h', "help", NULL, "print this help and exit")},
        {0, MIEN_OPT_FLAG('V', "version", NULL, "print the version and exit")},
        {0, MIEN_OPT_FLAG(0, "list-options", NULL, NULL)}, /* for scripts/completions */
    };
    if (i < c->nopts)
        return &c->opts[i];
    i -= c->nopts;
    for (size_t k = 0; k < sizeof common / sizeof *common; k++) {
        if ((common[k].use == 0 || (c->uses & common[k].use) != 0) && i-- == 0)
            return &common[k].option;
    }
    return NULL;
}

const struct mien_option *cli_find_option(const struct mien_cli *c, char letter, const char *name,
                                          size_t n)
{
    const struct mien_option *o;
    for (size_t i = 0; (o = cli_option(c, i)) != NULL; i++) {
        if (name == NULL
                ? o->letter == letter
                : o->name != NULL && strlen(o->name) == n && strncmp(o->name, name, n) == 0)
            return o;
    }
    return NULL;
}

static bool is_hidden(const struct mien_option *o)
{
    return o->help == NULL && o->alias == NULL;
}

/* --- Typos --------------------------------------------------------------------------------- */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many letters a typist got wrong: left out, added, changed, or swapped with the next one
   (the optimal string alignment distance). */
static size_t distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b), d[LONGEST + 1][LONGEST + 1];
    if (n > LONGEST || m > LONGEST)
        return SIZE_MAX;
    for (size_t i = 0; i <= n; i++) {
        for (size_t k = 0; k <= m; k++) {
            if (i == 0 || k == 0) {
                d[i][k] = i + k;
                continue;
            }
            d[i][k] = least(d[i - 1][k] + 1, d[i][k - 1] + 1);
            d[i][k] = least(d[i][k], d[i - 1][k - 1] + (a[i - 1] != b[k - 1]));
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                d[i][k] = least(d[i][k], d[i - 2][k - 2] + 1);
        }
    }
    return d[n][m];
}

const char *cli_nearest_option(const struct mien_cli *c, const char *word)
{
    size_t n = strlen(word), best = SIZE_MAX;
    const char *name = NULL;
    const struct mien_option *o;
    for (size_t i = 0; n >= 2 && (o = cli_option(c, i)) != NULL; i++) {
        if (o->name == NULL || is_hidden(o))
            continue;
        size_t wrong = strncmp(o->name, word, n) == 0 ? 1 : distance(word, o->name);
        if (wrong > (n + 1) / 3 || wrong >= best)
            continue;
        best = wrong;
        name = o->alias != NULL ? o->alias : o->name;
    }
    return name;
}

/* --- --help -------------------------------------------------------------------------------- */

/* What stays on one line: a word, or several in brackets. */
static size_t word_length(const char *text)
{
    const char *end = text[0] == '[' ? strchr(text, ']') : NULL;
    if (end != NULL && end - text < WIDTH / 2)
        return (size_t)(end - text) + 1;
    return strcspn(text, " \n");
}

/* Prints the words of one line of text in lines of at most WIDTH columns: at is the column where
   the first starts, indent that of further lines. */
static void print_wrapped(const char *text, size_t at, size_t indent)
{
    for (bool first = true; strchr("\n", *(text += strspn(text, " "))) == NULL; first = false) {
        size_t n = word_length(text);
        if (!first && at + 1 + n > WIDTH) {
            printf("\n%*s", (int)indent, "");
            at = indent;
        } else if (!first) {
            putchar(' ');
            at++;
        }
        printf("%.*s", (int)n, text);
        at += n;
        text += n;
    }
    putchar('\n');
}

/* "-m, --margin F" */
static size_t option_text(const struct mien_option *o, char text[64])
{
    char letter[4] = "";
    if (o->letter != 0)
        snprintf(letter, sizeof letter, "-%c,", o->letter);
    snprintf(text, 64, "%-3s --%s%s%s", letter, o->name, o->arg != NULL ? " " : "",
             o->arg != NULL ? o->arg : "");
    return strlen(text);
}

static bool is_group(const struct mien_option *o)
{
    return o->name == NULL && o->alias == NULL;
}

static bool is_shown(const struct mien_option *o)
{
    return o->name != NULL && o->alias == NULL && !is_hidden(o);
}

static void print_options(const struct mien_cli *c)
{
    size_t wide = 0;
    char text[64];
    const struct mien_option *o;
    for (size_t i = 0; (o = cli_option(c, i)) != NULL; i++) {
        size_t n = is_shown(o) ? option_text(o, text) : 0;
        if (n > wide && n <= WIDEST)
            wide = n;
    }
    for (size_t i = 0; (o = cli_option(c, i)) != NULL; i++) {
        if (is_group(o))
            printf("%s%s:\n", i > 0 ? "\n" : "", o->help);
        if (!is_shown(o))
            continue;
        size_t n = option_text(o, text);
        if (n > wide)
            printf("  %s\n%*s", text, (int)wide + 4, "");
        else
            printf("  %-*s  ", (int)wide, text);
        print_wrapped(o->help, wide + 4, wide + 4);
    }
}

static void print_examples(const char *line)
{
    printf("\nExamples:\n");
    while (*line != '\0') {
        size_t n = strcspn(line, "\n");
        printf("  %.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
}

/* The ways to call the program, one a line of the synopsis. */
static void print_usage(const struct mien_cli *c)
{
    const char *lead = "usage:", *line = c->synopsis;
    for (; *line != '\0'; lead = "      ") {
        int n = printf("%s %s ", lead, c->name);
        print_wrapped(line, (size_t)n, strlen("usage: "));
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
}

void cli_help(const struct mien_cli *c)
{
    print_usage(c);
    print_wrapped(c->purpose, 0, 0);
    printf("\n");
    print_options(c);
    if (c->examples != NULL)
        print_examples(c->examples);
    printf("\nManual: man %s\n", c->name);
}

void cli_list_options(const struct mien_cli *c)
{
    const struct mien_option *o;
    for (size_t i = 0; (o = cli_option(c, i)) != NULL; i++) {
        if (!is_shown(o))
            continue;
        const char letter[] = {'-', o->letter, '\0'};
        printf("%s\t--%s\t%s\t%s\t%s\n", o->letter != 0 ? letter : "", o->name,
               o->arg != NULL ? o->arg : "", o->choices != NULL ? o->choices : "", o->help);
    }
}
