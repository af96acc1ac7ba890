# What parallel.t and slurm.t share: shards, the bytes that the single pipe makes of them, and a task that fails
# in ways that tasks do.
# shellcheck shell=sh

cluster=$ROOT/scripts/cluster
export cluster

# A small network, which takes 32 by 32 pixels.
printf '%s\n' 'input 32x32x3' 'conv conv 8 3x3 stride=2' 'relu relu' 'pool gap' 'gender_logits dense 2' \
    'gender softmax' 'age_logits dense 101 from=pool' 'age softmax' |
    mien-net -q --new --mean 127.5 --scale 0.0078431 -o small.model -
export MODEL="$T/small.model" SIZE=32 MAX_BAD=100%

# The real photographs where they are, in their order; what they are is for names of tests.
# shellcheck disable=SC2034
if [ -e "$DATA/utkface.tar" ]; then
    tar xf "$DATA/utkface.tar"
    tar tf "$DATA/utkface.tar" | grep '[^/]$' >all
    what='UTKFace'
else
    mien-synth -q --count 800 --size 64 . && tar xf imdb_crop.tar
    find imdb_crop -name '*.jpg' | sort >all
    what='drawn faces'
fi

# shards NAME LIST: the images of a list as NAME-1.tar to NAME-8.tar and NAME.tar, as NAME.mien in segments, and
# NAME.wanted, what the single pipe makes of them.
shards() {
    split -n l/8 --numeric-suffixes=1 -a 1 "$2" "$1-list"
    for i in 1 2 3 4 5 6 7 8; do tar cf "$1-$i.tar" -T "$1-list$i"; done
    tar cf "$1.tar" -T "$2"
    mien-images -q --segment 25 -o "$1.mien" "$1.tar"
    mien-images -q "$1.tar" | mien-crop -q --box whole --for 32 | mien-resize -q 32 |
        mien-predict -q -o "$1.wanted" small.model
}
# joined FOLDER: the outputs of a folder's tasks as one segment.
joined() { cat "$1"/*.mien | mien-view -r; }

# A task that is killed with all its programs, or finds no room for its output, where the file "victim" names its output.
cat >task <<'END'
#!/bin/bash
if [ -e "$T/victim" ] && read -r output how <"$T/victim" && [ "$output" = "$2" ]; then
    rm "$T/victim"
    case $how in
    full) ulimit -f 1 ;;
    *)
        set -m
        "$cluster/predict" "$@" &
        sleep "$how"
        kill -9 -- -$!
        kill -9 $$
        ;;
    esac
fi
exec "$cluster/predict" "$@"
END
chmod +x task
# a_victim TASKS SEED HOW: one of the tasks will have that happen to it.
a_victim() {
    printf '%s %s\n' "$(cut -f2 "$1" | awk -v s="$2" 'BEGIN { srand(s); k = 1 + int(rand() * 8) } NR == k')" "$3" >victim
}
# late SEED: a moment, in seconds, within a task's time.
late() { awk -v s="$1" 'BEGIN { srand(s); printf "%.3f", 0.04 * rand() }'; }
