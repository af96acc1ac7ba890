#!/bin/sh
# mien-detect on photographs of people, with the pretrained network: both where they are there.
. "$(dirname "$0")/../lib.sh"

net=$MODELS/blazeface.json
[ -e "$net" ] || { skip 'real faces' "no $net"; finish; exit; }
exits 'the network is imported' 0 mien-import -o detect.model "$net"
like 'and recognised' "$(cat err)" 'as a face detector'

# The group photographs of mien-models: faces counted by eye, and where their noses are.
# A find is right when a nose lies in its box, and no other find has it.
cat >noses <<'END'
sample1.jpg 458 513
sample1.jpg 910 583
sample1.jpg 1538 340
sample2.jpg 372 290
sample2.jpg 985 405
sample2.jpg 1530 320
sample3.jpg 662 490
sample3.jpg 1142 392
sample3.jpg 1612 470
sample4.jpg 388 350
sample4.jpg 705 200
sample4.jpg 1025 335
sample4.jpg 1310 290
sample5.jpg 480 1045
sample5.jpg 737 560
sample5.jpg 885 240
sample5.jpg 1180 325
sample5.jpg 1475 575
sample6.jpg 375 660
sample6.jpg 715 525
sample6.jpg 1220 450
sample6.jpg 1505 445
END
if [ -e "$MODELS/sample1.jpg" ]; then
    mien-images -q "$MODELS"/sample[1-6].jpg | mien-detect -q detect.model >groups.mien
    mien-view -Hc id,box groups.mien | sed 's,.*/,,; s/#[0-9]*//' | tr ',\t' '  ' >found
    awk 'NR == FNR { file[NR] = $1; x[NR] = $2; y[NR] = $3; n = NR; next }
        { hit = 0
          for (i = 1; i <= n && !hit; i++)
              hit = file[i] == $1 && !seen[i] && x[i] > $2 && x[i] < $4 && y[i] > $3 && y[i] < $5
          if (hit) seen[i - 1] = ++right; else wrong++ }
        END { print right + 0, n, wrong + 0 }' noses found >result
    read -r right all wrong <result
    echo "# $right of $all faces in the group photographs, $wrong false"
    ok 'nine faces in ten of groups are found' test $((10 * right)) -ge $((9 * all))
    ok 'and at most one that is none' test "$wrong" -le 1

    # As PNGs they have the same faces, although a JPEG is made smaller while it is decoded and a PNG
    # afterwards, so that many pixels differ by one.
    mkdir png
    for jpg in "$MODELS"/sample[1-6].jpg; do
        name=${jpg##*/}
        djpeg -pnm "$jpg" | pnmtopng -compression 1 >"png/${name%.jpg}.png" 2>err
    done
    mien-images -q png | mien-detect -q detect.model | mien-view -Hc id,box |
        sed 's,.*/,,; s/#[0-9]*//; s/png/jpg/' | tr ',\t' '  ' >found.png
    is 'PNGs have as many faces' "$(cut -d' ' -f1 found.png)" "$(cut -d' ' -f1 found)"
    is 'at the same places' "$(awk '
        NR == FNR { box[FNR] = $0; file[FNR] = $1; n = FNR; next }
        { best = 1e9
          for (i = 1; i <= n; i++) {
              if (file[i] != $1) continue
              split(box[i], b, " "); off = 0
              for (k = 2; k <= 5; k++) { d = $k - b[k]; if (d < 0) d = -d; if (d > off) off = d }
              if (off < best) best = off
          }
          if (best > 1) print }' found found.png)" ''

    # And the same ages from the same boxes, in crops with so much margin that JPEGs are decoded at
    # half their size. From boxes of their own ages differ a bit more: the detector answers to the
    # last bit of a pixel, and the age to the place.
    if [ -e "$MODELS/face.model" ]; then
        mien-view -Hc id,box groups.mien | sed 's,.*/,,; s/#[0-9]*//' | tr ',' '\t' |
            { printf 'path\tx1\ty1\tx2\ty2\n'; cat; } >boxes.tsv
        # ages FOLDER: of the faces in its photographs.
        ages() {
            mien-meta -q boxes.tsv | mien-images -qm - --match stem "$1"/sample[1-6].* |
                mien-crop -q --margin 1 --size 224 | mien-predict -q --force "$MODELS/face.model" 2>err |
                mien-view -Hc pred_age
        }
        ages "$MODELS" >jpg.ages
        ages png >png.ages
        is 'each face has an age, in both' "$(wc -l <jpg.ages) $(wc -l <png.ages)" "$(wc -l <found) $(wc -l <found)"
        is 'the same within 0.2 years' "$(paste jpg.ages png.ages |
            awk '{ d = $1 - $2; if (d < -0.2 || d > 0.2) print }')" ''
    else
        skip 'ages of PNGs' "no $MODELS/face.model"
    fi

    # The one command that does it all.
    cp "$MODELS/sample3.jpg" "$MODELS/sample6.jpg" .
    MIEN_MODELS=$MODELS
    export MIEN_MODELS
    photos=$ROOT/scripts/mien-photos
    exits 'mien-photos' 0 "$photos" -o sheet.jpg sample3.jpg sample6.jpg
    is 'prints a line for each face' "$(awk '/female/ && $3 > 10 && $3 < 60 {print $1, $2}' out)" \
        "$(printf 'sample3.jpg %s\n' 1 2 3; printf 'sample6.jpg %s\n' 1 2 3 4)"
    said=$(awk '$1 == "sample3.jpg" { p = $6; gsub(/[>%]/, "", p); print $2, (p + 0 >= 96 ? $5 : "-"), "-" }' out)
    exits 'it leaves unsaid what it is not sure of' 0 "$photos" --reject 0.96,1 -o sheet.jpg sample3.jpg
    is 'and says the rest' "$(awk '$1 == "sample3.jpg" { print $2, $4, $3 }' out)" "$said"
    like 'which is one of the three' "$said" female
    ok 'and draws them' sh -c 'mien-images -q sheet.jpg | mien-crop -q --box whole | mien-view --count -s pixels | grep -q 1'
    exits 'as JSON' 0 "$photos" --json sample3.jpg
    like 'with the same intervals' "$(cat out)" '^{"photograph":"sample3.jpg","faces":\[{"face":1,"box":\[[0-9.,]*\],"age":3[0-9.]*,"age_80":\[[0-9]+,[0-9]+\],"gender":"female","probability":0\.9[0-9]*}.*"face":3,.*}\]}$'
    cp sample3.jpg 'x#7.jpg'
    is 'a name with a hash is a name' "$("$photos" 'x#7.jpg' | cut -c1-12 | tail -n +2)" "$(printf 'x#7.jpg     \n%.0s' 1 2 3)"
