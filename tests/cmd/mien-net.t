#!/bin/sh
# mien-net: tables, descriptions, new models.
. "$(dirname "$0")/../lib.sh"

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
mien-net --tsv tiny.net >table
is 'a line a layer' "$(wc -l <table)" 10
is 'of eight columns' "$(awk -F'\t' '{print NF}' table | sort -u)" 8
is 'a convolution' "$(sed -n 3p table | tr '\t' ' ')" 'conv1 conv 4 3 4 112 1296 192'
is 'a dense layer' "$(tail -2 table | head -1 | tr '\t' ' ')" 'age_logits dense 1 1 101 505 404 404'
out=$(mien-net tiny.net)
like 'the table for people' "$out" '^conv1 +conv +4x3x4 +112 +1296 +192 B$'
like 'totals' "$out" '^total: 9 layers, 643 parameters \(2\.5 KiB\), 0\.0 million'
like 'no training memory unless asked' "$(mien-net tiny.net | grep -c training)" '^0$'
# 1,992 bytes of outputs, in twos: 2 x 2 x 1,992; 643 weights twice, 635 trained ones three times.
like 'training memory' "$(mien-net -b 2 tiny.net)" \
    '^training every layer in batches of 2: 20\.2 KiB \(outputs and their gradients 7\.8 KiB; .* 12\.5 KiB\)$'
is 'a description from a pipe' "$(mien-net --tsv - <tiny.net)" "$(cat table)"

# Descriptions: the model gives back what it was made of.
exits 'a new model' 0 mien-net -n -o tiny.model -s 7 --mean 127.5 --scale 0.0078431 tiny.net
is 'its description' "$(mien-net --text tiny.model)" "$(sed 1d tiny.net)"
is 'its table' "$(mien-net --tsv tiny.model)" "$(cat table)"
like 'its preprocessing' "$(mien-net tiny.model)" '^preprocessing: size=8x6 mean=127.5 scale=0.0078431$'
like 'how it was made' "$(mien-net tiny.model)" '^made by: mien-net .* --new --seed 7 of tiny.net$'
is 'its weights' "$(st-dump tiny.model | grep -c '^conv1.weight F32 3,3,3,4 ')" 1
mien-net --new -o again.model --seed 7 --mean 127.5 --scale 0.0078431 tiny.net
ok 'same seed, same bytes' cmp tiny.model again.model
mien-net --new -o other.model --seed 8 --mean 127.5 --scale 0.0078431 tiny.net
n=$((n + 1))
if cmp -s tiny.model other.model; then echo "not ok $n - another seed, other weights"
else echo "ok $n - another seed, other weights"; fi

# The networks that come with mien, whose parameters are known: trained ones and, behind a bn,
# two statistics a channel.
count() { mien-net "$ROOT/networks/$1.net" | sed -n 's/^total: .* layers, \([0-9]*\) .*, \(.*\) million.*/\1 \2/p'; }
is 'mobilenet-v1' "$(count mobilenet-v1)" "$((3228864 + 1025 * 103)) 567.8"
is 'resnet-18' "$(count resnet-18)" "$((11176512 + 2 * 4800 + 513 * 103)) 1813.6"
is 'vgg-16' "$(count vgg-16)" "$((138357544 - 4097 * 1000 + 4097 * 103)) 15466.6"
for f in "$ROOT"/networks/*.net; do
    is "$(basename "$f") has both heads" "$(mien-net --text "$f" | grep -cE '^(gender|age) softmax')" 2
done

# The manual's examples: what comes between each .Bd and .Ed behind the heading, as typed.
sed -n '/^\.Sh EXAMPLES/,/^\.Sh DIAG/p' "$ROOT/man/man1/mien-net.1" |
    sed -n '/^\.Bd/,/^\.Ed/{/^\./!p;}' | sed 's/\\e/\\/g' >example.sh
exits 'examples' 0 sh -e example.sh
like 'examples: what it costs' "$(cat out)" '^training every layer in batches of 32: '
like 'examples: the most parameters' "$(cat out)" '^conv2	conv	16	16	32	4608	'
like 'examples: larger images' "$(cat out)" '^conv2 +conv +32x32x32 +4608 +4718592 '

# What goes wrong.
exits 'no argument' 2 mien-net
like 'says so' "$(cat err)" '^mien-net: needs one model'
exits 'an unknown option' 2 mien-net --no-such-option tiny.net
exits '--help' 0 mien-net --help
like '--help names it' "$(cat out)" '^usage: mien-net'
exits '--version' 0 mien-net --version
exits 'no file' 2 mien-net nothing.net
like 'says so' "$(cat err)" "^mien-net: cannot open 'nothing.net': No such file"
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
like 'says so' "$(cat err)" "^mien-net: 'some.mien': line 1: "
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
