#!/bin/sh
# mien-crop: crops of images, whole and by box, at full and reduced scale; bad images and boxes.
. "$(dirname "$0")/../lib.sh"

# bytes FILE FIELD: the bytes of a field of the first record.
bytes() {
    mien-view --json --full -n 1 -c "$2" "$1" | sed 's/.*"base64":"//;s/".*//' | base64 -d
}

mien-fake 5 --image >i.mien
filter_contract mien-crop i.mien
filter_contract mien-crop i.mien --box whole --for 16

# What goes and what comes. The boxes are 40 pixels, 72 with their margins.
exits 'faces are cut out' 0 sh -c 'mien-crop <i.mien >c.mien'
is 'as squares of the box with its margins' "$(mien-view -Hc pixels c.mien | uniq -c | tr -s ' ')" \
    " 5 72x72x3"
is 'the preprocessing is noted' "$(mien-view -Hc prep c.mien | uniq)" "crop=box margin=0.4"
is 'the image goes' "$(mien-view -s 'image || image_kind' --count c.mien)" 0
is 'unless it is kept' "$(mien-crop -q --keep <i.mien | mien-view -s 'image_kind && pixels' --count)" 5
is 'everything else stays' "$(mien-view -c id,subject,age,gender,birth,box,score c.mien)" \
    "$(mien-view -c id,subject,age,gender,birth,box,score i.mien)"
is 'another margin' "$(mien-crop -q --margin 0.1 <i.mien | mien-view -n 1 -Hc pixels,prep)" \
    "48x48x3	crop=box margin=0.1"
is 'the central share' "$(mien-crop -q --margin 0 --inner 0.5 <i.mien | mien-view -n 1 -Hc pixels,prep)" \
    "20x20x3	crop=box margin=0 inner=0.5"
is 'the whole image' "$(mien-crop -q --box whole <i.mien | mien-view -n 1 -Hc pixels,prep)" \
    "64x64x3	crop=whole"
is 'no finer than needed' "$(mien-crop -q --box whole --for 12x16 <i.mien | mien-view -n 1 -Hc pixels)" 16x16x3
is 'but not coarser' "$(mien-crop -q --box whole --for 17 <i.mien | mien-view -n 1 -Hc pixels)" 32x32x3
for how in '--box whole' '--margin 0.1' '--box whole --keep'; do
    for size in 24 9x16 64; do
        # shellcheck disable=SC2086
        mien-crop -q $how --for $size <i.mien | mien-resize $size >two.mien
        # shellcheck disable=SC2086
        exits "a size: $how --size $size" 0 sh -c "mien-crop $how --size $size <i.mien >one.mien"
        ok 'the same as by mien-resize' cmp one.mien two.mien
    done
done
mien-crop -q --for 24 <i.mien | mien-resize -f lanczos3 24 >two.mien
mien-crop -q --size 24 --filter lanczos3 <i.mien >one.mien
ok 'with another filter too' cmp one.mien two.mien
mien-crop -q -j 1 <i.mien >c1.mien
mien-crop -q -j 4 <i.mien >c4.mien
ok 'the same with one worker' cmp c.mien c1.mien
ok 'and with four' cmp c.mien c4.mien
mien-crop -q --box whole <i.mien >w.mien
bytes w.mien pixels >w
bytes c.mien pixels >c
# Its box begins at 14,9, so the crop begins 16 pixels before, at -2,-7.
is 'where the first box is' "$(mien-view -n 1 -Hc box i.mien)" 14,9,54,49
tail -c +$((23 * 64 * 3 + 1)) w | head -c 192 >want
tail -c +$(((30 * 72 + 2) * 3 + 1)) c | head -c 192 >got
ok "the crop's row 30 is the image's row 23" cmp want got
tail -c +$((30 * 72 * 3 + 1)) c | head -c 9 >got
{ head -c 3 want; head -c 3 want; head -c 3 want; } >left
ok 'its first pixel repeated to the left' cmp left got

# Bad options.
exits 'an argument is refused' 2 sh -c 'mien-crop i.mien <i.mien'
exits 'a bad size is refused' 2 sh -c 'mien-crop --for 12x <i.mien'
exits 'a size too large for a record is refused' 2 sh -c 'mien-crop --size 16000 <i.mien'
is 'and said so' "$(cat err)" 'mien-crop: 16000x16000: more pixels than a record holds'
exits 'two sizes are refused' 2 sh -c 'mien-crop --size 24 --for 24 <i.mien'
is 'and said so' "$(cat err)" 'mien-crop: --size and --for exclude each other'
exits 'a filter without a size is refused' 2 sh -c 'mien-crop --filter box <i.mien'
is 'and said so' "$(cat err)" 'mien-crop: --filter needs --size SIZE'
exits 'so are images of at most no pixel' 2 sh -c 'mien-crop --max-pixels 0 <i.mien'
is 'and said so' "$(cat err)" "mien-crop: --max-pixels: '0' is less than 1; see mien-crop --help"
exits 'a negative margin is refused' 2 sh -c 'mien-crop --margin=-1 <i.mien'
exits 'a margin around the whole is refused' 2 sh -c 'mien-crop --box whole --margin 1 <i.mien'
is 'and said so' "$(cat err)" 'mien-crop: --box whole and --margin exclude each other'

