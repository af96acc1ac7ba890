/* mien-export: writes a model in the formats of other programs, ONNX and PyTorch. */
#include <string.h>
#include <unistd.h>

#include "export/onnx.h"
#include "export/torch.h"
#include "mien/cli.h"
#include "util/file.h"

#define MODULE  ".py"
#define WEIGHTS ".safetensors"

struct options {
    const char *out;
    bool pytorch;
    struct export_options what;
};

static void write_stdout(const struct mien_cli *cli, const struct outgoing *o)
{
    struct mien_err e;
    if (onnx_write(o, STDOUT_FILENO, &e) < 0)
        mien_cli_die_output(cli, &e);
    mien_cli_close_stdout(cli);
}

static int write_onnx(const struct outgoing *o, const char *path, struct file_out *file,
                      struct mien_err *e)
{
    struct mien_err cause;
    int rc = file_create(file, path, e);
    if (rc < 0)
        return rc;
    if ((rc = onnx_write(o, file->fd, &cause)) < 0)
        return mien_err_set(e, rc, "'%s': %s", path, cause.msg);
    return file_commit(file, e);
}

/* The module beside the weights: both of them or none. */
static int write_torch(const struct outgoing *o, const char *path, struct file_out *module,
                       struct file_out *weights, struct mien_err *e)
{
    char name[4096];
    struct mien_err cause;
    snprintf(name, sizeof name, "%.*s" MODULE, (int)(strlen(path) - strlen(WEIGHTS)), path);
    int rc = file_create(module, name, e);
    if (rc < 0 || (rc = file_create(weights, path, e)) < 0)
        return rc;
    if ((rc = torch_write(o, module->fd, weights->fd, &cause)) < 0)
        return mien_err_set(e, rc, "'%s': %s", path, cause.msg);
    if ((rc = file_sync(module, e)) < 0 || (rc = file_commit(weights, e)) < 0)
        return rc;
    return file_commit(module, e);
}

static void write_files(const struct mien_cli *cli, const struct outgoing *out,
                        const struct options *o)
{
    struct file_out file = {.fd = -1}, module = {.fd = -1};
    struct mien_err e;
    int rc = o->pytorch ? write_torch(out, o->out, &module, &file, &e)
                        : write_onnx(out, o->out, &file, &e);
    file_abort(&module);
    file_abort(&file);
    if (rc < 0)
        mien_cli_die(cli, "%s", e.msg);
}

static void check_options(const struct mien_cli *cli, struct options *o)
{
    size_t n = o->out != NULL ? strlen(o->out) : 0, suffix = strlen(WEIGHTS);
    if (o->pytorch && (n <= suffix || strcmp(o->out + n - suffix, WEIGHTS) != 0))
        mien_cli_die(cli, "--pytorch writes two files: it needs -o NAME" WEIGHTS);
    if (o->out == NULL && isatty(STDOUT_FILENO))
        mien_cli_die(cli, "an ONNX file is binary and not for a terminal; give -o FILE");
    o->what.fold = !o->pytorch;
}

int main(int argc, char **argv)
{
    struct options o = {0};
    const struct mien_option opts[] = {
        MIEN_OPT_STR('o', "output", "FILE", &o.out, "write to this file [standard output]"),
        MIEN_OPT_FLAG(0, "pytorch", &o.pytorch,
                      "write a safetensors file and a Python module next to it"),
        MIEN_OPT_FLAG(0, "with-preprocessing", &o.what.preprocessing,
                      "take pixels, 8-bit RGB, and compute the network's input from them"),
        MIEN_OPT_STR(0, "embed", "LAYER", &o.what.embed,
                     "give this layer's features, as mien-embed does, instead of the heads"),
    };
    struct mien_cli cli = {
        .name = "mien-export",
        .synopsis = "[options] [-o FILE] MODEL",
        .purpose = "Writes a model as ONNX or for PyTorch.",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
        .examples = "mien-export -o face.onnx face.model\n"
                    "mien-export --pytorch -o face.safetensors face.model",
    };
    struct model m = {0};
    struct outgoing out = {0};
    struct mien_err e;
    int n = mien_cli_parse(&cli, argc, argv);
    mien_cli_operands(&cli, n, argv, 1, 1, "MODEL");
    check_options(&cli, &o);

    if (model_load(&m, argv[1], &e) < 0)
        mien_cli_die(&cli, "%s", e.msg);
    if (outgoing_take(&out, &m, &o.what, &e) < 0)
        mien_cli_die(&cli, "'%s': %s", argv[1], e.msg);
    if (o.out == NULL)
        write_stdout(&cli, &out);
    else
        write_files(&cli, &out, &o);
    outgoing_free(&out);
    return MIEN_EXIT_OK;
}
