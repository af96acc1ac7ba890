#!/bin/sh
# mien-net: tables, descriptions, new models.
. "$(dirname "$0")/../lib.sh"

# near TOLERANCE A B: the numbers in two files agree, and there are some.
near() {
    paste -d, "$2" "$3" | sed 's/"[^"]*"://g' | tr -d '[]{}' | awk -F, -v most="$1" '{
        for (k = 1; k <= NF / 2; k++) { d = $k - $(k + NF / 2); if (d > most || d < -most) bad = 1 } }
        NF % 2 { bad = 1 } END { exit bad || NR == 0 }'
}

cat >tiny.net <<'END'
# two heads on a convolution
input 8x6x3
conv1 conv 4 3x3 stride=2 pad=same
bn1 bn
relu1 relu
pool gap
gender_logits dense 2
gender softmax
age_logits dense 101 from=pool
age softmax
END

# The table: 4 x 3 x 4 outputs of 27 products each; 4 x 28 weights.
mien-net -f tsv tiny.net >table
is 'a line a layer' "$(wc -l <table)" 10
is 'of eight columns' "$(awk -F'\t' '{print NF}' table | sort -u)" 8
is 'a convolution' "$(sed -n 3p table | tr '\t' ' ')" 'conv1 conv 4 3 4 112 1296 192'
is 'a dense layer' "$(tail -2 table | head -1 | tr '\t' ' ')" 'age_logits dense 1 1 101 505 404 404'
out=$(mien-net tiny.net)
like 'the table for people' "$out" '^conv1 +conv +4x3x4 +112 +1296 +192 B$'
like 'totals' "$out" '^total: 9 layers, 643 parameters \(2\.5 KiB\), 0\.0 million'
like 'no training memory unless asked' "$(mien-net tiny.net | grep -c training)" '^0$'
# 450 outputs in twos, without the bn's, whose place its relu takes; 752 weights, gaps counted, five times.
like 'training memory' "$(mien-net -b 2 tiny.net)" \
    '^training every layer in batches of 2: .* \(outputs 3\.5 KiB; their gradients .*; weights, .* 14\.7 KiB\)$'
is 'a description from a pipe' "$(mien-net -f tsv - <tiny.net)" "$(cat table)"

# Descriptions: the model gives back what it was made of.
exits 'memory for a new model' 2 mien-net --new -o tiny.model -b 8 tiny.net
is 'is refused' "$(cat err)" 'mien-net: --new and -b exclude each other'
exits 'a new model' 0 mien-net --new -o tiny.model -s 7 --mean 127.5 --scale 0.0078431 tiny.net
is 'its description' "$(mien-net -f text tiny.model)" "$(sed 1d tiny.net)"
is 'its table' "$(mien-net -f tsv tiny.model)" "$(cat table)"
like 'its preprocessing' "$(mien-net tiny.model)" '^preprocessing: size=8x6 mean=127.5 scale=0.0078431$'
like 'how it was made' "$(mien-net tiny.model)" '^made by: mien-net .* --new --seed 7 of tiny.net$'
is 'its weights' "$(st-dump tiny.model | grep -c '^conv1.weight F32 3,3,3,4 ')" 1
mien-net --new -o again.model --seed 7 --mean 127.5 --scale 0.0078431 tiny.net
ok 'same seed, same bytes' cmp tiny.model again.model
mien-net --new -o other.model --seed 8 --mean 127.5 --scale 0.0078431 tiny.net
n=$((n + 1))
if cmp -s tiny.model other.model; then echo "not ok $n - another seed, other weights"
else echo "ok $n - another seed, other weights"; fi

# Averages: of three models, one of them twice another.
for k in 1 2 3; do
    mien-net --new -o seed$k.model -s $k --mean 127.5 --scale 0.0078431 tiny.net
done
exits 'an average' 0 mien-net --average -o mean.model seed1.model seed2.model seed3.model
is 'says nothing' "$(cat err)" ''
numbers() { st-dump "$1" conv1.weight | od -An -v -tf4 | tr -s ' ' '\n' | grep .; }
for k in 1 2 3; do numbers seed$k.model >w$k; done
numbers mean.model >w
paste w w1 w2 w3 | awk '{ d = $1 - ($2 + $3 + $4) / 3; if (d > 1e-6 || d < -1e-6) exit 1 } END { if (NR != 108) exit 1 }'
is 'its weights are the means' $? 0
exits 'of one' 0 mien-net --average -o one.model seed1.model
is 'is itself' "$(numbers one.model)" "$(cat w1)"
sed 's/conv1 conv 4/conv1 conv 5/' tiny.net >wide.net
mien-net --new -o wide.model --mean 127.5 --scale 0.0078431 wide.net
exits 'another network' 2 mien-net --average -o z.model seed1.model wide.model
is 'is refused' "$(cat err)" \
    "mien-net: 'wide.model' can't be averaged with 'seed1.model': another network: 'conv1 conv 5 3x3 stride=2 pad=same', not 'conv1 conv 4 3x3 stride=2 pad=same'"
