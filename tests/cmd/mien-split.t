#!/bin/sh
# shellcheck disable=SC3045 # shells have this limit, though POSIX doesn't
# mien-split: every record in one part, whatever the order; stratified parts are alike.
. "$(dirname "$0")/../lib.sh"

mien-fake 1200 >faces.mien
mien-fake --image 60 >images.mien
parts() { mien-view -H -c id,split "$@" | sort; }

# Into files, and into one stream.
exits 'into files' 0 mien-split 80/10/10 train.mien val.mien test.mien <faces.mien
is 'nothing goes to standard output' "$(wc -c <out)" 0
n() { mien-view --count "$@"; }
like 'the counts are said' "$(cat err)" \
    "^mien-split: train: $(n train.mien) records \([0-9.]+%\), mean age [0-9.]+, [0-9.]+% male\$"
like 'of every part' "$(cat err)" "^mien-split: test: $(n test.mien) records"
like 'and the keys' "$(cat err)" '^mien-split: by subject: 1200, by content: 0$'
is 'all records are in some part' "$(($(n train.mien) + $(n val.mien) + $(n test.mien)))" 1200
ok 'the shares are near' test "$(n train.mien)" -gt 900 -a "$(n val.mien)" -gt 80 -a "$(n test.mien)" -gt 80
mien-split -q 80/10/10 <faces.mien >all.mien
cat train.mien val.mien test.mien >joined.mien
is 'one stream says the same' "$(parts all.mien)" "$(parts joined.mien)"
mien-view -r --select 'split == "val"' all.mien >v.mien
is 'in the same order' "$(records v.mien)" "$(records val.mien)"
mien-view -H -c id faces.mien >ids
is 'one stream keeps the order' "$(mien-view -H -c id all.mien | cksum)" "$(cksum <ids)"
is 'other fields stay' "$(mien-view -H -c id,subject,age,gender,group,birth,year,box,score all.mien | cksum)" \
    "$(mien-view -H -c id,subject,age,gender,group,birth,year,box,score faces.mien | cksum)"
is 'a subject is in one part' "$(mien-view -H -c subject,split all.mien | sort -u | wc -l)" 400

# What the split depends on.
mien-split -q 80/10/10 <faces.mien | cmp -s - all.mien
is 'same seed, same bytes' $? 0
mien-split -q --seed 1 80/10/10 <faces.mien >other.mien
is 'another seed, another split' "$(cmp -s all.mien other.mien; echo $?)" 1
{
    mien-view -r --select 'age > 30' faces.mien
    mien-view -r --select 'age <= 30' faces.mien
} | mien-split -q 80/10/10 >reordered.mien
is 'order changes nothing' "$(parts reordered.mien)" "$(parts all.mien)"
is 'absent records change nothing' "$(mien-view -r --select 'age > 30' faces.mien | mien-split -q 80/10/10 | parts)" \
    "$(parts -s 'age > 30' all.mien)"
is 'scale changes nothing' "$(mien-split -q .8/.1/.1 <faces.mien | records -)" "$(records all.mien)"

# Keys.
is '--by id moves faces of a subject apart' \
    "$(mien-split -q --by id 80/10/10 <faces.mien | mien-view -H -c subject,split | sort -u |
        awk 'END {print (NR > 400)}')" 1
cat images.mien images.mien | mien-view -r -c image >twice.mien
exits 'without subject' 0 mien-split 1/1 <twice.mien
like 'the content is the key' "$(cat err)" '^mien-split: by subject: 0, by content: 120$'
mien-view -f json --full -c image,split out | sort | uniq -c | awk '$1 % 2' >odd
is 'identical images share a part' "$(wc -l <odd)" 0
exits '--by subject needs one' 1 mien-split --by subject 1/1 <twice.mien
like 'bad records are named' "$(cat err)" '^mien-split: record 5 \(\): no subject to split by'
like 'those of one cause only a few times' "$(cat err)" '^mien-split: 115 more: no subject to split by$'
like 'and counted' "$(cat err)" '^mien-split: left out because of errors: 120$'
is 'and passed on' "$(mien-view --count --select error out)" 120
mv out failed.mien
exits 'records with an error pass' 0 mien-split 1/1 <failed.mien
is 'as they are' "$(records out)" "$(records failed.mien)"
exits 'files do not get them' 0 mien-split 1/1 a.mien b.mien <failed.mien
is 'at all' "$(n a.mien) $(n b.mien)" '0 0'
exits '--strict' 2 mien-split --strict --by subject 1/1 a2.mien b2.mien <twice.mien
is 'leaves no files' "$(ls ./*2.mien* 2>/dev/null)" ''

