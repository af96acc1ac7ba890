#!/bin/sh
# Archives of all kinds, made by the programs that make them: bsdtar, tar, cpio, zip, 7z and others. Those
# that are read give the images that went in, byte for byte, from a file and, where that can be, from a
# pipe; the others are refused with a word of what they are.
. "$(dirname "$0")/../lib.sh"

# Images of several folders, one of 150 KB, with names of several letters, and other files.
mien-synth -n 8 --size 64 --seed 1 d 2>/dev/null
mkdir -p faces/Ärzte 'faces/b c' && tar -xf d/imdb_crop.tar -C faces
first=$(find faces -name '*.jpg' | sort | head -n 1)
cp "$first" 'faces/Ärzte/Zoë 1.jpg'
cp "$first" 'faces/b c/x.JPG'
{ cat "$first"; head -c 150000 /dev/urandom; } >faces/large.jpg
echo 'not an image' >faces/notes.txt

# images SOURCE: the images read, with their bytes, sorted.
images() {
    rm -rf read && mkdir read || return
    mien-images -q "$@" 2>err | mien-view -q --images read 2>>err
    find read -type f -exec cksum {} + | sed 's|read/||; s|^\([0-9]* [0-9]*\) .*|\1|' | sort
}
wanted=$(images faces)
is 'the folder' "$(printf '%s\n' "$wanted" | wc -l)" "$(find faces -iname '*.jpg' | wc -l)"

# made NAME COMMAND...: makes the archive NAME, or skips it.
made() {
    name=$1; shift
    rm -f "$name"
    if ! command -v "$1" >/dev/null 2>&1; then
        skip "$name" "no $1"; return 1
    elif ! LC_ALL=C.UTF-8 timeout 60 "$@" >made 2>&1 </dev/null || [ ! -s "$name" ]; then
        skip "$name" "$1 doesn't make it: $(tail -n 1 made)"; return 1
    fi
}
# read NAME COMMAND...: the archive that it makes has the images.
reads() {
    made "$@" || return
    is "$1" "$(images "$1")" "$wanted"
}
# also from a pipe.
streams() {
    reads "$@"
    [ ! -s "$1" ] || is "$1 from a pipe" "$(images - <"$1")" "$wanted"
}
# refuses WORDS NAME COMMAND...: it isn't read, and that is said in these words.
refuses() {
    words=$1; shift
    made "$@" || return
    mien-images "$1" >out 2>err
    case $? in 1 | 2) status=failed ;; *) status=fine ;; esac
    is "$1 isn't read" "$status, $(mien-view -q --count --select '!error' out 2>/dev/null || echo 0) images" 'failed, 0 images'
    like "$1: and why" "$(head -n 1 err)" "$words"
}

for format in ustar pax gnutar v7; do
    # v7 has no names in other letters than ASCII's beyond bytes; they are kept.
    streams $format.tar bsdtar --format $format -cf $format.tar faces
done
for filter in gzip bzip2 xz lzma lzip zstd lz4 compress; do
    streams x.tar.$filter bsdtar --$filter -cf x.tar.$filter faces
done
for format in cpio newc odc bin pwb; do
    streams bsd-$format.cpio bsdtar --format $format -cf bsd-$format.cpio faces
done
reads bsd.zip bsdtar --format zip -cf bsd.zip faces
reads bsd-stored.zip bsdtar --format zip --options zip:compression=store -cf bsd-stored.zip faces
reads bsd.7z bsdtar --format 7zip -cf bsd.7z faces
for method in lzma1 lzma2 bzip2 deflate ppmd store; do
    reads bsd-$method.7z bsdtar --format 7zip --options 7zip:compression=$method -cf bsd-$method.7z faces
done
streams bsd.iso bsdtar --format iso9660 -cf bsd.iso faces

for format in gnu oldgnu pax ustar v7; do
    streams gnu-$format.tar tar -H $format -cf gnu-$format.tar faces
done
for format in bin odc newc crc tar ustar hpbin hpodc; do
    streams $format.cpio sh -c "find faces | cpio -o -H $format >$format.cpio"
done

reads info.zip zip -qr info.zip faces
reads info-0.zip zip -qr0 info-0.zip faces
reads info-bzip2.zip zip -qr -Z bzip2 info-bzip2.zip faces
reads info-64.zip zip -qr -fz info-64.zip faces
streams info-pipe.zip sh -c 'zip -qr - faces >info-pipe.zip'
for method in LZMA LZMA2 PPMd BZip2 Deflate Copy; do
    reads 7-$method.7z 7z a -m0=$method 7-$method.7z faces
