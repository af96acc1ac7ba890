/*
 * onnx-case [-n|-t] DIRECTORY...: runs conformance cases of ONNX: a folder with model.onnx and, in
 * test_data_set_0, input_N.pb and output_N.pb. The first input of floats is the network's, the
 * others become weights. Prints a line for each case:
 *
 *   pass CASE OPERATORS
 *   fail CASE OPERATORS: the largest difference, or why it was refused
 *   out CASE OPERATORS: why it is none of mien's
 *
 * With -n it runs networks, one image after another, and prints of each
 *
 *   pass NETWORK NODES LAYERS STEPS OFF MILLISECONDS
 *
 * the layers of the model, the steps of its plan, how far its outputs are off at most, in parts of an
 * output's largest number, and the least processor time of an image. With -t it takes the first image
 * alone: for the time.
 *
 * A number may differ by 1e-3 of it and 1e-7, ONNX's own tolerance.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "onnx/onnx.h"
#include "onnx/ops.h"
#include "infer/plan.h"
#include "util/file.h"

enum { MAX_PORTS = 32 };

static void die(const char *what)
{
    fprintf(stderr, "onnx-case: %s\n", what);
    exit(2);
}

/* --- Files ---------------------------------------------------------------------------------- */

static bool slurp(const char *path, struct mien_buf *b)
{
    struct mien_err e;
    int fd = access(path, R_OK) == 0 ? file_open(path, &e) : -1;
    bool good = fd >= 0 && file_slurp(fd, b, (size_t)1 << 30, path, &e) == 0;
    if (fd >= 0)
        close(fd);
    return good;
}

static void put_varint(struct mien_buf *b, uint64_t v)
{
    do {
        unsigned char c = (unsigned char)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
        if (mien_buf_append(b, &c, 1) < 0)
            die("out of memory");
        v >>= 7;
    } while (v > 0);
}

static void put_bytes(struct mien_buf *b, unsigned field, const void *p, size_t n)
{
    put_varint(b, field << 3 | WIRE_BYTES);
    put_varint(b, n);
    if (mien_buf_append(b, p, n) < 0)
        die("out of memory");
}

static struct span span_of(const struct mien_buf *b)
{
    return (struct span){b->data, b->len};
}

/* The model with more weights in its graph. */
static void add_weights(struct span model, const struct mien_buf *weights, struct mien_buf *out)
{
    struct wire w = wire_of(model);
    while (wire_next(&w)) {
        if (w.type == WIRE_VARINT) {
            put_varint(out, w.field << 3 | WIRE_VARINT);
            put_varint(out, w.number);
        } else if (w.type == WIRE_BYTES && w.field == 7) {
            struct mien_buf graph = {0};
            if (mien_buf_append(&graph, w.sub.p, w.sub.n) < 0 ||
                mien_buf_append(&graph, weights->data, weights->len) < 0)
                die("out of memory");
            put_bytes(out, 7, graph.data, graph.len);
            mien_buf_free(&graph);
        } else if (w.type == WIRE_BYTES) {
            put_bytes(out, w.field, w.sub.p, w.sub.n);
        }
    }
}

/* --- A case --------------------------------------------------------------------------------- */

struct tensor {
    struct constant k;
    int type;
    struct mien_buf bytes;
};

static int type_of(struct span message)
{
    struct wire w = wire_of(message);
    int type = 0;
    while (wire_next(&w)) {
        if (w.field == 2 && w.type == WIRE_VARINT)
            type = (int)w.number;
    }
    return type;
}

static int read_tensors(struct onnx_file *f, const char *folder, const char *what, struct tensor *t)
{
    char path[4096];
    int n = 0;
    for (; n < MAX_PORTS; n++) {
        snprintf(path, sizeof path, "%s/test_data_set_0/%s_%d.pb", folder, what, n);
        t[n] = (struct tensor){0};
        if (!slurp(path, &t[n].bytes))
            break;
        t[n].type = type_of(span_of(&t[n].bytes));
        struct mien_err e;
        if (onnx_tensor(f, span_of(&t[n].bytes), &t[n].k, &e) < 0)
            t[n].type = -1;
    }
    return n;
}

/* A net whose input is a row of numbers, which is viewed as the first one's. */
static void from_row(struct model *m)
{
    struct net net = {0};
    struct mien_err e;
    struct layer in = m->net.layer[0], view = layer_make("row_view", L_RESHAPE);
    view.size[0] = in.shape.h, view.size[1] = in.shape.w, view.size[2] = in.shape.c;
    view.nin = 1;
    in.shape = (struct shape){1, 1, (int)shape_count(in.shape)};
    if (net_add(&net, &in, &e) < 0 || net_add(&net, &view, &e) < 0)
        die(e.msg);
    for (int i = 1; i < m->net.n; i++) {
        struct layer l = m->net.layer[i];
        for (int k = 0; k < l.nin; k++)
            l.in[k]++;
        if (net_add(&net, &l, &e) < 0)
            die(e.msg);
    }
    net_free(&m->net);
    m->net = net;
}

