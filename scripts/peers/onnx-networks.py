"""Writes torchvision's networks, with random weights, as ONNX files. Arguments: FOLDER [NAME]...

Statistics, factors and shifts of batch normalization are random, too: 0 and 1 would hide what folds
them wrongly.
"""
import os
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


folder, names = sys.argv[1], sys.argv[2:] or NAMES
for name in names:
    path = os.path.join(folder, name + ".onnx")
    torch.onnx.export(network(name), torch.randn(1, 3, 224, 224), path + ".new", opset_version=13,
                      dynamic_axes={"x": {0: "batch"}, "y": {0: "batch"}}, input_names=["x"], output_names=["y"])
    os.rename(path + ".new", path)
