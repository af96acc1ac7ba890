#!/bin/sh
# mien-score's numbers against those of formulas written anew in Python.
. "$(dirname "$0")/../lib.sh"

python=$(command -v python3) || { skip 'numbers by formulas written anew' 'there is no python3'; finish; exit; }
PYTHONPATH=$ROOT/examples
export PYTHONPATH
mien-fake 10000 --predict >a.mien
"$python" "$ROOT/tests/tool/score_check.py" perturb <a.mien >b.mien
mien-score -f tsv --paired a.mien b.mien >paired.tsv
mien-score -f tsv --tables --over 18 --challenge 25 a.mien >a.tsv
is '10,000 records' \
    "$("$python" "$ROOT/tests/tool/score_check.py" 18 25 a.mien b.mien <a.tsv | tail -3)" \
    '417 numbers compared, 0 differ'
finish
