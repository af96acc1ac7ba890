#!/bin/sh
# The EXAMPLES of the manual pages and the pipes of the README run, on synthetic data under the names that
# they use. What installs, fetches or takes long is run by tests/slow/readme.t.
. "$(dirname "$0")/../lib.sh"

# What the examples find: labels and archives of IMDB-WIKI, other sets' names, folders, ...
mkdir setup && cd setup || exit 2
mien-synth -q --count 400 --size 48 . && cp imdb.mat wiki.mat
tar xf imdb_crop.tar && mkdir photos faces
find imdb_crop -name '*.jpg' | sort | head -6 >list
xargs -I{} cp {} photos <list && cp photos/* faces
cp "$(head -1 list)" a.jpg && cp a.jpg me.jpg && cp a.jpg 30_1_2_20170101.jpg && cp a.jpg 001A43b.JPG
rm -r imdb_crop
for tar in imdb wiki wiki_crop faces; do cp imdb_crop.tar $tar.tar; done
gzip -k faces.tar
tar cf utkface.tar 30_1_2_20170101.jpg
zip -q fgnet.zip 001A43b.JPG
mkdir archives && cp faces.tar archives/a.tar && cp faces.tar archives/b.tar
printf 'img_name,age,gender,camera\na.jpg,30,1,X\nme.jpg,40,0,Y\n' >labels.csv
printf 'file,age,gender,race,service_test\ntrain/1.jpg,50-59,Male,White,True\n' >fairface_label_train.csv
printf '1@N01/landmark_aligned_face.1.1_o.jpg 4\n' >age_train.txt
mkdir -p family/ann/1-10 && cp a.jpg family/ann/1-10/f_3.jpg
# ... a network for faces, and records of all kinds, of 32 by 32 pixels instead of 224 by 224, to be quick.
cat >face.net <<'END'
input 32x32x3
conv conv 8 3x3 pad=same
relu relu
features gap
gender_logits dense 2
gender softmax
age_logits dense 101 from=features
age softmax
END
mien-net --new --mean 127.5 --scale 0.0078431 --embed features -o face.model face.net
# ... a detector that finds no face, as all its boxes are empty,
printf 'input 32x32x3\nscore conv 1 1x1\nbox pad 0,0,0,0 channels=13,0 from=input\n' >detect.net
mien-net -q --new -o detect.model detect.net
for name in agegender faceres linear hidden; do cp face.model $name.model; done
mien-meta -q imdb.mat | mien-images -q -m - imdb_crop.tar | mien-crop -q --margin 0.4 --for 32 |
    mien-resize -q 32 >faces.mien
mien-split -q 80/10/10 train.mien val.mien test.mien <faces.mien
cp test.mien all.mien
cp "$ROOT"/networks/small-64.net .
for part in train val; do
    mien-pack -q -o $part.pack <$part.mien
    mien-view -r -n 2 $part.mien | mien-resize -q 64 | mien-pack -q -o ${part}64.pack
done
cp val.pack own.pack
mien-predict --keep agegender.model <faces.mien >predictions.mien
cp predictions.mien linear.mien && cp predictions.mien hidden.mien
printf 'epoch\ttrain_loss\n1\t5\n2\t4\n' >log.tsv
cd ..

# What they find on other machines.
mkdir bin && PATH=$T/bin:$PATH
printf '#!/bin/sh\nexec cat\n' >bin/less
printf '#!/bin/sh\nshift; exec "$@"\n' >bin/ssh
ln -s "$ROOT"/scripts/mien-* bin # as they are installed
chmod +x bin/less bin/ssh

export SLURM_ARRAY_TASK_ID=0 # the examples' job script runs as a task would

for page in "$ROOT"/man/man[17]/* "$ROOT/README.md"; do
    rm -rf run && cp -r setup run && cd run || exit 2
    "$ROOT/tests/blocks" "$page" blocks && rm -f blocks/*.out
    # Smaller and quicker.
    [ ! -e blocks/1 ] || sed -i -e 's/224/32/g' -e 's/--epochs [0-9]*/--epochs 2/g' blocks/*
    page=$(basename "$page")
    [ -e blocks/1 ] || skip "$page" 'no examples'
    for block in blocks/*; do
        [ -e "$block" ] || continue
        example="example ${block#*/}"
        case $(cat "$block") in
        SHELL*) ok "$page, $example" make -s -B -f "$block"; continue ;;
        make\ * | *scripts/* | *mien-models*) skip "$page, $example" 'tests/slow/readme.t runs it'; continue ;;
        parallel*) command -v parallel >/dev/null || { skip "$page, $example" 'GNU parallel is not there'; continue; } ;;
        *mien-report*) command -v gnuplot >/dev/null || { skip "$page, $example" 'gnuplot is not there'; continue; } ;;
        *jq*) command -v jq >/dev/null || { skip "$page, $example" 'jq is not there'; continue; } ;;
        esac
        # 141: head has what it wants of a sort that goes on.
        ok "$page, $example" bash -c 'bash -e -o pipefail "$0" || [ $? -eq 141 ]' "$block"
    done
    cd ..
done

finish
