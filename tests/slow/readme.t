#!/bin/sh
# The commands of the README and the pages that install, fetch or take long run as they are printed, in
# order, in a fresh copy of the tree, whose path has a space, and a fresh HOME. What they print is what
# is shown, but for digits, which differ between processors. The others are run by tests/cmd/examples.t.
. "$(dirname "$0")/../lib.sh"

mkdir 'a copy' home pages
tar -C "$ROOT" --exclude=./build --exclude='./build-*' --exclude=./.git -cf - . | tar -C 'a copy' -xf -
cp -a "$BUILD" 'a copy/build' # all that is made is made there, and quickly
rm -rf 'a copy/build/log' 'a copy/build/bench' 'a copy/build/demo' 'a copy/build/photos'
PATH=${PATH#"$BUILD/bin:$BUILD/tests/tool:"}
npm_config_userconfig=$HOME/.npmrc HOME=$T/home
export npm_config_userconfig HOME
unset BUILD V MIEN_MODELS MIEN_DATA XDG_CACHE_HOME MAKEFLAGS MFLAGS
cd 'a copy' || exit 2
mkdir bin && ln -s "$PWD"/scripts/mien-* bin # as they are installed
PATH=$PWD/bin:$PATH

# Left out: make check, which CI runs apart; benchmarks, of which a quick one comes below; what needs
# data that everybody must get for themselves.
tests/blocks README.md "$T/readme"
sed -i -E '/^make (check|bench|install|bare)/d; /SET=(utkface|all)|recipe\.mk|--deep/d' "$T"/readme/*
# The pages' examples with scripts of the sources, at the sources, and those that fetch.
for page in man/man[17]/*; do
    tests/blocks "$page" "$T/page"
    for block in "$T"/page/*; do
        case $block in *.out | *'*') continue ;; esac
        ! grep -Eq 'scripts/|mien-models' "$block" || cp "$block" "$T/pages/${page##*/}-${block##*/}"
    done
    rm -rf "$T/page"
done

# One shell for all of them: what one sets, the next ones have.
set --
n_block=1
while block=$T/readme/$n_block && [ -e "$block" ]; do
    ! grep -Eq '^make|scripts/|mien-models' "$block" || set -- "$@" "$block"
    n_block=$((n_block + 1))
done
set -- "$@" "$T"/pages/*
bash -e -o pipefail -c 'for block; do . "$block" >"$block.got" 2>"$block.err"; touch "$block.done"; done' - "$@"

digits() {
    sed 's/[0-9][0-9.]*/0/g' "$1"
}
for block in "$@"; do
    name="${block#"$T"/}"
    if [ ! -e "$block.done" ] && grep -qs "npm can't fetch" build/log/fetch "$block.err"; then
        skip "$name" "npm can't fetch the networks"
        continue
    fi
    ok "$name runs" sh -c 'cat "$0.err" "$0.got"; [ -e "$0.done" ]' "$block"
    [ -e "$block.out" ] || continue
    is "$name prints what it shows" "$(digits "$block.got" | tail -n "$(wc -l <"$block.out")")" "$(digits "$block.out")"
done

# make bench, without the real data.
if "${PYTHON:-/usr/bin/python3}" -c 'import scipy, PIL' 2>/dev/null; then
    ok 'the programs of the benchmark are built' make build/bench/sgemm build/bench/decode
    exits 'a benchmark runs on drawings' 0 env RUNS=1 "${PYTHON:-/usr/bin/python3}" scripts/bench/bench.py metadata small
    like 'labels are the same as by SciPy' "$(cat "$T/err")" 'same on both sides: [0-9]+ records'
    like 'pixels are the same as by Pillow' "$(cat "$T/err")" "same on both sides: pixels, 0\.0.* from Pillow's"
    is 'no peer fails' "$(grep 'peer is skipped' "$T/err" | grep -v cv2)" ''
else
    skip 'benchmark' 'SciPy or Pillow is not there: scripts/deps slow'
fi

finish
