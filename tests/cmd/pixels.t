#!/bin/sh
# PNG and WebP files of all kinds: the pixels are those of libpng's simplified interface and of dwebp;
# parts of them, at all scales; transparency, gamma, orientation, animations, damage, limits.
. "$(dirname "$0")/../lib.sh"

images=$(mien-view --version | sed -n 's/^images: //p')
kinds=${images%%, built without*}

# ppm HEIGHTxWIDTH MAXVAL: a picture with smooth parts and edges, binary PPM.
ppm() {
    perl -e 'my ($h, $w, $m) = ($ARGV[0] =~ /(\d+)x(\d+)/, $ARGV[1]); binmode STDOUT; print "P6\n$w $h\n$m\n";
        srand 7;
        for my $y (0 .. $h - 1) { for my $x (0 .. $w - 1) {
            my $edge = int($x / 23 + $y / 17) % 3 * 60;
            print pack $m > 255 ? "n" : "C", int($_ % 256 * $m / 255) for int(rand 12) + $edge + $x % 100,
                int(rand 12) + 120 - $edge / 2 + $y % 100, int(rand 12) + 40 + $edge / 2 + ($x + $y) % 100; } }' "$@"
}

png_kinds() {
    for size in 61x83 1x1 9x5; do
        ppm $size 255 >rgb.ppm
        ppm $size 65535 >deep.ppm
        ppmtopgm rgb.ppm >grey.pgm
        ppmtopgm deep.ppm >deep.pgm
        pgmtopbm -threshold grey.pgm >two.pbm
        pamdepth 3 grey.pgm >four.pgm 2>/dev/null
        pamdepth 15 grey.pgm >sixteen.pgm 2>/dev/null
        pnmquant 200 rgb.ppm >palette.ppm 2>/dev/null
        pnmquant 11 rgb.ppm >small.ppm 2>/dev/null
        pnmflip -leftright grey.pgm >alpha.pgm
        for interlace in '' -interlace; do
            for file in rgb.ppm deep.ppm grey.pgm deep.pgm two.pbm four.pgm sixteen.pgm palette.ppm small.ppm; do
                pnmtopng $interlace $file >"png/$size-$file$interlace.png" 2>/dev/null
            done
            for file in rgb.ppm grey.pgm palette.ppm; do
                pnmtopng $interlace -alpha=alpha.pgm $file >"png/$size-$file-alpha$interlace.png" 2>/dev/null
            done
            pnmflip -leftright deep.pgm >deep-alpha.pgm
            pnmtopng $interlace -alpha=deep-alpha.pgm deep.ppm >"png/$size-deep-alpha$interlace.png" 2>/dev/null
            pnmtopng $interlace -transparent ="$(ppmhist -noheader rgb.ppm | awk 'NR == 1 { printf "#%02x%02x%02x", $1, $2, $3 }')" \
                rgb.ppm >"png/$size-transparent$interlace.png" 2>/dev/null
        done
    done
}

webp_kinds() {
    for size in 61x83 1x1 16x64 7x5; do
        ppm $size 255 >rgb.ppm
        ppmtopgm rgb.ppm | pnmflip -leftright >alpha.pgm
        pnmtopng -alpha=alpha.pgm rgb.ppm >alpha.png 2>/dev/null
        while read -r name options; do
            case $name in
            alpha*) input=alpha.png ;;
            *) input=rgb.ppm ;;
            esac
            # shellcheck disable=SC2086
            cwebp -quiet $options $input -o "webp/$size-$name.webp"
        done <<'END'
q5 -q 5
q75 -q 75
q100 -q 100
simple -q 40 -f 60 -nostrong
strong -q 40 -f 100 -sharpness 7
plain -q 60 -f 0
parts -q 50 -partition_limit 50 -segments 4
lossless -lossless
lossless-fast -lossless -z 0
near -near_lossless 20
alpha -q 60
alpha-coarse -q 40 -alpha_q 20
alpha-plain -q 40 -alpha_method 0
alpha-lossless -lossless
alpha-exact -lossless -exact
END
    done
}

