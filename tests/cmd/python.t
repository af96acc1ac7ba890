#!/bin/sh
# The Python of mien-pack(5): its programs run, and agree with mien's own.
. "$(dirname "$0")/../lib.sh"

# Debian's Python has NumPy and PyTorch as packages of the system.
python=${PYTHON:-/usr/bin/python3}
has() { "$python" -c "import $1" 2>/dev/null; }

# example TITLE: the program below a line of the page that begins so.
example() {
    awk -v title="$1" 'index($0, title) == 1 { found = 1 }
        found && /^\.Ed/ { exit }
        code { print }
        found && /^\.Bd/ { code = 1 }' "$ROOT/man/man5/mien-pack.5"
}

mien-fake --pixels 32x32 50 >some.mien
mien-pack -q -o train.pack <some.mien
if has numpy; then
    example 'Read a pack in Python' >read.py
    exits 'NumPy reads a pack' 0 "$python" read.py
    is 'its shape' "$(sed -n '1s/).*/)/p' out)" '(50, 32, 32, 3)'
    is 'the mean age' "$(sed -n '1s/.*) //p' out | awk '{ printf "%.6f", $1 }')" \
        "$(mien-view -Hc age some.mien | awk '{ s += $1 } END { printf "%.6f", s / NR }')"
    is 'and the first id' "$(sed -n 2p out)" "$(mien-view -Hc id -n 1 some.mien)"
else
    skip 'a pack in NumPy' 'Python has no NumPy'
fi

if has torch && has numpy; then
    example 'Make a model' >write.py
    # What PyTorch itself makes of the same pixels.
    cat >>write.py <<'END'

from numpy import memmap
pixels = memmap("raw", mode="r").reshape(-1, 32, 32, 3)
x = torch.tensor((pixels.astype("f4") - 127.5) * 0.0078125).permute(0, 3, 1, 2)
with torch.no_grad():
    p = dense(torch.relu(conv(x)).mean((2, 3))).softmax(1)
for row in p:
    print("%.4f" % row[1])
END
    st-dump train.pack pixels >raw
    exits 'PyTorch makes a model' 0 "$python" write.py
    cp out theirs
    mien-predict -q torch.model <some.mien | mien-view -Hc p_male >ours
    is 'whose predictions are the same' "$(paste ours theirs |
        awk '{ d = $1 - $2; if (d > 0.0002 || d < -0.0002) n++ } END { print NR, n + 0 }')" '50 0'
    ok 'and not all alike' test "$(sort -u ours | wc -l)" -gt 10
else
    skip 'a model from PyTorch' 'Python has no PyTorch'
fi

if has safetensors; then
    cat >make.py <<'END'
import numpy
features = numpy.ones((3, 4), "f4")
age = numpy.array([1, 2, 3], "u1")
gender = age % 2
END
    example 'Make a pack of features' >>make.py
    exits 'safetensors makes a pack' 0 "$python" make.py
    like 'that mien reads' "$(mien-pack -l train.pack)" '^  tensor    features 4$'
else
    skip 'a pack from safetensors' 'Python has no safetensors'
fi

finish
