#!/bin/sh
# mien-detect: faces of photographs, with a detector of bright squares that is made here, so that
# their places are known. Real faces: detect-real.t.
. "$(dirname "$0")/../lib.sh"

. "$ROOT/tests/squares.sh"
squares_detector squares.model '\0\0\0\071' '\0\0\220\300' # 1/8192, -4.5

# Photographs of 100 pixels with squares, at x and y, of the size that the detector sees.
mkdir photos
mien-squares 100x100 38,25,25 >photos/one.jpg
mien-squares 100x100 12,12,25 63,50,25 >photos/two.jpg
mien-squares 100x100 >photos/none.jpg
mien-squares -o 6 80x100 12,30,25 >photos/turned.jpg
mien-images -q photos >photos.mien
detect() { mien-detect "$@" squares.model <photos.mien; }

exits 'faces are found' 0 detect
mv out faces.mien
is 'which is summed up' "$(cat err)" \
    'mien-detect: photographs: 4, faces: 4, photographs without a face: 1'
is 'a record for each' "$(mien-view -Hc id,faces faces.mien)" "$(printf '%s\t%s\n' \
    photos/one.jpg#1 1 photos/turned.jpg#1 1 photos/two.jpg#1 2 photos/two.jpg#2 2)"

# Photographs without a face go through what works on faces.
mien-net -q --new -o n.model - <<'END'
input 24x24x3
pool gap
gl dense 2
gender softmax
END
detect -q --keep-empty >all.mien
exits 'mien-crop' 0 sh -c 'mien-crop --size 24 <all.mien >crops.mien'
is 'counts them' "$(cat err)" "$(printf 'mien-crop: %s\n' 'records: 5, cropped: 4, bad: 0' 'photographs without a face: 1')"
is 'and removes their images like the others' "$(mien-view --count -s image crops.mien)" 0
exits 'unless these are kept' 0 sh -c 'mien-crop -q --keep --align --margin 0 --size 24 <all.mien >kept.mien'
is 'as all are' "$(mien-view --count -s image kept.mien)" 5
exits 'mien-resize' 0 sh -c 'mien-crop -q <all.mien | mien-resize -q 24 >crops.mien'
exits 'mien-predict' 0 sh -c 'mien-predict -q n.model <crops.mien >predicted.mien'
is 'predicts nothing of them' "$(mien-view -Hc id,faces -s '!p_gender' predicted.mien)" "$(printf 'photos/none.jpg\t0')"
exits 'a whole photograph' 0 sh -c 'mien-crop -q --box whole --size 24 <all.mien | mien-predict -q n.model >whole.mien'
is 'is predicted, face or none' "$(mien-view --count -s p_gender whole.mien)" 5

# near WHERE...: the boxes of faces.mien lie within 8 pixels of these.
near() {
    mien-view -Hc box faces.mien | tr ',' ' ' >got
    printf '%s\n' "$@" | paste -d' ' - got | awk '
        NF != 8 { bad = 1 }
        { for (i = 1; i <= 4; i++) if (($i - $(i + 4)) ^ 2 > 64) bad = 1 }
        END { exit bad || NR == 0 }'
}
ok 'boxes are upright, in pixels of the photograph' near '38 25 63 50' '25 12 50 37' \
    '12 12 37 37' '63 50 88 75'
mien-squares 100x100 8,12,28 60,48,34 >right.jpg # the right one is larger
is 'faces are numbered from left to right' "$(mien-images -q right.jpg | mien-detect -q squares.model |
    mien-view -Hc id,box | awk -F '[\t,]' '{ print $1, ($2 < 50 ? "left" : "right") }')" "$(printf '%s\n' \
    'right.jpg#1 left' 'right.jpg#2 right')"
is 'scores' "$(mien-view --count -s 'score >= 0.7 && score <= 1' faces.mien)" 4
is 'six landmarks, the right eye to the left' \
    "$(mien-view -Hc landmarks faces.mien | awk -F, 'NF == 12 && $1 < $3' | wc -l)" 4
is 'the photograph goes along' \
    "$(mien-view -r -s 'faces == 2' faces.mien | mien-view --json --full -Hc image,image_kind | sort -u)" \
    "$(mien-images -q photos/two.jpg | mien-view --json --full -Hc image,image_kind)"
mien-view -r -s 'faces == 2' faces.mien >two.mien
cat two.mien two.mien | mien-montage -o sheet.jpg 2>err
like 'photographs of one name are drawn apart' "$(cat err)" '4 records in 2 cells'
mien-crop -q --margin 0 <faces.mien >crops.mien
is 'and is cut' "$(mien-view --count -s pixels crops.mien)" 4
mien-crop -q --align <faces.mien >aligned.mien
is 'upright, by its landmarks' "$(mien-view -Hc prep aligned.mien | sort | uniq -c | tr -s ' ')" \
    ' 4 crop=align margin=0.2'
