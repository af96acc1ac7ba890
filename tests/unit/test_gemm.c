/* Products of matrices: every variant against sums in double precision and against OpenBLAS. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <cblas.h>

#include "kernel/gemm.h"
#include "layers/tail.h"
#include "util/hash.h"

enum { PAD = 3 }; /* floats between the rows of a matrix */

/* A product of random matrices, each followed by memory that must not be read or written. */
struct product {
    int m, n, k;
    struct matrix a, b;
    float *start, *c; /* (m, n + PAD), before and after */
    size_t ldc;
    bool add;
};

static float *random_floats(size_t n, struct rng *r)
{
    float *x = malloc((n + 1) * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(2 * rng_uniform(r) - 1);
    return x;
}

/* rows x columns elements, the last row without padding, so that a sanitizer sees what is read
   behind it. */
static struct matrix random_matrix(int rows, int columns, bool transposed, struct rng *r)
{
    int lines = transposed ? columns : rows, length = transposed ? rows : columns;
    size_t count = (size_t)lines * (size_t)(length + PAD);
    const float *x = random_floats(count > PAD ? count - PAD : 0, r);
    return (struct matrix){x, (size_t)(length + PAD), transposed, NULL};
}

static struct product product_make(int m, int n, int k, int how, struct rng *r)
{
    struct product p = {.m = m, .n = n, .k = k, .ldc = (size_t)n + PAD, .add = how & 4};
    p.a = random_matrix(m, k, how & 1, r);
    p.b = random_matrix(k, n, how & 2, r);
    p.start = random_floats((size_t)m * p.ldc, r);
    p.c = random_floats((size_t)m * p.ldc, r);
    return p;
}

static void product_free(struct product *p)
{
    free((void *)p->a.x);
    free((void *)p->b.x);
    free(p->start);
    free(p->c);
}

static void run_part(const struct product *p, const struct gemm *g, int i, int j, int m, int n)
{
    struct matrix a = p->a, b = p->b;
    float *scratch = malloc(gemm_scratch(g) * sizeof *scratch);
    assert_non_null(scratch);
    a.x += a.transposed ? (size_t)i : (size_t)i * a.ld;
    b.x += b.transposed ? (size_t)j * b.ld : (size_t)j;
    gemm_run(g, m, n, p->k, a, b, p->add, p->c + (size_t)i * p->ldc + j, p->ldc, scratch);
    free(scratch);
}

static void run(const struct product *p, const struct gemm *g)
{
    memcpy(p->c, p->start, (size_t)p->m * p->ldc * sizeof *p->c);
    run_part(p, g, 0, 0, p->m, p->n);
}

/* In pieces of 66 terms. */
static struct packed pack_all(const struct gemm *g, int many, int terms, struct matrix x, bool left)
{
    enum { PIECE = 66 };
    struct packed p = {NULL, many, terms, left};
    p.at = malloc((packed_floats(g, &p) + 1) * sizeof *p.at);
    assert_non_null(p.at);
    for (int k = 0; k < terms; k += PIECE)
        gemm_pack(g, &p, x, k, k + PIECE < terms ? PIECE : terms - k);
    return p;
}

/* With the right side packed beforehand. */
static void run_packed(const struct product *p, const struct gemm *g)
{
    float *scratch = malloc(gemm_scratch(g) * sizeof *scratch);
    struct packed b = pack_all(g, p->n, p->k, p->b, false);
    assert_non_null(scratch);
    memcpy(p->c, p->start, (size_t)p->m * p->ldc * sizeof *p->c);
    gemm_run_packed(g, p->m, p->a, &b, NULL, p->c, p->ldc, scratch);
    free(b.at);
    free(scratch);
}

/* With both packed, in blocks of three panels of rows and two of columns. */
static void run_blocks(const struct product *p, const struct gemm *g)
{
    struct packed a = pack_all(g, p->m, p->k, p->a, true);
    struct packed b = pack_all(g, p->n, p->k, p->b, false);
    int rows = 3 * gemm_step(g, &a), columns = 2 * gemm_step(g, &b);
    memcpy(p->c, p->start, (size_t)p->m * p->ldc * sizeof *p->c);
    for (int i = 0; i < p->m; i += rows) {
        for (int j = 0; j < p->n; j += columns)
            gemm_run_block(g, &a, &b, i, j, i + rows < p->m ? rows : p->m - i,
                           j + columns < p->n ? columns : p->n - j, p->c + (size_t)i * p->ldc + j,
                           p->ldc);
    }
    free(a.at);
    free(b.at);
}

static float rounded(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    u = (u + 0x7fff + (u >> 16 & 1)) & 0xffff0000;
    memcpy(&x, &u, sizeof x);
    return x;
}

static double element(const struct matrix *x, int i, int j, bool bf16)
{
    float v = x->x[x->transposed ? (size_t)j * x->ld + (size_t)i : (size_t)i * x->ld + (size_t)j];
    return (double)(bf16 ? rounded(v) : v);
}

/* Sums of k terms in floats are off by some of their last places; what lies between the rows is
   left alone. */
static void check(const struct product *p, const struct gemm *g)
{
    for (int i = 0; i < p->m; i++) {
        for (int j = 0; j < p->n + PAD; j++) {
            size_t at = (size_t)i * p->ldc + (size_t)j;
            double sum = j < p->n && !p->add ? 0 : (double)p->start[at];
            for (int t = 0; j < p->n && t < p->k; t++)
                sum += element(&p->a, i, t, g->bf16) * element(&p->b, t, j, g->bf16);
            double most = j < p->n ? 1e-6 * (1 + sqrt(p->k)) : 0;
            if (fabs((double)p->c[at] - sum) > most)
                fail_msg("%s, %d x %d x %d: element %d, %d is %g and not %g", g->name, p->m, p->n,
                         p->k, i, j, (double)p->c[at], sum);
        }
    }
}

static const int shapes[][3] = {{1, 1, 1},     {1, 5, 0},      {2, 32, 2},     {14, 32, 3},
                                {15, 33, 17},  {29, 65, 31},   {6, 16, 33},    {7, 17, 255},
                                {64, 64, 256}, {13, 31, 257},  {170, 40, 100}, {5, 530, 64},
                                {33, 70, 515}, {12, 96, 1030}, {169, 513, 9},  {32, 101, 1024}};
enum { SHAPES = sizeof shapes / sizeof *shapes, WAYS = 8 };

static void test_sums(void **state)
{
    struct rng r = {1};
    const struct gemm *g;
    (void)state;
    if (gemm_variant(0) == NULL)
        skip();
    for (int s = 0; s < SHAPES * WAYS; s++) {
        const int *shape = shapes[s / WAYS];
        struct product p = product_make(shape[0], shape[1], shape[2], s % WAYS, &r);
        for (size_t i = 0; (g = gemm_variant(i)) != NULL; i++) {
            run(&p, g);
            check(&p, g);
        }
        product_free(&p);
    }
}

/* Shapes of MobileNet's and ResNet's layers: forward, the input's gradient, the weights'. */
static void test_blas(void **state)
{
    static const int layers[][3] = {{1568, 64, 32}, {392, 512, 256}, {98, 1024, 512},
                                    {113, 64, 576}, {64, 128, 1152}, {32, 101, 1024}};
    const struct gemm *g;
    struct rng r = {2};
    (void)state;
    if (gemm_variant(0) == NULL)
        skip();
    for (size_t s = 0; s < 3 * sizeof layers / sizeof *layers; s++) {
        int rows = layers[s / 3][0], units = layers[s / 3][1], inputs = layers[s / 3][2];
        struct product p = s % 3 == 0   ? product_make(rows, units, inputs, 0, &r)
                           : s % 3 == 1 ? product_make(rows, inputs, units, 2, &r)
                                        : product_make(inputs, units, rows, 1 | 4, &r);
        float *c = malloc((size_t)p.m * p.ldc * sizeof *c);
        assert_non_null(c);
        memcpy(c, p.start, (size_t)p.m * p.ldc * sizeof *c);
        cblas_sgemm(CblasRowMajor, p.a.transposed ? CblasTrans : CblasNoTrans,
                    p.b.transposed ? CblasTrans : CblasNoTrans, p.m, p.n, p.k, 1, p.a.x,
                    (int)p.a.ld, p.b.x, (int)p.b.ld, p.add ? 1 : 0, c, (int)p.ldc);
        for (size_t v = 0; (g = gemm_variant(v)) != NULL; v++) {
            run(&p, g);
            /* In float OpenBLAS's sums are off by as much, too. */
            double most = (g->bf16 ? 5e-3 : 2e-6) * (1 + sqrt(p.k));
            for (int i = 0; i < p.m; i++) {
                for (int j = 0; j < p.n; j++)
                    assert_float_equal(p.c[(size_t)i * p.ldc + j], c[(size_t)i * p.ldc + j], most);
            }
        }
        free(c);
        product_free(&p);
    }
}

/* A matrix's elements as bfloat16s, owned by the caller. */
static struct matrix narrowed(struct matrix x, int rows, int columns)
{
    int lines = x.transposed ? columns : rows, length = x.transposed ? rows : columns;
    size_t count = (size_t)lines * (size_t)(length + PAD);
    count = count > PAD ? count - PAD : 0;
    bfloat *half = malloc(count * sizeof *half + 1);
    assert_non_null(half);
    bf16_narrow(x.x, half, count);
    return (struct matrix){NULL, x.ld, x.transposed, half};
}

/* The product of bfloat16s is that of the floats that become them, which are rounded anyway. */
static void check_narrowed(struct product *p, const struct gemm *g, const float *want, size_t bytes)
{
    struct product narrow = *p;
    narrow.a = narrowed(p->a, p->m, p->k);
    narrow.b = narrowed(p->b, p->k, p->n);
    run(&narrow, g);
    assert_memory_equal(p->c, want, bytes);
    if (!p->add) {
        run_packed(&narrow, g);
        assert_memory_equal(p->c, want, bytes);
    }
    free((void *)narrow.a.half);
    free((void *)narrow.b.half);
}

/* Results are the floats of `want`, activated, and in bfloat16 rounded. */
static void check_finished(const struct product *p, const struct gemm *g, const float *want)
{
    static const enum act acts[] = {ACT_NONE, ACT_RELU, ACT_RELU6};
    struct packed b = pack_all(g, p->n, p->k, p->b, false);
    float *scratch = malloc(gemm_scratch(g) * sizeof *scratch);
    float *room = malloc((size_t)p->m * (size_t)p->n * sizeof *room);
    float *floats = malloc((size_t)p->m * (size_t)p->n * sizeof *floats);
    bfloat *y = malloc((size_t)p->m * (size_t)p->n * sizeof *y);
    assert_true(scratch != NULL && room != NULL && floats != NULL && y != NULL);
    for (int k = 0; k < 6; k++) {
        const struct tail tail = {k % 2 == 0 ? p->start : NULL, acts[k / 2], NULL};
        gemm_run_bf16(g, p->m, p->a, &b, &tail, y, room, scratch);
        gemm_run_packed(g, p->m, p->a, &b, &tail, floats, (size_t)p->n, scratch);
        for (int i = 0; i < p->m; i++) {
            for (int j = 0; j < p->n; j++) {
                float v = tail_one(&tail, j, want[(size_t)i * p->ldc + (size_t)j]);
                assert_int_equal(y[i * p->n + j], bf16_round(v));
                assert_true(floats[i * p->n + j] == v);
            }
        }
    }
    free(b.at);
    free(scratch);
    free(room);
    free(floats);
    free(y);
}

/* Float, bfloat16, and bfloat16 in tiles, whose terms are added up in another order. */
enum { ORDERS = 3 };

static int order_of(const struct gemm *g)
{
    return g->by_row ? 2 : g->bf16;
}

/* All variants of an order, and products cut into parts or packed beforehand, give the same bytes. */
static void test_bytes(void **state)
{
    const struct gemm *g;
    struct rng r = {3};
    (void)state;
    for (int s = 0; s < SHAPES * WAYS; s++) {
        const int *shape = shapes[s / WAYS];
        struct product p = product_make(shape[0], shape[1], shape[2], s % WAYS, &r);
        size_t bytes = (size_t)p.m * p.ldc * sizeof *p.c;
        float *first[ORDERS] = {NULL};
        for (size_t i = 0; (g = gemm_variant(i)) != NULL; i++) {
            float **want = &first[order_of(g)];
            run(&p, g);
            if (*want == NULL) {
                *want = malloc(bytes);
                assert_non_null(*want);
                memcpy(*want, p.c, bytes);
            }
            assert_memory_equal(p.c, *want, bytes);
            memcpy(p.c, p.start, bytes);
            int m = (p.m + 2) / 3, n = (p.n + 1) / 2;
            run_part(&p, g, 0, 0, m, n);
            run_part(&p, g, 0, n, m, p.n - n);
            run_part(&p, g, m, 0, p.m - m, p.n);
            assert_memory_equal(p.c, *want, bytes);
            if (!p.add) {
                run_packed(&p, g);
                assert_memory_equal(p.c, *want, bytes);
            }
            if (g->bf16)
                check_narrowed(&p, g, *want, bytes);
            if (g->bf16 && !p.add && p.k > 0)
                check_finished(&p, g, *want);
            if (!p.add && p.k > 0) {
                run_blocks(&p, g);
                assert_memory_equal(p.c, *want, bytes);
            }
        }
        for (int i = 0; i < ORDERS; i++)
            free(first[i]);
        product_free(&p);
    }
}

/* What bfloat16 makes of numbers at its edges: multiplied by one, in both ways to pack. */
static void test_rounding(void **state)
{
    static const struct {
        float x, to;
    } cases[] = {{1 + 0x1p-8f, 1},
                 {1 + 0x1.8p-7f, 1 + 0x1p-6f},
                 {-1 - 0x1.02p-8f, -1 - 0x1p-7f},
                 {0x1.ffp127f, INFINITY},
                 {0x1.fep127f, 0x1.fep127f},
                 {-INFINITY, -INFINITY},
                 {0x1p-126f, 0x1p-126f},
                 {0x1p-127f, 0},
                 {-0x1.8p-149f, 0}};
    const struct gemm *g;
    const float one = 1;
    (void)state;
    for (size_t v = 0; (g = gemm_variant(v)) != NULL; v++) {
        float *scratch = malloc(gemm_scratch(g) * sizeof *scratch), y;
        assert_non_null(scratch);
        for (size_t i = 0; g->bf16 && i < 2 * sizeof cases / sizeof *cases; i++) {
            struct matrix x = {&cases[i / 2].x, 1, i % 2, NULL}, b = {&one, 1, false, NULL};
            gemm_run(g, 1, 1, 1, x, b, false, &y, 1, scratch);
            assert_true(y == cases[i / 2].to);
            assert_true(bf16_float(bf16_round(cases[i / 2].x)) == cases[i / 2].to);
        }
        for (int i = 0; i < 2; i++) {
            const uint32_t bits = 0x7f800001; /* loses its only bit */
            float nan;
            memcpy(&nan, &bits, sizeof nan);
            gemm_run(g, 1, 1, 1, (struct matrix){&nan, 1, i, NULL},
                     (struct matrix){&one, 1, false, NULL}, false, &y, 1, scratch);
            assert_true(isnan(y));
            assert_true(isnan(bf16_float(bf16_round(nan))));
        }
        free(scratch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_blas),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_rounding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
