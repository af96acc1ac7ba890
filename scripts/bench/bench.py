"""make bench: what mien takes beside what people use today, on the same work and the same cores.

Every figure is the median of 5 runs (RUNS) that take turns, after one to warm up. mien's programs are
timed from start to end, as commands; of a peer only the work itself is, in a process that has its
libraries loaded and its network prepared, and is fed what it likes best. Each stage checks that
both sides computed the same. "Limit" is what bounds the stage, and the last column how near mien
comes to it.

Peers are Debian's python3-scipy, python3-numpy, python3-pil, python3-opencv and python3-torch, and
onnxruntime-node 1.30.0 where the npm client can fetch it; what is missing is skipped and named.
Real data are taken where they are (MIEN_DATA, by default ../shared/data), else drawn. Everything
that is made lies in build/bench, the table too: table.tsv. The whole takes about half an hour.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zlib
from shlex import quote

from harness import (ENV, HERE, OUT, RUNS, TORCH_ENV, Command, Missing, Peer, alternate, pipeline, python, say,
                     shell, start_up, started)

DATA = os.path.abspath(os.environ.get("MIEN_DATA", f"{HERE}/../../../shared/data"))
ORT = "onnxruntime-node@1.30.0"
CORES = len(os.sched_getaffinity(0))
COLUMNS = ["stage", "mien", "peer", "ratio", "target", "limit", "of limit"]
RECORDS, IMAGES = 523051, 100000  # of the stage growth
rows = []


def row(stage, mien, peer="-", ratio=None, target=None, limit="-", share=None, met=None):
    """A line of the table. A target is the least ratio, or text, and then met says whether it is met."""
    if ratio is not None and target is not None:
        met = ratio >= target
        target = f">= {target:g}"
    verdict = "" if met is None else " met" if met else " MISSED"
    rows.append([stage, mien, peer, "-" if ratio is None else f"{ratio:.2f}",
                 "-" if target is None else target + verdict, limit,
                 "-" if share is None else f"{100 * share:.0f}%"])
    say("  " + "  ".join(rows[-1]))


def compare(stage, mien, times, targets, limit, limit_time, per=1, unit="s"):
    """Lines for one stage. targets: pairs of the least ratio, or None, and the peers of which the
    fastest counts. times and limit_time are in seconds, shown divided by per."""
    def show(t):
        return f"{1000 * t / per:.3g} ms" if unit == "ms" else f"{t / per:.3g} s"
    share = limit_time and limit_time / times[mien]
    limit = f"{limit} {show(limit_time)}" if limit_time else limit
    for least, names in targets:
        there = [n for n in names if n in times]
        if there:
            best = min(there, key=times.get)
            row(stage, show(times[mien]), f"{best} {show(times[best])}", times[best] / times[mien], least,
                limit, share)
    if not any(n in times for _, names in targets for n in names):
        row(stage, show(times[mien]), limit=limit, share=share)


def check(what, good):
    if not good:
        sys.exit(f"bench: mien and a peer differ: {what}")
    say(f"  same on both sides: {what}")


def cached(name, make):
    """The name of something in build/bench that make(path) makes, once."""
    if not os.path.exists(name):
        make(name + ".new")
        os.rename(name + ".new", name)
    return name


def real(name, why):
    """The path of a file of real data, or None."""
    path = f"{DATA}/{name}"
    if os.path.exists(path):
        return path
    say(f"  {name} isn't there, so {why}")
    return None


def drawn():
    return cached("drawn", lambda path: shell(f"mien-synth -n 1000 --size 200 {path}"))


def archive():
    """The tar of small JPEGs."""
    source = real("utkface.tar", "images are drawn")

    def make(path):
        with tarfile.open(source) as tar, tarfile.open(path, "w") as out:
            members = [m for m in tar if m.name.endswith(".jpg")]
            for m in members[:3000]:
                out.addfile(m, tar.extractfile(m))
    return cached("small.tar", make) if source else f"{drawn()}/imdb_crop.tar"


def model(name, size=224):
    def make(path):
        with open(f"{HERE}/../../networks/{name}.net") as f:
            text = f.read().replace("input 224x224x3", f"input {size}x{size}x3")
        with open(f"{path}.net", "w") as f:
            f.write(text)
        shell(f"mien-net -q --new --mean 127.5,127.5,127.5 --scale 0.0078431 -o {path} {path}.net")
        os.remove(f"{path}.net")
    return cached(f"{name}-{size}.model", make)


def multiply_adds(path):
    """Of each layer, by name, for one image."""
    lines = [line.split("\t") for line in shell(f"mien-net -f tsv {path}").splitlines()]
    at = lines[0].index("multiply_adds")
    return {line[0]: float(line[at]) for line in lines[1:]}


peaks = {}


def peak(threads):
    """Multiply-adds a second of sgemm on so many threads."""
    if not peaks:
        core, one, many = shell("sgemm").split()
        peaks.update({"core": core, 1: float(one), CORES: float(many)})
    return peaks.get(threads, threads * peaks[1])


def pixels_of(command, count=16):
    """The first pixels that a command writes."""
    import base64
    import json
    lines = shell(f"{command} | mien-view -f json --full -c pixels -n {count}").splitlines()
    return b"".join(base64.b64decode(json.loads(line)["pixels"]["base64"]) for line in lines)


def difference(a, b):
    """The mean difference of two strings of bytes of one length, in levels."""
    return sum(abs(x - y) for x, y in zip(a, b)) / len(a) if len(a) == len(b) > 0 else 255


def contents(path):
    with open(path, "rb") as f:
        return f.read()


def floats(path):
    import array
    return array.array("f", contents(path))


# --- Stages ---------------------------------------------------------------------------------------


def metadata():
    """labels: wiki.mat to filtered records, and SciPy's loadmat with the same rules in NumPy"""
    path, key = real("wiki.mat", "labels are drawn"), "wiki"
    if not path:
        path, key = f"{drawn()}/imdb.mat", "imdb"
    peers = started(lambda: python("SciPy", "metadata.py", path, key))
    ages = [int(a) for a in shell(f"mien-meta -q {quote(path)} | mien-view -H -c age").split()]
    for p in peers:
        check(f"{len(ages)} records, {sum(ages)} years", p.note.endswith(f"; {len(ages)} {sum(ages)}"))
    data = contents(path)

    class Inflate:
        """zlib alone: an element is a type, a length and a zlib stream, behind a head of 128 bytes."""
        name = "zlib"

        def run(self):
            import time
            start = time.perf_counter()
            zlib.decompress(data[136:])
            return time.perf_counter() - start

        def close(self):
            pass
    times = alternate([Command("mien", f"mien-meta -q {quote(path)} >/dev/null"), Inflate()] + peers)
    compare("labels of " + os.path.basename(path), "mien", times, [(3.3, ["SciPy"])], "inflating", times["zlib"],
            unit="ms")


