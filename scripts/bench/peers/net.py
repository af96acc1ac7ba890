"""mien's models as PyTorch modules, layer for layer and with the same weights."""
import copy

import torch
from torch import nn
from torch.nn import functional as F

from common import read_safetensors


def options(words):
    return dict(w.split("=", 1) for w in words if "=" in w)


def pair(text):
    a = [int(v) for v in text.split("x")]
    return a * 2 if len(a) == 1 else a


def same(size, kernel, stride):
    """TensorFlow's padding: before, behind."""
    total = max(0, (-(-size // stride) - 1) * stride + kernel - size)
    return total // 2, total - total // 2


class Window(nn.Module):
    """A convolution or pool behind its padding, which may be uneven."""

    def __init__(self, make, shape, words):
        super().__init__()
        kernel = pair(next(w for w in words if "x" in w and "=" not in w))
        opt = options(words)
        stride, pad = pair(opt.get("stride", "1")), opt.get("pad", "valid")
        if pad == "same":
            (t, b), (l, r) = (same(shape[i], kernel[i], stride[i]) for i in (0, 1))
        else:
            v = [0] if pad == "valid" else [int(p) for p in pad.split(",")]
            t, b, l, r = v * 4 if len(v) == 1 else v
        even = t == b and l == r
        self.border = None if even else (l, r, t, b)
        self.body = make(kernel, stride, (t, l) if even else 0)
        self.shape = [(shape[0] + t + b - kernel[0]) // stride[0] + 1,
                      (shape[1] + l + r - kernel[1]) // stride[1] + 1]

    def forward(self, x):
        return self.body(x if self.border is None else F.pad(x, self.border))


class Dense(nn.Linear):
    """Of whatever shape its input is; mien's order is height, width, channels."""

    def forward(self, x):
        return super().forward(x.flatten(1))


class Net(nn.Module):
    """All layers of a model; forward gives those named in outputs (the last one by default)."""

    def __init__(self, path, outputs=()):
        super().__init__()
        tensors, meta = read_safetensors(path)
        self.prep = options(meta["prep"].split())
        self.graph, self.layers = [], nn.ModuleList()
        shape, last = {}, None
        for line in meta["net"].splitlines():
            words = line.split()
            if words[0] == "input":
                shape["input"], last = [int(v) for v in words[1].split("x")], "input"
                self.size = shape["input"]
                continue
            name, kind, words = words[0], words[1], words[2:]
            inputs = options(words).get("from", last).split(",")
            weights = {k.split(".")[1]: torch.from_numpy(v.copy()) for k, v in tensors.items()
                       if k.split(".")[0] == name}
            layer, shape[name] = self.make(kind, words, shape[inputs[0]], weights)
            self.layers.append(layer)
            self.graph.append((name, inputs))
            last = name
        self.outputs = list(outputs) or [last]
        self.last_use = {x: name for name, inputs in self.graph for x in inputs}
        self.eval()

    @staticmethod
    def make(kind, words, shape, w):
        h, width, c = shape
        if kind in ("conv", "dwconv"):
            kernel = w["weight"]
            kernel = kernel.permute(2, 0, 1)[:, None] if kind == "dwconv" else kernel.permute(3, 2, 0, 1)
            groups = c // kernel.shape[1]

            def conv(k, stride, pad):
                m = nn.Conv2d(c, kernel.shape[0], k, stride, pad, groups=groups, bias="bias" in w)
                m.weight.data = kernel.contiguous()
                if "bias" in w:
                    m.bias.data = w["bias"]
                return m
            layer = Window(conv, shape, words)
            return layer, layer.shape + [kernel.shape[0]]
        if kind == "maxpool":
            layer = Window(lambda k, s, p: nn.MaxPool2d(k, s, p), shape, words)
            return layer, layer.shape + [c]
        if kind == "dense":
            units = w["weight"].shape[1]
            layer = Dense(h * width * c, units, bias="bias" in w)
            layer.weight.data = (w["weight"].reshape(h, width, c, units).permute(3, 2, 0, 1)
                                 .reshape(units, -1).contiguous())
            if "bias" in w:
                layer.bias.data = w["bias"]
            return layer, [1, 1, units]
        if kind == "bn":
            layer = nn.BatchNorm2d(c, eps=float(options(words).get("eps", 0.001)))
            for name, key in (("weight", "gamma"), ("bias", "beta"), ("running_mean", "mean"),
                              ("running_var", "var")):
                getattr(layer, name).data = w[key]
            return layer, shape
        if kind == "gap":
            return nn.AdaptiveAvgPool2d(1), [1, 1, c]
        if kind == "dropout":
            return nn.Dropout(float(words[0])), shape
        if kind == "softmax":
            return nn.Softmax(1), shape
        simple = {"relu": nn.ReLU, "relu6": nn.ReLU6, "sigmoid": nn.Sigmoid,
                  "flatten": nn.Identity, "add": nn.Identity}  # run adds what has two inputs
        return simple[kind](), shape

    def run(self, values, begin=0, end=None):
        """Computes layers begin to end. values, by name, holds what later layers read."""
        for (name, inputs), layer in list(zip(self.graph, self.layers))[begin:end]:
            x = values[inputs[0]]
            for other in inputs[1:]:
                x = x + values[other]
            values[name] = layer(x)
            for used in inputs:
                if self.last_use[used] == name and used not in self.outputs:
                    del values[used]
        return values

    def forward(self, x):
        values = self.run({"input": x})
        return tuple(values[o] for o in self.outputs)

    def pixels(self, rgb):
        """The input for uint8 pixels [n, h, w, 3]."""
        x = torch.from_numpy(rgb).permute(0, 3, 1, 2).float()
        if self.prep.get("color") == "bgr":
            x = x.flip(1)
        if "mean" in self.prep:
            x = x - torch.tensor([float(v) for v in self.prep["mean"].split(",")])[:, None, None]
        return x * float(self.prep.get("scale", 1))


def compiled(net, x, setting):
    """A copy of the network, ready to run on what looks like x, and x as it wants it. A setting is
    eager or frozen, and a memory layout; frozen folds batch normalisation and fuses."""
    how, layout = setting.split(", ")
    x = x.contiguous(memory_format=LAYOUTS[layout])
    net = copy.deepcopy(net).to(memory_format=LAYOUTS[layout])
    if how == "frozen":
        net = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(net, x)))
    return net, x


LAYOUTS = {"channels first": torch.contiguous_format, "channels last": torch.channels_last}
SETTINGS = [f"{how}, {layout}" for how in ("frozen", "eager") for layout in LAYOUTS]
