#!/bin/sh
# mien-meta --set: the labels of public data sets, in the very layout of each, and drawn faces in archives
# such as theirs; the people are invented.
. "$(dirname "$0")/../lib.sh"

# set_of SET FILE COLUMNS: what the set makes of standard input, named FILE, one line a record, without
# tabs; standard error is kept in err, the records in labels.mien.
set_of() {
    cat >"$2"
    mien-meta --set "$1" "$2" 2>err >labels.mien
    mien-view -qHc "$3" labels.mien | tr '\t' ' '
}
# says FILE COUNTS: the set said no more than its license and these.
says() {
    is "$1: what is said" "$(sed 1d err)" "mien-meta: $1: $2"
}
# archive: faces.tar, with a drawn face under each of the names in the file list.
archive() {
    while read -r name; do
        mkdir -p "$(dirname "$name")" && cp face.jpg "$name"
    done <list
    tar -cf faces.tar -T list
    tr '\n' '\0' <list | xargs -0 rm
}
# joins PREFIX: an archive whose images have the names of the labels, behind PREFIX, gets all the labels.
joins() {
    mien-view -qHc id labels.mien | sort -u | sed "s|^\./||; s|^|$1|" >list
    archive
    mien-images -m labels.mien faces.tar 2>err >joined.mien
    is "$(head -n 1 list): all are found" "$(cat err)" \
        "mien-images: image records: $(mien-view --count labels.mien)"
}
# named SET COLUMNS: standard input has lines NAME = LABELS, those that the set finds in the names of an
# archive's images; standard error is kept in err.
named() {
    cat >cases
    sed 's/ =.*//' cases >list
    archive
    mien-images -q faces.tar | mien-meta --set "$1" 2>err >labels.mien
    is "$1" "$(mien-view -qHc "id,$2" labels.mien | sed 's/\t/ = /' | tr '\t' ' ')" "$(cat cases)"
}
# counts RECORDS DROPPED UNMATCHED: how many of these names the set said there were.
counts() {
    is 'and counts' "$(tail -n 1 err)" "mien-meta: standard input: $1 records, $2 dropped with an age \
not 0-100, $3 with a name that doesn't match"
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
named imdb subject,age,birth,year <<'END'
imdb_crop/01/nm0000001_rm124825600_1899-5-10_1968.jpg = nm0000001 69 1899-05-10 1968
imdb_crop/01/nm0000001_rm3343756032_1899-5-10_1970.jpg = nm0000001 71 1899-05-10 1970
imdb_crop/02/nm0000002_rm221957888_1924-9-16_1974.jpg = nm0000002 49 1924-09-16 1974
imdb_crop/06/nm0000106_rm1_1975-2-2_1975.jpg = nm0000106 0 1975-02-02 1975
imdb_crop/08/nm0000008_rm2_1924-4-3_2004.jpg = nm0000008 80 1924-04-03 2004
imdb_crop/12/nm0000012_rm3_1908-12-31_1909.jpg = nm0000012 0 1908-12-31 1909
imdb_crop/15/nm0000015_rm4_1931-6-30_2000.jpg = nm0000015 69 1931-06-30 2000
imdb_crop/15/nm0000015_rm5_1931-7-1_2000.jpg = nm0000015 68 1931-07-01 2000
imdb_crop/33/nm1500033_rm6_1996-2-29_2012.jpg = nm1500033 16 1996-02-29 2012
imdb_crop/99/nm10099_rm7_1900-1-1_1999.jpg = nm10099 99 1900-01-01 1999
imdb_crop/99/nm10099_rm8_1900-1-1_2000.jpg = nm10099 100 1900-01-01 2000
END
counts 11 0 0
named wiki subject,age,birth,year <<'END'
wiki_crop/02/27126902_1984-01-10_2011.jpg = 27126902 27 1984-01-10 2011
wiki_crop/17/10000217_1981-05-05_2009.jpg = 10000217 28 1981-05-05 2009
wiki_crop/48/10000548_1925-04-04_1964.jpg = 10000548 39 1925-04-04 1964
wiki_crop/48/10000548_1925-11-01_1964.jpg = 10000548 38 1925-11-01 1964
wiki_crop/12/100012_1948-07-03_2008.jpg = 100012 59 1948-07-03 2008
wiki_crop/65/10001965_1930-05-23_1961.jpg = 10001965 31 1930-05-23 1961
wiki_crop/16/10002116_1971-05-31_2012.jpg = 10002116 41 1971-05-31 2012
wiki_crop/02/10002702_1960-11-09_2012.jpg = 10002702 51 1960-11-09 2012
wiki_crop/41/10003541_1937-09-27_1971.jpg = 10003541 33 1937-09-27 1971
wiki_crop/39/100039_1904-01-01_1904.jpg = 100039 0 1904-01-01 1904
wiki_crop/13/10004113_1946-11-29_1968.jpg = 10004113 21 1946-11-29 1968
END
counts 11 0 0
named utkface age,gender,group <<'END'
UTKFace/1_0_0_20161219140623097.jpg.chip.jpg = 1 male White
UTKFace/26_1_2_20170116184024662.jpg.chip.jpg = 26 female Asian
UTKFace/39_0_1_20170112213500903.jpg.chip.jpg = 39 male Black
UTKFace/44_1_3_20170117020857776.jpg.chip.jpg = 44 female Indian
UTKFace/9_1_4_20170103200904211.jpg.chip.jpg = 9 female Other
UTKFace/100_1_0_20170110183726390.jpg.chip.jpg = 100 female White
UTKFace/90_0_1_20170111222741457.jpg.chip.jpg = 90 male Black
crop_part1/2_1_2_20161219162133643.jpg.chip.jpg = 2 female Asian
part3/35_0_3_20170120134734546.jpg = 35 male Indian
UTKFace/61_1_20170109142408075.jpg.chip.jpg =   
UTKFace/61_3_20170109150557335.jpg.chip.jpg =   
UTKFace/55_0_0_20170116232725357jpg.chip.jpg = 55 male White
END
counts 12 0 2
printf '116_1_0_1.jpg\n110_0_2_1.jpg\n8_0_2_1.jpg\n' >list
archive
is 'those of more than 100 years are left out' "$(mien-images -q faces.tar |
    mien-meta --set utkface 2>err | mien-view -qHc id)" '8_0_2_1.jpg'
