/* Reading and writing safetensors files. Tensors are used in place, so the host must be
   little-endian as the format is. */
#include "mien/safetensors.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "util/bytes.h"
#include "util/file.h"
#include "st_writer.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tensors are mapped into memory as they are in the file: little-endian hosts only"
#endif

#define META  "__metadata__"
#define PAD   "_pad"
#define ALIGN 64 /* of the data in the file; the data of a writer's tensors begin there */

static const struct {
    const char *name;
    size_t size;
} types[] = {
    [MIEN_ST_U8] = {"U8", 1},   [MIEN_ST_I32] = {"I32", 4}, [MIEN_ST_I64] = {"I64", 8},
    [MIEN_ST_U64] = {"U64", 8}, [MIEN_ST_F16] = {"F16", 2}, [MIEN_ST_F32] = {"F32", 4},
    [MIEN_ST_F64] = {"F64", 8},
};

size_t mien_st_size(enum mien_dtype dtype)
{
    return types[dtype].size;
}

const char *mien_st_dtype_name(enum mien_dtype dtype)
{
    return types[dtype].name;
}

/* Sets count and bytes from the type and shape. False when they overflow. */
static bool measure(struct mien_tensor *t)
{
    t->count = 1;
    for (int i = 0; i < t->ndim; i++)
        if (__builtin_mul_overflow(t->count, t->shape[i], &t->count))
            return false;
    return !__builtin_mul_overflow(t->count, mien_st_size(t->dtype), &t->bytes);
}

/* --- Reading ------------------------------------------------------------------------------ */

struct mien_safetensors {
    struct file_map map;
    json_t *header; /* owns the names and the metadata */
    struct mien_tensor *tensor;
    size_t n;
};

/* A whole number that isn't negative, at most max. */
static bool get_size(const json_t *v, size_t max, size_t *out)
{
    if (!json_is_integer(v) || json_integer_value(v) < 0 ||
        (unsigned long long)json_integer_value(v) > max)
        return false;
    *out = (size_t)json_integer_value(v);
    return true;
}

/* Fills t from its description. data has len bytes. Returns the cause of a failure or NULL. */
static const char *parse_tensor(struct mien_tensor *t, const json_t *v, const unsigned char *data,
                                size_t len)
{
    const char *dtype = json_string_value(json_object_get(v, "dtype"));
    const json_t *shape = json_object_get(v, "shape");
    const json_t *range = json_object_get(v, "data_offsets");
    if (!dtype || !json_is_array(shape) || json_array_size(range) != 2)
        return "has no type, shape or range";

    size_t k = 0, ntypes = sizeof types / sizeof types[0];
    while (k < ntypes && strcmp(dtype, types[k].name) != 0)
        k++;
    if (k == ntypes)
        return "has a type that isn't one of U8 I32 I64 U64 F16 F32 F64";
    t->dtype = (enum mien_dtype)k;

    if (json_array_size(shape) > MIEN_ST_MAX_DIMS)
        return "has too many dimensions";
    t->ndim = (int)json_array_size(shape);
    for (int i = 0; i < t->ndim; i++)
        if (!get_size(json_array_get(shape, (size_t)i), SIZE_MAX, &t->shape[i]))
            return "has a dimension that is no size";

    size_t begin, end;
    if (!get_size(json_array_get(range, 0), len, &begin) ||
        !get_size(json_array_get(range, 1), len, &end) || begin > end)
        return "has a range that isn't within the file";
    if (!measure(t) || end - begin != t->bytes)
        return "has a range that isn't as long as its shape and type say";
    t->data = data + begin;
    if ((uintptr_t)t->data % mien_st_size(t->dtype) != 0)
        return "isn't aligned to its elements";
    return NULL;
}

/* By place; an empty tensor before the one that starts where it stands. */
static int compare_tensors(const void *pa, const void *pb)
{
    const struct mien_tensor *a = pa, *b = pb;
    const unsigned char *x = a->data, *y = b->data;
    if (x != y)
        return x < y ? -1 : 1;
    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? -1 : 1;
    return strcmp(a->name, b->name);
}

static int check_metadata(const json_t *meta, const char *path, struct mien_err *e)
{
    if (!json_is_object(meta))
        return mien_err_set(e, MIEN_ERR_FORMAT, "'%s': the header's %s is not an object", path,
                            META);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)meta, key, value) if (!json_is_string(value)) return mien_err_set(
        e, MIEN_ERR_FORMAT, "'%s': metadata '%s' is not text", path, key);
    return 0;
}

