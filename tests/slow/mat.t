#!/bin/sh
# MATLAB files: those of scipy's own tests, and tables that scipy writes, against what it reads.
. "$(dirname "$0")/../lib.sh"

python=
for p in "${PYTHON:-python3}" /usr/bin/python3; do
    "$p" -c 'import numpy, scipy.io' 2>/dev/null && python=$p && break
done
[ -n "$python" ] || { skip 'MATLAB files' 'no Python with scipy: Debian has python3-scipy'; finish; exit; }

# What scipy can't read isn't read; what it can is read, or refused in one line.
cat >files.py <<'END'
import os, subprocess, sys, warnings
import scipy.io

warnings.simplefilter("ignore")
folder = os.path.join(os.path.dirname(scipy.io.__file__), "matlab", "tests", "data")
names = sorted(n for n in os.listdir(folder) if n.endswith(".mat"))
words = {}
for name in names:
    path = os.path.join(folder, name)
    try:
        scipy.io.loadmat(path)
        fine = True
    except Exception:
        fine = False
    run = subprocess.run(["mien-meta", path], capture_output=True, text=True, timeout=60)
    why = run.stderr.strip()
    if run.returncode not in (0, 2) or (run.returncode == 2 and why.count("\n") > 0):
        print(name, run.returncode, why)
    if not fine and run.returncode == 0:
        print(name, "is read, but not by scipy")
    if fine and ("damaged" in why or "inflate" in why):
        print(name, "is read by scipy:", why)
    kind = why.partition(": ")[2].partition(": ")[2].partition(";")[0].partition("the first is")[0]
    words[kind] = words.get(kind, 0) + 1
print("#", len(names), "files:", words, file=sys.stderr)
END
"$python" files.py >got 2>said
sed 's/^[^#]/# &/' said
is "scipy's files" "$(cat got)" ''

cat >tables.py <<'END'
import json, random, subprocess
import numpy as np
import scipy.io

random.seed(1)
rows = 0
for t in range(60):
    n = random.choice([1, 2, 3, 7, 60, 500])
    age = [random.randint(0, 100) for _ in range(n)]
    sex = [random.choice([0, 1]) for _ in range(n)]
    score = [random.choice([0.5, 1.25, -3.75, 7]) for _ in range(n)]
    path = ["".join(random.choice("abcé田/_-0123 ") for _ in range(random.randint(1, 30))).strip() +
            "x%d.jpg" % i for i in range(n)]
    kind = random.choice(["u1", "i1", "u2", "i2", "i4", "u4", "f4", "f8", "i8", "u8"])
    columns = {"age": np.array(age, dtype=kind), "sex": np.array(sex, dtype=random.choice(["u1", "?"])),
               "file": np.array(path, dtype=object), "score": np.array(score), "m": np.zeros((3, 4))}
    if t % 5 >= 3:  # a list of text becomes a char matrix
        columns["file"] = path
    if t % 3 == 0 and t % 5 < 3:
        table = np.zeros((n,), dtype=[(k, "O") for k in ("file", "age", "sex", "score")])
        for i in range(n):
            table[i] = (path[i], age[i], sex[i], score[i])
    else:
        table = columns
    variables = columns if t % 5 == 4 else {"t": table}
    scipy.io.savemat("t.mat", {"other": np.arange(5), **variables}, do_compression=t % 2 == 0,
                     oned_as=random.choice(["row", "column"]))
    run = subprocess.run("mien-meta -q --female 0 --male 1 t.mat | mien-view -f json", shell=True,
                         capture_output=True, text=True)
    got = [json.loads(line) for line in run.stdout.splitlines()]
    want = [{"id": path[i], "age": age[i], "gender": ["female", "male"][sex[i]], "score": score[i]}
            for i in range(n)]
    rows += n
    if got != want:
        print("table", t, run.stderr, got[:2], want[:2])
print("#", rows, "rows")
END
"$python" tables.py >got 2>&1
grep '^#' got
is 'tables that scipy writes' "$(grep -v '^#' got)" ''

finish
