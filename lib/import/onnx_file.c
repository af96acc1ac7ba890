/* realpath is of the X/Open part of POSIX. */
#define _XOPEN_SOURCE 700
#include "onnx_file.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/bytes.h"
#include "util/half.h"
#include "util/hash.h"
#include "util/utf8.h"

/* TensorProto.DataType */
enum {
    T_FLOAT = 1,
    T_UINT8,
    T_INT8,
    T_UINT16,
    T_INT16,
    T_INT32,
    T_INT64,
    T_STRING,
    T_BOOL,
    T_FLOAT16,
    T_DOUBLE,
    T_UINT32,
    T_UINT64,
    T_BFLOAT16 = 16
};

static int broken(struct mien_err *e, const char *what)
{
    return mien_err_set(e, MIEN_ERR_FORMAT, "%s is cut off or damaged", what);
}

static bool span_is(struct span s, const char *text)
{
    /* memcmp mustn't be given the NULL of one that is absent. */
    return s.n == strlen(text) && (s.n == 0 || memcmp(s.p, text, s.n) == 0);
}

/* A copy that ends with a zero byte; NULL without memory. */
static char *copy(struct span s)
{
    char *p = malloc(s.n + 1);
    if (p != NULL) {
        if (s.n > 0)
            memcpy(p, s.p, s.n);
        p[s.n] = '\0';
    }
    return p;
}

/* --- Names --------------------------------------------------------------------------------- */

/* The place in the table where a name is or would be. */
static size_t slot_of(const struct onnx_file *f, struct span s)
{
    size_t k = (size_t)hash_bytes(0, s.p, s.n) & (f->nslot - 1);
    while (f->slot[k] >= 0 && !span_is(s, f->name[f->slot[k]]))
        k = (k + 1) & (f->nslot - 1);
    return k;
}

/* Doubles the table. */
static int widen_names(struct onnx_file *f, struct mien_err *e)
{
    size_t n = f->nslot == 0 ? 256 : 2 * f->nslot;
    int *slot = malloc(n * sizeof *slot);
    if (slot == NULL)
        return mien_err_mem(e, n * sizeof *slot, "names");
    free(f->slot);
    f->slot = slot;
    f->nslot = n;
    for (size_t k = 0; k < n; k++)
        slot[k] = -1;
    for (int k = 0; k < f->nname; k++)
        slot[slot_of(f, (struct span){(unsigned char *)f->name[k], strlen(f->name[k])})] = k;
    return 0;
}

/* The index of a name, which is new or not; or a negative code. */
static int intern(struct onnx_file *f, struct span s, struct mien_err *e)
{
    if (s.n > 4096 || !utf8_valid(s.p, s.n) || (s.n > 0 && memchr(s.p, 0, s.n) != NULL))
        return mien_err_set(e, MIEN_ERR_FORMAT, "a name isn't text, or is longer than 4096 bytes");
    if ((size_t)f->nname * 2 >= f->nslot && widen_names(f, e) < 0)
        return MIEN_ERR_MEM;
    size_t k = slot_of(f, s);
    if (f->slot[k] >= 0)
        return f->slot[k];
    if (f->nname == ONNX_MAX_NAMES)
        return mien_err_set(e, MIEN_ERR_LIMIT, "it has more than %d names", ONNX_MAX_NAMES);
    char **name = array_grow(f->name, (size_t)f->nname, &f->nameroom, sizeof *name);
    if (name == NULL)
        return mien_err_mem(e, (size_t)f->nname * sizeof *name, "names");
    f->name = name;
    if ((name[f->nname] = copy(s)) == NULL)
        return mien_err_mem(e, s.n, "a name");
    f->slot[k] = f->nname;
    return f->nname++;
}

int onnx_file_find(const struct onnx_file *f, const char *name)
{
    struct span s = {(const unsigned char *)name, strlen(name)};
    return f->nslot > 0 ? f->slot[slot_of(f, s)] : -1;
}

/* --- Attributes ---------------------------------------------------------------------------- */

