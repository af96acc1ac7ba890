#!/bin/sh
# mien-train over several processes by MPI: make check-slow MPI=1.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

[ -n "${MPI:-}" ] || { skip 'several processes' 'make check-slow MPI=1 builds and tests them'; finish; exit 0; }
run=mpirun
! command -v "mpirun.$MPI" >/dev/null || run=mpirun.$MPI # such as mpich, where another one is the system's
command -v "$run" >/dev/null || { skip 'several processes' 'there is no mpirun'; finish; exit 0; }

# Open MPI refuses root and more processes than cores, unless asked; MPICH knows neither option.
if "$run" --version | grep -q 'Open MPI'; then mpi="$run --allow-run-as-root --oversubscribe --bind-to none"
else mpi=$run; fi
# ranks N COMMAND...
# shellcheck disable=SC2086
ranks() { processes=$1; shift; $mpi -n "$processes" "$@"; }

cat >net.txt <<'N'
input 24x24x3
c1 conv 16 3x3 stride=2 pad=same
b1 bn
r1 relu6
d1 dwconv 3x3 pad=same
b2 bn
r2 relu6
c2 conv 64 3x3 pad=same
r3 relu
c3 conv 128 3x3 pad=same
b3 bn
r4 relu
c4 conv 600 1x1
r5 relu
pool gap
h dense 256
rh relu
N
mien-net --new --seed 1 --scale 0.01 --embed rh -o base.model net.txt
mien-fake 75 --pixels 24x24 >a.mien
mien-fake 30 --pixels 24x24 --seed 9 >b.mien
mien-fake 40 --image --seed 3 >images.mien
for s in a b; do mien-pack -q -o $s.pack <$s.mien; done
mien-pack -q --kind image -o images.pack <images.mien

# same NAME OPTIONS...: one model for any number of processes and threads.
same() {
    what=$1; shift
    mien-train -q -j 1 "$@" -o one.model
    for r in 1 2 3 4; do for j in 1 2; do
        ranks "$r" mien-train -q -j "$j" "$@" -o many.model 2>err
        ok "$what: $r processes of $j threads" cmp one.model many.model
    done; done
}
set -- -i base.model -t a.pack -v b.pack -e 2
same 'heads' "$@" --hidden 20 --dropout 0.2
same 'last 5 layers' "$@" --last 5 --balance 0.5 --class-weights 0.5 --clip 1
same 'all layers' "$@" --last all --flip --shift 0.1 --mixup 0.2 --ema 0.9
same 'two packs, more views than one' "$@" -t b.pack:1.5 --flip --views 2
same 'images' -i base.model -t images.pack -e 2 --last all --erase 0.5
if mien-train -q --precision bf16 "$@" -o one.model 2>/dev/null; then
    same 'bfloat16' "$@" --last all --precision bf16
else
    skip 'bfloat16' 'this processor has neither AVX2 nor AVX-512'
fi
# A batch of fewer images than processes, and one of many leaves.
same 'batches of 2' -i base.model -t b.pack -e 1 --last all -b 2
same 'batches of 70' "$@" --last all -b 70

# --- what rank 0 tells
ranks 3 mien-train -j 1 "$@" --last all --log log.tsv -o many.model 2>err
mien-train -q -j 1 "$@" --last all --log one.tsv -o one.model
is 'a line an epoch' "$(grep -c '^mien-train: epoch' err)" 2
is 'the log is that of one process' "$(cat log.tsv)" "$(cat one.tsv)"

# --- traffic: the formula of mien-cluster(7)
# traffic R SUMMED WHOLE IMAGES HEADS BN: bytes a step of 32 images.
traffic() { echo $((4 * ($1 - 1) * (2 * $2 + $3 + 32 * ($4 + $5) + 4 * $1 * $6) + $1 * ($1 - 1))); }
sent() { sed -n 's/^mien-train: [0-9] processes sent \([0-9]*\) bytes a step$/\1/p' err; }
for r in 2 4; do
    ranks "$r" mien-train -j 1 -i base.model -t a.pack -e 1 --hidden 304 -o many.model 2>err
    is "traffic of heads, $r processes" "$(sent)" \
        "$(traffic "$r" $((304 * 103 + 103)) $((256 * 304)) $((256 + 304)) 103 0)"
    ranks "$r" mien-train -j 1 -i base.model -t a.pack -e 1 --last all -o many.model 2>err
    is "traffic of all layers, $r processes" "$(sent)" "$(traffic "$r" \
        $((448 + 160 + 9280 + 73856 + 77400 + 257 * 103)) $((600 * 256)) $((600 + 256)) 103 160)"
