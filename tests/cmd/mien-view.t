#!/bin/sh
# mien-view: text, counts, selections and checks of records.
. "$(dirname "$0")/../lib.sh"

mien-fake 20 --predict >p.mien
mien-fake 3 --image --pixels 4x5 --features 20 >q.mien
filter_contract mien-view p.mien
filter_contract mien-view p.mien --format json
filter_contract mien-view p.mien --count
filter_contract mien-view p.mien --records
filter_contract mien-view p.mien --check

# Text: the columns of the first records, one line a record.
mien-view p.mien >out.tsv
is 'a header and a line a record' "$(wc -l <out.tsv)" 21
is 'the columns of the records' "$(head -1 out.tsv | tr '\t' ,)" \
    id,subject,age,gender,group,birth,year,box,score,pred_gender,p_male,pred_age
is 'as many values as columns' "$(awk -F'\t' '{print NF}' out.tsv | sort -u)" 12
is 'chosen columns, no header' "$(mien-view -Hc age,id -n 2 p.mien)" \
    "$(awk -F'\t' 'NR == 2 || NR == 3 {print $3 "\t" $1}' out.tsv)"
is 'shapes of arrays' "$(mien-view -H -n 1 -c pixels,features q.mien)" "4x5x3	20"
is 'standard input is read too' "$(mien-view --count <p.mien)" 20
is 'and files one after another' "$(mien-view --count p.mien - p.mien <q.mien)" 43
is 'joined streams are a stream' "$(cat p.mien q.mien | mien-view --count)" 23
is '--head stops' "$(mien-view -n 7 --count p.mien)" 7
is '--head stops before a broken end' "$(head -c 2000 p.mien | mien-view -n 1 --count)" 1
exits 'the whole records of a stream cut short are shown' 2 sh -c 'head -c 2000 p.mien | mien-view -H'
is 'all of them' "$(cut -f 1 out)" "$(awk -F'\t' 'NR > 1 && NR < 5 {print $1}' out.tsv)"
# shellcheck disable=SC2046
{ mien-view $(yes p.mien | head -1000) 2>err; echo $? >status; } | :
is 'a closed pipe is quiet' "$(cat status err)" 0

# Records differ in their fields.
printf 'path,age,camera\na.jpg,20-29,\nb.jpg,35,X\nc.jpg,abc,\n' >mixed.csv
mien-meta -q --fields camera mixed.csv 2>/dev/null >mixed.mien
is 'columns of the first 1000 records' "$(mien-view mixed.mien | tr '\t' ,)" 'id,age_band,camera,age
a.jpg,20-29,,
b.jpg,,X,35
c.jpg,,,'
is 'those that are shown' "$(mien-view -n 1 mixed.mien | tr '\t' ,)" 'id,age_band,camera
a.jpg,20-29,'
exits 'also before the end of a broken stream' 2 sh -c 'head -c -5 mixed.mien | mien-view -H'
is 'all of them' "$(cut -f 1 out)" "$(printf 'a.jpg\nb.jpg\nc.jpg')"
{ echo path,age,camera; seq -f '%.0f.jpg,20-29,' 999; echo '1000.jpg,30-39,Y'; } >band.csv
{ cat band.csv; echo 1001.jpg,35,X; } >late.csv
mien-meta -q --fields camera late.csv >late.mien
exits 'a later one' 0 mien-view late.mien
is 'has no more columns' "$(head -n 1 out | tr '\t' ,)" id,age_band,camera
is 'as many as the others' "$(awk -F'\t' '{print NF}' out | uniq)" 3
is 'and its fields are named' "$(cat err)" \
    'mien-view: only later records have these fields, which -c shows: age'
is 'not with --quiet' "$(mien-view -q late.mien 2>&1 >/dev/null)" ''
mien-meta -q --fields camera band.csv | mien-view >out 2>err
is 'nothing is said without any' "$(cat err)" ''

# JSON.
mien-view -f json q.mien >out.json
like 'an object a line' "$(head -1 out.json)" '^\{"id":"[^"]*".*"age":[0-9]+.*\}$'
like 'images and pixels by their shape' "$(head -1 out.json)" '"pixels":\{"shape":\[4,5,3\]\}'
is 'arrays in full' "$(head -1 out.json | sed 's/.*"features":\[//;s/\].*//' | tr ',' '\n' | wc -l)" 20
mien-view -f json --full -n 1 -c image q.mien | sed 's/.*"base64":"//;s/".*//' | base64 -d >x.jpg
is '--full has the image' "$(od -An -tx1 -N3 x.jpg)" " ff d8 ff"