/* Parses the header and checks it against the mapped file. */
static int parse(struct mien_safetensors *s, const char *path, struct mien_err *e)
{
    const unsigned char *file = s->map.data;
    size_t len = s->map.len;
    uint64_t hlen = len < 8 ? 0 : get_le64(file);
    if (len < 8 || hlen > len - 8 || hlen < 2 || file[8] != '{')
        return mien_err_set(e, MIEN_ERR_FORMAT, "'%s' is not a safetensors file, or cut short",
                            path);
    if (hlen > MIEN_ST_MAX_HEADER)
        return mien_err_set(e, MIEN_ERR_LIMIT,
                            "'%s': a header of %llu bytes is over the limit of %zu", path,
                            (unsigned long long)hlen, MIEN_ST_MAX_HEADER);

    json_error_t je;
    s->header = json_loadb((const char *)file + 8, (size_t)hlen, JSON_REJECT_DUPLICATES, &je);
    if (!s->header)
        return mien_err_set(e, MIEN_ERR_FORMAT, "'%s': header, byte %d: %s", path, je.position,
                            je.text);
    const unsigned char *data = file + 8 + hlen;
    size_t left = len - 8 - (size_t)hlen;

    s->tensor = calloc(json_object_size(s->header) + 1, sizeof *s->tensor);
    if (!s->tensor)
        return mien_err_mem(e, (json_object_size(s->header) + 1) * sizeof *s->tensor, "a header");
    const char *key;
    json_t *value;
    json_object_foreach(s->header, key, value)
    {
        if (strcmp(key, META) == 0) {
            int r = check_metadata(value, path, e);
            if (r < 0)
                return r;
            continue;
        }
        struct mien_tensor *t = &s->tensor[s->n++];
        t->name = key;
        const char *cause = parse_tensor(t, value, data, left);
        if (cause)
            return mien_err_set(e, MIEN_ERR_FORMAT, "'%s': tensor '%s' %s", path, key, cause);
    }

    qsort(s->tensor, s->n, sizeof *s->tensor, compare_tensors);
    const unsigned char *p = data;
    for (size_t i = 0; i < s->n; i++) {
        if (s->tensor[i].data != p)
            return mien_err_set(e, MIEN_ERR_FORMAT,
                                "'%s': tensor '%s' overlaps another or leaves a hole", path,
                                s->tensor[i].name);
        p += s->tensor[i].bytes;
    }
    if (p != data + left)
        return mien_err_set(e, MIEN_ERR_FORMAT, "'%s': %zu bytes at the end belong to no tensor",
                            path, (size_t)(data + left - p));
    return 0;
}

struct mien_safetensors *mien_st_open(const char *path, struct mien_err *e)
{
    struct mien_safetensors *s = calloc(1, sizeof *s);
    if (!s) {
        mien_err_mem(e, sizeof *s, "a file's description");
        return NULL;
    }
    if (file_map(path, &s->map, e) < 0 || parse(s, path, e) < 0) {
        mien_st_close(s);
        return NULL;
    }
    return s;
}

void mien_st_close(struct mien_safetensors *s)
{
    if (!s)
        return;
    free(s->tensor);
    json_decref(s->header);
    file_unmap(&s->map);
    free(s);
}

const struct mien_tensor *mien_st_find(const struct mien_safetensors *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->tensor[i].name, name) == 0)
            return &s->tensor[i];
    return NULL;
}

size_t mien_st_count(const struct mien_safetensors *s)
{
    return s->n;
}

const struct mien_tensor *mien_st_at(const struct mien_safetensors *s, size_t i)
{
    return &s->tensor[i];
}

const char *mien_st_meta(const struct mien_safetensors *s, const char *key)
{
    return json_string_value(json_object_get(json_object_get(s->header, META), key));
}

/* --- Writing ------------------------------------------------------------------------------ */

struct st_part {
    const void *data;
    size_t len;
};

struct st_writer {
    json_t *header, *meta; /* meta belongs to header */
    struct st_part *part;
    size_t npart, cap;
    uint64_t begin, end; /* of the last tensor */
};

struct st_writer *st_writer_new(struct mien_err *e)
{
    struct st_writer *w = calloc(1, sizeof *w);
    if (w) {
        w->header = json_object();
        w->meta = json_object();
        if (json_object_set_new(w->header, META, w->meta) == 0)
            return w;
    }
    st_writer_free(w);
    mien_err_mem(e, sizeof *w, "a file's description");
    return NULL;
}

void st_writer_free(struct st_writer *w)
{
    if (!w)
        return;
    json_decref(w->header);
    free(w->part);
    free(w);
}

