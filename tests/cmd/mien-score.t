#!/bin/sh
# mien-score: metrics, intervals, slices, formats.
. "$(dirname "$0")/../lib.sh"

mien-fake 500 --predict >a.mien
mien-fake 400 --predict --seed 3 >b.mien
filter_contract mien-score a.mien
filter_contract mien-score a.mien --boot 0 --every 10
filter_contract mien-score a.mien --format json

# value FILE METRIC [SLICE]: from the TSV.
value() {
    awk -F'\t' -v m="$2" -v s="${3:-(all)}" '$2 == s && $3 == m {print $5}' "$1"
}

# A file's name is escaped as mien-view does it.
tab=$(printf 'a\tb.mien')
cp a.mien "$tab"
is 'a name with a tab' "$(mien-score -f tsv --boot 0 "$tab" | cut -f 1 | uniq | tail -1)" 'a\tb.mien'

# Against awk on the text of the same records.
mien-score --format tsv a.mien >a.tsv
mien-view -Hc gender,pred_gender,age,pred_age,pred_age_mode,pred_age_median,group a.mien >a.txt
is 'gender accuracy' "$(value a.tsv gender_accuracy)" \
    "$(awk '{n += $1 == $2} END {print n / NR}' a.txt)"
is 'exact age' "$(value a.tsv age_exact)" "$(awk '{n += $3 == $5} END {print n / NR}' a.txt)"
is 'MAE of the most probable age' "$(value a.tsv age_mae_mode)" \
    "$(awk '{d = $3 - $5; s += d < 0 ? -d : d} END {print s / NR}' a.txt)"
is 'MAE of the median' "$(value a.tsv age_mae_median)" \
    "$(awk '{d = $3 - $6; s += d < 0 ? -d : d} END {print s / NR}' a.txt)"
is 'MAE of the expectation' "$(value a.tsv age_mae | cut -c1-4)" \
    "$(awk '{d = $3 - $4; s += d < 0 ? -d : d} END {print substr(s / NR, 1, 4)}' a.txt)"
is 'CS(5) of the most probable age' \
    "$(mien-score --point mode -f tsv a.mien >p.tsv; value p.tsv cs5)" \
    "$(awk '{d = $3 - $5; n += d >= -5 && d <= 5} END {print n / NR}' a.txt)"
is 'two bins' "$(mien-score --point mode --bins 0,18 -f tsv a.mien >p.tsv; value p.tsv bin_accuracy)" \
    "$(awk '{n += ($3 < 18) == ($5 < 18)} END {print n / NR}' a.txt)"
is 'confusion of genders' "$(value a.tsv gender:male:female)" \
    "$(awk '{n += $1 == "male" && $2 == "female"} END {print n}' a.txt)"
is 'confusion of bins' "$(value p.tsv bin:0-17:18+)" \
    "$(awk '{n += $3 < 18 && $5 >= 18} END {print n}' a.txt)"
mien-score --format tsv --by group a.mien >g.tsv
is 'slices by group' "$(value g.tsv gender_accuracy b)" \
    "$(awk '$7 == "b" {n++; right += $1 == $2} END {printf "%.12g\n", right / n}' a.txt)"
is 'and no other ones' "$(cut -f 2 g.tsv | grep -v gap | sort -u | tr '\n' ' ')" \
    "(all) a b c d slice "
is 'the largest gap between them' \
    "$(awk -F'\t' '$2 ~ /^.gap/ && $3 == "gender_accuracy" {print $2, $5}' g.tsv)" \
    "$(awk '{n[$7]++; right[$7] += $1 == $2} END {
        for (g in n) { v = right[g] / n[g]; if (!hi || v > max) {hi = g; max = v}
            if (!lo || v < min) {lo = g; min = v} }
        printf "(gap) %s - %s %.12g\n", hi, lo, max - min }' a.txt)"
is 'a slice of few records makes no gap' \
    "$(mien-view -r -n 29 a.mien | mien-score -f tsv --by gender | grep -c gap)" 0

# The best constant guess, and the bias.
is 'the guess of a gender' "$(awk -F'\t' '$3 == "gender_accuracy" {print $8}' a.tsv)" \
    "$(awk '{n[$1]++} END {print (n["male"] > n["female"] ? n["male"] : n["female"]) / NR}' a.txt)"