# Two names of one file, which isn't there yet: one part would be lost.
mkdir here
ln -s here there
ln -s to.mien from.mien
for paths in 'one.mien ./one.mien' 'here/one.mien there//one.mien' 'to.mien from.mien'; do
    exits "$paths" 2 sh -c "mien-split 1/1 $paths <faces.mien"
    is 'is refused' "$(cat err)" "mien-split: two parts can't both go to '${paths#* }'"
done
exits 'one name in two folders' 0 mien-split -q 1/1 one.mien here/one.mien <faces.mien
is 'is fine' "$(($(n one.mien) + $(n here/one.mien)))" "$(n faces.mien)"

# Names.
is 'two parts' "$(mien-split -q 1/1 <faces.mien | mien-view -H -c split | sort -u | tr '\n' ' ')" 'test train '
is 'four parts' "$(mien-split -q 1/1/1/1 <faces.mien | mien-view -H -c split | sort -u | tr '\n' ' ')" \
    'part1 part2 part3 part4 '
is '--names' "$(mien-split -q --names x,y 1/1 <faces.mien | mien-view -H -c split | sort -u | tr '\n' ' ')" 'x y '

# Stratified.
exits 'stratified' 0 mien-split --by id --stratify age,gender 80/10/10 <faces.mien
like 'the shares are met within two records' "$(cat err)" '^mien-split: train: (958|959|960|961|962) records'
mv out strata.mien
mien-view -H -c age,gender,split strata.mien >labels
is 'in every stratum, too' "$(awk '
    {c = int($1 / 5) " " $2; n[c]++; k[c " " $3]++; all[c] = c}
    END {
        for (c in all) {
            d = k[c " train"] - .8 * n[c]; if (d * d > 4) print c, "train", d
            d = k[c " val"] - .1 * n[c]; if (d * d > 4) print c, "val", d
        }
    }' labels)" ''
# shellcheck disable=SC2002 # a pipe, not a file
cat faces.mien | mien-split -q --by id --stratify age,gender 80/10/10 >piped
ok 'the same from a pipe' cmp strata.mien piped
mien-view -r --select 'age > 30' faces.mien >old.mien
mien-view -r --select 'age <= 30' faces.mien | cat old.mien - |
    mien-split -q --by id --stratify age,gender 80/10/10 >piped
is 'the same in another order' "$(parts piped)" "$(parts strata.mien)"
is 'subjects stay whole' "$(mien-split -q --stratify age,group 80/10/10 <faces.mien |
    mien-view -H -c subject,split | sort -u | wc -l)" 400
exits 'stratified into files' 0 mien-split --by id --stratify age,gender 80/10/10 a.mien b.mien c.mien <faces.mien
is 'alike' "$(cat a.mien b.mien c.mien | parts)" "$(parts strata.mien)"
head -c 20000 faces.mien >short
exits 'stratified, cut short' 2 mien-split --stratify age 1/1 <short
is 'gives nothing' "$(wc -c <out)" 0
exits 'a temporary file that can not be made' 2 sh -c \
    'cat faces.mien | TMPDIR=/nowhere mien-split --stratify age 1/1'
like 'is said so' "$(cat err)" "^mien-split: cannot create a temporary file in '/nowhere'"

