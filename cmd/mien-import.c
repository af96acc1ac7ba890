/* mien-import: makes a model of a pretrained network in another program's format. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "detect/blaze.h"
#include "image/img.h"
#include "input_options.h"
#include "import/kind.h"
#include "import/onnx.h"
#include "import/tfjs.h"
#include "import/torch_weights.h"
#include "tensor/st_format.h"
#include "util/file.h"

/* What is known about a widely used network but missing from its files. */
struct preset {
    const char *gender, *age; /* output nodes */
    struct input_options prep;
};

#define MAX_TEXT ((size_t)4 << 20) /* of a description */

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
    const char *out, *gender, *age, *net, *map;
    int preset, gender_order;
    bool no_heads, formats;
    double years, years0;
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

/* --- ONNX ---------------------------------------------------------------------------------- */

/* Refuses what the file doesn't tell of pixels and no option does. */
static void ask_pixels(const struct mien_cli *cli, const struct options *o, const char *path)
{
    if (!o->no_heads && (o->prep.color == NULL || o->prep.mean == NULL || o->prep.scale == NULL))
        mien_cli_die(cli,
                     "'%s': it doesn't tell how pixels become its input; --color, --mean and "
                     "--scale do",
                     path);
}

/* Refuses what the file doesn't tell and no option does, naming the options. */
static void ask(const struct mien_cli *cli, const struct options *o, const char *path,
                const struct onnx *t)
{
    struct mien_buf outputs = {0};
    if (onnx_outputs(t, &outputs) < 0 || mien_buf_append(&outputs, "", 1) < 0)
        mien_cli_die(cli, "out of memory");
    if (o->gender == NULL && o->age == NULL && !o->no_heads)
        mien_cli_die(cli,
                     "'%s': its outputs are %s; which are the gender and the age? Name them with "
                     "--gender and --age, or give --no-heads",
                     path, (char *)outputs.data);
    ask_pixels(cli, o, path);
    mien_buf_free(&outputs);
}

/* One scale, or one for each channel, which becomes a layer. */
static void split_scale(const struct mien_cli *cli, struct options *o, float scale[3])
{
    double v[3];
    char end;
    if (o->prep.scale == NULL || strchr(o->prep.scale, ',') == NULL)
        return;
    if (sscanf(o->prep.scale, "%lf,%lf,%lf%c", &v[0], &v[1], &v[2], &end) != 3 ||
        !(v[0] > 0 && v[1] > 0 && v[2] > 0 && v[0] < 1e6 && v[1] < 1e6 && v[2] < 1e6))
        mien_cli_die(cli, "option --scale: '%s' isn't one or three numbers above 0", o->prep.scale);
    for (int k = 0; k < 3; k++)
        scale[k] = (float)v[k];
    o->prep.scale = "1";
}

/* The lines that tell where a model comes from. */
static char *onnx_provenance(const struct onnx *t, const char *path)
{
    const char *slash = strrchr(path, '/'), *by = onnx_made_by(t), *before = onnx_history(t);
    struct mien_buf text = {0};
    int rc = before != NULL ? mien_buf_printf(&text, "%s\n", before) : 0;
    rc |= mien_buf_printf(&text, "mien-import %s of %s", MIEN_VERSION, slash ? slash + 1 : path);
    if (by != NULL && by[0] != '\0')
        rc |= mien_buf_printf(&text, "\nwritten by %s", by);
    if (rc == 0 && mien_buf_append(&text, "", 1) == 0)
        return (char *)text.data;
    mien_buf_free(&text);
    return NULL;
}

