"""Runs a PyTorch module of mien-export's on lines of "HEIGHT,WIDTH,3 BASE64", RGB, and writes each
output's numbers into a file of its name. Arguments: MODULE, "--with-preprocessing" if it was
exported so, else "", and OUTPUTS (a folder). See export-check."""
import base64
import importlib.util
import os
import sys

import numpy as np
import torch

path, preprocessing, outputs = sys.argv[1:]
spec = importlib.util.spec_from_file_location("network", path)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
network = module.load()

images = []
for line in sys.stdin:
    shape, text = line.split()
    images.append(np.frombuffer(base64.b64decode(text), np.uint8).reshape([int(n) for n in shape.split(",")]))
pixels = torch.from_numpy(np.stack(images))
with torch.no_grad():
    out = network(pixels if preprocessing else network.prepare(pixels))
for name, y in out.items():
    np.savetxt(os.path.join(outputs, name), y.reshape(len(images), -1).numpy(), "%.9g", ",")