# The command line, and the world around.
bad() {
    exits "$1" 2 mien-split "$@" </dev/null
    like 'is said so' "$(cat err)" "^mien-split: "
}
bad 80/
bad 100/0
bad eighty/twenty
bad 1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1
bad 80/20 a.mien
bad 80/20 a.mien a.mien
bad --names a 80/20
bad --stratify height 80/20
bad --by age 80/20
mien-split -q --by id --names x,y 1/1 <faces.mien >new.txt
mien-split -q -b id -n x,y 1/1 <faces.mien >old.txt
ok '-b and -n, former names' cmp new.txt old.txt
rm new.txt old.txt
exits 'no shares' 2 mien-split
like 'are asked for' "$(cat err)" '^mien-split: .*80/10/10'
echo before >keep.mien
exits 'files from a stream cut short' 2 mien-split 1/1 keep.mien new.mien <short
is 'are as they were' "$(cat keep.mien; echo *new.mien* keep.mien*)" "$(printf 'before\n*new.mien* keep.mien')"
exits 'a file on a full disk' 2 mien-split 1/1 /dev/full new.mien <faces.mien
like 'is named' "$(cat err)" "^mien-split: '/dev/full': .*No space left"
exits 'a folder that is not there' 2 mien-split 1/1 nowhere/a b <faces.mien
like 'is named' "$(cat err)" "^mien-split: cannot create 'nowhere/a': No such file"
for k in 1 2 3; do echo before >$k.mien; done
exits 'the second file does not reach the disk' 2 failing fsync:EIO:2 mien-split -q 1/1/1 1.mien 2.mien 3.mien <faces.mien
is 'no file is new' "$(cat 1.mien 2.mien 3.mien | uniq)" before
exits 'the second file can not be put in place' 2 failing rename:EIO:2 mien-split -q 1/1/1 1.mien 2.mien 3.mien <faces.mien
like 'which are new is said' "$(cat err)" "^mien-split: cannot rename .*2.mien': Input/output error; 1 of 3 parts are new$"
is 'the others are as before' "$(cat 2.mien 3.mien | uniq)" before
filter_contract mien-split faces.mien 80/10/10
filter_contract mien-split faces.mien --stratify age,gender 80/10/10

# The manual's examples.
mien-fake 600 >faces.mien
exits 'example: three files' 0 mien-split --by subject --seed 1 80/10/10 train.mien val.mien test.mien <faces.mien
exits 'example: stratified' 0 mien-split --stratify age,gender 80/10/10 <faces.mien
is 'example: what it says' "$(cat err)" \
    "$(sed -n '/^\$ mien-split/,/^\.Ed/p' "$ROOT/man/man1/mien-split.1" | grep ^mien-split)"
mien-split -q 1/1/1/1/1/1/1/1/1/1 <faces.mien >folds.mien
is 'example: folds' "$(($(mien-view -r --select 'split == "part3"' folds.mien | n) +
    $(mien-view -r --select 'split != "part3"' folds.mien | n)))" 600