mien-crop -q --align --size 24 <faces.mien >one.mien
mien-crop -q --align --for 24 <faces.mien | mien-resize -q 24 >two.mien
ok 'and of one size, as by mien-resize' cmp one.mien two.mien
# The faces of a photograph are cut together: as each would be alone.
mien-squares -o 6 100x100 12,12,25 63,50,25 >turned.jpg
mien-images -q turned.jpg photos/two.jpg | mien-detect -q squares.model >pairs.mien
for how in --align '--margin 0.3 --size 24'; do
    # shellcheck disable=SC2086
    mien-crop -q $how <pairs.mien | mien-view --json --full >together
    for id in $(mien-view -Hc id pairs.mien); do
        # shellcheck disable=SC2086
        mien-view -r -s "id == '$id'" pairs.mien | mien-crop -q $how | mien-view --json --full
    done >alone
    is "four of them: $how" "$(wc -l <together)" 4
    ok 'the same together and alone' cmp together alone
done
# A photograph's faces are cut as soon as the last one is there, while more may come.
mkfifo faces.fifo
mien-crop -q --align <faces.fifo >live.mien &
exec 3>faces.fifo
mien-view -r -s "id < 'q' && faces == 2" pairs.mien >&3
for _ in $(seq 500); do
    [ -s live.mien ] && break
    sleep 0.01
done
is 'faces come out while the input goes on' "$(mien-view -Hc id live.mien 2>err)" "$(printf '%s\n' \
    photos/two.jpg#1 photos/two.jpg#2)"
exec 3>&-
wait $!
ok 'until it ends' mien-view --count live.mien
for jobs in 1 3 8; do
    detect -q -j $jobs >same.mien
    ok "$jobs workers find the same" cmp faces.mien same.mien
done
cat photos.mien photos.mien | mien-detect -q squares.model | mien-view -Hc id,box >twice
is 'a photograph counts for itself' "$(cat twice)" \
    "$(mien-view -Hc id,box faces.mien faces.mien)"

# All kinds of JPEGs are looked at.
mkdir kinds
mien-squares -c grey 100x100 38,25,25 >kinds/grey.jpg
mien-squares -c cmyk 100x100 38,25,25 >kinds/cmyk.jpg
mien-squares -p 100x100 38,25,25 >kinds/progressive.jpg
mien-images -q kinds | mien-detect -q squares.model >kinds.mien
is 'grey, CMYK and progressive photographs' "$(mien-view -Hc id,faces kinds.mien)" "$(printf '%s#1\t1\n' \
    kinds/cmyk.jpg kinds/grey.jpg kinds/progressive.jpg)"

# The longest and thinnest.
for size in 1x3000 3000x1 2x1000 1x1; do
    mien-squares $size >thin.jpg
    mien-images -q thin.jpg >thin.mien
    exits "a photograph of $size pixels" 0 sh -c 'mien-detect --keep-empty squares.model <thin.mien >out'
done

# One with a score of 1 is sure of a bright cell, and takes it as it is, while looking again would show
# it smaller, and thus darker.
squares_detector sure.model '\0\0\200\072' '\0\0\0\302' # 1/1024, -32
mien-squares 64x64 24,24,8 >cell.jpg
mien-images -q cell.jpg >cell.mien
looks() { mien-detect -q --keep-empty --min-size 8 "$@" <cell.mien | mien-view -Hc faces,box; }
is 'what is not sure is looked at again' "$(looks squares.model)" '0	'
is 'what is sure is not' "$(looks sure.model)" '1	20,20,36,36'
is 'unless more is asked for' "$(looks --min-score 1 sure.model)" '0	'

# What is kept.
ids() { detect -q "$@" | mien-view -qHc id | sed 's,photos/,,' | tr '\n' ' '; }
is '--largest' "$(ids --largest)" 'one.jpg#1 turned.jpg#1 two.jpg#1 '
is '--max-faces' "$(ids --max-faces 2)" 'one.jpg#1 turned.jpg#1 two.jpg#1 two.jpg#2 '
is '--min-size' "$(ids --min-size 35)" ''
is '--min-score' "$(ids --min-score 1)" ''
is '--keep-empty' "$(ids --keep-empty)" 'none.jpg one.jpg#1 turned.jpg#1 two.jpg#1 two.jpg#2 '
detect -q --keep-empty | mien-view -r -s 'faces == 0' >empty.mien
is 'an empty photograph is as it was' "$(mien-view --json --full empty.mien | sed 's/,"faces":0//')" \
    "$(mien-images -q photos/none.jpg | mien-view --json --full)"
mien-detect -q --keep-empty squares.model <faces.mien >again.mien
is 'faces can be found again' "$(mien-view -Hc id again.mien | sed -n '$p')" 'photos/two.jpg#2#2'
mien-detect -q --keep-empty --min-score 1 squares.model <faces.mien >gone.mien
is 'what was known of other faces goes' "$(mien-view --count -s '!score && !box && faces == 0' gone.mien)" 4
printf 'path,age,gender,box\nphotos/one.jpg,30,female,1 2 3 4\n' >labels.csv
mien-meta -q labels.csv | mien-images -q -m - photos/one.jpg | mien-detect -q squares.model >labelled.mien
is 'labels go along, another box does not' "$(mien-view -Hc age,gender labelled.mien)" "$(printf '30\tfemale')"
ok 'the box is the new one' sh -c 'mien-view -Hc box labelled.mien | grep -q "^3"'

