#!/bin/sh
# mien-images: sources of every sort give the same images; the join with metadata; damaged archives.
. "$(dirname "$0")/../lib.sh"

# Files that begin as a JPEG does, of some size and unlike each other.
jpeg() {
    printf '\377\330\377\340 %s' "$1"
    seq "$2"
}
mkdir -p crop/00 crop/01 crop/.hidden crop/__MACOSX crop/02
jpeg a 300 >crop/00/a.jpg
jpeg b 40000 >crop/00/b.jpg
jpeg c 10 >crop/01/c.jpg
jpeg ü 2000 >crop/01/ü.jpg
printf '\211PNG\r\n\032\n12345' >crop/02/d.jpg
jpeg hidden 1 >crop/00/._a.jpg
jpeg hidden 1 >crop/.hidden/e.jpg
jpeg hidden 1 >crop/__MACOSX/e.jpg
echo notes >crop/README
: >crop/empty
echo '<html>' >crop/page.html

show() { mien-view -H -c id,image,image_kind; }
wanted=$(printf '%s\t%s\t%s\n' crop/00/a.jpg 1098 jpeg crop/00/b.jpg 228900 jpeg \
    crop/01/c.jpg 27 jpeg crop/01/ü.jpg 8900 jpeg crop/02/d.jpg 13 png)
is 'a folder' "$(mien-images -q crop | show)" "$wanted"
exits 'its summary' 0 mien-images crop
like 'counts the images' "$(cat err)" '^mien-images: image records: 5$'
like 'and other files' "$(cat err)" '^mien-images: other files skipped: 6$'
is 'quiet' "$(mien-images -q crop 2>&1 >/dev/null)" ''
is 'without needless components' "$(mien-images -q ./crop/.//00/ | mien-view -H -c id)" \
    "$(printf 'crop/00/a.jpg\ncrop/00/b.jpg')"
mien-images -q crop >all.mien
is 'the bytes' "$(mien-view -n 1 --json --full -c image all.mien |
    sed 's/.*"base64":"//; s/".*//' | base64 -d | cksum)" "$(cksum <crop/00/a.jpg)"
is 'a file' "$(mien-images -q crop/02/d.jpg | show)" "$(printf 'crop/02/d.jpg\t13\tpng')"
is 'an image on standard input' "$(mien-images -q <crop/02/d.jpg | show)" "$(printf -- '-\t13\tpng')"
is 'several sources, in their order' "$(mien-images -q crop/01 crop/00/a.jpg | mien-view -H -c id)" \
    "$(printf 'crop/01/c.jpg\ncrop/01/ü.jpg\ncrop/00/a.jpg')"

# Archives, as files and from a pipe; GNU tar sorts by name.
archive() {
    exits "$1" 0 mien-images -q "$1"
    ok "$1: as the folder" cmp all.mien out
    # shellcheck disable=SC2002 # a pipe, not a file
    cat "$1" | mien-images -q >piped
    ok "$1: from a pipe" cmp all.mien piped
}
for format in ustar pax gnu; do
    tar --sort=name --format="$format" -cf "$format.tar" crop
    archive "$format.tar"
done
gzip -c gnu.tar >gnu.tgz
archive gnu.tgz
for tool in bzip2 xz zstd; do
    if command -v $tool >/dev/null; then
        $tool -qc gnu.tar >"gnu.$tool"
        archive "gnu.$tool"
    else
        skip "$tool" 'not installed'
    fi
done
names=$(find crop -type f | LC_ALL=C sort)
if command -v zip >/dev/null; then
    echo "$names" | zip -q stored.zip -0 -@
    echo "$names" | zip -q deflated.zip -@
    archive stored.zip
    archive deflated.zip
else
    skip 'zip' 'not installed'
fi
if command -v cpio >/dev/null; then
    echo "$names" | cpio -o -H newc >newc.cpio 2>/dev/null
    archive newc.cpio
else
    skip 'cpio' 'not installed'
fi