is '-f tsv is the default' "$(mien-view -f tsv q.mien)" "$(mien-view q.mien)"
exits 'other formats are unknown' 2 mien-view -f xml q.mien
is 'and said to be' "$(cat err)" "mien-view: -f: 'xml' is not one of tsv|json; see mien-view --help"
is '--json, its former name' "$(mien-view --json q.mien)" "$(cat out.json)"
is '-s, that of --select' "$(mien-view -s 'age >= 18' p.mien)" "$(mien-view --select 'age >= 18' p.mien)"
is 'which --help keeps to itself' "$(mien-view --help | grep -cE -e '--json| -s,')" 0

# Conditions.
awk -F'\t' 'NR > 1 && $3 >= 18 && $4 == "male" {print $1}' out.tsv >wanted
is '--select takes what awk takes' \
    "$(mien-view -Hc id --select 'age >= 18 && gender == male' p.mien)" "$(cat wanted)"
is 'and --records passes it on' \
    "$(mien-view -r --select 'age >= 18 && gender == male' p.mien | mien-view -Hc id)" "$(cat wanted)"
exits 'a misspelt field is fatal' 2 mien-view --select 'agee > 3' p.mien
is 'and named' "$(cat err)" "mien-view: --select: 'agee' is not a field"
exits 'so is a column' 2 mien-view -c id,agee p.mien
is 'and named too' "$(cat err)" "mien-view: --columns: 'agee' is not a field"

# Records.
mien-view -r p.mien >same.mien
ok 'records pass through unchanged' cmp p.mien same.mien
is 'only the chosen fields' "$(mien-view -r -c age,id -n 1 p.mien | mien-view | head -1)" "id	age"
exits 'a derived column is no field' 2 mien-view -r -c id,pred_age p.mien
exits 'one kind of output at a time' 2 mien-view -r --count p.mien
exits 'JSON is one of them' 2 mien-view -f json --check p.mien
is 'which is said' "$(cat err)" 'mien-view: --format json and --check exclude each other'
exits '--full is for JSON' 2 mien-view --full p.mien
is 'and says so' "$(cat err)" 'mien-view: --full needs --format json'
mien-view -r --select 'age > 200' p.mien >none.mien
is 'no record at all is a stream' "$(mien-view --count none.mien)" 0
is 'without lines' "$(mien-view none.mien)" ""

# --check.
like '--check counts' "$(cat p.mien q.mien none.mien | mien-view --check)" \
    '^3 segments, 23 records, 0 with an error, [0-9]+ bytes$'
like '--check describes fields' "$(mien-view --check p.mien q.mien)" '^p_age +20  f32 101$'
like '--check describes shapes' "$(mien-view --check q.mien)" '^pixels +3  u8 4x5x3$'
# A byte of the first record's body is changed.
{ head -c 40 p.mien; printf '\001'; tail -c +42 p.mien; } >bad.mien
exits 'a damaged record is fatal' 2 mien-view --check bad.mien
like 'and its place is named' "$(cat err)" 'bad.mien: broken stream at byte 0: .*checksum'

# --resync: a byte of the second record is another, and something stands before the end record.
bytes() { # of the first N records: without the end record, whose history says --head N
    mien-view -r -n "$1" p.mien | wc -c | awk '{ print $1 - 72 }'
}
one=$(bytes 1) two=$(bytes 2) all=$(bytes 20)
{ head -c $((one + 99)) p.mien; printf '\001'; tail -c +$((one + 101)) p.mien | head -c $((all - one - 100))
  echo something; tail -c 32 p.mien; } >bad.mien
