#include "torch.h"

#include <stdlib.h>
#include <string.h>

#include "mien/version.h"
#include "operator.h"
#include "torch_module.h"
#include "util/file.h"
#include "util/num.h"

static const char head[] = "import json\n"
                           "import os\n"
                           "\n"
                           "import torch\n"
                           "import torch.nn.functional as F\n"
                           "from torch import nn\n"
                           "\n\n";

static const char coral[] =
    "class Coral(nn.Module):\n"
    "    \"\"\"One weighted sum of all inputs, plus a bias for each unit.\"\"\"\n"
    "\n"
    "    def __init__(self, inputs, units):\n"
    "        super().__init__()\n"
    "        self.weight = nn.Parameter(torch.zeros(inputs))\n"
    "        self.bias = nn.Parameter(torch.zeros(units))\n"
    "\n"
    "    def forward(self, x):\n"
    "        return (x @ self.weight)[:, None] + self.bias\n"
    "\n\n";

static const char norm[] =
    "class Norm(nn.Module):\n"
    "    \"\"\"Mean 0 and variance 1 over axes of [N, group, channel, row, column].\"\"\"\n"
    "\n"
    "    def __init__(self, channels, axes, groups, eps, affine):\n"
    "        super().__init__()\n"
    "        self.axes, self.groups, self.eps, self.affine = axes, groups, eps, affine\n"
    "        if affine:\n"
    "            self.weight = nn.Parameter(torch.ones(channels, 1, 1))\n"
    "            self.bias = nn.Parameter(torch.zeros(channels, 1, 1))\n"
    "\n"
    "    def forward(self, x):\n"
    "        y = x.reshape(x.shape[0], self.groups, -1, *x.shape[2:])\n"
    "        y = y - y.mean(self.axes, keepdim=True)\n"
    "        y = y / torch.sqrt(y.square().mean(self.axes, keepdim=True) + self.eps)\n"
    "        y = y.reshape(x.shape)\n"
    "        return y * self.weight + self.bias if self.affine else y\n"
    "\n\n";

static const char load[] =
    "\n\n"
    "def load(path=None):\n"
    "    \"\"\"The network with its weights, ready to predict: those of the safetensors file at "
    "path,\n"
    "    or of the one beside this file.\"\"\"\n"
    "    path = path or os.path.splitext(os.path.abspath(__file__))[0] + \".safetensors\"\n"
    "    with open(path, \"rb\") as f:\n"
    "        data = bytearray(f.read())\n"
    "    start = 8 + int.from_bytes(data[:8], \"little\")\n"
    "    weights = {}\n"
    "    for name, t in json.loads(data[8:start]).items():\n"
    "        if name != \"__metadata__\":\n"
    "            begin, end = t[\"data_offsets\"]\n"
    "            weights[name] = torch.frombuffer(data, dtype=torch.float32, count=(end - begin) "
    "// 4,\n"
    "                                             offset=start + begin).reshape(t[\"shape\"])\n"
    "    network = Network()\n"
    "    network.load_state_dict(weights)\n"
    "    return network.eval()\n";

/* --- What stands around the layers ---------------------------------------------------------- */

static void put_real(struct torch *t, float v)
{
    char s[NUM_TEXT];
    num_print_float(s, v);
    torch_put(t, "%s", s);
}

static void put_prepare(struct torch *t)
{
    const struct model_input *in = &t->o->input;
    struct shape s = t->o->model.net.layer[0].shape;
    if (in->h == 0)
        return;
    torch_put(t,
              "    @staticmethod\n"
              "    def prepare(pixels):\n"
              "        \"\"\"The input, float [N, %d, %d, %d], of pixels, uint8 [N, %d, %d, %d], "
              "RGB.\"\"\"\n",
              s.c, s.h, s.w, s.h, s.w, s.c);
    torch_put(t, "        image = pixels.permute(0, 3, 1, 2)%s.float()\n",
              in->bgr ? ".flip(1)" : "");
    torch_put(t, "        mean = torch.tensor([");
    for (int c = 0; c < 3; c++) {
        torch_put(t, "%s", c > 0 ? ", " : "");
        put_real(t, in->mean[c]);
    }
    torch_put(t, "], device=image.device)[:, None, None]\n        return (image - mean) * ");
    put_real(t, in->scale);
    torch_put(t, "\n\n");
}

