#!/bin/sh
# The loop that filters share: order, workers, bad records, broken input, a reader that leaves.
. "$(dirname "$0")/../lib.sh"

# Records that take long and records that don't, in turns.
for k in 1 2 3 4 5 6; do
    mien-fake --seed $k --pixels 700x700 1
    mien-fake --seed $k --pixels 4x4 9
done >p.mien
mien-view -Hc id,age p.mien >p.tsv
mien-resize -j 1 300 <p.mien >one.mien
is 'records stay in order' "$(mien-view -Hc id,age one.mien)" "$(cat p.tsv)"
for jobs in 2 4 64; do
    mien-resize -j $jobs 300 <p.mien >many.mien
    ok "$jobs workers write what one writes" cmp one.mien many.mien
done
is 'segments become one' "$(mien-view --check one.mien | head -1 | cut -d, -f1,2)" '1 segments, 60 records'
exits 'no worker at all is refused' 2 sh -c 'mien-resize -j 0 300 <p.mien'
mien-view -r -s 'age > 200' p.mien >none.mien
exits 'no record is no error' 0 sh -c 'mien-resize 8 <none.mien >out.mien'
ok 'and stays a stream' cmp none.mien out.mien

# Bad records, every third: labels without an image.
for k in 1 2 3 4 5; do
    mien-fake --seed $k --image 2
    mien-fake --seed $k 1
done >i.mien
exits 'bad records are told by the status' 1 sh -c 'mien-crop -q -j 4 <i.mien >c.mien'
is 'a line for each, in order' "$(sed 's/mien-crop: record \([0-9]*\) ([^)]*): /\1 /' err)" \
    "$(for k in 3 6 9 12 15; do echo "$k no image in the record"; done)"
is 'they are passed on' "$(mien-view -qHc id c.mien)" "$(mien-view -Hc id i.mien)"
exits 'the next program does not count them again' 0 sh -c 'mien-resize -j 4 8 <c.mien >r.mien'
is 'and says nothing' "$(cat err)" ''
mien-view -r -s error c.mien >bad.mien
mien-view -r -s error r.mien >after.mien
ok 'they pass through untouched' cmp bad.mien after.mien
exits '--strict stops at the first' 2 sh -c 'mien-crop --strict -j 4 <i.mien >s.mien'
like 'and says which' "$(cat err)" 'record 3 '
is 'after what was good before' "$(mien-view -Hc id s.mien 2>/dev/null)" \
    "$(mien-view -n 2 -Hc id i.mien)"
exits '--strict minds no error of others' 0 sh -c 'mien-resize --strict 8 <c.mien >out'

# Broken input: whole records are delivered, the break is said, no end record is written.
size=$(mien-view -r -n 14 one.mien | wc -c)
for extra in 0 1 15 16 17 100; do # behind 14 records and before an end record of 32 bytes
    head -c $((size - 32 + extra)) one.mien >cut.mien
    exits "cut $extra bytes behind a record" 2 sh -c 'mien-resize -j 4 8 <cut.mien >out.mien'
    like 'it says where' "$(cat err)" "cut short at byte $((size - 32 + extra)), after 14 whole records"
    is 'the records before are delivered' "$(mien-view -Hc id out.mien 2>/dev/null)" "$(head -14 p.tsv | cut -f1)"
    exits 'and nobody takes them for all' 2 mien-view --count out.mien
done
{ head -c $((size - 32)) one.mien; echo rubbish that is longer than a header; } >rubbish.mien
exits 'rubbish behind a record' 2 sh -c 'mien-resize 8 <rubbish.mien >out.mien'
is 'costs no record before' "$(mien-view -Hc id out.mien 2>/dev/null | wc -l)" 14
exits 'a record beyond --max-record is refused' 2 sh -c 'mien-resize --max-record 1M 8 <p.mien'
like 'and said so' "$(cat err)" 'record 1 at byte 0 .* more than the limit of 1048576'
exits 'one within is not' 0 sh -c 'mien-resize --max-record 2M 8 <p.mien >out'

# Several records of one, or none: mien-repeat writes a record as often as its age modulo 4 says.
mien-view -Hc id,age p.mien | awk -F '\t' '{for (k = 1; k <= $2 % 4; k++) print $1 "#" k}' >wanted
for args in '-j 1' '-j 4' '-j 4 -b 7'; do
    # shellcheck disable=SC2086
    mien-repeat $args <p.mien >r.mien
    is "several records of one stay in order: $args" "$(mien-view -Hc id r.mien)" "$(cat wanted)"
done
is 'bad records pass between them' "$(mien-repeat <c.mien | mien-view -r -s error | mien-view --count)" 5

# A reader that leaves, with more on the way than a pipe holds.
for jobs in 1 4; do
    for k in 1 2 3 4; do cat one.mien; done |
        { mien-resize -j $jobs 300 2>err; echo $? >status; } | head -c 100 >start
    is "a closed pipe is quiet with $jobs workers" "$(cat status err)" 0
done

# Nothing waits for more input: a record goes out while the pipe stays open.
mkfifo fifo
mien-resize 8 <fifo >slow.mien &
{ head -c $((size - 32)) one.mien; sleep 1; mien-view -Hc id slow.mien >early 2>/dev/null
  tail -c +$((size - 31)) one.mien; } >fifo
wait
is 'records come out before the input ends' "$(wc -l <early)" 14
is 'and the rest afterwards' "$(mien-view --count slow.mien)" 60

# As many workers as there are processors that it may use. It has started them before it reads.
if command -v taskset >/dev/null && [ -d /proc/self/task ]; then
    taskset -c 0 mien-resize 8 <fifo >/dev/null &
    {
        tries=0
        until [ "$(echo /proc/$!/task/* | wc -w)" -gt 1 ] || [ $((tries += 1)) -gt 100 ]; do
            sleep 0.05
        done
        sleep 0.2
        tasks=$(echo /proc/$!/task/* | wc -w)
        cat one.mien
    } >fifo
    wait
    is 'one processor, one worker' "$tasks" 2
else
    skip 'one processor, one worker' 'no taskset'
fi

finish