exits 'without --resync, damage is the end' 2 mien-view -Hc id bad.mien
exits '--resync goes on behind it' 1 mien-view -Hc id --resync bad.mien
is 'to all records but one' "$(cat out)" "$(mien-view -Hc id p.mien | sed 2d)"
cat >wanted <<END
mien-view: bad.mien: skipped $((two - one)) bytes, up to byte $two: broken stream at byte $one: a record's checksum is wrong
mien-view: bad.mien: skipped 10 bytes, up to byte $((all + 10)): broken stream at byte $all: no record begins here
mien-view: bad.mien: broken stream at byte $((all + 10)): the end record counts 20 records, not 19
mien-view: damaged in 3 places; $((two - one + 10)) of $((all + 42)) bytes skipped
END
is 'and says what it lost' "$(cat err)" "$(cat wanted)"
exits 'records are written again' 1 sh -c 'mien-view -r --resync bad.mien >mended.mien'
is 'as a whole stream' "$(mien-view -Hc id mended.mien)" "$(mien-view -Hc id p.mien | sed 2d)"
exits 'a whole stream has no damage' 0 mien-view -Hc id --resync p.mien
is 'and nothing is said' "$(cat err)" ''
exits 'what is no stream at all is damage' 1 sh -c 'echo something else | mien-view --count --resync'
is 'and has no record' "$(cat out)" 0

# The format's page: its bytes are a stream, and its filter works.
page=$ROOT/man/man5/mien-record.5
sed -n 's/^\([0-9a-f][0-9a-f] .*[0-9a-f][0-9a-f]\)   .*/\1/p' "$page" | tr ' ' '\n' |
    while read -r byte; do
        # shellcheck disable=SC2059
        printf "\\$(printf %03o "0x$byte")"
    done >four.mien
is "the page's bytes are a stream" "$(mien-view four.mien)" "$(printf 'age\n4')"
sed -n '/^.. adults:/,/^\.Ed/p' "$page" | sed '/^\.Ed/d; s/\\e/\\/g' >adults.c
# shellcheck disable=SC2086
ok "the page's filter builds" ${CC:-cc} -Wall -Werror -o adults adults.c -lz
is "the page's filter works" "$(cat p.mien q.mien | ./adults | mien-view --count)" \
    "$(mien-view --count --select 'age >= 18' p.mien q.mien)"
exits 'what comes before a file that is not there is shown' 2 mien-view -H p.mien nosuch
is 'all of it' "$(wc -l <out | tr -d ' ')" 20
exits 'of records too' 2 mien-view -r p.mien nosuch
is 'whole' "$(mien-view --count out 2>&1 | grep -c 'after 20 whole records')" 1
exits "the page's filter knows a stream cut short" 2 sh -c 'head -c 2000 p.mien | ./adults'

# Images as files.
mien-fake 3 --image >images.mien
mien-crop -q --box whole --size 24 <images.mien >crops.mien
exits 'crops as PNG files' 0 mien-view --images files crops.mien
is 'one a record, in the folders of their ids' "$(cd files && find . -type f | sort)" \
    "$(mien-view -H -c id crops.mien | sed 's/jpg$/png/; s/^/.\//' | sort)"
case $(mien-view --version) in
*', PNG'*)
    mien-images -q files | mien-crop -q --box whole | mien-view -H --json --full -c pixels >got
    mien-view --json --full -c pixels crops.mien >want
    ok 'with their pixels' cmp got want ;;
*) skip 'with their pixels' 'built without libpng' ;;
esac
exits 'crops as JPEG files' 0 mien-view --images files --encode jpeg crops.mien
is 'beside them' "$(find files -name '*.jpg' | wc -l | tr -d ' ')" 3
exits 'photographs as they are' 0 mien-view --images photos images.mien
mien-images -q photos | mien-view --json --full -c image >got
mien-view --json --full -c image images.mien >want
ok 'byte for byte' cmp got want
exits 'labels alone have no image' 1 sh -c 'mien-fake 2 | mien-view --images none'
like 'is said so' "$(cat err)" '^mien-view: record 1 \(.*\): no image in the record$'

# Names that would lead elsewhere, or clash. One image under many ids:
printf '%s\n' path,age ../../up.jpg,1 /etc/x.jpg,2 a/./b/../c.jpg,3 x.JPG,4 X.png,5 'x.jpg#2,6' '-rf *?.jpg,7' .hidden,8 \
    a.b.c.jpg,9 "$(printf 'tab\there.jpg'),10" "$(printf '%0300d' 0).jpg,11" '%41.jpg,12' >many.csv
