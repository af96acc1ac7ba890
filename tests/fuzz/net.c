/* Descriptions of networks: what is read is printed, read again, and scaled. */
#include "fuzz.h"

#include "net/net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct net net = {0}, other = {0};
    struct mien_buf a = {0}, b = {0};
    struct mien_err e = {{0}};
    int rc = net_parse(&net, (const char *)data, size, &e);
    if (rc < 0) {
        fuzz_error(rc, &e);
        FUZZ_CHECK(net.n == 0);
        return 0;
    }
    FUZZ_CHECK(net_print(&net, &a) == 0);
    FUZZ_CHECK(net_parse(&other, (const char *)a.data, a.len, &e) == 0);
    FUZZ_CHECK(net_print(&other, &b) == 0);
    FUZZ_CHECK(a.len == b.len && memcmp(a.data, b.data, a.len) == 0);
    FUZZ_CHECK(net.n == other.n && net.nweights == other.nweights);
    double work = 0;
    for (int i = 0; i < net.n; i++)
        work += layer_madds(&net, i) + (double)layer_params(&net.layer[i]);
    FUZZ_CHECK(work >= 0);
    net_free(&other);
    if (net_scale(&other, &net, 48, 40, 1, &e) < 0)
        FUZZ_CHECK(other.n == 0);
    net_free(&other);
    if (net_scale(&other, &net, 0, 0, 0.3, &e) < 0)
        FUZZ_CHECK(other.n == 0);
    net_free(&other);
    FUZZ_CHECK(net_ancestors(&other, &net, net.n - 1, NULL, &e) >= 0);
    net_free(&other);
    net_free(&net);
    mien_buf_free(&a);
    mien_buf_free(&b);
    return 0;
}