# The join: mien-fake's ids are 00/0000000.jpg, 01/0000001.jpg, ...
mkdir -p imdb_crop/00 imdb_crop/01 imdb_crop/02
jpeg 0 10 >imdb_crop/00/0000000.jpg
jpeg 1 20 >imdb_crop/01/0000001.jpg
echo '<html>' >imdb_crop/02/0000002.jpg
jpeg x 30 >imdb_crop/02/unknown.jpg
echo notes >imdb_crop/README
tar --sort=name -cf imdb.tar imdb_crop
mien-fake 4 >meta.mien
exits 'metadata from a file' 1 mien-images -m meta.mien imdb.tar
cp out joined.mien
is 'joined by the tail of the path, ids kept' \
    "$(mien-view -H -c id,subject,image,error joined.mien)" "$(printf '%s\t%s\t%s\t%s\n' \
    00/0000000.jpg s0 27 '' 01/0000001.jpg s0 57 '' 02/0000002.jpg s0 '' 'html, not an image')"
like 'names what is no image' "$(cat err)" '^mien-images: record 3 \(02/0000002.jpg\): html, not'
like 'counts metadata without image' "$(cat err)" "without an image: 1, such as '03/0000003.jpg'"
like 'counts images without metadata' "$(cat err)" \
    "without metadata: 1, such as 'imdb_crop/02/unknown.jpg'"
like 'counts other files' "$(cat err)" 'skipped: 1$'
mien-images -q -m - imdb.tar <meta.mien >piped 2>err
ok 'metadata from standard input' cmp joined.mien piped
# shellcheck disable=SC2002
cat imdb.tar | mien-images -q -m meta.mien - >piped 2>err
ok 'archive from standard input' cmp joined.mien piped
cat meta.mien meta.mien >twice.mien
is 'several records of one path' \
    "$(mien-images -q -m twice.mien imdb.tar 2>err | mien-view -H -c id -s 'image && !error')" \
    "$(printf '%s\n' 00/0000000.jpg 00/0000000.jpg 01/0000001.jpg 01/0000001.jpg)"
exits 'an image that occurs twice' 1 mien-images -m meta.mien imdb.tar imdb_crop/00
like 'is named' "$(cat err)" \
    "^mien-images: record 4 \(imdb_crop/00/0000000.jpg\): an earlier .* '00/0000000.jpg'"
exits '--strict' 2 mien-images --strict -m meta.mien imdb.tar
mien-view -r -c subject,age meta.mien >noid.mien
exits 'metadata without id' 1 mien-images -m noid.mien imdb.tar
like 'are named' "$(cat err)" '^mien-images: record 1 \(\): no id to find its image by'
is 'and passed on' "$(mien-view --count out)" 4
mien-images -q -m noid.mien imdb.tar 2>err >failed.mien
exits 'metadata with an error pass' 0 mien-images -m failed.mien imdb.tar
ok 'as they are' cmp failed.mien out
mien-fake --pixels 300x300 1 >fat.mien
exits 'what is too large for metadata' 2 mien-images -m fat.mien imdb.tar
like 'is said so' "$(cat err)" "^mien-images: metadata 'fat.mien': record 1 .*limit"

# Bad files cost only themselves.
exits 'a file that is no archive' 1 mien-images crop/README crop/00/a.jpg
like 'is named' "$(cat err)" '^mien-images: record 1 \(crop/README\): neither an image nor'
is 'the rest goes on' "$(mien-view -H -c id -s '!error' out)" crop/00/a.jpg
exits 'records' 1 mien-images all.mien
like 'are for --meta' "$(cat err)" 'a stream of records: join labels with --meta$'
exits 'too large a file' 1 mien-images --max-image 100K crop
like 'is named' "$(cat err)" 'record 2 \(crop/00/b.jpg\): the file has 228900 bytes, more than the limit'
exits 'too large a file in an archive' 1 mien-images --max-image 100K gnu.tar
is 'the rest goes on there' "$(mien-view --count out) $(mien-view --count -s '!error' out)" '5 4'
# shellcheck disable=SC2002
for size in 100 1K; do
    exits "too large an image from a pipe, $size" 1 sh -c \
        "cat crop/00/b.jpg | mien-images --max-image $size"
done
mkdir named
cp crop/00/a.jpg named/a.jpg
: >named/b.jpg
echo '<html>' >named/c.JPEG
echo text >named/d.png
echo notes >named/jpg
tar --sort=name -cf named.tar named
for source in named named.tar; do
    exits "$source: what is named as an image but isn't" 1 mien-images "$source"
    is "$source: is named" "$(sed -n 's/^mien-images: record /record /p' err)" "record 2 (named/b.jpg): an empty file
