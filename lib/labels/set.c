#include "set.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/file.h"
#include "util/num.h"
#include "util/share.h"

enum { MAX_SET = 1 << 20, MAX_PATH = 4096 };

static int take_flag(bool *flag, const char *value, struct mien_err *e)
{
    if (*value != '\0')
        return mien_err_set(e, MIEN_ERR_FORMAT, "it takes no value");
    *flag = true;
    return 0;
}

static int take_choice(int *out, const char *value, const char *const *words, struct mien_err *e)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], value) == 0) {
            *out = i;
            return 0;
        }
    }
    return mien_err_set(e, MIEN_ERR_FORMAT, "'%s' is not one of its values", value);
}

static int take_text(const char **out, const char *value, struct mien_err *e)
{
    if (*value == '\0')
        return mien_err_set(e, MIEN_ERR_FORMAT, "it needs a value");
    *out = value;
    return 0;
}

/* Takes a key that stands for a text; 1 where it does, 0 where it doesn't, or a negative code. */
static int take_texts(struct set *s, const char *key, const char *value, struct mien_err *e)
{
    const struct {
        const char *key;
        const char **text;
    } texts[] = {{"title", &s->title},         {"source", &s->source},
                 {"license", &s->license},     {"crop", &s->crop},
                 {"path", &s->rule.path},      {"names", &s->rule.names},
                 {"file", &s->rule.file},      {"female", &s->rule.codes.female},
                 {"male", &s->rule.codes.male}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (strcmp(texts[i].key, key) != 0)
            continue;
        int rc = take_text(texts[i].text, value, e);
        return rc < 0 ? rc : 1;
    }
    return 0;
}

static int take(struct set *s, const char *key, const char *value, struct mien_err *e)
{
    static const char *const orders[] = {"auto", "ymd", "dmy", "mdy", "datenum", "excel", NULL};
    static const char *const fractions[] = {"cut", "round", NULL};
    static const struct {
        const char *key;
        int (*take)(void *rule, const char *value, struct mien_err *e);
    } functions[] = {{"column", rule_column},       {"fields", rule_fields},
                     {"age-classes", rule_classes}, {"separator", rule_separator},
                     {"value", rule_value},         {"ignore", rule_ignore}};
    long long n;
    int round = 0, rc = take_texts(s, key, value, e);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (strcmp(functions[i].key, key) == 0)
            return functions[i].take(&s->rule, value, e);
    if (strcmp(key, "no-header") == 0)
        return take_flag(&s->rule.no_header, value, e);
    if (strcmp(key, "no-repeats") == 0)
        return take_flag(&s->rule.no_repeats, value, e);
    if (strcmp(key, "no-box") == 0)
        return take_flag(&s->rule.no_box, value, e);
    if (strcmp(key, "date") == 0)
        return take_choice(&s->rule.date, value, orders, e);
    if (strcmp(key, "age-fraction") == 0) {
        rc = take_choice(&round, value, fractions, e);
        s->rule.ages.round = round == 1;
        return rc;
    }
    if (strcmp(key, "age-offset") == 0) {
        rc = num_int(value, -1000, 1000, &n, e);
        s->rule.ages.offset = rc < 0 ? 0 : (int)n;
        return rc;
    }
    return mien_err_set(e, MIEN_ERR_FORMAT, "not a key of a set");
}

/* Cuts blanks off the end. */
static void trim_end(char *s)
{
    size_t n = strlen(s);
    while (n > 0 && strchr(" \t\r", s[n - 1]))
        s[--n] = '\0';
}

static int parse(struct set *s, const char *path, struct mien_err *e)
{
    int number = 0;
    for (char *line = s->text, *next; line != NULL; line = next) {
        struct mien_err why;
        if ((next = strchr(line, '\n')) != NULL)
            *next++ = '\0';
        number++;
        line += strspn(line, " \t");
        trim_end(line);
        if (*line == '\0' || *line == '#')
            continue;
        char *value = line + strcspn(line, " \t");
        if (*value != '\0') {
            *value++ = '\0';
            value += strspn(value, " \t");
        }
        int rc = take(s, line, value, &why);
        if (rc < 0)
            return mien_err_set(e, rc, "'%s', line %d: %s: %s", path, number, line, why.msg);
    }
    /* A set has several tables, of different columns. */
    for (int i = 0; i < ROLES; i++)
        s->rule.maybe[i] = i != ROLE_PATH;
    return 0;
}

