#!/bin/sh
# Images that are installed on this machine, in the pixels that others make of them: JPEGs against djpeg,
# PNGs against libpng's simplified interface, WebP files against dwebp; AVIF and HEIC files that heif-enc
# makes against heif-convert.
. "$(dirname "$0")/../lib.sh"

folders=${MIEN_IMAGES:-/usr/share /usr/lib}
seconds=${MIEN_SECONDS:-40} # for each kind

# some NAME...: up to 400 files of a kind, evenly among those of at most 8 MB, sorted by size.
some() {
    # shellcheck disable=SC2086
    find $folders -xdev -type f -size +0 -size -16384 \( "$@" \) -printf '%s %p\n' 2>/dev/null | sort -n |
        awk '{ line[NR] = substr($0, index($0, " ") + 1) }
            END { step = NR > 400 ? NR / 400 : 1; for (i = 1; i <= NR; i += step) print line[int(i)] }'
}
# check KIND FILE: compares it, in at most a minute. 77: the others don't decode it.
check() {
    kind=$1
    set -- "$2" reference
    case $kind in
    JPEG) djpeg -rgb "$1" >reference 2>said && [ ! -s said ] || return 77 ;; # with a warning, it is damaged
    WebP) dwebp -quiet -pam "$1" -o reference 2>/dev/null || return 77 ;;
    PNG) set -- "$1" ;; # image-check asks libpng itself
    esac
    timeout 60 image-check -w "$@" >found 2>&1
}
# compared KIND: the files of standard input have the pixels that others make of them.
compared() {
    good=0 bad=0 other=0 end=$(($(date +%s) + seconds))
    while read -r file && [ "$(date +%s)" -lt "$end" ]; do
        check "$1" "$file"
        case $? in
        0) good=$((good + 1)) ;;
        77) other=$((other + 1)) ;;
        *) bad=$((bad + 1)); echo "# $file: $(head -n 1 found)" ;;
        esac
    done
    echo "# $1: $good the same, $other that the reference doesn't decode"
    if [ $((good + bad)) -eq 0 ]; then
        skip "$1 files" "none is installed here"
    else
        is "$1 files have the pixels that others give them" "$bad" 0
    fi
}

images=$(mien-view --version | sed -n 's/^images: //p')
kinds=${images%%, built without*}

if command -v djpeg >/dev/null 2>&1; then
    some -iname '*.jpg' -o -iname '*.jpeg' >list
    compared JPEG <list
else
    skip 'JPEG files' 'no djpeg: Debian has libjpeg-turbo-progs'
fi
case $kinds in
*PNG*)
    some -iname '*.png' >list
    compared PNG <list
    ;;
*) skip 'PNG files' 'built without libpng' ;;
esac
case $kinds,$(command -v dwebp) in
*WebP*,/*)
    some -iname '*.webp' >list
    compared WebP <list
    ;;
*) skip 'WebP files' 'no libwebp, or no dwebp: Debian has it in the package webp' ;;
esac

# HEIC and AVIF, even and odd sizes, as they are made and again as PNG.
case $kinds in
*HEIC*)
    if command -v heif-enc heif-convert pngtopnm >/dev/null 2>&1; then
        for size in 64x48 61x83 17x9; do
            perl -e 'my ($w, $h) = split /x/, $ARGV[0]; binmode STDOUT; print "P6\n$w $h\n255\n"; srand 7;
                for my $i (0 .. $w * $h - 1) { my ($x, $y) = ($i % $w, int($i / $w));
                    print pack "C3", 2 * $x + rand 9, 3 * $y + rand 9, abs($x - $y) + 40 * (int($x / 9) % 2) }' \
                $size | pnmtopng >$size.png 2>/dev/null
            for options in '-q 50' '-q 95' '-L' '-p chroma=444' '-A -q 50' '-A -q 95' '-A -L' '-A -p chroma=444'; do
                # shellcheck disable=SC2086
                if timeout 60 heif-enc $options $size.png -o made.heif >made 2>&1 &&
                    heif-convert made.heif again.png >made 2>&1 && pngtopnm again.png >again.ppm 2>/dev/null; then
                    ok "heif-enc $options, $size" timeout 60 image-check made.heif again.ppm
                else
                    skip "heif-enc $options, $size" "$(tail -n 1 made)"
                fi
            done
        done
    else
        skip 'HEIC and AVIF files' 'no heif-enc, heif-convert or pngtopnm: Debian has libheif-examples and netpbm'
    fi
    ;;
*) skip 'HEIC and AVIF files' 'built without libheif' ;;
esac
finish