record 3 (named/c.JPEG): html, not an image
record 4 (named/d.png): not an image"
    is "$source: the rest goes on" "$(mien-view -H -c id -s '!error' out)" named/a.jpg
    like "$source: what isn't named so is passed over" "$(cat err)" 'skipped: 1$'
done
mkdir links
cp crop/00/a.jpg links/a.jpg
ln links/a.jpg links/b.jpg
ln -s a.jpg links/c.jpg
ln -s nowhere links/d.jpg
ln -s . links/circle
exits 'links in a folder' 1 mien-images links
is 'are followed to files' "$(mien-view -H -c id -s '!error' out | tr '\n' ' ')" \
    'links/a.jpg links/b.jpg links/c.jpg '
like 'dangling ones are named' "$(cat err)" "record 4 \(links/d.jpg\): cannot follow link"
tar --sort=name -cf links.tar links
exits 'links in an archive' 1 mien-images links.tar
like 'hard ones are named' "$(cat err)" \
    "record 2 \(links/b.jpg\): a hard link to 'links/a.jpg', whose bytes came earlier in the archive"

# Names are bytes, whatever the locale. zip_of FILE NAME...: an image under each name, which is
# marked as UTF-8.
zip_of() {
    perl -MCompress::Zlib=crc32 -e '
        my ($out, @names) = @ARGV;
        local $/; open my $f, "<", "crop/00/a.jpg"; binmode $f; my $jpeg = <$f>;
        my ($files, $folder) = ("", "");
        for my $name (@names) {
            my $same = pack "vvvvvVVVvv", 20, 0x800, 0, 0, 33, crc32($jpeg), (length $jpeg) x 2, length $name, 0;
            $folder .= "PK\1\2" . pack("v", 20) . $same . pack("vvvVV", 0, 0, 0, 0, length $files) . $name;
            $files .= "PK\3\4" . $same . $name . $jpeg;
        }
        open my $o, ">", $out; binmode $o;
        print $o $files, $folder, "PK\5\6", pack "vvvvVVv", 0, 0, (scalar @names) x 2, length $folder, length $files, 0;
        ' "$@"
}
composed=$(printf 'd/\303\251.jpg') decomposed=$(printf 'd/e\314\201.jpg') chinese=$(printf '\346\225\260/1.jpg')
latin=$(printf 'd/\351.jpg')
zip_of names.zip plain.jpg "$composed" "$decomposed" "$chinese" "$latin"
wanted=$(printf '%s\n' plain.jpg "$composed" "$decomposed" "$chinese" 'd/\xe9.jpg')
for locale in C C.UTF-8; do
    exits "a zip file with names in UTF-8, LC_ALL=$locale" 0 env LC_ALL=$locale mien-images names.zip
    is 'its names are as they are there' "$(mien-view -H -c id out)" "$wanted"
done
# shellcheck disable=SC2002
exits 'through a pipe, a name that is not what it is marked as' 1 sh -c 'cat names.zip | mien-images'
like 'is said so' "$(cat err)" "record 5 \(\(no name\)\): its name isn't UTF-8, though"
is 'and the others are read' "$(mien-view -H -c id -s '!error' out)" \
    "$(printf '%s\n' plain.jpg "$composed" "$composed" "$chinese")"
mkdir -p names/d names/数
for name in "$composed" "$decomposed" 数/1.jpg; do cp crop/00/a.jpg "names/$name"; done
mien-images -q names | mien-view -H -c id | sort >want
for format in gnu pax ustar; do
    tar --sort=name --format=$format -cf names.tar names
    mien-images -q names.tar | mien-view -H -c id | sort >got
    ok "names in a tar, $format" cmp want got