def pixels(stage, command, source, boxes, names, targets, limit, bound):
    """Crops in one program, which is compared, and resized in another one."""
    apart = command.replace("--size 224", "--for 224 | mien-resize -q 224")
    makers = [lambda n=n: python(n, "pixels.py", {"Pillow": "pillow", "OpenCV": "opencv"}.get(n, "opencv4"), CORES,
                                 source, f"{n}.pixels", *boxes) for n in names]
    peers = started(*makers)
    ours = pixels_of(command)
    for p in peers:
        off = difference(ours, contents(f"{p.name}.pixels"))
        check(f"pixels, {off:.2f} levels from {p.name}'s on average", off < 4)
    times = alternate([Command("mien", f"{command} >/dev/null"), Command("apart", f"{apart} >/dev/null")] + peers)
    least = float(shell(f"decode {bound}"))
    compare(stage, "mien", times, targets, limit, least)
    compare(f"{stage}, by mien-resize", "apart", times, [(None, t[1]) for t in targets], limit, least)


def small():
    """JPEGs of 200 x 200 in a tar to pixels of 224 x 224, and Pillow and OpenCV in a process a core"""
    tar = archive()
    count = shell(f"mien-images -q {tar} | mien-view --count").strip()
    pixels(f"{count} small JPEGs to pixels",
           f"mien-images -q {tar} | mien-crop -q --box whole --size 224", tar, [],
           ["Pillow", "OpenCV"], [(1.3, ["Pillow", "OpenCV"]), (4, ["Pillow"])], "decoding alone", tar)


