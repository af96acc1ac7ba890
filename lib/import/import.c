#include "import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kind.h"
#include "mien/version.h"
#include "onnx/onnx.h"
#include "tensor/st_format.h"
#include "tfjs/tfjs.h"
#include "torch_weights.h"
#include "util/file.h"

#define MAX_TEXT ((size_t)4 << 20) /* of a description */

/* --- What is known of networks ---------------------------------------------------------------- */

/* HSE FaceRec, https://github.com/HSE-asavchenko/HSE_FaceRec_tf: the preprocessing and the ages
   are those of the authors' facial_analysis.py; the crop is that of the Human library, which
   enlarges a face's box to 1.4 of its size. */
static const struct import_options faceres = {
    .gender = "gender_pred/Sigmoid",
    .age = "age_pred/Softmax",
    .prep = {.color = "bgr",
             .mean = "103.939,116.779,123.68",
             .margin = "0.2",
             .age0 = "1",
             .embed = "global_pooling"},
};

/* BlazeFace takes pixels from -1 to 1. */
static const struct input_options blazeface = {.mean = "127.5,127.5,127.5",
                                               .scale = "0.00784313725"};

static void use_faceres(struct import_options *o)
{
    if (o->gender == NULL)
        o->gender = faceres.gender;
    if (o->age == NULL)
        o->age = faceres.age;
    input_options_default(&o->prep, &faceres.prep);
}

void import_use_blazeface(struct import_options *o)
{
    input_options_default(&o->prep, &blazeface);
}

/* --- What a file doesn't tell ----------------------------------------------------------------- */

/* Puts the file's name before the cause, unless the cause is the system's, which has it. */
static int of_file(const char *path, int rc, const struct mien_err *cause, struct mien_err *e)
{
    return mien_err_set(e, rc, rc == MIEN_ERR_SYS ? "%.0s%s" : "'%s': %s", path, cause->msg);
}

/* Refuses pixels of which neither the file nor an option tells how they become the input. */
static int ask_pixels(const struct import_options *o, struct mien_err *e)
{
    return o->no_heads || (o->prep.color != NULL && o->prep.mean != NULL && o->prep.scale != NULL)
               ? 0
               : mien_err_set(e, MIEN_ERR_FORMAT,
                              "it doesn't say how pixels become its input; --color, --mean and "
                              "--scale do");
}

static int ask(const struct import_options *o, const struct onnx *t, struct mien_err *e)
{
    struct mien_buf outputs = {0};
    int rc = 0;
    if (o->gender == NULL && o->age == NULL && !o->no_heads) {
        if (onnx_outputs(t, &outputs) < 0)
            rc = mien_err_mem(e, outputs.len, "outputs");
        else
            rc = mien_err_set(e, MIEN_ERR_FORMAT,
                              "its outputs are %.*s; which are the gender and the age? Name them "
                              "with --gender and --age, or give --no-heads",
                              (int)outputs.len, (const char *)outputs.data);
    }
    mien_buf_free(&outputs);
    return rc < 0 ? rc : ask_pixels(o, e);
}

/* --- Where a model comes from ----------------------------------------------------------------- */

/* For the model's file: its history before, if known, and this step. */
static int begin_history(struct mien_buf *text, const char *before, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (before != NULL && mien_buf_printf(text, "%s\n", before) < 0)
        return MIEN_ERR_MEM;
    return mien_buf_printf(text, "mien-import %s of %s", MIEN_VERSION,
                           slash != NULL ? slash + 1 : path);
}

/* A line of it, if the file has told. */
static int add_history(struct mien_buf *text, const char *what, const char *name)
{
    return name != NULL && name[0] != '\0' ? mien_buf_printf(text, "\n%s %s", what, name) : 0;
}

/* Gives the text to the model. rc is what has become of it so far. */
static int end_history(struct model *m, struct mien_buf *text, int rc, struct mien_err *e)
{
    if (rc < 0 || mien_buf_append(text, "", 1) < 0) {
        mien_buf_free(text);
        return mien_err_mem(e, text->len, "a text");
    }
    m->made = (char *)text->data;
    return 0;
}

/* --- TensorFlow.js ---------------------------------------------------------------------------- */