/* The attribute of that name. */
static bool find_attribute(const struct onnx_node *n, const char *key, struct span *a)
{
    struct wire node = wire_of(n->message);
    while (wire_next(&node)) {
        if (node.field != 5 || node.type != WIRE_BYTES)
            continue;
        struct wire w = wire_of(node.sub);
        while (wire_next(&w)) {
            if (w.field == 1 && w.type == WIRE_BYTES && span_is(w.sub, key)) {
                *a = node.sub;
                return true;
            }
        }
    }
    return false;
}

/* Its field of that number and type, the last one. */
static bool find_field(const struct onnx_node *n, const char *key, unsigned field,
                       enum wire_type type, struct wire *out)
{
    struct span a;
    bool found = false;
    if (!find_attribute(n, key, &a))
        return false;
    struct wire w = wire_of(a);
    while (wire_next(&w)) {
        if (w.field == field && w.type == type) {
            *out = w;
            found = true;
        }
    }
    return found;
}

static float float_of(uint64_t bits)
{
    uint32_t u = (uint32_t)bits;
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

int64_t onnx_int(const struct onnx_node *n, const char *key, int64_t absent)
{
    struct wire w;
    return find_field(n, key, 3, WIRE_VARINT, &w) ? (int64_t)w.number : absent;
}

double onnx_real(const struct onnx_node *n, const char *key, double absent)
{
    struct wire w;
    return find_field(n, key, 2, WIRE_32, &w) ? (double)float_of(w.number) : absent;
}

bool onnx_text_is(const struct onnx_node *n, const char *key, const char *value, const char *absent)
{
    struct wire w;
    return find_field(n, key, 4, WIRE_BYTES, &w) ? span_is(w.sub, value)
                                                 : strcmp(value, absent) == 0;
}

bool onnx_has(const struct onnx_node *n, const char *key)
{
    struct span a;
    return find_attribute(n, key, &a);
}

bool onnx_attribute(const struct onnx_node *n, const char *key, struct span *tensor)
{
    struct wire w;
    if (!find_field(n, key, 5, WIRE_BYTES, &w))
        return false;
    *tensor = w.sub;
    return true;
}

/* A list's numbers, packed or one a field. Returns how many, or -1. */
static int list(const struct onnx_node *n, const char *key, unsigned field, enum wire_type type,
                uint64_t *v, int max)
{
    struct span a;
    int count = 0;
    bool bad = false;
    if (!find_attribute(n, key, &a))
        return -1;
    struct wire w = wire_of(a);
    while (wire_next(&w)) {
        uint64_t x = w.number;
        if (w.field != field)
            continue;
        if (w.type == WIRE_BYTES) {
            while (wire_packed(&w.sub, type, &x, &bad)) {
                if (count == max)
                    return -1;
                v[count++] = x;
            }
        } else if (w.type == type) {
            if (count == max)
                return -1;
            v[count++] = x;
        }
    }
    return bad ? -1 : count;
}

int onnx_ints(const struct onnx_node *n, const char *key, int *v, int max)
{
    uint64_t x[64];
    int count = list(n, key, 8, WIRE_VARINT, x, max < 64 ? max : 64);
    for (int k = 0; k < count; k++) {
        int64_t i = (int64_t)x[k];
        if (i > INT_MAX)
            i = INT_MAX;
        v[k] = i < -INT_MAX ? -INT_MAX : (int)i;
    }
    return count;
}

int onnx_reals(const struct onnx_node *n, const char *key, float *v, int max)
{
    uint64_t x[64];
    int count = list(n, key, 7, WIRE_32, x, max < 64 ? max : 64);
    for (int k = 0; k < count; k++)
        v[k] = float_of(x[k]);
    return count;
}

/* --- Tensors ------------------------------------------------------------------------------- */

/* A TensorProto's fields. */
struct proto {
    struct constant shape;
    int type;
    struct span name, raw, location;
    bool has_raw, external;
    uint64_t offset, length;
    bool has_length;
};

static bool dimension(struct proto *p, uint64_t v)
{
    if (p->shape.rank == CONST_MAX_RANK || v > INT_MAX)
        return false;
    p->shape.dim[p->shape.rank++] = (int)v;
    return true;
}

/* A number in text, as external data's offsets are written. */
static bool decimal(struct span s, uint64_t *v)
{
    *v = 0;
    for (size_t k = 0; k < s.n; k++) {
        if (s.p[k] < '0' || s.p[k] > '9' || *v > UINT64_MAX / 10 - 1)
            return false;
        *v = *v * 10 + (uint64_t)(s.p[k] - '0');
    }
    return s.n > 0;
}

/* An entry of external_data. */
static bool external_entry(struct proto *p, struct span entry)
{
    struct span key = {0}, value = {0};
    struct wire w = wire_of(entry);
    while (wire_next(&w)) {
        if (w.type == WIRE_BYTES && w.field == 1)
            key = w.sub;
        if (w.type == WIRE_BYTES && w.field == 2)
            value = w.sub;
    }
    if (span_is(key, "location"))
        p->location = value;
    if (span_is(key, "offset"))
        return decimal(value, &p->offset);
    if (span_is(key, "length"))
        return p->has_length = decimal(value, &p->length);
    return !w.broken;
}

static int read_proto(struct span message, struct proto *p, struct mien_err *e)
{
    struct wire w = wire_of(message);
    bool good = true, bad = false;
    *p = (struct proto){0};
    while (good && wire_next(&w)) {
        uint64_t v;
        if (w.field == 1 && w.type == WIRE_VARINT)
            good = dimension(p, w.number);
        else if (w.field == 1 && w.type == WIRE_BYTES)
            while (good && wire_packed(&w.sub, WIRE_VARINT, &v, &bad))
                good = dimension(p, v);
        else if (w.field == 2 && w.type == WIRE_VARINT)
            p->type = w.number > 1000 ? 0 : (int)w.number;
        else if (w.field == 8 && w.type == WIRE_BYTES)
            p->name = w.sub;
        else if (w.field == 9 && w.type == WIRE_BYTES)
            p->raw = w.sub, p->has_raw = true;
        else if (w.field == 13 && w.type == WIRE_BYTES)
            good = external_entry(p, w.sub);
        else if (w.field == 14 && w.type == WIRE_VARINT)
            p->external = w.number == 1;
    }
    return good && !bad && !w.broken ? 0
                                     : mien_err_set(e, MIEN_ERR_FORMAT,
                                                    "tensor '%.*s' is damaged, or has more than %d "
                                                    "dimensions",
                                                    (int)(p->name.n < 200 ? p->name.n : 200),
                                                    (const char *)p->name.p, CONST_MAX_RANK);
}

/* The mapped file of that name in the model's folder. */
static int open_data(struct onnx_file *f, struct span location, struct file_map **out,
                     struct mien_err *e)
{
    char *name = copy(location), *folder = NULL, *inside = NULL, *path = NULL;
    const char *slash = strrchr(f->path, '/');
    int rc = 0;
    *out = NULL;
    if (name == NULL)
        return mien_err_mem(e, location.n, "a name");
    if (strlen(name) != location.n || location.n == 0 || location.n > 4096 || name[0] == '/' ||
        strstr(name, "..") != NULL)
        goto outside;
    size_t n = location.n + strlen(f->path) + 3;
    if ((path = malloc(n)) == NULL) {
        rc = mien_err_mem(e, n, "a path");
        goto done;
    }
    snprintf(path, n, "%.*s", slash == NULL ? 1 : (int)(slash - f->path + 1),
             slash == NULL ? "." : f->path);
    folder = realpath(path, NULL);
    snprintf(path, n, "%.*s%s", slash == NULL ? 0 : (int)(slash - f->path + 1), f->path, name);
    inside = realpath(path, NULL);
    if (folder == NULL || inside == NULL) {
        rc = mien_err_sys(e, "cannot open '%s'", path);
        goto done;
    }
    /* Links are followed as long as they stay in the folder. */
    size_t len = strcmp(folder, "/") == 0 ? 0 : strlen(folder);
    if (strncmp(folder, inside, len) != 0 || inside[len] != '/')
        goto outside;
    for (int k = 0; k < f->ndata; k++) {
        if (strcmp(f->data[k]->path, inside) == 0)
            *out = f->data[k];
    }
    if (*out != NULL)
        goto done;
    if (f->ndata == ONNX_MAX_FILES) {
        rc = mien_err_set(e, MIEN_ERR_LIMIT, "its weights lie in more than %d files",
                          ONNX_MAX_FILES);
        goto done;
    }
    struct file_map *m = calloc(1, sizeof *m);
    rc = m == NULL ? mien_err_mem(e, sizeof *m, "a file") : file_map(inside, m, e);
    if (rc < 0)
        free(m);
    else
        *out = f->data[f->ndata++] = m;
    goto done;
outside:
    rc = mien_err_set(e, MIEN_ERR_FORMAT, "its weights lie in '%.200s', outside of its folder",
                      name);
done:
    free(name);
    free(folder);
    free(inside);
    free(path);
    return rc;
}

/* Where the bytes of an external tensor are. */
static int locate(struct onnx_file *f, struct proto *p, struct mien_err *e)
{
    struct file_map *m;
    int rc = open_data(f, p->location, &m, e);
    if (rc < 0)
        return rc;
    if (p->offset > m->len || (p->has_length && p->length > m->len - p->offset))
        return mien_err_set(e, MIEN_ERR_FORMAT, "weights lie beyond the %zu bytes of '%s'", m->len,
                            m->path);
    p->raw = (struct span){m->data + p->offset,
                           p->has_length ? (size_t)p->length : m->len - (size_t)p->offset};
    p->has_raw = true;
    return 0;
}

/* Bytes of an element of raw data; 0: a type that isn't known. */
static size_t element_bytes(int type)
{
    switch (type) {
    case T_UINT8:
    case T_INT8:
    case T_BOOL:
        return 1;
    case T_UINT16:
    case T_INT16:
    case T_FLOAT16:
    case T_BFLOAT16:
        return 2;
    case T_FLOAT:
    case T_INT32:
    case T_UINT32:
        return 4;
    case T_DOUBLE:
    case T_INT64:
    case T_UINT64:
        return 8;
    default:
        return 0;
    }
}

/* Sets an element from its bits: of raw data, or of a typed field, which has them in its low end. */
static void set_bits(struct constant *t, size_t k, int type, uint64_t bits)
{
    uint16_t half = (uint16_t)bits;
    double d;
    switch (type) {
    case T_FLOAT:
        t->f[k] = float_of(bits);
        break;
    case T_FLOAT16:
        half_to_floats(&half, &t->f[k], 1);
        break;
    case T_BFLOAT16:
        t->f[k] = float_of((uint64_t)half << 16);
        break;
    case T_DOUBLE:
        memcpy(&d, &bits, sizeof d);
        t->f[k] = (float)d;
        break;
    case T_INT8:
        t->i[k] = (int8_t)bits;
        break;
    case T_UINT8:
        t->i[k] = (uint8_t)bits;
        break;
    case T_INT16:
        t->i[k] = (int16_t)bits;
        break;
    case T_UINT16:
        t->i[k] = half;
        break;
    case T_INT32:
        t->i[k] = (int32_t)bits;
        break;
    case T_UINT32:
        t->i[k] = (uint32_t)bits;
        break;
    case T_BOOL:
        t->i[k] = (bits & 0xff) != 0;
        break;
    default:
        t->i[k] = (int64_t)bits;
    }
}

/* Which field has the numbers of a type, and how they are written there. */
static unsigned typed_field(int type, enum wire_type *wire)
{
    *wire = type == T_FLOAT ? WIRE_32 : type == T_DOUBLE ? WIRE_64 : WIRE_VARINT;
    return type == T_FLOAT                        ? 4
           : type == T_DOUBLE                     ? 10
           : type == T_INT64                      ? 7
           : type == T_UINT64 || type == T_UINT32 ? 11
                                                  : 5;
}

/* Walks the numbers of the typed fields; the first count of them go to t, where it isn't NULL.
   Returns how many there are. */
static size_t typed(struct span message, int type, struct constant *t)
{
    enum wire_type wire;
    unsigned field = typed_field(type, &wire);
    size_t n = 0;
    bool bad = false;
    struct wire w = wire_of(message);
    while (wire_next(&w)) {
        uint64_t v = w.number;
        if (w.field != field)
            continue;
        if (w.type == wire) {
            if (t != NULL && n < t->count)
                set_bits(t, n, type, v);
            n++;
        }
        while (w.type == WIRE_BYTES && wire_packed(&w.sub, wire, &v, &bad)) {
            if (t != NULL && n < t->count)
                set_bits(t, n, type, v);
            n++;
        }
    }
    return n;
}

int onnx_tensor(struct onnx_file *f, struct span message, struct constant *t, struct mien_err *e)
{
    struct proto p;
    double count = 1;
    int rc = read_proto(message, &p, e);
    if (rc < 0 || (p.external && (rc = locate(f, &p, e)) < 0))
        return rc;
    const char *name = p.name.n > 0 ? (const char *)p.name.p : "";
    int len = p.name.n < 200 ? (int)p.name.n : 200;
    size_t size = element_bytes(p.type);
    if (size == 0)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "tensor '%.*s' has elements of type %d, which isn't "
                            "a number's",
                            len, name, p.type);
    for (int k = 0; k < p.shape.rank; k++)
        count *= p.shape.dim[k];
    /* Before memory is taken: are they there? */
    double there = p.has_raw ? (double)(p.raw.n / size) : (double)typed(message, p.type, NULL);
    if (there < count || (there > count && !(p.external && !p.has_length)))
        return mien_err_set(e, MIEN_ERR_FORMAT, "tensor '%.*s' of %.0f elements has %.0f", len,
                            name, count, there);
    *t = p.shape;
    bool whole =
        !(p.type == T_FLOAT || p.type == T_FLOAT16 || p.type == T_BFLOAT16 || p.type == T_DOUBLE);
    if ((rc = constant_new(t, whole, e)) < 0)
        return rc;
    if (!p.has_raw) {
        typed(message, p.type, t);
        return 0;
    }
    for (size_t k = 0; k < t->count; k++) {
        const unsigned char *b = p.raw.p + k * size;
        set_bits(t, k, p.type,
                 size == 1   ? *b
                 : size == 2 ? get_le16(b)
                 : size == 4 ? get_le32(b)
                             : get_le64(b));
    }
    return 0;
}