mkdir one && mien-view -q --images one -n 1 images.mien
image=$(find one -type f)
mien-meta -q many.csv >many.mien
count=$(mien-view --count many.mien)
# By labels beside an image each.
mkdir wds
mien-view --json -c id many.mien | awk '{ n++; f = sprintf("wds/%03d.json", n); print > f; close(f) }'
i=0; while [ $i -lt "$count" ]; do i=$((i + 1)); cp "$image" "$(printf 'wds/%03d.jpg' $i)"; done
mien-images -q --sidecar wds >many.mien
exits 'ids of all kinds' 0 mien-view --images safe many.mien
is 'give names that are safe' "$(cd safe && find . -type f | LC_ALL=C sort)" "$(cat <<'END'
./%2541.jpg
./%2Drf %2A%3F.jpg
./%2E%2E/%2E%2E/up.jpg
./%2Ehidden.jpg
./00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000~c917ec29c114527a.jpg
./X~2.jpg
./a.b.c.jpg
./a/b/%2E%2E/c.jpg
./etc/x.jpg
./tab%09here.jpg
./x#2.jpg
./x.jpg
END
)"
exits 'as an archive' 0 mien-view --tar names.tar many.mien
is 'as many' "$(tar tf names.tar | wc -l | tr -d ' ')" $((2 * count))
is 'each name once' "$(tar tf names.tar | LC_ALL=C sort -f | uniq -di)" ''
mien-images -q --sidecar names.tar | mien-view -H -c id >got
mien-view -H -c id many.mien >want
ok 'and the ids come back' cmp got want

# WebDataset: there and back.
mien-fake 30 --image --predict >all.mien
exits 'an archive with labels' 0 mien-view --tar all.tar all.mien
mien-images -q --sidecar all.tar >back.mien
columns=$(mien-view -n 1 all.mien | head -1 | tr '\t' ',')
mien-view --json --full -c "$columns" all.mien >want
mien-view --json --full -c "$columns" back.mien >got
ok 'labels and images come back' cmp got want
exits 'shards' 0 mien-view --tar 'part-%03d.tar' --tar-size 20K all.mien
like 'are several' "$(echo part-*.tar)" '^part-000.tar part-001.tar part-002.tar'
is 'none is larger' "$(find . -name 'part-*' -size +24k)" ''
mien-images -q --sidecar part-*.tar | mien-view --json --full -c "$columns" >got
ok 'and have all' cmp got want
exits 'to standard output' 0 mien-view --tar - all.mien
ok 'the same archive' cmp out all.tar
exits 'chosen fields' 0 mien-view --tar few.tar -c id,age all.mien
is 'are all there is' "$(tar xOf few.tar --wildcards '*.json' | head -1 | tr -dc a-z:,)" 'id:jpg,age:'
exits 'a shard without a number' 2 mien-view --tar x.tar --tar-size 1M all.mien
is 'is told of' "$(cat err)" "mien-view: --tar: 'x.tar': shards need a number in their names, as in out-%06d.tar"
exits 'a name with two' 2 mien-view --tar 'x-%d-%d.tar' all.mien
exits '--images and --tar' 2 mien-view --tar x.tar --images y all.mien
exits 'a full disk' 2 mien-view --tar /dev/full all.mien
# WebDataset's rule: files in succession with the same name up to the first dot behind the last slash
# are a sample, and what follows is the member's name.
if "${PYTHON:-python3}" -c 'import tarfile, json' 2>/dev/null; then
    "${PYTHON:-python3}" - all.tar >samples 2>err <<'END'
import json, sys, tarfile

samples, now = [], None
with tarfile.open(sys.argv[1], "r|") as tar:
    for file in tar:
        if not file.isfile():
            continue
        folder, slash, name = file.name.rpartition("/")
        base, dot, ext = name.partition(".")
        if now is None or now["key"] != folder + slash + base:
            now = {"key": folder + slash + base}
            samples.append(now)
        assert ext not in now, file.name
        now[ext] = tar.extractfile(file).read()
assert len({s["key"] for s in samples}) == len(samples)
for s in samples:
    assert set(s) == {"key", "jpg", "json"}, s.keys()
    print(json.loads(s["json"]).get("age", ""), len(s["jpg"]), sep="\t")
END
    is "by WebDataset's rule each image has its labels" "$(cat err samples)" "$(mien-view -Hc age,image all.mien)"
else
    skip "by WebDataset's rule each image has its labels" 'no Python'
fi
if "${PYTHON:-python3}" -c 'import webdataset' 2>/dev/null; then
    is "Python's webdataset reads it" "$("${PYTHON:-python3}" -c 'import webdataset, json
print(sum(1 for s in webdataset.WebDataset("all.tar", shardshuffle=False) if "jpg" in s and json.loads(s["json"])))')" 30
else
    skip "Python's webdataset reads it" 'not installed'
fi

finish