static int import_tfjs(const char *path, struct import_options *o, struct model *m,
                       struct import_found *found, struct mien_err *e)
{
    struct mien_err cause;
    struct mien_buf text = {0};
    struct tfjs *t = tfjs_open(path, e);
    if (t == NULL)
        return MIEN_ERR_FORMAT;
    found->graph = true;
    found->faceres = o->preset == PRESET_AUTO && tfjs_has_output(t, faceres.gender) &&
                     tfjs_has_output(t, faceres.age);
    if (found->faceres || o->preset == PRESET_FACERES)
        use_faceres(o);
    int rc = tfjs_import(t, m, o->gender, o->age, o->h, o->w, &cause);
    if (rc < 0) {
        of_file(path, rc, &cause, e);
    } else {
        rc = begin_history(&text, NULL, path);
        rc |= add_history(&text, "network by", tfjs_made_by(t));
        rc |= add_history(&text, "converted to TensorFlow.js by", tfjs_converted_by(t));
        rc = end_history(m, &text, rc, e);
    }
    tfjs_close(t);
    return rc;
}

/* --- ONNX ------------------------------------------------------------------------------------- */

/* One scale, or one for each channel, which becomes a layer. */
static int split_scale(struct import_options *o, struct onnx_options *how, struct mien_err *e)
{
    double v[3];
    char end;
    if (o->prep.scale == NULL || strchr(o->prep.scale, ',') == NULL)
        return 0;
    /* NOLINTNEXTLINE(cert-err34-c): what is out of range is refused below */
    if (sscanf(o->prep.scale, "%lf,%lf,%lf%c", &v[0], &v[1], &v[2], &end) != 3 ||
        !(v[0] > 0 && v[1] > 0 && v[2] > 0 && v[0] < 1e6 && v[1] < 1e6 && v[2] < 1e6))
        return mien_err_set(e, MIEN_ERR_ARG,
                            "option --scale: '%s' isn't one or three numbers above 0",
                            o->prep.scale);
    for (int k = 0; k < 3; k++)
        how->scale[k] = (float)v[k];
    o->prep.scale = "1";
    return 0;
}

/* An export of mien tells it all; of another file the options do. */
static int complete(const struct onnx *t, const struct import_options *o, struct onnx_options *how,
                    struct mien_prep *prep, struct mien_err *e)
{
    const char *text = onnx_prep(t);
    if (text == NULL)
        return ask(o, t, e);
    how->heads_only = true;
    if (how->gender == NULL && onnx_has_value(t, "gender"))
        how->gender = "gender";
    if (how->age == NULL && onnx_has_value(t, "age"))
        how->age = "age";
    return mien_prep_parse(prep, text, strlen(text), e);
}

static int import_onnx(const char *path, struct import_options *o, struct model *m,
                       struct mien_err *e)
{
    struct mien_err cause;
    struct mien_buf text = {0};
    struct onnx_options how = {
        .gender = o->gender,
        .age = o->age,
        .male_first = o->male_first,
        .years = o->years,
        .years0 = o->years0,
        .pixels = true,
        .h = o->h,
        .w = o->w,
    };
    struct mien_prep prep = {0};
    if (split_scale(o, &how, e) < 0)
        return MIEN_ERR_ARG;
    struct onnx *t = onnx_open(path, e);
    if (t == NULL)
        return MIEN_ERR_FORMAT;
    int rc = complete(t, o, &how, &prep, &cause);
    if (rc == 0)
        rc = onnx_import(t, m, &how, &cause);
    if (rc < 0) {
        of_file(path, rc, &cause, e);
    } else {
        m->prep = prep;
        rc = begin_history(&text, onnx_history(t), path);
        rc |= add_history(&text, "written by", onnx_made_by(t));
        rc = end_history(m, &text, rc, e);
    }
    onnx_close(t);
    return rc;
}

/* --- Weights of PyTorch ----------------------------------------------------------------------- */

static int slurp(const char *path, struct mien_buf *text, struct mien_err *e)
{
    int fd = file_open(path, e);
    if (fd < 0)
        return fd;
    int rc = file_slurp(fd, text, MAX_TEXT, path, e);
    close(fd);
    return rc;
}

