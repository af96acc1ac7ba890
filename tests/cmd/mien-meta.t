#!/bin/sh
# mien-meta: IMDB-WIKI's files, tables and names to records.
. "$(dirname "$0")/../lib.sh"

# IMDB-WIKI, made by a tool of ours with the traps of the real file.
mien-synth -n 300 --size 32 --seed 7 d 2>/dev/null
exits 'imdb.mat' 0 mien-meta d/imdb.mat
cp out kept.mien
cp err summary
like 'the summary' "$(cat summary)" '^mien-meta: d/imdb.mat: 300 entries$'
is 'says what each part of the rule dropped, in order' \
    "$(grep -Eo '(score too low|second face|not 0-100|unknown) +[0-9]+ dropped +[0-9]+ left' summary | wc -l)" 4
is 'and what is left' "$(tail -1 summary | grep -Eo '[0-9]+ left')" \
    "$(mien-view --count kept.mien) left"
# Each part of the rule, said again with mien-view.
mien-meta -q --all d/imdb.mat >all.mien
is '--all keeps everything' "$(mien-view --count all.mien)" 300
# left N: how many entries the first N parts of the rule leave.
left() { grep -E ' left$' summary | sed -n "$1p" | grep -Eo '[0-9]+ left'; }
is 'the score' "$(mien-view --count -s 'score >= 1' all.mien) left" "$(left 1)"
is 'the second face' \
    "$(mien-view --count -s 'score >= 1 && !(score2 > 0)' all.mien) left" "$(left 2)"
is 'the age' "$(mien-view --count -s 'score >= 1 && !(score2 > 0) && age' all.mien) left" "$(left 3)"
is 'the gender' \
    "$(mien-view --count -s 'score >= 1 && !(score2 > 0) && age && gender' all.mien) left" "$(left 4)"
mien-view -r -s 'score >= 1 && !(score2 > 0) && age && gender' all.mien >selected.mien
ok 'which is the default rule' cmp -s selected.mien kept.mien
ok '--all is all the options' sh -c 'mien-meta -q --any-score --second-face --any-age --any-gender \
    d/imdb.mat | cmp - all.mien'
is '--min-score' "$(mien-meta -q --min-score 3 d/imdb.mat | mien-view --count)" \
    "$(mien-view --count -s 'score >= 3' kept.mien)"
is '--any-age' "$(mien-meta -q --any-age d/imdb.mat | mien-view --count -s '!age')" \
    "$(mien-view --count -s 'score >= 1 && !(score2 > 0) && !age && gender' all.mien)"
like "names that aren't ASCII" "$(mien-view -Hc subject all.mien)" '^(Björn|José|Zoë|Łucja) '

# The same from a pipe, from a big-endian file, and twice.
ok 'from a pipe' sh -c 'cat d/imdb.mat | mien-meta -q | cmp - kept.mien'
ok '- is standard input' sh -c 'mien-meta -q - <d/imdb.mat | cmp - kept.mien'
mien-synth -n 300 --size 32 --seed 7 --endian big b
ok 'big-endian' sh -c 'mien-meta -q b/imdb.mat | cmp - kept.mien'
is 'two files, one stream' "$(mien-meta -q d/imdb.mat b/imdb.mat | mien-view --check |
    grep -Eo '[0-9]+ segments?')" "1 segments"

# The real file's counts are known.
if [ -r "$DATA/wiki.mat" ]; then
    exits 'wiki.mat' 0 mien-meta "$DATA/wiki.mat"
    is 'its counts' "$(grep -Eo '[0-9]+ (entries|left)' err | tr '\n' ' ')" \
        '62328 entries 42993 left 38923 left 38874 left 38138 left '
    is 'its records' "$(mien-view --count out)" 38138
    is 'its first record' "$(mien-view -Hn 1 -c id,subject,age,gender,birth,year out)" \
        "17/10000217_1981-05-05_2009.jpg	Sami Jauhojärvi	28	male	1981-05-05	2009"
else
    skip 'wiki.mat' 'the real metadata are not there'
fi

# Files that are none.
head -c 3000 d/imdb.mat >cut.mat
exits 'a file cut short is fatal' 2 mien-meta cut.mat
like 'and says where' "$(cat err)" '^mien-meta: cut.mat: .*the file is cut short: it ends at byte 3000'
{ head -c 124 d/imdb.mat | sed 's/5.0/7.3/'; printf '\0\002IM'; } >hdf.mat
exits 'version 7.3 is refused' 2 mien-meta hdf.mat
like 'by its name' "$(cat err)" '^mien-meta: hdf.mat: .*7\.3.*HDF5'
printf '\0\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0x\0\0\0\0\0\0\0\0\0' >v4.mat
exits 'version 4 is refused' 2 mien-meta v4.mat
like 'by its name, too' "$(cat err)" '^mien-meta: v4.mat: .*MATLAB 4'
exits 'an archive is no table' 2 mien-meta d/imdb_crop.tar
like 'and that is said' "$(cat err)" 'neither a MATLAB 5 file nor a text table'
exits 'records need --names' 2 mien-meta kept.mien
like 'and that is said, too' "$(cat err)" '\-\-names'
exits 'a missing file' 2 mien-meta none.mat
like 'is named' "$(cat err)" "^mien-meta: .*none.mat.*No such file"
exits 'empty input' 2 sh -c 'mien-meta </dev/null'
like 'is said to be empty' "$(cat err)" '^mien-meta: standard input: .*empty'
exits 'a full disk' 2 sh -c 'mien-meta d/imdb.mat >/dev/full'
like 'is said to be full' "$(cat err)" '^mien-meta: .*No space left'
ok 'a closed pipe is quiet' sh -c 'mien-meta -q --all d/imdb.mat | head -c 100 >/dev/null'