done
if command -v bsdtar >/dev/null 2>&1; then
    rm "names/$decomposed" # those of 7z files and ISO 9660 become form C
    mien-images -q names | mien-view -H -c id | sort >want
    for format in zip 7zip iso9660 newc pax gnutar; do
        LC_ALL=C.UTF-8 bsdtar --format $format -cf names.x names
        mien-images -q names.x | mien-view -H -c id | sort >got
        ok "names in an archive, $format" cmp want got
    done
    LC_ALL=C.UTF-8 bsdtar --format 7zip -cf names.7z names
    # shellcheck disable=SC2002
    exits 'a 7z file from a pipe' 2 sh -c 'cat names.7z | mien-images'
    like 'is said so' "$(cat err)" "^mien-images: a 7z archive can't be read from a pipe"
    if command -v 7z >/dev/null 2>&1; then
        7z a -px secret.7z names >7z.log 2>&1
        exits 'an encrypted one' 2 mien-images secret.7z
        like 'is told from a damaged one' "$(cat err)" "^mien-images: archive 'secret.7z' can't be read: .*encrypted"
    else
        skip 'an encrypted 7z' 'no 7z'
    fi
    bsdtar --format xar -cf names.xar names
    exits 'an archive of another kind' 1 mien-images names.xar
    like 'is named, with the way to read it' "$(cat err)" 'kind xar, .*bsdtar -cf - @FILE'
else
    skip 'archives of other kinds' 'no bsdtar'
fi

# Labels beside the images.
mkdir -p side/a
cp crop/00/a.jpg side/a/0.jpg
cp crop/00/b.jpg side/a/1.x.jpg
cp crop/00/a.jpg side/a/2.jpg
cp crop/00/b.jpg side/a/2.mask.jpg
cp crop/00/a.jpg side/a/4.jpg
echo '{"age": 20, "sex": "F", "bbox": [1, 2, 30.5, 40], "caption": "x", "race": null}' >side/a/0.json
echo '{"age_group": "25-32", "gender": 1, "identity": "S 1"}' >side/a/1.json
echo '{"age": 140, "gender": "female"}' >side/a/2.json
echo 7 >side/a/0.cls
printf ' 34 \n' >side/a/4.txt
echo '{"age": 3}' >side/a/5.json
tar --sort=name -cf side.tar side
for source in side side.tar; do
    exits "labels beside images, $source" 1 mien-images --sidecar --male 1 --female 0 --txt age $source
    is 'are read' "$(mien-view -H -c id,age,age_band,gender,subject,box,error out)" \
        "$(printf '%s\t%s\t%s\t%s\t%s\t%s\t\n' side/a/0.jpg 20 '' female '' 1,2,30.5,40 \
            side/a/1.x.jpg '' 25-32 male 'S 1' '' side/a/2.jpg '' '' female '' '' side/a/4.jpg 34 '' '' '' '')"
    like 'a bad one costs itself alone' "$(cat err)" 'record 3 \(side/a/2.jpg\): labels next to the image: age: age 140 is not within 0-100$'
    like 'those without an image are named' "$(cat err)" "^mien-images: labels without an image .*: 1, such as 'side/a/5'$"
    like 'and those that nobody reads' "$(cat err)" 'label files that --cls or --txt would read: 1$'
done
exits 'a class is what it is told to be' 1 mien-images -q --cls group side.tar
is 'such as a group' "$(mien-view -H -c group -n 1 out)" 7
mkdir same && cp crop/00/a.jpg same/0.jpg && echo '{"age": 1}' >same/0.json
(cd same && tar -cf ../same1.tar 0.jpg 0.json && echo '{"age": 2}' >0.json && tar -cf ../same2.tar 0.jpg 0.json &&
    tar --hard-dereference -cf ../twice.tar 0.jpg 0.json 0.jpg 0.json)
is 'the same name in two archives' "$(mien-images -q --sidecar same1.tar same2.tar | mien-view -H -c age | tr '\n' ' ')" '1 2 '
is 'and twice in one' "$(mien-images -q --sidecar twice.tar | mien-view -H -c age | tr '\n' ' ')" '2 2 '
printf '\357\273\277{"age": 4}' >same/0.json
is 'with a byte order mark' "$(mien-images -q --sidecar same | mien-view -H -c age)" 4
exits '--cls for no field' 2 mien-images --cls box side.tar
like 'which is named' "$(cat err)" "^mien-images: .*cls.*'box' is not id, subject, age, gender, group, birth, year or split"
echo '{"Person_ID": "P1", "name": "N", "Real_Age": 44, "sex": "m", "image": "y.jpg"}' >same/0.json
is "members may be called as tables' columns are headed, the likeliest counts" \
    "$(mien-images -q --sidecar same | mien-view -H -c id,subject,age,gender)" "$(printf 'same/0.jpg\tP1\t44\tmale')"