static void import_onnx(const struct mien_cli *cli, struct options *o, const char *path,
                        struct model *m)
{
    struct mien_err e;
    struct onnx *t = onnx_open(path, &e);
    if (t == NULL)
        mien_cli_die(cli, "%s", e.msg);
    /* An export of mien tells it all. */
    const char *text = onnx_prep(t);
    struct mien_prep prep = {0};
    if (text != NULL && mien_prep_parse(&prep, text, strlen(text), &e) < 0)
        mien_cli_die(cli, "'%s': %s", path, e.msg);
    if (text != NULL && o->gender == NULL && onnx_has_value(t, "gender"))
        o->gender = "gender";
    if (text != NULL && o->age == NULL && onnx_has_value(t, "age"))
        o->age = "age";
    if (text == NULL)
        ask(cli, o, path, t);
    struct onnx_options how = {
        .gender = o->gender,
        .age = o->age,
        .heads_only = text != NULL,
        .male_first = o->gender_order == 1,
        .years = o->years,
        .years0 = o->years0,
        .pixels = true,
        .h = o->size.h,
        .w = o->size.w,
    };
    split_scale(cli, o, how.scale);
    if (onnx_import(t, m, &how, &e) < 0)
        mien_cli_die(cli, "'%s': %s", path, e.msg);
    m->prep = prep;
    if (input_options_apply(&o->prep, m, &e) < 0)
        mien_cli_die(cli, "'%s': %s", path, e.msg);
    if ((m->made = onnx_provenance(t, path)) == NULL)
        mien_cli_die(cli, "out of memory");
    onnx_close(t);
}

/* --- Weights of PyTorch ---------------------------------------------------------------------- */

static void slurp(const struct mien_cli *cli, const char *path, struct mien_buf *text)
{
    struct mien_err e;
    int fd = file_open(path, &e);
    if (fd < 0 || file_slurp(fd, text, MAX_TEXT, path, &e) < 0)
        mien_cli_die(cli, "%s", e.msg);
    close(fd);
}

/* The network of --net, of another size where one is asked for, without its heads when these
   aren't wanted. */
static void read_net(const struct mien_cli *cli, const struct options *o, struct model *m)
{
    struct mien_buf text = {0};
    struct mien_err e;
    struct net given = {0};
    char found[4096];
    const char *path = model_find(o->net, found, sizeof found);
    slurp(cli, path, &text);
    if (net_parse(&given, (const char *)text.data, text.len, &e) < 0 ||
        net_scale(&m->net, &given, o->size.h, o->size.w, 1, &e) < 0)
        mien_cli_die(cli, "'%s': %s", path, e.msg);
    net_free(&given);
    mien_buf_free(&text);
    if (!o->no_heads)
        return;
    int last = model_features_layer(m, NULL, &e);
    if (last < 0 || net_ancestors(&given, &m->net, last, NULL, &e) < 0)
        mien_cli_die(cli, "'%s': %s", path, e.msg);
    net_free(&m->net);
    m->net = given;
}

static void import_weights(const struct mien_cli *cli, struct options *o, const char *path,
                           struct model *m)
{
    struct mien_err e;
    struct mien_buf map = {0}, left = {0}, made = {0};
    if (o->gender != NULL || o->age != NULL)
        mien_cli_die(cli, "the description of --net names its heads itself: --gender and --age "
                          "don't go with it");
    read_net(cli, o, m);
    struct mien_safetensors *file = st_open_foreign(path, &e);
    if (file == NULL)
        mien_cli_die(cli, "%s", e.msg);
    if (mien_st_meta(file, "net") != NULL)
        mien_cli_die(cli, "'%s' is a model of mien, which needs no import", path);
    const char *prep = mien_st_meta(file, "prep"), *slash = strrchr(path, '/');
    if (prep != NULL && mien_prep_parse(&m->prep, prep, strlen(prep), &e) < 0)
        mien_cli_die(cli, "'%s': %s", path, e.msg);
    if (prep == NULL)
        ask_pixels(cli, o, path);
    if (o->map != NULL)
        slurp(cli, o->map, &map);
    int rc = torch_weights(m, file, (const char *)map.data, map.len, &left, &e);
    if (rc < 0)
        mien_cli_die(cli, "'%s': %s", rc == MIEN_ERR_ARG ? o->map : path, e.msg);
    if (left.len > 0)
        mien_cli_warn(cli, "'%s': left over: %s", path, (char *)left.data);
    mien_st_close(file);
    if (input_options_apply(&o->prep, m, &e) < 0)
        mien_cli_die(cli, "%s", e.msg);
    if (mien_buf_printf(&made, "mien-import %s of %s", MIEN_VERSION, slash ? slash + 1 : path) <
            0 ||
        mien_buf_append(&made, "", 1) < 0)
        mien_cli_die(cli, "out of memory");
    m->made = (char *)made.data;
    mien_buf_free(&map);
    mien_buf_free(&left);
}

