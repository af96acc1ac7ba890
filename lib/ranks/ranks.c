#include "ranks.h"

/* Bytes that this rank sends of its own `mine`, to all others. */
static uint64_t to_others(const struct ranks *r, size_t mine)
{
    return (uint64_t)mine * (uint64_t)(r->size - 1);
}

void *ranks_start_gather(struct ranks *r, int lane, void *data, const size_t *at)
{
    if (ranks_size(r) == 1)
        return NULL;
    r->sent += to_others(r, at[r->rank + 1] - at[r->rank]);
    return r->carrier->gather(r, lane, data, at);
}

void *ranks_start_swap(struct ranks *r, int lane, const void *send, const size_t *send_at,
                       void *receive, const size_t *receive_at)
{
    r->sent += send_at[r->size] - send_at[0] - (send_at[r->rank + 1] - send_at[r->rank]);
    return r->carrier->swap(r, lane, send, send_at, receive, receive_at);
}

bool ranks_test(struct ranks *r, void *request)
{
    return request == NULL || r->carrier->test(r, request);
}

void ranks_wait(struct ranks *r, void *request)
{
    if (request != NULL)
        r->carrier->wait(r, request);
}

void ranks_gather(struct ranks *r, void *data, const size_t *at)
{
    ranks_wait(r, ranks_start_gather(r, RANKS_STEP, data, at));
}

void ranks_gather_each(struct ranks *r, void *data, size_t bytes)
{
    size_t at[RANKS_MOST + 1];
    for (int q = 0; q <= ranks_size(r); q++)
        at[q] = (size_t)q * bytes;
    ranks_gather(r, data, at);
}

void ranks_spread(struct ranks *r, void *data, size_t bytes)
{
    size_t at[RANKS_MOST + 1] = {0};
    for (int q = 1; q <= ranks_size(r); q++)
        at[q] = bytes;
    ranks_gather(r, data, at);
}

void ranks_close(struct ranks *r)
{
    if (r != NULL)
        r->carrier->close(r);
}