counts 3 2 0
named agedb subject,age,gender <<'END'
AgeDB/0_AnnaVelt_35_f.jpg = AnnaVelt 35 female
AgeDB/1_AnnaVelt_61_f.jpg = AnnaVelt 61 female
AgeDB/2_AnnaVelt_1_f.jpg = AnnaVelt 1 female
AgeDB/10000_JanDeBoer_62_m.jpg = JanDeBoer 62 male
AgeDB/10001_JanDeBoer_100_m.jpg = JanDeBoer 100 male
AgeDB/16_O'Hara_7_f.jpg = O'Hara 7 female
AgeDB/17_J.K.Pence_44_m.jpg = J.K.Pence 44 male
AgeDB/18_Anne-MarieVelt_29_f.jpg = Anne-MarieVelt 29 female
AgeDB/19_BoErik_ten_50_m.jpg = BoErik_ten 50 male
AgeDB/16487_50Pence_31_m.jpg = 50Pence 31 male
AgeDB/16488_ZoëVelt_3_f.jpg = ZoëVelt 3 female
AgeDB/notes_f.jpg =   
END
counts 12 0 1
named cacd subject,age,gender <<'END'
CACD2000/14_Anna_Velt_0001.jpg = Anna_Velt 14 
CACD2000/14_Anna_Velt_0002.jpg = Anna_Velt 14 
CACD2000/31_50_Pence_0009.jpg = 50_Pence 31 
CACD2000/53_J.K._van_der_Boer_0012.jpg = J.K._van_der_Boer 53 
CACD2000/62_J.K._van_der_Boer_0002.jpg = J.K._van_der_Boer 62 
CACD2000/40_Zoë_Velt_0003.jpg = Zoë_Velt 40 
CACD2000/22_Nana_0001.jpg = Nana 22 
CACD2000/22_Anne-Marie_Velt_0017.jpg = Anne-Marie_Velt 22 
CACD2000/49_O'Neal_Boer_0001.jpg = O'Neal_Boer 49 
CACD2000/16_T_2_Pence_0005.jpg = T_2_Pence 16 
CACD2000/Velt_0001.jpg =   
END
counts 11 0 1
tr ' ' '\t' >people.tsv <<'END'
name identity birth count
AnnaVelt 1 1999 2
JvanderBoer 2 1951 3
END
tr ' ' '\t' >images.tsv <<'END'
age identity year rank lfw birth name
14 1 2013 40 0 1999 14_Anna_Velt_0001.jpg
15 1 2014 40 0 1999 15_Anna_Velt_0002.jpg
14 1 2013 40 0 1999 14_Anna_Velt_0004.jpg
53 2 2004 1 1 1951 53_J.K._van_der_Boer_0012.jpg
54 2 2005 1 1 1951 54_J.K._van_der_Boer_0013.jpg
55 2 2006 1 1 1951 55_J.K._van_der_Boer_0001.jpg
59 2 2010 1 1 1951 59_J.K._van_der_Boer_0008.jpg
60 2 2011 1 1 1951 60_J.K._van_der_Boer_0007.jpg
61 2 2012 1 1 1951 61_J.K._van_der_Boer_0006.jpg
62 2 2013 1 1 1951 62_J.K._van_der_Boer_0002.jpg
31 3 2006 3 0 1975 31_50_Pence_0009.jpg
33 3 2008 3 0 1975 33_50_Pence_0010.jpg
END
mien-mat celebrityData=people.tsv celebrityImageData=images.tsv >celebrity2000_meta.mat
mien-meta --set cacd celebrity2000_meta.mat 2>err >labels.mien
is 'cacd, the .mat file' "$(mien-view -qHc id,subject,age,gender,year labels.mien | tr '\t' ' ')" \
    "$(awk 'NR > 1 { s = $7; gsub(/^[0-9]+_|_[0-9]+\.jpg$/, "", s); print $7, s, $1, "", $3 }' images.tsv)"
