#include "table.h"

#include <stdio.h>
#include <string.h>

const char *net_bytes(double bytes, char text[NET_BYTES_TEXT])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
    int k = 0;
    for (; bytes >= 1024 && k < 3; k++)
        bytes /= 1024;
    snprintf(text, NET_BYTES_TEXT, "%.*f %s", k > 0 ? 1 : 0, bytes, units[k]);
    return text;
}

static double output_bytes(const struct layer *l)
{
    return (double)shape_count(l->shape) * sizeof(float);
}

int net_table_tsv(const struct net *net, struct mien_buf *out)
{
    int rc = mien_buf_printf(out, "layer\ttype\theight\twidth\tchannels\tparameters\t"
                                  "multiply_adds\tbytes\n");
    for (int i = 0; i < net->n; i++) {
        const struct layer *l = &net->layer[i];
        rc |= mien_buf_printf(out, "%s\t%s\t%d\t%d\t%d\t%zu\t%.0f\t%.0f\n", l->name,
                              layer_type_name(l->type), l->shape.h, l->shape.w, l->shape.c,
                              layer_params(l), layer_madds(net, i), output_bytes(l));
    }
    return rc < 0 ? MIEN_ERR_MEM : 0;
}

int net_table(const struct net *net, struct mien_buf *out)
{
    double madds = 0, bytes = 0, params = 0;
    char size[NET_BYTES_TEXT], shape[40];
    int wide = (int)strlen("layer"), type = 8; /* columns that names and types take */
    for (int i = 0; i < net->n; i++) {
        int n = (int)strlen(net->layer[i].name),
            t = (int)strlen(layer_type_name(net->layer[i].type));
        wide = n > wide ? n : wide;
        type = t > type ? t : type;
    }
    int rc = mien_buf_printf(out, "%-*s  %-*s %14s %12s %15s %11s\n", wide, "layer", type, "type",
                             "output", "parameters", "multiply-adds", "memory");
    for (int i = 0; i < net->n; i++) {
        const struct layer *l = &net->layer[i];
        snprintf(shape, sizeof shape, "%dx%dx%d", l->shape.h, l->shape.w, l->shape.c);
        rc |= mien_buf_printf(out, "%-*s  %-*s %14s %12zu %15.0f %11s\n", wide, l->name, type,
                              layer_type_name(l->type), shape, layer_params(l), layer_madds(net, i),
                              net_bytes(output_bytes(l), size));
        madds += layer_madds(net, i);
        bytes += output_bytes(l);
        params += (double)layer_params(l);
    }
    char weights[NET_BYTES_TEXT];
    rc |= mien_buf_printf(
        out, "total: %d layers, %.0f parameters (%s), %.1f million multiply-adds, %s of outputs\n",
        net->n, params, net_bytes(params * sizeof(float), weights), madds / 1e6,
        net_bytes(bytes, size));
    return rc < 0 ? MIEN_ERR_MEM : 0;
}
