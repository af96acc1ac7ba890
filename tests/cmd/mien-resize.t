#!/bin/sh
# mien-resize: sizes, filters, what is noted, what is refused.
. "$(dirname "$0")/../lib.sh"

# bytes FILE: the pixels of the first record.
bytes() {
    mien-view -f json --full -n 1 -c pixels "$1" | sed 's/.*"base64":"//;s/".*//' | base64 -d
}

mien-fake 7 --pixels 20x30 >p.mien
filter_contract mien-resize p.mien 8

exits 'pixels are resized' 0 sh -c 'mien-resize 24 <p.mien >o.mien'
is 'to a square' "$(mien-view -Hc pixels o.mien | uniq -c | tr -s ' ')" " 7 24x24x3"
is 'and the preprocessing says so' "$(mien-view -Hc prep o.mien | uniq)" \
    "crop=whole size=24x24 filter=triangle"
is 'everything else stays' "$(mien-view -c id,subject,age,gender,box o.mien)" \
    "$(mien-view -c id,subject,age,gender,box p.mien)"
is 'height comes first' "$(mien-resize 6x9 <p.mien | mien-view -n 1 -Hc pixels)" 6x9x3
is 'another filter' "$(mien-resize --filter lanczos3 8 <p.mien | mien-view -n 1 -Hc prep)" \
    "crop=whole size=8x8 filter=lanczos3"
mien-resize -j 1 24 <p.mien >o1.mien
mien-resize -j 4 24 <p.mien >o4.mien
ok 'the same with one worker' cmp o.mien o1.mien
ok 'and with four' cmp o.mien o4.mien
mien-resize 20x30 <p.mien >same.mien
bytes p.mien >a; bytes same.mien >b
ok 'pixels of that size stay' cmp a b
mien-resize --filter box 10x15 <p.mien >half.mien
bytes half.mien | od -An -tu1 -N1 | tr -d ' ' >got
# The first value is the mean of four.
od -An -v -tu1 -w1 a | awk 'NR == 1 || NR == 4 || NR == 91 || NR == 94 { s += $1 }
    END { print int((s + 2) / 4) }' >want
ok 'box filtering is averaging' cmp want got
for f in box triangle lanczos3; do mien-resize --filter $f 11 <p.mien >$f.mien; done
mien-resize -f box 11 <p.mien >former.mien
ok '-f, the former name of --filter' cmp box.mien former.mien
exits 'filters differ' 1 cmp -s box.mien triangle.mien
exits 'all of them' 1 cmp -s triangle.mien lanczos3.mien

for bad in 0 -5 8x 8x0 x 16385 8x8x8 12.5 ''; do
    # shellcheck disable=SC2016
    exits "'$bad' is no size" 2 sh -c 'mien-resize -- "$0" <p.mien' "$bad"
    is 'and said so' "$(cat err)" \
        "mien-resize: '$bad' is not a size: N or HEIGHTxWIDTH, each 1 to 16384"
done
exits 'no size' 2 sh -c 'mien-resize <p.mien'
is 'is said' "$(cat err)" 'mien-resize: missing operand: SIZE, such as 224; see mien-resize --help'
exits 'a file as operand' 2 mien-resize 8 p.mien
is 'is told where records come from' "$(cat err)" "mien-resize: unexpected operand 'p.mien': records are \
read from standard input (< p.mien); see mien-resize --help"
exits 'a dash for standard input' 0 sh -c 'mien-resize 24 - <p.mien'
ok 'is accepted' cmp out o.mien
exits 'an unknown filter' 2 sh -c 'mien-resize --filter cubic 8 <p.mien'
exits 'more than a record holds' 2 sh -c 'mien-resize 16384 <p.mien'

mien-fake 2 --image >i.mien
exits 'images have no pixels yet' 1 sh -c 'mien-resize 8 <i.mien >out'
like 'which mien-crop makes' "$(cat err)" \
    '^mien-resize: record 1 \(.*\): an encoded image but no pixels; mien-crop decodes it$'
exits 'nothing to resize' 1 sh -c 'mien-fake 1 | mien-resize 8 >out'
like 'is said' "$(cat err)" 'record 1 .*: no pixels in the record$'
mien-fake 0 >none.mien
exits 'no records are a stream' 0 sh -c 'mien-resize 8 <none.mien >out'
ok 'of none' cmp none.mien out

# The page's example, and a pipe from images.
is 'smaller pixels from larger ones' \
    "$(mien-resize --filter box 12 <o.mien | mien-view -n 1 -Hc pixels,prep)" \
    "12x12x3	crop=whole size=12x12 filter=box"
is 'after mien-crop' "$(mien-crop <i.mien | mien-resize 112 | mien-view -n 1 -Hc pixels,prep)" \
    "112x112x3	crop=box margin=0.4 size=112x112 filter=triangle"

finish
