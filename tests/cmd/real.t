#!/bin/sh
# Real labels, archives and networks, each where it is there: $DATA and $MODELS say where.
. "$(dirname "$0")/../lib.sh"

# there NAME FILE: skips when the file is absent.
there() {
    [ -e "$2" ] || { skip "$1" "no $2"; return 1; }
}

# IMDB-WIKI's own counts, rule by rule.
if there 'labels of Wikipedia' "$DATA/wiki.mat"; then
    exits 'labels of Wikipedia' 0 mien-meta "$DATA/wiki.mat"
    mv out wiki.mien
    is 'the rule keeps' "$(awk '{print $(NF - 1)}' err | tr '\n' ' ')" '62328 42993 38923 38874 38138 '
    is 'as many records' "$(mien-view --count wiki.mien)" 38138
    # shellcheck disable=SC2002
    is 'the same from a pipe' "$(cat "$DATA/wiki.mat" | mien-meta -q | cksum)" "$(cksum <wiki.mien)"
    is 'all of them' "$(mien-meta -q --all "$DATA/wiki.mat" | mien-view --count)" 62328
fi

# UTKFace: labels in the names.
if there 'faces of UTKFace' "$DATA/utkface.tar"; then
    tar tf "$DATA/utkface.tar" | sed -n 's|.*/\([0-9]*\)_\([01]\)_[0-4]_.*|\1 \2|p' >names
    mien-images -q "$DATA/utkface.tar" >faces.mien
    is 'faces of UTKFace' "$(mien-view --count faces.mien)" 18680
    mien-meta -q --names utkface <faces.mien >named.mien
    is 'their ages and genders are those of the names' \
        "$(mien-view -Hc age,gender named.mien | sort | uniq -c)" \
        "$(awk '$1 <= 100 {print $1 "\t" ($2 == 0 ? "male" : "female")}' names | sort | uniq -c)"
    mien-split -q --by content --seed 1 80/10/10 train.mien val.mien test.mien <named.mien
    is 'no face gets lost in parts' "$(mien-view --count train.mien val.mien test.mien)" \
        "$(mien-view --count named.mien)"
    mien-view -r -n 100 -s "age >= 20" test.mien | mien-crop -q --box whole | mien-resize -q 224 >pixels.mien
    is 'they are decoded' "$(mien-view -Hc pixels pixels.mien | sort | uniq -c | tr -s ' ')" ' 100 224x224x3'
    if there 'a network for real faces' "$MODELS/faceres.json"; then
        exits 'a network for real faces' 0 mien-import -q -o face.model "$MODELS/faceres.json"
        mien-predict -q face.model <pixels.mien | mien-score -q -f tsv >score.tsv
        ok 'guesses nine genders in ten' awk '$3 == "gender_accuracy" {good = $5 > 0.9} END {exit !good}' score.tsv
        mien-predict -q face.model <pixels.mien | mien-view -Hc pred_age >floats.tsv
        mien-predict -q --int8 face.model <pixels.mien | mien-view -Hc pred_age >int8.tsv
        ok 'ages in eight bits are a year or less off' sh -c 'paste floats.tsv int8.tsv | awk "
            { d = \$1 - \$2; square += d * d } END { exit !(NR == 100 && square > 0 && square / NR < 1) }"'
        if mien-predict -q --bf16 face.model <pixels.mien >bf16.mien; then
            mien-view -Hc pred_age bf16.mien >bf16.tsv
            ok 'ages in bfloat16 are a few hundredths of a year off' sh -c 'paste floats.tsv bf16.tsv | awk "
                { d = \$2 - \$1; sum += d; size += d < 0 ? -d : d }
                END { exit !(NR == 100 && size > 0 && size / NR < 0.06 && sum * sum / NR / NR < 0.02 * 0.02) }"'
        fi
    fi
fi

# Portraits, one face each.
if there 'portraits' "$DATA/portraits.tar"; then
    exits 'portraits' 0 sh -c 'mien-images -q "$DATA/portraits.tar" | mien-crop --box whole --for 64 >p.mien'
    is 'all of them' "$(mien-view --count -s pixels p.mien)" 100
fi

finish