mkdir png webp
case $kinds in
*PNG*) if command -v pnmtopng >/dev/null 2>&1; then
    png_kinds
    find png -size 0 -delete
    good=0
    for file in png/*; do
        # Of interlaced grey of 16 bits libpng 1.6.39's simplified interface makes something else.
        case $file in
        *deep.pgm-interlace.png) pngtopnm "$file" | pamdepth 255 | pgmtoppm white >want.ppm 2>/dev/null; set -- want.ppm ;;
        *) set -- ;;
        esac
        if image-check "$file" "$@" >found; then good=$((good + 1)); else echo "# $file: $(cat found)"; fi
    done
    is 'PNG files have the pixels of the simplified interface' "$good" "$(find png -type f | wc -l | tr -d ' ')"
    ok 'at least sixty of them' [ "$good" -ge 60 ]

    ppm 40x50 255 >rgb.ppm
    for gamma in 1.0 0.45455 0.7; do
        pnmtopng -gamma $gamma rgb.ppm >gamma.png 2>/dev/null
        ok "a gamma of $gamma" image-check gamma.png rgb.ppm $gamma
    done
    # What a chunk more makes of it: PNG FILE NAME DATA is inserted before the image.
    chunk() {
        perl -MCompress::Zlib=crc32 -e 'local $/; my ($file, $name, $data) = @ARGV; open my $f, "<", $file; binmode $f;
            my $png = <$f>; $data = pack "H*", $data; binmode STDOUT;
            my $at = index($png, "IDAT") - 4;
            print substr($png, 0, $at), pack("N", length $data), $name, $data, pack("N", crc32("$name$data")), substr $png, $at' "$@"
    }
    pnmtopng -gamma 1.0 rgb.ppm >gamma.png 2>/dev/null
    chunk gamma.png sRGB 00 >srgb.png
    ok 'sRGB comes before gamma' image-check srgb.png rgb.ppm
    pnmtopng rgb.ppm >plain.png 2>/dev/null
    chunk plain.png eXIf 4d4d002a000000080001011200030000000100060000 >turned.png
    mien-images -q turned.png | mien-crop -qb whole | mien-view -c pixels --json --full >got
    pnmflip -cw rgb.ppm | pnmtopng 2>/dev/null >upright.png
    mien-images -q upright.png | mien-crop -qb whole | mien-view -c pixels --json --full >want
    ok "EXIF's orientation" cmp got want

    head -c 700 plain.png >cut.png
    perl -e 'local $/; open my $f, "<", "plain.png"; my $p = <$f>; substr($p, 2000, 1) ^= "\x40"; print $p' >damaged.png
    size=$(wc -c <plain.png)
    head -c $((size - 12)) plain.png >endless.png
    mien-images -q cut.png damaged.png endless.png >bad.mien
    exits 'damaged PNG files' 1 sh -c 'mien-crop -b whole <bad.mien'
    is 'are named' "$(grep record err | sed 's/^[^:]*: //; s/IDAT: .*/IDAT.../')" 'record 1 (cut.png): damaged PNG: cut short
record 2 (damaged.png): damaged PNG: IDAT...
records: 3, cropped: 1, bad: 2'
    exits 'and tolerated' 0 sh -c 'mien-crop --tolerant -b whole <bad.mien'
    perl -MCompress::Zlib -e 'sub chunk { my ($n, $d) = @_; pack("N", length $d) . "$n$d" . pack "N", crc32("$n$d") }
        print "\x89PNG\r\n\x1a\n", chunk("IHDR", pack "NNCCCCC", 60000, 60000, 8, 2, 0, 0, 1),
            chunk("IDAT", compress("\0" x 100000)), chunk("IEND", "")' >bomb.png
    mien-images -q bomb.png >bomb.mien
    exits 'too large a PNG' 1 sh -c 'mien-crop -j1 -b whole <bomb.mien'
    like 'is refused' "$(cat err)" 'PNG of 60000 x 60000 pixels, more than the limit of 67108864$'
else
    skip 'PNG files' 'no pnmtopng'
fi ;;
*) skip 'PNG files' 'built without libpng' ;;
esac

