#!/bin/sh
# mien-montage: contact sheets of faces and photographs.
. "$(dirname "$0")/../lib.sh"

mien-fake 25 --predict --pixels 20x20 >p.mien
mien-fake 4 --image >q.mien
filter_contract mien-montage p.mien
filter_contract mien-montage q.mien

# The size of a sheet as the other programs of the kit see it: heightxwidthx3.
shape() {
    mien-images "$1" 2>err | mien-crop --box whole | mien-view -Hc pixels,error
}

# One page.
exits 'a sheet' 0 mien-montage --across 5 --size 96 -o a.jpg <p.mien
like 'what it is made of' "$(cat err)" '^mien-montage: 25 records in 25 cells, [0-9]+ with a wrong prediction; pages: 1$'
is 'under its own name' "$(ls a*)" a.jpg
# Crops are square: of 5 cells' width, 16 + 5 * (96 + 16), and of the larger height,
# 16 + 5 * (16 + 96 + 6 + 3 * 13), and 16 + 2 * 13 of the legend.
is 'a JPEG of the right size' "$(shape a.jpg)" "843x843x3	"
mien-montage -q --across 5 --size 96 <p.mien >b.jpg 2>err
ok 'standard output has the same' cmp a.jpg b.jpg
is '-q is quiet' "$(cat err)" ""
mien-montage --across 5 --size 96 -o b.jpg <p.mien 2>err
ok 'the same records make the same bytes' cmp a.jpg b.jpg
mien-montage -q --across 5 --size 96 -o a.PNG <p.mien 2>err
is 'a PNG by its name' "$(head -c 8 a.PNG | od -An -tx1)" ' 89 50 4e 47 0d 0a 1a 0a'
is 'of the same size' "$(shape a.PNG)" "843x843x3	"
ok 'quality matters' sh -c 'mien-montage -q --across 5 --size 96 --quality 30 <p.mien >b.jpg
    test $(wc -c <b.jpg) -lt $(($(wc -c <a.jpg) * 2 / 3))'
mien-montage -q --across 5 --size 96 --head 3 <p.mien >b.jpg
mien-view -rn 3 p.mien | mien-montage -q --size 96 >c.jpg
ok '--head is that of mien-view' cmp b.jpg c.jpg
is 'as wide as its cells' "$(shape b.jpg)" "352x352x3	"
exits '--head stops before a broken end' 0 sh -c 'head -c 4000 p.mien | mien-montage -n 1 >b.jpg'
like 'wrong ages are counted' "$(mien-view -rs 'gender == pred_gender && age_error > 3' p.mien |
    mien-montage --age-tolerance 3 2>&1 >b.jpg)" "^mien-montage: ([0-9]+) records in .* cells, \\1 with a wrong"
like 'right ones are not' "$(mien-view -rs 'gender == pred_gender' p.mien |
    mien-montage --age-tolerance 100 2>&1 >b.jpg)" ' 0 with a wrong prediction'

# Several pages.
mkdir pages
exits 'several pages' 0 mien-montage --across 4 --down 3 --size 96 -o pages/s.v1.jpg <p.mien
is 'are numbered' "$(cd pages && echo *)" 's.v1-001.jpg s.v1-002.jpg s.v1-003.jpg'
is 'the last one has what is left' "$(mien-images pages/s.v1-003.jpg 2>err |
    mien-crop --box whole | mien-view -Hc pixels)" "345x345x3"
mien-montage -q --across 4 --down 3 --size 96 -o pages/noext <p.mien
mien-montage -q --across 4 --down 3 --size 96 -o pages/.x <p.mien
is 'also names without a dot' "$(echo pages/.x* pages/noext*)" \
    'pages/.x-001 pages/.x-002 pages/.x-003 pages/noext-001 pages/noext-002 pages/noext-003'
exits 'standard output takes one page' 2 mien-montage --across 4 --down 3 <p.mien
like 'and what to do is said' "$(cat err)" 'more than one page; name files with --output'
is 'and nothing is written' "$(wc -c <out)" 0

# Photographs.
exits 'whole photographs' 0 mien-montage -o b.jpg <q.mien
is 'as large as the cells' "$(shape b.jpg)" "1056x1056x3	"

# What can't be drawn.
mien-view -rc id,error,age,gender q.mien >none.mien
exits 'records without a picture are bad' 1 mien-montage -o b.jpg <none.mien
like 'each is named' "$(cat err)" '^mien-montage: record 4 \(03/0000003.jpg\): neither pixels nor'
ok 'and has a cell all the same' test -s b.jpg
mien-resize 4 <q.mien 2>err >bad.mien
exits 'errors of other programs are drawn and not ours' 0 mien-montage -o b.jpg <bad.mien
mien-view -rs 'age > 200' p.mien >empty.mien
exits 'no records make no sheet' 1 mien-montage -o new.jpg <empty.mien
is 'which is said' "$(cat err)" 'mien-montage: no records, so no sheet was written'
ok 'and no file' test ! -e new.jpg
head -c 40000 p.mien >cut.mien
cp a.jpg old.jpg
exits 'a stream cut short' 2 mien-montage -o old.jpg <cut.mien
ok 'leaves an old sheet as it was' cmp a.jpg old.jpg
is 'and no temporary file' "$(ls old*)" old.jpg

# Options and files.
exits 'a folder that is not there' 2 mien-montage -o nowhere/s.jpg <p.mien
like 'is named' "$(cat err)" "cannot create 'nowhere/s.jpg'"
exits 'a full disk' 2 mien-montage -o /dev/full <p.mien
like 'is fatal' "$(cat err)" "cannot write '/dev/full'.*No space left"
exits 'a closed pipe is quiet' 0 sh -c '{ mien-montage -q; echo $? >status; } <p.mien | :; cat status >&2; exit "$(cat status)"'
exits 'a file instead of standard input' 2 mien-montage p.mien
is 'is explained' "$(cat err)" \
    "mien-montage: unexpected operand 'p.mien': records are read from standard input (< p.mien); see mien-montage --help"
exits 'a picture too small for its caption' 2 mien-montage --size 63 <p.mien
exits 'a page too wide' 2 mien-montage --across 100 --size 200 <p.mien
like 'is explained' "$(cat err)" '100 pictures of 200 pixels across make a page wider than 16384'

# The manual's examples; pixels stand in for a model's predictions.
# example START: the commands of the example that begins so.
example() { sed -n "/^$1/,/^\.Ed/{/^\./!p;}" "$ROOT/man/man1/mien-montage.1"; }
mkdir photos
cp a.jpg pages/s.v1-001.jpg photos
sh -c "$(example 'mien-images photos')" 2>err
is 'photographs of a folder' "$(sed -n '$p' err)" \
    'mien-montage: 2 records in 2 cells; pages: 1'
cp p.mien predictions.mien
sh -c "$(example 'mien-view -r' | sed 's/age_error > 20/age_error > 4/')"
ok 'the worst of the predictions' test -s worst.jpg

finish