/* --- The graph ----------------------------------------------------------------------------- */

static int read_shape(struct span message, struct onnx_port *p)
{
    struct wire w = wire_of(message);
    p->rank = 0;
    while (wire_next(&w)) {
        int d = -1;
        if (w.field != 1 || w.type != WIRE_BYTES)
            continue;
        struct wire dim = wire_of(w.sub);
        while (wire_next(&dim)) {
            if (dim.field == 1 && dim.type == WIRE_VARINT)
                d = dim.number > 0 && dim.number <= INT_MAX ? (int)dim.number : -1;
        }
        if (p->rank == CONST_MAX_RANK)
            return -1;
        p->dim[p->rank++] = d;
    }
    return w.broken ? -1 : 0;
}

static int read_port(struct onnx_file *f, struct span message, struct onnx_port *p,
                     struct mien_err *e)
{
    struct wire w = wire_of(message);
    *p = (struct onnx_port){.name = -1, .rank = -1};
    while (wire_next(&w)) {
        if (w.field == 1 && w.type == WIRE_BYTES && (p->name = intern(f, w.sub, e)) < 0)
            return p->name;
        if (w.field != 2 || w.type != WIRE_BYTES)
            continue;
        struct wire type = wire_of(w.sub);
        while (wire_next(&type)) {
            if (type.field != 1 || type.type != WIRE_BYTES)
                continue;
            struct wire tensor = wire_of(type.sub);
            while (wire_next(&tensor)) {
                if (tensor.field == 1 && tensor.type == WIRE_VARINT)
                    p->type = tensor.number > 1000 ? 0 : (int)tensor.number;
                if (tensor.field == 2 && tensor.type == WIRE_BYTES && read_shape(tensor.sub, p) < 0)
                    return broken(e, "a shape");
            }
        }
    }
    return p->name < 0 || w.broken ? broken(e, "an input or output") : 0;
}