is 'the guess of an age' "$(awk -F'\t' '$3 == "age_mae" {print $8}' a.tsv)" \
    "$(awk '{n[$3]++} END { best = 999
        for (g = 0; g <= 100; g++) {
            s = 0
            for (a in n) { d = a - g; s += n[a] * (d < 0 ? -d : d) }
            if (s / NR < best) best = s / NR }
        print best }' a.txt)"
is 'the bias' "$(value a.tsv age_bias | cut -c1-4)" \
    "$(awk '{s += $4 - $3} END {print substr(s / NR, 1, 4)}' a.txt)"

# Age checks.
mien-score -f tsv --over 18 --challenge 25 --by gender a.mien >check.tsv
is 'who is too young and passes' "$(value check.tsv false_positives | cut -c1-8)" \
    "$(awk '$3 < 18 {n++; p += $4 >= 25} END {printf "%.12g\n", p / n}' a.txt | cut -c1-8)"
is 'who is old enough and does not' "$(value check.tsv false_negatives | cut -c1-8)" \
    "$(awk '$3 >= 18 {n++; p += $4 < 25} END {printf "%.12g\n", p / n}' a.txt | cut -c1-8)"
is 'of the women' "$(value check.tsv false_negatives female | cut -c1-8)" \
    "$(awk '$1 == "female" && $3 >= 18 {n++; p += $4 < 25} END {printf "%.12g\n", p / n}' a.txt |
        cut -c1-8)"
is 'by another challenge' "$(value check.tsv false_negatives:30 | cut -c1-8)" \
    "$(awk '$3 >= 18 {n++; p += $4 < 30} END {printf "%.12g\n", p / n}' a.txt | cut -c1-8)"
is 'at a true age' "$(value check.tsv passes:20 | cut -c1-8)" \
    "$(awk '$3 == 20 {n++; p += $4 >= 25} END {printf "%.12g\n", p / n}' a.txt | cut -c1-8)"
like 'in text' "$(mien-score --over 18 --challenge 25 a.mien)" '^over 18, challenge 25$'
exits '--challenge needs an age' 2 mien-score --challenge 25 a.mien

# Two predictions of the same records.
mien-score -f tsv --paired a.mien a.mien >same.tsv
is 'the same predictions do not differ' \
    "$(awk -F'\t' 'NR > 1 {print $5, $6, $7, $8, $9, $10}' same.tsv | sort -u)" "0 0 0 0 0 1"
like 'in text' "$(mien-score --paired a.mien a.mien)" '^gender_accuracy +500 .* 84.00% .*\+0\.00'
like 'in JSON' "$(mien-score -f json --paired a.mien a.mien)" \
    '^\{"a":"a.mien","b":"a.mien","records":500,.*"gender_accuracy":\{"n":500,.*"p":1\}'
exits 'other records are no pairs' 2 sh -c 'mien-view -r -s "age > 20" a.mien | mien-score --paired a.mien -'
like 'and say so' "$(cat err)" "^mien-score: record [0-9]+ of 'a.mien' and of '-' are of different images"
head -c 9000 a.mien >cut.mien
exits 'nor are those cut short' 2 mien-score --paired a.mien cut.mien
like 'the file is named' "$(cat err)" '^mien-score: cut.mien: '
exits 'from a pipe' 2 sh -c 'mien-score --paired - a.mien <cut.mien'
like 'as nothing but a stream' "$(cat err)" '^mien-score: the stream is cut short at byte 9000'
exits 'nor are fewer' 2 sh -c 'mien-view -r -n 10 a.mien | mien-score --paired a.mien -'
like 'and it says which' "$(cat err)" "^mien-score: '-' ends after 10 records, 'a.mien' doesn't"
exits '--paired takes two files' 2 mien-score --paired a.mien

# The interval holds the value and is about as wide as the normal approximation's.
awk -F'\t' '$3 == "gender_accuracy" {
    half = 1.96 * sqrt($5 * (1 - $5) / $4)
    lo = ($5 - $6) / half; hi = ($7 - $5) / half
    print (lo > 0.8 && lo < 1.2 && hi > 0.8 && hi < 1.2) }' a.tsv >ratio
