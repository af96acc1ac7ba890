#!/bin/sh
# What cluster jobs need of every program: a tolerance for bad records, files that are whole or not there,
# and parts of one stream.
. "$(dirname "$0")/../lib.sh"

mien-fake 30 --pixels 6x6 >pixels.mien
mien-fake 5 --image >image.mien
mkdir -p found/00 && mien-squares 8x8 1,2,3 >found/00/0000000.jpg
mien-fake 30 --predict >predicted.mien
printf 'input 6x6x3\nconv conv 4 3x3\npool gap\ngender_logits dense 2\ngender softmax\n' | mien-net -q --new -o some.model -
printf 'input 32x32x3\nscore conv 1 1x1\nbox pad 0,0,0,0 channels=13,0 from=input\n' |
    mien-net -q --new -o detect.model -
mien-fake 3 --pixels 6x6 >some.mien
mien-pack -q -o some.pack <some.mien

# --- A tolerance -----------------------------------------------------------------------------------
awk 'BEGIN { print "path,age,gender"
    for (i = 1; i <= 2100; i++) print "a" i ".jpg,30," (i > 100 ? "x" : i > 50 ? "y" : "f") }' >labels.csv
exits 'bad records are a failure' 1 mien-meta labels.csv
is 'of a cause five are named, then one in a thousand' "$(grep -c "gender 'x'" err)" 8
like 'with the count' "$(cat err)" '^mien-meta: labels.csv: line 2101 \(a2100.jpg\): unknown gender .* \(2000 so far\)$'
like 'and the rest are counted' "$(cat err)" "^mien-meta: 1993 more: unknown gender 'x'"
like 'of another cause, too' "$(cat err)" "^mien-meta: 45 more: unknown gender 'y'"
exits 'within --max-bad they are none' 0 mien-meta --max-bad 2050 labels.csv
like 'the summary still counts them' "$(cat err)" '2100 rows, 2050 of them bad'
exits 'beyond it they are' 1 mien-meta --max-bad 2049 labels.csv
exits 'as a share' 0 mien-meta --max-bad 97.7% labels.csv
exits 'too' 1 mien-meta --max-bad 97.6% labels.csv
exits '0% is none' 1 mien-meta --max-bad 0% labels.csv
exits 'a good stream needs no tolerance' 0 sh -c 'mien-resize --max-bad 0 6 <pixels.mien'
for wrong in x -1 1.5 101% % ''; do
    exits "--max-bad '$wrong'" 2 mien-view --max-bad "$wrong" pixels.mien
    like 'is refused' "$(cat err)" '^mien-view: --max-bad: '
done
exits 'a record without pixels is bad' 1 sh -c 'mien-fake 8 | mien-resize 6'
like 'numbers in causes are no difference' "$(cat err)" '^mien-resize: 3 more: no pixels'
exits 'filters have the tolerance' 0 sh -c 'mien-fake 8 | mien-resize --max-bad 8 6'
exits 'split has it' 0 sh -c 'mien-view -r -c id pixels.mien | mien-split --by subject --max-bad 100% 1/1'
exits 'pack has it' 0 sh -c 'mien-fake 8 | cat pixels.mien - | mien-pack --max-bad 8 -o x.pack'
exits 'but not for one more' 1 sh -c 'mien-fake 9 | cat pixels.mien - | mien-pack --max-bad 8 -o x.pack'
like 'and it counts' "$(cat err)" '^mien-pack: 30 records packed, 0 with errors and 9 bad ones left out$'
exits 'montage has it' 0 sh -c 'mien-fake 8 | cat pixels.mien - | mien-montage --max-bad 8 -o x.jpg'
exits '--strict stops all the same' 2 sh -c 'mien-fake 8 | mien-resize --strict --max-bad 8 6'

# --- Files -----------------------------------------------------------------------------------------
# Each program that writes to standard output writes the same with -o; a failure leaves the old file.
while IFS='|' read -r command input; do
    name=${command%% *}
    sh -c "$command" <"$input" >plain 2>/dev/null
    echo old >whole
    ok "$command -o" sh -c "$command -o whole <$input 2>/dev/null && cmp whole plain"
    head -c 20 "$input" >short
    case $command in *' some.pack'*) : >short; command=${command%some.pack}nosuch.pack ;; esac
    echo old >whole
    exits 'of a broken input' 2 sh -c "$command -o whole <short"
    is 'leaves the old file' "$(cat whole)" old
    is "$name leaves nothing else" "$(echo whole?*)" 'whole?*'
done <<'END'
mien-crop --box whole --size 6|image.mien
mien-resize 5|pixels.mien
mien-detect detect.model|image.mien
mien-embed some.model --layer pool|pixels.mien
mien-predict some.model|pixels.mien
mien-split 1/1|pixels.mien
mien-view|pixels.mien
mien-view -r|pixels.mien
mien-view --count|pixels.mien
mien-score|predicted.mien
mien-images -m - found|image.mien
mien-meta --names {subject}/\* --max-bad 100%|pixels.mien
mien-pack -d some.pack|pixels.mien
mien-pack -l some.pack|pixels.mien
END
echo old >target
chmod 640 target
ln -sf target link
ok 'a link is followed' sh -c 'mien-view -o link pixels.mien && [ -L link ]'
is 'and a mode is kept' "$(stat -c %a target)" 640
exits 'a full disk' 2 mien-view -r -o /dev/full pixels.mien
like 'is named' "$(cat err)" '^mien-view: .*No space left'
exits 'a folder that is not there' 2 mien-view -o no/such pixels.mien
is 'is named, too' "$(cat err)" "mien-view: cannot create 'no/such': No such file or directory"
exits '- is standard output' 0 mien-view -o - pixels.mien
ok 'there it goes' [ -s out ]
exits 'bad records are in the file' 1 sh -c 'mien-fake 8 | mien-resize -o bad.mien 6'
is 'all of them' "$(mien-view --count --select error bad.mien)" 8

