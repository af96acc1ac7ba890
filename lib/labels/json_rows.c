#include "json_rows.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "columns.h"
#include "mien/buf.h"
#include "text_in.h"
#include "util/json.h"
#include "util/num.h"

enum {
    AHEAD = 256,
    MAX_KEYS = 1000,
    MAX_OBJECT = 256 << 10,
    MAX_KEY = 4096,
    ENOUGH = 4096,
    MAX_DEPTH = 20
};

struct json_rows {
    struct text_in text_in;
    bool eof, begun;
    bool keyed;              /* the objects are members of one */
    struct mien_buf key_now; /* the name of the one that comes next, quoted */
    uint64_t line, row_line;
    struct mien_buf in; /* bytes read; those from pos on are unused */
    size_t pos;
    struct waiting {
        json_t *object;
        uint64_t line;
    } ahead[AHEAD]; /* read for their members' names: nahead of them, the first `taken` are used */
    size_t nahead, taken;
    size_t bytes; /* of the objects' text so far */
    int late;     /* what ended the reading ahead: 0 or a negative code, with late_err */
    struct mien_err late_err;
    char *key[MAX_KEYS];
    size_t nkey;
    size_t likely;         /* the key of the member that comes next, where the order is the same */
    struct mien_buf cells; /* struct csv_cell, one a key */
    struct mien_buf text;  /* what they hold */
    struct span {
        size_t at, len;
    } * span; /* where in it, one a key */
};

struct json_rows *json_rows_new(int fd, const void *head, size_t n, struct mien_err *e)
{
    struct json_rows *j = calloc(1, sizeof *j);
    if (j == NULL) {
        mien_err_mem(e, sizeof *j, "a JSON reader");
        return NULL;
    }
    text_in_start(&j->text_in, fd, head, n);
    j->line = 1;
    return j;
}

void json_rows_free(struct json_rows *j)
{
    if (j == NULL)
        return;
    for (size_t i = j->taken; i < j->nahead; i++)
        json_decref(j->ahead[i].object);
    for (size_t i = 0; i < j->nkey; i++)
        free(j->key[i]);
    mien_buf_free(&j->in);
    mien_buf_free(&j->key_now);
    mien_buf_free(&j->cells);
    mien_buf_free(&j->text);
    free(j->span);
    free(j);
}

uint64_t json_rows_line(const struct json_rows *j)
{
    return j->row_line;
}

/* --- Objects -------------------------------------------------------------------------------- */

/* Reads more behind in[]. Returns 1, 0 at the end, or a negative code. */
static int fill(struct json_rows *j, struct mien_err *e)
{
    if (j->eof)
        return 0;
    if (j->pos > 0) {
        memmove(j->in.data, j->in.data + j->pos, j->in.len - j->pos);
        j->in.len -= j->pos;
        j->pos = 0;
    }
    if (mien_buf_reserve(&j->in, TEXT_IN_CHUNK) < 0)
        return mien_err_mem(e, TEXT_IN_CHUNK, "JSON");
    ssize_t n = text_in_read(&j->text_in, j->in.data + j->in.len, TEXT_IN_CHUNK, e);
    if (n < 0)
        return (int)n;
    j->in.len += (size_t)n;
    j->eof = n == 0;
    return n > 0;
}

/* Reads a name that begins at pos, quoted as it is, into key_now. */
static int read_key(struct json_rows *j, struct mien_err *e)
{
    size_t n = 1;
    for (bool escaped = false;; n++) {
        if (j->pos + n == j->in.len) {
            int rc = fill(j, e);
            if (rc < 0)
                return rc;
            if (rc == 0)
                return mien_err_set(e, MIEN_ERR_LIMIT, "line %llu: a name is cut short",
                                    (unsigned long long)j->line);
        }
        if (n == MAX_KEY)
            return mien_err_set(e, MIEN_ERR_LIMIT, "line %llu: a name of more than %d bytes",
                                (unsigned long long)j->line, MAX_KEY);
        unsigned char c = j->in.data[j->pos + n];
        if (!escaped && c == '"')
            break;
        escaped = !escaped && c == '\\';
    }
    mien_buf_clear(&j->key_now);
    if (mien_buf_append(&j->key_now, j->in.data + j->pos, n + 1) < 0)
        return mien_err_mem(e, n, "a name");
    j->pos += n;
    return 0;
}

