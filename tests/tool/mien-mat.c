/* mien-mat [-a] NAME=TABLE ... > FILE.mat: tables, with tabs and a header, as MATLAB structs of columns;
   or, behind -a, as arrays of structs. A column of numbers is one of doubles, another one of cells. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../mat_make.h"

enum { MAX_ROWS = 10000, MAX_COLUMNS = 30, MAX_LINE = 4096 };

struct table {
    int rows, columns;
    char *cell[MAX_ROWS][MAX_COLUMNS]; /* the first row has the names */
};

static void read_table(const char *path, struct table *t)
{
    char line[MAX_LINE];
    FILE *f = fopen(path, "r");
    if (f == NULL) {
        perror(path);
        exit(1);
    }
    for (t->rows = 0; t->rows < MAX_ROWS && fgets(line, sizeof line, f); t->rows++) {
        line[strcspn(line, "\n")] = '\0';
        t->columns = 0;
        for (char *p = line, *end; p != NULL && t->columns < MAX_COLUMNS; p = end) {
            end = strchr(p, '\t');
            if (end != NULL)
                *end++ = '\0';
            t->cell[t->rows][t->columns++] = strdup(p);
        }
    }
    fclose(f);
}

static bool is_number(const char *s)
{
    char *end;
    strtod(s, &end);
    return *s != '\0' && *end == '\0';
}

static void put_column(struct mk *m, const struct table *t, int k)
{
    static double v[MAX_ROWS];
    int numbers = 0;
    for (int i = 1; i < t->rows; i++) {
        numbers += is_number(t->cell[i][k]);
        v[i - 1] = atof(t->cell[i][k]);
    }
    if (numbers == t->rows - 1) {
        mk_reals(m, "", MK_DOUBLE, v, (uint32_t)numbers);
        return;
    }
    size_t at = mk_begin(m, MK_CELL_CLASS, "", (uint32_t)t->rows - 1);
    for (int i = 1; i < t->rows; i++)
        mk_text(m, MK_UTF16, t->cell[i][k]);
    mk_end(m, at);
}

static void put_struct(struct mk *m, const char *name, const struct table *t, bool array)
{
    size_t at = mk_begin(m, MK_STRUCT_CLASS, name, array ? (uint32_t)t->rows - 1 : 1);
    mk_fields(m, (const char *const *)t->cell[0], t->columns);
    for (int i = 1; array && i < t->rows; i++) {
        for (int k = 0; k < t->columns; k++) {
            double v = atof(t->cell[i][k]);
            if (is_number(t->cell[i][k]))
                mk_reals(m, "", MK_DOUBLE, &v, 1);
            else
                mk_text(m, MK_UTF16, t->cell[i][k]);
        }
    }
    for (int k = 0; !array && k < t->columns; k++)
        put_column(m, t, k);
    mk_end(m, at);
}

int main(int argc, char **argv)
{
    static struct table t;
    struct mk m = {.tall = true};
    struct mien_buf out = {0};
    bool array = false;
    for (int i = 1; i < argc; i++) {
        char *path = strchr(argv[i], '=');
        if (strcmp(argv[i], "-a") == 0) {
            array = true;
            continue;
        }
        if (path == NULL)
            return 2;
        *path++ = '\0';
        read_table(path, &t);
        put_struct(&m, argv[i], &t, array);
    }
    mk_file(&m, false, &out);
    return fwrite(out.data, 1, out.len, stdout) != out.len;
}
