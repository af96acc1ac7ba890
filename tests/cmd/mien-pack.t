#!/bin/sh
# mien-pack: records become a safetensors file and come back; odd input costs as little as it can.
. "$(dirname "$0")/../lib.sh"

mien-fake --pixels 7x9 20 >p.mien
mien-fake --image 20 >i.mien
mien-fake --features 33 --seed 1 20 >f.mien

# There and back, for each kind. st-dump reads the file with no code of the library.
for kind in pixels image features; do
    file=$(printf %.1s $kind).mien
    exits "$kind: packed" 0 mien-pack -o "$kind.pack" <"$file"
    like "$kind: and said so" "$(cat err)" '^mien-pack: 20 records packed, 0 with errors'
    ok "$kind: an independent reader agrees with the format" st-dump "$kind.pack"
    mien-pack -d "$kind.pack" >back.mien
    ok "$kind: restored byte by byte" cmp "$file" back.mien
    like "$kind: listed" "$(mien-pack -l $kind.pack)" "^  tensor    $kind( 7x9| 33)?\$"
done
mien-fake --image --pixels 7x9 --features 33 5 >all.mien
mien-pack -q --kind image -o all.pack <all.mien
mien-pack -q -k image -o former.pack <all.mien
ok '-k, the former name of --kind' cmp all.pack former.pack
mien-pack -d all.pack >back.mien
ok 'what is not the tensor is kept' cmp all.mien back.mien

# The tensors, against the records as mien-view shows them.
text() { mien-view -H -c "$1" p.mien; }
dump() { st-dump "$1" "$2" | od -An -v -w1 "$3" | tr -d ' '; }
is 'shape and type' "$(st-dump pixels.pack | grep ^pixels)" 'pixels U8 20,7,9,3 0 3780'
is 'ages' "$(dump pixels.pack age -tu1)" "$(text age)"
is 'genders' "$(dump pixels.pack gender -tu1 | sed 's/0/female/;s/1/male/')" "$(text gender)"
is 'ids' "$(st-dump pixels.pack id)" "$(text id | tr -d '\n')"
is 'offsets of ids' "$(st-dump pixels.pack id_offsets | od -An -v -w8 -tu8 | tr -d ' ' | head -20)" \
    "$(text id | awk 'BEGIN {n = 0} {print n; n += length($0)}')"
is 'preprocessing' "$(st-dump pixels.pack | sed -n 's/^@prep //p')" "$(text prep | head -1)"
st-dump pixels.pack pixels >tensor
mien-view -n 1 -f json --full -c pixels p.mien | sed 's/.*"base64":"//;s/".*//' | base64 -d >first
ok 'pixels' cmp -n 189 tensor first
is 'every image has its bytes' "$(dump image.pack image -tx1 | head -3 | tr '\n' ' ')" 'ff d8 ff '
# Data begin at a multiple of 64 bytes, and offsets at one of 8.
is 'alignment' "$(($(st-dump pixels.pack | sed -n 's/^id_offsets .* \(.*\) .*/\1/p') % 8))" 0
is 'the header is padded' "$(od -An -tu8 -N8 pixels.pack | tr -d ' ')" 12280

mien-pack -q -o again.pack <p.mien
ok 'same records, same bytes' cmp pixels.pack again.pack
mien-pack -d pixels.pack again.pack >two.mien
is 'several packs become one stream' "$(mien-view --count two.mien)" 40
cat p.mien p.mien | mien-pack -q -o two.pack
mien-pack -d two.pack >back.mien
ok 'and several segments one pack' cmp two.mien back.mien
like '--list: the number' "$(mien-pack -l two.pack)" '^  records   40$'
like '--list: the preprocessing' "$(mien-pack -l two.pack)" '^  prep      crop=whole size=7x9'
like '--list: ages' "$(mien-pack -l two.pack)" '^  age       40 known \([0-9]+-[0-9]+\), 0 unknown$'
is '--list: genders' "$(mien-pack -l pixels.pack | sed -n 's/^  gender    //p')" \
    "$(text gender | grep -c female) female, $(text gender | grep -vc female) male, 0 unknown"

# Odd records.
mien-fake --pixels 9x7 --seed 1 1 | cat p.mien - >odd.mien
exits 'a record of another shape is bad' 1 mien-pack -o odd.pack <odd.mien
like 'and named' "$(cat err)" '^mien-pack: record 21 \(.*\): has pixels of 9x7, those before have 7x9$'
ok 'the others are packed' cmp odd.pack pixels.pack
exits '--strict stops at it' 2 mien-pack --strict -o strict.pack <odd.mien
exits 'nothing of the kind in any record' 2 mien-pack --kind features -o none.pack <p.mien
like 'is nothing to pack' "$(cat err)" '^mien-pack: no records to pack$'
mien-fake 0 | mien-pack -o none.pack 2>err
is 'an empty segment too' "$(cat err)" 'mien-pack: no records to pack'
is 'no file is left of these' "$(echo strict* none*)" 'strict* none*'