/* Steps over what lies between objects. Returns 1 before an object, 0 at the end. */
static int find_object(struct json_rows *j, struct mien_err *e)
{
    for (;; j->pos++) {
        int rc;
        if (j->pos == j->in.len && (rc = fill(j, e)) <= 0)
            return rc;
        unsigned char c = j->in.data[j->pos];
        if (c == '{')
            return 1;
        j->line += c == '\n';
        if (j->keyed && c == '"') {
            if ((rc = read_key(j, e)) < 0)
                return rc;
            continue;
        }
        if (j->keyed ? !isspace(c) && c != ',' && c != ':' && c != '}'
                     : !isspace(c) && c != ',' && c != '[' && c != ']')
            return mien_err_set(e, MIEN_ERR_LIMIT,
                                "line %llu: JSON, but not an array of objects or an object a line",
                                (unsigned long long)j->line);
    }
}

/* Measures the object at pos. Returns its bytes or a negative code. */
static long long measure(struct json_rows *j, struct mien_err *e)
{
    bool string = false, escaped = false;
    int depth = 0;
    for (size_t n = 0;; n++) {
        if (j->pos + n == j->in.len) {
            int rc = fill(j, e);
            if (rc < 0)
                return rc;
            if (rc == 0)
                return mien_err_set(e, MIEN_ERR_LIMIT, "line %llu: an object is cut short",
                                    (unsigned long long)j->row_line);
        }
        if (n == MAX_OBJECT)
            return mien_err_set(e, MIEN_ERR_LIMIT, "line %llu: an object of more than %d bytes",
                                (unsigned long long)j->row_line, MAX_OBJECT);
        unsigned char c = j->in.data[j->pos + n];
        j->line += c == '\n';
        if (escaped) {
            escaped = false;
        } else if (string) {
            escaped = c == '\\';
            string = c != '"';
        } else if (c == '"') {
            string = true;
        } else if (c == '{') {
            depth++;
        } else if (c == '}' && --depth == 0) {
            return (long long)n + 1;
        }
    }
}

/* Makes the object's name in the one that holds it a member, if it has none of that name. */
static int add_own_key(struct json_rows *j, json_t *object)
{
    if (!j->keyed || json_object_get(object, "key") != NULL)
        return 0;
    json_t *name = json_loadb((char *)j->key_now.data, j->key_now.len, JSON_DECODE_ANY, NULL);
    /* One that can't be read is no reason to lose the object; the row will lack its path. */
    return name == NULL ? 0 : json_object_set_new(object, "key", name);
}

/* Reads the next object. Returns 1, 0 at the end, MIEN_ERR_FORMAT for one that is skipped, or
   another negative code. */
static int next_object(struct json_rows *j, json_t **out, struct mien_err *e)
{
    struct mien_err why;
    int rc = find_object(j, e);
    if (rc <= 0)
        return rc;
    j->row_line = j->line;
    long long n = measure(j, e);
    if (n < 0)
        return (int)n;
    *out = json_read(j->in.data + j->pos, (size_t)n, 0, &rc, &why);
    j->pos += (size_t)n;
    j->bytes += (size_t)n;
    if (*out == NULL)
        return mien_err_set(e, rc, "line %llu: %s", (unsigned long long)j->row_line, why.msg);
    if (add_own_key(j, *out) < 0) {
        json_decref(*out);
        return mien_err_mem(e, j->key_now.len, "a name");
    }
    return 1;
}

/* --- An object of objects ------------------------------------------------------------------- */

static const unsigned char *skip_space(const unsigned char *p, const unsigned char *end)
{
    while (p < end && isspace(*p))
        p++;
    return p;
}