# --- Shards --------------------------------------------------------------------------------------
# 2000 shards are more than are open at once; pixels of 60x60 are larger than half a buffer of theirs.
few_open() { (ulimit -n 300; exec "$@"); }
mien-fake 900 --image >all.mien
mien-fake 20 --pixels 60x60 | cat all.mien - | mien-view -r >mixed.mien
mkdir shards
# sorted FILE...: the records' lines in order.
sorted() { cat "$@" | mien-view -f json --full | sort; }
sorted mixed.mien >wanted
for count in 1 7 250 2000; do
    exits "$count shards" 0 few_open mien-split --shards $count shards/s.mien <mixed.mien
    is 'are so many files' "$(find shards -type f | wc -l)" $count
    sorted shards/* >got
    ok 'with all records, each once' cmp got wanted
    cat shards/* | cksum >first
    few_open mien-split -q --shards $count shards/s.mien <mixed.mien
    is 'the same ones again' "$(cat shards/* | cksum)" "$(cat first)"
    rm shards/*
done
mien-split --shards 10 s.mien <all.mien 2>err
is 'shards are numbered' "$(echo s-*)" "$(seq -f 's-%02g.mien' 10 | paste -sd ' ')"
like 'and of the same size' "$(cat err)" '^mien-split: 10 shards of 90 to 90 records, '
is 'to the byte of a record' "$(wc -c s-* | awk '!/total/ { if (!n || $1 < n) n = $1; if ($1 > m) m = $1 } END { print (m - n < 2000) }')" 1
mien-view -Hc id s-03.mien >ids
is 'records keep their order' "$(mien-view -Hc id all.mien | awk 'NR == FNR { shard[$0]; next } $0 in shard' ids - | cmp - ids)" ''
rm s-*
for key in subject id content; do
    mien-view -r -c id,subject,age,pixels,image all.mien all.mien | mien-split -q --shards 20 --shard-by $key s.mien
    column=$key; [ $key = content ] && column=image
    for f in s-*; do mien-view -f json --full -c $column "$f" | sort -u; done | sort | uniq -d >several
    is "--shard-by $key: none is in two shards" "$(wc -l <several)" 0
    is 'and all are somewhere' "$(cat s-* | mien-view --count)" 1800
    is 'shards are about as large' "$(wc -c s-* | awk '!/total/ { if (!n || $1 < n) n = $1; if ($1 > m) m = $1 } END { print (m < 1.2 * n) }')" 1
    rm s-*
done
mien-view -r -c id all.mien | mien-split -q --shards 3 --shard-by subject s.mien
is 'records without the key go anywhere' "$(cat s-* | mien-view --count)" 900
rm s-*
mien-split -q --shards 3 --segment 100 s.mien <all.mien
is 'shards in segments' "$(cat s-* | mien-view --index | cut -f3 | tr '\n' ' ')" '100 100 100 100 100 100 100 100 100 '
rm s-*
head -c 9000 all.mien >cut.mien
echo old >s-2.mien
exits 'shards of a stream cut short' 2 mien-split --shards 4 s.mien <cut.mien
is 'are none' "$(echo s-*; cat s-2.mien)" "s-2.mien
old"
(ulimit -f 8; mien-split --shards 250 s.mien <all.mien 2>err)
is 'nor are those that have no room' "$? $(echo s-*)" '2 s-2.mien'
mv s-2.mien s-7.mien
for limit in 300 20; do # files without names at first, and with temporary ones
    (ulimit -n $limit; failing linkat:EIO:5+ mien-split --shards 8 s.mien <all.mien 2>err)
    is 'nor are those of which some can not be named' "$? $(echo s-*)" '2 s-7.mien'
    like 'of which one is named' "$(cat err)" "^mien-split: cannot create 's-5.mien.*': Input/output error$"
done
rm s-7.mien
for file in s-2 s-5; do echo old >$file.mien; chmod 640 $file.mien; done
ln -s elsewhere s-3.mien
failing rename:EIO:2 mien-split --shards 8 s.mien <all.mien 2>err
is 'where a file can not be replaced, new ones go again' "$? $(echo s-* elsewhere*) $(cat s-5.mien)" '2 s-2.mien s-3.mien s-5.mien elsewhere* old'
like 'and what was replaced is counted' "$(cat err)" "^mien-split: cannot rename 's-5.mien.*' to 's-5.mien': .*; 1 of 8 shards are new$"
exits 'a file can be named another way' 0 failing linkat:EIO:1 mien-split -q --shards 8 s.mien <all.mien
is 'links are followed, and modes kept' "$(stat -c %a s-2.mien) $([ -L s-3.mien ] && mien-view --count elsewhere)" '640 112'
is 'and nothing else is there' "$(find . -name 's-*' | wc -l)" 8
rm s-* elsewhere
mkfifo pipe
mien-fake 60 --pixels 300x300 >large.mien
named() { ls s-*.mien.?????? >/dev/null 2>&1; }
unnamed() { find "/proc/$!/fd" -lname "$T/*deleted*" 2>/dev/null | grep -q .; }
# begun SHARDS: so many are, and some of their files are there.
begun() {
    (ulimit -n 300; exec mien-split -q --shards "$1" s.mien <pipe) &
    exec 9>pipe
    head -c 9000000 large.mien >&9
    for _ in $(seq 50); do named || unnamed && break; sleep 0.1; done
}
# ends SIGNAL: nothing is left.
ends() {
    kill "-$1" $!
    wait $! 2>/dev/null
    exec 9>&-
    is "SIG$1 leaves nothing" "$(echo s-*)" 's-*'
}
begun 4000
ok 'many files have temporary names' named
ends TERM
begun 250
if unnamed; then
    ends KILL
else
    skip 'SIGKILL leaves nothing' 'this folder takes no files without a name'
    ends TERM
fi
while read -r args; do
    # shellcheck disable=SC2086 # several words
    exits "mien-split $args" 2 mien-split $args <all.mien
done <<'END'
--shards 0 s.mien
--shards 100000 s.mien
--shards 3
--shards 3 80/20 s.mien
--shards 3 --by id s.mien
--shards 3 --stratify age s.mien
--shards 3 -o x s.mien
--shard-by id 80/20
-o x 80/20 a.mien b.mien
END

finish
