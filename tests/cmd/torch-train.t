#!/bin/sh
# Training against PyTorch: the losses that scripts/peers/torch-train got from it, in double precision,
# for 20 steps of Adam and of SGD from the same weights on the same batches, and the loss over all
# records afterwards. Both start from what mien-net and mien-fake make of a seed.
. "$(dirname "$0")/../lib.sh"

vectors=$ROOT/tests/data/torch-train.tsv
TOLERANCE=1e-3 # relative

sed 1d "$vectors" | cut -f 1-5 | uniq >trainings
while read -r network size width optimiser lr; do
    sed 's/ dropout .*/ dropout 0/' "$ROOT/networks/$network.net" |
        mien-net --new --mean 127.5 --scale 0.0078431 --size "$size" --width "$width" -o x.model -
    mien-fake --pixels "${size}x$size" 32 | mien-pack -q -o x.pack
    name="$network of width $width at $size, $optimiser at $lr"
    exits "$name" 0 mien-steps -e 5 -b 8 -o "$optimiser" -l "$lr" x.model x.pack
    awk -v OFS='\t' -v want="$network $optimiser" '$1 " " $4 == want { print $6, $7 }' "$vectors" >want
    ok "$name: every loss as PyTorch's" awk -v most=$TOLERANCE '
        NR == FNR { want[$1] = $2; left++; next }
        { off = $2 / want[$1] - 1; left--
          if (!(off <= most && off >= -most)) { print "step", $1 ": " $2 ", not " want[$1]; bad = 1 } }
        END { exit bad || left != 0 || NR < 42 }' want out
done <trainings
is 'two trainings of three networks' "$(wc -l <trainings | tr -d ' ')" 6
finish
