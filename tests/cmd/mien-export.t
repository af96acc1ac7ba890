#!/bin/sh
# mien-export: ONNX files and PyTorch's modules. That other programs run them, with the same results, is
# checked by tests/slow/export.t.
. "$(dirname "$0")/../lib.sh"

cat >small.net <<'END'
input 12x10x3
conv1 conv 4 3x3 stride=2 pad=same bias=no
bn1 bn
relu1 relu
for dwconv 3x3 pad=1
bn2 bn
pool gap
gender_logits dense 2
gender softmax
age_logits dense 101 from=pool
age softmax
END
mien-net --new --mean 127.5 --scale 0.0078431 --color bgr --embed pool -o small.model small.net

# --- ONNX -----------------------------------------------------------------------------------------

exits 'to a file' 0 mien-export -o small.onnx small.model
is 'without a word' "$(cat out err)" ''
mien-export small.model >piped.onnx
ok 'to a pipe, the same bytes' cmp small.onnx piped.onnx
# What names are in it, in order.
names() { tr -c '[:graph:] ' '\n' <"$1" | grep -aE '^[[:graph:]]{3,}' | tr '\n' ' '; }
like 'it names its maker and its layers' "$(names small.onnx)" \
    'mien-export.*conv1\.weight.*Conv.*relu1.*GlobalAveragePool.*p_gender.*p_age.*pred_age'
like 'and the preprocessing' "$(grep -ao 'size=12x10 .*scale=[0-9.]*' small.onnx)" 'color=bgr mean=127.5'
like 'and where it comes from' "$(grep -ac 'mien-net .* of small.net' small.onnx)" '^1$'
is 'bn is folded' "$(grep -ac BatchNormalization small.onnx)" 0
mien-export --with-preprocessing -o pixels.onnx small.model
like 'with preprocessing it takes pixels' "$(names pixels.onnx)" 'pixels.*Cast.*Transpose.*Gather.*Sub.*Mul.*Conv'
mien-export --embed pool -o features.onnx small.model
like 'features are named as mien-embed names them' "$(names features.onnx)" 'pool@[0-9a-f]{8}'
mien-fake 1 --pixels 12x10 | mien-embed -q small.model >f.mien
is 'by the very name' "$(grep -ao 'pool@[0-9a-f]*' features.onnx | sort -u)" \
    "$(mien-view -Hc prep f.mien | grep -o 'pool@[0-9a-f]*')"
is 'heads are left out' "$(grep -ac Softmax features.onnx)" 0

# A file that is there is replaced by a whole one, or stays.
echo old >old.onnx
exits 'no layer of that name' 2 mien-export --embed nothing -o old.onnx small.model
is 'is named' "$(cat err)" "mien-export: 'small.model': the model has no layer 'nothing'; mien-net lists its layers"
is 'the old file stays' "$(cat old.onnx)" old
exits 'no space for a temporary file' 2 failing write:ENOSPC:1 mien-export -o old.onnx small.model
like 'is said' "$(cat err)" "^mien-export: 'old.onnx': cannot write: No space left"
is 'the old file stays then, too' "$(cat old.onnx) $(find . -name '*old.onnx*')" 'old ./old.onnx'
exits 'a full disk' 2 mien-export -o /dev/full small.model
like 'is said, too' "$(cat err)" "^mien-export: '/dev/full': cannot write: No space left"
exits 'a full disk behind standard output' 2 sh -c 'mien-export small.model >/dev/full'
like 'is said of it' "$(cat err)" '^mien-export: cannot write: No space left'
exits 'a reader that goes away' 0 sh -c 'mien-export small.model | head -c 100 >/dev/null'
if command -v script >/dev/null; then
    script -qec 'mien-export small.model' /dev/null >tty.out </dev/null
    like 'nothing binary goes to a terminal' "$(cat tty.out)" 'mien-export: .*binary.*terminal'
else
    skip 'nothing binary goes to a terminal' 'script is not there'
fi

# --- PyTorch --------------------------------------------------------------------------------------

exits 'for PyTorch' 0 mien-export --pytorch -o small.safetensors small.model
like 'names that Python reserves are changed' "$(cat small.py)" '^        self.for_[0-9]+ = nn.Conv2d\(4, 4, \(3, 3\), padding=\(1, 1\), groups=4\)$'
like 'padding of two sizes goes before' "$(cat small.py)" \
    '^        conv1 = self.conv1\(F.pad\(input, \(0, 1, 0, 1\), value=0.0\)\)$'
like 'bn stays' "$(cat small.py)" '^        bn1 = self.bn1\(conv1\)$'
like 'the preprocessing' "$(cat small.py)" '^        return \(image - mean\) \* 0.0078431$'
is 'weights in its order' "$(st-dump small.safetensors | grep -c 'conv1.weight.*4.*3.*3.*3')" 1
mien-export --pytorch -o again.safetensors small.model
ok 'the same bytes again' cmp small.safetensors again.safetensors
ok 'in both files' cmp small.py again.py
exits 'it needs a name for two files' 2 mien-export --pytorch -o small.py small.model
is 'and says which' "$(cat err)" 'mien-export: --pytorch writes two files: it needs -o NAME.safetensors'
exits 'to standard output it is refused' 2 mien-export --pytorch small.model
mkdir dir.py
exits 'where the module has no place' 2 mien-export --pytorch -o dir.safetensors small.model
ok 'there are no weights either' test ! -e dir.safetensors

# --- Models that can't be ---------------------------------------------------------------------------

exits 'no model' 2 mien-export
exits 'a description' 2 mien-export -o x.onnx small.net
like 'is not a model' "$(cat err)" "^mien-export: 'small.net'"
mien-fake 8 --pixels 12x10 | mien-embed -q small.model | mien-pack -q -o features.pack
mien-train -q -t features.pack -e 1 -o heads.model
exits 'a model of features' 0 mien-export -o heads.onnx heads.model
exits 'has no preprocessing' 2 mien-export --with-preprocessing -o x.onnx heads.model
is 'and says so' "$(cat err)" "mien-export: 'heads.model': the model reads features, which have no preprocessing"
ok 'no file is left of those' test ! -e x.onnx

finish