done

# --- processes that differ
# train.sh OPTIONS...: tells the process's number, and gives the second one $OTHER as well.
cat >train.sh <<'S'
#!/bin/sh
rank=${OMPI_COMM_WORLD_RANK:-$PMI_RANK}
echo $$ >"pid.$rank"
# shellcheck disable=SC2086
[ "$rank" != 1 ] || set -- "$@" ${OTHER:-}
exec mien-train -q -j 1 "$@"
S
chmod +x train.sh
differ() {
    what=$1 OTHER=$2 pattern=$3
    export OTHER
    ranks 2 ./train.sh -i base.model -t a.pack -e 1 --last all -o differ.model >out 2>err
    got=$?
    ok "$what: is refused" [ "$got" -ne 0 ]
    like "$what: by its name" "$(cat err)" "$pattern"
    ok "$what: and no model is written" [ ! -e differ.model ]
}
differ 'another learning rate' '--lr 0.01' "^mien-train: rank 1 trains something else: it has 'lr=0.01', rank 0 'lr=0.001'$"
differ 'another pack' '-t b.pack' "^mien-train: rank 1 trains something else: it has 'data=[0-9a-f]*', rank 0 'data=[0-9a-f]*'$"
mien-net --new --seed 2 --scale 0.01 --embed rh -o other.model net.txt
differ 'another model' '-i other.model' "^mien-train: rank 1 trains something else: it has 'frozen=[0-9a-f]*', rank 0 'frozen=[0-9a-f]*'$"
differ 'a pack that only one lacks' '-t absent.pack' "^mien-train: rank 1: cannot open 'absent.pack'"
# What they exchange counts: more memory than a process alone needs.
need() { "$@" -i base.model -t a.pack -e 1 --last all -o z.model 2>&1 | sed -n 's/.* takes \(.*\) of memory.*/\1/p' | sort -u; }
alone=$(need mien-train --max-memory 1000)
is 'memory: one process needs as much as without MPI' "$(need ranks 1 mien-train --max-memory 1000)" "$alone"
together=$(need ranks 2 mien-train --max-memory 1000)
ok "memory: of two each needs more, $together rather than $alone" \
    awk "BEGIN { exit !(\"${together% *}\" + 0 > \"${alone% *}\" + 0) }"
exits 'what all lack' 2 ranks 2 mien-train -j 1 -i base.model -t absent.pack -e 1 -o z.model
is 'is told once' "$(grep -c '^mien-train' err)" 1

# --- a process that dies, and going on with other numbers of them
OTHER=
set -- -i base.model -t a.pack -v b.pack -e 30 --last all --flip
mien-train -q -j 1 "$@" -o whole.model
for r in 2 3; do
    rm -f died.ckpt
    ranks "$r" ./train.sh "$@" --checkpoint died.ckpt -o died.model >out 2>err &
    pid=$!
    while [ ! -s died.ckpt ] && kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
    start=$(date +%s)
    kill -9 "$(cat pid.$((r - 2)))" # rank 0, then 1
    wait "$pid"
    got=$?
    ok "a killed process of $r: not a success" [ "$got" -ne 0 ]
    for rank in $(seq 0 $((r - 1))); do
        while kill -0 "$(cat "pid.$rank")" 2>/dev/null && [ $(($(date +%s) - start)) -le 10 ]; do sleep 0.1; done
    done
    ok "a killed process of $r: all end within 10 s" [ $(($(date +%s) - start)) -le 10 ]
    like "a killed process of $r: is told" "$(cat out err)" 'signal 9|[Kk]illed|KILLED'
    ranks $((5 - r)) mien-train -q -j 1 "$@" --checkpoint died.ckpt --resume -o died.model 2>err
    ok "$((5 - r)) processes go on to the same bytes" cmp whole.model died.model
done

# A signal to one stops all of them, with a checkpoint.
rm -f died.ckpt died.model
ranks 2 ./train.sh "$@" --checkpoint died.ckpt -o died.model 2>err &
pid=$!
while [ ! -s died.ckpt ] && kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
kill -TERM "$(cat pid.1)"
wait "$pid"
is 'a signal: the status' $? 3
is 'a signal: is told once' "$(grep 'mien-train:' err)" \
    'mien-train: stopped by a signal; --resume continues from died.ckpt'
exits 'a process alone, too' 0 mien-train -q -j 1 "$@" --checkpoint died.ckpt --resume -o alone.model
ok 'has the same bytes' cmp whole.model alone.model
finish