/* The names that a node has in the fields of that number. */
static int read_names(struct onnx_file *f, struct span message, unsigned field, int *v, int *count,
                      struct mien_err *e)
{
    struct wire w = wire_of(message);
    *count = 0;
    while (wire_next(&w)) {
        if (w.field != field || w.type != WIRE_BYTES)
            continue;
        int name = w.sub.n > 0 ? intern(f, w.sub, e) : -1;
        if (name < -1)
            return name;
        v[(*count)++] = name;
    }
    return 0;
}

static int read_node(struct onnx_file *f, struct span message, struct onnx_node *n,
                     struct mien_err *e)
{
    struct span op = {0}, name = {0}, domain = {0};
    size_t refs = 0;
    struct wire w = wire_of(message);
    n->message = message;
    while (wire_next(&w)) {
        if (w.type != WIRE_BYTES)
            continue;
        refs += w.field <= 2;
        if (w.field == 3)
            name = w.sub;
        if (w.field == 4)
            op = w.sub;
        if (w.field == 7)
            domain = w.sub;
    }
    if (w.broken || op.n == 0)
        return broken(e, "a node");
    int iop = intern(f, op, e), iname = intern(f, name, e);
    if (iop < 0 || iname < 0)
        return iop < 0 ? iop : iname;
    n->op = f->name[iop];
    n->name = f->name[iname];
    if (domain.n > 0 && !span_is(domain, "ai.onnx"))
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "node '%s' (%s): operators of '%.*s' are not "
                            "supported",
                            n->name, n->op, (int)(domain.n < 100 ? domain.n : 100),
                            (const char *)domain.p);
    if ((n->in = malloc((refs + 1) * sizeof *n->in)) == NULL)
        return mien_err_mem(e, refs * sizeof *n->in, "a node");
    int rc = read_names(f, message, 1, n->in, &n->nin, e);
    n->out = n->in + n->nin;
    return rc < 0 ? rc : read_names(f, message, 2, n->out, &n->nout, e);
}

