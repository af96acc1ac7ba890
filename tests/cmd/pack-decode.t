#!/bin/sh
# Packs of encoded images: a trainer decodes them to what mien-crop and mien-resize make of them.
. "$(dirname "$0")/../lib.sh"

# same NAME STREAM SIZE MODEL CROP RESIZE: decoded for a MODEL, a pack gives the very stream that the
# programs give with the options CROP and RESIZE.
same() {
    what=$1; stream=$2; size=$3; model=$4
    # shellcheck disable=SC2086 # options are words
    mien-crop -q $5 --for "$size" <"$stream" | mien-resize -q $6 "$size" >want
    mien-pack -q -k image -o p.pack <"$stream"
    ok "$what: decodes" sh -c 'pack-decode --size "$1" --model "$2" p.pack >got' - "$size" "$model"
    is "$what: the same pixels" "$(records got)" "$(records want)"
}

mien-fake 9 --image >boxes.mien
same 'faces' boxes.mien 48 '' '' ''
same 'from a smaller scale' boxes.mien 20 'size=20x20' '' ''
same 'at their size' boxes.mien 72 '' '' ''
same 'not square' boxes.mien 30x50 '' '' ''
same 'a margin' boxes.mien 48 'margin=0.15 color=bgr' '--margin 0.15' ''
same 'the central share' boxes.mien 48 'inner=0.6' '--inner 0.6' ''
same 'a filter' boxes.mien 33 'filter=lanczos3' '' '--filter lanczos3'
same 'whole images' boxes.mien 48 'crop=whole margin=0.4' '--box whole' ''

# Images without boxes are taken whole, whatever the margin.
mkdir photos
for i in 1 2 3; do
    mien-view --json --full -n 1 -c image boxes.mien | sed 's/.*"base64":"//;s/".*//' |
        base64 -d >photos/$i.jpg
done
mien-images -q photos >whole.mien
same 'no boxes' whole.mien 40 'margin=0.2' '--box whole' ''

# What is of no use costs its record alone.
head -c 300 photos/1.jpg >photos/2.jpg
mien-images -q photos 2>/dev/null >photos.mien
mien-pack -q -k image -o bad.pack <photos.mien
exits 'a damaged image' 1 sh -c 'pack-decode --size 40 bad.pack >got'
like 'is told' "$(cat err)" '^pack-decode: record 2: .'
is 'the others are decoded' "$(mien-view -Hc id got | tr '\n' ' ')" "photos/1.jpg photos/3.jpg "
cat boxes.mien whole.mien | mien-pack -q -k image -o mixed.pack
exits 'boxes on some records alone' 1 sh -c 'pack-decode --size 40 mixed.pack >got'
is 'those without are told' "$(sort -u err | wc -l | tr -d ' ') $(head -n 1 err)" \
    "3 pack-decode: record 10: no face box, where other records have one"
for prep in margin=x margin=99 inner=0 filter=sinc crop=align; do
    exits "a model's $prep is refused" 2 pack-decode --size 40 --model "$prep" p.pack
done
like 'and said why' "$(cat err)" 'the model expects aligned faces'

# Real faces and portraits.
for set in utkface portraits; do
    if [ -r "$DATA/$set.tar" ]; then
        mien-images -q "$DATA/$set.tar" 2>/dev/null | mien-view -r -n 8 >$set.mien
        same "$set" $set.mien 224 '' '--box whole' ''
        same "$set at 64" $set.mien 64 '' '--box whole' ''
    else
        skip "$set" "no $set.tar"
    fi
done

finish