# Broken input, full disks, bad options.
exits 'empty input is not a stream' 2 mien-pack -o x.pack </dev/null
like 'and says so' "$(cat err)" '^mien-pack: no input'
head -c 3000 p.mien >cut.mien
cp f.mien keep.pack
exits 'a stream cut short is fatal' 2 mien-pack -o keep.pack <cut.mien
like 'and says where' "$(cat err)" '^mien-pack: .*cut short at byte 3000'
ok 'the file there before is as it was' cmp f.mien keep.pack
is 'and nothing beside it' "$(ls keep.pack* x.pack* 2>/dev/null)" keep.pack
exits 'a full disk is fatal' 2 mien-pack -o /dev/full <p.mien
like 'and says so' "$(cat err)" "^mien-pack: cannot write '/dev/full': No space left"
exits 'a full disk is fatal for -d' 2 sh -c 'mien-pack -d pixels.pack >/dev/full'
like 'and says so' "$(cat err)" '^mien-pack: .*No space left'
exits 'a full disk is fatal for -l' 2 sh -c 'mien-pack -l pixels.pack >/dev/full'
exits 'a pipe is no place for a pack' 2 sh -c 'mien-pack -o /dev/stdout <p.mien | cat; exit 2'
like 'and says so' "$(cat err)" '^mien-pack: cannot write a pack to'
exits 'no folder' 2 mien-pack -o no/such/x.pack <p.mien
like 'and says so' "$(cat err)" 'No such file'
exits 'no temporary folder is no matter for few records' 0 env TMPDIR=/no/such mien-pack -o x <p.mien
mien-fake --features 1 20000 >many.mien
exits 'for many it is' 2 env TMPDIR=/no/such mien-pack -o x.pack <many.mien
like 'and says so' "$(cat err)" "^mien-pack: cannot create a temporary file in '/no/such'"
mien-pack -q -o many.pack <many.mien
mien-pack -d many.pack >back.mien
ok 'many records come back from temporary files' cmp many.mien back.mien
sh -c 'mien-pack -d many.pack; echo $? >status' 2>err | head -c 10 >/dev/null
is 'a closed pipe is quiet' "$(cat status err)" 0

for args in '' '-o x -l' '-d' '-l' '-o x y' '-d -l x' '--kind faces -o x' '--no-such-option'; do
    # shellcheck disable=SC2086
    exits "wrong: mien-pack $args" 2 mien-pack $args <p.mien
    like 'and says so' "$(head -1 err)" '^mien-pack: '
done
exits '--help' 0 mien-pack --help
like '--help shows how' "$(cat out)" '^usage: mien-pack -o FILE'
exits '--version' 0 mien-pack --version

# Hostile packs: see the unit tests for more.
exits 'a stream is no pack' 2 mien-pack -d p.mien
like 'and says so' "$(cat err)" "^mien-pack: 'p.mien' is a stream of records, not a safetensors file"
head -c 9000 pixels.pack >cut.pack
exits 'a pack cut short is none' 2 mien-pack -l cut.pack
exits 'an empty file is none' 2 mien-pack -l /dev/null
exits 'a folder is none' 2 mien-pack -d .
exits 'an absent one is none' 2 mien-pack -d absent.pack
begin=$((12288 + $(st-dump pixels.pack | sed -n 's/^record U8 [0-9]* \([0-9]*\) .*/\1/p')))
cp pixels.pack bad.pack
printf '\377\377\377\377' | dd of=bad.pack bs=1 seek=$((begin + 4)) conv=notrunc 2>/dev/null
exits 'a damaged record is named' 1 mien-pack -d bad.pack
like 'with its number' "$(cat err)" "^mien-pack: 'bad.pack', record 1: "
is 'and the others are restored' "$(mien-view --count out)" 19

# The manual's examples.
cp pixels.pack train.pack
is 'mien-pack(5): a header' "$(head -c 12288 train.pack | tail -c +9 | head -c 39)" \
    '{"__metadata__":{"format":"mien-pack","'
mien-pack -d train.pack again.pack | mien-pack -q -o both.pack
ok 'mien-pack(1): join packs' cmp both.pack two.pack
mien-pack -l train.pack | sed 's/[0-9].*//' >listed
man=$ROOT/man/man1/mien-pack.1
sed -n '/^train.pack$/,/^\.Ed/p' "$man" | grep -v '^\.' | sed 's/[0-9].*//' >shown
ok 'mien-pack(1): what --list shows' cmp listed shown
# A failure that only shows when it is brought to the disk: of the file, and of its folder.
mien-fake 3 --pixels 4x4 >three.mien
for k in 1 2; do
    exits "fsync fails, call $k" 2 failing fsync:EIO:$k sh -c 'mien-pack -o x.pack <three.mien'
    like "fsync fails, call $k: says so" "$(cat err)" "^mien-pack: cannot .*x.pack.*: Input/output error"
done
mkdir deep
ln -s deep/real.pack link.pack
exits 'an output that is a link' 0 sh -c 'mien-pack -q -o link.pack <three.mien'
is 'stays one' "$(readlink link.pack) $(mien-pack -l deep/real.pack | sed -n 's/ *records *//p')" \
    'deep/real.pack 3'
exits '- is no name' 2 sh -c 'mien-fake 3 --pixels 4x4 | mien-pack -o -'
is 'and no file of that name comes about' "$(cat err; ls ./- 2>/dev/null)" "mien-pack: can't write to standard output; name a file"

finish