# --- Parts of a stream -------------------------------------------------------------------------------
mien-view -r --segment 4 -o parts.mien pixels.mien
is 'segments' "$(mien-view --check parts.mien | head -n 1 | cut -d, -f1-2)" '8 segments, 30 records'
mien-view --index parts.mien >index
is 'of so many records each' "$(cut -f3 index | tr '\n' ' ')" '4 4 4 4 4 4 4 2 '
is 'follow one another' "$(awk '$1 != at { bad = 1 } { at = $1 + $2 } END { print at, bad + 0 }' index)" \
    "$(wc -c <parts.mien) 0"
ok 'the index can be made in a pipe' sh -c 'cat parts.mien | mien-view --index | cmp - index'
is 'no empty segment follows whole ones' "$(mien-view -r --segment 5 pixels.mien | mien-view --index | wc -l)" 6
is 'an empty stream has one' "$(mien-view -rn 0 --segment 5 pixels.mien | mien-view --index | cut -f 1,3)" "0	0"
while read -r command; do
    sh -c "$command -q <pixels.mien" >whole.mien 2>/dev/null
    sh -c "$command -q --segment 4 <pixels.mien" >cut.mien 2>/dev/null
    ok "$command --segment: the same records" sh -c 'mien-view -r cut.mien | cmp - whole.mien'
    is 'in segments' "$(mien-view --index cut.mien | wc -l)" 8
    while read -r offset bytes _; do
        sh -c "$command -q --range $offset:$bytes <parts.mien"
    done <index >ranges.mien 2>/dev/null
    ok "$command --range: the same records" sh -c 'mien-view -r ranges.mien | cmp - whole.mien'
done <<'END'
mien-resize 5
mien-embed some.model --layer pool
mien-predict some.model
mien-split 1/1
mien-view -r
mien-meta --names '{subject}/*'
END
read -r offset bytes records <<END
$(sed -n 3p index)
END
mien-pack -q --range "$offset:$bytes" -o part.pack <parts.mien
is 'a range can be packed' "$(mien-pack -d part.pack | mien-view --count)" "$records"
is 'a range of a named file' "$(mien-view --count --range "$offset:$bytes" parts.mien)" "$records"
exits 'of a pipe it can not be read' 2 sh -c 'cat parts.mien | mien-view --range 0:10'
like 'which is said' "$(cat err)" 'cannot seek to byte 0 of the input'
exits 'a range within a segment' 2 mien-view --count --range "$offset:$((bytes + 9))" parts.mien
like 'is told apart' "$(cat err)" 'the range ends at byte [0-9]+, in the middle of a segment'
exits 'a range that begins within a record' 2 mien-view --count --range 9:99 parts.mien
like 'is told apart, too' "$(cat err)" 'broken stream at byte 9: no record begins here'
exits 'a range behind the end' 2 mien-view --range 999999:9 parts.mien
is 'is told, as well' "$(cat err)" 'mien-view: parts.mien: the input has no byte 999999, where the range begins'
exits 'a range of two files' 2 mien-view --range "$offset:$bytes" parts.mien parts.mien
like 'is refused' "$(cat err)" '^mien-view: --range takes one input$'
for wrong in 5 5: :5 5:0 -1:5 a:b; do
    exits "--range $wrong" 2 mien-view --range $wrong parts.mien
    like 'is refused' "$(cat err)" '^mien-view: --range: '
done
exits '--segment without records' 2 mien-view --segment 4 parts.mien
exits 'an index of some records' 2 mien-view --index -n 3 parts.mien

# 200 random divisions of the segments into ranges, each read by itself.
mien-view -r --segment 2 -o parts.mien pixels.mien
mien-view --index parts.mien >index
bad=0
for seed in $(seq 200); do
    awk -v seed="$seed" 'BEGIN { srand(seed) } NR > 1 && rand() < 0.2 { print from ":" n; n = 0 }
        n == 0 { from = $1 } { n += $2 } END { print from ":" n }' index |
        while read -r range; do mien-view -r --range "$range" parts.mien; done |
        mien-view -r | cmp -s - pixels.mien || bad=$((bad + 1))
done
is '200 random divisions give the same records' $bad 0

# --- Workers: as many as the affinity allows -----------------------------------------------------------
if command -v taskset >/dev/null && [ -d /proc/self/task ]; then
    first=$(taskset -cp $$ | sed 's/.*: //; s/[,-].*//')
    mkfifo pipe
    taskset -c "$first" mien-resize 5 <pipe >out &
    exec 9>pipe
    cat pixels.mien >&9
    # The first record is answered once all workers have been started.
    for _ in $(seq 100); do [ ! -s out ] || break; sleep 0.1; done
    is 'a core has one worker, and the reader' "$(find /proc/$!/task -mindepth 1 -maxdepth 1 | wc -l)" 2
    exec 9>&-
    wait
else
    skip 'workers' 'taskset is not there'
fi

finish