/* The index in a layout's order of memory of the element that is k-th in the graph's. */
static size_t place(const struct onnx_layout *l, size_t k)
{
    size_t index[8], at = 0;
    for (int d = l->rank - 1; d >= 0; d--) {
        index[d] = k % (size_t)l->dim[d];
        k /= (size_t)l->dim[d];
    }
    for (int m = 0; m < l->rank; m++)
        at = at * (size_t)l->dim[l->mem[m]] + index[l->mem[m]];
    return at;
}

static size_t count_of(const struct onnx_layout *l)
{
    size_t n = 1;
    for (int d = 0; d < l->rank; d++)
        n *= (size_t)l->dim[d];
    return n;
}

static bool close_enough(float got, float want)
{
    if (isnan(want) || isinf(want))
        return isnan(want) ? isnan(got) : got == want;
    return fabs((double)got - (double)want) <= 1e-7 + 1e-3 * fabs((double)want);
}

/* Of the processor. */
static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The least seconds of a run, of groups that take long enough to be timed. */
static double time_of(struct plan *p, struct plan_work *w, const float *row, float *const *result)
{
    const void *rows = row;
    double least = INFINITY, all = 0;
    for (int groups = 0; groups < 3 || all < 0.5; groups++) {
        double begin = seconds(), took;
        int runs = 0;
        do {
            plan_run(p, w, &rows, 1, result);
            took = seconds() - begin;
            runs++;
        } while (took < 0.02);
        all += took;
        least = fmin(least, took / runs);
    }
    return least;
}

/* What is looked at: cases, or networks, of one image or of all. */
enum mode { CASES, NETWORKS, TIMES };

/* Runs the model and compares its outputs; why says what differs. */
static bool agrees(enum mode mode, const char *name, int nodes, struct onnx *o, struct model *m,
                   const struct tensor *in, const struct tensor *want, int nwant, char why[300])
{
    struct mien_err e;
    struct onnx_layout l;
    int out[MAX_PORTS], n = onnx_output_count(o);
    onnx_input(o, &l);
    size_t each = count_of(&l);
    if (n > nwant || n > MAX_PORTS || each == 0 || in->k.count % each != 0) {
        snprintf(why, 300, "it has %d outputs of %d, or another input", n, nwant);
        return false;
    }
    size_t images = in->k.count / each, all = images;
    if (mode == TIMES)
        images = 1;
    from_row(m);
    for (int k = 0; k < n; k++) {
        struct onnx_layout shape;
        int layer = onnx_output(o, k, &shape);
        out[k] = layer == 0 ? 1 : layer + 1;
    }
    struct plan *p = plan_new(m, out, n, 1, PRECISION_FLOAT, &e);
    struct plan_work *w = p != NULL ? plan_work_new(p, &e) : NULL;
    if (w == NULL) {
        snprintf(why, 300, "%.299s", e.msg);
        plan_free(p);
        return false;
    }
    float *row = malloc(each * sizeof *row), *result[MAX_PORTS];
    double most[MAX_PORTS];
    for (int k = 0; k < n; k++) {
        result[k] = malloc((plan_out_count(p, k) + 1) * sizeof *row);
        most[k] = 1e-5; /* of one that is 0 for all */
        for (size_t j = 0; j < want[k].k.count; j++)
            most[k] = fmax(most[k], fabs(constant_get(&want[k].k, j)));
    }
    bool good = true;
    double off = 0;
    for (size_t i = 0; i < images; i++) {
        for (size_t k = 0; k < each; k++)
            row[place(&l, k)] = (float)constant_get(&in->k, i * each + k);
        const void *rows = row;
        plan_run(p, w, &rows, 1, result);
        for (int k = 0; k < n; k++) {
            struct onnx_layout shape;
            onnx_output(o, k, &shape);
            size_t count = count_of(&shape);
            if (count * all != want[k].k.count || count != plan_out_count(p, k)) {
                snprintf(why, 300, "output %d has %zu elements, not %zu", k, count * images,
                         want[k].k.count);
                good = false;
                continue;
            }
            for (size_t j = 0; j < count && mode != CASES; j++) {
                double got = (double)result[k][place(&shape, j)];
                double d = fabs(got - constant_get(&want[k].k, i * count + j)) / most[k];
                off = d <= off ? off : d; /* what is no number is off, too */
            }
            for (size_t j = 0; j < count && good && mode == CASES; j++) {
                float got = result[k][place(&shape, j)];
                float ought = (float)constant_get(&want[k].k, i * count + j);
                if (!close_enough(got, ought)) {
                    snprintf(why, 300, "element %zu of output %d is %.9g, not %.9g", j, k,
                             (double)got, (double)ought);
                    good = false;
                }
            }
        }
    }
    if (mode != CASES && good && !(off <= 1e-4)) {
        snprintf(why, 300, "its outputs are off by %.1e", off);
        good = false;
    }
    if (mode != CASES && good)
        printf("pass %s %d %d %d %.1e %.3f\n", name, nodes, m->net.n - 2, plan_steps(p), off,
               1e3 * time_of(p, w, row, result));
    for (int k = 0; k < n; k++)
        free(result[k]);
    free(row);
    plan_work_free(w);
    plan_free(p);
    return good;
}

