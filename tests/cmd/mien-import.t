#!/bin/sh
# mien-import: ONNX files and graphs of TensorFlow.js to models. What operators compute is in
# tests/unit/test_onnx.c and test_tfjs.c.
. "$(dirname "$0")/../lib.sh"

# The manual's examples: what comes between the first .Bd and .Ed behind a heading, as typed.
man=$ROOT/man/man1/mien-import.1
sed -n '/^\.Sh EXAMPLES/,$p' "$man" | sed -n '/^\.Bd/,/^\.Ed/{/^\./!p;};/^\.Ed/q' |
    sed 's/\\e/\\/g' >example.sh
exits 'example: a graph with two heads' 0 sh -e example.sh
like 'its heads' "$(cat out)" '^gender +softmax +1x1x2 '
like 'its ages' "$(cat out)" '^age +softmax +1x1x101 '
is 'the whole network' "$(mien-net -f text tiny.model | tr '\n' ';')" \
    'input 8x8x3;mean gap;gender_logits dense 2;gender softmax;age_logits dense 101 from=mean;age softmax;'
like 'no preset, no preprocessing but the size' "$(cat out)" '^preprocessing: size=8x8$'
like 'the summary' "$(cat err)" '^mien-import: 6 layers, [0-9]+ weights; size=8x8$'

import() { mien-import --gender g/Softmax --age a/Softmax -o x.model "$@"; }
exits 'options' 0 import -q --color bgr --mean 1,2.5,3 --scale 0.5 --margin 0.20 --age0 1 --embed mean \
    --size 16x12 tiny.json
is 'are kept' "$(mien-net x.model | grep ^prep)" \
    'preprocessing: size=16x12 margin=0.2 color=bgr mean=1,2.5,3 scale=0.5 age0=1 embed=mean'
is '-q is quiet' "$(cat err)" ''
import -q tiny.json
ok 'same graph, same bytes' cmp tiny.model x.model
mien-import -q -o x.model tiny.json
mien-import -q --license 'MIT, somebody' -o licensed.model tiny.json
is 'the license of weights is noted' "$(mien-net --history licensed.model | sed -n '$p')" '  license: MIT, somebody'
is 'without heads the names are those of the graph' \
    "$(mien-net -f text x.model | tail -4 | tr '\n' ';')" 'g dense 2;g_Softmax softmax;a dense 101 from=mean;a_Softmax softmax;'
mkdir sub && cp tiny.json tiny.bin sub
exits 'the weights lie beside the graph' 0 import sub/tiny.json