is 'the interval is as wide as it should be' "$(cat ratio)" 1
mien-score a.mien >one.txt
mien-score a.mien >two.txt
ok 'the same seed gives the same bytes' cmp one.txt two.txt
is 'another seed gives other intervals' "$(mien-score --seed 1 a.mien | cmp -s - one.txt; echo $?)" 1
is 'the order of records changes no value' "$(cat b.mien a.mien | mien-score -f tsv --boot 0)" \
    "$(cat a.mien b.mien | mien-score -f tsv --boot 0)"

# Several files, running lines, JSON.
cp a.mien one.mien
mien-score a.mien b.mien - <one.mien >table.txt
like 'files side by side' "$(head -1 table.txt)" '^ +a\.mien +b\.mien +-$'
like 'with their metrics' "$(cat table.txt)" '^  CS\(5\) +([0-9.]+% \([0-9.]+-[0-9.]+\) +[0-9.]+% *){3}$'
is '--boot 0 has no intervals' "$(mien-score --boot 0 a.mien | grep -c '(.*-')" 0
mien-score --every 100 --boot 0 a.mien >running.txt
is 'a line every 100 records' "$(awk '/^ +[0-9]+ / {print $1}' running.txt | tr '\n' ' ')" \
    "100 200 300 400 500 "
is 'of all records so far' "$(awk '$1 == 500 {print $4}' running.txt)" \
    "$(awk '/MAE of expectation/ {print $4}' running.txt)"
like 'JSON' "$(mien-score -f json --by gender a.mien)" \
    '^\{"file":"a.mien","records":500,.*"cs10":\{"n":500,.*"slices":\[\{"slice":"female",.*\],"gaps":.*\}$'
is 'a line a file' "$(mien-score -f json a.mien b.mien | wc -l)" 2

# Nothing is dropped silently.
mien-view -r -c id,age,gender a.mien >labels.mien
exits 'labels without predictions are no score' 1 mien-score labels.mien
like 'and it says so' "$(cat err)" "^mien-score: no record of 'labels.mien' has both"
like 'and counts them' "$(cat out)" '^  without p_age +500$'
cat labels.mien a.mien >both.mien
exits 'records without predictions are counted' 0 mien-score both.mien
like 'beside the others' "$(cat out)" '^age +n = 500 +guess$'
exits 'what came before a broken end is scored' 2 sh -c 'head -c 9000 a.mien | mien-score'
like 'and reported' "$(cat out)" '^records +1[0-9]$'

is 'the former options -b, -B and -e' "$(mien-score -b 0,18 -B 0 -e 200 -f tsv a.mien)" \
    "$(mien-score --bins 0,18 --boot 0 --every 200 -f tsv a.mien)"
exits 'unknown bins are fatal' 2 mien-score --bins 10,20 a.mien
like 'and named' "$(cat err)" "^mien-score: --bins: '10,20' is neither"
exits 'unknown slices are fatal' 2 mien-score --by color a.mien
like 'and named' "$(cat err)" "^mien-score: --by: 'color' is not a field"
exits 'a missing file is fatal' 2 mien-score a.mien none.mien
like 'after the report of those before' "$(cat out)" '^records +500$'

