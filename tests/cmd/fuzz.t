#!/bin/sh
# The fuzz targets of tests/fuzz on their seeds, on the inputs that once broke something, and on some
# of these altered at random, the same in every run. make fuzz looks further.
. "$(dirname "$0")/../lib.sh"

names=$(sed 's/#.*//' "$ROOT/tests/fuzz/targets" | awk 'NF > 0 { print $1 }')
is 'each target has its line' "$(echo "$names" | sort)" \
    "$(find "$ROOT/tests/fuzz" -name '*.c' | sed 's,.*/,,; s/\.c$//; /^replay$/d' | sort)"
ok 'seeds are made' "$ROOT/tests/fuzz/seeds" "$T"
for name in $names; do
    ok "$name" "$BUILD/tests/fuzz/$name" -a 20 "$name"/*
done
finish
