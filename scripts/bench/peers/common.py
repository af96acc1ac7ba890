"""What the peers share: how they talk to bench.py, archives and mien's models and packs."""
import json
import sys
import tarfile
import time

import numpy as np


def serve(work, note=""):
    """Does the work, already warmed up, for every line that comes in; answers with the seconds."""
    print("ready", note, flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        work()
        print(time.perf_counter() - start, flush=True)


def fastest(settings, make):
    """The setting for which the function make(setting) takes least: the best of two calls, one
    before them."""
    def seconds(setting):
        work, times = make(setting), []
        for _ in range(3):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
        return min(times[1:])
    return min(settings, key=seconds)


def jpegs(path):
    """Where each JPEG of a tar begins and how many bytes it has."""
    with tarfile.open(path) as tar:
        return [(m.offset_data, m.size) for m in tar if m.name.endswith(".jpg")]


def square(pixels):
    """An image with its border repeated until it is square, as mien-crop --box whole does it."""
    h, w = pixels.shape[:2]
    side = max(h, w)
    top, left = (side - h) // 2, (side - w) // 2
    return np.pad(pixels, ((top, side - h - top), (left, side - w - left), (0, 0)), "edge") if h != w else pixels


def read_safetensors(path):
    """The tensors of a safetensors file, and its metadata."""
    data = np.memmap(path, np.uint8, "r")
    end = 8 + int(data[:8].view(np.uint64)[0])
    head = json.loads(bytes(data[8:end]))
    meta = head.pop("__metadata__", {})
    types = {"U8": np.uint8, "I32": np.int32, "U64": np.uint64, "F32": np.float32}

    def tensor(t):
        a, b = t["data_offsets"]
        return data[end + a:end + b].view(types[t["dtype"]]).reshape(t["shape"])
    return {name: tensor(t) for name, t in head.items()}, meta
