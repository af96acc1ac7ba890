#include "file.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "tensor.h"
#include "util/array.h"
#include "util/hash.h"
#include "util/utf8.h"

static int broken(struct mien_err *e, const char *what)
{
    return mien_err_set(e, MIEN_ERR_FORMAT, "%s is cut off or damaged", what);
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
    if ((name[f->nname] = span_copy(s)) == NULL)
        return mien_err_mem(e, s.n, "a name");
    f->slot[k] = f->nname;
    return f->nname++;
}

int onnx_file_find(const struct onnx_file *f, const char *name)
{
    struct span s = {(const unsigned char *)name, strlen(name)};
    return f->nslot > 0 ? f->slot[slot_of(f, s)] : -1;
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
    struct onnx_proto p;
    int rc = onnx_proto_read(message, &p, e);
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
    *to = span_copy(value);
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
            (f->producer = span_copy(w.sub)) == NULL)
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
    if ((f->path = span_copy((struct span){(const unsigned char *)path, strlen(path)})) == NULL)
        return mien_err_mem(e, strlen(path), "a path");
    int rc = file_map(path, &f->map, e);
    return rc < 0 ? rc : read_model(f, (struct span){f->map.data, f->map.len}, e);
}

void onnx_file_free(struct onnx_file *f)
{
    for (int k = 0; k < f->ndata; k++) {
        file_unmap(&f->data[k]->map);
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
