#include "expr.h"

#include <stdlib.h>
#include <string.h>

#include "col.h"
#include "util/num.h"
#include "util/array.h"

enum kind { OR, AND, NOT, HAS, EQ, NE, LT, LE, GT, GE };

/* One side of a comparison: a column, or a constant when its id is 0. */
struct operand {
    struct column col;
    struct col_value constant;
    bool quoted;
};

struct expr_node {
    enum kind kind;
    int left, right;     /* OR, AND, NOT: indices of nodes */
    struct operand a, b; /* comparisons, and a of HAS */
};

/* Nodes lie in the order in which they were parsed, children before their parent: the last one is
   the whole condition. */
struct expr {
    char *text; /* what constants point into */
    struct expr_node *node;
    size_t n, cap;
};

/* What the recursion may take of the stack: parentheses and !, and chains of && and ||. */
enum { MAX_DEPTH = 100, MAX_NODES = 2000 };

struct parser {
    struct expr *x;
    const char *at;
    int depth;
    struct mien_err *e;
};

/* --- Parsing: each function returns the index of the node it made, or a negative code. ------ */

static int parse_or(struct parser *p);

static void skip_space(struct parser *p)
{
    p->at += strspn(p->at, " \t\r\n");
}

/* Steps over s if it comes next. */
static bool accept(struct parser *p, const char *s)
{
    skip_space(p);
    size_t n = strlen(s);
    if (strncmp(p->at, s, n) != 0)
        return false;
    p->at += n;
    return true;
}

static int wrong(struct parser *p, const char *wanted)
{
    if (*p->at == '\0')
        return mien_err_set(p->e, MIEN_ERR_ARG, "the condition ends where %s is expected", wanted);
    return mien_err_set(p->e, MIEN_ERR_ARG, "expected %s at '%.40s'", wanted, p->at);
}

static int add(struct parser *p, struct expr_node node)
{
    struct expr *x = p->x;
    if (x->n == MAX_NODES)
        return mien_err_set(p->e, MIEN_ERR_LIMIT, "the condition has more than %d parts",
                            MAX_NODES);
    struct expr_node *grown = array_grow(x->node, x->n, &x->cap, sizeof *grown);
    if (grown == NULL)
        return mien_err_mem(p->e, x->n * sizeof *grown, "a condition");
    x->node = grown;
    x->node[x->n] = node;
    return (int)x->n++;
}

/* A quoted text, a word, or the name of a column. */
static int parse_operand(struct parser *p, struct operand *o)
{
    *o = (struct operand){.constant.forms = COL_TEXT};
    skip_space(p);
    char quote = *p->at;
    if (quote == '"' || quote == '\'') {
        const char *end = strchr(p->at + 1, quote);
        if (end == NULL)
            return mien_err_set(p->e, MIEN_ERR_ARG, "unterminated quote at '%.40s'", p->at);
        o->constant.text = p->at + 1;
        o->constant.len = (size_t)(end - p->at) - 1;
        p->at = end + 1;
        o->quoted = true;
        return 0;
    }
    size_t len = strcspn(p->at, " \t\r\n()!=<>&|\"'");
    if (len == 0)
        return wrong(p, "a field or a value");
    o->constant.text = p->at;
    o->constant.len = len;
    o->col.id = col_of(p->at, len);
    char word[64];
    if (len < sizeof word) {
        memcpy(word, p->at, len);
        word[len] = '\0';
        if (num_real(word, -1e300, 1e300, &o->constant.number, NULL) == 0)
            o->constant.forms |= COL_NUMBER;
    }
    p->at += len;
    return 0;
}

static int operand_forms(const struct operand *o)
{
    return o->col.id != 0 ? col_forms(o->col.id) : o->constant.forms;
}

static int parse_test(struct parser *p)
{
    static const char *const ops[] = {"==", "!=", "<=", "<", ">=", ">"};
    static const enum kind kinds[] = {EQ, NE, LE, LT, GE, GT};
    struct expr_node t = {.kind = HAS};
    int rc = parse_operand(p, &t.a);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < sizeof ops / sizeof ops[0] && t.kind == HAS; i++) {
        if (accept(p, ops[i]))
            t.kind = kinds[i];
    }
    if (t.kind == HAS && *p->at == '=')
        return mien_err_set(p->e, MIEN_ERR_ARG, "'%.40s': use == to test for equality", p->at);
    if (t.kind != HAS && (rc = parse_operand(p, &t.b)) < 0)
        return rc;
    /* A word that isn't known is a field of that name, unless the other side is a field. */
    if (t.a.col.id == 0 && t.b.col.id == 0 && !t.a.quoted)
        t.a.col = column_of(t.a.constant.text, t.a.constant.len);
    if (t.a.col.id == 0 && t.b.col.id == 0)
        return mien_err_set(p->e, MIEN_ERR_ARG, "'%.*s' is not a field", (int)t.a.constant.len,
                            t.a.constant.text);
    if (t.kind != HAS && (operand_forms(&t.a) & operand_forms(&t.b)) == 0)
        return mien_err_set(p->e, MIEN_ERR_ARG, "'%.*s' and '%.*s' can't be compared",
                            (int)t.a.constant.len, t.a.constant.text, (int)t.b.constant.len,
                            t.b.constant.text);
    return add(p, t);
}

