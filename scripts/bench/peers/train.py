"""Training in PyTorch as mien-train does it: both heads' cross-entropies, Adam, batches of 32.

Arguments: MODEL PACK LAST EPOCHS LOSSES PRECISION. The last LAST layers with weights are trained, or
all; what is before them is computed for every batch anew, as the original experiment did. The mean
loss of each epoch goes to LOSSES. PRECISION is float or bf16, which is autocast's: there ReLU stands
in for ReLU6 where that has no gradient in bfloat16.
"""
import contextlib
import copy
import os
import sys

import torch
from torch import nn
from torch.nn import functional as F

from common import fastest, read_safetensors, serve
from net import LAYOUTS, Net

BATCH = 32
model, pack, last, epochs, losses, precision = sys.argv[1:]
torch.set_num_threads(len(os.sched_getaffinity(0)))
data, _ = read_safetensors(pack)
age = torch.from_numpy(data["age"].astype(int))
gender = torch.from_numpy(data["gender"].astype(int))
original = Net(model)


def autocast():
    return torch.autocast("cpu", torch.bfloat16) if precision == "bf16" else contextlib.nullcontext()


def without_relu6(net):
    """For a PyTorch that can't train it in bfloat16."""
    x = torch.zeros(1, dtype=torch.bfloat16, requires_grad=True)
    try:
        F.relu6(x).sum().backward()
    except RuntimeError:
        for i, layer in enumerate(net.layers):
            if isinstance(layer, nn.ReLU6):
                net.layers[i] = nn.ReLU()


if precision == "bf16":
    without_relu6(original)
# Cross-entropy takes what goes into the softmax.
before = {name: inputs[0] for name, inputs in original.graph if name in ("gender", "age")}
original.outputs = list(before.values())
weighty = [i for i, m in enumerate(original.layers)
           if any(True for _ in m.parameters()) and not isinstance(m, nn.BatchNorm2d)]
first = 0 if last == "all" else weighty[-int(last)]


def train(layout, epochs, count):
    net = copy.deepcopy(original).to(memory_format=layout)
    for i, layer in enumerate(net.layers):
        layer.train(i >= first)
        layer.requires_grad_(i >= first)
    adam = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], 0.001, eps=1e-7)
    means = []
    for _ in range(epochs):
        total = 0
        for part in torch.randperm(count).split(BATCH):
            x = net.pixels(data["pixels"][part.numpy()]).contiguous(memory_format=layout)
            with autocast():
                with torch.no_grad():
                    values = net.run({"input": x}, 0, first)
                values = net.run(values, first)
                loss = sum(F.cross_entropy(values[before[k]].flatten(1), label[part])
                           for k, label in (("gender", gender), ("age", age)))
            adam.zero_grad(set_to_none=True)
            loss.backward()
            adam.step()
            total += loss.item() * len(part)
        means.append(total / count)
    return means


best = fastest(list(LAYOUTS), lambda s: lambda: train(LAYOUTS[s], 1, min(len(age), 2 * BATCH)))
with open(losses, "w") as out:
    out.write("".join(f"{v}\n" for v in train(LAYOUTS[best], int(epochs), len(age))))
serve(lambda: train(LAYOUTS[best], int(epochs), len(age)), f"PyTorch {torch.__version__}, {precision}, {best}")
