"""Checks mien-score: every number of its tables again, from the records, by formulas written anew.

score_check.py OVER CHALLENGE A.mien B.mien < TSV: TSV is that of mien-score --tables, of
A.mien; the file paired.tsv here is that of --paired. Prints what differs by more than 1e-9.

score_check.py perturb < A.mien > B.mien: other predictions of the same records.
"""
import array
import math
import random
import sys

import records

if sys.argv[1:] == ["perturb"]:
    draw = random.Random(7)
    with records.Writer(sys.stdout.buffer) as out:
        for r in records.read(sys.stdin.buffer):
            p, shift = list(r["p_age"]), draw.randint(-3, 2)
            if draw.random() < 0.8:
                r["p_age"] = array.array("f", p[shift:] + p[:shift])
            if draw.random() < 0.2:
                r["p_gender"] = array.array("f", list(r["p_gender"])[::-1])
            out.write(r)
    sys.exit()

over, challenge = int(sys.argv[1]), int(sys.argv[2])
NAMES = "female", "male"


def load(path):
    out = []
    with open(path, "rb") as f:
        for r in records.read(f):
            p = list(r["p_age"])
            total = math.fsum(p)
            mean = math.fsum(i * v for i, v in enumerate(p)) / total
            g = list(r["p_gender"])
            guess = math.floor(mean + 0.5)
            out.append({
                "age": r["age"], "gender": r["gender"], "p": p, "total": total, "mean": mean,
                "point": guess, "mode": p.index(max(p)),
                "median": next(i for i in range(101) if math.fsum(p[:i + 1]) >= total / 2),
                "pred": g.index(max(g)), "conf_g": max(g),
                "conf_a": math.fsum(p[max(guess - 5, 0):guess + 6]) / total,
            })
    return out


def mean(values):
    values = list(values)
    return math.fsum(values) / len(values)


def quantile(x, q):
    return next((i for i in range(101) if math.fsum(x["p"][:i + 1]) >= x["total"] * q), 100)


a, b = load(sys.argv[3]), load(sys.argv[4])
want = {}
want["gender_accuracy"] = mean(x["pred"] == x["gender"] for x in a)
want["age_exact"] = mean(x["mode"] == x["age"] for x in a)
want["age_mae"] = mean(abs(x["mean"] - x["age"]) for x in a)
want["age_mae_median"] = mean(abs(x["median"] - x["age"]) for x in a)
want["age_mae_mode"] = mean(abs(x["mode"] - x["age"]) for x in a)
want["age_bias"] = mean(x["mean"] - x["age"] for x in a)
for k in range(11):
    want[f"cs{k}"] = mean(abs(x["point"] - x["age"]) <= k for x in a)
want["age_interval"] = mean(quantile(x, 0.1) <= x["age"] <= quantile(x, 0.9) for x in a)
want["false_positives"] = mean(x["mean"] >= challenge for x in a if x["age"] < over)
want["false_negatives"] = mean(x["mean"] < challenge for x in a if x["age"] >= over)

guess = {"gender_accuracy": max(mean(x["gender"] == g for x in a) for g in (0, 1))}
ages = [x["age"] for x in a]
for name in "age_mae", "age_mae_median", "age_mae_mode":
    guess[name] = min(mean(abs(age - c) for age in ages) for c in range(101))
for name, k in [("age_exact", 0)] + [(f"cs{k}", k) for k in range(11)]:
    guess[name] = max(mean(abs(age - c) <= k for age in ages) for c in range(101))

for name, conf, right, loss, shown in (
    ("gender", "conf_g", lambda x: x["pred"] == x["gender"], lambda x: x["pred"] == x["gender"],
     "gender_accuracy"),
    ("age", "conf_a", lambda x: abs(x["point"] - x["age"]) <= 5,
     lambda x: abs(x["mean"] - x["age"]), "age_mae")):
    ece = 0
    for i in range(20):
        inside = [x for x in a if i <= x[conf] * 20 < i + 1 or (i == 19 and x[conf] >= 1)]
        if inside:
            of = f":{i / 20:.2f}-{(i + 1) / 20:.2f}"
            want[f"{name}_confidence{of}"] = mean(x[conf] for x in inside)
            want[f"{name}_right{of}"] = mean(map(right, inside))
            ece += abs(want[f"{name}_confidence{of}"] - want[f"{name}_right{of}"]) * len(inside)
    want[f"{name}_ece"] = ece / len(a)
    for coverage in (1, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.3, 0.2, 0.1):
        for least in range(1000, -1, -1):
            inside = [x for x in a if x[conf] * 1000 >= least]
            if inside and len(inside) >= coverage * len(a):
                break
        want[f"{shown}:{coverage:g}"] = mean(map(loss, inside))
        want[f"{name}_least:{coverage:g}"] = least / 1000

for t in range(101):
    want[f"false_positives:{t}"] = mean(x["mean"] >= t for x in a if x["age"] < over)
    want[f"false_negatives:{t}"] = mean(x["mean"] < t for x in a if x["age"] >= over)
    here = [x for x in a if x["age"] == t]
    if here:
        want[f"passes:{t}"] = mean(x["mean"] >= challenge for x in here)
young = sorted(math.floor(x["mean"]) for x in a if x["age"] < over)
old = sorted(math.floor(x["mean"]) for x in a if x["age"] >= over)
wins = sum((o > y) + (o == y) / 2 for o in set(old) for y in young for _ in range(old.count(o)))
want["check_auc"] = wins / len(young) / len(old)

wrong = 0


def compare(name, got, wanted):
    global wrong
    if not abs(got - wanted) <= 1e-9:
        print(f"{name}: {got}, not {wanted}")
        wrong += 1


seen = {}
for line in list(sys.stdin)[1:]:
    _, part, metric, n, value, low, high, best = line.rstrip("\n").split("\t")
    if part == "(all)":
        seen[metric] = float(value) if value else math.nan
        if metric in guess:
            compare(metric + "'s guess", float(best), guess[metric])
for name, value in want.items():
    compare(name, seen.get(name, math.nan), value)


def sign_test(better, worse):
    n, k = better + worse, min(better, worse)
    if n == 0:
        return 1
    return min(1, 2 * sum(math.comb(n, i) for i in range(k + 1)) / 2 ** n)


measures = {
    "gender_accuracy": lambda x: x["pred"] == x["gender"],
    "age_exact": lambda x: x["mode"] == x["age"],
    "age_mae": lambda x: -abs(x["mean"] - x["age"]),
    "cs5": lambda x: abs(x["point"] - x["age"]) <= 5,
}
for line in list(open("paired.tsv"))[1:]:
    name, n, va, vb, change, low, high, better, worse, p = line.rstrip("\n").split("\t")
    if name not in measures:
        continue
    f = measures[name]
    pairs = [(f(x), f(y)) for x, y in zip(a, b)]
    compare("paired " + name, abs(float(vb) - float(va)),
            abs(mean(y for x, y in pairs) - mean(x for x, y in pairs)))
    compare("better " + name, int(better), sum(y > x for x, y in pairs))
    compare("worse " + name, int(worse), sum(y < x for x, y in pairs))
    compare("p " + name, float(p), sign_test(int(better), int(worse)))
print(f"{len(want) + len(guess)} numbers compared, {wrong} differ")