/* Past the string or the object at p; end where that comes first. */
static const unsigned char *skip_value(const unsigned char *p, const unsigned char *end)
{
    int depth = 0;
    for (bool string = false; p < end; p++) {
        if (string && *p == '\\')
            p++;
        else if (*p == '"')
            string = !string;
        else if (!string)
            depth += (*p == '{') - (*p == '}');
        if (!string && depth == 0)
            return p + 1;
    }
    return end;
}

/* Whether what begins here is an object of objects, as far as it has been read. */
static bool looks_keyed(const struct json_rows *j)
{
    const unsigned char *p = j->in.data + j->pos, *end = j->in.data + j->in.len;
    int members = 0;
    bool image = false;
    p = skip_space(p, end);
    if (p == end || *p != '{')
        return false;
    for (p = skip_space(p + 1, end); p < end && *p == '"'; p = skip_space(p, end)) {
        const unsigned char *name = p;
        p = skip_value(p, end);
        image |= p - name > 2 && columns_is_image((struct csv_cell){(const char *)name + 1,
                                                                    (size_t)(p - name) - 2});
        p = skip_space(p, end);
        if (p == end || *p != ':')
            break;
        p = skip_space(p + 1, end);
        if (p < end && *p != '{')
            return false;
        members += p < end;
        p = skip_space(skip_value(p, end), end);
        p += p < end && *p == ',';
    }
    return members > 1 || (members == 1 && image);
}

/* Reads ahead to tell, and enters the outer object if there is one. */
static int begin(struct json_rows *j, struct mien_err *e)
{
    int rc = 1;
    while (rc > 0 && j->in.len < ENOUGH)
        rc = fill(j, e);
    if (rc < 0)
        return rc;
    j->keyed = looks_keyed(j);
    if (!j->keyed)
        return 0;
    while (j->in.data[j->pos] != '{')
        j->line += j->in.data[j->pos++] == '\n';
    j->pos++;
    return 0;
}

/* --- Cells ---------------------------------------------------------------------------------- */

/* The members of objects in objects, one after another. visit returns 0 or a negative code. */
typedef int visitor(struct json_rows *j, const char *name, const json_t *value, struct mien_err *e);

static int each_member(struct json_rows *j, json_t *object, const char *prefix, int depth,
                       visitor *visit, struct mien_err *e)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        char name[256];
        size_t a = strlen(prefix), b = strlen(key);
        if (a + b >= sizeof name)
            continue;
        memcpy(name, prefix, a);
        memcpy(name + a, key, b + 1);
        int rc = 0;
        if (!json_is_object(value)) {
            rc = visit(j, name, value, e);
        } else if (depth < MAX_DEPTH && a + b + 1 < sizeof name) {
            memcpy(name + a + b, ".", 2);
            rc = each_member(j, value, name, depth + 1, visit, e);
        }
        if (rc < 0)
            return rc;
    }
    return 0;
}

static size_t find_key(const struct json_rows *j, const char *name, size_t likely)
{
    if (likely < j->nkey && strcmp(j->key[likely], name) == 0)
        return likely;
    size_t i = 0;
    while (i < j->nkey && strcmp(j->key[i], name) != 0)
        i++;
    return i;
}

static int add_key(struct json_rows *j, const char *name, const json_t *value, struct mien_err *e)
{
    (void)value;
    if (find_key(j, name, j->nkey) < j->nkey || j->nkey == MAX_KEYS)
        return 0;
    j->key[j->nkey] = strdup(name);
    if (j->key[j->nkey] == NULL)
        return mien_err_mem(e, strlen(name), "a name");
    j->nkey++;
    return 0;
}

/* Appends a value's text to the row's. */
static int put_value(struct json_rows *j, const json_t *v, int depth)
{
    char number[NUM_TEXT];
    int rc = 0;
    size_t i;
    json_t *part;
    switch (json_typeof(v)) {
    case JSON_STRING:
        return mien_buf_append(&j->text, json_string_value(v), json_string_length(v));
    case JSON_INTEGER:
        return mien_buf_printf(&j->text, "%lld", (long long)json_integer_value(v));
    case JSON_REAL:
        num_print(number, json_real_value(v));
        return mien_buf_append(&j->text, number, strlen(number));
    case JSON_TRUE:
        return mien_buf_append(&j->text, "true", 4);
    case JSON_FALSE:
        return mien_buf_append(&j->text, "false", 5);
    case JSON_ARRAY:
        json_array_foreach((json_t *)v, i, part)
        {
            if (depth < MAX_DEPTH)
                rc |=
                    (i > 0 ? mien_buf_append(&j->text, " ", 1) : 0) | put_value(j, part, depth + 1);
        }
        return rc;
    default:
        return 0;
    }
}