case $kinds in
*WebP*) if command -v cwebp >/dev/null 2>&1 && command -v pnmtopng >/dev/null 2>&1; then
    webp_kinds
    good=0
    for file in webp/*; do
        dwebp -quiet -nodither -pam "$file" -o want.pam
        if image-check "$file" want.pam >found; then good=$((good + 1)); else echo "# $file: $(cat found)"; fi
    done
    is 'WebP files have the pixels of dwebp' "$good" "$(find webp -type f | wc -l | tr -d ' ')"
    ok 'at least sixty of them' [ "$good" -ge 60 ]

    ppm 48x70 255 >rgb.ppm
    cwebp -quiet -lossless rgb.ppm -o plain.webp
    printf 'II*\0\010\0\0\0\1\0\022\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0' >exif
    webpmux -set exif exif plain.webp -o turned.webp 2>/dev/null
    mien-images -q turned.webp | mien-crop -qb whole | mien-view -c pixels --json --full >got
    pnmflip -cw rgb.ppm >upright.ppm
    cwebp -quiet -lossless upright.ppm -o upright.webp
    mien-images -q upright.webp | mien-crop -qb whole | mien-view -c pixels --json --full >want
    ok "EXIF's orientation, WebP" cmp got want

    ppm 20x30 255 | pnmflip -leftright >other.ppm
    cwebp -quiet -lossless other.ppm -o other.webp
    webpmux -frame plain.webp +100 -frame other.webp +100+8+6 -o one.webp 2>/dev/null
    ok "an animation's first frame" image-check one.webp rgb.ppm
    webpmux -frame other.webp +100+8+6 -frame plain.webp +100 -o two.webp 2>/dev/null
    ppmmake white 70 48 | pnmpaste other.ppm 8 6 >want.ppm
    ok 'that covers a part of it' image-check two.webp want.ppm

    ppm 200x300 255 >rgb.ppm
    cwebp -quiet rgb.ppm -o long.webp
    head -c 5000 long.webp >cut.webp
    mien-images -q cut.webp >bad.mien
    exits 'a WebP file cut short' 1 sh -c 'mien-crop -b whole <bad.mien'
    like 'is named' "$(cat err)" 'record 1 \(cut.webp\): damaged WebP: cut short$'
    exits 'is tolerated' 0 sh -c 'mien-crop --tolerant -b whole <bad.mien'
    like 'as far as it goes' "$(cat err)" 'decoded of 1 damaged images'
    exits '--max-pixels' 1 sh -c 'mien-images -q long.webp | mien-crop --max-pixels 50K -b whole'
    like 'holds for WebP' "$(cat err)" 'WebP of 300 x 200 pixels, more than the limit of 51200$'
else
    skip 'WebP files' 'no cwebp'
fi ;;
*) skip 'WebP files' 'built without libwebp' ;;
esac

case $kinds in
*HEIC*) if command -v heif-enc >/dev/null 2>&1 && command -v pnmtopng >/dev/null 2>&1; then
    ppm 120x90 255 | pnmtopng >whole.png 2>/dev/null
    ppm 120x90 255 | ppmtopgm >alpha.pgm
    ppm 120x90 255 | pnmtopng -alpha=alpha.pgm >clear.png 2>/dev/null
    for kind in heic avif; do
        av1=${kind#heic}
        for picture in whole clear; do
            heif-enc ${av1:+-A} -q 80 $picture.png -o $picture.$kind >/dev/null 2>&1 || continue
            heif-convert $picture.$kind back.png >/dev/null 2>&1
            pngtopam -alphapam back.png >want.pam 2>/dev/null
            ok "$kind, $picture: the pixels of heif-convert" image-check $picture.$kind want.pam
        done
    done
    head -c 900 whole.heic >cut.heic
    exits 'a HEIC file cut short' 1 sh -c 'mien-images -q cut.heic | mien-crop -b whole'
    like 'is named' "$(cat err)" 'record 1 \(cut.heic\): cannot decode HEIC or AVIF: '
    # Wider than libheif allows, which it calls a lack of memory; the next one is decoded all the same.
    perl -0777 -pe 's/ispe(....)..../ispe$1\0\0\xaa\x55/gs' <whole.heic >wide.heic
    exits 'a HEIC file that says it is large' 0 sh -c 'mien-images -q wide.heic whole.heic | mien-crop -b whole | mien-view -Hc id,pixels >kept'
    like 'is named' "$(cat err)" 'record 1 \(wide.heic\): .*(pixels, more than the limit|cannot decode HEIC or AVIF: )'
    like 'and harms no other' "$(cat kept)" '^whole.heic	120x120x3'
else
    skip 'HEIC and AVIF' 'no heif-enc'
fi ;;
*) skip 'HEIC and AVIF' 'built without libheif' ;;
esac

# Photographs as PNG and WebP show the same faces, as old as in the JPEGs: within a pixel and 0.2 years.
if [ -f "$DATA/portraits.tar" ] && [ -f "$MODELS/detect.model" ] && [ -f "$MODELS/face.model" ] &&
    command -v jpegtopnm >/dev/null 2>&1 && command -v cwebp >/dev/null 2>&1; then
    mkdir jpg as-png as-webp
    tar xf "$DATA/portraits.tar"
    for file in portraits/00*.jpg portraits/01*.jpg; do
        name=${file##*/} && name=${name%.jpg}
        cp "$file" jpg
        jpegtopnm "$file" 2>/dev/null | pnmtopng -compression 1 >"as-png/$name.png" 2>/dev/null
        cwebp -quiet -lossless -z 0 "as-png/$name.png" -o "as-webp/$name.webp"
    done
    # found FOLDER: faces and ages.
    found() {
        (cd "$1" && mien-images -q .) | mien-detect -q -k "$MODELS/detect.model" | mien-crop -q --align --size 224 |
            mien-predict -q "$MODELS/face.model" | mien-view -qH -c id,box,pred_age -s '!error' |
            sed 's/\.[a-z]*#/#/' | tr ',' '\t'
    }
    found jpg >want
    ok 'some portraits' [ "$(wc -l <want)" -ge 15 ]
    for kind in png webp; do
        case $kinds in *"$(echo $kind | sed 's/png/PNG/; s/webp/WebP/')"*) ;; *) continue ;; esac
        found as-$kind >got
        is "portraits as $kind" "$(paste want got | awk -F '\t' '
            function off(a, b) { return a > b ? a - b : b - a }
            { n++; bad = $1 != $7 || off($6, $12) > 0.2
              for (i = 2; i <= 5; i++) bad = bad || off($i, $(i + 6)) > 1
              if (bad) print }
            END { print n }')" "$(wc -l <want | tr -d ' ')"
    done
else
    skip 'portraits as PNG and WebP' 'no portraits, no models, no jpegtopnm or no cwebp'
fi

finish
