"""Writes torchvision's networks, with random weights, as ONNX files, and with -w their weights as
safetensors, too. Arguments: [-w] FOLDER [NAME]...

Statistics, factors and shifts of batch normalization are random, too: 0 and 1 would hide what folds
them wrongly.
"""
import json
import os
import struct
import sys

import torch
import torchvision

NAMES = """alexnet vgg16 resnet18 resnet50 mobilenet_v2 mobilenet_v3_small mobilenet_v3_large
efficientnet_b0 shufflenet_v2_x1_0 squeezenet1_1 densenet121 googlenet regnet_y_400mf
convnext_tiny""".split()


def network(name):
    torch.manual_seed(1)
    more = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
    net = getattr(torchvision.models, name)(weights=None, **more).eval()
    for m in net.modules():
        if isinstance(m, torch.nn.BatchNorm2d):
            m.running_mean.uniform_(-0.1, 0.1)
            m.running_var.uniform_(0.5, 1.5)
            m.weight.data.uniform_(0.5, 1.5)
            m.bias.data.uniform_(-0.1, 0.1)
    return net


def write_weights(net, path):
    header, data = {}, b""
    for name, t in net.state_dict().items():
        if t.dtype != torch.float32:
            continue  # counts of batches
        raw = t.numpy().astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(t.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


weights = sys.argv[1] == "-w"
folder, *names = sys.argv[2:] if weights else sys.argv[1:]
for name in names or NAMES:
    path = os.path.join(folder, name + ".onnx")
    net = network(name)
    if weights:
        write_weights(net, os.path.join(folder, name + ".safetensors"))
    torch.onnx.export(net, torch.randn(1, 3, 224, 224), path + ".new", opset_version=13,
                      dynamic_axes={"x": {0: "batch"}, "y": {0: "batch"}}, input_names=["x"], output_names=["y"])
    os.rename(path + ".new", path)