says celebrity2000_meta.mat '12 rows, 0 of them bad'
joins CACD2000/
named morph subject,age,gender <<'END'
Album2/009055_1M54.JPG = 009055 54 male
Album2/009055_2M54.JPG = 009055 54 male
Album2/012345_0F17.JPG = 012345 17 female
Album2/033663_11M23.JPG = 033663 23 male
Album2/318845_25F34.JPG = 318845 34 female
Album2/321798_03M36.JPG = 321798 36 male
Album2/321798_04M37.jpg = 321798 37 male
Album2/000001_0M77.JPG = 000001 77 male
Album2/000002_10F16.JPG = 000002 16 female
Album2/999999_9F60.JPG = 999999 60 female
Album2/999999_9X60.JPG =   
END
counts 11 0 1
named fg-net subject,age <<'END'
FGNET/images/001A02.JPG = 001 2
FGNET/images/001A05.JPG = 001 5
FGNET/images/001A08.JPG = 001 8
FGNET/images/001A43a.JPG = 001 43
FGNET/images/001A43b.JPG = 001 43
FGNET/images/002A03.JPG = 002 3
FGNET/images/004A21.JPG = 004 21
FGNET/images/047A00.JPG = 047 0
FGNET/images/048A69.JPG = 048 69
FGNET/images/082A18a.JPG = 082 18
FGNET/images/082A18b.jpg = 082 18
FGNET/images/overview.jpg =  
END
counts 12 0 1
named afad age,gender <<'END'
AFAD-Full/15/111/638660-1.jpg = 15 male
AFAD-Full/15/111/638661-0.jpg = 15 male
AFAD-Full/15/112/100-0.jpg = 15 female
AFAD-Full/18/111/1-0.jpg = 18 male
AFAD-Full/20/112/2-11.jpg = 20 female
AFAD-Full/25/112/3-0.jpg = 25 female
AFAD-Full/30/111/4-0.jpg = 30 male
AFAD-Full/39/112/406208-0.jpg = 39 female
AFAD-Full/40/111/5-0.jpg = 40 male
AFAD-Full/72/112/9-3.jpg = 72 female
AFAD-Full/20/113/9-4.jpg =  
AFAD-Full/README/9-5.jpg =  
END
counts 12 0 2
is 'afad, a list of paths' "$(sed 's/ =.*//; s|^AFAD-Full|.|; /11[12]/!d' cases |
    set_of afad AFAD-Full.txt id,age,gender)" "$(sed 's/ =//; s|^AFAD-Full|.|; /11[12]/!d' cases)"