exits '--align takes no stored boxes' 2 sh -c 'mien-crop --align --stored <i.mien'
is 'and says so' "$(cat err)" 'mien-crop: --align and --stored exclude each other'
exits 'nor whole images' 2 sh -c 'mien-crop --align --box whole <i.mien'
exits 'records without landmarks are not aligned' 1 sh -c 'mien-crop --align <i.mien'
is 'each says so' "$(grep -c 'no landmarks to align by; mien-detect finds them$' err)" 5

# Bad images, and good ones among them, in a folder.
mkdir photos
bytes i.mien image >photos/a.jpg
size=$(wc -c <photos/a.jpg)
head -c $((size * 2 / 3)) photos/a.jpg >photos/cut.jpg
printf 'GIF89a and so on' >photos/p.gif
# damaged BYTE: a.jpg with five bytes changed.
damaged() {
    head -c "$1" photos/a.jpg
    printf '\377\377\377\000\377'
    tail -c +$(($1 + 6)) photos/a.jpg
}
damaged $((size / 2)) >photos/z.jpg
mien-images -q photos >photos.mien
exits 'bad images make bad records' 1 sh -c 'mien-crop --box whole <photos.mien >out.mien'
like 'cut short' "$(cat err)" '^mien-crop: record [0-9]+ \(.*cut.jpg\): damaged JPEG: cut short$'
like 'GIF' "$(cat err)" "^mien-crop: record [0-9]+ \(.*p.gif\): GIF isn't decoded; convert it first: convert .*png$"
like 'damaged' "$(cat err)" '^mien-crop: record [0-9]+ \(.*z.jpg\): damaged JPEG: .*'
is 'a line for each, and a summary' "$(wc -l <err) $(tail -n 1 err)" \
    '4 mien-crop: records: 4, cropped: 1, bad: 3'
is 'they are passed on with the error' "$(mien-view -qHc id -s error out.mien)" \
    "$(printf '%s\n' photos/cut.jpg photos/p.gif photos/z.jpg)"
is 'and without pixels' "$(mien-view --count -s 'error && pixels' out.mien)" 0
is 'the good one is whole' "$(mien-view -Hc pixels -s '!error' out.mien)" 64x64x3
mien-view -r -s error out.mien >bad.mien
exits 'errors pass through' 0 sh -c 'mien-crop --box whole <bad.mien >again.mien'
ok 'unchanged' cmp bad.mien again.mien
exits '--strict stops' 2 sh -c 'mien-crop --box whole --strict <photos.mien'
exits '--tolerant keeps what there is' 1 sh -c 'mien-crop --box whole --tolerant <photos.mien >t.mien'
is 'of damaged ones' "$(mien-view --count -s 'pixels' t.mien)" 3
like 'and says how many' "$(cat err)" '^mien-crop: used what could be decoded of 2 damaged images$'
bytes t.mien pixels | head -c $((20 * 64 * 3)) >got # a.jpg comes first
head -c $((20 * 64 * 3)) w >want
ok 'leaving others alone' cmp want got
mien-view -r -s 'id == "photos/cut.jpg"' t.mien >cut.mien
bytes cut.mien pixels | head -c $((14 * 64 * 3)) >got
head -c $((14 * 64 * 3)) w >want
ok 'the rows before the cut are right' cmp want got
exits 'too many pixels are refused' 1 sh -c 'mien-crop --box whole --max-pixels 4095 <i.mien'
like 'and counted' "$(cat err)" 'record 1 .*: JPEG of 64 x 64 pixels, more than the limit of 4095$'
exits 'as many as allowed are not' 0 sh -c 'mien-crop --box whole --max-pixels 4096 <i.mien >out'

# Boxes.
meta() {
    printf 'path,age,gender,box\n%s\n' "$1" >t.csv
    mien-meta -q t.csv | mien-images -q -m - photos/a.jpg
}
exits 'no box' 1 sh -c 'mien-images -q photos/a.jpg | mien-crop'
like 'points to --box whole' "$(cat err)" 'no face box; --box whole takes the whole image$'
meta 'a.jpg,20,f,"70 5 90 20"' >m.mien
exits 'a box outside' 1 sh -c 'mien-crop <m.mien'
like 'is said with the image'\''s size' "$(cat err)" \
    'the face box 70,5,90,20 lies outside the image of 64 x 64 pixels$'
