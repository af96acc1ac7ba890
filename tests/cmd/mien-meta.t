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
is 'which is the default rule' "$(records selected.mien)" "$(records kept.mien)"
is '--all is all the options' "$(mien-meta -q --any-score --second-face --any-age --any-gender \
    d/imdb.mat | records -)" "$(records all.mien)"
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
is 'keep what is good in them' "$(mien-view -qH -c id,age,gender,error out | tr '\t' ' ')" \
    'a.jpg 30 female 
b.jpg  male 
c.jpg  male 
e.jpg 31  
f.jpg 32 male '
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

# Tables as people have them.
# view ARGS...: what mien-meta makes of standard input, one line a record, without tabs.
view() { mien-meta -q "$@" 2>err | mien-view -qHc "${columns:-id,age,age_band,gender,group}" | tr '\t' ' '; }
is 'semicolons and decimal commas' "$(printf '\357\273\277file;age;gender;race\na.jpg;50-59;Male;East Asian\nb.jpg;31,5;Female;Black\n' | view)" \
    'a.jpg  50-59 male East Asian
b.jpg 31  female Black'
is 'bars' "$(printf 'file|age|gender\na.jpg|30|F\n' | view)" 'a.jpg 30  female '
is 'tabs' "$(printf 'file\tage\na.jpg\t(25, 32)\n' | view)" 'a.jpg  25-32  '
is 'blanks' "$(printf 'file  age\na.jpg 30\n' | view)" 'a.jpg 30   '
is "Excel's own first line" "$(printf 'sep=;\r\nfile;age\r\na.jpg;31,5\r\n' | view)" 'a.jpg 31   '
is 'a separator that is told' "$(printf 'file:age\na.jpg:30\n' | view --separator :)" 'a.jpg 30   '
is 'old line ends of the Mac' "$(printf 'file,age,gender\ra.jpg,35,Male\rb.jpg,36,Female' | view)" \
    'a.jpg 35  male 
b.jpg 36  female '
is 'UTF-16' "$(printf 'file,age,race\na.jpg,35,Jos\303\251\n' | iconv -t UTF-16 | view)" 'a.jpg 35   José'
is 'UTF-16 without a mark' "$(printf 'file,age\na.jpg,35\n' | iconv -t UTF-16BE | view)" 'a.jpg 35   '
is 'no header: the first row names an image' \
    "$(printf 'a.jpg,35,Male\nb.jpg,36,Female\n' | view -c age=2 -c gender=3)" 'a.jpg 35  male 
b.jpg 36  female '
is 'no header, as it is told' "$(printf 'a 35\nb 36\n' | view --no-header -c path=1 -c age=2)" 'a 35   
b 36   '
is 'MXNet lists' "$(printf '0\t/data/0.jpg\t25\n1\t/data/1.jpg\t26\n' | view -c age=3)" '/data/0.jpg 25   
/data/1.jpg 26   '
exits 'no header, and no columns' 2 sh -c 'printf "a.jpg,35,Male\n" | mien-meta'
like 'shows the row, and how to go on' "$(cat err)" 'name one, as --column age=2; the first row is: a.jpg, 35, Male$'
exits 'no header, the path in the second column' 2 sh -c 'printf "35,a.jpg\n" | mien-meta'
like 'whose number is not that of the age' "$(cat err)" 'as --column age=1; the first row is: 35, a.jpg$'
exits 'a column that is not there' 2 sh -c 'printf "a.jpg,35\n" | mien-meta -c age=3'
like 'is told by its number' "$(cat err)" 'there is no column 3; the first row is: a.jpg, 35$'
exits 'a title above the header' 2 sh -c 'printf "My faces\nfile,age\na.jpg,35\n" | mien-meta'
like 'is no header' "$(cat err)" 'no columns in the first line: My faces; give --separator, or remove'
is 'columns without a name at the end, as of spreadsheets' \
    "$(printf 'file;age;;\na.jpg;35\nb.jpg;36;\nc.jpg;37;x;y\nd.jpg;38;;;;\n' | view)" 'a.jpg 35   