def large():
    """photographs of 3000 x 4000 with a face of 600 to its crop of 224 x 224, and the same peers"""
    x, y, face, n = 1200, 1000, 600, 24

    def make(path):
        os.makedirs(path)
        shell(f"photos {n} {path}")
    folder = cached("photographs", make)
    boxes = "boxes.tsv"
    with open(boxes, "w") as f:
        f.write("path\tx1\ty1\tx2\ty2\n")
        f.writelines(f"photo{i}.jpg\t{x}\t{y}\t{x + face}\t{y + face}\n" for i in sorted(range(1, n + 1), key=str))
    side = round(face * 1.8)
    part = [(x + face // 2 - side // 2) // 4, (y + face // 2 - side // 2) // 4, side // 4]
    pixels(f"{n} photographs to faces",
           f"mien-meta -q {boxes} | mien-images -q -m - {folder} | mien-crop -q --size 224",
           folder, [boxes], ["Pillow", "OpenCV", "OpenCV-4"],
           [(4, ["Pillow", "OpenCV"]), (1.5, ["OpenCV-4"])], "decoding the part",
           f"--part 2,{','.join(map(str, part))} {folder}")


def ort_folder():
    if not shutil.which("npm") or not shutil.which("node"):
        raise Missing("onnxruntime-node, which needs the npm client")
    folder = os.path.abspath("ort")
    if not os.path.exists(f"{folder}/node_modules/onnxruntime-node"):
        say(f"  fetching {ORT}")
        env = ENV | {"ONNXRUNTIME_NODE_INSTALL": "skip"}  # what runs on processors is in the package
        with open("npm.log", "w") as log:
            done = subprocess.run(["npm", "install", "--prefix", folder, "--no-audit", "--no-fund", ORT],
                                  env=env, stdout=log, stderr=log)
        if done.returncode != 0:
            raise Missing(f"{ORT}, which npm can't fetch")
    return folder


def ort(path, *arguments):
    folder = ort_folder()

    def export(onnx):
        with open("export.log", "w") as log:
            done = subprocess.run([sys.executable, f"{HERE}/peers/export.py", path, onnx], stdout=log, stderr=log)
        if done.returncode != 0:
            raise Missing("ONNX Runtime, which needs PyTorch to write the network")
    onnx = cached(os.path.basename(path)[:-len(".model")] + ".onnx", export)
    return Peer("ONNX", ["node", f"{HERE}/peers/forward.mjs", folder, onnx] + [str(a) for a in arguments] +
                ["127.5", "0.0078431"])


def forward(cases):
    def make(path):
        with open(path, "wb") as f:  # any will do: noise, the same every time
            import random
            f.write(random.Random(1).randbytes(32 * 224 * 224 * 3))
    noise = cached("noise", make)
    for name, batch, threads, images, target in cases:
        threads = min(threads, CORES)
        say(f"{name}, batch {batch}, {threads} threads")
        path, rounds = model(name), images // batch
        arguments = [batch, threads, rounds, noise]
        peers = started(lambda: Peer("mien", ["forward", path] + [str(a) for a in arguments] + ["mien.out"]),
                        lambda: Peer("int8", ["forward", "--int8", path] + [str(a) for a in arguments] +
                                     ["int8.out"]),
                        lambda: Peer("bf16", ["forward", "--bf16", path] + [str(a) for a in arguments] +
                                     ["bf16.out"]),
                        lambda: python("PyTorch", "forward.py", path, *arguments, "PyTorch.out", "float",
                                       env=TORCH_ENV),
                        lambda: python("PyTorch-bf16", "forward.py", path, *arguments, "PyTorch-bf16.out", "bf16",
                                       env=TORCH_ENV),
                        lambda: ort(path, *arguments, "ONNX.out"))
        ours = floats("mien.out")
        for p in peers[1:]:
            theirs = floats(f"{p.name}.out")
            off = max(abs(a - b) for a, b in zip(ours, theirs)) / max(ours)
            check(f"outputs, {off:.1e} of the largest from {p.name}'s",
                  len(ours) == len(theirs) and off < (0.06 if p.name in ("int8", "bf16", "PyTorch-bf16") else 1e-3))
        times = alternate(peers)
        stage = f"{name}, batch {batch}, {threads} thread{'s' * (threads > 1)}"
        bound = images * sum(multiply_adds(path).values()) / peak(threads)
        for mien, least, peers, more in (("mien", target, ["PyTorch", "ONNX"], ""),
                                         ("int8", None, ["PyTorch", "ONNX"], ", in 8 bits"),
                                         ("bf16", 1.3, ["PyTorch", "PyTorch-bf16", "ONNX"], ", in bf16")):
            if mien in times:
                compare(stage + more, mien, times, [(least, peers)], "its sums by sgemm", bound, per=images, unit="ms")


def mobilenet():
    """MobileNet v1 forward, and PyTorch and ONNX Runtime"""
    forward([("mobilenet-v1", batch, threads, 64, 1.35 if threads == 1 else 1.5)
             for batch in (32, 1) for threads in (1, 2)])


def networks():
    """ResNet-18 and VGG-16 forward, and the same"""
    forward([("resnet-18", 32, 2, 32, 1), ("resnet-18", 1, 1, 16, 1), ("vgg-16", 8, 2, 8, 1),
             ("vgg-16", 1, 1, 2, 1)])


def score():
    """a tar of JPEGs to a table of predictions, and a Python process of OpenCV and PyTorch"""
    count = 512
    tar, net = archive(), model("mobilenet-v1")

    def make(path):
        with tarfile.open(tar) as whole, tarfile.open(path, "w") as out:
            for m in [m for m in whole if m.name.endswith(".jpg")][:count]:
                out.addfile(m, whole.extractfile(m))
    tar = cached("score.tar", make)

    def command(option, table):
        return (f"mien-images -q {tar} | mien-crop -q --box whole --size 224"
                f" | mien-predict -q {option} {net} | mien-view -H -c pred_age,pred_gender,p_female >{table}.tsv")
    peers = started(lambda: python("PyTorch", "score.py", net, tar, "PyTorch.tsv", CORES, env=TORCH_ENV))
    ours = [Command("mien", command("", "mien")), Command("int8", command("--int8", "int8"))]
    times = alternate(ours + peers)
    ages = {n: [float(line.split("\t")[0]) for line in contents(f"{n}.tsv").decode().splitlines()]
            for n in times}
    for n, most in (("PyTorch", 0.1), ("int8", 1)):
        if n in ages:
            off = max(abs(a - b) for a, b in zip(ages["mien"], ages[n]))
            check(f"{count} predictions, ages within {off:.2f} years of {n}'s",
                  len(ages["mien"]) == len(ages[n]) == count and off < most)
    bound = count * sum(multiply_adds(net).values()) / peak(CORES)
    for mien, least, more in (("mien", 1.5, ""), ("int8", 2.5, ", in 8 bits")):
        compare(f"{count} JPEGs to predictions{more}", mien, times, [(least, ["PyTorch"])], "the network by sgemm", bound)


def pack(size, count):
    """Drawn faces for training."""
    name = f"faces-{size}-{count}.pack"
    return cached(name, lambda path: shell(
        f"mien-meta -q {drawn()}/imdb.mat | mien-images -q -m - {drawn()}/imdb_crop.tar | mien-view -r -n {count}"
        f" | mien-crop -q --box whole --size {size} | mien-pack -q -o {path}"))


class Epoch(Command):
    """A training, of which the last epoch counts, as it says itself: the peer has its memory already, too."""

    def run(self):
        super().run()
        return float(re.findall(rb"mien-train: epoch .* ([0-9.]+) s,", contents("train.err"))[-1])


def training(stage, size, count, last, epochs, target, compared, near, fold=False, bf16=None):
    """Lines for a training, of one epoch the second one alone. compared: the epoch of which both
    sides' losses must be near. bf16: the least ratio in bfloat16, to the fastest form of the peer."""
    net = model("mobilenet-v1", size)
    if fold:
        net = cached(f"folded-{size}.model", lambda path: shell(f"mien-net -q --fold -o {path} {net}"))
    data = pack(size, count)
    one = epochs == 1

    def ours(name, precision):
        command = (f"rm -f {name}.tsv; mien-train --train {data} --init {net} --keep-heads --last {last}"
                   f" --precision {precision} --epochs {2 if one else epochs} --log {name}.tsv -o trained.model"
                   " 2>train.err")
        return (Epoch if one else Command)(name, command)

    def theirs(name, precision):
        return lambda: python(name, "train.py", net, data, last, epochs, f"{name}.losses", precision, env=TORCH_ENV)
    peers = started(theirs("PyTorch", "float"), *[theirs("PyTorch-bf16", "bf16")] * (bf16 is not None))
    times = alternate([ours("mien", "float")] + [ours("bf16", "auto")] * (bf16 is not None) + peers)
    if "PyTorch" in times:
        here = float(contents("mien.tsv").split(b"\n")[compared].split(b"\t")[1])
        there = float(contents("PyTorch.losses").split()[compared - 1])
        check(f"the loss of epoch {compared}, {here:.4f} and {there:.4f}", abs(here - there) < near * there)
    # The forward pass of what is frozen once; of what is trained thrice, with both gradients, each epoch.
    madds = list(multiply_adds(net).items())
    weighty = [i for i, (name, m) in enumerate(madds) if m > 0 and "bn" not in name]
    first = 0 if last == "all" else weighty[-last]
    frozen, trained = (sum(m for _, m in part) for part in (madds[:first], madds[first:]))
    bound = count * (frozen + 3 * epochs * trained) / peak(CORES)
    compare(stage, "mien", times, [(target, ["PyTorch"])], "its sums by sgemm", bound, per=count * epochs, unit="ms")
    if bf16 is not None:
        compare(f"{stage}, in bf16 where that is fast", "bf16", times, [(bf16, ["PyTorch", "PyTorch-bf16"])],
                "its sums by sgemm", bound, per=count * epochs, unit="ms")


def recipe():
    """the original recipe: MobileNet's two heads, and the last 5 layers that have weights, for 10 epochs of 160
    drawn faces, and PyTorch"""
    for what, last in (("two heads", 2), ("last 5 layers", 5)):
        training(f"{what}, 10 epochs, an image", 224, 160, last, 10, 12, 10, 0.2)


def finetune():
    """an epoch of all layers of MobileNet on 320 drawn faces at 224 x 224 and 112 x 112, and PyTorch, in float and,
    on processors that multiply it, in bfloat16"""
    for size, fold in ((224, False), (224, True), (112, False)):
        training(f"all layers at {size}{', bn folded' * fold}, an image", size, 320, "all", 1, 2, 1, 0.05, fold, 1.25)


def throughput():
    """records of 150 KB through mien-split, and cat"""
    data = cached("records", lambda path: shell(f"mien-fake --pixels 224x224 2000 >{path}"))
    command = f"cat {data} | mien-split -q --by id 80/10/10"
    check("2000 records", shell(f"{command} | mien-view --count").strip() == "2000")
    times = alternate([Command("mien", f"{command} | cat >/dev/null"),
                       Command("cat", f"cat {data} | cat | cat >/dev/null")])
    rate = os.path.getsize(data) / 1e9
    row("150 KB records through mien-split", f"{rate / times['mien']:.2f} GB/s", f"cat {rate / times['cat']:.2f} GB/s",
        times["cat"] / times["mien"], 0.5, "cat", times["cat"] / times["mien"])


def fit(x, y):
    """How well a line fits: the share of y's variance that it explains."""
    mx, my = sum(x) / len(x), sum(y) / len(y)
    slope = sum((a - mx) * (b - my) for a, b in zip(x, y)) / sum((a - mx) ** 2 for a in x)
    left = sum((b - my - slope * (a - mx)) ** 2 for a, b in zip(x, y))
    return 1 - left / sum((b - my) ** 2 for b in y)


def grow(stage, total, flags, commands, limits):
    """Runs a pipe over a quarter, a half, three quarters and all of the records, in turns. The line
    is fitted to the processors' time, the least of all runs, which other work on the machine disturbs
    least."""
    sizes = [total * k // 4 for k in (1, 2, 3, 4)]
    for n in sizes:
        shell(f"mien-fake {flags} {n} >growing-{n}")
    runs = [[pipeline(f"growing-{n}", commands) for n in sizes] for _ in range(RUNS)]
    for n in sizes:
        os.remove(f"growing-{n}")
    cpus = [min(cpu for _, cpu, _ in of_size) for of_size in zip(*runs)]
    seconds, _, memory = min((run[-1] for run in runs), key=lambda run: run[1])
    mb = [p / 1e6 for p in memory]
    line = fit(sizes, cpus)
    row(f"{total} {stage}", f"{seconds:.2f} s", target=f"line, {'/'.join(map(str, limits))} MB",
        limit=f"{' / '.join(f'{m:.0f}' for m in mb)} MB, R2 {line:.4f}",
        met=line > 0.98 and all(a < b for a, b in zip(mb, limits)))


def growth():
    """time and memory of growing streams: 523,051 labels, 100,000 images"""
    tar, out = archive(), "grown"
    grow("labels: view", RECORDS, "", ["mien-view -q"], [64])
    grow("labels: split, view --check", RECORDS, "", ["mien-split -q 80/10/10", "mien-view -q --check"], [64, 64])
    grow("labels: images joins a tar", RECORDS, "", [f"mien-images -q -m - {tar}"], [200])
    grow("predictions: score", RECORDS, "--predict", ["mien-score"], [64])
    grow("images: crop, resize, view", IMAGES, "--image",
         ["mien-crop -q --box whole", "mien-resize -q 32", "mien-view -q --check"], [64] * 3)
    grow("images: split, pack", IMAGES, "--image", ["mien-split -q 80/10/10", f"mien-pack -q -o {out}"], [64] * 2)
    os.remove(out)


def startup():
    """the start of mien-view, and of mien-predict with one image"""
    net, one = model("mobilenet-v1"), "one"
    shell(f"mien-fake --pixels 224x224 1 >{one}")
    for stage, argv, most in (("mien-view --version", ["mien-view", "--version"], 5),
                              ("mien-predict, one image", ["mien-predict", "-q", net], 60)):
        ms = 1000 * start_up(argv, one)
        row(stage, f"{ms:.1f} ms", target=f"< {most} ms", met=ms < most)


STAGES = [metadata, small, large, mobilenet, networks, score, recipe, finetune, throughput, growth, startup]


def machine():
    with open("/proc/cpuinfo") as f:
        cpu = next((line.split(": ")[1].strip() for line in f if line.startswith("model name")), "?")
    peak(1)
    return (f"{cpu}, {CORES} cores; OpenBLAS's kernel {peaks['core']}, sgemm "
            f"{2e-9 * peaks[1]:.0f} GFLOP/s on one thread, {2e-9 * peaks[CORES]:.0f} on {CORES}; load "
            f"{os.getloadavg()[0]:.1f}")


def main():
    stages = {s.__name__: s for s in STAGES}
    parser = argparse.ArgumentParser(
        prog="bench.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="stages:\n" + "\n".join(f"  {n:10}  {s.__doc__}" for n, s in stages.items()))
    parser.add_argument("stage", nargs="*", help="those to run; all by default")
    chosen = parser.parse_args().stage or list(stages)
    for name in chosen:
        if name not in stages:
            parser.error(f"there is no stage '{name}'")
    os.makedirs(OUT, exist_ok=True)
    os.chdir(OUT)  # so that what lies there has names without spaces, whatever the tree's path is
    head = machine()
    for name in chosen:
        say(f"{name}: {stages[name].__doc__}")
        stages[name]()
    table = [COLUMNS] + rows
    with open("table.tsv", "w") as f:
        f.writelines("\t".join(r) + "\n" for r in table)
    widths = [max(len(r[i]) for r in table) for i in range(len(COLUMNS))]
    print(head)
    for r in table:
        print("  ".join(v.ljust(w) for v, w in zip(r, widths)).rstrip())


if __name__ == "__main__":
    main()