mkdir strict && cp crop/00/a.jpg strict/a.jpg && : >strict/b.jpg
exits '--strict stops at a bad record' 2 mien-images -q --strict strict
is 'behind the good ones' "$(mien-view -H -c id out 2>/dev/null)" strict/a.jpg
exits '--sidecar and metadata' 2 mien-images --sidecar -m meta.mien side.tar

# A source without an image isn't a success.
mkdir bare
echo 'label,age' >bare/labels.csv
gzip -c gnu.tar >bare/inner.tgz
(cd bare && zip -q ../bare.zip labels.csv && zip -q ../inner.zip labels.csv inner.tgz)
head -c 100000 /dev/zero >zero.tar
while IFS='|' read -r source message; do
    exits "no image in $source" 1 mien-images "$source" crop/00/a.jpg
    is 'is said, with the cause' "$(grep 'no image' err)" "mien-images: no image in $message"
    is 'and the others are read' "$(mien-view --count out)" 1
done <<'END'
bare.zip|'bare.zip', but 1 other file
inner.zip|'inner.zip': 1 of its files is an archive itself, and archives in an archive or a folder aren't looked into
bare|'bare': 1 of its files is an archive itself, and archives in an archive or a folder aren't looked into
zero.tar|'zero.tar': it has no files
END

# Damaged archives are fatal, after what came before.
mkdir pair
jpeg x 1000 >pair/x.jpg
jpeg y 1000 >pair/y.jpg
tar --sort=name --format=ustar -cf pair.tar pair
cut_at() {
    head -c "$2" "$1" >short
    exits "$1 cut at $2" 2 mien-images short
    like "$1 cut at $2: and says so" "$(cat err)" "^mien-images: archive 'short' is $4"
    like "$1 cut at $2: and has no end record" \
        "$(mien-view --count out 2>&1)" "$([ "$3" = 0 ] && echo 'no input' || echo "after $3 whole")"
}
cut_at pair.tar 600 0 damaged
cut_at pair.tar 1024 0 damaged
cut_at pair.tar 4900 0 damaged
cut_at pair.tar 5120 1 'cut short: its end marker is missing'
cut_at pair.tar 5800 1 damaged
cut_at pair.tar 9728 2 'cut short: its end marker is missing'
gzip -c pair.tar >pair.tgz
cut_at pair.tgz 30 0 'damaged: truncated gzip'
cut_at pair.tgz 800 0 'damaged: truncated gzip'
gzip -c crop/00/a.jpg >a.jpg.gz
exits 'a compressed image' 2 mien-images a.jpg.gz
like 'is no archive' "$(cat err)" "^mien-images: 'a.jpg.gz' is compressed with gzip, but no archive is in it,"
cp pair.tar broken.tar
printf x | dd of=broken.tar bs=1 seek=5130 conv=notrunc 2>/dev/null
exits 'a damaged header' 2 mien-images broken.tar

# The command line, and the world around.
exits 'empty input' 2 sh -c 'mien-images </dev/null'
like 'is said so' "$(cat err)" '^mien-images: standard input is empty'
exits 'input of no known sort' 2 sh -c 'echo hello | mien-images'
like 'is said so' "$(cat err)" '^mien-images: standard input is neither an image nor'
exits 'an absent source' 2 mien-images nowhere
like 'is named' "$(cat err)" "^mien-images: cannot open 'nowhere': No such file"
exits 'standard input for two purposes' 2 sh -c 'mien-images -m - <meta.mien'
like 'is refused' "$(cat err)" "^mien-images: standard input can't be both"
exits 'empty metadata' 2 mien-images -m /dev/null imdb.tar
like 'are named' "$(cat err)" "^mien-images: metadata '/dev/null': no input"
head -c 700 meta.mien >short
exits 'metadata cut short' 2 mien-images -m short imdb.tar
like 'are named' "$(cat err)" "^mien-images: metadata 'short': .*byte 700"
# Ways to match.
# joins METADATA-PATH OPTIONS...: joins an image 00/a.jpg with metadata of this path and prints the ids.
mkdir -p one/00 && cp crop/00/a.jpg one/00/a.jpg
joins() {
    printf 'path\tage\n%s\t30\n' "$1" >one.tsv; shift
    mien-meta -q one.tsv | mien-images -m - "$@" one >out 2>err
    echo "$? $(mien-view -Hc id out | tr '\n' ' ')"
}
is 'a longer path' "$(joins '/data/one/00/a.jpg')" '0 /data/one/00/a.jpg '
is 'backslashes' "$(joins 'C:\data\one\00\a.jpg')" '0 C:/data/one/00/a.jpg '
is 'another folder' "$(joins 'images/a.jpg')" '1 '
is 'is told' "$(grep joined err)" \
    'mien-images: nothing joined: 1 metadata records and 1 images; --match name would join 1 (folders differ)'
