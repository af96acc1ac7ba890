#!/bin/sh
# Damaged streams: every byte of a small one cut and altered, a large one altered 10,000 times; and
# programs that fail in the middle of a pipe.
. "$(dirname "$0")/../lib.sh"

# --- The library's reader
mien-fake 2 >small.mien
mien-fake 45 --pixels 40x50 >large.mien
mien-fake 2 --image --predict >all.mien
size=$(wc -c <small.mien)
is 'every byte of a small stream, cut and altered' "$(stream-damage -c 1 -a 1 small.mien)" \
    "$((2 * size)) of $((2 * size)) noticed"
is 'of one with images, too' "$(stream-damage -c 1 -a 1 all.mien | sed 's/ of / /; s/ noticed//' |
    awk '$1 == $2 && $1 > 3000 { print "all" }')" all
exits 'a large one, 10,000 times at random' 0 stream-damage -r 10000 large.mien
is 'noticed each time' "$(sed 's/ of / /' out | awk '$1 == $2 && $1 > 9900 { print "all" }')" all

# --- The programs: status 2, and a message that names the byte or the record
is 'every byte, by mien-view' "$(stream-damage -c 1 -a 1 -- small.mien mien-view --count)" \
    "$((2 * size)) of $((2 * size)) noticed"
printf '%s\n' 'input 6x6x3' 'flat flatten' 'gender_logits dense 2' 'gender softmax' |
    mien-net -q --new --embed flat -o x.model -
mien-fake 2 --pixels 6x6 >pixels.mien
mien-predict x.model <pixels.mien >predicted.mien
mkdir photos
mien-squares 20x20 2,2,8 >photos/a.jpg
tar cf photos.tar photos
printf 'file,age\nphotos/a.jpg,30\n' | mien-meta -q >labels.mien
printf '%s\n' 'input 16x16x3' 's conv 1 1x1 stride=8' 'b conv 16 1x1 stride=8 from=input' |
    mien-net -q --new -o detect.model -
# damaged NAME STREAM PROGRAM...: some places of a stream that the program reads.
damaged() {
    name=$1 stream=$2
    shift 2
    exits "$name: what it reads" 0 sh -c '"$@" <"$0" >out' "$stream" "$@"
    exits "$name: some bytes cut and altered" 0 stream-damage -c 53 -a 53 -- "$stream" "$@"
}
damaged mien-crop all.mien mien-crop --stored
damaged mien-resize pixels.mien mien-resize 8
damaged mien-split small.mien mien-split 50/50
damaged mien-pack pixels.mien mien-pack -q -o x.pack
damaged mien-embed pixels.mien mien-embed x.model
damaged mien-predict pixels.mien mien-predict x.model
damaged mien-score predicted.mien mien-score
damaged mien-montage pixels.mien mien-montage -q -o x.jpg
damaged mien-detect all.mien mien-detect -q detect.model
damaged mien-images labels.mien mien-images -q -m - photos.tar

# --- A failure in the middle of a pipe reaches the last program
mien-fake 3 --image >good.mien
{ cat good.mien; mien-fake 1; cat good.mien; } >bad.mien
# pipe NAME COMMANDS PROGRAM: the last one, PROGRAM, ends with 2 and says why.
pipe() {
    exits "$1" 2 sh -c "$2"
    like "$1: which the last one says" "$(cat err)" "^$3: .*(cut short at byte .*has failed|no input)"
}
pipe 'a program that stops at a bad record' \
    'mien-crop --strict <bad.mien | mien-resize 8 | mien-view --count' mien-view
pipe 'one whose input is cut short' \
    'head -c 3000 good.mien | mien-crop | mien-resize 6 | mien-predict x.model | mien-score' mien-score
pipe 'one that refuses the records' \
    'mien-crop <good.mien | mien-resize 7 | mien-predict x.model | mien-pack -o y.pack' mien-pack
ok 'and no pack is left' test ! -e y.pack
pipe 'something that cuts off' \
    'mien-crop <good.mien | head -c 20000 | mien-resize 8 | mien-view --count' mien-view
mkfifo a b
mien-resize 8 <a >b 2>/dev/null &
killed=$!
mien-view --count <b >out 2>err &
last=$!
exec 3>a
head -c 20000 large.mien >&3
sleep 0.1
kill -9 $killed
exec 3>&-
wait $last
is 'one that is killed' $? 2
like 'one that is killed: which the last one says' "$(cat err)" '^mien-view: .*(cut short at byte .*has failed|no input)'

# --- Descriptors that another program has set not to wait are waited for all the same
cat >unwaiting <<'P'
use Fcntl;
for my $stream (*STDIN, *STDOUT) {
    fcntl($stream, F_SETFL, fcntl($stream, F_GETFL, 0) | O_NONBLOCK) or die;
}
exec @ARGV;
P
mien-resize 30 <large.mien >wanted.mien
{ sleep 0.2; head -c 20000 large.mien; sleep 0.2; tail -c +20001 large.mien; } |
    { perl unwaiting mien-resize 30 2>err; echo $? >status; } | { sleep 0.6; cat >got.mien; }
is 'pipes that do not wait' "$(cat status err)" 0
ok 'lose nothing' cmp got.mien wanted.mien

# --- Nor does a program read what it writes.
cp good.mien grown.mien
for program in 'mien-view -r' 'mien-view -r grown.mien' 'mien-resize 8' 'mien-split 80/20'; do
    exits "$program <x >>x" 2 sh -c "$program <grown.mien >>grown.mien"
    is 'is refused' "$(cat err)" "${program%% *}: standard output is the file that is read"
done
ok 'and nothing is written' cmp grown.mien good.mien
exits 'a new file of the same name' 0 mien-view -r -o grown.mien grown.mien
ok 'is fine' cmp grown.mien good.mien
finish
