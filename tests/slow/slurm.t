#!/bin/sh
# scripts/cluster through SLURM, as job arrays on two nodes of this machine: as parallel.t.
. "$(dirname "$0")/../lib.sh"

if [ $# -eq 0 ]; then
    "$ROOT/tests/slow/slurm-start" "$T/slurm" "$ROOT/tests/slow/slurm.t" up
    status=$?
    [ $status -ne 77 ] || { skip 'SLURM' 'it is not installed, or can not be started'; finish; }
    exit
fi
. "$ROOT/tests/slow/cluster.sh"
export T
mkdir logs

# run TASKS: what mien-cluster(7) shows; waits, and ends with the worst status.
run() {
    sbatch -Q --wait --chdir="$T" --array="$("$cluster/missing" "$1")" "$cluster/array.sbatch" "$1" ./task
}

shards all all
"$cluster/tasks" archives all-[1-8].tar >archives.tasks
exits "8 archives of $what as an array" 0 run archives.tasks
joined archives >got
ok 'make what the single pipe makes' cmp got all.wanted
is 'a log for each' "$(cd logs && echo ./*)" './1.log ./2.log ./3.log ./4.log ./5.log ./6.log ./7.log ./8.log'
"$cluster/tasks" -n 8 ranges all.mien >ranges.tasks
exits 'a stream in 8 ranges' 0 run ranges.tasks
joined ranges >got
ok 'makes the same' cmp got all.wanted

head -n 400 all >some
shards some some
"$cluster/tasks" -n 8 ranges some.mien >ranges.tasks
for seed in 1 2 3 4 5; do
    if [ $((seed % 2)) -eq 0 ]; then how=full; else how=$(late "$seed"); fi
    rm -rf ranges
    a_victim ranges.tasks $seed "$how"
    run ranges.tasks
    is "$seed, $how: SLURM tells of the task" "$(($? > 0))" 1
    # It may have been killed after its output was there.
    "$cluster/missing" ranges.tasks >left || echo none >left
    like 'which alone is missing' "$(cat left)" '^([1-8]|none)$'
    grep -q none left || exits 'it runs again' 0 run ranges.tasks
    joined ranges >got
    ok 'to the same bytes' cmp got some.wanted
done
exits 'a task that is not in the list' 2 env SLURM_ARRAY_TASK_ID=99 "$cluster/array.sbatch" ranges.tasks
finish
