/*
 * The order in which gradients are summed over a batch. The batch is cut into leaves, some images each,
 * a number that depends on the batch alone; each leaf's gradient is summed by itself, and two
 * neighbors' are added, then two neighboring pairs', and so on. So whoever computes some leaves in a
 * row, a thread or a process, can add up what lies wholly within them, and leaves the rest: the
 * roots of whole subtrees, in order. Of these seven leaves, 1 to 5 have the roots 1, 2-3 and 4-5, and
 * 4 to 6 a single one, since 6 has no neighbor:
 *
 *          +-----+-----+
 *       +--+--+     +--+--+
 *      0-1   2-3   4-5    6
 */
#ifndef MIEN_TRAIN_TREE_H
#define MIEN_TRAIN_TREE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

/* Leaves of a batch of n, and the most of them; and the roots of some leaves in a row, and nodes that
   wait for their neighbor, at most. */
enum { TREE_LEAVES = 64, TREE_ROOTS = 13 };

static inline size_t tree_leaves(int n)
{
    size_t most = n <= 64 ? 16 : n <= 128 ? 32 : TREE_LEAVES;
    return (size_t)n < most ? (size_t)n : most;
}

/* Images of a leaf at most, in batches of n or less. */
static inline size_t tree_leaf_images(int n)
{
    size_t most = 0;
    for (int k = 1; k <= n; k++) {
        size_t leaves = tree_leaves(k), images = ((size_t)k + leaves - 1) / leaves;
        most = images > most ? images : most;
    }
    return most;
}

/* Leaves [from, to) summed up. */
struct tree_node {
    size_t from, to;
};

/* Nodes in a row that aren't joined yet. */
struct tree {
    size_t leaves; /* of the batch */
    int n;
    struct tree_node node[TREE_ROOTS];
};

static inline void tree_push(struct tree *t, size_t from, size_t to)
{
    assert(t->n < TREE_ROOTS && from < to && to <= t->leaves);
    t->node[t->n++] = (struct tree_node){from, to};
}

/* Joins the last two nodes where they are neighbors in the tree: then the sum of the second, which is
   now node[n], is to be added to that of the first, node[n - 1]. Returns whether they are. */
static inline bool tree_join(struct tree *t)
{
    if (t->n < 2)
        return false;
    struct tree_node *a = &t->node[t->n - 2], *b = &t->node[t->n - 1];
    size_t size = a->to - a->from, end = a->from + 2 * size;
    if (a->from % (2 * size) != 0 || a->to != b->from ||
        b->to != (end < t->leaves ? end : t->leaves))
        return false;
    a->to = b->to;
    t->n--;
    return true;
}

/* The roots of leaves [from, to). */
static inline struct tree tree_roots(size_t from, size_t to, size_t leaves)
{
    struct tree t = {.leaves = leaves};
    for (size_t i = from; i < to; i++) {
        tree_push(&t, i, i + 1);
        while (tree_join(&t))
            ;
    }
    return t;
}

#endif