b.jpg 36   
c.jpg 37   
d.jpg 38   '
exits 'more or fewer cells' 1 sh -c 'printf "file,age,\na.jpg,35,,x\nb.jpg\n" | mien-meta'
is 'are another thing' "$(grep -c 'fields, where the header has 3' err)" 2
exits 'paths of Windows, in Latin-1' 0 sh -c 'printf "file,age\nJos\351.jpg,35\nb.jpg,36\n" | mien-meta'
like 'are told' "$(cat err)" "2 rows, 0 of them bad; 1 have a path that isn't UTF-8, .*: iconv -f WINDOWS-1252"
exits 'a folder' 2 mien-meta .
like 'is for mien-images' "$(cat err)" '^mien-meta: \.: a folder; mien-images reads the images in it$'
exits 'nothing but paths' 2 sh -c 'printf "a.jpg\nb.jpg\n" | mien-meta'
like 'may have labels in names' "$(cat err)" 'holds a label; --names reads those in the names of images; the first row is: a.jpg$'
exits 'an unknown header' 2 sh -c 'printf "bild;alter\nx;3\n" | mien-meta'
like 'is shown' "$(cat err)" 'name it with --column path=HEADER; the header is: bild, alter$'
exits 'a header that is not there' 2 sh -c 'printf "file,alter\nx,3\n" | mien-meta -c age=Alter'
like 'is told with those that are' "$(cat err)" "no column has the header 'Alter'; the header is: file, alter$"
exits 'a role twice' 2 mien-meta -c group=a -c group=b fairface.csv
like 'is refused' "$(cat err)" "the role 'group' is given twice; --fields keeps further columns"

# Files that are something else.
refused() { printf '%b' "$2" >other; exits "$1" 2 mien-meta other; like "$1 is named" "$(cat err)" "^mien-meta: other: $3"; }
refused 'an HTML page' '\n<!DOCTYPE html><html>' 'an HTML page, not a table'
refused 'a Git LFS pointer' 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n' 'a Git LFS pointer'
refused 'a workbook' 'PK\003\004xl/workbook' 'an Excel workbook or a zip archive'
refused 'an old workbook' '\0320\0317\0021\0340' 'an Excel workbook'
refused 'UTF-32' '\0377\0376\0\0p\0\0\0' 'UTF-32: iconv -f UTF-32 -t UTF-8 makes a table of it'
refused 'a compressed table' '\0037\0213\0010' 'compressed with gzip: read it through zcat'
refused 'Parquet' 'PAR1\0025' 'a Parquet file'
refused 'JSON of another kind' '[1, 2]' 'line 1: JSON, but not an array of objects'
exits 'a table without rows' 1 sh -c 'echo file,age | mien-meta'
like 'is told' "$(cat err)" 'standard input: no rows, only a header'

# JSON.
is 'JSON lines' "$(printf '{"file":"a.jpg","age":30,"gender":"F"}\n{"age":1.5,"file":"b\\u00e9.jpg","race":null}\n' | view)" \
    'a.jpg 30  female 
bé.jpg 1   '
is 'an array of objects, some in objects' "$(columns=id,age,box view -c age=label.age <<'END'
[ {"image": "a.jpg", "bbox": [1, 2, 30.5, 40], "label": {"age": 30}},
  {"image": "b}.jpg", "bbox": null, "label": {"age": "40-49"}} ]
END
)" 'a.jpg 30 1,2,30.5,40
b}.jpg  '
is 'an object of objects, by path' "$(printf '{"f/a.jpg": {"age": 30, "gender": "F"},\n "f/b\\u00e9 \\"x\\".jpg": {"gender": null, "age": 31}}\n' |
    columns=id,age,gender view)" "$(printf 'f/a.jpg 30 female\nf/b\303\251 "x".jpg 31 ')"
is 'by a name that is none of an image' "$(printf '{"0001":{"age":30},"0002":{"age":31,"gender":"m"}}' | columns=id,age,gender view)" \
    "$(printf '0001 30 \n0002 31 male')"
is 'a single one' "$(printf '{"a.jpg":{"age":30}}' | columns=id,age,gender view)" 'a.jpg 30 '
is 'which may have a path of its own' "$(printf '{"1":{"age":30,"file":"a.jpg"},"2":{"age":31,"file":"b.jpg"}}' | columns=id,age,gender view)" \
    "$(printf 'a.jpg 30 \nb.jpg 31 ')"
