#!/bin/sh
# Signals: temporary files are removed and the status is the signal's; limits on files; closed pipes.
# Random moments, and kill -9: tests/torture/run -k 50.
. "$(dirname "$0")/../lib.sh"
# The shell has what it runs in the background ignore SIGINT, and nohup what it runs SIGHUP; behind this
# none of these is. (A script in this folder would be an open file of it.)
with_int() { exec perl -e '$SIG{$_} = "DEFAULT" for qw(INT HUP TERM XCPU); exec @ARGV' "$@"; }
# open_files PID: how many it has open in this folder.
open_files() { find "/proc/$1/fd" -lname "$T/*" 2>/dev/null | wc -l; }

mien-fake 200 --pixels 12x12 >p.mien
mien-fake 60 --features 6 | mien-pack -q -o f.pack

# waiting COMMAND...: starts it with a standard input that has records, but no end, and waits until it
# has opened so many files here: $files. Sets $pid, and $name to the program.
waiting() {
    name=$1
    rm -f in
    mkfifo in
    with_int "$@" <in >got 2>err &
    pid=$!
    exec 3>in
    head -c 9000 p.mien >&3
    while kill -0 $pid && [ "$(open_files $pid)" -lt "$files" ]; do sleep 0.01; done
}
# ends NUMBER: it does so by this signal.
ends() {
    kill -"$1" $pid
    wait $pid 2>/dev/null
    is "$name: signal $1 has its status" $? $((128 + $1))
    exec 3>&-
    is 'says nothing' "$(cat err)" ''
}

# Files without a name, and with one, where folders take no other.
for named in '' 1; do
    [ -z "$named" ] || { INJECT_NAMED=1 LD_PRELOAD=$(inject_so); export INJECT_NAMED LD_PRELOAD; }
    for number in 1 2 15 24; do
        mkdir out
        files=4
        waiting mien-pack -q -o out/x.pack
        [ -z "$named" ] || is 'a temporary file' "$(find out -name 'x.pack.??????' | wc -l)" 1
        ends $number
        is 'nothing is left' "$(ls out)" ''
        files=6
        waiting mien-split -q 80/10/10 out/a.mien out/b.mien out/c.mien
        ends $number
        is 'nothing is left' "$(ls out)" ''
        rmdir out
    done
    unset INJECT_NAMED LD_PRELOAD
done

# What is ignored stays so, as nohup has it.
(trap '' HUP; exec mien-pack -q -o x.pack <in) &
pid=$!
exec 3>in
head -c 5000 p.mien >&3
while kill -0 $pid && [ "$(open_files $pid)" -lt 2 ]; do sleep 0.01; done
kill -HUP $pid
tail -c +5001 p.mien >&3
exec 3>&-
wait $pid
is 'nohup: the program goes on' $? 0
ok 'to the end' mien-pack -l x.pack

# mien-train saves a checkpoint, and ends with status 3.
for signal in HUP INT TERM XCPU; do
    rm -f log ck
    with_int mien-train -q -t f.pack -e 100000 --every 100000 --checkpoint ck --log log -o x.model 2>err &
    while kill -0 $! && [ ! -s log ]; do sleep 0.01; done
    kill -$signal $!
    wait $!
    is "mien-train: SIG$signal has status 3" $? 3
    like 'and says how to go on' "$(cat err)" '--resume continues from ck$'
    ok 'from a checkpoint' test -s ck
done

# A file that may not grow.
for command in 'mien-pack -q -o y.pack' 'mien-split -q 80/20 --names a,b a.mien b.mien' 'mien-montage -q -s 64 -o y.jpg'; do
    exits "ulimit -f: $command" 2 sh -c "ulimit -f 2; exec $command <p.mien"
    like 'is said' "$(cat err)" '^mien-[a-z]*: .*File too large$'
done
is 'nothing is left' "$(find . -name 'y.*' -o -name '[ab].mien*')" ''
exits 'standard output may not grow' 2 sh -c 'ulimit -f 2; mien-view -r p.mien >grown'
like 'is said' "$(cat err)" '^mien-view: .*File too large$'

# A folder that takes no files, whoever writes.
for command in 'mien-pack -q -o /sys/kernel/x' 'mien-split -q 80/20 --names a,b /sys/kernel/a /sys/kernel/b' \
    'mien-montage -q -s 64 -o /sys/kernel/x'; do
    exits "$command" 2 sh -c "$command <p.mien"
    like 'is said' "$(cat err)" "^mien-[a-z]*: cannot create '/sys/kernel/[abx](-001)?': (Permission denied|Read-only file system|Operation not permitted)$"
done

# A pack that another process cuts short while it is mapped, and more of it is to be read.
mien-fake 300 --pixels 100x100 | mien-pack -q -o big.pack
mkfifo restored
mien-pack -d big.pack >restored 2>err &
pid=$!
exec 3<restored
head -c 1000 <&3 >/dev/null
head -c 100000 big.pack >small.pack
cat small.pack >big.pack
cat <&3 >rest
exec 3<&-
wait $pid
is 'a mapped file is cut short: status' $? 2
is 'and named' "$(cat err)" "mien-pack: 'big.pack' was cut short while it was read"

# A pipe that nobody reads.
mien-fake 100 --image >i.mien
mien-fake 100 --predict >r.mien
tar -cf i.tar p.mien
for command in 'mien-view <p.mien' 'mien-view -r <p.mien' 'mien-crop -b whole <i.mien' 'mien-resize 9 <p.mien' \
    'mien-images p.mien i.tar' 'mien-split 80/20 --names a,b <p.mien' 'mien-pack -d f.pack' 'mien-pack -l f.pack' \
    'mien-score -q -B 0 <r.mien' 'mien-montage -s 64 <i.mien' 'mien-net --help'; do
    sh -c "sleep 0.05; $command; echo \$? >status" 2>err | true
    while [ ! -s status ]; do sleep 0.01; done
    is "$command | true" "$(cat status; grep -v 'record\|age' err)" 0
    rm status
done
# The maker of drawings: its archive appears whole or not at all.
for signal in KILL TERM; do
    timeout -s $signal 0.3 mien-synth -q --count 4000 drawn 2>/dev/null
    ok "SIG$signal leaves no part of an archive" sh -c \
        '[ ! -e drawn/imdb_crop.tar ] || [ "$(tar -tf drawn/imdb_crop.tar | wc -l)" -eq 4000 ]'
done
finish