meta 'a.jpg,20,f,"-4000 -4000 4000 4000"' >m.mien
exits 'a huge crop' 1 sh -c 'mien-crop <m.mien'
like 'is more than a record holds' "$(cat err)" 'the crop of 14400 x 14400 pixels is more than'
exits 'unless it is reduced' 0 sh -c 'mien-crop --for 100 <m.mien >out'
is 'as far as it goes' "$(mien-view -Hc pixels out)" 1800x1800x3

# Several crops of one image share its decoding: each is what it would be alone. The last image is
# damaged, so that only what lies above that can be cut, unless it is tolerated.
cp photos/a.jpg a.jpg
damaged $((size * 3 / 4)) >y.jpg
for photo in a y; do
    for box in '2 2 20 20' '40 1 60 9' '30 10 62 40' '3 50 23 63' '70 5 90 20'; do
        printf 'path,age,gender,box\n%s.jpg,20,f,"%s"\n' $photo "$box" >t.csv
        mien-meta -q t.csv | mien-images -q -m - $photo.jpg >one.mien
        cat one.mien >>all.mien
        for how in '--margin 0' '--margin 0 --for 8' '--margin 0.5 --size 8' '--margin 0 --tolerant'; do
            # shellcheck disable=SC2086
            mien-crop -q $how <one.mien 2>>"alone$how.err" | mien-view --json --full >>"alone$how"
        done
    done
done
for how in '--margin 0' '--margin 0 --for 8' '--margin 0.5 --size 8' '--margin 0 --tolerant'; do
    exits "crops of one image: $how" 1 sh -c "mien-crop -q $how <all.mien >together.mien"
    mien-view --json --full together.mien >together
    ok 'are those that are made alone' cmp "alone$how" together
    is 'with the same messages' "$(sed 's/record [0-9]*//' err)" "$(sed 's/record [0-9]*//' "alone$how.err")"
done
is 'those above the damage are cut' "$(mien-crop -q --margin 0 <all.mien 2>err | mien-view -q --count -s pixels)" 6

# The orientation: a quarter turn, as cameras note it.
{ head -c 2 photos/a.jpg
  printf '\377\341\000\042Exif\000\000MM\000*\000\000\000\010\000\001\001\022\000\003\000\000\000\001\000\006\000\000\000\000\000\000'
  tail -c +3 photos/a.jpg; } >turned.jpg
mien-images -q turned.jpg | mien-crop -q --box whole >turned.mien
bytes turned.mien pixels >got
# Upright pixel (x, y) is stored pixel (y, 63 - x): the last column, upwards, is the last row.
tail -c 3 got >a; tail -c 3 w >b
ok 'the lower right corner is the last pixel of the first stored row' \
    sh -c 'head -c 192 w | tail -c 3 | cmp - a'
ok 'the upper left one is the first of the last row' \
    sh -c 'head -c 3 got >x; tail -c 192 w | head -c 3 | cmp - x'
printf 'path,age,gender,box\nturned.jpg,20,f,"0 44 20 64"\n' >t.csv
mien-meta -q t.csv | mien-images -q -m - turned.jpg >m.mien
mien-crop -q --margin 0 --stored <m.mien >s.mien
bytes s.mien pixels | head -c 3 >a
ok 'a stored box is turned with the image' sh -c 'head -c 3 got | cmp - a'

# Pixels and image together may be more than a record holds.
mien-squares 590x590 >large.jpg
mien-squares 20x20 >small.jpg
mien-images -q large.jpg small.jpg >sizes.mien
exits 'a record that grows too large' 1 sh -c 'mien-crop -k --box whole --max-record 1M <sizes.mien >grown.mien'
like 'is bad' "$(cat err)" '^mien-crop: record 1 \(large.jpg\): the record would have 1[0-9]* bytes, more than the limit of 1048576$'
is 'and the next program reads on' "$(mien-view --max-record 1M -Hc id,pixels grown.mien)" \
    "$(printf 'large.jpg\t\nsmall.jpg\t20x20x3')"

# The examples of the page.
mkdir many
for k in 1 2 3; do cp photos/a.jpg many/$k.jpg; done
(cd many && tar cf ../faces.tar ./*.jpg)
mien-images -q faces.tar | mien-crop -q --box whole --for 112 | mien-resize 112 >faces.mien
is 'an example: whole images' "$(mien-view -Hc pixels faces.mien | uniq -c | tr -s ' ')" " 3 112x112x3"
is 'an example: what could not be used' \
    "$(mien-images -q photos | mien-crop -q --box whole 2>/dev/null | mien-view -Hc id,error -s error | wc -l)" 3

# Real photographs: a reduced crop is the same picture.
if [ -e "$DATA/portraits.tar" ]; then
    mien-images -q "$DATA/portraits.tar" >p.mien
    exits 'real portraits' 0 sh -c 'mien-crop --box whole <p.mien >p.out'
    is 'all of them' "$(mien-view --count -s pixels p.out)" 100
else
    skip 'real portraits' "no portraits.tar in $DATA"
fi

finish
