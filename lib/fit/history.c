#include "history.h"

#include <stdio.h>
#include <string.h>

#include "net/model.h"
#include "start.h"
#include "tensor/pack_origin.h"
#include "util/num.h"

static int add_model(const char *lead, const char *name, struct mien_buf *out, struct mien_err *e)
{
    struct model m = {0};
    int rc = model_load(&m, name, e);
    if (rc < 0)
        return rc;
    if (mien_buf_printf(out, "%s ", lead) < 0 || model_origin(&m, out) < 0)
        rc = mien_err_mem(e, out->len, "a history");
    model_free(&m);
    return rc;
}

static int add_pack(const char *lead, const char *path, double weight, struct mien_buf *out,
                    struct mien_err *e)
{
    struct mien_pack p;
    char number[NUM_TEXT], with[NUM_TEXT + 32] = "";
    int rc = mien_pack_open(&p, path, e);
    if (rc < 0)
        return rc;
    num_print(number, weight);
    if (weight != 1)
        snprintf(with, sizeof with, ", %s times,", number);
    if (mien_buf_printf(out, "%s%s ", lead, with) < 0 || pack_origin(&p, out) < 0)
        rc = mien_err_mem(e, out->len, "a history");
    mien_pack_close(&p);
    return rc;
}

int fit_history(const struct fit_source *from, const char *teacher, struct mien_buf *out,
                struct mien_err *e)
{
    int rc = from->start->init != NULL ? add_model("from", from->start->init, out, e) : 0;
    for (const char *s = teacher; rc == 0 && s != NULL && *s != '\0';) {
        size_t n = strcspn(s, ",");
        char name[4096];
        snprintf(name, sizeof name, "%.*s", (int)n, s);
        rc = add_model("taught by", name, out, e);
        s += n + (s[n] == ',');
    }
    for (size_t k = 0; rc == 0 && k < from->train->n; k++)
        rc = add_pack("trained on", from->train->path[k], from->train->weight[k], out, e);
    if (rc == 0 && from->val != NULL)
        rc = add_pack("validated on", from->val, 1, out, e);
    return rc;
}