# A graph with the outputs of faceres is taken for it.
sed 's,g/w,gender_pred/kernel,; s,g/MatMul,gender_pred/MatMul,; s,g/Softmax,gender_pred/Sigmoid,
     s/"Softmax", "input": \["gender/"Sigmoid", "input": ["gender/; s/\[3, 2\]/[3, 1]/
     s,a/w,age_pred/kernel,; s,a/MatMul,age_pred/MatMul,; s,a/Softmax,age_pred/Softmax,
     s,"mean","global_pooling/Mean",g; s/tiny.bin/face.bin/' tiny.json >face.json
head -c 1232 tiny.bin >face.bin
exits 'faceres is recognised' 0 mien-import -o face.model face.json
like 'which is said' "$(cat err)" 'recognized as faceres'
is 'its preprocessing is known' "$(mien-net face.model | grep ^prep)" \
    'preprocessing: size=8x8 margin=0.2 color=bgr mean=103.939,116.779,123.68 age0=1 embed=global_pooling'
is 'its heads too' "$(mien-net -f text face.model | grep -c '^gender sigmoid\|^age softmax')" 2
exits 'options come first' 0 mien-import --color rgb --mean 0 -o face.model face.json
like 'options come first: colours' "$(mien-net face.model)" ' color=rgb mean=0 age0=1 '
exits '--preset none' 0 mien-import --preset none -o face.model face.json
is 'knows nothing' "$(mien-net face.model | grep ^prep)" 'preprocessing: size=8x8'
exits '--preset faceres of another graph' 2 mien-import --preset faceres -o x.model tiny.json
like 'says so' "$(cat err)" "no node or layer 'gender_pred/Sigmoid' for gender"

# A graph whose outputs are scores and boxes with landmarks is taken for a face detector.
cat >detect.json <<'END'
{"format": "graph-model", "signature": {"outputs": {"s": {"name": "s:0"}, "b": {"name": "b:0"}}},
 "modelTopology": {"node": [
  {"name": "x", "op": "Placeholder", "attr": {"shape": {"shape": {"dim":
    [{"size": "1"}, {"size": "8"}, {"size": "8"}, {"size": "3"}]}}}},
  {"name": "s/w", "op": "Const"}, {"name": "b/w", "op": "Const"},
  {"name": "s", "op": "Conv2D", "input": ["x", "s/w"], "attr":
    {"strides": {"list": {"i": ["1", "4", "4", "1"]}}, "padding": {"s": "U0FNRQ=="}}},
  {"name": "b", "op": "Conv2D", "input": ["x", "b/w"], "attr":
    {"strides": {"list": {"i": ["1", "4", "4", "1"]}}, "padding": {"s": "U0FNRQ=="}}}]},
 "weightsManifest": [{"paths": ["detect.bin"], "weights": [
  {"name": "s/w", "shape": [1, 1, 3, 2], "dtype": "float32"},
  {"name": "b/w", "shape": [1, 1, 3, 32], "dtype": "float32"}]}]}
END
head -c 408 /dev/zero >detect.bin
exits 'a face detector is recognised' 0 mien-import -o detect.model detect.json
like 'which is said' "$(cat err)" 'recognized as a face detector'
is 'its preprocessing is known' "$(mien-net detect.model | grep ^prep)" \
    'preprocessing: size=8x8 mean=127.5,127.5,127.5 scale=0.00784313725'
exits 'options come first' 0 mien-import --scale 1 -o detect.model detect.json
like 'options come first: the scale' "$(mien-net detect.model)" ' scale=1$'
exits '--preset none of a detector' 0 mien-import --preset none -o detect.model detect.json
is 'knows nothing' "$(mien-net detect.model | grep ^prep)" 'preprocessing: size=8x8'

# What goes wrong.
rm -f x.model
fails() { # NAME PATTERN COMMAND...
    name=$1 pattern=$2
    shift 2
    exits "$name" 2 "$@"
    like "$name: says so" "$(cat err)" "^mien-import: $pattern"
}
fails 'no operand' 'missing operand: FILE' mien-import -o x.model
fails 'no output' 'missing option: --output MODEL or --formats; see' mien-import tiny.json
fails 'two graphs' "unexpected operand 'b.json'" mien-import -o x.model tiny.json b.json
fails 'an unknown option' '.*no-such-option' mien-import --no-such-option tiny.json
exits '--help' 0 mien-import --help
like '--help names it' "$(cat out)" '^usage: mien-import'
exits '--version' 0 mien-import --version
fails 'no graph' "cannot open 'nothing.json': No such file" import nothing.json
fails 'an empty file' "'/dev/null' is not a known format" import /dev/null
fails 'a model' "'tiny.model' is a safetensors file, without a network" import tiny.model

# Other programs' files are known by what they begin with.
known() { # FILE BYTES PATTERN
    # shellcheck disable=SC2059
    printf "$2" >"$1"
    fails "$1" "'$1' is $3" import "$1"
}
known a.pt 'PK\3\4....net/data.pkl' 'a PyTorch file: .*torch.onnx.export'
known b.bin '\200\2}q' 'a PyTorch file'
known c '\211HDF\r\n\032\n' 'a Keras model in HDF5'
known d.keras 'PK\3\4....config.json' 'a Keras model: '
known e '\034\0\0\0TFL3' 'a TensorFlow Lite model: .*tf2onnx'
known f '7767517\n3 3\n' 'an ncnn model'
known g 'PK\3\4....w.npy' 'an archive of NumPy arrays'
known h.caffemodel 'x' 'a Caffe model'
known i.mlmodel 'x' 'a Core ML model'
known saved_model.pb '\010\1\022' 'a TensorFlow model'
fails 'a folder' "'sub' is a folder, as TensorFlow's SavedModels are" import sub
exits '--formats' 0 mien-import --formats
is 'lists them' "$(head -1 out)" '.onnx         an ONNX file'
like 'and how others are converted' "$(cat out)" '\.tflite .*tf2onnx'

# An ONNX file of mien tells all; another one doesn't tell what its outputs are, nor its pixels.
mien-import -q --gender g/Softmax --age a/Softmax --color bgr --mean 1,2,3 --scale 0.5 --age0 1 -o there.model tiny.json
mien-export -q -o there.onnx there.model
exits 'an export' 0 mien-import -o back.model there.onnx
is 'has the same preprocessing' "$(mien-net back.model | grep ^prep)" "$(mien-net there.model | grep ^prep)"
mien-fake 3 --pixels 8x8 >faces
predict() { mien-predict "$1" <faces 2>&1 | mien-view -c pred_age,p_female; }
is 'and predicts the same' "$(predict back.model)" "$(predict there.model)"
sed 's/prep/porp/' there.onnx >other.onnx
fails 'one that tells nothing' "'other.onnx': its outputs are 'p_gender' .*; which are the gender and the age" \
    mien-import -o x.model other.onnx
fails 'nor of its pixels' "'other.onnx': it doesn't say how pixels become its input; --color, --mean and --scale" \
    mien-import --gender gender --age age -o x.model other.onnx
exits 'with all that is asked for' 0 mien-import --gender gender --age age --color bgr --mean 1,2,3 \
    --scale 0.5,0.5,0.5 --age0 1 -o y.model other.onnx
is 'it predicts the same' "$(predict y.model)" "$(predict there.model)"
exits 'without heads' 0 mien-import --no-heads -o y.model other.onnx
exits 'males first' 0 mien-import --gender gender --gender-order male,female --color bgr --mean 1,2,3 --scale 0.5 \
    -o y.model other.onnx
like 'turns them round' "$(mien-net -f text y.model)" '^female_male slice 1x1x2 .*step=1,1,-1'
fails 'an output that is none' "'other.onnx': there is no output or layer 'z' for gender" \
    mien-import --gender z --color rgb --mean 0 --scale 1 -o x.model other.onnx
fails 'scales that are none' "option --scale: '1,2' isn't one or three numbers" \
    mien-import --gender gender --color rgb --mean 0 --scale 1,2 -o x.model other.onnx
head -c 900 there.onnx >cut.onnx
fails 'a file cut short' "'cut.onnx': .* is cut off or damaged" import cut.onnx
rm -f x.model
fails 'an unknown head' "'tiny.json': there is no node or layer 'h' for age" \
    mien-import --age h -o x.model tiny.json
fails 'a head that is none' "'tiny.json': 'mean' is a gap of 3; the age must be a softmax" \
    mien-import --age mean -o x.model tiny.json
fails 'a mean that is none' "mean: 'x' is not a number" import --mean x,1,2 tiny.json
fails 'a margin that is none' "'-1' is not within" import --margin -1 tiny.json
fails 'a size that is none' ".*'0'" import --size 0 tiny.json
fails 'a layer that is none' "embed: the network has no layer 'y'" import --embed y tiny.json
sed 's/Mean"/Median"/' tiny.json >bad.json
fails 'an unknown op' "'bad.json': node 'mean' \(Median\): the op is not supported" import bad.json
mv tiny.bin whole.bin
fails 'no weights' "cannot open 'tiny.bin'" import tiny.json
head -c 700 whole.bin >tiny.bin
fails 'weights cut short' "'tiny.json': weight 'a/w' lies beyond its file's 700 bytes" import tiny.json
cat whole.bin whole.bin >tiny.bin
fails 'too many weights' "'tiny.json': the weight files have 2488 bytes, the graph names 1244" \
    import tiny.json
mv whole.bin tiny.bin
fails 'a full disk' '.*No space left' mien-import -o /dev/full tiny.json
is 'no model was left behind' "$(echo x.model*)" 'x.model*'
size=$(wc -c <tiny.json)
for cut in 0 1 100 500 $((size - 2)); do
    head -c "$cut" tiny.json >cut.json
    mien-import -o x.model cut.json 2>err
    is "a graph cut at $cut bytes" "$? $(grep -c "^mien-import: 'cut.json': line" err)" '2 1'
done

# Weights of PyTorch for a network whose description is given: what mien-export writes for PyTorch comes
# back, whatever the names.
cat >torch.net <<'END'
input 8x8x3
conv1 conv 8 3x3 stride=2 pad=1 bias=no
bn1 bn
act1 prelu
up tconv 4 3x3 groups=2
grouped conv 8 3x2 groups=2
depthwise dwconv 3x2
gender_logits dense 2
gender softmax
age_logits dense 101 from=depthwise
age softmax
END
mien-net --new --seed 7 --color bgr --mean 1,2,3 --scale 0.5 -o torch.model torch.net
mien-export -q --pytorch -o torch.safetensors torch.model
exits 'weights of PyTorch' 0 mien-import --net torch.net -o x.model torch.safetensors
is 'nothing is left over' "$(grep -c 'left over' err)" 0
is 'their preprocessing is kept' "$(mien-net x.model | grep ^prep)" "$(mien-net torch.model | grep ^prep)"
is 'the network predicts the same' "$(predict x.model)" "$(predict torch.model)"
sed 's/^conv1 /stem_0 /; s/from=conv1/from=stem_0/; s/^grouped /g /' torch.net >renamed.net
fails 'names that differ' "'torch.safetensors': there is no stem_0.weight, g.weight, g.bias; left over: " \
    mien-import --net renamed.net -o y.model torch.safetensors
like 'what is left over is named' "$(cat err)" 'left over: .*(conv1|grouped)\.weight'
printf '# ours = theirs\n\nstem_0 = conv1 # the first\n  g=grouped\n' >names.map
exits 'a map of names' 0 mien-import --net renamed.net --map names.map -o y.model torch.safetensors
is 'has the same weights' "$(predict y.model)" "$(predict torch.model)"
fails "torchvision's names of ResNet-18, which are installed" \
    "'torch.safetensors': tensor 'conv1.weight' of 216 elements isn't the weight of layer 'conv1'" \
    mien-import --no-heads --net resnet-18.net --map resnet-18.map -o y.model torch.safetensors
exits 'a body without its heads' 0 mien-import --net torch.net --no-heads -o y.model torch.safetensors
like 'names what it leaves' "$(cat err)" "^mien-import: 'torch.safetensors': left over: .*_logits"
is 'and ends with its features' "$(mien-net -f text y.model | tail -1)" 'depthwise dwconv 3x2'
sed 's/^bn1 bn/bn1 bn\nmore bn/' torch.net >more.net
fails 'a layer more' "'torch.safetensors': there is no more.gamma, more.beta, more.mean, more.var$" \
    mien-import --net more.net -o y.model torch.safetensors
sed 's/^up tconv 4 3x3 groups=2/up tconv 4 3x3 groups=2 bias=no/' torch.net >less.net
fails 'a bias more' "'torch.safetensors': layer 'up' has no place for tensor 'up.bias'" \
    mien-import --net less.net -o y.model torch.safetensors
sed 's/^conv1 conv 8 3x3/conv1 conv 8 5x5/' torch.net >other.net
fails 'another shape' "'torch.safetensors': tensor 'conv1.weight' of 216 .* has as 8x3x5x5" \
    mien-import --net other.net -o y.model torch.safetensors
for line in 'conv1 conv' 'conv9 = conv1'; do
    echo "$line" >bad.map
    fails "a map with $line" "'bad.map': line 1: " \
        mien-import --net torch.net --map bad.map -o y.model torch.safetensors
done
fails 'a map alone' '--map needs --net' mien-import --map names.map -o y.model torch.safetensors
fails 'a network for a graph' "--net goes with a safetensors file, which 'tiny.json' isn't" \
    mien-import --net torch.net -o y.model tiny.json
fails 'a model' "'torch.model' is a mien model already" mien-import --net torch.net -o y.model torch.model

# Halves and bfloat16, at any place; dots are underscores; a dense layer behind flatten takes the image
# by channel, row and column. The bytes: a 1, then 1 2 3 4 -1 -2 in bfloat16 and 5 in float16.
safetensors() { # HEADER BYTES
    len=${#1}
    # shellcheck disable=SC2059
    { printf "\\$(printf %o $((len % 256)))\\$(printf %o $((len / 256)))\0\0\0\0\0\0"; printf %s "$1"; printf "$2"; } >half.safetensors
}
printf 'input 1x2x3\nflat flatten\nnet_fc dense 1\n' >half.net
safetensors '{"net.odd":{"dtype":"I8","shape":[1],"data_offsets":[0,1]},
"net.fc.weight":{"dtype":"BF16","shape":[1,6],"data_offsets":[1,13]},
"net.fc.bias":{"dtype":"F16","shape":[1],"data_offsets":[13,15]}}' \
    '\1\200\77\0\100\100\100\200\100\200\277\0\300\0\105'
exits 'bfloat16 and float16, unaligned' 0 mien-import --no-heads --net half.net -o half.model half.safetensors
like 'what no layer takes is named' "$(cat err)" "'half.safetensors': left over: net.odd"
floats() { st-dump half.model "$1" | od -An -tf4 | xargs; }
is 'the weights in the order of rows, columns and channels' "$(floats net_fc.weight)" '1 3 -1 2 4 -2'
is 'the bias' "$(floats net_fc.bias)" 5
printf 'input 2x2x3\ntwice concat from=input,input\nmean gap\ndrop dropout 0.1\nnet_fc dense 1\n' >mean.net
exits 'a dense layer behind means' 0 mien-import -q --no-heads --net mean.net --scale 1 -o half.model half.safetensors
is 'has a weight for each' "$(floats net_fc.weight)" '1 2 3 4 -1 -2'
sed 's/"BF16"/"I16" /' half.safetensors >whole.safetensors
fails 'whole numbers' "'whole.safetensors': tensor 'net.fc.weight' doesn't hold floats" \
    mien-import --no-heads --net half.net -o y.model whole.safetensors
sed 's/"prep"/"porp"/' torch.safetensors >there.safetensors
fails 'nothing about pixels' "'there.safetensors': it doesn't say how pixels become its input; --color" \
    mien-import --net torch.net -o y.model there.safetensors

# mien-operators(7) names each operator that the readers know.
unnamed=$(sed -n 's/^    {"_*\([A-Za-z0-9]*\)", .*/\1/p' "$ROOT/lib/onnx/ops.c" "$ROOT/lib/tfjs/ops.c" |
    sed '/^Fused[CDM]/d; s/^FusedBatchNormV.*/FusedBatchNorm/' | sort -u | while read -r op; do
    grep -qw "$op" "$ROOT/man/man7/mien-operators.7" || echo "$op"
done)
is 'the page of operators knows those that are read' "$unnamed" ''
finish
