"""PyTorch's forward pass. Arguments: MODEL BATCH THREADS ROUNDS PIXELS OUTPUTS PRECISION, which
is float or bf16."""
import copy
import sys

import numpy as np
import torch

from common import fastest, serve
from net import SETTINGS, Net, compiled

model, batch, threads, rounds, pixels, outputs, precision = sys.argv[1:]
torch.set_num_threads(int(threads))
with torch.no_grad():
    net = Net(model)
    rgb = np.fromfile(pixels, np.uint8).reshape([-1] + net.size)[:int(batch)]

    def ready(setting):
        x = net.pixels(rgb)
        if precision == "bf16":
            run, x = compiled(copy.deepcopy(net).bfloat16(), x.bfloat16(), setting)
        else:
            run, x = compiled(net, x, setting)
        return lambda: run(x)
    best = fastest(SETTINGS, ready)
    run = ready(best)
    run()[0].flatten(1).float().numpy().tofile(outputs)

    def work():
        for _ in range(int(rounds)):
            run()
    serve(work, f"PyTorch {torch.__version__}, {precision}, {best}")
