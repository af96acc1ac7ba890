#!/bin/sh
# The fuzz targets of tests/fuzz on their seeds, on the inputs that once broke something, and on some
# of these altered at random, the same in every run. make fuzz looks further.
. "$(dirname "$0")/../lib.sh"

names=$(sed 's/#.*//' "$ROOT/tests/fuzz/targets" | awk 'NF > 0 { print $1 }')
is 'each target has its line' "$(echo "$names" | sort)" \
    "$(find "$ROOT/tests/fuzz" -name '*.c' | sed 's,.*/,,; s/\.c$//; /^replay$/d' | sort)"
# shellcheck disable=SC2013 # words, not lines; some are patterns
for source in $(sed 's/#.*//' "$ROOT/tests/fuzz/targets" | awk '{ for (i = 7; i <= NF; i++) print "lib/" $i ".c" }'); do
    # shellcheck disable=SC2086
    (cd "$ROOT" && ls $source) >/dev/null 2>&1 || echo "$source"
done >missing
is 'the sources that make fuzz-cover shows are there' "$(cat missing)" ''
ok 'seeds are made' "$ROOT/tests/fuzz/seeds" "$T"
for name in $names; do
    if [ "$name" = heif ] && [ -z "$(ls heif)" ]; then
        skip heif 'heif-enc, which makes its seeds, is not there'
        continue
    fi
    ok "$name" "$BUILD/tests/fuzz/$name" -a 20 "$name"/*
done
finish