# --- Saved scores --------------------------------------------------------------------------------
# Scores of shards add up to that of the whole, byte for byte.
mien-fake 700 --predict --seed 5 >whole.mien
mien-split -q --shards 9 --segment 10 part.mien <whole.mien
while IFS='|' read -r name args; do
    rm -f ./*.score
    for f in part-*.mien; do
        sh -c "mien-score --boot 0 $args --save ${f%.mien}.score <$f >/dev/null" || echo "# $f"
    done
    for format in text tsv json; do
        sh -c "mien-score -f $format $args <whole.mien" >wanted
        ok "$name, as $format" sh -c "mien-score -f $format --merge part-*.score | cmp - wanted"
    done
done <<'END'
scores of shards add up|
with slices|--by group,gender
with other bins|--bins 0,3,50 --by bin --point median
with age checks|--over 18 --challenge 25 --by gender
with slices whose names are odd|--by id
END
mien-score --tables -f json --by id <whole.mien >wanted
ok 'tables of confidences add up' sh -c 'mien-score --tables -f json --merge part-*.score | cmp - wanted'
mien-view -r -n 1 whole.mien | mien-view -r -c id | mien-score -q --save part-none.score --by id >/dev/null 2>err
is 'a shard may have nothing to score' "$? $(cat err)" '0 '
mien-view -rn 0 whole.mien | mien-score -q --by id --save part-empty.score >/dev/null
is 'or no record' $? 0
exits 'a field that no record of a shard has' 0 mien-score -q --by camera --save odd1.score whole.mien
is 'is told' "$(cat err)" "mien-score: --by: 'camera' is not a field of 'whole.mien'"
exits 'one that none of all has' 2 mien-score --merge odd1.score odd1.score
is 'is an error' "$(cat err)" "mien-score: --by: no record has 'camera'"
cat whole.mien >all.mien
mien-view -r -n 1 whole.mien | mien-view -r -c id >>all.mien
mien-score --by id all.mien -f tsv | cut -f2- >wanted
ok 'such a score adds up, too' sh -c 'mien-score --merge -f tsv part*.score | cut -f2- | cmp - wanted'
mien-score --merge part-[1-4].score --save half1.score >/dev/null
mien-score --merge part-[5-9].score part-[a-z]*.score --save half2.score >/dev/null
ok 'sums can be saved' sh -c 'mien-score --merge half*.score -f tsv | cut -f2- | cmp - wanted'
exits 'a report over the saved score' 2 mien-score --save same.score -o ./same.score whole.mien
is 'is refused' "$(cat err)" "mien-score: --save and --output can't both go to 'same.score'"
mien-score -q --save half1.score --by gender <whole.mien >/dev/null
exits 'scores of another kind' 2 mien-score --merge half2.score half1.score
is 'do not mix' "$(cat err)" 'mien-score: half1.score: saved with another --point, --bins, --over, --challenge or --by'
exits 'nor do records' 2 mien-score --merge whole.mien
is 'which is said' "$(cat err)" 'mien-score: whole.mien: this is not a saved score'
lines=$(wc -l <half2.score)
for cut in 1 2 5 6 "$((lines - 1))"; do
    head -n "$cut" half2.score >cut.score
    exits "a score cut after line $cut" 2 mien-score --merge cut.score
done
head -c -3 half2.score >cut.score
exits 'a score without its end' 2 mien-score --merge cut.score
like 'is told' "$(cat err)" 'the saved score is cut short or damaged after line'
sed '5s/[0-9]*$/99999999999999999999/' half2.score >wrong.score
exits 'an absurd number' 2 mien-score --merge wrong.score
is 'is named' "$(cat err)" "mien-score: wrong.score: line 5 isn't one of a saved score"
exits 'a score can not be written' 2 mien-score --save /dev/full whole.mien
exits 'options that were saved' 2 mien-score --merge --by gender half2.score
exits 'nothing to merge' 2 mien-score --merge
exits 'one score of two files' 2 mien-score --save x.score whole.mien all.mien


# --- suspects
mien-fake 30 --predict --seed 4 >judged.mien
exits 'suspects' 0 mien-score --suspects 5 -o five.mien judged.mien
is 'five' "$(mien-view --count five.mien)" 5
is 'those of the greatest doubt, in order' "$(mien-view -H -c doubt,id five.mien)" \
    "$(mien-view -H -c doubt,id judged.mien | sort -s -k1,1nr | head -5)"
is 'the records as they were' "$(mien-view -H -f json five.mien | sort)" \
    "$(mien-view -f json judged.mien | grep -F "$(mien-view -H -c id five.mien)" | sort)"
is 'all, where there are fewer' "$(cat judged.mien judged.mien | mien-score --suspects 100 | mien-view --count)" 60
is 'of several files' "$(mien-score --suspects 100 judged.mien five.mien | mien-view --count)" 35
is 'selected by doubt' "$(mien-view -r --select 'doubt >= 0' judged.mien | mien-view --count)" 30
mien-view -q -r -c id judged.mien >bare.mien
exits 'without labels' 1 mien-score --suspects 5 bare.mien
like 'says so' "$(cat err)" 'no record has both a label and a prediction$'
exits 'suspects are no score' 2 mien-score --suspects 5 --by group judged.mien
exits 'suspects on a full disk' 2 sh -c 'mien-score --suspects 5 judged.mien >/dev/full'
finish
