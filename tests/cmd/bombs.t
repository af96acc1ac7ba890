#!/bin/sh
# Small input that asks for much: every limit of mien(7) ends it, soon and in little memory. mien
# promises two seconds and 130 MB; here the time is longer, so that a busy machine isn't a failure.
. "$(dirname "$0")/../lib.sh"

if grep -q __asan_init "$BUILD/bin/mien-view"; then most=0; else most=130; fi
# stops NAME STATUS PATTERN COMMAND...: it ends with the status, and a line on standard error.
stops() {
    what=$1 status=$2 pattern=$3; shift 3
    exits "$what" "$status" within 20 $most "$@"
    like "$what: $(sed -n 's/^within: //p' err)" "$(cat err)" "$pattern"
}
# le FORMAT NUMBER...: prints numbers as perl's pack, such as V, 32 bits, and Q, 64 bits.
le() { perl -e 'binmode STDOUT; print pack(shift, @ARGV)' "$@"; }
# many N TEXT: prints it N times.
many() { perl -e 'print $ARGV[1] x $ARGV[0]' "$@"; }

# --- Records
{ printf 'MIEN\1\0'; le vVV 1 4294967288 0; } >long.mien
stops 'a record of 4 GB' 2 'limit' mien-view long.mien
{ printf 'MIEN\1\0'; le vVV 65535 64 0; } >fields.mien
stops 'a record of 65535 fields' 2 'fields' mien-view fields.mien
mien-fake 3 --image >images.mien
stops 'endless zeros for records' 2 'not a stream' sh -c 'mien-view --count </dev/zero'
many 100000 '(' >deep
stops 'an expression nested 100,000 times' 2 'deep|nested|long' mien-view --select "$(cat deep)" images.mien

# --- Archives and images
mkdir big && head -c 300000000 /dev/zero >big/a.jpg
(cd big && zip -1 -q ../big.zip a.jpg && tar -cf - a.jpg | gzip -1 >../big.tar.gz)
if command -v xz >/dev/null; then tar -C big -cf - a.jpg | xz -0 >big.tar.xz; fi
rm -r big
stops 'a zip with 300 MB of zeros' 1 'a.jpg.*limit' sh -c 'mien-images big.zip >x'
stops 'the same through a pipe' 1 'a.jpg.*limit' sh -c 'mien-images <big.zip >x'
stops 'a tar.gz of the same' 2 'times as long|limit' sh -c 'mien-images big.tar.gz >x'
if [ -e big.tar.xz ]; then
    stops 'a tar.xz of the same' 2 "archive 'big.tar.xz' unpacks to more than .* the limit" sh -c 'mien-images big.tar.xz >x'
else
    skip 'a tar.xz of the same' 'no xz'
fi
perl -e 'print pack("a100 a8 a8 a8 a12 a12 a8 a1 a100 a6 a2", "././@LongLink", "0000644", "0000000",
    "0000000", "77777777777", "00000000000", "", "L", "", "ustar ", " ")' >header
perl -e 'local $/; $_ = <STDIN>; $_ .= "\0" x (512 - length); substr($_, 148, 8) = " " x 8;
    my $sum = 0; $sum += $_ for unpack("C*", $_); substr($_, 148, 8) = sprintf("%06o\0 ", $sum);
    print $_, "n" x 10000000' <header >name.tar
stops 'a tar with a name of 8 GB' 2 'name.tar' sh -c 'mien-images name.tar >x'
stops 'endless zeros, which are an empty archive' 1 'it has no files' sh -c 'mien-images </dev/zero >x'