static int set_cell(struct json_rows *j, const char *name, const json_t *value, struct mien_err *e)
{
    size_t k = find_key(j, name, j->likely), at = j->text.len;
    j->likely = k + 1;
    if (k == j->nkey)
        return 0;
    if (put_value(j, value, 0) < 0 || mien_buf_append(&j->text, "", 1) < 0)
        return mien_err_mem(e, j->text.len, "a row");
    j->span[k] = (struct span){at, j->text.len - 1 - at};
    return 0;
}

static int to_cells(struct json_rows *j, json_t *object, const struct csv_cell **cell, size_t *n,
                    struct mien_err *e)
{
    j->likely = 0;
    mien_buf_clear(&j->text);
    mien_buf_clear(&j->cells);
    if (mien_buf_append(&j->text, "", 1) < 0 ||
        mien_buf_reserve(&j->cells, (j->nkey + 1) * sizeof **cell) < 0)
        return mien_err_mem(e, j->nkey * sizeof **cell, "a row");
    memset(j->span, 0, j->nkey * sizeof *j->span); /* absent: the empty text */
    int rc = each_member(j, object, "", 0, set_cell, e);
    if (rc < 0)
        return rc;
    struct csv_cell *out = (struct csv_cell *)(void *)j->cells.data;
    for (size_t i = 0; i < j->nkey; i++)
        out[i] = (struct csv_cell){(char *)j->text.data + j->span[i].at, j->span[i].len};
    *cell = out;
    *n = j->nkey;
    return 1;
}

/* Reads ahead for the names, which are the first row. */
static int read_names(struct json_rows *j, const struct csv_cell **cell, size_t *n,
                      struct mien_err *e)
{
    int begun = begin(j, e);
    if (begun < 0)
        return begun;
    while (j->nahead < AHEAD && j->bytes < MAX_OBJECT) {
        json_t *object;
        int rc = next_object(j, &object, &j->late_err);
        if (rc <= 0) {
            j->late = rc; /* told in its turn */
            break;
        }
        j->ahead[j->nahead++] = (struct waiting){object, j->row_line};
        if ((rc = each_member(j, object, "", 0, add_key, e)) < 0)
            return rc;
    }
    if (j->nahead == 0 && j->late < 0) {
        *e = j->late_err;
        return j->late == MIEN_ERR_FORMAT ? MIEN_ERR_LIMIT : j->late;
    }
    j->span = calloc(j->nkey + 1, sizeof *j->span);
    if (j->span == NULL || mien_buf_reserve(&j->cells, (j->nkey + 1) * sizeof **cell) < 0)
        return mien_err_mem(e, j->nkey * sizeof **cell, "a row");
    struct csv_cell *out = (struct csv_cell *)(void *)j->cells.data;
    for (size_t i = 0; i < j->nkey; i++)
        out[i] = (struct csv_cell){j->key[i], strlen(j->key[i])};
    *cell = out;
    *n = j->nkey;
    return j->nahead > 0;
}

int json_rows_read(struct json_rows *j, const struct csv_cell **cell, size_t *n, struct mien_err *e)
{
    json_t *object;
    if (!j->begun) {
        j->begun = true;
        return read_names(j, cell, n, e);
    }
    if (j->taken < j->nahead) {
        struct waiting w = j->ahead[j->taken++];
        j->row_line = w.line;
        object = w.object;
    } else if (j->late < 0) {
        int rc = j->late;
        *e = j->late_err;
        j->late = 0;
        return rc;
    } else {
        int rc = next_object(j, &object, e);
        if (rc <= 0)
            return rc;
    }
    int rc = to_cells(j, object, cell, n, e);
    json_decref(object);
    return rc;
}
