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

# Text: the columns of the first record, one line a record.
mien-view p.mien >out.tsv
is 'a header and a line a record' "$(wc -l <out.tsv)" 21
is 'the columns of the first record' "$(head -1 out.tsv | tr '\t' ,)" \
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

# JSON.
mien-view -f json q.mien >out.json
like 'an object a line' "$(head -1 out.json)" '^\{"id":"[^"]*".*"age":[0-9]+.*\}$'
like 'images and pixels by their shape' "$(head -1 out.json)" '"pixels":\{"shape":\[4,5,3\]\}'
is 'arrays in full' "$(head -1 out.json | sed 's/.*"features":\[//;s/\].*//' | tr ',' '\n' | wc -l)" 20
mien-view -f json --full -n 1 -c image q.mien | sed 's/.*"base64":"//;s/".*//' | base64 -d >x.jpg
is '--full has the image' "$(od -An -tx1 -N3 x.jpg)" " ff d8 ff"

is '-f tsv is the default' "$(mien-view -f tsv q.mien)" "$(mien-view q.mien)"
exits 'other formats are unknown' 2 mien-view -f xml q.mien
is 'and said to be' "$(cat err)" "mien-view: -f: 'xml' is none of tsv|json; see mien-view --help"
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
is 'which is said' "$(cat err)" 'mien-view: --format json, --count, --records, --check and --index exclude each other'
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
bytes() { mien-view -r -n "$1" p.mien | wc -c | awk '{ print $1 - 32 }'; } # of the first N records
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

finish
