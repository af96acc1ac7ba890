#include "cli/table.h"

#include <unistd.h>

#include "cli/streams.h"
#include "util/clock.h"

enum { FLUSH = 64 * 1024 };

static void check(const struct cli_table *t, int rc)
{
    if (rc < 0)
        mien_cli_die(t->cli, "out of memory");
}

/* On a terminal the columns are those of the records that have come by now, if they come slowly. */
static bool has_waited(struct cli_table *t)
{
    static const double patience = 0.3; /* seconds */
    if (t->rows == 0)
        t->began = clock_coarse();
    return clock_coarse() - t->began > patience;
}

void cli_table_begin(struct cli_table *t, const struct mien_cli *c)
{
    *t = (struct cli_table){.cli = c, .at_once = isatty(STDOUT_FILENO) == 1};
}

void cli_table_add(struct cli_table *t, const struct mien_rec *r)
{
    int rc = text_table_add(&t->text, r, &t->out);
    if (rc == 0 && t->at_once && has_waited(t))
        rc = text_table_settle(&t->text, &t->out);
    t->rows++;
    t->errors += mien_rec_has(r, MIEN_TAG_ERROR);
    cli_table_appended(t, rc);
}

void cli_table_appended(struct cli_table *t, int rc)
{
    check(t, rc);
    if (t->at_once || t->out.len >= FLUSH)
        cli_print(t->cli, &t->out);
}

void cli_table_print(struct cli_table *t)
{
    check(t, text_table_settle(&t->text, &t->out));
    cli_print(t->cli, &t->out);
}

void cli_table_end(struct cli_table *t)
{
    struct mien_buf unseen = {0};
    cli_table_print(t);
    check(t, text_table_unseen(&t->text, &unseen));
    if (unseen.len > 0)
        mien_cli_note(t->cli, "only later records have these fields, which -c shows: %.*s",
                      (int)unseen.len, (const char *)unseen.data);
    mien_buf_free(&unseen);
    if (t->errors > 0 && !text_table_has(&t->text, MIEN_TAG_ERROR))
        mien_cli_note(t->cli, "%llu of these records have an error; -c id,error shows it",
                      (unsigned long long)t->errors);
    text_table_free(&t->text);
    mien_buf_free(&t->out);
}
