#!/bin/sh
# scripts/recipe.mk on a few real faces of two sets: both views of a face in the same part, a model judged on
# each set and view, one training made of a growing number of faces, suspects.
. "$(dirname "$0")/../lib.sh"

unset MAKEFLAGS MFLAGS
if [ ! -e "$MODELS/face.model" ] || [ ! -e "$DATA/aaf.tar" ] || [ ! -e "$DATA/utkface.tar" ]; then
    skip 'recipe.mk' 'no pretrained networks, or no UTKFace and All-Age-Faces'
    finish
    exit
fi
for s in utkface aaf; do
    mien-images -q "$DATA/$s.tar" | mien-meta -q --set $s | mien-split -q 1/140 $s.mien rest.mien
    rm rest.mien
done
recipe() {
    make --no-print-directory -f "$ROOT/scripts/recipe.mk" OUT=made DATA_utkface=utkface.mien DATA_aaf=aaf.mien \
        MIEN_MODELS="$MODELS" MODEL=face.model VAL=25 EPOCHS=1 CURVE=30:1 SUSPECTS=5 "$@"
}

exits 'the best recipe' 0 recipe best
like 'which sees faces of one view twice' "$(grep -e --train out)" \
    'aaf\.train\.align\.pack:2 .*utkface\.train\.align\.pack '
like 'is judged on each set' "$(cat out)" '^best +aaf align +[0-9]+ +[0-9.]+% +[0-9.]+% +[0-9.]+ '
like 'and on whole images' "$(cat out)" '^best +utkface whole +[0-9]+ +[0-9.]+% +[0-9.]+% +[0-9.]+ '
faces() { mien-pack -d "$@" | mien-view -H -c id | sed 's/#.*//' | sort -u; }
faces made/utkface.train.*.pack >learned
faces made/utkface.val.*.pack >kept
ok 'there are some of both' test -s learned -a -s kept
is 'no face is in both parts' "$(comm -12 learned kept)" ''
is 'faces are in two views' "$(mien-pack -d made/utkface.train.align.pack | mien-view -H -c id | sed 's/#.*//' |
    sort | comm -23 - learned)" ''
exits 'nothing is made twice' 0 recipe -q made/best.tsv
exits 'another seed is another network' 1 recipe -q made/best.tsv SEED=2
exits 'of the same packs' 0 recipe -q made/val.pack SEED=2
exits 'other epochs are too' 1 recipe -q made/best.tsv EPOCHS=2
cp -p aaf.mien other.mien
exits 'so are other faces' 1 recipe -q made/val.pack DATA_aaf=other.mien
exits 'another share for validation is other packs' 1 recipe -q made/val.pack VAL=26
exits 'heads for the exact year' 0 recipe exact
like 'are judged, too' "$(cat out)" '^exact +utkface align '
exits 'a point of the learning curve' 0 recipe made/curve-30.model
n=$((n + 1)); got=$(faces made/curve-30.pack | wc -l)
if [ "$got" -ge 15 ] && [ "$got" -le 45 ]; then echo "ok $n - of about 30 faces"
else echo "not ok $n - of about 30 faces: $got"; fi
exits 'more images than there are' 2 recipe made/curve-9999.model CURVE='30:1 9999:1'
like 'are told' "$(cat err)" 'recipe.mk: CURVE has 9999 images, of only [0-9]+ to train on'
exits 'other points' 2 recipe made/curve-20.model CURVE=20:1
like 'are refused' "$(cat err)" 'recipe.mk: the points of the curve in made are 30: give another OUT for others'
exits "a weight as mien-train's" 2 recipe best WEIGHTS=aaf:2
like 'is told' "$(cat err)" 'recipe.mk: WEIGHTS=aaf:2: a weight is SET=NUMBER; the sets are aaf utkface'
exits 'a weight of another set' 2 recipe best WEIGHTS=adience=2
exits 'whole images of another set' 2 recipe best WHOLE=adience
like 'are told' "$(cat err)" 'recipe.mk: WHOLE=adience: the sets are aaf utkface'
exits 'suspects' 0 recipe suspects
is 'five' "$(mien-view --count made/suspects.mien)" 5
ok 'drawn' test -s made/suspects.jpg
exits 'no set' 2 make -f "$ROOT/scripts/recipe.mk" OUT=made best
like 'is told' "$(cat err)" 'recipe.mk: no faces: give DATA_utkface=utkface.tar'
finish