# A PNG of 65535 x 65535 that is interlaced, which needs all of it in memory, and 100 kB of zeros.
case $(mien-view --version) in
*', PNG'*)
    perl -MCompress::Zlib -e 'sub chunk { my ($n, $d) = @_; pack("N", length $d) . "$n$d" . pack "N", crc32("$n$d") }
        print "\x89PNG\r\n\x1a\n", chunk("IHDR", pack "NNCCCCC", 65535, 65535, 8, 2, 0, 0, 1),
            chunk("IDAT", compress("\0" x 100000)), chunk("IEND", "")' >huge.png
    mien-images -q huge.png >hugepng.mien
    stops 'a PNG of 65535 x 65535' 1 'PNG of 65535 x 65535 pixels, more than the limit' sh -c 'mien-crop -b whole <hugepng.mien >x' ;;
*) skip 'a PNG of 65535 x 65535' 'built without libpng' ;;
esac

mien-squares 100x100 38,25,25 >one.jpg
perl -e 'local $/; $_ = <STDIN>; s/(\xff\xc0..\x08)..../$1\xff\xff\xff\xff/s or die; print' <one.jpg >huge.jpg
stops 'a JPEG of 65535 x 65535' 1 'limit|pixels' sh -c 'mien-images huge.jpg | mien-crop --box whole >x'
stops 'for a sheet' 1 'limit|pixels' sh -c 'mien-images huge.jpg | mien-montage -o sheet.jpg'

# --- Labels
{ printf 'file,age\n'; many 3000000 a; } >line.csv
stops 'a table of one long line' 2 'line|row|long' mien-meta line.csv
stops 'an endless table' 2 'line|row|long' sh -c '{ printf "file,age\n"; exec cat /dev/zero; } | tr "\0" a | mien-meta'
{ printf 'file,age\n"'; many 3000000 a; } >quote.csv
stops 'a quote that never ends' 2 'line|row|long|quote' mien-meta quote.csv
{ printf '{"file":"a.jpg","age":['; many 80000 '{},'; printf '0]}'; } >nodes.json
stops 'JSON with an object of 80,000 empty ones' 0 '1 rows' mien-meta nodes.json
{ printf '[{"file":"a.jpg","age":['; many 3000000 '{},'; printf '0]}]'; } >nodes.json
stops 'JSON with one of three million' 2 'nodes.json: line 1: an object of more than' mien-meta nodes.json
{ many 100000 '{"a":'; printf 1; many 100000 '}'; } >deep.json
stops 'JSON nested a hundred thousand times' 2 'deep.json' mien-meta deep.json
many 1000000 , >commas.csv
stops 'a header of a million columns' 2 'no column holds the path' mien-meta commas.csv
perl -e 'print "MATLAB 5.0 MAT-file", " " x 105, pack("vv", 0x100, 0x4d49),
    pack("VV VVVV VVVV VVa4 VV", 14, 4294967288, 6, 8, 2, 0, 5, 8, 1048576, 1048576, 1, 4, "imdb", 9, 4294967288)' >tera.mat
stops 'a .mat with an array of a terabyte' 2 'tera.mat' mien-meta tera.mat
perl -e 'use Compress::Zlib; my $z = compress(pack("VV", 14, 4294967288) . "\0" x 300000000, 1);
    print "MATLAB 5.0 MAT-file", " " x 105, pack("vv", 0x100, 0x4d49), pack("VV", 15, length $z), $z' >zeros.mat
stops 'a .mat compressed 200 times' 2 'zeros.mat' mien-meta zeros.mat
{ echo file,age; printf '%s,30\n' "$(many 1000 a_)"; } | mien-meta -q >names.mien
stops 'a pattern that could match in many ways' 1 '.' sh -c '
    mien-meta -n "*_*_*_*_*_*_*_*x{age}" <names.mien >x'

