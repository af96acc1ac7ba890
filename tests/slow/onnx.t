#!/bin/sh
# ONNX's own conformance cases, of Debian's libonnx-testdata: what mien makes of them agrees with what
# ONNX says, and cases that are none of mien's are counted by their reasons.
. "$(dirname "$0")/../lib.sh"

cases=$(dpkg -L libonnx-testdata 2>/dev/null | grep '/data/node$')
if [ ! -d "$cases" ]; then
    skip 'conformance cases' 'libonnx-testdata is not installed'
    finish
    exit
fi
"$BUILD/tests/tool/onnx-case" "$cases"/* >results
passed=$(grep -c '^pass ' results)
off=$(grep -c '^fail .*: element ' results)
refused=$(($(grep -c '^fail ' results) - off))
echo "# passed $passed, refused $refused, wrong $off, out of scope $(grep -c '^out ' results)"
sed -n 's/^fail /# /p' results
sed -n 's/^out .*: operator /# out of scope: /p' results | sort | uniq -c | sed 's/^ *\([0-9]*\) # /# \1 /'
ok 'at least 381 pass' test "$passed" -ge 381
is 'none is wrong' "$off" 0
finish
