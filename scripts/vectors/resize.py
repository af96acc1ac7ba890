#!/usr/bin/env python3
"""Makes tests/data/resize-pillow.bin: what Pillow's Image.resize gives for small pictures.

Needs python3-pil. The vectors in the repository were made with Pillow 9.4.0:

    scripts/vectors/resize.py > tests/data/resize-pillow.bin

The file is cases one after another, each of five 16-bit little-endian numbers (source height and
width, result height and width, filter: 0 box, 1 triangle, 2 lanczos3) and the result's bytes, RGB
by rows. The source is not in it: it is the bytes of the generator below, which tests/unit/
test_resize.c has too.
"""
import struct
import sys

from PIL import Image

SIZES = [  # source height and width, result height and width
    (5, 7, 9, 13),
    (31, 20, 11, 9),
    (40, 40, 17, 18),
    (3, 50, 3, 20),
    (50, 3, 20, 3),
    (1, 1, 4, 4),
    (2, 3, 9, 2),
    (64, 48, 1, 1),
    (1, 300, 2, 7),
]
FILTERS = [Image.BOX, Image.BILINEAR, Image.LANCZOS]


def source(height, width):
    """Noise, with every third byte black or white, where filters overshoot."""
    state = height * 65536 + width
    data = bytearray()
    for i in range(height * width * 3):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        value = state >> 24
        data.append(value if i % 3 else 255 * (value >> 7))
    return Image.frombytes("RGB", (width, height), bytes(data))


for h, w, to_h, to_w in SIZES:
    for number, kind in enumerate(FILTERS):
        result = source(h, w).resize((to_w, to_h), kind)
        sys.stdout.buffer.write(struct.pack("<5H", h, w, to_h, to_w, number))
        sys.stdout.buffer.write(result.tobytes())