static void put_input(struct torch *t)
{
    const char *x = t->value[0].id;
    t->value[0].form = t->o->input.h == 0 ? TORCH_ROW : TORCH_IMAGE;
    torch_put(t, "    def forward(self, %s):\n", t->o->preprocessing ? OUTGOING_PIXELS : x);
    if (t->o->preprocessing)
        torch_put(t, "        %s = self.prepare(pixels)\n", x);
}

/* The outputs of a head, or what they would be with its logits divided by a temperature. */
static void put_head(struct torch *t, int layer, double temperature)
{
    const struct layer *l = &t->o->model.net.layer[layer];
    if (temperature == 1) {
        torch_put_row(t, layer);
        return;
    }
    torch_put(t, l->type == L_SIGMOID ? "torch.sigmoid(" : "F.softmax(");
    torch_put_row(t, l->in[0]);
    torch_put(t, " / ");
    put_real(t, (float)temperature);
    torch_put(t, l->type == L_SIGMOID ? ")" : ", 1)");
}

static void put_gender(struct torch *t)
{
    bool one = t->o->heads.genders == 1;
    torch_put(t, "        %s = ", one ? "male" : "p_gender");
    put_head(t, t->o->heads.gender, t->o->input.temp_gender);
    torch_put(t, "\n%s", one ? "        p_gender = torch.cat((1 - male, male), 1)\n" : "");
}

/* years receives the matrix from classes to years. */
static void put_age(struct torch *t, float *years)
{
    static const char ordinal[] =
        "\n        step = F.relu(F.pad(beyond, (1, 0), value=1.0) - F.pad(beyond, (0, 1)))"
        "\n        p_age = step / step.sum(1, keepdim=True)";
    const struct age_head *h = &t->o->heads.years;
    bool mapped = outgoing_years(t->o, years);
    torch_put(t, "        %s = ", h->ordinal ? "beyond" : "p_age");
    torch_put_row(t, t->o->heads.age);
    torch_put(t, "%s%s\n", h->ordinal ? ordinal : "", mapped ? " @ self.years_of_classes" : "");
    torch_put(t,
              "        pred_age = p_age @ torch.arange(%d, dtype=p_age.dtype, "
              "device=p_age.device)\n",
              MIEN_AGES);
    if (!mapped || t->rc < 0)
        return;
    torch_more(t, "        self.register_buffer(\"years_of_classes\", torch.zeros(%d, %d))\n", h->n,
               MIEN_AGES);
    t->rc = st_add(t->weights, "years_of_classes", MIEN_ST_F32, 2,
                   (size_t[]){(size_t)h->n, MIEN_AGES}, years, &t->e);
}

static void put_outputs(struct torch *t, float *years)
{
    const struct outgoing *o = t->o;
    const char *sep = "";
    if (o->kind == OUT_HEADS && o->heads.gender >= 0)
        put_gender(t);
    if (o->kind == OUT_HEADS && o->heads.age >= 0)
        put_age(t, years);
    torch_put(t, "        return {");
    if (o->kind == OUT_HEADS && o->heads.gender >= 0) {
        torch_put(t, "\"p_gender\": p_gender");
        sep = ", ";
    }
    if (o->kind == OUT_HEADS && o->heads.age >= 0)
        torch_put(t, "%s\"p_age\": p_age, \"pred_age\": pred_age", sep);
    if (o->kind == OUT_FEATURES) {
        torch_put(t, "\"features\": ");
        torch_put_row(t, o->features);
    }
    for (int i = 1; o->kind == OUT_LAYERS && i < o->model.net.n; i++) {
        if (o->read[i])
            continue;
        torch_put(t, "%s\"%s\": %s", sep, o->model.net.layer[i].name, t->value[i].id);
        sep = ",\n                ";
    }
    torch_put(t, "}\n");
}

