#!/bin/sh
# scripts/experiment.mk: the synthetic set end to end; a run that is killed and goes on ends in the same
# bytes; a changed variable makes what depends on it and nothing else; paths with spaces; what it says
# of what is missing.
. "$(dirname "$0")/../lib.sh"

unset MAKEFLAGS MFLAGS DATA
EXPERIMENT=$ROOT/scripts/experiment.mk
small='COUNT=300 EPOCHS=1 SMALL_EPOCHS=2'
# run FOLDER ARGS...: make in the folder, where it makes `made`.
run() {
    folder=$1; shift
    mkdir -p "$folder"
    # shellcheck disable=SC2086
    make --no-print-directory -C "$folder" -f "$EXPERIMENT" OUT=made $small "$@"
}
# made FOLDER [VARIABLE=VALUE ...]: the files that make -n would write, but for those of the variables.
made() {
    folder=$1; shift
    run "$folder" -n made/table.tsv "$@" | grep -Eo -e '(-o |> |80/10/10 )made/[^ ]+' |
        sed 's|.*made/||; s|[.]new$||' | grep -v '^variables' | sort -u | paste -sd ' '
}
# results FOLDER: the sums of what was made.
results() {
    (cd "$1/made" && find . -name '*.part' -o -name '*.pack' -o -name '*.model' -o -name '*.pred' \
        -o -name '*.html' -o -name table.tsv | sort | xargs cksum)
}

exits 'a synthetic experiment' 0 run "$T/whole" -j2
like 'ends in a table' "$(cat "$T/out")" '^synthetic +recipe +[0-9]+ +[0-9.]+%'
is 'of all recipes' "$(cut -f2 "$T/whole/made/table.tsv" | paste -sd ' ')" 'recipe recipe held bins person small'
if command -v gnuplot >/dev/null; then
    like 'and a page' "$(cat "$T/whole/made/report.html")" '<html'
else
    skip 'a page' 'no gnuplot'
fi
is 'then nothing is left to do' "$(made "$T/whole")" ''
exits 'as make -q knows, too' 0 run "$T/whole" -q made/table.tsv

# Killed at random moments, with all that make started: setsid makes it the leader of a group.
mkdir killed
killed=0
for round in 1 2 3 4 5 6 7 8 9 10; do
    # shellcheck disable=SC2086
    setsid make -C killed -f "$EXPERIMENT" OUT=made $small >log 2>&1 &
    pid=$!
    sleep "$(awk -v s="$$$round" 'BEGIN { srand(s); print 0.1 + rand() * 1.5 }')"
    kill -s KILL -- "-$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    [ $? -ne 137 ] || killed=$((killed + 1))
done
echo "# killed $killed times"
ok 'a run is killed' [ "$killed" -gt 0 ]
exits 'a run that was killed goes on' 0 run "$T/killed"
results "$T/whole" >"$T/a"
results "$T/killed" >"$T/b"
ok 'to the same bytes' cmp "$T/a" "$T/b"

is 'other epochs: one model, and what it gives' "$(made "$T/whole" SMALL_EPOCHS=3)" \
    'seed-1/small.model seed-1/small.pred seed-1/test.scores table.tsv'
is 'other bins' "$(made "$T/whole" BINS=0:18:65)" \
    'seed-1/bins.model seed-1/bins.pred seed-1/test.scores table.tsv'
like 'another seed: the same packs' "$(made "$T/whole" SEEDS='1 2')" '^seed-2/bins.model .* table.tsv$'
is 'fewer recipes: no training' "$(made "$T/whole" ROWS=recipe)" 'seed-1/test.scores table.tsv'
made "$T/whole" SPLIT=2 >listed
like 'another split: the parts' "$(cat listed)" 'train.part'
like 'and all models' "$(cat listed)" 'bins.model .*person.model .*recipe.model .*small.model'
ok 'but not the images' sh -c "! grep -Eq 'all.images|all.meta|start.model' listed"
is 'and asking has changed nothing' "$(made "$T/whole")" ''
touch "$T/whole/made/val.pack"
is 'a newer file: what is made from it' "$(made "$T/whole")" \
    'seed-1/person.model seed-1/person.pred seed-1/small.model seed-1/small.pred seed-1/test.scores table.tsv'

exits 'two seeds, another set, and spaces in paths' 0 sh -c "mkdir 'a folder' && cp whole/made/data/* 'a folder'"
exits 'are computed' 0 run "$T/seeds" SEEDS='1 2' SET=own META= CROP='--margin 0.4' CROSS=synthetic MODEL= \
    ROWS='recipe held' TABLE="$T/a folder/imdb.mat" FOLDER="$T/a folder/imdb_crop.tar" made/table.tsv
like 'to means and deviations' "$(cat "$T/seeds/made/table.tsv")" '^own	recipe	[0-9]+	[0-9.]+% \+-[0-9.]+	'
like 'on the other set, too' "$(cat "$T/seeds/made/table.tsv")" '^synthetic	recipe	'