static int read_weight(struct onnx_file *f, struct span message, struct onnx_weight *t,
                       struct mien_err *e)
{
    struct proto p;
    int rc = read_proto(message, &p, e);
    if (rc < 0)
        return rc;
    t->message = message;
    t->name = intern(f, p.name, e);
    return t->name < 0 ? t->name : 0;
}

static int read_graph(struct onnx_file *f, struct span message, struct mien_err *e)
{
    size_t count[16] = {0};
    struct wire w = wire_of(message);
    while (wire_next(&w)) {
        if (w.type == WIRE_BYTES && w.field < 16)
            count[w.field]++;
    }
    if (w.broken)
        return broken(e, "its graph");
    if (count[15] > 0)
        return mien_err_set(e, MIEN_ERR_FORMAT, "sparse weights are not supported");
    for (int k = 0; k < 16; k++) {
        if (count[k] > ONNX_MAX_NODES)
            return mien_err_set(e, MIEN_ERR_LIMIT, "it has more than %d nodes or weights",
                                ONNX_MAX_NODES);
    }
    f->node = calloc(count[1] + 1, sizeof *f->node);
    f->weight = calloc(count[5] + 1, sizeof *f->weight);
    f->in = calloc(count[11] + 1, sizeof *f->in);
    f->out = calloc(count[12] + 1, sizeof *f->out);
    if (f->node == NULL || f->weight == NULL || f->in == NULL || f->out == NULL)
        return mien_err_mem(e, count[1] * sizeof *f->node, "a graph");
    w = wire_of(message);
    while (wire_next(&w)) {
        int rc = 0;
        if (w.type != WIRE_BYTES)
            continue;
        if (w.field == 1)
            rc = read_node(f, w.sub, &f->node[f->nnode++], e);
        else if (w.field == 5)
            rc = read_weight(f, w.sub, &f->weight[f->nweight++], e);
        else if (w.field == 11)
            rc = read_port(f, w.sub, &f->in[f->nin++], e);
        else if (w.field == 12)
            rc = read_port(f, w.sub, &f->out[f->nout++], e);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int read_opset(struct onnx_file *f, struct span message)
{
    struct wire w = wire_of(message);
    bool ours = true;
    int version = 0;
    while (wire_next(&w)) {
        if (w.field == 1 && w.type == WIRE_BYTES)
            ours = w.sub.n == 0 || span_is(w.sub, "ai.onnx");
        if (w.field == 2 && w.type == WIRE_VARINT)
            version = w.number < 1000 ? (int)w.number : 1000;
    }
    if (ours)
        f->opset = version;
    return w.broken ? -1 : 0;
}

/* An entry of metadata_props. */
static int read_metadata(struct onnx_file *f, struct span entry, struct mien_err *e)
{
    struct span key = {0}, value = {0};
    struct wire w = wire_of(entry);
    while (wire_next(&w)) {
        if (w.type == WIRE_BYTES && w.field <= 2)
            *(w.field == 1 ? &key : &value) = w.sub;
    }
    char **to = span_is(key, "prep") ? &f->prep : span_is(key, "made") ? &f->made : NULL;
    if (to == NULL || *to != NULL || value.n > 1 << 16)
        return 0;
    *to = copy(value);
    return *to == NULL ? mien_err_mem(e, value.n, "metadata") : 0;
}

static int read_model(struct onnx_file *f, struct span message, struct mien_err *e)
{
    struct span graph = {0};
    struct wire w = wire_of(message);
    while (wire_next(&w)) {
        if (w.type != WIRE_BYTES)
            continue;
        if (w.field == 2 && f->producer == NULL && w.sub.n < 200 &&
            (f->producer = copy(w.sub)) == NULL)
            return mien_err_mem(e, w.sub.n, "a name");
        if (w.field == 14 && read_metadata(f, w.sub, e) < 0)
            return MIEN_ERR_MEM;
        if (w.field == 7)
            graph = w.sub;
        if (w.field == 8 && read_opset(f, w.sub) < 0)
            return broken(e, "its set of operators");
    }
    if (w.broken)
        return broken(e, "the file");
    if (graph.n == 0)
        return mien_err_set(e, MIEN_ERR_FORMAT, "it has no graph");
    if (f->opset < 1 || f->opset > 22)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "its operators are of version %d; 7 to 17 are known", f->opset);
    return read_graph(f, graph, e);
}

int onnx_file_read(struct onnx_file *f, const char *path, struct mien_err *e)
{
    if ((f->path = copy((struct span){(const unsigned char *)path, strlen(path)})) == NULL)
        return mien_err_mem(e, strlen(path), "a path");
    int rc = file_map(path, &f->map, e);
    return rc < 0 ? rc : read_model(f, (struct span){f->map.data, f->map.len}, e);
}

void onnx_file_free(struct onnx_file *f)
{
    for (int k = 0; k < f->ndata; k++) {
        file_unmap(f->data[k]);
        free(f->data[k]);
    }
    for (int k = 0; k < f->nname; k++)
        free(f->name[k]);
    for (int k = 0; k < f->nnode; k++)
        free(f->node[k].in);
    free(f->name);
    free(f->slot);
    free(f->node);
    free(f->weight);
    free(f->in);
    free(f->out);
    free(f->path);
    free(f->producer);
    free(f->prep);
    free(f->made);
    file_unmap(&f->map);
    *f = (struct onnx_file){0};
}
