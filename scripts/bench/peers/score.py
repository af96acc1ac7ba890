"""A tar of JPEGs to a table of predictions in one process: OpenCV in a thread of its own, PyTorch.
Arguments: MODEL TAR TABLE THREADS."""
import sys
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import torch

from common import fastest, jpegs, serve, square
from net import LAYOUTS, SETTINGS, Net, compiled

BATCH = 32
model, path, table, threads = sys.argv[1:]
torch.set_num_threads(int(threads))
cv2.setNumThreads(1)
net = Net(model, ["gender", "age"])
size = net.size[0]


def decode(part):
    images = []
    with open(path, "rb") as tar:
        for at, n in part:
            tar.seek(at)
            image = square(cv2.imdecode(np.frombuffer(tar.read(n), np.uint8), cv2.IMREAD_COLOR))
            images.append(cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR))
    return np.stack(images)[:, :, :, ::-1].copy()


def ready(setting, members):
    """A function that scores these members."""
    parts = [members[i:i + BATCH] for i in range(0, len(members), BATCH)]
    years = torch.arange(101.0)
    run, _ = compiled(net, net.pixels(decode(parts[0])), setting)
    layout = LAYOUTS[setting.split(", ")[1]]

    @torch.no_grad()
    def score():
        with ThreadPoolExecutor(1) as ahead, open(table, "w") as out:
            following = ahead.submit(decode, parts[0])
            for i in range(len(parts)):
                rgb = following.result()
                if i + 1 < len(parts):
                    following = ahead.submit(decode, parts[i + 1])
                gender, age = run(net.pixels(rgb).contiguous(memory_format=layout))
                ages = (age.flatten(1) * years).sum(1)
                for a, female in zip(ages.tolist(), gender.flatten(1)[:, 0].tolist()):
                    out.write(f"{a:.2f}\t{'female' if female >= 0.5 else 'male'}\t{female:.4f}\n")
    return score


members = jpegs(path)
with torch.no_grad():
    best = fastest(SETTINGS, lambda s: ready(s, members[:4 * BATCH]))
    work = ready(best, members)
serve(work, f"OpenCV {cv2.__version__}, PyTorch {torch.__version__}, {best}")
