#!/bin/sh
# scripts/cluster where something is wrong: one line that tells what, a status, and no output. The rest:
# tests/slow/parallel.t and slurm.t.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
command -v bash >/dev/null || { skip 'scripts/cluster' 'needs bash'; finish; exit 0; }
PATH=$ROOT/scripts/cluster:$PATH

printf '%s\n' 'input 32x32x3' 'conv conv 4 3x3 stride=2' 'pool gap' 'gender_logits dense 2' 'gender softmax' |
    mien-net -q --new -o small.model -
export MODEL="$T/small.model" SIZE=32 JOBS=1
mkdir -p 'in put' b
mien-squares 100x100 38,25,25 >'in put/one.jpg'
cp 'in put/one.jpg' 'in put/two.jpg'
tar cf a.tar 'in put'
cp a.tar b
stream="in put/it's \"a\" \\t.mien"
mien-images -q --segment 1 -o "$stream" 'in put'

# fails NAME STATUS PATTERN COMMAND...: the first line tells why.
fails() {
    what=$1 status=$2 pattern=$3
    shift 3
    exits "$what" "$status" "$@"
    like 'is told' "$(head -n 1 err)" "$pattern"
}

# --- a list of tasks
fails 'an archive that is missing' 2 "^tasks: cannot read 'absent.tar'$" tasks out a.tar absent.tar
is 'no list' "$(cat out)" ''
fails 'a stream that is missing' 2 "^tasks: cannot read 'absent.mien'$" tasks out absent.mien
head -c 1000 "$stream" >damaged.mien
fails 'a stream that is cut short' 2 'damaged.mien: the stream is cut short' tasks out damaged.mien
fails 'two inputs of one name' 2 "^tasks: several tasks would write 'out/a.mien'$" tasks out a.tar b/a.tar
tab=$(printf 'a\tb.tar')
cp a.tar "$tab"
fails 'a tab in a name' 2 '^tasks: a name has a tab' tasks out "$tab"
for parts in 0 x -3 ''; do
    fails "-n $parts" 2 "^tasks: -n: '$parts' is not a number of parts$" tasks -n "$parts" out "$stream"
done
exits 'blanks, quotes and backslashes' 0 tasks results a.tar "$stream"
cp out tasks
range=$(mien-view --index "$stream" | awk 'NR == 2 { print $1 ":" $2 }')
is 'are kept' "$(tail -n 1 tasks)" "$stream:$range$(printf '\t')results/it's \"a\" \\t-000002.mien"

# --- what is missing
is 'all' "$(missing tasks)" 1-3
exits 'a task' 0 env SLURM_ARRAY_TASK_ID=2 array.sbatch tasks "$ROOT/scripts/cluster/predict"
is 'is not' "$(missing tasks)" 1,3
printf 'a.tar\tresults/x.mien' >unended
is 'a last line without its end' "$(missing unended)" 1
: >none
fails 'an empty list' 2 "^missing: 'none' has no tasks$" missing none
fails 'no list' 2 "^missing: 'absent' has no tasks$" missing absent
fails 'a folder' 2 "^missing: 'in put' has no tasks$" missing 'in put'
echo 'a.tar x.mien' >untabbed
fails 'a line without a tab' 2 "^missing: task 1 of 'untabbed' has no tab" missing untabbed

# --- an array
fails 'a task beyond the list' 2 "^array.sbatch: 'tasks' has no task 4$" env SLURM_ARRAY_TASK_ID=4 array.sbatch tasks
fails 'task 0' 2 "^array.sbatch: 'tasks' has no task 0$" env SLURM_ARRAY_TASK_ID=0 array.sbatch tasks
fails 'no array' 2 '^array.sbatch: not a task of an array' array.sbatch tasks
fails 'a list that is missing' 2 'absent' env SLURM_ARRAY_TASK_ID=1 array.sbatch absent
fails 'a line without a tab' 2 "^array.sbatch: task 1 of 'untabbed' has no tab" \
    env SLURM_ARRAY_TASK_ID=1 array.sbatch untabbed

# --- a task
fails 'an input that is missing' 2 "^mien-images: cannot open 'absent.tar': No such file" predict absent.tar x.mien
fails 'a range in the midst of a segment' 2 '^mien-crop: the range ends at byte 9' predict "$stream:0:9" x.mien
fails 'a range behind the end' 2 '^mien-crop: the input has no byte 9999' predict "$stream:9999:9" x.mien
fails 'a damaged stream' 2 '^mien-crop: the stream is cut short' predict damaged.mien x.mien
fails 'a damaged archive' 2 "^mien-images: archive 'cut.tar' is damaged" sh -c 'head -c 3000 a.tar >cut.tar; predict cut.tar x.mien'
fails 'a network that is missing' 2 "^mien-predict: cannot open 'absent'" env MODEL=absent predict a.tar x.mien
fails 'a folder where a file is' 2 'a.tar' predict a.tar a.tar/x.mien
cp "$stream" same.mien
fails 'an output over the input' 2 "^predict: 'same.mien' is the input$" predict same.mien same.mien
ok 'which stays' cmp same.mien "$stream"
fails 'an output that is a folder' 2 "^mien-predict: cannot create 'b'" predict a.tar b
ok 'no output' [ ! -e x.mien ]
mien-fake 0 >empty.mien
exits 'no records' 0 predict empty.mien x.mien
is 'none come out' "$(mien-view --count x.mien)" 0
finish
