/* Tensors of an ONNX file. */
#include "tensor.h"

#include <limits.h>
#include <string.h>

#include "util/bytes.h"
#include "util/half.h"

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

static bool dimension(struct onnx_proto *p, uint64_t v)
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
static bool external_entry(struct onnx_proto *p, struct span entry)
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

int onnx_proto_read(struct span message, struct onnx_proto *p, struct mien_err *e)
{
    struct wire w = wire_of(message);
    bool good = true, bad = false;
    *p = (struct onnx_proto){0};
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
        t->f[k] = wire_float(bits);
        break;
    case T_FLOAT16:
        half_to_floats(&half, &t->f[k], 1);
        break;
    case T_BFLOAT16:
        t->f[k] = wire_float((uint64_t)half << 16);
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
    struct onnx_proto p;
    double count = 1;
    int rc = onnx_proto_read(message, &p, e);
    if (rc < 0 || (p.external && (rc = onnx_data_locate(f, &p, e)) < 0))
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
    size_t raw = p.raw.n / size;
    double there = p.has_raw ? (double)raw : (double)typed(message, p.type, NULL);
    if (there < count || (there > count && !(p.external && !p.has_length)))
        return mien_err_set(e, MIEN_ERR_FORMAT, "tensor '%.*s' of %.0f elements has %.0f", len,
                            name, count, there);
    if (p.external && (rc = onnx_data_take(p.data, (size_t)count * size, e)) < 0)
        return rc;
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
