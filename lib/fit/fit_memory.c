/* What training takes in memory, told without taking it. */
#include <stdlib.h>

#include "fit.h"
#include "net/table.h"
#include "train/memory.h"

/* The layers that the loss reads: those whose output is a result, before a softmax of it. */
static int find_ends(const struct net *net, int *ends)
{
    int n = 0;
    for (int i = 0; i < net->n; i++) {
        const struct layer *l = &net->layer[i];
        bool read = false;
        for (int k = i + 1; k < net->n && !read; k++) {
            for (int j = 0; j < net->layer[k].nin; j++)
                read = read || net->layer[k].in[j] == i;
        }
        if (!read)
            ends[n++] = l->nin > 0 && (l->type == L_SOFTMAX || l->type == L_SIGMOID) ? l->in[0] : i;
    }
    return n;
}

/* Adds up what a trainer of net takes, whose memory is p. */
static void add_up(const struct net *net, int batch, const struct train_memory *p,
                   struct fit_memory *m)
{
    *m = (struct fit_memory){.weights = 5 * p->weights * sizeof(float)};
    m->work = p->bytes - p->weights * sizeof(float); /* less the weights' gradients */
    for (int i = 0; i < net->n; i++) {
        const struct layer *l = &net->layer[i];
        if (p->use[i].holder == i)
            m->outputs += (size_t)batch * shape_count(l->shape) * sizeof(float);
    }
    m->work -= m->outputs;
}

int fit_memory(const struct net *net, int batch, struct fit_memory *m, struct mien_err *e)
{
    struct train_memory p = {0};
    size_t n = (size_t)net->n;
    bool *train = malloc(n * sizeof *train);
    int *ends = malloc(n * sizeof *ends), input = 0, rc = MIEN_ERR_MEM;
    if (train == NULL || ends == NULL)
        goto out;
    for (size_t i = 0; i < n; i++)
        train[i] = true;
    rc = train_memory_make(&p, net, train, &input, 1, ends, find_ends(net, ends), batch, 1, false);
    if (rc == 0)
        add_up(net, batch, &p, m);
out:
    train_memory_free(&p);
    free(train);
    free(ends);
    return rc < 0 ? mien_err_mem(e, n * sizeof *ends, "layers") : 0;
}

int fit_memory_print(const struct fit_memory *m, int batch, struct mien_buf *out)
{
    char all[NET_BYTES_TEXT], outputs[NET_BYTES_TEXT], work[NET_BYTES_TEXT],
        weights[NET_BYTES_TEXT];
    return mien_buf_printf(
        out,
        "training every layer in batches of %d: %s (outputs %s; their gradients and work space "
        "%s; weights, gradients, moments and best copy %s)\n",
        batch, net_bytes((double)m->outputs + (double)m->work + (double)m->weights, all),
        net_bytes((double)m->outputs, outputs), net_bytes((double)m->work, work),
        net_bytes((double)m->weights, weights));
}