says AFAD-Full.txt '10 rows, 0 of them bad'
joins tarball-master/AFAD-Full/
named aaf age,gender <<'END'
original images/00000A02.jpg = 2 female
original images/00001A02.jpg = 2 female
original images/00452A09.jpg = 9 female
original images/03999A40.jpg = 40 female
original images/07380A64.jpg = 64 female
original images/07381A02.jpg = 2 male
original images/07381A65.jpg = 65 male
original images/09000A33.jpg = 33 male
original images/12000A70.jpg = 70 male
original images/13321A80.jpg = 80 male
original images/13322A80.jpg =  
aglined faces/00007A05.jpg = 5 female
END
counts 12 0 1
is 'aaf, a list' "$(set_of aaf val.txt id,age,gender,split <<'END'
00000A02.jpg 0
00001A02.jpg 0
00452A09.jpg 0
03999A40.jpg 0
07380A64.jpg 0
07381A02.jpg 1
07382A65.jpg 1
09000A33.jpg 1
12000A70.jpg 1
13321A80.jpg 1
00007A05.jpg 0
END
)" '00000A02.jpg 2 female val
00001A02.jpg 2 female val
00452A09.jpg 9 female val
03999A40.jpg 40 female val
07380A64.jpg 64 female val
07381A02.jpg 2 male val
07382A65.jpg 65 male val
09000A33.jpg 33 male val
12000A70.jpg 70 male val
13321A80.jpg 80 male val
00007A05.jpg 5 female val'
says val.txt '11 rows, 0 of them bad'
joins 'All-Age-Faces Dataset/original images/'
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
38/nm2679438_rm3695806976_1989-8-15_2010.jpg,21,M,310,39,610,377,-12.3,44.25,2.22
02/nm0000102_rm1000_1958-7-8_2001.jpg,42,F,120,50,310.5,290,-1.1,0.2,-14.0
02/nm0000102_rm1001_1958-7-8_1960.jpg,2,F,-3,-7,110,129,0.0,0.0,0.0
02/nm0000202_rm1_1901-12-31_2001.jpg,100,M,1,2,3,4,1.5,2.5,3.5
07/nm0000307_rm2_1930-1-1_1930.jpg,0,F,100,200,1023,1024,1.5,2.5,3.5
07/nm0000307_rm3_1930-1-1_1935.jpg,5,F,10,20,102,102,1.5,2.5,3.5
16/nm0000416_rm4_1950-3-9_1999.jpg,49,M,10,20,102,102,,,
99/nm0000599_rm5_1950-3-9_1998.jpg,48,M,10,20,102,102,nan,nan,nan
99/nm0000599_rm6_1950-3-9_1997.jpg,47,M,11,21,103,103,1,2,3
00/nm0000600_rm7_1980-10-2_2014.jpg,33,F,12,22,104,104,1,2,3
00/nm0000600_rm8_1980-10-2_2013.jpg,32,F,13,23,105,105,1,2,3
END
)" '38/nm2679438_rm3695806976_1989-8-15_2009.jpg nm2679438 20 male 31,39,61,77 valid
38/nm2679438_rm3695806976_1989-8-15_2010.jpg nm2679438 21 male 310,39,610,377 valid
02/nm0000102_rm1000_1958-7-8_2001.jpg nm0000102 42 female 120,50,310.5,290 valid
02/nm0000102_rm1001_1958-7-8_1960.jpg nm0000102 2 female -3,-7,110,129 valid
02/nm0000202_rm1_1901-12-31_2001.jpg nm0000202 100 male 1,2,3,4 valid
07/nm0000307_rm2_1930-1-1_1930.jpg nm0000307 0 female 100,200,1023,1024 valid
07/nm0000307_rm3_1930-1-1_1935.jpg nm0000307 5 female 10,20,102,102 valid
16/nm0000416_rm4_1950-3-9_1999.jpg nm0000416 49 male 10,20,102,102 valid
99/nm0000599_rm5_1950-3-9_1998.jpg nm0000599 48 male 10,20,102,102 valid
99/nm0000599_rm6_1950-3-9_1997.jpg nm0000599 47 male 11,21,103,103 valid
00/nm0000600_rm7_1980-10-2_2014.jpg nm0000600 33 female 12,22,104,104 valid
00/nm0000600_rm8_1980-10-2_2013.jpg nm0000600 32 female 13,23,105,105 valid'
says imdb_valid_new_1024.csv '12 rows, 0 of them bad'
joins imdb-clean-1024/
is 'fairface' "$(set_of fairface fairface_label_val.csv id,age_band,gender,group,split <<'END'
file,age,gender,race,service_test
val/1.jpg,3-9,Male,East Asian,False
val/2.jpg,50-59,Female,East Asian,True
val/3.jpg,30-39,Male,White,True
val/4.jpg,20-29,Female,Latino_Hispanic,True
val/5.jpg,20-29,Male,Southeast Asian,False
val/6.jpg,40-49,Male,Indian,False
val/7.jpg,10-19,Male,Black,True
val/8.jpg,60-69,Female,Middle Eastern,True
val/9.jpg,0-2,Female,White,True
val/10.jpg,more than 70,Male,White,True
val/10953.jpg,more than 70,Female,Black,False
val/10954.jpg,3-9,Female,Indian,False
END
)" 'val/1.jpg 3-9 male East Asian val
val/2.jpg 50-59 female East Asian val
val/3.jpg 30-39 male White val
val/4.jpg 20-29 female Latino_Hispanic val
val/5.jpg 20-29 male Southeast Asian val
val/6.jpg 40-49 male Indian val
val/7.jpg 10-19 male Black val
val/8.jpg 60-69 female Middle Eastern val
val/9.jpg 0-2 female White val
val/10.jpg 70-100 male White val
val/10953.jpg 70-100 female Black val
val/10954.jpg 3-9 female Indian val'
says fairface_label_val.csv '12 rows, 0 of them bad'
joins fairface-img-margin025-trainval/
cat >folds.tsv <<'END'
user_id	original_image	face_id	age	gender	x	y	dx	dy	tilt_ang	fiducial_yaw_angle	fiducial_score
30601258@N03	10399646885_67c7d20df9_o.jpg	1	(25, 32)	f	0	414	1086	1383	-115	30	17
30601258@N03	10424815813_e94629b1ec_o.jpg	2	(60, 100)	m	301	105	640	641	0	0	94
30601258@N03	10437979845_5985be4b26_o.jpg	1	(0, 2)	f	2395	876	771	771	175	-30	74
113445054@N07	11763777465_11d01c34ce_o.jpg	1322	35	u	1152	1016	1224	1224	0	0	148
113445054@N07	11764002585_1b18a11a3c_o.jpg	1323	None		1	2	3	4	0	0	1
113445054@N07	11763777466_11d01c34cf_o.jpg	1324	(8, 12)		1	2	3	4	0	0	1
7153718@N04	9486613949_3d8dd4e6b6_o.jpg	2282	(38, 42)	m	1	2	3	4	5	-15	1
7153718@N04	9486613949_3d8dd4e6b6_o.jpg	2283	(38, 43)	f	11	12	13	14	-5	15	2
7153718@N04	9489412412_a_o.jpg	2284	(38, 48)	f	11	12	13	14	-5	15	2
9855553@N08	9489412413_b_o.jpg	11	58	m	1	1	9	9	0	0	3
9855553@N08	9489412414_c_o.jpg	11	(8, 23)	u	1	1	9	9	0	0	3
9855553@N08	9489412415_d_o.jpg	12	(27, 32)	f	1	1	9	9	0	0	3
END
is 'adience' "$(set_of adience fold_3_data.txt id,subject,age,age_band,gender,box,split <folds.tsv)" \
    '30601258@N03/coarse_tilt_aligned_face.1.10399646885_67c7d20df9_o.jpg 30601258@N03  25-32 female  3
