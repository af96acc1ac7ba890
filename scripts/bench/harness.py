"""Measuring for make bench: commands, peers, and what they took."""
import os
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
OUT = os.path.join(BUILD, "bench")
RUNS = int(os.environ.get("RUNS") or 5)

# A machine's environment may pin OpenBLAS's kernel: it is to choose by itself.
ENV = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
ENV["PATH"] = os.pathsep.join([f"{BUILD}/bin", f"{BUILD}/tests/tool", OUT, os.environ["PATH"]])
# By default every batch of PyTorch's has its memory mapped anew, which costs it more than half.
TORCH_ENV = ENV | {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 40)}


class Missing(Exception):
    """Something that a peer needs isn't there."""


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def shell(command):
    """A command's output. What fails ends the benchmark."""
    return subprocess.run(["sh", "-c", command], env=ENV, check=True, stdout=subprocess.PIPE, text=True).stdout


class Command:
    """A shell command, timed whole: the start of its programs counts."""

    def __init__(self, name, command):
        self.name, self.command, self.note = name, command, ""

    def run(self):
        start = time.perf_counter()
        shell(self.command)
        return time.perf_counter() - start

    def close(self):
        pass


class Peer:
    """A process that does its work whenever a line comes in, and answers with the seconds that it
    took: its start, imports and preparations don't count. It says "ready" first, and what it is."""

    def __init__(self, name, argv, env=None):
        self.name = name
        with open(f"{name}.log", "w") as log:
            try:
                self.process = subprocess.Popen(argv, env=env or ENV, text=True, bufsize=1, stderr=log,
                                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            except OSError as e:
                raise Missing(f"{argv[0]}: {e.strerror}") from e
        line = self.process.stdout.readline()
        if not line.startswith("ready"):
            self.close()
            with open(f"{name}.log") as log:
                lines = log.read().split("\n")
            raise Missing(next((text for text in reversed(lines) if text), "it ended at once"))
        self.note = line[len("ready"):].strip()

    def run(self):
        self.process.stdin.write("\n")
        return float(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def python(name, script, *arguments, env=None):
    return Peer(name, [sys.executable, f"{HERE}/peers/{script}"] + [str(a) for a in arguments], env)


def started(*makers):
    """The peers that can be had; the others are said to be skipped."""
    peers = []
    for make in makers:
        try:
            peers.append(make())
            say(f"  {peers[-1].name}: {peers[-1].note}")
        except Missing as e:
            say(f"  a peer is skipped: {e}")
    return peers


def alternate(contenders):
    """The median of RUNS runs of each, by name; they take turns, after one run to warm up."""
    times = {c.name: [] for c in contenders}
    for c in contenders:
        c.run()
    for _ in range(RUNS):
        for c in contenders:
            times[c.name].append(c.run())
    for c in contenders:
        c.close()
    return {name: statistics.median(t) for name, t in times.items()}


def high_water(pid):
    """A running process's peak memory in bytes, 0 when it has ended. What wait tells would count the
    memory of the process that started it, too."""
    with open(f"/proc/{pid}/status") as status:
        lines = [line for line in status if line.startswith("VmHWM:")]
    return 1024 * int(lines[0].split()[1]) if lines else 0


def pipeline(source, commands):
    """Runs commands one behind another over a file. Gives the seconds, the seconds of processors, and
    each one's peak memory in bytes, as of its last hundredth of a second."""
    start, processes = time.perf_counter(), []
    with open(source, "rb") as data, open(os.devnull, "wb") as nothing:
        for i, argv in enumerate(commands):
            last = i + 1 == len(commands)
            processes.append(subprocess.Popen(argv.split(), env=ENV, stderr=subprocess.DEVNULL,
                                              stdin=processes[-1].stdout if processes else data,
                                              stdout=nothing if last else subprocess.PIPE))
            if i > 0:
                processes[-2].stdout.close()
    cpu, peaks = 0, [0] * len(processes)
    while any(now := [high_water(p.pid) for p in processes]):
        peaks = [max(pair) for pair in zip(peaks, now)]
        time.sleep(0.01)
    for p in processes:
        _, status, usage = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
        if p.returncode != 0:
            sys.exit(f"bench: '{' '.join(p.args)}' failed")
        cpu += usage.ru_utime + usage.ru_stime
    return time.perf_counter() - start, cpu, peaks


def start_up(argv, source, runs=41):
    """The median of the time that a program takes from start to end."""
    program, times = shutil.which(argv[0], path=ENV["PATH"]), []
    for _ in range(runs + 1):
        actions = [(os.POSIX_SPAWN_OPEN, 0, source, os.O_RDONLY, 0),
                   (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
        start = time.perf_counter()
        pid = os.posix_spawn(program, argv, ENV, file_actions=actions)
        os.waitpid(pid, 0)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])
