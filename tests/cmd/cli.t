#!/bin/sh
# What all programs share: options, operands, --help, closed descriptors.
. "$(dirname "$0")/../lib.sh"

exits 'a mistyped option' 2 mien-crop --marign 0.2
is 'the nearest one is named' "$(cat err)" \
    "mien-crop: unknown option '--marign'; did you mean '--margin'? see mien-crop --help"
exits 'a long name behind one dash' 2 mien-crop -keep-all
exits 'an option like none' 2 mien-crop --zzz
is 'nothing is guessed' "$(cat err)" "mien-crop: unknown option '--zzz'; see mien-crop --help"
exits 'a beginning of a name is no name' 2 mien-crop --marg 0.2
like 'but enough for a guess' "$(cat err)" "did you mean '--margin'"

for seed in 0 9223372036854775808 18446744073709551615; do
    printf 'input 1x1x3\ngender dense 2\n' | mien-net -q --new --seed $seed -o seed.model -
    like "seed $seed is recorded" "$(mien-net seed.model)" "^made by: .*--seed $seed of"
done
exits 'a seed of more than 64 bits' 2 mien-split --seed 18446744073709551616 80/20
like 'is refused' "$(cat err)" "^mien-split: --seed: '18446744073709551616' has more than 64 bits"

# A file that is opened while standard error is closed may not get its number.
mien-fake 3 --pixels 4x4 >some.mien
mien-fake 1 --pixels 5x5 | cat some.mien - >bad.mien
exits 'a bad record makes a message' 1 sh -c 'mien-pack -qo open.pack <bad.mien'
mien-pack -qo closed.pack <bad.mien 2>&-
ok 'messages stay out of files' cmp open.pack closed.pack
exits 'a closed standard output is an error' 2 sh -c 'mien-view bad.mien >&-'
exits 'a closed standard input, too' 2 sh -c 'mien-view <&-'

for program in "$BUILD"/bin/*; do
    program=${program##*/}
    "$program" --help >help.txt
    is "$program --help fits a terminal" "$(awk 'length > 80' help.txt)" ''
    is "$program --help names the page" "$(tail -n 1 help.txt)" "Manual: man $program"
done

finish