# Where the model lies when none is named.
exits 'no model anywhere' 2 sh -c 'MIEN_MODELS=nowhere MIEN_SHARE= XDG_DATA_DIRS=no:where mien-detect <photos.mien'
like 'is said' "$(cat err)" "^mien-detect: cannot open 'detect.model': No such file.*; mien-models fetches it$"
mien-detect -q squares.model <photos.mien >named.mien
# found FOLDER VARIABLE=VALUE...: it is taken from there.
found() {
    mkdir -p "$1" && cp squares.model "$1/detect.model"
    ok "it is found in $1" sh -c 'unset MIEN_MODELS XDG_CACHE_HOME; shift
        env "$@" mien-detect -q <photos.mien | cmp - named.mien' - "$@"
    rm "$1/detect.model"
}
found models MIEN_MODELS=models
found cache/mien XDG_CACHE_HOME=cache
found home/.cache/mien HOME=home
found share/models MIEN_MODELS=models MIEN_SHARE=share
found data/mien/models MIEN_MODELS=models MIEN_SHARE= XDG_DATA_HOME=data
found data/mien/models MIEN_MODELS=models MIEN_SHARE= XDG_DATA_DIRS=other:data
found . MIEN_MODELS=models
exits 'two models' 2 sh -c 'mien-detect squares.model squares.model <photos.mien'

# Bad records cost themselves alone.
mkdir bad && cp photos/one.jpg bad/good.jpg
printf 'GIF89a and so on' >bad/a.gif
head -c 700 photos/two.jpg >bad/cut.jpg
echo rubbish >bad/text.jpg
mien-images -q bad 2>images.err >bad.mien
mien-fake 1 >>bad.mien
exits 'bad records are told by the status' 1 sh -c 'mien-detect squares.model <bad.mien'
is 'the good one is found' "$(mien-view -qHc id -s '!error' out)" bad/good.jpg#1
like 'another format is named' "$(cat err)" "^mien-detect: record 1 \(bad/a.gif\): GIF isn't decoded; convert it first: .*$"
# format NAME BYTES...: a file that begins so is refused by its name, whatever its own name says.
format() {
    # shellcheck disable=SC2059 # the bytes are a format
    { printf "$2"; head -c 100 /dev/zero; } >other.jpg
    mien-images -q other.jpg | mien-detect -q squares.model 2>&1 >out |
        grep -Eqx "mien-detect: record 1 \(other.jpg\): $1 isn't decoded; convert it first: $3"
}
ok 'so is GIF' format GIF 'GIF89a' "convert 'FILE\[0\]' FILE.png"
ok 'and BMP' format BMP 'BM\0\1\0\0\0\0\0\0\66\0\0\0' 'convert FILE FILE.png'
ok 'and TIFF' format TIFF 'II*\0\10\0\0\0' "convert 'FILE\[0\]' FILE.png"
ok 'and JPEG XL' format JXL '\377\12\372\37' 'djxl FILE FILE.png'
like 'a cut file is damaged' "$(cat err)" '^mien-detect: record 2 \(bad/cut.jpg\): damaged JPEG: cut short$'
like 'labels have no image' "$(cat err)" 'no image in the record$'
exits 'with --tolerant a cut file is looked at' 1 sh -c 'mien-detect --tolerant squares.model <bad.mien'
is 'and has no error' "$(mien-view -q --count -s 'error && id == "bad/cut.jpg"' out)" 0
exits '--strict' 2 sh -c 'mien-detect --strict squares.model <bad.mien'
exits '--max-pixels' 1 sh -c 'mien-detect --max-pixels 9K squares.model <photos.mien'
is 'refuses the large' "$(grep -c 'more than the limit' err)" 3

# Models and options that won't do.
filter_contract mien-detect photos.mien squares.model
mien-fake 0 | mien-detect squares.model >out 2>err
is 'an empty segment stays one' "$(mien-view --count out)" 0
exits 'an absent model' 2 mien-detect absent.model
like 'is named' "$(cat err)" "'absent.model'"
printf 'input 8x8x3\ngap gap\ngender dense 2\n' >other.net
mien-net -q --new -o other.model other.net
exits 'another network' 2 sh -c 'mien-detect other.model <photos.mien'
is 'is none for this' "$(cat err)" \
    "mien-detect: 'other.model': not a face detector: its outputs aren't scores and boxes"
for args in '-s 1.5' '-z -1' '-n 0' '-n x'; do
    # shellcheck disable=SC2086
    exits "wrong: $args" 2 mien-detect $args squares.model
done

finish
