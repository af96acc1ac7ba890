/* mien-import: makes a model of a pretrained network in another program's format. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detect/blaze.h"
#include "image/img.h"
#include "input_options.h"
#include "import/tfjs.h"

/* What is known about a widely used network but missing from its files. */
struct preset {
    const char *gender, *age; /* output nodes */
    struct input_options prep;
};

enum { PRESET_AUTO, PRESET_FACERES, PRESET_BLAZEFACE, PRESET_NONE };

/* HSE FaceRec, https://github.com/HSE-asavchenko/HSE_FaceRec_tf: the preprocessing and the ages
   are those of the authors' facial_analysis.py; the crop is that of the Human library, which
   enlarges a face's box to 1.4 of its size. */
static const struct preset faceres = {
    "gender_pred/Sigmoid",
    "age_pred/Softmax",
    {.color = "bgr",
     .mean = "103.939,116.779,123.68",
     .margin = "0.2",
     .age0 = "1",
     .embed = "global_pooling"},
};

/* BlazeFace takes pixels from -1 to 1. */
static const struct input_options blazeface = {.mean = "127.5,127.5,127.5",
                                               .scale = "0.00784313725"};

struct options {
    const char *out, *gender, *age;
    int preset;
    struct mien_size size;
    struct input_options prep;
};

/* Takes from the preset what the options leave open. */
static void use_preset(const struct mien_cli *cli, struct options *o, const struct tfjs *t)
{
    if (o->preset == PRESET_AUTO && tfjs_has_output(t, faceres.gender) &&
        tfjs_has_output(t, faceres.age)) {
        mien_cli_note(cli, "recognized as faceres: using its preprocessing (--preset faceres)");
        o->preset = PRESET_FACERES;
    }
    if (o->preset != PRESET_FACERES)
        return;
    if (o->gender == NULL)
        o->gender = faceres.gender;
    if (o->age == NULL)
        o->age = faceres.age;
    input_options_default(&o->prep, &faceres.prep);
}

/* The same for the face detector, which is told by the shapes of its outputs. */
static void use_detector_preset(const struct mien_cli *cli, struct options *o,
                                const struct model *m)
{
    struct blaze_head head[BLAZE_MAX_HEADS];
    if (o->preset == PRESET_AUTO && blaze_heads(m, head, NULL) > 0) {
        mien_cli_note(cli, "recognized as a face detector: using BlazeFace's preprocessing "
                           "(--preset blazeface)");
        o->preset = PRESET_BLAZEFACE;
    }
    if (o->preset == PRESET_BLAZEFACE)
        input_options_default(&o->prep, &blazeface);
}

/* Where the model comes from, for its file. */
static char *provenance(const struct tfjs *t, const char *path)
{
    const char *slash = strrchr(path, '/'), *by = tfjs_made_by(t), *via = tfjs_converted_by(t);
    struct mien_buf text = {0};
    int rc = mien_buf_printf(&text, "mien-import %s of %s", MIEN_VERSION, slash ? slash + 1 : path);
    if (by != NULL)
        rc |= mien_buf_printf(&text, "\nnetwork by %s", by);
    if (via != NULL)
        rc |= mien_buf_printf(&text, "\nconverted to TensorFlow.js by %s", via);
    if (rc == 0 && mien_buf_append(&text, "", 1) == 0)
        return (char *)text.data;
    mien_buf_free(&text);
    return NULL;
}

/* Reads the graph into a model, completed by what the options and presets tell of it. */
static void import(const struct mien_cli *cli, struct options *o, const char *path, struct model *m)
{
    struct mien_err e;
    struct tfjs *t = tfjs_open(path, &e);
    if (t == NULL)
        mien_cli_die(cli, "%s", e.msg);
    use_preset(cli, o, t);
    if (tfjs_import(t, m, o->gender, o->age, o->size.h, o->size.w, &e) < 0)
        mien_cli_die(cli, "'%s': %s", path, e.msg);
    use_detector_preset(cli, o, m);
    if (input_options_apply(&o->prep, m, &e) < 0)
        mien_cli_die(cli, "%s", e.msg);
    if ((m->made = provenance(t, path)) == NULL)
        mien_cli_die(cli, "out of memory");
    tfjs_close(t);
}

static void summarize(const struct mien_cli *cli, const struct model *m)
{
    size_t weights = 0;
    for (int i = 0; i < m->net.n; i++)
        weights += layer_params(&m->net.layer[i]);
    mien_cli_note(cli, "%d layers, %zu weights; %s", m->net.n, weights, m->prep.text);
}

int main(int argc, char **argv)
{
    struct options o = {0};
    const struct mien_option opts[] = {
        MIEN_OPT_STR('o', "output", "MODEL", &o.out, "write the model to this file"),
        MIEN_OPT_CHOICE(0, "preset", "NAME", &o.preset, "auto|faceres|blazeface|none",
                        "settings of a known network: auto, faceres, blazeface or none [auto]"),
        MIEN_OPT_STR(0, "gender", "NODE", &o.gender,
                     "output of the graph that is the gender: a softmax or sigmoid"),
        MIEN_OPT_STR(0, "age", "NODE", &o.age, "output of the graph that is the age: a softmax"),
        MIEN_OPT_FUNC(0, "size", "SIZE", &o.size, mien_size_parse,
                      "size of the input, N or HxW [the graph's]"),
        INPUT_OPTIONS(o.prep),
    };
    struct mien_cli cli = {
        .name = "mien-import",
        .synopsis = "[options] -o MODEL GRAPH.json",
        .purpose = "Makes a model of a TensorFlow.js graph and its weights.",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
        .examples = "mien-import -o face.model faceres.json\n"
                    "mien-import --gender g/Softmax --age a/Softmax -o my.model model.json",
    };
    struct model m = {0};
    struct mien_err e;
    int n = mien_cli_parse(&cli, argc, argv);
    mien_cli_operands(&cli, n, argv, 1, 1, "GRAPH.json");
    if (o.out == NULL)
        mien_cli_die(&cli, "missing option: -o MODEL; see mien-import --help");
    import(&cli, &o, argv[1], &m);
    if (model_save(&m, o.out, &e) < 0)
        mien_cli_die(&cli, "%s", e.msg);
    summarize(&cli, &m);
    model_free(&m);
    return MIEN_EXIT_OK;
}