static int parse_not(struct parser *p)
{
    int node;
    if (++p->depth > MAX_DEPTH)
        return mien_err_set(p->e, MIEN_ERR_LIMIT, "the condition is nested too deeply");
    if (accept(p, "!")) {
        node = parse_not(p);
        if (node >= 0)
            node = add(p, (struct expr_node){.kind = NOT, .left = node});
    } else if (accept(p, "(")) {
        node = parse_or(p);
        if (node >= 0 && !accept(p, ")"))
            node = wrong(p, "')', an operator or a comparison");
    } else {
        node = parse_test(p);
    }
    p->depth--;
    return node;
}

/* Operands of one associative operator. */
static int parse_chain(struct parser *p, enum kind kind, const char *op,
                       int (*operand)(struct parser *))
{
    int left = operand(p);
    while (left >= 0 && accept(p, op)) {
        int right = operand(p);
        left = right < 0 ? right
                         : add(p, (struct expr_node){.kind = kind, .left = left, .right = right});
    }
    return left;
}

static int parse_and(struct parser *p)
{
    return parse_chain(p, AND, "&&", parse_not);
}

static int parse_or(struct parser *p)
{
    return parse_chain(p, OR, "||", parse_and);
}

struct expr *expr_parse(const char *text, struct mien_err *e)
{
    struct expr *x = calloc(1, sizeof *x);
    if (x == NULL || (x->text = strdup(text)) == NULL) {
        mien_err_mem(e, strlen(text), "a condition");
        expr_free(x);
        return NULL;
    }
    struct parser p = {.x = x, .at = x->text, .e = e};
    int rc = parse_or(&p);
    skip_space(&p);
    if (rc >= 0 && *p.at != '\0')
        rc = wrong(&p, "an operator");
    if (rc < 0) {
        expr_free(x);
        return NULL;
    }
    return x;
}

void expr_free(struct expr *x)
{
    if (x == NULL)
        return;
    free(x->text);
    free(x->node);
    free(x);
}

void expr_expect(const struct expr *x, struct columns_unseen *u)
{
    for (size_t i = 0; i < x->n; i++)
        columns_expect(u, &x->node[i].a.col, 1);
}

/* --- Matching ------------------------------------------------------------------------------ */

/* The operand's value: the constant itself, or the column read into v. NULL when absent. */
static const struct col_value *value(const struct operand *o, const struct mien_rec *r,
                                     struct col_value *v)
{
    if (o->col.id == 0)
        return &o->constant;
    return column_get(r, &o->col, v) ? v : NULL;
}

static int text_order(const struct col_value *a, const struct col_value *b)
{
    size_t n = a->len < b->len ? a->len : b->len;
    int order = n == 0 ? 0 : memcmp(a->text, b->text, n);
    return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

static bool compare(const struct expr_node *t, const struct mien_rec *r)
{
    struct col_value va, vb;
    const struct col_value *a = value(&t->a, r, &va), *b = value(&t->b, r, &vb);
    if (a == NULL || b == NULL)
        return false;
    double x, y;
    if (a->forms & b->forms & COL_NUMBER) {
        x = a->number;
        y = b->number;
    } else if (a->forms & b->forms & COL_TEXT) {
        x = text_order(a, b);
        y = 0;
    } else {
        return false; /* a foreign stream's field of another type than its tag prescribes */
    }
    switch (t->kind) {
    case EQ:
        return x == y;
    case NE:
        return x != y;
    case LT:
        return x < y;
    case LE:
        return x <= y;
    case GT:
        return x > y;
    default:
        return x >= y;
    }
}

static bool match(const struct expr *x, int i, const struct mien_rec *r)
{
    const struct expr_node *t = &x->node[i];
    struct col_value v;
    switch (t->kind) {
    case OR:
        return match(x, t->left, r) || match(x, t->right, r);
    case AND:
        return match(x, t->left, r) && match(x, t->right, r);
    case NOT:
        return !match(x, t->left, r);
    case HAS:
        return column_get(r, &t->a.col, &v);
    default:
        return compare(t, r);
    }
}

bool expr_match(const struct expr *x, const struct mien_rec *r)
{
    return match(x, (int)x->n - 1, r);
}