/* Appends a tensor whose place is right. */
static int append(struct st_writer *w, const char *name, const struct mien_tensor *t,
                  struct mien_err *e)
{
    if (w->npart == w->cap) {
        size_t cap = w->cap ? 2 * w->cap : 32;
        struct st_part *p = realloc(w->part, cap * sizeof *p);
        if (!p)
            return mien_err_mem(e, cap * sizeof *p, "a list of tensors");
        w->part = p;
        w->cap = cap;
    }
    json_t *v = json_pack("{s:s, s:[], s:[I, I]}", "dtype", mien_st_dtype_name(t->dtype), "shape",
                          "data_offsets", (json_int_t)w->end, (json_int_t)(w->end + t->bytes));
    json_t *shape = json_object_get(v, "shape");
    for (int i = 0; i < t->ndim; i++)
        json_array_append_new(shape, json_integer((json_int_t)t->shape[i]));
    if (json_array_size(shape) != (size_t)t->ndim || json_object_set(w->header, name, v) < 0) {
        json_decref(v);
        return mien_err_set(e, MIEN_ERR_ARG, "cannot describe tensor '%s' (is its name UTF-8?)",
                            name);
    }
    json_decref(v);
    w->part[w->npart++] = (struct st_part){t->data, t->bytes};
    w->begin = w->end;
    w->end += t->bytes;
    return 0;
}

int st_add(struct st_writer *w, const char *name, enum mien_dtype dtype, int ndim,
           const size_t *shape, const void *data, struct mien_err *e)
{
    static const unsigned char zeros[8];
    struct mien_tensor t = {.dtype = dtype, .ndim = ndim, .data = data};
    if (ndim < 0 || ndim > MIEN_ST_MAX_DIMS)
        return mien_err_set(e, MIEN_ERR_ARG, "tensor '%s' has %d dimensions", name, ndim);
    for (int i = 0; i < ndim; i++)
        t.shape[i] = shape[i];
    if (!measure(&t) || t.bytes > INT64_MAX / 2 - w->end)
        return mien_err_set(e, MIEN_ERR_ARG, "tensor '%s' is too large", name);
    if (strncmp(name, PAD, strlen(PAD)) == 0 || json_object_get(w->header, name))
        return mien_err_set(e, MIEN_ERR_ARG, "the name '%s' is taken", name);

    size_t over = (size_t)(w->end % mien_st_size(dtype));
    if (over) {
        struct mien_tensor pad = {.dtype = MIEN_ST_U8, .ndim = 1, .data = zeros};
        pad.bytes = pad.shape[0] = mien_st_size(dtype) - over;
        char pname[32];
        snprintf(pname, sizeof pname, PAD "%zu", w->npart);
        int r = append(w, pname, &pad, e);
        if (r < 0)
            return r;
    }
    return append(w, name, &t, e);
}

int st_add_meta(struct st_writer *w, const char *key, const char *value, struct mien_err *e)
{
    json_t *v = json_string(value);
    if (!v) { /* not UTF-8 */
        char *ascii = strdup(value);
        for (char *p = ascii; p && *p; p++)
            if ((unsigned char)*p >= 0x80)
                *p = '?';
        v = json_string(ascii);
        free(ascii);
    }
    if (json_object_set_new(w->meta, key, v) < 0)
        return mien_err_mem(e, strlen(value), "metadata");
    return 0;
}

int st_header(const struct st_writer *w, size_t reserve, struct mien_buf *out, struct mien_err *e)
{
    char *text = json_dumps(w->header, JSON_COMPACT);
    if (!text)
        return mien_err_mem(e, ALIGN, "a header");
    size_t len = strlen(text), total = reserve;
    int r = 0;
    if (!reserve)
        total = (8 + len + ALIGN - 1) / ALIGN * ALIGN;
    if (8 + len > total)
        r = mien_err_set(e, MIEN_ERR_LIMIT, "a header of %zu bytes doesn't fit in %zu", len,
                         reserve);
    else if (mien_buf_reserve(out, total) < 0)
        r = mien_err_mem(e, total, "a header");
    else {
        unsigned char *p = out->data + out->len;
        put_le64(p, total - 8);
        memcpy(p + 8, text, len);
        memset(p + 8 + len, ' ', total - 8 - len);
        out->len += total;
    }
    free(text);
    return r;
}

uint64_t st_offset(const struct st_writer *w)
{
    return w->begin;
}

int st_write(const struct st_writer *w, int fd, struct mien_err *e)
{
    struct mien_buf header = {0};
    int r = st_header(w, 0, &header, e);
    if (r == 0 && file_write(fd, header.data, header.len) < 0)
        r = mien_err_sys(e, "cannot write");
    mien_buf_free(&header);
    for (size_t i = 0; i < w->npart && r == 0; i++)
        if (file_write(fd, w->part[i].data, w->part[i].len) < 0)
            r = mien_err_sys(e, "cannot write");
    return r;
}

int st_save(const struct st_writer *w, const char *path, struct mien_err *e)
{
    struct file_out o;
    int r = file_create(&o, path, e);
    if (r < 0)
        return r;
    struct mien_err cause;
    r = st_write(w, o.fd, &cause);
    if (r < 0)
        mien_err_set(e, r, "'%s': %s", path, cause.msg);
    else
        r = file_commit(&o, e);
    file_abort(&o);
    return r;
}