# Tables.
cat >fairface.csv <<EOF
file,age,gender,race,service_test
train/1.jpg,50-59,Male,East Asian,True
"train/a ""b"", c.jpg",more than 70,Female,White,False
train/3.jpg,,Female,,False
EOF
exits 'a table' 0 mien-meta fairface.csv
like 'columns left out' "$(cat err)" 'columns ignored: service_test$'
is 'its records' "$(mien-view -H -c id,age_band,gender,group out)" "$(
    printf 'train/1.jpg\t50-59\tmale\tEast Asian\ntrain/a "b", c.jpg\t70-100\tfemale\tWhite\n'
    printf 'train/3.jpg\t\tfemale\t')"
cat >both.csv <<EOF
file,age,age_group,gender
a.jpg,34,30-39,F
b.jpg,,20-29,F
c.jpg,51,,M
d.jpg,7,3,M
e.jpg,,8,M
EOF
exits 'ages and bands' 0 mien-meta both.csv
is 'are both kept' "$(mien-view -H -c id,age,age_band out)" "$(
    printf 'a.jpg\t34\t30-39\nb.jpg\t\t20-29\nc.jpg\t51\t\nd.jpg\t7\t\ne.jpg\t8\t')"
cat >bad.csv <<EOF
img_name,age,sex
a.jpg,30,1
b.jpg,116,0
c.jpg,abc,0
d.jpg,30
e.jpg,31,7
f.jpg,32,0
EOF
exits 'bad rows' 1 mien-meta -c path=img_name --female 1 --male 0 bad.csv
is 'cost only themselves' "$(mien-view -qH -s '!error' -c id,age,gender out)" \
    "$(printf 'a.jpg\t30\tfemale\nf.jpg\t32\tmale')"
is 'and go on with their error' "$(mien-view -qH -s error -c id out | tr '\n' ' ')" \
    'b.jpg c.jpg e.jpg '
is 'with a line each' "$(grep -c '^mien-meta: bad.csv: line [3456]\b' err)" 4
exits '--strict stops' 2 mien-meta --strict -c path=img_name --female 1 --male 0 bad.csv
is '--any-age leaves it out' "$(mien-meta -q --any-age -c path=img_name --female 1 --male 0 bad.csv \
    2>/dev/null | mien-view -qH -c id,age -s 'id == "b.jpg"')" "b.jpg	"
is 'scores come back from mien-view' "$(printf 'path\tscore\na.jpg\t-inf\nb.jpg\t2.5\n' | mien-meta -q --any-age --any-gender |
    mien-view -Hc score | tr '\n' ' ')" '-inf 2.5000 '
exits 'one value for both genders is refused' 2 mien-meta --female M --male m bad.csv
is 'and said so' "$(cat err)" "mien-meta: --female and --male are the same, 'm'"
exits 'numbers for gender need a meaning' 1 mien-meta -c path=img_name bad.csv
like 'which is asked for' "$(cat err)" 'line 2 .*--female and --male'
exits 'a table without paths' 2 sh -c 'echo "a,b" | mien-meta'
exits 'a role that is none' 2 mien-meta -c years=age bad.csv
mien-view -c id,subject,age,gender,birth,year,box,score,score2 kept.mien | mien-meta -q |
    mien-view -c id,subject,age,gender,birth,year,box,score,score2 >again.tsv
ok "what mien-view prints is a table" sh -c \
    'mien-view -c id,subject,age,gender,birth,year,box,score,score2 kept.mien | cmp - again.tsv'

# Names.
cat >names.csv <<EOF
path,split
utkface/25_1_3_2017.jpg.chip.jpg,a
utkface/61_1_2017.jpg,a
utkface/116_0_0_2017.jpg.chip.jpg,a
EOF
mien-meta -q names.csv >names.mien
exits '--names' 1 mien-meta --names utkface names.mien
like 'a name that does not match is reported' "$(cat err)" \
    '^mien-meta: record 2 \(utkface/61_1_2017.jpg\): the name does not match'
is 'and its record goes on, unlabelled and without error' \
    "$(mien-view -H -c id,age,gender,group,split,error out)" "$(
    printf 'utkface/25_1_3_2017.jpg.chip.jpg\t25\tfemale\tIndian\ta\t\n'
    printf 'utkface/61_1_2017.jpg\t\t\t\ta\t')"
like 'ages beyond 100 are dropped and counted' "$(cat err)" '3 records, 1 dropped.* 1 with a name that'
is 'or kept without age' "$(mien-meta -q --any-age --names utkface <names.mien 2>/dev/null |
    mien-view -H -c age,gender,group | tail -1)" "	male	White"
is 'a pattern' "$(mien-meta -q --names '{group}/{age}_*' <names.mien 2>/dev/null |
    mien-view -H -c group,age -s age | head -1)" "utkface	25"
exits 'a pattern that is none' 2 mien-meta --names '{years}' names.mien
like 'is said to be none' "$(cat err)" '^mien-meta: --names: .*\{years\}'
mien-fake 5 --image >images.mien
mien-meta -q --names '{subject}' images.mien >labelled.mien
is 'images pass through' "$(mien-view --json --full -c image labelled.mien | cksum)" \
    "$(mien-view --json --full -c image images.mien | cksum)"
filter_contract mien-meta images.mien --names '{subject}'

finish