/* --- The module ----------------------------------------------------------------------------- */

static int put_text(const struct torch *t, struct mien_buf *out)
{
    const struct outgoing *o = t->o;
    int rc = mien_buf_printf(out,
                             "\"\"\"A network exported by mien-export %s; load() returns it.\n\n"
                             "Input: ",
                             MIEN_VERSION);
    rc |= outgoing_describe_input(o, out);
    rc |= mien_buf_printf(out, ".\nOutputs: ");
    if (o->kind == OUT_HEADS)
        rc |= mien_buf_printf(out,
                              "p_gender, the probabilities of female and male; p_age, of the ages "
                              "from 0 to 100;\npred_age, the expected age.");
    else if (o->kind == OUT_FEATURES)
        rc |= mien_buf_printf(out, "features, of the layer %s.", o->embedded);
    else
        rc |= mien_buf_printf(out, "the layers that none reads.");
    rc |= mien_buf_printf(out, "\n\"\"\"\n%s%s%s", head, t->has_coral ? coral : "",
                          t->has_norm ? norm : "");
    rc |= mien_buf_printf(out, "class Network(nn.Module):\n"
                               "    def __init__(self):\n"
                               "        super().__init__()\n");
    rc |= mien_buf_append(out, t->init.data, t->init.len);
    rc |= mien_buf_printf(out, "\n");
    rc |= mien_buf_append(out, t->forward.data, t->forward.len);
    return rc | mien_buf_printf(out, "%s", load);
}

static void build(struct torch *t, float *years)
{
    const struct model *m = &t->o->model;
    torch_name_layers(t);
    put_prepare(t);
    put_input(t);
    for (int i = 1; i < m->net.n && t->rc == 0; i++) {
        const struct layer *l = &m->net.layer[i];
        const struct export_operator *op = export_operator(l->type);
        if (!t->o->needed[i])
            continue;
        const char *lacks = op->torch_lacks != NULL ? op->torch_lacks(&m->net, l) : NULL;
        if (lacks != NULL)
            t->rc =
                mien_err_set(&t->e, MIEN_ERR_ARG, "layer '%s': PyTorch has no %s", l->name, lacks);
        else
            op->torch(t, i);
    }
    put_outputs(t, years);
    if (t->rc == 0)
        t->rc = st_add_meta(t->weights, "format", "pt", &t->e);
    if (t->rc == 0)
        t->rc = st_add_meta(t->weights, "prep", m->prep.text, &t->e);
    if (t->rc == 0 && m->made != NULL)
        t->rc = st_add_meta(t->weights, "made", m->made, &t->e);
}

static int write_both(const struct torch *t, int module, int weights, struct mien_err *e)
{
    struct mien_buf text = {0};
    int rc = 0;
    if (put_text(t, &text) < 0)
        rc = mien_err_mem(e, text.len, "text");
    else if (file_write(module, text.data, text.len) < 0)
        rc = mien_err_sys(e, "cannot write");
    mien_buf_free(&text);
    return rc < 0 ? rc : st_write(t->weights, weights, e);
}

int torch_write(const struct outgoing *o, int module, int weights, struct mien_err *e)
{
    size_t n = (size_t)o->model.net.n;
    float years[AGE_CLASSES * MIEN_AGES];
    struct torch t = {.o = o, .value = calloc(n, sizeof *t.value), .weights = st_writer_new(e)};
    int rc = MIEN_ERR_MEM;
    if (t.value == NULL)
        mien_err_mem(e, n * sizeof *t.value, "names");
    else if (t.weights != NULL) {
        build(&t, years);
        rc = t.rc < 0 ? mien_err_set(e, t.rc, "%s", t.e.msg) : write_both(&t, module, weights, e);
    }
    st_writer_free(t.weights);
    mien_buf_free(&t.init);
    mien_buf_free(&t.forward);
    free(t.value);
    return rc;
}
