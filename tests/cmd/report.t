#!/bin/sh
# mien-report: a page of predictions.
. "$(dirname "$0")/../lib.sh"

PATH=$ROOT/scripts:$PATH
exits 'no predictions' 2 mien-report
exits 'an option that is none' 2 mien-report --colour a.mien
like 'is named' "$(cat err)" "unknown option '--colour'"
exits '--help' 0 mien-report --help
like 'shows the options' "$(cat out)" '^  -o, --output PAGE.html'
if ! command -v gnuplot >/dev/null; then
    skip 'pages' 'there is no gnuplot'
    finish
    exit
fi

mien-fake 600 --predict >a.mien
mien-fake 600 --predict --seed 3 >b.mien
exits 'a page' 0 mien-report -o one.html --over 18 a.mien b.mien
ok 'is HTML' grep -q '^<!DOCTYPE html>' one.html
like 'with its numbers' "$(cat one.html)" 'gender, accuracy</th><td>600</td><td>[0-9.]+%'
is 'the same as mien-score gives' \
    "$(sed -n 's/.*gender, accuracy<.th><td>600<.td><td>\([0-9.]*\)%.*/\1/p' one.html)" \
    "$(mien-score a.mien | awk '/accuracy/ {sub("%", "", $2); print $2; exit}')"
for plot in scatter error bias cs reliability gender_risk age_risk check passes histogram; do
    ok "a plot: $plot" grep -q "<title>$plot</title>" one.html
done
is 'nothing is loaded and nothing runs' \
    "$(grep -cE '<script|<link|(href|src)="?(http|//)|url\(' one.html)" 0
ok 'below 2 MB' test "$(wc -c <one.html)" -lt 2000000
mien-report -o two.html --over 18 a.mien b.mien
ok 'the same bytes twice' cmp one.html two.html
is 'other records are no pairs' "$(grep -c 'sign test' one.html)" 0
exits 'a pair' 0 mien-report -o three.html a.mien a.mien
is 'of the same records is one' "$(grep -c 'sign test' three.html)" 1

# Names on the page are as short as they can be, and metrics have words.
mkdir -p runs/new runs/old
cp a.mien runs/new/test.pred
cp b.mien runs/old/test.pred
mien-fake 3 --predict >few.mien
printf 'epoch\ttrain_loss\tval_loss\tval_age_mae\tval_gender_accuracy\n1\t5\t4\t9\t0.8\n2\t4\t3\t8\t0.9\n' >runs/log.tsv
exits 'files in folders' 0 mien-report -o folders.html --log "$T/runs/log.tsv" --part few=few.mien --part all=a.mien \
    "$T/runs/new/test.pred" "$T/runs/old/test.pred"
like 'have the folders in which they differ' "$(cat folders.html)" '<th scope="row">old/test.pred</th>'
ok 'and no others' sh -c "! grep -q '$T' folders.html"
like 'curves are named' "$(cat folders.html)" 'Loss by epoch: log.tsv<'
is 'in words' "$(grep -v '<title>' folders.html three.html | grep -c 'val_loss\|val_age_mae\|gender_accuracy')" 0
like 'changes have units' "$(cat three.html)" 'mean absolute error in years</th><td>\+0.00 years</td>'
like 'ages of few records are in bins' "$(cat folders.html)" 'age, in bins of five years'

mien-view -r --select 'id != "x"' a.mien >'<b> & "c".mien'
exits 'a name with marks' 0 mien-report --title '<i>' -o four.html '<b> & "c".mien'
like 'is text in the page' "$(cat four.html)" '<p>&lt;b&gt; &amp; &quot;c&quot;.mien: 600 records.</p>'
is 'and the title is' "$(grep -c '<h1>&lt;i&gt;</h1>' four.html)" 1

exits 'a folder' 0 mien-report --folder results --part all=a.mien a.mien
like 'has a page in Markdown' "$(cat results/report.md)" '^\| gender, accuracy \| 600 \| [0-9.]+% \|'
is 'and every plot that it names' \
    "$(sed -n 's/^!\[.*](\(.*\))$/\1/p' results/report.md | while read -r f; do
        [ -s "results/$f" ] || echo "$f"; done)" ''

mien-fake 40 --pixels 32x32 --predict >pixels.mien
exits 'faces' 0 mien-report --faces -o faces.html pixels.mien
is 'are two pictures' "$(grep -c 'data:image/jpeg;base64' faces.html)" 2
exits 'faces without pixels' 2 mien-report --faces -o none.html a.mien
like 'say what would help' "$(cat err)" 'mien-predict --keep$'
ok 'and leave no page' test ! -e none.html
mien-fake 10 >labels.mien
exits 'labels alone are no predictions' 2 mien-report -o none.html labels.mien
like 'and it says so' "$(cat err)" 'no record of labels.mien has both a label and a prediction'
head -c 5000 a.mien >cut.mien
exits 'a stream cut short makes no page' 2 mien-report -o none.html cut.mien
ok 'not even a broken one' test ! -e none.html
mkdir full
# shellcheck disable=SC2016 # for the program that is made
printf '%s\n' '#!/bin/sh' 'head -c 100 "$1" >"$2"' 'exit 1' >full/cp
chmod +x full/cp
exits 'a page that is cut short by the disk' 2 env PATH="$T/full:$PATH" mien-report -o none.html a.mien
is 'is removed' "$(ls none.html* 2>/dev/null)" ''
finish