/* Takes out the heads, and what only they need. */
static int behead(struct model *m, struct mien_err *e)
{
    struct net body = {0};
    int last = model_features_layer(m, NULL, e);
    int rc = last < 0 ? last : net_ancestors(&body, &m->net, last, NULL, e);
    if (rc < 0)
        return rc;
    net_free(&m->net);
    m->net = body;
    return 0;
}

/* The network of o->net, of another size where one is asked for, without its heads when these
   aren't wanted. */
static int read_net(const struct import_options *o, struct model *m, struct mien_err *e)
{
    struct mien_buf text = {0};
    struct mien_err cause;
    struct net given = {0};
    char found[4096];
    const char *path = model_find(o->net, found, sizeof found);
    int rc = slurp(path, &text, e);
    if (rc == 0) {
        rc = net_parse(&given, (const char *)text.data, text.len, &cause);
        if (rc == 0)
            rc = net_scale(&m->net, &given, o->h, o->w, 1, &cause);
        if (rc == 0 && o->no_heads)
            rc = behead(m, &cause);
        if (rc < 0)
            mien_err_set(e, rc, "'%s': %s", path, cause.msg);
    }
    net_free(&given);
    mien_buf_free(&text);
    return rc;
}

/* Fills m's weights from the open file. */
static int read_weights(const struct mien_safetensors *file, const struct import_options *o,
                        const char *path, struct model *m, struct mien_buf *left,
                        struct mien_err *e)
{
    struct mien_err cause;
    struct mien_buf map = {0};
    const char *prep = mien_st_meta(file, "prep");
    if (mien_st_meta(file, "net") != NULL)
        return mien_err_set(e, MIEN_ERR_FORMAT, "'%s' is a mien model already, and needs no import",
                            path);
    int rc = prep != NULL ? mien_prep_parse(&m->prep, prep, strlen(prep), &cause)
                          : ask_pixels(o, &cause);
    if (rc < 0)
        return of_file(path, rc, &cause, e);
    char found[4096];
    const char *names = o->map != NULL ? model_find(o->map, found, sizeof found) : NULL;
    if (names != NULL && (rc = slurp(names, &map, e)) < 0)
        return rc;
    rc = torch_weights(m, file, (const char *)map.data, map.len, left, &cause);
    mien_buf_free(&map);
    return rc < 0 ? of_file(rc == MIEN_ERR_ARG ? names : path, rc, &cause, e) : 0;
}

static int import_weights(const char *path, const struct import_options *o, struct model *m,
                          struct mien_buf *left, struct mien_err *e)
{
    struct mien_buf text = {0};
    int rc = read_net(o, m, e);
    if (rc < 0)
        return rc;
    struct mien_safetensors *file = st_open_foreign(path, e);
    if (file == NULL)
        return MIEN_ERR_FORMAT;
    rc = read_weights(file, o, path, m, left, e);
    mien_st_close(file);
    return rc < 0 ? rc : end_history(m, &text, begin_history(&text, NULL, path), e);
}

/* ---------------------------------------------------------------------------------------------- */

static int import_kind_of(const char *path, struct import_options *o, struct model *m,
                          struct import_found *found, struct mien_err *e)
{
    const char *what, *how;
    int kind = import_kind(path, &what, &how, e);
    if (kind < 0)
        return kind;
    if (o->net != NULL && kind != IMPORT_SAFETENSORS)
        return mien_err_set(e, MIEN_ERR_ARG, "--net goes with a safetensors file, which '%s' isn't",
                            path);
    if (o->net != NULL)
        return import_weights(path, o, m, &found->left, e);
    if (kind == IMPORT_ONNX)
        return import_onnx(path, o, m, e);
    if (kind == IMPORT_TFJS)
        return import_tfjs(path, o, m, found, e);
    return mien_err_set(e, MIEN_ERR_FORMAT, "'%s' is %s: %s", path, what, how);
}

int import_file(const char *path, struct import_options *o, struct model *m,
                struct import_found *found, struct mien_err *e)
{
    int rc = import_kind_of(path, o, m, found, e);
    if (rc < 0)
        model_free(m);
    return rc;
}

void import_found_free(struct import_found *found)
{
    mien_buf_free(&found->left);
}