is '--match name' "$(joins 'images/a.jpg' --match name)" '0 images/a.jpg '
is 'another case' "$(joins '00/A.JPG')" '1 '
like 'is told' "$(cat err)" 'would join 1 \(upper and lower case differ\)$'
is '--match nocase' "$(joins '00/A.JPG' --match nocase)" '0 00/A.JPG '
is 'no extension' "$(joins '00/a')" '1 '
like 'is told' "$(cat err)" 'would join 1 \(extensions differ or are missing\)$'
is '--match stem' "$(joins '00/a' --match stem)" '0 00/a '
is '--match exact' "$(joins 'one/00/a.jpg' --match exact)" '0 one/00/a.jpg '
is 'with a shorter path' "$(joins '00/a.jpg' --match exact)" '1 '
like 'tells the other way' "$(cat err)" '--match suffix would join 1 \(prefixes, backslashes or the form'
is 'nothing alike' "$(joins '00/b.jpg')" '1 '
like 'is told, too' "$(cat err)" '1 images; no other --match would join any$'
mv one/00/a.jpg "one/00/Zo$(printf '\303\253').jpg"
is 'accents of macOS' "$(joins "00/Zoe$(printf '\314\210').jpg")" "0 00/Zoe$(printf '\314\210').jpg "
exits 'metadata of no records' 1 sh -c 'mien-view -r -n 0 meta.mien | mien-images -m - one'
like 'are told' "$(cat err)" 'nothing joined: the metadata have no records'

exits 'an unknown option' 2 mien-images --no-such-option
like 'points to --help' "$(cat err)" '^mien-images: .*no-such-option'
exits '--help' 0 mien-images --help
like '--help names it' "$(cat out)" '^usage: mien-images'
exits '--version' 0 mien-images --version
exits 'a full disk' 2 sh -c 'mien-images crop >/dev/full'
like 'is said so' "$(cat err)" '^mien-images: .*No space left'
{ mien-images crop crop crop crop crop crop 2>err; echo $? >status; } | head -c 10 >/dev/null
is 'a closed pipe is quiet' "$(cat status err)" 0
mkdir nothing
is 'an empty folder is an empty stream' "$(mien-images -q nothing 2>err | mien-view --count)" 0
like 'and is named' "$(cat err)" "^mien-images: no image in 'nothing': it has no files"

# The manual's examples.
image() { mien-fake --image 2 | mien-view -s "id == \"$1\"" --json --full -c image |
    sed 's/.*"base64":"//; s/".*//' | base64 -d; }
mkdir photos
image 00/0000000.jpg >photos/a.jpg
image 01/0000001.jpg >photos/b.jpg
is 'example: a few photographs' "$(cd photos && mien-images -q ./*.jpg | mien-view | cut -f 1,3)" \
    "$(sed -n '/^\$ mien-images/,/^\.Ed/p' "$ROOT/man/man1/mien-images.1" | sed '1d; $d' | cut -f 1,3)"
gzip -c gnu.tar >faces.tar.gz
# shellcheck disable=SC2002
is 'example: an archive that is never stored' "$(cat faces.tar.gz | mien-images -q | mien-view --count)" 5

if [ -f "$DATA/utkface.tar" ]; then
    is 'UTKFace' "$(mien-images -q "$DATA/utkface.tar" | mien-view --count)" 18680
else
    skip 'UTKFace' 'no data'
fi

finish