is 'objects in lines are no such thing' "$(printf '{"file":"a.jpg","p":{"age":30}}\n{"file":"b.jpg","p":{"age":31}}\n' |
    mien-meta -q -c age=p.age | mien-view -Hc id,age | tr '\t' ' ')" "$(printf 'a.jpg 30\nb.jpg 31')"
refused 'one that is cut short' '{"a.jpg": {"age": 30}, "b.jpg' 'line 1: a name is cut short'
printf '{"file":"a.jpg","age":30}\n{"file":"b.jpg","age":,}\n{"file":"c.jpg","age":31}\n' >bad.json
exits 'an object that is none' 1 mien-meta bad.json
like 'is named with its line' "$(cat err)" '^mien-meta: bad.json: line 2: '
is 'and costs only itself' "$(mien-view -Hc id out | tr '\n' ' ')" 'a.jpg c.jpg '

# Columns.
is 'a path of several columns' "$(printf 'user\tpic\tn\tage\nu1\tx.jpg\t7\t30\n\t\t\t31\n' |
    view --path '{user}/face.{n}.{pic}')" 'u1/face.7.x.jpg 30   '
like 'where none has anything, there is no path' "$(cat err)" 'line 3: no path'
exits 'a path of a column that is not there' 2 sh -c 'printf "a,age\nx,3\n" | mien-meta --path "{b}/{a}"'
like 'is told' "$(cat err)" "no column has the header 'b' of the path; the header is: a, age"
is 'backslashes' "$(printf 'path,age\nC:\\data\\y.jpg,36\nx/a\\b.jpg,37\n' | columns=id view)" 'C:/data/y.jpg
x/a\\b.jpg'
while IFS='|' read -r header row want; do
    is "a box of $header" "$(printf 'file,%s\na.jpg,%s\n' "$header" "$row" | columns=box view)" "$want"
done <<'END'
x1,y1,x2,y2|1,2,30,40|1,2,30,40
x_min,y_min,x_max,y_max|1,2,30,40|1,2,30,40
xmin,ymin,xmax,ymax|1,2,30,40|1,2,30,40
left,top,right,bottom|1,2,30,40|1,2,30,40
face_x0,face_y0,face_x1,face_y1,person_x0|1,2,30,40,9|1,2,30,40
face_x1,face_y1,face_x2,face_y2|1,2,30,40|1,2,30,40
x,y,w,h|1,2,30,40|1,2,31,42
x,y,dx,dy|1,2,30,40|1,2,31,42
X,Y,Width,Height|1,2,30,40|1,2,31,42
x_1,y_1,width,height|1,2,30,40|1,2,31,42
bbox_left,bbox_top,bbox_width,bbox_height|1,2,30,40|1,2,31,42
bbox|"[1, 2, 30, 40]"|1,2,30,40
bbox|"1,2,30,2,30,40,1,40"|1,2,30,40
x1,y1,x2,y2,age|-1,-1,-1,-1,3|
x1,y1,x2,y2,age|nan,nan,nan,nan,3|
END
is 'a box by roles' "$(printf 'file,l,t,b,h\na.jpg,1,2,30,40\n' |
    columns=box view -c x=l -c y=t -c width=b -c height=h)" '1,2,31,42'

# Values.
while IFS='|' read -r options value want; do
    # shellcheck disable=SC2086 # options are words
    is "age $value $options" "$(printf 'file,age,gender\na.jpg,"%s",F\n' "$value" | columns=age,age_band view $options)" "$want"
done <<'END'
|1.0|1 
|34.9|34 
--age-fraction round|34.5|35 
|25;32| 25-32
|60+| 60-100
|more than 70| 70-100
|70 or older| 70-100
|18 months|1 
--age-fraction round|18 months|2 
--age-offset 21|39|60 
--age-offset 21|39.0|60 
--age-classes 0-2,4-6,60+|2| 60-100
--age-classes 0-2,4-6,60+ --age-offset -1|1| 0-2
|None| 
|-1| 
|u| 
END
is 'a column of months' "$(printf 'file,age_months\na.jpg,31\n' | view)" 'a.jpg 2   '
is 'numbers for gender, as pandas writes them' \
    "$(printf 'file,age,gender\na,35.0,1.0\nb,36.0,0.0\nc,nan,nan\nd,35,1\ne,3,-1\n' | view --female 0 --male 1)" 'a 35  male 
