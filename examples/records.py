#!/usr/bin/env python3
"""Streams of mien's records, read and written with Python's standard library; mien-record(5).

As a module:

    for record in records.read(sys.stdin.buffer):
        print(record["id"], record.get("age"))

    with records.Writer(sys.stdout.buffer) as out:
        out.write({"id": "a.jpg", "age": 30, "box": array.array("f", [10, 20, 110, 120])})

A record is a dict. Text is str, a number int or float, and what has dimensions a memoryview with a
shape: numpy.asarray(record["pixels"]) makes an array of it, and a numpy array can be written. A field
that isn't known, or doesn't have the type of its tag, has its tag as its key and is passed on as it is.

As a program, a filter that removes fields:

    python3 records.py image pixels < faces.mien > labels.mien
"""
import struct
import sys
import zlib

U8, I32, U64, F32, F64, TEXT = range(1, 7)
FORMAT = {U8: "B", I32: "i", U64: "Q", F32: "f", F64: "d"}
TAGS = {  # tag: name, type, number of dimensions
    1: ("id", TEXT, 0), 2: ("subject", TEXT, 0), 3: ("age", U8, 0), 4: ("age_band", U8, 1),
    5: ("gender", U8, 0), 6: ("group", TEXT, 0), 7: ("birth", TEXT, 0), 8: ("year", I32, 0),
    9: ("box", F32, 1), 10: ("score", F32, 0), 11: ("score2", F32, 0), 12: ("split", TEXT, 0),
    13: ("image", U8, 1), 14: ("image_kind", TEXT, 0), 15: ("pixels", U8, 3),
    16: ("features", F32, 1), 17: ("p_gender", F32, 1), 18: ("p_age", F32, 1),
    19: ("error", TEXT, 0), 20: ("prep", TEXT, 0), 21: ("landmarks", F32, 2), 22: ("count", U64, 0),
    23: ("faces", I32, 0), 24: ("conf_gender", F32, 0), 25: ("conf_age", F32, 0)}
NUMBERS = {name: tag for tag, (name, _, _) in TAGS.items()}

assert sys.byteorder == "little", "arrays are used in the stream's byte order"


class BrokenStream(Exception):
    """The input isn't a whole stream."""


def pad8(n):
    return -n % 8


def decode(body, nfield):
    """The record of a body."""
    record, at = {}, 0
    for _ in range(nfield):
        tag, kind, ndim, length = struct.unpack_from("<HBBI", body, at)
        shape = struct.unpack_from(f"<{ndim}I", body, at + 8)
        at += 8 + 4 * ndim + pad8(4 * ndim)
        data = body[at : at + length]
        if len(data) < length:
            raise BrokenStream("a field lies outside of its record")
        at += length + pad8(length)
        name, *prescribed = TAGS.get(tag, (None,))
        if prescribed != [kind, ndim] or 0 in shape:
            record.setdefault(tag, (kind, shape, bytes(data)))
        elif kind == TEXT:
            record.setdefault(name, str(data, "utf-8", "surrogateescape"))
        elif ndim == 0:
            record.setdefault(name, data.cast(FORMAT[kind])[0])
        else:
            record.setdefault(name, data.cast(FORMAT[kind], shape))
    return record


def encode(record):
    """The body of a record."""
    body = b""
    for key, value in record.items():
        if isinstance(key, int):
            tag, (kind, shape, data) = key, value
        else:
            tag = NUMBERS[key]
            _, kind, ndim = TAGS[tag]
            if kind == TEXT:
                shape, data = (), value.encode("utf-8", "surrogateescape")
            elif ndim == 0:
                shape, data = (), struct.pack("<" + FORMAT[kind], value)
            else:
                view = memoryview(value)
                if view.ndim != ndim or view.itemsize != struct.calcsize(FORMAT[kind]):
                    raise TypeError(f"{key} has {ndim} dimensions of type {FORMAT[kind]}")
                shape, data = view.shape, view.tobytes()
        dims = struct.pack(f"<{len(shape)}I", *shape)
        head = struct.pack("<HBBI", tag, kind, len(shape), len(data)) + dims
        body += head + bytes(pad8(len(head))) + data + bytes(pad8(len(data)))
    return body


def read(stream):
    """The records of a binary file object, one after another."""
    count, ended = 0, False
    while head := stream.read(16):
        if len(head) < 16:
            raise BrokenStream("the stream is cut short")
        magic, version, kind, nfield, length, crc = struct.unpack("<4sBBHII", head)
        if magic != b"MIEN" or version != 1 or kind > 1:
            raise BrokenStream("this is not a stream of mien's records")
        body = stream.read(length)
        if len(body) < length:
            raise BrokenStream("the stream is cut short")
        if zlib.crc32(body, zlib.crc32(head[:12])) != crc:
            raise BrokenStream("a record's checksum is wrong")
        record, ended = decode(memoryview(body), nfield), kind == 1
        if not ended:
            count += 1
            yield record
        elif record.get("count") != count:
            raise BrokenStream("an end record has another count")
        else:
            count = 0
    if not ended:
        raise BrokenStream("no end record: the program that wrote this has failed")


class Writer:
    """Writes a segment; leaving its with block without an exception writes the end record."""

    def __init__(self, stream):
        self.stream, self.count = stream, 0

    def put(self, kind, record):
        body = encode(record)
        head = struct.pack("<4sBBHI", b"MIEN", 1, kind, len(record), len(body))
        self.stream.write(head + struct.pack("<I", zlib.crc32(body, zlib.crc32(head))) + body)

    def write(self, record):
        self.put(0, record)
        self.count += 1

    def __enter__(self):
        return self

    def __exit__(self, error, *_):
        if error is None:
            self.put(1, {"count": self.count})
            self.stream.flush()


if __name__ == "__main__":
    try:
        with Writer(sys.stdout.buffer) as out:
            for record in read(sys.stdin.buffer):
                out.write({key: value for key, value in record.items() if key not in sys.argv[1:]})
    except BrokenStream as error:
        print(f"records.py: {error}", file=sys.stderr)
        sys.exit(2)
