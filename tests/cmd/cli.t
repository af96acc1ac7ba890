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

printf 'path,age,gender\na.jpg,30,f\n' >labels.csv

# A file that is opened while standard error is closed may not get its number.
mien-fake 3 --pixels 4x4 >some.mien
mien-fake 1 --pixels 5x5 | cat some.mien - >bad.mien
exits 'a bad record makes a message' 1 sh -c 'mien-pack -qo open.pack <bad.mien'
mien-pack -qo closed.pack <bad.mien 2>&-
ok 'messages stay out of files' cmp open.pack closed.pack
exits 'a closed standard output is an error' 2 sh -c 'mien-view bad.mien >&-'
exits 'a closed standard input, too' 2 sh -c 'mien-view <&-'

# Operands.
printf 'input 12x12x3\nconv conv 8 3x3\npool gap\n' >some.net
mien-net -q --new -o some.model some.net
printf 'input 32x32x3\nscore conv 1 1x1\nbox pad 0,0,0,0 channels=13,0 from=input\n' |
    mien-net -q --new -o detect.model -
mien-fake 4 --image >image.mien
mien-crop -q --box whole --size 12 <image.mien >pixels.mien
exits 'a file in the place of standard input' 2 mien-embed some.model pixels.mien
is 'is told apart' "$(cat err)" "mien-embed: unexpected operand 'pixels.mien': records are read from standard input (< pixels.mien); see mien-embed --help"
exits '- instead of a model' 2 mien-embed -
is 'is told apart, too' "$(cat err)" "mien-embed: '-' can't be MODEL: records are read from standard input; see mien-embed --help"
exits 'no model' 2 mien-embed
is 'is named' "$(cat err)" "mien-embed: missing operand: MODEL; see mien-embed --help"
exits 'records for a model' 2 mien-embed pixels.mien
is 'are told apart' "$(cat err)" "mien-embed: 'pixels.mien' is a stream of records, not a safetensors file"
exits '- behind the operands is standard input' 0 sh -c 'mien-embed -q some.model - <pixels.mien'
exits 'also where there are none' 0 sh -c 'mien-crop -q - <image.mien'

# Options that exclude or need each other, as they were typed.
while IFS='|' read -r command message; do
    # shellcheck disable=SC2086
    exits "$command" 2 $command
    is "$command: says why" "$(cat err)" "${command%% *}: $message"
done <<'END'
mien-score --paired --by age a b|--paired and --by exclude each other
mien-score --merge --challenge 25 a|--merge and --challenge exclude each other
mien-score --challenge 25|--challenge needs --over AGE
mien-score --suspects 3 --save a.score|--suspects and --save exclude each other
mien-split --shards 3 -o a b|--shards and -o exclude each other
mien-split --stratify age --range 0:9 1/1|--stratify and --range exclude each other
mien-split --shard-by id 1/1|--shard-by needs --shards N
mien-images --cls age -m a b|-m and --cls exclude each other
mien-images --female f a|--female needs --sidecar, --cls FIELD or --txt FIELD
mien-net -o a b|-o needs --new, --fold or --average
mien-net --tsv --history a|--history and --format tsv exclude each other
mien-pack -dl a|-d and -l exclude each other
mien-pack|missing option: --output FILE, --restore or --list; see mien-pack --help
mien-train|missing option: --train PACK[:F]; see mien-train --help
mien-train --resume -t a -o b|--resume needs --checkpoint FILE
mien-view --segment 3 a|--segment needs --records
mien-view --encode png a|--encode needs --images FOLDER or --tar FILE
mien-import --net a --age b -o c d|--net and --age exclude each other
mien-embed --int8 --bf16 a|--int8 and --bf16 exclude each other
END

# Former names of options are still accepted, and not shown.
# same COMMAND FORMER NEW INPUT: with both spellings the command writes the same.
same() {
    sh -c "$1 $2" <"$4" >former 2>former.err && sh -c "$1 $3" <"$4" >new 2>new.err &&
        cmp former new && cmp former.err new.err
}
while IFS='|' read -r command former new input; do
    ok "$command $former" same "$command" "$former" "$new" "$input"
done <<'END'
mien-crop|-b whole -s 12|--box whole --size 12|image.mien
mien-crop|-m 0.1 -f 12|--margin 0.1 --for 12|image.mien
mien-detect detect.model|-s 0.5 -z 4 -n 2 -l -k|--min-score 0.5 --min-size 4 --max-faces 2 --largest --keep-empty|image.mien
mien-embed some.model|-l conv|--layer conv|pixels.mien
mien-meta|-n '{subject}/*'|--names '{subject}/*'|pixels.mien
mien-meta|-a|--all|labels.csv
mien-montage|-c 2 -r 2 -s 96 -n 3 -t 4|--across 2 --down 2 --size 96 --head 3 --age-tolerance 4|pixels.mien
mien-montage|--columns 2 --rows 2 --limit 3|--across 2 --down 2 --head 3|pixels.mien
mien-net some.model|-t|--format text|some.net
mien-net some.model|--text|--format text|some.net
mien-net some.model|--tsv|--format tsv|some.net
mien-net some.net -o x.model|-n --colour bgr && cat x.model|--new --color bgr && cat x.model|some.net
END
# What --help prints, and the pages. A letter means one thing in all of mien.
cat >letters <<'END'
-a align
-b batch
-c column
-c columns
-d restore
-e epochs
-f format
-H no-header
-h help
-i init
-j jobs
-k keep
-l list
-m meta
-n head
-o output
-p point
-q quiet
-r records
-s seed
-t train
-V version
-v val
END
for program in "$BUILD"/bin/* "$ROOT"/scripts/mien-*; do
    "$program" --help >help.txt
    program=${program##*/}
    is "$program --help fits a terminal" "$(awk 'length > 80' help.txt)" ''
    is "$program --help names the page" "$(tail -n 1 help.txt)" "Manual: man $program"
    is "$program: letters mean what they mean elsewhere" \
        "$(sed -En 's/^  (-.), --([a-z0-9-]+).*/\1 \2/p' help.txt | grep -vxFf letters)" ''
    sed -En '/^Examples:/q; s/^  (-., |    )--([a-z0-9-]+).*/\2/p' help.txt | sort >options
    is "$program: the page has all options, and no others" \
        "$(sed -n '/^\.Sh DESC/,/^\.Sh EXIT/s/^\.It Fl //p' "$ROOT/man/man1/$program.1" |
            grep -o -e '-[a-z][a-z0-9-]*' | sed 's/^-//' | sort)" "$(cat options)"
done

finish