30601258@N03/coarse_tilt_aligned_face.2.10424815813_e94629b1ec_o.jpg 30601258@N03  60-100 male  3
30601258@N03/coarse_tilt_aligned_face.1.10437979845_5985be4b26_o.jpg 30601258@N03  0-2 female  3
113445054@N07/coarse_tilt_aligned_face.1322.11763777465_11d01c34ce_o.jpg 113445054@N07 35    3
113445054@N07/coarse_tilt_aligned_face.1323.11764002585_1b18a11a3c_o.jpg 113445054@N07     3
113445054@N07/coarse_tilt_aligned_face.1324.11763777466_11d01c34cf_o.jpg 113445054@N07  8-12   3
7153718@N04/coarse_tilt_aligned_face.2282.9486613949_3d8dd4e6b6_o.jpg 7153718@N04  38-42 male  3
7153718@N04/coarse_tilt_aligned_face.2283.9486613949_3d8dd4e6b6_o.jpg 7153718@N04  38-43 female  3
7153718@N04/coarse_tilt_aligned_face.2284.9489412412_a_o.jpg 7153718@N04  38-48 female  3
9855553@N08/coarse_tilt_aligned_face.11.9489412413_b_o.jpg 9855553@N08 58  male  3
9855553@N08/coarse_tilt_aligned_face.11.9489412414_c_o.jpg 9855553@N08  8-23   3
9855553@N08/coarse_tilt_aligned_face.12.9489412415_d_o.jpg 9855553@N08  27-32 female  3'
says fold_3_data.txt '12 rows, 0 of them bad'
joins faces/
is 'adience-aligned' "$(set_of adience-aligned fold_frontal_0_data.txt id,age_band,split <folds.tsv | head -2)" \
    '30601258@N03/landmark_aligned_face.1.10399646885_67c7d20df9_o.jpg 25-32 0
30601258@N03/landmark_aligned_face.2.10424815813_e94629b1ec_o.jpg 60-100 0'
says fold_frontal_0_data.txt '12 rows, 0 of them bad'
joins aligned/
is 'appa-real, ages' "$(set_of appa-real gt_avg_train.csv id,age,split <<'END'
file_name,num_ratings,apparent_age_avg,apparent_age_std,real_age
000000.jpg,36,5.055555555555555,1.2185117,4
000001.jpg,41,19.341463414634145,3.27,18
000002.jpg,39,80.46153846153847,5.47,80
000003.jpg,39,49.46153846153846,5.09,50
000004.jpg,37,19.89189189189189,4.25,17
000005.jpg,38,1.0,0.0,1
000006.jpg,38,0.5,0.5,0
000007.jpg,24,85.2,6.0,91
000008.jpg,24,33.2,6.0,34
000009.jpg,24,33.2,6.0,35
000010.jpg,24,33.2,6.0,36
004112.jpg,24,33.2,6.0,37
END
)" '000000.jpg_face.jpg 4 train
000001.jpg_face.jpg 18 train
000002.jpg_face.jpg 80 train
000003.jpg_face.jpg 50 train
000004.jpg_face.jpg 17 train
000005.jpg_face.jpg 1 train
000006.jpg_face.jpg 0 train
000007.jpg_face.jpg 91 train
000008.jpg_face.jpg 34 train
000009.jpg_face.jpg 35 train
000010.jpg_face.jpg 36 train
004112.jpg_face.jpg 37 train'
says gt_avg_train.csv '12 rows, 0 of them bad'
joins appa-real-release/train/
is 'appa-real, a row a rating' "$(set_of appa-real gt_valid.csv id,age,gender,split <<'END'
file_name,real_age,apparent_age,worker_age,worker_gender
004113.jpg,25,24,54,female
004113.jpg,25,27,55,female
004113.jpg,25,31,22,male
004113.jpg,25,31,22,male
004114.jpg,47,40,22,male
004114.jpg,47,41,33,female
004114.jpg,47,51,61,female
004115.jpg,2,3,33,female
004116.jpg,2,3,33,female
004116.jpg,2,1,33,male
005612.jpg,88,70,33,male
005612.jpg,88,90,19,male
END
)" '004113.jpg_face.jpg 25  valid
004114.jpg_face.jpg 47  valid
004115.jpg_face.jpg 2  valid
004116.jpg_face.jpg 2  valid
005612.jpg_face.jpg 88  valid'
says gt_valid.csv '5 rows, 0 of them bad, and 7 repeated'
is 'appa-real, the others' "$(set_of appa-real allcategories_test.csv id,gender,group,split <<'END'
file,gender,race,happiness,makeup
005613.jpg,female,caucasian,slightlyhappy,makeup
005614.jpg,male,afroamerican,neutral,nomakeup
005615.jpg,male,asian,happy,notclear
005616.jpg,female,asian,other,verysubtlemakeup
END
)" '005613.jpg_face.jpg female caucasian test
005614.jpg_face.jpg male afroamerican test
005615.jpg_face.jpg male asian test
005616.jpg_face.jpg female asian test'
says allcategories_test.csv '4 rows, 0 of them bad'
is 'morph, the table' "$(set_of morph morph_2008_nonCommercial.csv id,subject,age,gender,group <<'END'
id_num,picture_num,dob,doa,race,gender,facial_hair,age,age_diff,glasses,photo
009055,1,08/14/1951,10/22/2005,W,M,,54,0,,Album2/009055_1M54.JPG
009055,2,08/14/1951,11/22/2005,W,M,,54,31,,Album2/009055_2M54.JPG
009055,3,08/14/1951,11/22/2006,W,M,,55,365,,Album2/009055_3M55.JPG
012345,0,01/02/1989,03/04/2006,B,F,,17,0,,Album2/012345_0F17.JPG
318845,25,01/02/1973,03/04/2007,B,F,,34,29,1,Album2/318845_25F34.JPG
321798,03,01/02/1970,03/04/2006,H,M,1,36,0,0,Album2/321798_03M36.JPG
321798,04,01/02/1970,03/04/2007,H,M,1,37,365,0,Album2/321798_04M37.JPG
400001,0,01/02/1970,03/04/2006,A,F,,36,0,0,Album2/400001_0F36.JPG
400002,0,01/02/1970,03/04/2006,I,M,,36,0,0,Album2/400002_0M36.JPG
400003,0,01/02/1970,03/04/2006,O,M,,36,0,0,Album2/400003_0M36.JPG
400004,0,01/02/1990,03/04/2006,,M,,16,0,0,Album2/400004_0M16.JPG
400005,0,01/02/1929,03/04/2006,W,F,,77,0,0,Album2/400005_0F77.JPG
END
)" 'Album2/009055_1M54.JPG 009055 54 male White
Album2/009055_2M54.JPG 009055 54 male White
Album2/009055_3M55.JPG 009055 55 male White
Album2/012345_0F17.JPG 012345 17 female Black
Album2/318845_25F34.JPG 318845 34 female Black
Album2/321798_03M36.JPG 321798 36 male Hispanic
Album2/321798_04M37.JPG 321798 37 male Hispanic
Album2/400001_0F36.JPG 400001 36 female Asian
Album2/400002_0M36.JPG 400002 36 male Indian
Album2/400003_0M36.JPG 400003 36 male Other
Album2/400004_0M16.JPG 400004 16 male 
Album2/400005_0F77.JPG 400005 77 female White'
says morph_2008_nonCommercial.csv '12 rows, 0 of them bad'
joins MORPH/
cat >annotation <<'END'
img_name,age,gender,face_x0,face_y0,face_x1,face_y1,person_x0,person_y0,person_x1,person_y1
images/0001.jpg,34,F,10,10,60,70,0,0,90,150
images/0001.jpg,-1,-1,80,12,110,40,70,0,120,99
images/0001.jpg,7,M,200,12,230,40,-1,-1,-1,-1
images/0002.jpg,41,M,-1,-1,-1,-1,5,5,60,120
images/0003.jpg,25;32,M,0,0,100,100,-1,-1,-1,-1
images/0004.jpg,34.0,-1,1,1,9,9,-1,-1,-1,-1
images/0005.jpg,60;100,F,1,1,9,9,-1,-1,-1,-1
images/0006.jpg,0;2,-1,1,1,9,9,-1,-1,-1,-1
images/0007.jpg,-1,F,1,1,9,9,0,0,11,12
images/0008.jpg,0,M,1,1,9,9,0,0,11,12
images/0009.jpg,95,F,1.5,1,9.25,9,0,0,11,12
images/000a.jpg,-1,-1,-1,-1,-1,-1,0,0,11,12
END
for set in lagenda mivolo; do
    is "$set" "$(set_of $set annotation.csv id,age,age_band,gender,box <annotation)" \
        'images/0001.jpg 34  female 10,10,60,70