done
reads 7-solid.7z 7z a -ms=on -mx=9 7-solid.7z faces
reads 7-single.7z 7z a -ms=off 7-single.7z faces
for method in Copy Deflate BZip2 LZMA PPMd; do
    reads 7-$method.zip 7z a -tzip -mm=$method 7-$method.zip faces
done
reads 7.tar 7z a -ttar 7.tar faces

for options in '-R' '-J' '-J -R'; do
    # shellcheck disable=SC2086
    streams "iso$options.iso" genisoimage -quiet $options -o "iso$options.iso" faces
done

# No free program writes RAR. Stored files are easily written: versions 4 and 5.
cat >rar.py <<'END'
import struct, sys, zlib
def rar4(files):
    out = b"Rar!\x1a\x07\x00"
    def block(kind, flags, rest, data=b""):
        head = struct.pack("<BHH", kind, flags, 7 + len(rest)) + rest
        return struct.pack("<H", zlib.crc32(head) & 0xffff) + head + data
    out += block(0x73, 0, bytes(6))
    for name, data in files:
        out += block(0x74, 0x8000, struct.pack("<IIBIIBBHI", len(data), len(data), 3, zlib.crc32(data),
                                               0x5a210000, 20, 0x30, len(name), 0o100644) + name, data)
    return out + block(0x7b, 0x4000, b"")
def rar5(files):
    def v(n):
        b = b""
        while n > 127:
            b, n = b + bytes([n & 127 | 128]), n >> 7
        return b + bytes([n])
    def block(body, data=b""):
        head = v(len(body)) + body
        return struct.pack("<I", zlib.crc32(head)) + head + data
    out = b"Rar!\x1a\x07\x01\x00" + block(v(1) + v(0) + v(0))
    for name, data in files:
        out += block(v(2) + v(2) + v(len(data)) + v(4) + v(len(data)) + v(0o100644) +
                     struct.pack("<I", zlib.crc32(data)) + v(0) + v(1) + v(len(name)) + name, data)
    return out + block(v(5) + v(0) + v(0))
files = [(f.encode(), open(f, "rb").read()) for f in sys.argv[2:]]
sys.stdout.buffer.write({"4": rar4, "5": rar5}[sys.argv[1]](files))
END
for version in 4 5; do
    streams v$version.rar sh -c "find faces -type f -exec python3 rar.py $version {} + >v$version.rar"
done
refuses "'short.rar' is damaged: " short.rar sh -c 'head -c 100 v5.rar >short.rar'

# What isn't read.
refuses 'cannot be read: Unsupported ZIP compression method' 7-Deflate64.zip 7z a -tzip -mm=Deflate64 7-Deflate64.zip faces
refuses 'encrypted|Passphrase' secret.zip zip -qr -P secret secret.zip faces
refuses 'encrypted|Passphrase' secret-aes.zip 7z a -tzip -psecret -mem=AES256 secret-aes.zip faces
refuses 'encrypted|Passphrase' secret.7z 7z a -psecret secret.7z faces
refuses 'encrypted|Passphrase' secret-names.7z 7z a -psecret -mhe=on secret-names.7z faces
refuses 'kind lzop' x.tar.lzo bsdtar --lzop -cf x.tar.lzo faces
refuses 'kind ar,' x.ar sh -c 'ar rc x.ar faces/large.jpg'
refuses 'kind cab' x.cab gcab -c x.cab faces/large.jpg
refuses 'kind xar' x.xar bsdtar --format xar -cf x.xar faces
refuses 'kind WARC' x.warc bsdtar --format warc -cf x.warc faces
refuses 'kind mtree' x.mtree bsdtar --format mtree -cf x.mtree faces
refuses 'neither an image nor' x.shar bsdtar --format shar -cf x.shar faces
refuses 'neither an image nor' x.uu bsdtar --uuencode -cf x.uu faces
refuses 'neither an image nor' x.b64 bsdtar --b64encode -cf x.b64 faces
refuses 'neither an image nor' x.wim 7z a -twim x.wim faces
refuses 'is an archive itself' outer.zip sh -c 'zip -q inner.zip faces/large.jpg && zip -q outer.zip inner.zip'
refuses 'compressed with gzip, but no archive' notes.gz sh -c 'gzip -c faces/notes.txt >notes.gz'
finish