static int read_file(const char *path, struct set *s, struct mien_err *e)
{
    struct mien_buf b = {0};
    *s = (struct set){.title = "", .source = "", .license = "", .crop = ""};
    int fd = file_open(path, e);
    if (fd < 0)
        return fd;
    int rc = file_slurp(fd, &b, MAX_SET, path, e);
    close(fd);
    if (rc == 0 && mien_buf_append(&b, "", 1) < 0)
        rc = mien_err_mem(e, b.len, "a set");
    if (rc < 0) {
        mien_buf_free(&b);
        return rc;
    }
    s->text = (char *)b.data;
    rc = parse(s, path, e);
    if (rc < 0)
        set_free(s);
    return rc;
}

static bool ends_in_set(const char *name)
{
    size_t n = strlen(name);
    return n > 4 && strcmp(name + n - 4, ".set") == 0;
}

int set_read(const char *name, struct set *s, struct mien_err *e)
{
    char path[MAX_PATH], file[256];
    if (strchr(name, '/') != NULL || ends_in_set(name))
        return read_file(name, s, e);
    int n = snprintf(file, sizeof file, "%s.set", name);
    /* Sets of one's own may be spelled otherwise. */
    if (n >= 0 && (size_t)n < sizeof file && share_find("sets", file, path, sizeof path) == NULL) {
        for (char *p = file; *p != '\0'; p++)
            *p = (char)tolower((unsigned char)*p);
    }
    if (n < 0 || (size_t)n >= sizeof file || share_find("sets", file, path, sizeof path) == NULL)
        return mien_err_set(e, MIEN_ERR_ARG,
                            "no set is named '%s': --sets lists those that are known", name);
    return read_file(path, s, e);
}

void set_free(struct set *s)
{
    free(s->text);
    *s = (struct set){0};
}

/* --- The list ------------------------------------------------------------------------------- */

struct name {
    char s[256];
};

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Appends the names of the sets in a folder. */
static int add_names(struct mien_buf *names, const char *folder)
{
    DIR *d = *folder != '\0' ? opendir(folder) : NULL;
    int rc = 0;
    for (struct dirent *f; d != NULL && (f = readdir(d)) != NULL;) {
        struct name name = {""};
        size_t n = strlen(f->d_name);
        if (!ends_in_set(f->d_name) || f->d_name[0] == '.' || n - 4 >= sizeof name.s)
            continue;
        memcpy(name.s, f->d_name, n - 4);
        rc |= mien_buf_append(names, &name, sizeof name);
    }
    if (d != NULL)
        closedir(d);
    return rc;
}

int set_list(struct mien_buf *out, struct mien_err *e)
{
    struct mien_buf names = {0};
    char path[MAX_PATH];
    int rc = 0;
    for (int i = 0; share_folder(i, "sets", path, sizeof path); i++)
        rc |= add_names(&names, path);
    size_t n = names.len / sizeof(struct name);
    struct name *name = (struct name *)(void *)names.data;
    if (n > 0)
        qsort(name, n, sizeof *name, by_name);
    for (size_t i = 0; i < n && rc == 0; i++) {
        struct set s;
        struct mien_err why;
        if (i > 0 && strcmp(name[i].s, name[i - 1].s) == 0)
            continue;
        if (set_read(name[i].s, &s, &why) < 0) {
            rc = mien_buf_printf(out, "%s\t%s\t\t\n", name[i].s, why.msg);
            continue;
        }
        rc = mien_buf_printf(out, "%s\t%s\t%s\t%s\n", name[i].s, s.title, s.license, s.source);
        set_free(&s);
    }
    mien_buf_free(&names);
    return rc < 0 ? mien_err_mem(e, 1, "a list of sets") : 0;
}
