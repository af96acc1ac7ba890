#!/bin/sh
# mien-meta --set: the labels of public data sets, in the very layout of each; the people are invented.
. "$(dirname "$0")/../lib.sh"

# set_of NAME FILE COLUMNS: what the set makes of standard input, named FILE, one line a record, without
# tabs; standard error is kept in err.
set_of() {
    cat >"$2"
    mien-meta --set "$1" "$2" 2>err | mien-view -qHc "$3" | tr '\t' ' '
}
# names_of NAME COLUMNS: the same of images of the names on standard input.
names_of() {
    mkdir -p faces
    while read -r name; do
        mkdir -p "faces/$(dirname "$name")" && cp face.jpg "faces/$name"
    done
    mien-images -q faces | mien-meta -q --set "$1" | mien-view -qHc "$2" | tr '\t' ' '
    rm -r faces
}
mien-synth -n 1 --size 32 --seed 1 d 2>/dev/null
tar -xf d/imdb_crop.tar
find . -name '*.jpg' -exec cp {} face.jpg \; -quit 2>/dev/null

exits '--sets' 0 mien-meta --sets
is 'lists all sets' "$(sed 1d out | wc -l)" "$(find "$ROOT/sets" -name '*.set' | wc -l)"
is 'each with its title, license and source' "$(awk -F'\t' 'NF != 4 || !$1 || !$2 || !$3 || !$4' out)" ''
for set in "$ROOT"/sets/*.set; do
    exits "$(basename "$set") can be read" 2 mien-meta -q --set "$set" /dev/null
    like 'and says nothing but that the input is empty' "$(cat err)" 'no input|is empty'
done

# Names.
is 'imdb' "$(names_of imdb id,subject,age,birth,year <<'END'
01/nm0000001_rm124825600_1899-5-10_1968.jpg
02/nm0000002_rm221957888_1924-9-16_1974.jpg
END
)" 'faces/01/nm0000001_rm124825600_1899-5-10_1968.jpg nm0000001 69 1899-05-10 1968
faces/02/nm0000002_rm221957888_1924-9-16_1974.jpg nm0000002 49 1924-09-16 1974'
is 'wiki' "$(names_of wiki id,subject,age,birth,year <<'END'
17/10000217_1981-05-05_2009.jpg
48/10000548_1925-11-01_1964.jpg
END
)" 'faces/17/10000217_1981-05-05_2009.jpg 10000217 28 1981-05-05 2009
faces/48/10000548_1925-11-01_1964.jpg 10000548 38 1925-11-01 1964'
is 'utkface' "$(names_of utkface age,gender,group <<'END'
UTKFace/1_0_0_20161219140623097.jpg.chip.jpg
UTKFace/26_1_2_20170116184024662.jpg.chip.jpg
UTKFace/39_0_1_20170112213500903.jpg.chip.jpg
UTKFace/44_1_3_20170117020857776.jpg.chip.jpg
UTKFace/9_1_4_20170103200904211.jpg.chip.jpg
END
)" '1 male White
26 female Asian
39 male Black
44 female Indian
9 female Other'
is 'agedb' "$(names_of agedb subject,age,gender <<'END'
0_AnnaVelt_35_f.jpg
10000_JanDeBoer_62_m.jpg
16_O'Hara_7_f.jpg
END
)" "AnnaVelt 35 female
JanDeBoer 62 male
O'Hara 7 female"
is 'cacd: names of several words' "$(names_of cacd subject,age,gender <<'END'
14_Anna_Velt_0001.jpg
31_50_Pence_0009.jpg
53_J.K._van_der_Boer_0012.jpg
END
)" 'Anna_Velt 14 
50_Pence 31 
J.K._van_der_Boer 53 '
tr ' ' '\t' >people.tsv <<'END'
name identity birth count
AnnaVelt 1 1999 2
JvanderBoer 2 1951 3
END
tr ' ' '\t' >images.tsv <<'END'
age identity year rank lfw birth name
14 1 2013 40 0 1999 14_Anna_Velt_0001.jpg
15 1 2014 40 0 1999 15_Anna_Velt_0002.jpg
53 2 2004 1 1 1951 53_J.K._van_der_Boer_0012.jpg
54 2 2005 1 1 1951 54_J.K._van_der_Boer_0013.jpg
62 2 2013 1 1 1951 62_J.K._van_der_Boer_0002.jpg
END
mien-mat celebrityData=people.tsv celebrityImageData=images.tsv >celebrity2000_meta.mat
is 'cacd, the .mat file' "$(mien-meta --set cacd celebrity2000_meta.mat 2>err |
    mien-view -qHc id,subject,age,gender,year | tr '\t' ' ')" '14_Anna_Velt_0001.jpg Anna_Velt 14  2013
15_Anna_Velt_0002.jpg Anna_Velt 15  2014
53_J.K._van_der_Boer_0012.jpg J.K._van_der_Boer 53  2004
54_J.K._van_der_Boer_0013.jpg J.K._van_der_Boer 54  2005
62_J.K._van_der_Boer_0002.jpg J.K._van_der_Boer 62  2013'
is 'and nothing else is said' "$(cat err)" 'mien-meta: CACD2000: research only
mien-meta: celebrity2000_meta.mat: 5 rows, 0 of them bad'
is 'morph' "$(names_of morph subject,age,gender <<'END'
Album2/009055_1M54.JPG
Album2/318845_25F34.JPG
END
)" '009055 54 male
318845 34 female'
is 'fg-net' "$(names_of fg-net subject,age <<'END'
001A02.JPG
001A43b.JPG
082A18a.JPG
END
)" '001 2
001 43
082 18'
is 'afad' "$(names_of afad age,gender <<'END'
AFAD-Full/15/111/638660-1.jpg
AFAD-Full/39/112/406208-0.jpg
END
)" '15 male
39 female'
is 'afad, a list of paths' "$(printf './18/111/1-0.jpg\n./72/112/9-3.jpg\n' |
    set_of afad AFAD-Full.txt id,age,gender)" './18/111/1-0.jpg 18 male
./72/112/9-3.jpg 72 female'
is 'aaf' "$(names_of aaf age,gender <<'END'
original/00000A02.jpg
original/07380A64.jpg
original/07381A65.jpg
original/13321A80.jpg
END
)" '2 female
64 female
65 male
80 male'
is 'aaf, a list' "$(printf '00000A02.jpg 0\n07381A65.jpg 1\n' |
    set_of aaf val.txt id,age,gender,split)" '00000A02.jpg 2 female val
07381A65.jpg 65 male val'
if [ -r "$DATA/aaf.tar" ]; then
    mien-images -q "$DATA/aaf.tar" | mien-meta -q --set aaf | mien-view -c id,age,gender |
        sed '1s/id/path/' >aaf.tsv
    ok 'the real one' cmp aaf.tsv "$DATA/aaf.tsv"
else
    skip 'the real aaf' 'the data are not there'
fi

# Tables.
is 'imdb-clean' "$(set_of imdb-clean imdb_valid_new_1024.csv id,subject,age,gender,box,split <<'END'
filename,age,gender,x_min,y_min,x_max,y_max,head_roll,head_yaw,head_pitch
38/nm2679438_rm3695806976_1989-8-15_2009.jpg,20,M,31,39,61,77,7.78,1.79,2.22
02/nm0000102_rm1000_1958-7-8_2001.jpg,42,F,120,50,310.5,290,-1.1,0.2,-14.0
END
)" '38/nm2679438_rm3695806976_1989-8-15_2009.jpg nm2679438 20 male 31,39,61,77 valid
02/nm0000102_rm1000_1958-7-8_2001.jpg nm0000102 42 female 120,50,310.5,290 valid'
is 'and nothing is said but the set and the count' "$(wc -l <err)" 2
is 'fairface' "$(set_of fairface fairface_label_val.csv id,age_band,gender,group,split <<'END'
file,age,gender,race,service_test
val/1.jpg,3-9,Male,East Asian,False
val/2.jpg,50-59,Female,East Asian,True
val/3.jpg,more than 70,Male,White,True
val/4.jpg,0-2,Female,Latino_Hispanic,True
END
)" 'val/1.jpg 3-9 male East Asian val
val/2.jpg 50-59 female East Asian val
val/3.jpg 70-100 male White val
val/4.jpg 0-2 female Latino_Hispanic val'
cat >folds.tsv <<'END'
user_id	original_image	face_id	age	gender	x	y	dx	dy	tilt_ang	fiducial_yaw_angle	fiducial_score
30601258@N03	10399646885_67c7d20df9_o.jpg	1	(25, 32)	f	0	414	1086	1383	-115	30	17
30601258@N03	10424815813_e94629b1ec_o.jpg	2	(60, 100)	m	301	105	640	641	0	0	94
113445054@N07	11763777465_11d01c34ce_o.jpg	1322	35	u	1152	1016	1224	1224	0	0	148
113445054@N07	11764002585_1b18a11a3c_o.jpg	1323	None		1	2	3	4	0	0	1
113445054@N07	11763777466_11d01c34cf_o.jpg	1324	(8, 12)		1	2	3	4	0	0	1
END
is 'adience' "$(set_of adience fold_3_data.txt id,subject,age,age_band,gender,box,split <folds.tsv)" \
    '30601258@N03/coarse_tilt_aligned_face.1.10399646885_67c7d20df9_o.jpg 30601258@N03  25-32 female  3
30601258@N03/coarse_tilt_aligned_face.2.10424815813_e94629b1ec_o.jpg 30601258@N03  60-100 male  3
113445054@N07/coarse_tilt_aligned_face.1322.11763777465_11d01c34ce_o.jpg 113445054@N07 35    3
113445054@N07/coarse_tilt_aligned_face.1323.11764002585_1b18a11a3c_o.jpg 113445054@N07     3
113445054@N07/coarse_tilt_aligned_face.1324.11763777466_11d01c34cf_o.jpg 113445054@N07  8-12   3'
is 'adience-aligned' "$(set_of adience-aligned fold_frontal_0_data.txt id,split <folds.tsv | head -1)" \
    '30601258@N03/landmark_aligned_face.1.10399646885_67c7d20df9_o.jpg 0'
is 'appa-real, ages' "$(set_of appa-real gt_avg_train.csv id,age,split <<'END'
file_name,num_ratings,apparent_age_avg,apparent_age_std,real_age
000000.jpg,36,5.055555555555555,1.2185117,4
000001.jpg,41,19.341463414634145,3.27,18
END
)" '000000.jpg_face.jpg 4 train
000001.jpg_face.jpg 18 train'
is 'appa-real, a row a rating' "$(set_of appa-real gt_valid.csv id,age,gender,split <<'END'
file_name,real_age,apparent_age,worker_age,worker_gender
004113.jpg,25,24,54,female
004113.jpg,25,27,55,female
004113.jpg,25,31,22,male
004114.jpg,47,40,22,male
004114.jpg,47,41,33,female
004115.jpg,2,3,33,female
END
)" '004113.jpg_face.jpg 25  valid
004114.jpg_face.jpg 47  valid
004115.jpg_face.jpg 2  valid'
is 'which is told' "$(tail -n 1 err)" 'mien-meta: gt_valid.csv: 3 rows, 0 of them bad, and 3 repeated'
is 'appa-real, the others' "$(set_of appa-real allcategories_test.csv id,gender,group,split <<'END'
file,gender,race,happiness,makeup
005613.jpg,female,caucasian,slightlyhappy,makeup
005614.jpg,male,afroamerican,neutral,nomakeup
END
)" '005613.jpg_face.jpg female caucasian test
005614.jpg_face.jpg male afroamerican test'
is 'morph, the table' "$(set_of morph morph_2008_nonCommercial.csv id,subject,age,gender,group <<'END'
id_num,picture_num,dob,doa,race,gender,facial_hair,age,age_diff,glasses,photo
009055,1,08/14/1951,10/22/2005,W,M,,54,0,,Album2/009055_1M54.JPG
318845,25,01/02/1973,03/04/2007,B,F,,34,29,1,Album2/318845_25F34.JPG
END
)" 'Album2/009055_1M54.JPG 009055 54 male White
Album2/318845_25F34.JPG 318845 34 female Black'
cat >annotation <<'END'
img_name,age,gender,face_x0,face_y0,face_x1,face_y1,person_x0,person_y0,person_x1,person_y1
images/0001.jpg,34,F,10,10,60,70,0,0,90,150
images/0001.jpg,-1,-1,80,12,110,40,70,0,120,99
images/0002.jpg,41,M,-1,-1,-1,-1,5,5,60,120
images/0003.jpg,25;32,M,0,0,100,100,-1,-1,-1,-1
images/0004.jpg,34.0,-1,1,1,9,9,-1,-1,-1,-1
END
for set in lagenda mivolo; do
    is "$set" "$(set_of $set annotation.csv age,age_band,gender,box <annotation)" \
        '34  female 10,10,60,70
   80,12,110,40
41  male 
 25-32 male 0,0,100,100
34   1,1,9,9'
done
is 'coral-afad' "$(set_of coral-afad afad_test.csv id,age,gender,split <<'END'
file,path,age,gender
406208-0.jpg,39/112/406208-0.jpg,24,female
1-0.jpg,15/111/1-0.jpg,0,male
END
)" '39/112/406208-0.jpg 39 female test
15/111/1-0.jpg 15 male test'
is 'coral-cacd' "$(set_of coral-cacd cacd_valid.csv id,subject,age,split <<'END'
,file,age
0,17_Anna_Velt_0001.jpg,3
1,62_50_Pence_0012.jpg,48
END
)" '17_Anna_Velt_0001.jpg Anna_Velt 17 valid
62_50_Pence_0012.jpg 50_Pence 62 valid'
is 'coral-utkface' "$(set_of coral-utkface utk_train.csv id,age,split <<'END'
,file,age
18896,40_1_3_20170119165539693.jpg.chip.jpg,19
19021,21_0_1_20170117194133909.jpg.chip.jpg,0
END
)" '40_1_3_20170119165539693.jpg.chip.jpg 40 train
21_0_1_20170117194133909.jpg.chip.jpg 21 train'
is 'coral-morph' "$(set_of coral-morph morph2_train.csv id,subject,age,gender,group <<'END'
,id_num,picture_num,race,Male,facial_hair,age,glasses,quality
321798_03M36.jpg,321798,3,B,1,,20,,GOOD
318845_25F34.jpg,318845,25,W,-1,,18,,GOOD
END
)" '321798_03M36.jpg 321798 36 male Black
318845_25F34.jpg 318845 34 female White'
is 'unified: JSON, with its folders' "$(set_of unified AFAD-Full_aligned.json id,subject,age,gender,box,split <<'END'
[
    {
        "img_path": "AFAD/AFAD-Full/15/111/638660-1.jpg",
        "id_num": 638660,
        "age": 15,
        "gender": "M",
        "database": "AFAD-Full",
        "folder": 0,
        "aligned_bbox": [-57, -95, 372, -83, 360, 346, -69, 334],
        "alignment_source": "in the wild"
    },
    {
        "img_path": "AFAD/AFAD-Full/20/112/1-0.jpg",
        "id_num": 1,
        "age": -1,
        "gender": "U",
        "database": "AFAD-Full",
        "folder": 9,
        "aligned_bbox": null,
        "alignment_source": "in the wild"
    }
]
END
)" 'AFAD/AFAD-Full/15/111/638660-1.jpg 638660 15 male -69,-95,372,346 0
AFAD/AFAD-Full/20/112/1-0.jpg 1    9'

is 'unified: CLAP2016' "$(set_of unified CLAP2016_aligned.json id,age,box,split <<'END'
[
    {
        "img_path": "ChaLearn2016/train/003856.jpg",
        "age": 35,
        "std_age": 4.60901893634,
        "folder": 0,
        "database": "ChaLearn2016",
        "aligned_bbox": [
            20,
            22,
            148,
            2,
            169,
            130,
            41,
            150
        ],
        "alignment_source": "in the wild"
    },
    {
        "img_path": "ChaLearn2016/valid/005001.jpg",
        "age": 69,
        "std_age": 7.2034398971,
        "folder": 1,
        "database": "ChaLearn2016",
        "aligned_bbox": [31, 1, 128, 4, 125, 100, 28, 97],
        "alignment_source": "in the wild"
    }
]
END
)" 'ChaLearn2016/train/003856.jpg 35 20,2,169,150 0
ChaLearn2016/valid/005001.jpg 69 28,1,128,100 1'
is 'and nothing else is said' "$(wc -l <err)" 2
# A set of one's own.
mkdir -p share/sets
cat >share/sets/own.set <<'END'
# A comment.
title   Own
source  here
license none
crop    --box whole
separator ;
column  path=bild
column  age=alter|jahre
value   group a=Alpha
column  group=gruppe
female  w
date    dmy
END
printf 'bild;jahre;gruppe;sex\na.jpg;31,5;a;w\nb.jpg;9;b;m\n' >own.csv
exits 'one of your own' 0 env MIEN_SHARE="$PWD/share" mien-meta --set own own.csv
like 'says how it is to be cropped' "$(cat err)" '^mien-meta: Own: none; crop by mien-crop --box whole$'
is 'and what it knows' "$(mien-view -Hc id,age,group,gender out | tr '\t' ' ')" \
    'a.jpg 31 Alpha female
b.jpg 9 b male'
is 'options come over it' "$(mien-meta -q --set share/sets/own.set --age-fraction round --female x \
    -c gender=sex own.csv 2>/dev/null | mien-view -Hc age,gender | tr '\t' ' ' | head -1)" '32 '
is '--sets has it' "$(MIEN_SHARE="$PWD/share" mien-meta --sets | tail -1)" "own	Own	none	here"
exits 'a set that is none' 2 mien-meta --set nothing own.csv
like 'is said to be none' "$(cat err)" "no set is named 'nothing': --sets lists"
printf 'title x\ncolour red\n' >bad.set
exits 'a line that is none' 2 mien-meta --set ./bad.set own.csv
like 'is named' "$(cat err)" "'./bad.set', line 2: colour: it is no key of a set"

finish
