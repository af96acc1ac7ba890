#!/bin/sh
# Training on an imported network: two softmax heads on an ONNX file, in which groups, gates, slopes and
# a normalization by layers train, too.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

cat >body.net <<'END'
input 32x32x3
c1 conv 12 3x3 stride=2 pad=1
act1 hswish
grouped conv 12 3x3 pad=1 groups=3
slopes prelu
squeeze gap
less dense 4
less_act relu
more dense 12
gate sigmoid
gated mul from=gate,slopes
down conv 16 3x3 stride=2 pad=1
norm norm c
act2 gelu
sum conv 16 3x3 pad=1
both add from=sum,act2
flat gap
END
mien-net -q --new --seed 2 --mean 127.5 --scale 0.0078431 -o body.model body.net
mien-export -q -o told.onnx body.model
sed 's/prep/porp/' told.onnx >body.onnx # as another program's, which doesn't tell
exits 'a network of another program' 0 mien-import --no-heads --mean 127.5 --scale 0.0078431 -o foreign.model body.onnx
mien-synth -q --count 160 --seed 1 data
mien-meta -q data/imdb.mat | mien-images -q -m - data/imdb_crop.tar | mien-crop -q --margin 0.4 --for 32 |
    mien-resize -q 32 >train.mien
mien-pack -q -o train.pack <train.mien
exits 'two heads on it, all layers trained' 0 mien-train -q -i foreign.model --last all -t train.pack \
    -e 12 -b 16 --lr 0.003 --seed 1 --log log.tsv -o all.model
losses=$(awk 'NR == 2 { first = $2 } END { print first, $2 }' log.tsv)
ok "the loss falls by a fifth: $losses" sh -c 'echo "$1" | awk "{ exit !(\$2 < 0.8 * \$1) }"' - "$losses"
mien-predict -q all.model <train.mien | mien-score -f tsv --boot 0 >scores
genders=$(awk -F'\t' '$3 == "gender_accuracy" { print $5, $8 }' scores)
ok "genders are told better than by guessing, by 0.1: $genders" sh -c 'echo "$1" | awk "{ exit !(\$1 > \$2 + 0.1) }"' - "$genders"
exits 'heads alone' 0 mien-train -q -i foreign.model -t train.pack -e 1 --seed 1 -o heads.model
changed() { # MODEL: how many parameters aren't those of the import
    mien-net -f text foreign.model | awk '$2 ~ /^(conv|dense|prelu|norm)$/ { print $1 }' | while read -r layer; do
        for p in weight bias slope gamma beta; do
            st-dump foreign.model "$layer.$p" >before 2>/dev/null || continue
            st-dump "$1" "$layer.$p" | cmp -s - before || echo "$layer.$p"
        done
    done | wc -l
}
parameters=$(mien-net -f text foreign.model | awk '$2 ~ /^(conv|dense|norm)$/ { n += 2 } $2 == "prelu" { n++ } END { print n }')
is 'all parameters have moved' "$(changed all.model)" "$parameters"
is 'none has when the heads alone are trained' "$(changed heads.model)" 0
finish
