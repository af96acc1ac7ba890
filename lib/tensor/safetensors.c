/* Reading safetensors files. Tensors are used in place, so the host must be little-endian as the
   format is. */
#include "mien/safetensors.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "util/bytes.h"
#include "util/file.h"
#include "util/json.h"
#include "st_format.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tensors are mapped into memory as they are in the file: little-endian hosts only"
#endif

static const struct {
    const char *name;
    size_t size;
} types[] = {
    [MIEN_ST_U8] = {"U8", 1},   [MIEN_ST_I32] = {"I32", 4}, [MIEN_ST_I64] = {"I64", 8},
    [MIEN_ST_U64] = {"U64", 8}, [MIEN_ST_F16] = {"F16", 2}, [MIEN_ST_F32] = {"F32", 4},
    [MIEN_ST_F64] = {"F64", 8}, [ST_BF16] = {"BF16", 2},    [ST_BOOL] = {"BOOL", 1},
    [ST_I8] = {"I8", 1},        [ST_I16] = {"I16", 2},      [ST_U16] = {"U16", 2},
    [ST_U32] = {"U32", 4},
};

size_t mien_st_size(enum mien_dtype dtype)
{
    return types[dtype].size;
}

const char *mien_st_dtype_name(enum mien_dtype dtype)
{
    return types[dtype].name;
}

bool st_measure(struct mien_tensor *t)
{
    t->count = 1;
    for (int i = 0; i < t->ndim; i++)
        if (__builtin_mul_overflow(t->count, t->shape[i], &t->count))
            return false;
    return !__builtin_mul_overflow(t->count, mien_st_size(t->dtype), &t->bytes);
}

struct mien_safetensors {
    struct file_map map;
    json_t *header; /* owns the names and the metadata */
    struct mien_tensor *tensor;
    size_t n;
    bool foreign; /* see st_open_foreign */
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
                                size_t len, bool foreign)
{
    const char *dtype = json_string_value(json_object_get(v, "dtype"));
    const json_t *shape = json_object_get(v, "shape");
    const json_t *range = json_object_get(v, "data_offsets");
    if (!dtype || !json_is_array(shape) || json_array_size(range) != 2)
        return "has no type, shape or range";

    size_t k = 0, ntypes = foreign ? sizeof types / sizeof types[0] : MIEN_ST_F64 + 1;
    while (k < ntypes && strcmp(dtype, types[k].name) != 0)
        k++;
    if (k == ntypes)
        return foreign ? "has a type that isn't known"
                       : "has a type that isn't one of U8 I32 I64 U64 F16 F32 F64";
    t->dtype = (enum mien_dtype)k;

    if (json_array_size(shape) > MIEN_ST_MAX_DIMS)
        return "has too many dimensions";
    t->ndim = (int)json_array_size(shape);
    for (int i = 0; i < t->ndim; i++)
        if (!get_size(json_array_get(shape, (size_t)i), SIZE_MAX, &t->shape[i]))
            return "has a dimension that isn't a size";

    size_t begin, end;
    if (!get_size(json_array_get(range, 0), len, &begin) ||
        !get_size(json_array_get(range, 1), len, &end) || begin > end)
        return "has a range that isn't within the file";
    if (!st_measure(t) || end - begin != t->bytes)
        return "has a range that isn't as long as its shape and type say";
    t->data = data + begin;
    if (!foreign && (uintptr_t)t->data % mien_st_size(t->dtype) != 0)
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
                            ST_METADATA);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)meta, key, value)
    {
        if (!json_is_string(value))
            return mien_err_set(e, MIEN_ERR_FORMAT, "'%s': metadata '%s' is not text", path, key);
    }
    return 0;
}

/* Parses the header and checks it against the mapped file. */
static int parse(struct mien_safetensors *s, const char *path, struct mien_err *e)
{
    const unsigned char *file = s->map.data;
    size_t len = s->map.len;
    uint64_t hlen = len < 8 ? 0 : get_le64(file);
    if (len >= 4 && memcmp(file, "MIEN", 4) == 0)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "'%s' is a stream of records, not a safetensors file", path);
    if (len < 8 || hlen > len - 8 || hlen < 2 || file[8] != '{')
        return mien_err_set(e, MIEN_ERR_FORMAT, "'%s' is not a safetensors file, or is cut short",
                            path);
    if (hlen > MIEN_ST_MAX_HEADER)
        return mien_err_set(e, MIEN_ERR_LIMIT,
                            "'%s': a header of %llu bytes is over the limit of %zu", path,
                            (unsigned long long)hlen, MIEN_ST_MAX_HEADER);

    struct mien_err why;
    int rc;
    s->header = json_read(file + 8, (size_t)hlen, JSON_REJECT_DUPLICATES, &rc, &why);
    if (!s->header)
        return mien_err_set(e, rc, "'%s': header, %s", path, why.msg);
    const unsigned char *data = file + 8 + hlen;
    size_t left = len - 8 - (size_t)hlen;

    s->tensor = calloc(json_object_size(s->header) + 1, sizeof *s->tensor);
    if (!s->tensor)
        return mien_err_mem(e, (json_object_size(s->header) + 1) * sizeof *s->tensor, "a header");
    const char *key;
    json_t *value;
    json_object_foreach(s->header, key, value)
    {
        if (strcmp(key, ST_METADATA) == 0) {
            int r = check_metadata(value, path, e);
            if (r < 0)
                return r;
            continue;
        }
        struct mien_tensor *t = &s->tensor[s->n++];
        t->name = key;
        const char *cause = parse_tensor(t, value, data, left, s->foreign);
        if (cause)
            return mien_err_set(e, MIEN_ERR_FORMAT, "'%s': tensor '%s' %s", path, key, cause);
    }

    qsort(s->tensor, s->n, sizeof *s->tensor, compare_tensors);
    const unsigned char *p = data;
    for (size_t i = 0; i < s->n; i++) {
        if (s->tensor[i].data != p)
            return mien_err_set(e, MIEN_ERR_FORMAT,
                                "'%s': tensor '%s' overlaps another or leaves a gap", path,
                                s->tensor[i].name);
        p += s->tensor[i].bytes;
    }
    if (p != data + left)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "'%s': %zu bytes at the end don't belong to any tensor", path,
                            (size_t)(data + left - p));
    return 0;
}

static struct mien_safetensors *open_file(const char *path, bool foreign, struct mien_err *e)
{
    struct mien_safetensors *s = calloc(1, sizeof *s);
    if (!s) {
        mien_err_mem(e, sizeof *s, "a file's description");
        return NULL;
    }
    s->foreign = foreign;
    if (file_map(path, &s->map, e) < 0 || parse(s, path, e) < 0) {
        mien_st_close(s);
        return NULL;
    }
    return s;
}

struct mien_safetensors *mien_st_open(const char *path, struct mien_err *e)
{
    return open_file(path, false, e);
}

struct mien_safetensors *st_open_foreign(const char *path, struct mien_err *e)
{
    return open_file(path, true, e);
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
    return json_string_value(json_object_get(json_object_get(s->header, ST_METADATA), key));
}
