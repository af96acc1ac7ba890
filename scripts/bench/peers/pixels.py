"""Images to cropped, resized pixels with Pillow or OpenCV, in two processes.

Arguments: LIBRARY PROCESSES SOURCE PIXELS [BOXES]. LIBRARY is pillow, opencv or opencv4, which decodes
at a quarter of the size. SOURCE is a tar, taken whole, or a folder with BOXES, a table of paths and
face boxes, around which a margin of 0.4 is added. The pixels of the first images go to PIXELS.
"""
import io
import multiprocessing as mp
import os
import sys

import numpy as np

from common import jpegs, serve, square

SIZE, MARGIN, KEPT = 224, 0.4, 16
library, processes, source, pixels = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
if library == "pillow":
    import PIL
    from PIL import Image
    note = f"Pillow {PIL.__version__}"
else:
    import cv2
    cv2.setNumThreads(1)  # a process a core is faster
    note = f"OpenCV {cv2.__version__}" + (", quarter scale" if library == "opencv4" else "")

if len(sys.argv) > 5:
    lines = [line.split("\t") for line in open(sys.argv[5]).read().splitlines()[1:]]
    work_list = [(os.path.join(source, line[0]), [float(v) for v in line[1:5]]) for line in lines]
else:
    work_list = [(at, None) for at in jpegs(source)]


def around(box, scale):
    """The crop's corner and side."""
    side = round((box[2] - box[0]) * (1 + 2 * MARGIN) * scale)
    return (round((box[0] + box[2]) / 2 * scale - side / 2),
            round((box[1] + box[3]) / 2 * scale - side / 2), side)


def pillow(data, box):
    image = Image.open(io.BytesIO(data)).convert("RGB")
    if box:
        x, y, side = around(box, 1)
        image = image.crop((x, y, x + side, y + side))
    elif image.width != image.height:
        image = Image.fromarray(square(np.asarray(image)))
    return np.asarray(image.resize((SIZE, SIZE), Image.BILINEAR))


def opencv(data, box):
    flag = cv2.IMREAD_REDUCED_COLOR_4 if library == "opencv4" else cv2.IMREAD_COLOR
    image = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    if box:
        x, y, side = around(box, 0.25 if library == "opencv4" else 1)
        image = image[y:y + side, x:x + side]
    else:
        image = square(image)
    shrink = image.shape[0] > SIZE
    image = cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_LINEAR)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def share(k):
    """One process's images; they are written where all processes see them."""
    out = np.frombuffer(memory, np.uint8).reshape(len(work_list), SIZE, SIZE, 3)
    make = pillow if library == "pillow" else opencv
    tar = None if len(sys.argv) > 5 else open(source, "rb")
    for i in range(k, len(work_list), processes):
        what, box = work_list[i]
        if tar:
            tar.seek(what[0])
            data = tar.read(what[1])
        else:
            with open(what, "rb") as file:
                data = file.read()
        out[i] = make(data, box)


memory = mp.RawArray("B", len(work_list) * SIZE * SIZE * 3)
with mp.Pool(processes) as pool:
    pool.map(share, range(processes))
    np.frombuffer(memory, np.uint8)[:KEPT * SIZE * SIZE * 3].tofile(pixels)
    serve(lambda: pool.map(share, range(processes)), note)