# --- Networks, packs, models
net() { printf '%s\n' "$@" >x.net; }
net 'input 1x1x65536' 'a dense 1048576' 'b dense 1048576'
stops 'a network with 2^40 weights' 2 'too many parameters' mien-net --new -o x.model x.net
net 'input 65536x65536x3' 'a conv 1048576 1x1' 'p gap'
stops 'a network with layers of 2^52 numbers' 2 'x.net' mien-net x.net
{ echo 'input 8x8x3'; i=0; while [ $i -lt 5000 ]; do echo "r$i relu"; i=$((i + 1)); done; } >x.net
stops 'a network of 5000 layers' 2 'layers' mien-net x.net
{ echo 'input 8x8x3'; many 3000000 a; } >x.net
stops 'a network of one long line' 2 'line|long' mien-net x.net
net 'input 1x1x30000' 'a dense 65000'
stops 'a new model of 8 GB' 2 'the weights take 7.3 GiB of memory' mien-net --new -o x.model x.net
# Two kilobytes of weights, six gigabytes of outputs.
net 'input 16x16x3' 'z conv 3 1x1' 'a pad 2000,2000,2000,2000' 'b pad 2000,2000,2000,2000' \
    'c pad 2000,2000,2000,2000' 'd pad 2000,2000,2000,2000' 'e gap' 'gender_logits dense 2' 'gender softmax'
mien-net -q --new --embed e -o wide.model x.net
mien-fake 9 --pixels 16x16 >wide.mien
mien-pack -q -o wide.pack <wide.mien
many='the network needs [0-9.]* GiB of memory, more than the limit'
stops 'its prediction' 2 "$many of 1.0 GiB" sh -c 'mien-predict -j1 wide.model <wide.mien'
stops 'its outputs' 2 "$many of 1.0 GiB" sh -c 'mien-embed -j1 --layer d wide.model <wide.mien'
stops 'new heads on it' 2 "$many of 2.0 GiB" \
    mien-train -j1 --max-memory 2G -i wide.model --heads gender=2 -t wide.pack -o x.model
stops 'its training' 2 'training in batches of 32 takes [0-9.]* GiB of memory, more than the limit of 2.0 GiB' \
    mien-train -j1 --max-memory 2G -i wide.model --keep-heads --last all -t wide.pack -o x.model
net 'input 16x16x3' 'a pad 6000,6000,6000,6000' 'c conv 3 1x1 stride=1000' \
    's conv 1 1x1 stride=7' 'b conv 16 1x1 stride=7 from=c'
mien-net -q --new -o wide.model x.net
stops 'a detector' 2 "$many of 1.0 GiB" sh -c 'mien-detect -j1 wide.model <images.mien'
net 'input 8x8x3' 'p gap'
# st HEADER: a safetensors file of it, with 64 bytes of data.
st() { le Q ${#1}; printf '%s' "$1"; many 64 x; }
le Q 1152921504606846976 >long.pack
{ le Q 67108864; many 67108864 '['; } >deep.pack
{ le Q 2000000; many 2000000 '['; } >nested.pack
st '{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}' >tera.pack
st '{"a":{"dtype":"U8","shape":[64],"data_offsets":[0,64]},"b":{"dtype":"U8","shape":[64],"data_offsets":[0,64]}}' >over.pack
{ printf '{'; perl -e 'print join ",", map { "\"t$_\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}" } 1 .. 30000'; printf '}'; } >header
{ le Q "$(wc -c <header)"; cat header; } >tensors.pack
for f in long deep nested tera over tensors; do
    stops "a pack: $f" 2 "$f.pack" mien-pack -l $f.pack
    stops "a model: $f" 2 "$f.pack" mien-net $f.pack
done
mien-fake 9 --features 4 | mien-pack -q -o x.pack
stops 'a checkpoint that is one' 2 'nested.pack' \
    mien-train -t x.pack -e 1 --checkpoint nested.pack --resume -o x.model
many 1000000 '[' >deep.json
stops 'a graph nested a million times' 2 'deep.json' mien-import -o x.model deep.json
{ printf '{"modelTopology":{"node":['; many 3000000 '{},'; printf '{}]}}'; } >nodes.json
many 30000000 ' ' >spaces.json
stops 'a graph of three million nodes' 2 'nodes.json.*limit' mien-import -o x.model nodes.json
stops 'a graph of 30 MB' 2 'spaces.json.*larger than' mien-import -o x.model spaces.json

finish
