#!/bin/sh
# scripts/utkface.mk, the experiment on UTKFace, on drawings under UTKFace's names: it names what is
# missing, and runs to its scores, with spaces in the paths.
. "$(dirname "$0")/../lib.sh"

cd "$ROOT" || exit 2
run() {
    exits "$1" "$2" make -f scripts/utkface.mk OUT="$T/made" UTKFACE="$3" FACE="$4"
}
run 'no archive' 2 '' "$MODELS/face.model"
like 'is said in one line' "$(cat "$T/err")" "^utkface.mk: give UTKFace's archive"
run 'no network' 2 Makefile "$T/nowhere.model"
like 'is said, too' "$(cat "$T/err")" "^utkface.mk: no model '.*nowhere.model': 'make models'"

if [ -e "$MODELS/face.model" ]; then
    (
        cd "$T" && mkdir utkface 'a folder' && mien-synth -q --count 60 --size 200 set && tar xf set/imdb_crop.tar
        i=10
        for picture in imdb_crop/*/*.jpg; do
            i=$((i + 1))
            mv "$picture" "utkface/${i}_$((i % 2))_0_20170101000000000.jpg.chip.jpg"
        done
        tar cf 'a folder/utkface.tar' utkface
        cp "$MODELS/face.model" 'a folder/a model'
    )
    run 'it runs' 0 "$T/a folder/utkface.tar" "$T/a folder/a model"
    like 'to three columns of scores' "$(cat "$T/out")" 'own.pred +.*linear.pred +.*hidden.pred'
else
    skip 'the experiment' 'face.model is not there: make models'
fi

finish
