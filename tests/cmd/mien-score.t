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
like 'and say so' "$(cat err)" 'are of different images|ends after'
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

finish
