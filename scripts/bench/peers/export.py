"""Writes a model of mien's as ONNX. Arguments: MODEL ONNX."""
import sys

import torch

from net import Net

net = Net(sys.argv[1])
torch.onnx.export(net, torch.zeros(1, 3, *net.size[:2]), sys.argv[2], opset_version=13,
                  input_names=["x"], output_names=net.outputs,
                  dynamic_axes={n: {0: "n"} for n in ["x"] + net.outputs})
