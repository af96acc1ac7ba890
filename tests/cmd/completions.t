#!/bin/sh
# Completion of command lines in shells, as scripts/completions makes it.
. "$(dirname "$0")/../lib.sh"

# Files of one's own are completed, too.
mkdir folder && : >some.mien && : >sheet.jpg
# completes WORDS...: what bash offers for the last word, as it has split them.
completes() {
    bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mien "$1" "${@: -1}" "${@: -2:1}"
        printf "%s\n" "${COMPREPLY[@]}" | sort | paste -sd " " -' - "$BUILD/completions/bash" "$@"
}
if command -v bash >/dev/null; then
    is 'a beginning of an option' "$(completes mien-crop --mar)" --margin
    is 'options' "$(completes mien-view --max)" '--max-bad --max-record'
    is 'a choice' "$(completes mien-view --format '')" 'json tsv'
    is 'of a letter' "$(completes mien-score -f j)" json
    is 'behind =' "$(completes mien-resize --filter = b)" box
    is 'right behind it' "$(completes mien-crop --box =)" 'face whole'
    is 'one that the table has as text' "$(completes mien-net --color '')" 'bgr rgb'
    is 'a file' "$(completes mien-view so)" some.mien
    is 'of an option' "$(completes mien-crop -o s)" 'sheet.jpg some.mien'
    is 'a folder' "$(completes mien-view --images '')" folder
    is 'a number is up to the user' "$(completes mien-crop --margin '')" ''
    is 'a set' "$(completes mien-meta --set utk)" utkface
    mkdir models && : >models/a.model && : >models/b.model && : >own.model
    is 'a model by its name, or a file' "$(MIEN_MODELS=$PWD/models completes mien-train --init '')" \
        "$(printf '%s\n' a.model b.model folder models own.model sheet.jpg some.mien | paste -sd ' ' -)"
    is 'as an operand' "$(MIEN_MODELS=$PWD/models completes mien-predict a)" a.model
    is 'where files are expected, only these' "$(MIEN_MODELS=$PWD/models completes mien-view a)" ''
    is 'scripts' "$(completes mien-photos --j)" --json
    is 'and their files' "$(completes mien-photos --output sh)" sheet.jpg
    is 'by a path' "$(completes /usr/bin/mien-crop --mar)" --margin
    is 'no option that --help hides' "$(completes mien-crop --list)" ''
    # Loaded as bash loads it, in a bash of a user.
    # shellcheck disable=SC2016
    is 'it is that of every program' "$(bash -c '. "$1"; complete -p' - "$BUILD/completions/bash" |
        sed 's/.* //' | sort)" "$({ cd "$BUILD/bin" && ls; cd "$ROOT/scripts" && ls -d mien-*; } | sort)"
else
    skip 'bash' 'there is no bash'
fi

if command -v zsh >/dev/null; then
    ok 'zsh can read it' zsh -n "$BUILD/completions/zsh"
    like 'a model' "$(cat "$BUILD/completions/zsh")" "'\(-i --init\)--init=\[.*\]:MODEL:_mien_models'"
    like 'an option and its words' "$(cat "$BUILD/completions/zsh")" "'\(-f --format\)--format=\[.*\]:FORMAT:\(tsv json\)'"
    # What _arguments would get, by which words it is completed.
    zsh -fc 'function _arguments { print -rl -- "$@" }; service=mien-net; . "$1"' - "$BUILD/completions/zsh" >specs
    is 'each option is one of the table' "$(sed -n 's/^([^)]*)\(--[a-z0-9-]*\).*/\1/p' specs)" \
        "$(mien-net --list-options | cut -f 2)"
else
    skip 'zsh' 'there is no zsh'
fi

if command -v fish >/dev/null; then
    # shellcheck disable=SC2016
    offers() { fish --no-config -c 'source $argv[1]; complete -C $argv[2]' "$BUILD/completions/fish" "$1" | cut -f 1 | paste -sd ' ' -; }
    is 'an option in fish' "$(offers 'mien-crop --mar')" --margin
    is 'a choice in fish' "$(offers 'mien-view --format ')" 'json tsv'
    is 'a set in fish' "$(offers 'mien-meta --set utk')" utkface
    is 'a model in fish' "$(MIEN_MODELS=$PWD/models offers 'mien-predict b')" b.model
    is 'a file in fish' "$(offers 'mien-crop -o sh')" sheet.jpg
    is 'help in fish' "$(fish --no-config -c 'source $argv[1]; complete -C "mien-view --encode"' "$BUILD/completions/fish" | cut -f 2)" \
        "$(mien-view --list-options | sed -n 's/.*--encode.*	//p')"
else
    skip 'fish' 'there is no fish'
fi
finish