exits 'no data' 2 run "$T/none" SET=utkface
like 'is said in one line' "$(cat "$T/err")" '^experiment.mk: SET=utkface can.t be fetched: give DATA='
exits 'a file that is missing' 2 run "$T/none" SET=utkface DATA="$T/no where.tar"
like 'is named' "$(cat "$T/err")" "^experiment.mk: no images '.*/no where.tar'"
exits 'no network' 2 run "$T/none" MODEL="$T/no where.model" SIZE=64 ROWS=own
like 'is named, too' "$(cat "$T/err")" "^experiment.mk: no model '.*/no where.model': 'make models'"
exits 'no seed' 2 run "$T/none" SEEDS=
like 'leaves nothing to do' "$(cat "$T/err")" 'experiment.mk: SEEDS= leaves nothing to train'
exits 'another set without images' 2 run "$T/none" CROSS=aaf
like 'is told before training' "$(cat "$T/err")" 'experiment.mk: CROSS=aaf needs images: give CROSS_DATA='
exits 'bins that begin late' 2 run "$T/none" BINS=5:10
like 'are told, too' "$(cat "$T/err")" 'experiment.mk: BINS=5:10: the first bin begins with 0'
exits 'spaces in OUT' 2 run "$T/none" OUT='a b'
like 'are refused' "$(cat "$T/err")" "OUT can't have spaces"

# Drawings under the names of UTKFace and All-Age-Faces.
(
    mkdir utkface aaf && tar xf "$T/whole/made/data/imdb_crop.tar"
    i=10
    for picture in imdb_crop/*/*.jpg; do
        i=$((i + 1))
        if [ $i -le 90 ]; then
            mv "$picture" "utkface/${i}_$((i % 2))_0_20170101000000000.jpg.chip.jpg"
        elif [ $i -le 150 ]; then
            mv "$picture" "aaf/$(printf '%05dA%02d.jpg' $((i % 2 * 9000 + i)) $((i - 80)))"
        fi
    done
    tar cf 'a folder/utkface.tar' utkface
    tar cf 'a folder/aaf.tar' aaf
)

# Every set with every other, and with both.
all() {
    run "$T/crossed" SET=all MODEL= ROWS='recipe small' DATA_utkface="$T/a folder/utkface.tar" \
        DATA_aaf="$T/a folder/aaf.tar" "$@"
}
exits 'what every set with every other would take' 0 all -n
like 'is shown to its end' "$(cat out)" 'together/seed-1/small.on-utkface'
exits 'every set with every other' 0 all
is 'each trained on is judged on each' "$(cut -f 1-3 "$T/crossed/made/table.tsv" | tr '\t' ' ')" "$(
    echo 'trained on test set recipe'
    for trained in aaf utkface together; do
        for judged in aaf utkface; do
            printf '%s\n' "$trained $judged recipe" "$trained $judged small"
        done
    done)"
cp crossed/made/table.tsv before.tsv
is 'then there is nothing to do' "$(all | grep -c '^mien-')" 0
is 'another value: what depends on it' "$(all SMALL_EPOCHS=3 | grep -Eo -e '^mien-(train|crop|meta|pack).* made/[a-z]*' |
    sed 's/ .*//' | sort | uniq -c | awk '{ print $1, $2 }')" '3 mien-train'
exits 'without a set' 2 run "$T/none" SET=all
like 'that is said' "$(cat "$T/err")" 'SET=all needs sets: give DATA_utkface=FILE'

# A learning curve.
exits 'heads of some of the faces' 0 run "$T/curve" ROWS='few-50 few-100 hidden' HEAD_EPOCHS=1 made/table.tsv
is 'are in the table' "$(cut -f2 "$T/curve/made/table.tsv" | paste -sd ' ')" 'recipe few-50 few-100 hidden'
for k in 50 100; do # to within two: see mien-split(1)
    n_faces=$(mien-net --history "$T/curve/made/few-$k.features" | sed -n '1s/.*, \([0-9]*\) records$/\1/p')
    ok "of $k faces" [ $((n_faces >= k - 2 && n_faces <= k + 2)) -eq 1 ]
done
is 'another one needs its faces and model only' "$(made "$T/curve" ROWS='few-50 few-70 few-100 hidden' HEAD_EPOCHS=1)" \
    'few-70.features seed-1/few-70.model seed-1/few-70.pred seed-1/test.scores table.tsv'
exits 'more faces than there are' 0 run "$T/curve" ROWS='few-900' HEAD_EPOCHS=1 made/table.tsv
like 'are all of them' "$(cat "$T/err")" 'experiment.mk: few-900: there are [0-9]* training faces'
ok 'the same pack' cmp "$T/curve/made/few-900.features" "$T/curve/made/train.features"

# The recipes of a pretrained network.
if [ -e "$MODELS/face.model" ]; then
    exits 'UTKFace, pretrained' 0 run "$T/utkface" SET=utkface DATA="$T/a folder/utkface.tar" HEAD_EPOCHS=1 \
        WARM_EPOCHS=1 FINE_EPOCHS=1 ROWS='own recipe linear hidden fine flip exact' made/table.tsv
    is 'has its table' "$(cut -f2 "$T/utkface/made/table.tsv" | paste -sd ' ')" \
        'recipe own recipe linear hidden fine flip exact'
else
    skip 'a pretrained network' 'face.model is not there: make models'
fi

finish