b 36  female 
c    
d 35  male 
e 3   '
is 'a range of numbers' "$(printf 'file,gender\na,00007\nb,7381\n' | view --female 0-7380 --male 7381-13321)" \
    'a   female 
b   male '
while IFS='|' read -r options value want; do
    # shellcheck disable=SC2086 # options are words
    is "date $value $options" "$(printf 'file,dob\na.jpg,"%s"\n' "$value" | columns=birth view $options)" "$want"
done <<'END'
|1990-3-4|1990-03-04
|1990/03/04|1990-03-04
|19900304|1990-03-04
|1990-03-04T12:30:00Z|1990-03-04
|4.3.1990|1990-03-04
|4 March 1990|1990-03-04
|Mar 4, 1990|1990-03-04
|04-Mar-1990|1990-03-04
|25/12/1990|1990-12-25
|12/25/1990 0:00|1990-12-25
--date dmy|3/4/1990|1990-04-03
--date mdy|3/4/1990|1990-03-04
--date mdy|03/04/51|1951-03-04
--date datenum|726896|1990-03-04
--date excel|32936|1990-03-04
END
printf 'file,age,dob\na.jpg,30,3/4/1990\n' >date.csv
exits 'a date that may be two' 1 mien-meta date.csv
like 'is told' "$(cat err)" "line 2 \(a.jpg\): '3/4/1990' may begin with the day or the month: say which with --date dmy or mdy"
is 'and the record keeps the age' "$(mien-view -Hc age,birth out)" "30	"
is 'ages of two dates' "$(printf 'file,dob,date_taken\na,1990-03-04,2010-03-03\nb,1990-03-04,2010-03-04\nc,1990-03-04,2010\n' |
    columns=age view | tr '\n' ' ')" '19 20 20 '

# Fields of their own names.
printf 'file,age,Camera model,iso,country\na.jpg,30,X-100,0800,NA\nb.jpg,40,,100,DE\nc.jpg,50,X-100,64,DE\n' >camera.csv
mien-meta -q --fields 'Camera model,iso,land=country' camera.csv >camera.mien
is '--fields' "$(mien-view camera.mien | tr '\t' ' ')" 'id age Camera_model iso land
a.jpg 30 X-100 0800 NA
b.jpg 40  100 DE
c.jpg 50 X-100 64 DE'
is 'are selected by' "$(mien-view -Hc id --select 'iso > 64 && Camera_model == X-100' camera.mien)" 'a.jpg'
is 'are members of JSON' "$(mien-view -f json -n 1 camera.mien)" \
    '{"id":"a.jpg","age":30,"Camera_model":"X-100","iso":"0800","land":"NA"}'
exits 'a field that records have' 2 mien-meta --fields age camera.csv
like 'is to be a column' "$(cat err)" "'age' is a field that records have: see --column"
exits 'a column to keep that is not there' 2 mien-meta --fields lens camera.csv
like 'is told' "$(cat err)" "no column has the header 'lens', to be kept; the header is: file, age"
mien-fake 400 --image >many.mien
is '--stratify' "$(mien-view -c id,age many.mien | awk -F'\t' 'NR == 1 { print $0 "\tlens"; next } { print $0 "\t" NR % 2 }' |
    mien-meta -q --fields lens | mien-split -q --by id --stratify lens 50/50 | mien-view -Hc split,lens |
    sort | uniq -c | awk '{ print ($1 > 95 && $1 < 105) }' | sort -u)" 1

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
is 'bands in folders' "$(printf 'faces/1-10/a.jpg,x\nfaces/60+/b.jpg,x\n' | view --names '{band}/*')" \
    'faces/1-10/a.jpg  1-10  
faces/60+/b.jpg  60-100  '
is 'the longest subject' "$(printf '53_Robin_van_Dam_0001.jpg\n' | columns=age,subject view --names '{age}_{subject}_*.jpg')" \
    '53 Robin_van_Dam'
is 'several patterns' "$(printf 'a/30.jpg\nf_31.jpg\n' | columns=age,gender view --names '{gender}_{age}.jpg|{age}.jpg')" '30 
31 female'
filter_contract mien-meta images.mien --names '{subject}'

finish