else
    skip 'group photographs' "no $MODELS/sample1.jpg"
fi

# Portraits of one face each, alone and tiled.
if [ -e "$DATA/portraits.tar" ]; then
    mien-images -q "$DATA/portraits.tar" >portraits.mien
    mien-detect -q --keep-empty detect.model <portraits.mien >faces.mien
    one=$(mien-view --count -s 'faces == 1' faces.mien)
    echo "# $one of 100 portraits have one face; the others:" "$(mien-view -Hc id,faces -s 'faces != 1' faces.mien | tr '\n\t' ' :')"
    ok 'one face in 97 of 100 portraits' test "$one" -ge 97

    mien-view -Hc id,box -s box faces.mien | sed 's,.*/,,; s/.jpg#[0-9]*//' | tr ',\t' '  ' >single
    mien-view -Hc id portraits.mien | sed 's,.*/,,; s/.jpg//' >order
    # tiled SIZE COLUMNS: the portraits, which have 500 pixels, as tiles of SIZE, in the order of the
    # archive, on sheets of COLUMNS by COLUMNS.
    tiled() {
        rm -f sheet*.jpg
        mien-crop -q --box whole <portraits.mien | mien-resize -q "$1" | mien-tile -n "$2" sheet
        mien-images -q sheet?.jpg | mien-detect -q detect.model | mien-view -Hc id,box |
            sed 's/sheet//; s/.jpg#[0-9]*//' | tr ',\t' '  ' >tiled
        awk -v size="$1" -v columns="$2" '
            FILENAME == "order" { at[$1] = FNR - 1; next }
            FILENAME == "single" {
                k = at[$1] % columns ^ 2; s = int(at[$1] / columns ^ 2) + 1; n++
                sheet[n] = s
                for (i = 0; i < 4; i++)
                    box[n, i] = $(i + 2) * size / 500 + size * (i % 2 ? int(k / columns) : k % columns)
                next
            }
            function shared(a, b, c, d) { return (b < d ? b : d) - (a > c ? a : c) }
            {
                best = 0
                for (j = 1; j <= n; j++) {
                    if (sheet[j] != $1) continue
                    w = shared($2, $4, box[j, 0], box[j, 2]); h = shared($3, $5, box[j, 1], box[j, 3])
                    if (w <= 0 || h <= 0) continue
                    iou = w * h / (($4 - $2) * ($5 - $3) + (box[j, 2] - box[j, 0]) * (box[j, 3] - box[j, 1]) - w * h)
                    if (iou > best) { best = iou; who = j }
                }
                if (best > 0.3 && !seen[who]++) { right++; sum += best } else wrong++
            }
            END { print right + 0, wrong + 0, int(1000 * sum / right) }' order single tiled >result
        read -r right wrong iou <result
        echo "# $right of 100 portraits as tiles of $1 pixels, $wrong false, mean overlap with the single one 0.$iou"
        ok "95 of 100 portraits are found as tiles of $1 pixels" test "$right" -ge 95
        ok 'where they are' test "$iou" -ge 600
        ok 'and hardly any that is none' test "$wrong" -le 2
    }
    tiled 200 5
    tiled 100 20 # small enough for the finest level, in parts of the sheet
else
    skip 'portraits' "no $DATA/portraits.tar"
fi

finish
