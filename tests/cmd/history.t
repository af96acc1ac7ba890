#!/bin/sh
# Where records, packs and models come from: each tells, in the same bytes for the same input and options.
. "$(dirname "$0")/../lib.sh"

mkdir here there utkface
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
    mien-squares 24x24 "$i,$i,9" >utkface/$((i + 20))_$((i % 2))_0_20170101000000000.jpg
done
printf 'input 24x24x3\npool gap\ngl dense 2\ngender softmax\nal dense 101 from=pool\nage softmax\n' >tiny.net
version=$(mien-view --version | sed -n '1s/.* //p')

# chain FOLDER JOBS NAME: a training set in the folder, whose files have names with NAME.
chain() (
    cd "$1" && cp ../tiny.net . &&
    mien-images ../utkface | mien-meta -q --set utkface | mien-crop -q -j "$2" --box whole --size 24 |
        mien-split -q --seed 5 60/40 "train$3.mien" "val$3.mien" &&
    mien-pack -q -o "train$3.pack" <"train$3.mien" && mien-pack -q -o "val$3.pack" <"val$3.mien" &&
    mien-net -q --new --mean 127.5 --scale 0.0078431 -o start.model tiny.net &&
    mien-predict -q -j "$2" -o "p$3.mien" start.model <"val$3.mien" &&
    mien-train -q -j "$2" --init start.model --train "train$3.pack:2" --train "val$3.pack" --val "val$3.pack" \
        --teacher start.model -e 1 -o "m$3.model"
)
exits 'a chain of programs' 0 chain here 1 -a
exits 'the same with other names and threads' 0 chain there 3 -b
for f in train%.mien train%.pack start.model p%.mien m%.model; do
    a=$(echo here/$f | sed 's/%/-a/') b=$(echo there/$f | sed 's/%/-b/')
    ok "makes the same bytes: $f" cmp "$a" "$b"
done
cd here || exit 2
set="mien-meta $version --set utkface: UTKFace, license: non-commercial research only"
is 'a stream tells its history' "$(mien-view --history train-a.mien)" "$set
mien-split $version --seed 5: 60/40, seed 5"
exits 'one that has none' 0 sh -c 'mien-fake 3 | mien-view --history'
is 'says so' "$(cat "$T/out" "$T/err")" "mien-view: the stream doesn't say how its records were made"
is 'a selection is a step' "$(mien-view -r -s 'age > 25' train-a.mien | mien-view --history | sed -n '$p')" \
    "mien-view $version --select 'age > 25'"
ok 'all records are not' sh -c 'mien-view -r train-a.mien | cmp - train-a.mien'
is 'joined streams tell the same once' "$(cat train-a.mien val-a.mien | mien-view -r | mien-view --history)" \
    "$(mien-view --history train-a.mien)"
mien-split -q --seed 6 60/40 c.mien d.mien <train-a.mien
is 'and what differs each' "$(cat train-a.mien c.mien | mien-view -r | mien-view --history)" \
    "$(mien-view --history train-a.mien; echo; mien-view --history c.mien)"
is 'shards tell it, too' "$(mien-split -q --shards 2 s.mien <train-a.mien; mien-view --history s-2.mien)" \
    "$(mien-view --history train-a.mien)"

mien-net --history train-a.pack >pack.txt
like 'a pack: what it holds' "$(sed -n 1p pack.txt)" '^pack [0-9a-f]{16}, [0-9]+ records$'
is 'and how it came about' "$(sed 1d pack.txt)" "$(mien-view --history train-a.mien | sed 's/^/  /')
  mien-pack $version: crop=whole size=24x24 filter=triangle"
is 'restored records, too' "$(mien-pack -d train-a.pack | mien-view --history)" "$(mien-view --history train-a.mien)"
mien-view -r -s 'age > 25' train-a.mien | mien-pack -q -o other.pack
is 'other records have another digest' "$(for p in train-a val-a other train-a; do mien-net --history $p.pack |
    sed -n '1s/,.*//p'; done | sort | uniq -c | sort -n | awk '{ print $1 }' | tr '\n' ' ')" '1 1 2 '

like 'a model: what it computes' "$(mien-net --history start.model | sed -n 1p)" '^model [0-9a-f]{16}$'
is 'and how it came about' "$(mien-net --history start.model | sed 1d)" \
    "  mien-net $version --new --seed 1 of tiny.net"
is 'a prediction tells its model' "$(mien-view --history p-a.mien)" "$(mien-view --history val-a.mien)
$(mien-net --history start.model | sed "1s/^/mien-predict $version: /")"
# what FILE: its digest.
what() { mien-net --history "$1" | sed -n '1{s/,.*//;p;}'; }
is 'a trained model: what it was made of' "$(mien-net --history m-a.model | grep -v '^   ' | sed -n '2!p' |
    sed 's/, [0-9]* records$//; s/: loss.*//; s/^  [0-9]* records/  N records/')" "$(what m-a.model)
  N records, epoch 1 kept
  validation
  from $(what start.model)
  taught by $(what start.model)
  trained on, 2 times, $(what train-a.pack)
  trained on $(what val-a.pack)
  validated on $(what val-a.pack)"
is 'and of that, in turn' "$(mien-net --history m-a.model | grep -c "^    $set$")" 3
mien-net --average -o mean.model m-a.model m-a.model
is 'a mean of models' "$(mien-net --history mean.model | sed 1d)" "  mien-net $version --average
$(mien-net --history m-a.model | sed 's/^/  /; s/^  model/  of model/'
    mien-net --history m-a.model | sed 's/^/  /; s/^  model/  of model/')"
printf 'input 24x24x3\nc conv 4 3x3 bias=no\nb bn\nr relu\np gap\ng dense 2\ngender softmax\n' >bn.net
mien-net -q --new -o bn.model bn.net
mien-net -q --fold -o folded.model bn.model
is 'a folded one' "$(mien-net --history folded.model | sed 1d)" "  mien-net $version --fold
$(mien-net --history bn.model | sed 's/^/  /; s/^  model/  of model/')"
exits 'neither pack nor model' 2 mien-net --history ../tiny.net
exits '--history and another' 2 mien-net --history --new -o x.model start.model

# --force
mien-net -q --new --margin 0.2 --mean 127.5 --scale 0.0078431 -o margin.model tiny.net
mien-fake 3 --image | mien-crop -q --margin 0.4 --size 24 >other.mien
exits 'other crops than the model expects' 2 mien-predict margin.model <other.mien
like 'are an error' "$(cat "$T/err")" 'made with margin=0.4, the model expects margin=0.2'
exits '--force' 0 mien-predict --force margin.model <other.mien
is 'predicts all the same' "$(mien-view --count -s 'pred_age >= 0' "$T/out")" 3
is 'says so in each record' "$(mien-view -Hc prep "$T/out" | sort -u)" \
    'crop=box margin=0.4 size=24x24 filter=triangle forced=margin'
is 'in the history' "$(mien-view --history "$T/out" | sed -n '1s/: .*//p')" "mien-predict $version --force"
is 'and in a warning' "$(cat "$T/err")" "mien-predict: warning: 3 records weren't made as the model expects, and are marked with forced= in their prep"
mien-fake 3 --image | mien-crop -q --margin 0.2 --size 24 | mien-predict --force margin.model >out 2>err
is 'what fits is not marked' "$(mien-view -Hc prep out | sort -u; cat err)" \
    'crop=box margin=0.2 size=24x24 filter=triangle'
finish
