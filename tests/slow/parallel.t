#!/bin/sh
# scripts/cluster through GNU parallel: the shards' outputs are, byte for byte, those of the single pipe, also
# after jobs that were killed or found the disk full.
. "$(dirname "$0")/../lib.sh"

if ! command -v parallel >/dev/null; then
    skip 'GNU parallel' 'it is not there'
    finish
    exit
fi
. "$ROOT/tests/slow/cluster.sh"
export PARALLEL_HOME="$T" JOBS=1 T

# run FOLDER TASKS [OPTION]...: what mien-cluster(7) shows.
run() {
    dir=$1 list=$2
    shift 2
    parallel "$@" -j 2 --joblog "$dir.log" --results "$dir.logs/" --colsep '\t' \
        ./task '{1}' '{2}' :::: "$list" >"$dir.out" 2>&1
}

shards all all
"$cluster/tasks" archives all-[1-8].tar >archives.tasks
exits "8 archives of $what" 0 run archives archives.tasks
joined archives >got
ok 'make what the single pipe makes' cmp got all.wanted
is 'a log for each' "$(find archives.logs -name stderr | wc -l)" 8
exits 'and nothing is missing' 1 "$cluster/missing" archives.tasks
"$cluster/tasks" -n 8 ranges all.mien >ranges.tasks
is 'a stream in 8 ranges' "$(wc -l <ranges.tasks)" 8
exits 'through parallel' 0 run ranges ranges.tasks
joined ranges >got
ok 'makes the same' cmp got all.wanted

# Without a list: parallel --pipe cuts behind end records.
parallel --pipe -k -j 2 --block 1M --regexp --recend 'MIEN\x01\x01\x01\x00[\x00-\xff]{24}' \
    'mien-crop -q --box whole --for 32 | mien-resize -q 32 | mien-predict -q small.model' <all.mien 2>err |
    mien-view -r >got
ok 'parallel --pipe makes the same' cmp got all.wanted

# Fewer images, many failures.
head -n 400 all >some
shards some some
"$cluster/tasks" archives some-[1-8].tar >archives.tasks
"$cluster/tasks" -n 8 ranges some.mien >ranges.tasks
for seed in 1 2 3 4 5; do
    for kind in archives ranges; do
        for how in "$(late "$seed")" full; do
            rm -rf "$kind" "$kind".log*
            a_victim $kind.tasks $seed "$how"
            run $kind $kind.tasks
            is "$kind, $seed, $how: parallel tells of the job" $? 1
            is 'of which there is nothing' "$("$cluster/missing" $kind.tasks | tr -d 0-9)" ''
            run $kind $kind.tasks --resume-failed
            is 'it runs again' $? 0
            joined $kind >got
            ok 'to the same bytes' cmp got some.wanted
            is 'and no other file' "$(find $kind -type f | wc -l)" 8
        done
    done
done

# A real file system without room.
mkdir full
if mount -t tmpfs -o size=48k none full 2>/dev/null; then
    sed 's/archives\//full\//' archives.tasks >full.tasks
    run full full.tasks
    is 'a full disk fails jobs' "$(($? > 0))" 1
    like 'which is in their logs' "$(find full.logs -name stderr -exec cat {} +)" 'No space left'
    mount -o remount,size=64m full
    run full full.tasks --resume-failed
    is 'with room they are done' $? 0
    joined full >got
    ok 'to the same bytes' cmp got some.wanted
    umount full
else
    skip 'a full disk' 'nothing can be mounted here'
fi

# Bad records: MAX_BAD decides whether a task has failed.
printf 'not a JPEG' >bad.jpg
tar cf bad.tar bad.jpg "$(head -n 1 all)"
exits 'a task with a bad record' 1 env MAX_BAD=0 "$cluster/predict" bad.tar bad.mien
exits 'within the tolerance' 0 env MAX_BAD=1 "$cluster/predict" bad.tar bad.mien
is 'the output is whole in both cases' "$(mien-view --count bad.mien)" 2
exits 'a damaged archive' 2 "$cluster/predict" some.mien.tar x.mien
ok 'makes no output' [ ! -e x.mien ]

finish