images/0001.jpg    80,12,110,40
images/0001.jpg 7  male 200,12,230,40
images/0002.jpg 41  male 
images/0003.jpg  25-32 male 0,0,100,100
images/0004.jpg 34   1,1,9,9
images/0005.jpg  60-100 female 1,1,9,9
images/0006.jpg  0-2  1,1,9,9
images/0007.jpg   female 1,1,9,9
images/0008.jpg 0  male 1,1,9,9
images/0009.jpg 95  female 1.5,1,9.25,9
images/000a.jpg    '
    says annotation.csv '12 rows, 0 of them bad'
    joins data/lagenda/
done
is 'coral-afad' "$(set_of coral-afad afad_test.csv id,age,gender,split <<'END'
file,path,age,gender
638660-1.jpg,15/111/638660-1.jpg,0,male
1-0.jpg,15/112/1-0.jpg,0,female
2-0.jpg,16/112/2-0.jpg,1,female
3-0.jpg,17/111/3-0.jpg,2,male
4-0.jpg,18/111/4-0.jpg,3,male
5-0.jpg,20/112/5-0.jpg,5,female
6-0.jpg,25/112/6-0.jpg,10,female
7-0.jpg,30/111/7-0.jpg,15,male
8-0.jpg,35/111/8-0.jpg,20,male
9-0.jpg,39/112/9-0.jpg,24,female
406208-0.jpg,39/112/406208-0.jpg,24,female
10-0.jpg,40/111/10-0.jpg,25,male
END
)" '15/111/638660-1.jpg 15 male test
15/112/1-0.jpg 15 female test
16/112/2-0.jpg 16 female test
17/111/3-0.jpg 17 male test
18/111/4-0.jpg 18 male test
20/112/5-0.jpg 20 female test
25/112/6-0.jpg 25 female test
30/111/7-0.jpg 30 male test
35/111/8-0.jpg 35 male test
39/112/9-0.jpg 39 female test
39/112/406208-0.jpg 39 female test
40/111/10-0.jpg 40 male test'
says afad_test.csv '12 rows, 0 of them bad'
joins AFAD-Full/
is 'coral-cacd' "$(set_of coral-cacd cacd_valid.csv id,subject,age,split <<'END'
,file,age
0,14_Anna_Velt_0001.jpg,0
17,17_Anna_Velt_0001.jpg,3
3,17_Anna_Velt_0002.jpg,3
4,20_Zoe_Velt_0002.jpg,6
5,31_50_Pence_0009.jpg,17
6,40_Nana_0001.jpg,26
7,45_J.K._van_der_Boer_0001.jpg,31
8,53_J.K._van_der_Boer_0012.jpg,39
10,54_J.K._van_der_Boer_0012.jpg,40
11,60_J.K._van_der_Boer_0012.jpg,46
12,61_O'Neal_Boer_0012.jpg,47
1,62_50_Pence_0012.jpg,48
END
)" "14_Anna_Velt_0001.jpg Anna_Velt 14 valid
17_Anna_Velt_0001.jpg Anna_Velt 17 valid
17_Anna_Velt_0002.jpg Anna_Velt 17 valid
20_Zoe_Velt_0002.jpg Zoe_Velt 20 valid
31_50_Pence_0009.jpg 50_Pence 31 valid
40_Nana_0001.jpg Nana 40 valid
45_J.K._van_der_Boer_0001.jpg J.K._van_der_Boer 45 valid
53_J.K._van_der_Boer_0012.jpg J.K._van_der_Boer 53 valid
54_J.K._van_der_Boer_0012.jpg J.K._van_der_Boer 54 valid
60_J.K._van_der_Boer_0012.jpg J.K._van_der_Boer 60 valid
61_O'Neal_Boer_0012.jpg O'Neal_Boer 61 valid
62_50_Pence_0012.jpg 50_Pence 62 valid"
says cacd_valid.csv '12 rows, 0 of them bad'
joins CACD2000-centered/
is 'coral-utkface' "$(set_of coral-utkface utk_train.csv id,age,split <<'END'
,file,age
18896,40_1_3_20170119165539693.jpg.chip.jpg,19
19021,21_0_1_20170117194133909.jpg.chip.jpg,0
1,22_0_1_20170117194133909.jpg.chip.jpg,1
2,26_1_2_20170116184024662.jpg.chip.jpg,5
3,30_0_0_20170116184024662.jpg.chip.jpg,9
4,31_0_0_20170116184024662.jpg.chip.jpg,10
5,35_0_3_20170120134734546.jpg.chip.jpg,14
6,45_1_4_20170120134734546.jpg.chip.jpg,24
7,50_1_4_20170120134734546.jpg.chip.jpg,29
8,59_1_0_20170120134734546.jpg.chip.jpg,38
9,60_1_0_20170120134734546.jpg.chip.jpg,39
10,60_0_0_20170120134734547.jpg.chip.jpg,39
END
)" '40_1_3_20170119165539693.jpg.chip.jpg 40 train
21_0_1_20170117194133909.jpg.chip.jpg 21 train
22_0_1_20170117194133909.jpg.chip.jpg 22 train
26_1_2_20170116184024662.jpg.chip.jpg 26 train
30_0_0_20170116184024662.jpg.chip.jpg 30 train
31_0_0_20170116184024662.jpg.chip.jpg 31 train
35_0_3_20170120134734546.jpg.chip.jpg 35 train
45_1_4_20170120134734546.jpg.chip.jpg 45 train
50_1_4_20170120134734546.jpg.chip.jpg 50 train
59_1_0_20170120134734546.jpg.chip.jpg 59 train
60_1_0_20170120134734546.jpg.chip.jpg 60 train
60_0_0_20170120134734547.jpg.chip.jpg 60 train'
says utk_train.csv '12 rows, 0 of them bad'
joins jpg/
is 'coral-morph' "$(set_of coral-morph morph2_train.csv id,subject,age,gender,group <<'END'
,id_num,picture_num,race,Male,facial_hair,age,glasses,quality
321798_03M36.jpg,321798,3,B,1,,20,,GOOD
318845_25F34.jpg,318845,25,W,-1,,18,,GOOD
009055_1M54.jpg,009055,1,W,1,,38,,GOOD
009055_2M54.jpg,009055,2,W,1,0,38,1,POOR
012345_0F17.jpg,012345,0,B,-1,,1,,GOOD
033663_11M23.jpg,033663,11,H,1,,7,,GOOD
400001_0F36.jpg,400001,0,A,-1,,20,,GOOD
400002_0M36.jpg,400002,0,I,1,,20,,GOOD
400003_0M36.jpg,400003,0,O,1,,20,,GOOD
400004_0M16.jpg,400004,0,,1,,0,,GOOD
400005_0F70.jpg,400005,0,W,-1,,54,,GOOD
END
)" '321798_03M36.jpg 321798 36 male Black
318845_25F34.jpg 318845 34 female White
009055_1M54.jpg 009055 54 male White
009055_2M54.jpg 009055 54 male White
012345_0F17.jpg 012345 17 female Black
033663_11M23.jpg 033663 23 male Hispanic
400001_0F36.jpg 400001 36 female Asian
400002_0M36.jpg 400002 36 male Indian
400003_0M36.jpg 400003 36 male Other
400004_0M16.jpg 400004 16 male 
400005_0F70.jpg 400005 70 female White'
says morph2_train.csv '11 rows, 0 of them bad'
joins morph2-aligned-nonzip/
# unified: standard input has lines PATH ID AGE GENDER FOLDER BOX; as JSON that looks like the benchmark's.
unified() {
    awk 'BEGIN { print "[" }
        { printf "%s    {\n        \"img_path\": \"%s\",\n", (NR > 1 ? ",\n" : ""), $1
          if ($2 != "-") printf "        \"id_num\": %s,\n", $2
          printf "        \"age\": %s,\n        \"gender\": \"%s\",\n        \"database\": \"AFAD-Full\",\n", $3, $4
          printf "        \"folder\": %d,\n        \"aligned_bbox\": %s,\n", $5, $6
          printf "        \"alignment_source\": \"in the wild\"\n    }" }
        END { print "\n]" }'
}
is 'unified: JSON, with its folders' "$(unified <<'END' | set_of unified AFAD-Full_aligned.json id,subject,age,gender,box,split
AFAD/AFAD-Full/15/111/638660-1.jpg 638660 15 M 0 [-57,-95,372,-83,360,346,-69,334]
AFAD/AFAD-Full/15/112/1-0.jpg "1" 15 F 1 [0,0,9,0,9,9,0,9]
AFAD/AFAD-Full/16/112/2-0.jpg 2 16 F 2 [0.5,0,9,0,9,9.5,0,9]
AFAD/AFAD-Full/17/111/3-0.jpg 3 17 M 3 [1,2,9,1,10,9,2,10]
AFAD/AFAD-Full/18/111/4-0.jpg 4 18 M 4 [1,2,9,1,10,9,2,10]
AFAD/AFAD-Full/20/112/5-0.jpg 5 20 F 5 [1,2,9,1,10,9,2,10]
AFAD/AFAD-Full/25/112/6-0.jpg 6 25 F 6 [1,2,9,1,10,9,2,10]
AFAD/AFAD-Full/30/111/7-0.jpg 7 30 M 7 [1,2,9,1,10,9,2,10]
AFAD/AFAD-Full/35/111/8-0.jpg 8 35 M 8 [1,2,9,1,10,9,2,10]
AFAD/AFAD-Full/39/112/9-0.jpg 9 39 F 9 [1,2,9,1,10,9,2,10]
AFAD/AFAD-Full/72/112/10-0.jpg - 72 F 0 [1,2,9,1,10,9,2,10]
AFAD/AFAD-Full/20/112/11-0.jpg 11 -1 U 9 null
END
)" 'AFAD/AFAD-Full/15/111/638660-1.jpg 638660 15 male -69,-95,372,346 0
AFAD/AFAD-Full/15/112/1-0.jpg 1 15 female 0,0,9,9 1
AFAD/AFAD-Full/16/112/2-0.jpg 2 16 female 0,0,9,9.5 2
AFAD/AFAD-Full/17/111/3-0.jpg 3 17 male 1,1,10,10 3
AFAD/AFAD-Full/18/111/4-0.jpg 4 18 male 1,1,10,10 4
AFAD/AFAD-Full/20/112/5-0.jpg 5 20 female 1,1,10,10 5
AFAD/AFAD-Full/25/112/6-0.jpg 6 25 female 1,1,10,10 6
AFAD/AFAD-Full/30/111/7-0.jpg 7 30 male 1,1,10,10 7
AFAD/AFAD-Full/35/111/8-0.jpg 8 35 male 1,1,10,10 8
AFAD/AFAD-Full/39/112/9-0.jpg 9 39 female 1,1,10,10 9
AFAD/AFAD-Full/72/112/10-0.jpg  72 female 1,1,10,10 0
AFAD/AFAD-Full/20/112/11-0.jpg 11    9'
says AFAD-Full_aligned.json '12 rows, 0 of them bad'
joins databases/
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
like 'says how it is to be cropped' "$(cat err)" '^mien-meta: Own: none; crop with mien-crop --box whole$'
is 'and what it knows' "$(mien-view -Hc id,age,group,gender out | tr '\t' ' ')" \
    'a.jpg 31 Alpha female
b.jpg 9 b male'
is 'options come over it' "$(mien-meta -q --set share/sets/own.set --age-fraction round --female x \
    -c gender=sex own.csv 2>/dev/null | mien-view -Hc age,gender | tr '\t' ' ' | head -1)" '32 '
is '--sets has it' "$(MIEN_SHARE="$PWD/share" mien-meta --sets | tail -1)" "own	Own	none	here"
is 'a name in other letters' "$(mien-meta -q --set FairFace fairface_label_val.csv | mien-view --count)" 12
exits 'a set that is none' 2 mien-meta --set nothing own.csv
like 'is said to be none' "$(cat err)" "no set is named 'nothing': --sets lists"
printf 'title x\ncolour red\n' >bad.set
exits 'a line that is none' 2 mien-meta --set ./bad.set own.csv
like 'is named' "$(cat err)" "'./bad.set', line 2: colour: not a key of a set"

finish