static void summarize(const struct mien_cli *cli, const struct model *m)
{
    size_t weights = 0;
    for (int i = 0; i < m->net.n; i++)
        weights += layer_params(&m->net.layer[i]);
    mien_cli_note(cli, "%d layers, %zu weights; %s", m->net.n, weights, m->prep.text);
}

static int list_formats(const struct mien_cli *cli)
{
    struct mien_buf text = {0};
    if (import_formats(&text) < 0)
        mien_cli_die(cli, "out of memory");
    fwrite(text.data, 1, text.len, stdout);
    mien_buf_free(&text);
    mien_cli_close_stdout(cli);
    return MIEN_EXIT_OK;
}

int main(int argc, char **argv)
{
    struct options o = {.years = 1};
    const struct mien_option opts[] = {
        MIEN_OPT_STR('o', "output", "MODEL", &o.out, "write the model to this file"),
        MIEN_OPT_CHOICE(0, "preset", "NAME", &o.preset, "auto|faceres|blazeface|none",
                        "settings of a known network: auto, faceres, blazeface or none [auto]"),
        MIEN_OPT_STR(0, "gender", "NODE", &o.gender,
                     "output of the graph that is the gender: a softmax or sigmoid"),
        MIEN_OPT_STR(0, "age", "NODE", &o.age, "output of the graph that is the age: a softmax"),
        MIEN_OPT_FLAG(0, "no-heads", &o.no_heads, "neither: a network for features, say"),
        MIEN_OPT_CHOICE(0, "gender-order", "ORDER", &o.gender_order, "female,male|male,female",
                        "the order of its classes, in an ONNX file [female,male]"),
        MIEN_OPT_REAL(0, "years", "F", &o.years, -1000, 1000,
                      "years that 1 means, where the age is one number [1]"),
        MIEN_OPT_REAL(0, "years0", "F", &o.years0, -1000, 1000, "the age that its 0 means [0]"),
        MIEN_OPT_FUNC(0, "size", "SIZE", &o.size, mien_size_parse,
                      "size of the input, N or HxW [the graph's]"),
        INPUT_OPTIONS(o.prep),
        MIEN_OPT_STR(0, "net", "NET", &o.net,
                     "description of the network whose weights a safetensors file has"),
        MIEN_OPT_STR(0, "map", "FILE", &o.map, "lines 'layer = prefix': where its weights are"),
        MIEN_OPT_FLAG(0, "formats", &o.formats, "list the formats that are known, and end"),
    };
    struct mien_cli cli = {
        .name = "mien-import",
        .synopsis = "[options] -o MODEL FILE",
        .purpose = "Makes a model of a network in ONNX's, TensorFlow.js' or PyTorch's format.",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
        .examples = "mien-import -o face.model faceres.json\n"
                    "mien-import --gender g/Softmax --age a/Softmax -o my.model model.json\n"
                    "mien-import --no-heads --net resnet-18.net -o x.model w.safetensors",
    };
    struct model m = {0};
    struct mien_err e;
    int n = mien_cli_parse(&cli, argc, argv);
    if (o.formats)
        return list_formats(&cli);
    mien_cli_operands(&cli, n, argv, 1, 1, "FILE");
    if (o.out == NULL)
        mien_cli_die(&cli, "missing option: -o MODEL; see mien-import --help");
    const char *what, *how;
    int kind = import_kind(argv[1], &what, &how, &e);
    if (kind < 0)
        mien_cli_die(&cli, "%s", e.msg);
    if (o.net != NULL && kind != IMPORT_SAFETENSORS)
        mien_cli_die(&cli, "--net goes with a safetensors file, which '%s' isn't", argv[1]);
    if (o.map != NULL && o.net == NULL)
        mien_cli_die(&cli, "--map needs --net");
    if (o.net != NULL)
        import_weights(&cli, &o, argv[1], &m);
    else if (kind == IMPORT_ONNX)
        import_onnx(&cli, &o, argv[1], &m);
    else if (kind == IMPORT_TFJS)
        import(&cli, &o, argv[1], &m);
    else
        mien_cli_die(&cli, "'%s' is %s: %s", argv[1], what, how);
    if (model_save(&m, o.out, &e) < 0)
        mien_cli_die(&cli, "%s", e.msg);
    summarize(&cli, &m);
    model_free(&m);
    return MIEN_EXIT_OK;
}
