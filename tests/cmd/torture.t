#!/bin/sh
# Calls that fail, where that once went wrong. All of them: make torture.
. "$(dirname "$0")/../lib.sh"

"$ROOT/tests/torture/inputs" "$T" || exit 2
# survives CASE FUNCTION: whatever call of the function fails, in the runs of tests/torture/cases whose
# names begin with CASE.
survives() {
    exits "$1: $2 fails" 0 "$BUILD/tests/torture/torture" -c "$1" -f "$2" "$BUILD" "$ROOT/tests/torture/cases" "$T"
    sed -n '/findings:/,$s/^/# /p' out
}

# Short of memory, good records aren't bad ones.
survives crop malloc
survives crop-bad realloc
survives crop-png malloc
survives crop-webp malloc
survives view-tar malloc
survives montage malloc
survives train-images realloc
survives pack-restore realloc

# Nor is a pack that can't be read back a pack, or an archive that can't be opened an empty one.
survives pack-pixels malloc
survives images-tar malloc

# Without descriptors left, files aren't bad ones.
survives images-dir open

# What a thread can't be started for is told, though pthread_create doesn't set errno.
unstarted() {
    exits "$1 without threads" 2 env LD_PRELOAD="$T/inject.so" INJECT=pthread_create:EAGAIN:1 "$@"
    like 'tells why' "$(cat err)" "^$1: cannot start 2 [a-z]*: Resource temporarily unavailable$"
}
unstarted mien-resize -j2 12 <in/pixels16.mien
unstarted mien-train -j2 -t in/features.pack -e 1 -o x.model

finish