static bool is_real(int type)
{
    return type == 1;
}

static void run(const char *folder, enum mode mode)
{
    struct onnx_file f = {0};
    struct mien_err e;
    struct mien_buf model = {0}, weights = {0}, all = {0};
    struct tensor in[MAX_PORTS], want[MAX_PORTS];
    char path[4096], temp[] = "/tmp/onnx-case-XXXXXX", ops[200] = "", why[300] = "", refused[300];
    const char *name = strrchr(folder, '/') != NULL ? strrchr(folder, '/') + 1 : folder;
    const char *verdict = "out";
    int first = -1;
    snprintf(path, sizeof path, "%s/model.onnx", folder);
    if (!slurp(path, &model) || onnx_file_read(&f, path, &e) < 0) {
        printf("out %s -: %s\n", name, e.msg);
        onnx_file_free(&f);
        mien_buf_free(&model);
        return;
    }
    int nin = read_tensors(&f, folder, "input", in),
        nwant = read_tensors(&f, folder, "output", want);
    bool known = true;
    for (int k = 0; k < f.nnode; k++) {
        size_t at = strlen(ops);
        if (strstr(ops, f.node[k].op) == NULL)
            snprintf(ops + at, sizeof ops - at, "%s%s", k > 0 ? "," : "", f.node[k].op);
        if (!onnx_op_known(f.node[k].op)) {
            snprintf(why, sizeof why, "operator %s", f.node[k].op);
            known = false;
        }
    }
    int ports = 0, port[MAX_PORTS];
    for (int k = 0; k < f.nin && ports < MAX_PORTS; k++) {
        bool given = false;
        for (int j = 0; j < f.nweight; j++)
            given = given || f.weight[j].name == f.in[k].name;
        if (!given)
            port[ports++] = k;
    }
    for (int k = 0; k < nin && k < ports && first < 0; k++)
        first = is_real(in[k].type) && in[k].k.count > 0 ? k : -1;
    bool real = first >= 0 && nwant > 0 && nin == ports;
    for (int k = 0; k < nwant; k++)
        real = real && is_real(want[k].type) && want[k].k.count > 0;
    if (known && !real)
        snprintf(why, sizeof why, "not of floats");
    if (known && real) {
        for (int k = 0; k < nin; k++) {
            if (k == first)
                continue;
            struct mien_buf t = {0};
            const char *id = f.name[f.in[port[k]].name];
            if (mien_buf_append(&t, in[k].bytes.data, in[k].bytes.len) < 0)
                die("out of memory");
            put_bytes(&t, 8, id, strlen(id));
            put_bytes(&weights, 5, t.data, t.len);
            mien_buf_free(&t);
        }
        add_weights(span_of(&model), &weights, &all);
        int fd = mkstemp(temp);
        if (fd < 0 || file_write(fd, all.data, all.len) < 0)
            die("cannot write to /tmp");
        close(fd);
        verdict = "fail";
        for (int batch = mode != CASES; batch < 2 && strcmp(verdict, "fail") == 0; batch++) {
            struct onnx *o = onnx_open(temp, &e);
            struct model m = {0};
            struct onnx_options how = {.batch_is_data = batch == 0};
            if (o == NULL || onnx_import(o, &m, &how, &e) < 0) {
                if (batch == 0)
                    snprintf(refused, sizeof refused, "%.290s", e.msg);
                if (why[0] == '\0')
                    snprintf(why, sizeof why, "%.290s", batch == 0 ? refused : e.msg);
            } else if (agrees(mode, name, f.nnode, o, &m, &in[first], want, nwant, why)) {
                verdict = "pass";
            } else {
                batch = 2; /* what was taken has to be right */
            }
            model_free(&m);
            onnx_close(o);
        }
        unlink(temp);
    }
    if (mode == CASES || verdict[0] != 'p')
        printf("%s %s %s%s%s\n", verdict, name, ops, verdict[0] == 'p' ? "" : ": ",
               verdict[0] == 'p' ? "" : why);
    for (int k = 0; k < nin; k++) {
        constant_free(&in[k].k);
        mien_buf_free(&in[k].bytes);
    }
    for (int k = 0; k < nwant; k++) {
        constant_free(&want[k].k);
        mien_buf_free(&want[k].bytes);
    }
    mien_buf_free(&model);
    mien_buf_free(&weights);
    mien_buf_free(&all);
    onnx_file_free(&f);
}

int main(int argc, char **argv)
{
    enum mode mode = argc < 2                     ? CASES
                     : strcmp(argv[1], "-n") == 0 ? NETWORKS
                     : strcmp(argv[1], "-t") == 0 ? TIMES
                                                  : CASES;
    for (int i = 1 + (mode != CASES); i < argc; i++)
        run(argv[i], mode);
    return 0;
}
