/* Attributes of nodes, read from the file when they are asked for. */
#include "file.h"

#include <limits.h>
#include <string.h>

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

int64_t onnx_int(const struct onnx_node *n, const char *key, int64_t absent)
{
    struct wire w;
    return find_field(n, key, 3, WIRE_VARINT, &w) ? (int64_t)w.number : absent;
}

double onnx_real(const struct onnx_node *n, const char *key, double absent)
{
    struct wire w;
    return find_field(n, key, 2, WIRE_32, &w) ? (double)wire_float(w.number) : absent;
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
        v[k] = wire_float(x[k]);
    return count;
}
