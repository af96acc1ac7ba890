#include "torch_module.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* --- Identifiers ---------------------------------------------------------------------------- */

/* Python's keywords; the file's own names; what nn.Module has. */
static const char reserved[] =
    " and as assert async await break class continue def del elif else except finally for from "
    "global if import in is lambda nonlocal not or pass raise return try while with "
    "json os torch nn self prepare forward load pixels male beyond step classes "
    "years_of_classes p_gender p_age pred_age features "
    "add_module apply bfloat16 buffers call_super_init children compile cpu cuda double "
    "dump_patches "
    "eval extra_repr float get_buffer get_extra_state get_parameter get_submodule half ipu "
    "load_state_dict modules mtia named_buffers named_children named_modules named_parameters "
    "parameters register_backward_hook register_buffer register_forward_hook "
    "register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook "
    "register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module "
    "register_parameter register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ "
    "set_extra_state set_submodule share_memory state_dict to to_empty train training type xpu "
    "zero_grad ";

static bool is_reserved(const char *id)
{
    size_t n = strlen(id);
    for (const char *s = reserved; (s = strstr(s, id)) != NULL; s++) {
        if (s[-1] == ' ' && s[n] == ' ')
            return true;
    }
    return false;
}

static bool is_taken(const struct torch *t, int layer, const char *id)
{
    for (int i = 0; i < layer; i++) {
        if (strcmp(t->value[i].id, id) == 0)
            return true;
    }
    return is_reserved(id);
}

void torch_name_layers(struct torch *t)
{
    const struct net *net = &t->o->model.net;
    for (int i = 0; i < net->n; i++) {
        char base[NET_NAME + 8], *id = t->value[i].id;
        const char *name = net->layer[i].name;
        snprintf(base, sizeof base, "%s%s", isalpha((unsigned char)name[0]) ? "" : "layer_", name);
        for (char *s = base; *s != '\0'; s++)
            *s = (char)(isalnum((unsigned char)*s) ? *s : '_');
        snprintf(id, sizeof t->value[i].id, "%s", base);
        for (int k = i; is_taken(t, i, id); k++)
            snprintf(id, sizeof t->value[i].id, "%s_%d", base, k);
    }
}

/* --- Text ----------------------------------------------------------------------------------- */

static void failed(struct torch *t, const struct mien_buf *b)
{
    if (t->rc == 0)
        t->rc = mien_err_mem(&t->e, b->len, "text");
}

static void vput(struct torch *t, struct mien_buf *b, const char *fmt, va_list ap)
{
    char text[512];
    int n = vsnprintf(text, sizeof text, fmt, ap);
    if (n < 0 || (size_t)n >= sizeof text || mien_buf_append(b, text, (size_t)n) < 0)
        failed(t, b);
}

void torch_more(struct torch *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vput(t, &t->init, fmt, ap);
    va_end(ap);
}

void torch_init(struct torch *t, int layer, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    torch_more(t, "        self.%s = ", t->value[layer].id);
    vput(t, &t->init, fmt, ap);
    va_end(ap);
}

void torch_put(struct torch *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vput(t, &t->forward, fmt, ap);
    va_end(ap);
}

void torch_assign(struct torch *t, int layer, enum torch_form form)
{
    t->value[layer].form = form;
    torch_put(t, "        %s = ", t->value[layer].id);
}

void torch_end(struct torch *t)
{
    torch_put(t, "\n");
}

/* --- Forms ---------------------------------------------------------------------------------- */

static struct shape shape_of(const struct torch *t, int layer)
{
    return t->o->model.net.layer[layer].shape;
}

static bool is_pixel(struct shape s)
{
    return s.h == 1 && s.w == 1;
}

void torch_put_as_is(struct torch *t, int layer)
{
    torch_put(t, "%s", t->value[layer].id);
}

void torch_put_image(struct torch *t, int layer)
{
    struct shape s = shape_of(t, layer);
    torch_put_as_is(t, layer);
    if (t->value[layer].form == TORCH_IMAGE)
        return;
    if (is_pixel(s))
        torch_put(t, "[:, :, None, None]");
    else
        torch_put(t, ".reshape(-1, %d, %d, %d).permute(0, 3, 1, 2)", s.h, s.w, s.c);
}

void torch_put_row(struct torch *t, int layer)
{
    torch_put_as_is(t, layer);
    if (t->value[layer].form == TORCH_IMAGE)
        torch_put(t,
                  is_pixel(shape_of(t, layer)) ? ".flatten(1)" : ".permute(0, 2, 3, 1).flatten(1)");
}

void torch_put_flat(struct torch *t, int layer)
{
    if (is_pixel(shape_of(t, layer))) {
        torch_put_row(t, layer);
        return;
    }
    torch_put_image(t, layer);
    torch_put(t, ".flatten(1)");
}

void torch_put_padded(struct torch *t, int layer, const struct layer *window, const char *fill)
{
    const struct layer *l = window;
    bool any = l->pt > 0 || l->pb > 0 || l->pl > 0 || l->pr > 0;
    if (any)
        torch_put(t, "F.pad(");
    torch_put_image(t, layer);
    if (any)
        torch_put(t, ", (%d, %d, %d, %d), value=%s)", l->pl, l->pr, l->pt, l->pb, fill);
}

void torch_param(struct torch *t, int layer, int param, const char *name, int ndim,
                 const size_t *dims)
{
    char key[2 * NET_NAME + 32];
    const struct param *p = &t->o->model.net.layer[layer].param[param];
    snprintf(key, sizeof key, "%s%s%s", t->value[layer].id, name != NULL ? "." : "",
             name != NULL ? name : "");
    if (t->rc == 0)
        t->rc =
            st_add(t->weights, key, MIEN_ST_F32, ndim, dims, t->o->model.weights + p->at, &t->e);
}
