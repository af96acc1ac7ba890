#!/usr/bin/env python3
"""Converts a network of PyTorch to a model of mien; mien-pack(5), mien-net(1).

    from torch_to_mien import convert
    convert("my.model", trunk, {"gender": gender, "age": age}, size=(64, 64),
            mean=(123.7, 116.3, 103.5), scale=1 / 58)
    $ mien-predict my.model < pixels.mien

trunk is a torch.nn.Sequential of the layers that describe() knows; it takes [N, 3, height, width], RGB,
of (pixel - mean) * scale, and ends in features. The heads are Linear layers on these that give logits:
two of gender (female, male), and one a year of age, the first of which is age0.
"""
import json
import struct

import torch
from torch import nn


def pair(v):
    return (v, v) if isinstance(v, int) else tuple(v)


def window(layer):
    """Stride and padding of a convolution or pooling, in mien's words."""
    (sy, sx), (py, px) = pair(layer.stride), pair(layer.padding)
    if getattr(layer, "ceil_mode", False) or pair(getattr(layer, "dilation", 1)) != (1, 1):
        raise ValueError(f"{layer}: no ceil_mode and no dilation")
    return f"stride={sy}x{sx} pad={py},{py},{px},{px}"


def describe(layer, x):
    """What mien-net(1) calls a layer that reads x, and its weights in mien's order."""
    w, b = getattr(layer, "weight", None), getattr(layer, "bias", None)
    bias = {} if b is None else {"bias": b}
    no = " bias=no" if b is None else ""
    if isinstance(layer, nn.Conv2d) and layer.padding_mode == "zeros":
        kernel = "{}x{} ".format(*layer.kernel_size) + window(layer) + no
        if layer.groups == layer.in_channels == layer.out_channels:
            return "dwconv " + kernel, {"weight": w[:, 0].permute(1, 2, 0), **bias}
        return f"conv {layer.out_channels} {kernel} groups={layer.groups}", {
            "weight": w.permute(2, 3, 1, 0), **bias}
    if isinstance(layer, nn.Linear):
        if x.dim() == 4:  # flattened: mien's order is height, width, channels
            w = w.reshape(-1, *x.shape[1:]).permute(0, 2, 3, 1).flatten(1)
        return f"dense {layer.out_features}{no}", {"weight": w.t(), **bias}
    if isinstance(layer, nn.BatchNorm2d):
        return f"bn eps={layer.eps:g}", {"gamma": w, "beta": b, "mean": layer.running_mean,
                                         "var": layer.running_var}
    if isinstance(layer, nn.PReLU) and (x.dim() == 4 or w.numel() == 1):
        return "prelu", {"slope": w.expand(x.shape[1])}
    if isinstance(layer, nn.MaxPool2d) or isinstance(layer, nn.AvgPool2d) and layer.padding == 0:
        kind = "maxpool" if isinstance(layer, nn.MaxPool2d) else "avgpool"
        return kind + " {}x{} ".format(*pair(layer.kernel_size)) + window(layer), {}
    if isinstance(layer, nn.AdaptiveAvgPool2d) and pair(layer.output_size) == (1, 1):
        return "gap", {}
    if isinstance(layer, nn.Dropout):
        return f"dropout {layer.p:g}", {}
    names = {nn.ReLU: "relu", nn.ReLU6: "relu6", nn.Sigmoid: "sigmoid", nn.Flatten: "flatten"}
    if type(layer) in names:
        return names[type(layer)], {}
    raise ValueError(f"{layer}: not known to this converter")


def write_safetensors(path, tensors, meta):
    header, at = {"__metadata__": meta}, 0
    for name, t in tensors.items():
        end = at + 4 * t.numel()
        header[name] = {"dtype": "F32", "shape": list(t.shape), "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    text += b" " * (-(8 + len(text)) % 64)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for t in tensors.values():
            file.write(t.contiguous().numpy().astype("<f4").tobytes())


@torch.no_grad()
def convert(path, trunk, heads, size, mean=(0, 0, 0), scale=1.0, age0=0, prep=""):
    """Writes a model; prep is further preprocessing, such as "margin=0.4"."""
    lines, tensors = ["input {}x{}x3".format(*size)], {}

    def add(name, layer, x, source=""):
        words, weights = describe(layer, x)
        lines.append(f"{name} {words}{source}")
        tensors.update({f"{name}.{key}": t.detach().float().cpu() for key, t in weights.items()})

    trunk = trunk.eval().cpu()
    x = image = torch.zeros(1, 3, *size)  # image: x, before it was flattened
    for i, layer in enumerate(trunk):
        add(f"layer{i}", layer, image if isinstance(layer, nn.Linear) else x)
        x = layer(x)
        if x.dim() == 4 or isinstance(layer, nn.Linear):
            image = x
    for name, head in heads.items():
        add(f"{name}_logits", head.cpu(), image, f" from=layer{len(trunk) - 1}")
        lines.append(f"{name} softmax")
    words = ["size={}x{}".format(*size), "color=rgb", "mean=" + ",".join(f"{m:.9g}" for m in mean),
             f"scale={scale:.9g}", f"age0={age0}", *prep.split()]
    write_safetensors(path, tensors, {
        "format": "mien-model", "version": "1", "net": "\n".join(lines) + "\n",
        "prep": " ".join(words), "made": "torch_to_mien.py"})