mien-net --new -o dark.model --mean 100 --scale 0.0078431 tiny.net
exits 'another preprocessing' 2 mien-net --average -o z.model seed1.model seed2.model dark.model
like 'is refused' "$(cat err)" "'dark.model' can't be averaged with 'seed1.model': another preprocessing: 'mean=100', not 'mean=127.5'$"
for more in --margin:0.4 --age0:20; do
    mien-net --new -o more.model --mean 127.5 --scale 0.0078431 ${more%:*} ${more#*:} tiny.net
    exits "$more more" 2 mien-net --average -o z.model seed1.model more.model
    like 'is named' "$(cat err)" "another preprocessing: it also has '[a-z0-9]*=${more#*:}'$"
    exits "$more less" 2 mien-net --average -o z.model more.model seed1.model
    like 'is named' "$(cat err)" "another preprocessing: it lacks '[a-z0-9]*=${more#*:}'$"
done
exits 'a description' 2 mien-net --average -o z.model seed1.model tiny.net
exits 'no output' 2 mien-net --average seed1.model seed2.model
exits 'two of --new, --fold and --average' 2 mien-net --average --fold -o z.model seed1.model
exits 'another size' 2 mien-net --average --size 9 -o z.model seed1.model
ok 'and nothing was written' test ! -e z.model

# The networks that come with mien, whose parameters are known: trained ones and, behind a bn,
# two statistics a channel.
count() { mien-net "$ROOT/networks/$1.net" | sed -n 's/^total: .* layers, \([0-9]*\) .*, \(.*\) million.*/\1 \2/p'; }
is 'mobilenet-v1' "$(count mobilenet-v1)" "$((3228864 + 1025 * 103)) 567.8"
is 'resnet-18' "$(count resnet-18)" "$((11176512 + 2 * 4800 + 513 * 103)) 1813.6"
is 'vgg-16' "$(count vgg-16)" "$((138357544 - 4097 * 1000 + 4097 * 103)) 15466.6"
# The width multipliers of MobileNet's paper, table 6, with Keras's counts of parameters.
for w in 0.75:1832976:324.7 0.5:829536:149.0 0.25:218544:40.8; do
    f=${w%%:*} c=${w#*:}
    is "mobilenet-v1 of width $f" "$(mien-net --width "$f" "$ROOT/networks/mobilenet-v1.net" |
        sed -n 's/^total: .* layers, \([0-9]*\) .*, \(.*\) million.*/\1 \2/p')" \
        "$((${c%:*} + 103 * $(echo "1024 $f" | awk '{print $1 * $2 + 1}'))) ${c#*:}"
done
for f in "$ROOT"/networks/*.net; do
    is "$(basename "$f") has both heads" "$(mien-net -f text "$f" | grep -cE '^(gender|age) softmax')" 2
done

# The manual's examples: what comes between each .Bd and .Ed behind the heading, as typed.
sed -n '/^\.Sh EXAMPLES/,/^\.Sh DIAG/p' "$ROOT/man/man1/mien-net.1" |
    sed -n '/^\.Bd/,/^\.Ed/{/^\./!p;}' | sed 's/\\e/\\/g' >example.sh
for part in train val; do mien-fake 40 --pixels 32x32 | mien-pack -q -o $part.pack; done
exits 'examples' 0 sh -e example.sh
like 'examples: what it costs' "$(cat out)" '^training every layer in batches of 32: '
like 'examples: the most parameters' "$(cat out)" '^conv2	conv	16	16	32	4608	'
like 'examples: half the units, larger images' "$(cat out)" '^conv2 +conv +32x32x16 +1152 +1179648 '
like 'examples: the mean of three, calibrated' "$(mien-net mean.model)" '^preprocessing: .*temp_gender='
is 'examples: no bn is left' "$(mien-net -f text folded.model | grep -c ' bn')" 0

# Another size and width.
is 'another size' "$(mien-net -f tsv --size 9x12 tiny.net | sed -n 3p | tr '\t' ' ')" 'conv1 conv 5 6 4 112 3240 480'
is 'another width, in eights' "$(mien-net -f text --width 5 tiny.net | sed -n 2p)" 'conv1 conv 24 3x3 stride=2 pad=same'
is 'at least eight' "$(mien-net -f text --width 0.1 tiny.net | sed -n 2p)" 'conv1 conv 8 3x3 stride=2 pad=same'
is 'heads keep their units' "$(mien-net -f text --width 5 tiny.net | grep dense)" "$(grep dense tiny.net)"
exits 'a new model of both' 0 mien-net --new -o wide.model --size 16 --width 2 tiny.net
like 'it says so' "$(mien-net wide.model)" '^made by: mien-net .* --new --seed 1 --size 16x16 --width 2 of tiny.net$'
like 'and expects such images' "$(mien-net wide.model)" '^preprocessing: size=16x16'
exits 'not of a model' 2 mien-net --width 2 tiny.model
like 'which says so' "$(cat err)" "^mien-net: 'tiny.model' is a model: only a description"
# Networks that come with mien are found by name.
is 'a network by name' "$(mien-net small-64.net)" "$(mien-net "$ROOT/networks/small-64.net")"
echo 'input 1x1x3' >small-64.net
like 'a file here goes first' "$(mien-net small-64.net)" '^total: 1 layers'
rm small-64.net
exits 'and by no other' 2 mien-net ../networks/small-64.net
exits 'a size too small' 2 mien-net --size 20 "$ROOT/networks/levi-hassner.net"
like 'names the layer' "$(cat err)" "levi-hassner.net': layer 'pool3': the kernel is larger"
exits 'a size that is none' 2 mien-net --size 0 tiny.net
exits 'a width that is none' 2 mien-net --width 0 tiny.net

# Folding: a model with statistics of its own predicts the same without them.
mien-fake 40 --pixels 8x6 >pixels.mien
mien-pack -q -o pixels.pack <pixels.mien
mien-train -q --init tiny.model --keep-heads -l all -e 3 -t pixels.pack -o trained.model
exits 'folding' 0 mien-net --fold -o folded.model trained.model
is 'says what it did' "$(cat err)" 'mien-net: folded 1 of 1 bn layers'
is 'no bn is left' "$(mien-net -f text folded.model)" "$(mien-net -f text trained.model | sed '/^bn1/d; s/ bias=no//')"
is 'but the biases that it made' "$(st-dump folded.model | grep -c '^conv1.bias F32 4 ')" 1
mien-predict -q trained.model <pixels.mien | mien-view --json --full -c p_gender,p_age >p1.json
mien-predict -q folded.model <pixels.mien | mien-view --json --full -c p_gender,p_age >p2.json
ok 'it predicts the same' near 1e-5 p1.json p2.json
exits 'quietly' 0 mien-net -q --fold -o folded.model trained.model
is 'it says nothing' "$(cat err)" ''
exits 'folding a description' 2 mien-net --fold -o x.model tiny.net
like 'says so' "$(cat err)" 'is a description: --fold needs a model'
exits 'folding without -o' 2 mien-net --fold tiny.model
exits 'folding and --new' 2 mien-net --fold --new -o x.model tiny.model
exits 'folding onto a full disk' 2 mien-net --fold -o /dev/full tiny.model

# What goes wrong.
exits 'no argument' 2 mien-net
like 'says so' "$(cat err)" '^mien-net: missing operand: MODEL or DESCRIPTION'
exits 'an unknown option' 2 mien-net --no-such-option tiny.net
exits '--help' 0 mien-net --help
like '--help names it' "$(cat out)" '^usage: mien-net'
exits '--version' 0 mien-net --version
exits 'no file' 2 mien-net nothing.net
like 'says so' "$(cat err)" "^mien-net: cannot open 'nothing.net': No such file"
# What names a terminal would obey is shown as '?': ESC, C1, text that runs the other way.
esc=$(printf 'x\033[31m\302\233\342\200\256.net')
cp tiny.net "$esc"
mien-net --new -o esc.model "$esc"
is "a model's history can't drive a terminal" "$(mien-net esc.model | sed -n 's/^made by.* of //p')" \
    'x?[31m??.net'
exits 'nor can a name' 2 mien-net "$esc.not"
is 'in a message' "$(cat err)" "mien-net: cannot open 'x?[31m??.net.not': No such file or directory"
exits 'an empty description' 2 mien-net /dev/null
like 'says so' "$(cat err)" "^mien-net: '/dev/null': .*no layers"
echo 'input 8x6x3
c conv 4 9x9' >bad.net
exits 'a layer that is impossible' 2 mien-net bad.net
like 'names line and layer' "$(cat err)" "^mien-net: 'bad.net': line 2: layer 'c': the kernel is larger"
head -c 2000 tiny.model >cut.model
exits 'a model cut short' 2 mien-net cut.model
like 'says so' "$(cat err)" "^mien-net: 'cut.model'"
mien-fake 2 >some.mien
exits 'records' 2 mien-net some.mien
like 'says so' "$(cat err)" "^mien-net: 'some.mien' is a stream of records, not a model"
exits '--new without -o' 2 mien-net --new tiny.net
exits '-o without --new' 2 mien-net -o x.model tiny.net
exits '--new of a model' 2 mien-net --new -o x.model tiny.model
like 'says so' "$(cat err)" 'is a model already'
exits 'a bad mean' 2 mien-net --new -o x.model --mean 1,2 tiny.net
like 'says so' "$(cat err)" '^mien-net: mean: '
exits 'a layer to embed that is not there' 2 mien-net --new -o x.model --embed y tiny.net
like 'says so' "$(cat err)" "no layer 'y'"
exits 'a bad batch' 2 mien-net -b 0 tiny.net
is 'no model was left behind' "$(echo ./*x.model*)" './*x.model*'
exits 'a full disk' 2 sh -c 'mien-net tiny.net >/dev/full'
like 'says so' "$(cat err)" '^mien-net: .*No space left'
exits 'a full disk for the model' 2 mien-net --new -o /dev/full tiny.net
like 'says so' "$(cat err)" '^mien-net: .*No space left'
finish
