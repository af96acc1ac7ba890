/* mien-import: makes a model of a pretrained network in another program's format. */
#include <stdio.h>
#include <stdlib.h>

#include "detect/blaze.h"
#include "image/img.h"
#include "import/import.h"
#include "import/kind.h"
#include "input_options.h"

struct options {
    const char *out, *license;
    bool formats;
    int gender_order;
    struct mien_size size;
    struct import_options import;
};

/* The face detector is told by the shapes of its outputs. */
static void use_detector_preset(const struct mien_cli *cli, struct import_options *o,
                                const struct model *m)
{
    struct blaze_head head[BLAZE_MAX_HEADS];
    bool recognized = o->preset == PRESET_AUTO && blaze_heads(m, head, NULL) > 0;
    if (recognized)
        mien_cli_note(cli, "recognized as a face detector: using BlazeFace's preprocessing "
                           "(--preset blazeface)");
    if (recognized || o->preset == PRESET_BLAZEFACE)
        import_use_blazeface(o);
}

/* Reads the file into a model, completed by what the options and presets tell of it. */
static void import(const struct mien_cli *cli, struct import_options *o, const char *path,
                   struct model *m)
{
    struct mien_err e;
    struct import_found found = {0};
    if (import_file(path, o, m, &found, &e) < 0)
        mien_cli_die(cli, "%s", e.msg);
    if (found.left.len > 0)
        mien_cli_warn(cli, "'%s': left over: %s", path, (const char *)found.left.data);
    if (found.faceres)
        mien_cli_note(cli, "recognized as faceres: using its preprocessing (--preset faceres)");
    else if (found.graph)
        use_detector_preset(cli, o, m);
    import_found_free(&found);
    if (input_options_apply(&o->prep, m, &e) < 0)
        mien_cli_die(cli, "%s", e.msg);
}

/* Notes the license of the weights in how the model was made. */
static void note_license(const struct mien_cli *cli, const char *license, struct model *m)
{
    struct mien_buf made = {0};
    if (mien_buf_printf(&made, "%s%slicense: %s\n", m->made != NULL ? m->made : "",
                        m->made != NULL ? "\n" : "", license) < 0 ||
        mien_buf_append(&made, "", 1) < 0)
        mien_cli_die(cli, "out of memory");
    free(m->made);
    m->made = (char *)made.data;
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
    struct options o = {.import = {.years = 1}};
    struct import_options *i = &o.import;
    const struct mien_option opts[] = {
        MIEN_OPT_STR('o', "output", "MODEL", &o.out, "write the model to this file"),
        MIEN_OPT_CHOICE(0, "preset", "NAME", &i->preset, "auto|faceres|blazeface|none",
                        "settings of a known network: auto, faceres, blazeface or none [auto]"),
        MIEN_OPT_STR(0, "gender", "NODE", &i->gender,
                     "output of the graph that is the gender: a softmax or sigmoid"),
        MIEN_OPT_STR(0, "age", "NODE", &i->age, "output of the graph that is the age: a softmax"),
        MIEN_OPT_FLAG(0, "no-heads", &i->no_heads, "import no gender and age, as for features"),
        MIEN_OPT_CHOICE(0, "gender-order", "ORDER", &o.gender_order, "female,male|male,female",
                        "order of the gender's classes in an ONNX file [female,male]"),
        MIEN_OPT_REAL(0, "years", "F", &i->years, -1000, 1000,
                      "years that 1 means, where the age is one number [1]"),
        MIEN_OPT_REAL(0, "years0", "F", &i->years0, -1000, 1000,
                      "age that 0 means, where the age is one number [0]"),
        MIEN_OPT_FUNC(0, "size", "SIZE", &o.size, mien_size_parse,
                      "size of the input, N or HxW [the graph's]"),
        INPUT_OPTIONS(i->prep),
        MIEN_OPT_STR(0, "net", "NET", &i->net,
                     "description of the network whose weights a safetensors file has"),
        MIEN_OPT_STR(0, "map", "FILE", &i->map, "lines 'layer = prefix': where its weights are"),
        MIEN_OPT_STR(0, "license", "TEXT", &o.license,
                     "note in the model that its weights have this license"),
        MIEN_OPT_FLAG(0, "formats", &o.formats, "list the formats that are known, and exit"),
    };
    const struct mien_option_rule rules[] = {
        MIEN_RULE_REQUIRES("output formats"),
        MIEN_RULE_NEEDS("map", "net"),
        MIEN_RULE_EXCLUDES("net", "gender age"),
    };
    struct mien_cli cli = {
        .name = "mien-import",
        .synopsis = "[options] -o MODEL FILE",
        .purpose = "Makes a model from a network in ONNX, TensorFlow.js or PyTorch format.",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
        .rules = rules,
        .nrules = MIEN_CLI_NOPTS(rules),
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
    i->male_first = o.gender_order == 1;
    i->h = o.size.h;
    i->w = o.size.w;
    import(&cli, i, argv[1], &m);
    if (o.license != NULL)
        note_license(&cli, o.license, &m);
    if (model_save(&m, o.out, &e) < 0)
        mien_cli_die(&cli, "%s", e.msg);
    summarize(&cli, &m);
    model_free(&m);
    return MIEN_EXIT_OK;
}
