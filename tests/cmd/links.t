#!/bin/sh
# What the programs are linked with: training alone needs a BLAS.
. "$(dirname "$0")/../lib.sh"

if ! command -v ldd >/dev/null 2>&1; then
    skip "libraries" "ldd is absent"
    finish
    exit 0
fi
with_blas=$(for p in "$BUILD"/bin/*; do
    if ldd "$p" | grep -qi blas; then basename "$p"; fi
done)
is "mien-train alone needs a BLAS" "$with_blas" "mien-train"
finish
