#!/bin/sh
# The Makefile and its scripts: what they report where something is missing, and what they leave alone.
. "$(dirname "$0")/../lib.sh"
unset MAKEFLAGS MFLAGS V

# Only one file is compiled here, into a folder of its own.
build() {
    make -C "$ROOT" BUILD="$T/made" "$@"
}
exits 'a compiler that is missing' 2 build CC=no-such-cc all
is 'is one line that names scripts/deps' "$(grep -v '^make' "$T/err")" \
    'mien: no-such-cc not found; scripts/deps installs what the build needs'
exits 'libraries that are missing' 2 env PKG_CONFIG_LIBDIR=/nowhere make -C "$ROOT" BUILD="$T/made" all
like "pkg-config's errors are shown" "$(cat "$T/err")" 'libarchive'
like 'and scripts/deps is named' "$(cat "$T/err")" '^mien: libraries are missing; scripts/deps installs them$'
exits "the tests' library is missing" 2 env PKG_CONFIG_LIBDIR=/nowhere make -C "$ROOT" BUILD="$T/made" "$T/made/test.flags"
like 'scripts/deps test is named' "$(cat "$T/err")" '^mien: libraries are missing; scripts/deps test installs them$'

exits 'CPPFLAGS of the user come to those that are needed' 0 build CPPFLAGS=-DX=1 V=1 "$T/made/lib/util/hash.o"
like 'as the command shows' "$(cat "$T/out")" ' -Iinclude .* -DX=1 '
rm "$T/made/lib/util/hash.o"
exits 'without V=1' 0 build "$T/made/lib/util/hash.o"
like 'a line is short' "$(cat "$T/out")" '^  CC   lib/util/hash.c$'
exits 'clean' 0 build clean
ok 'removes the folder that it was given' [ ! -e "$T/made" ]
ok 'and no other' [ -e "$BUILD/bin/mien-view" ]

# scripts/step: a line, a log.
export BUILD="$T/steps"
exits 'a step' 0 "$ROOT/scripts/step" good sh -c 'echo much'
like 'is a line' "$(cat "$T/out")" '^good +[0-9]+ s$'
is 'its output is in a log' "$(cat steps/log/good)" much
exits 'a step that fails has its status' 3 "$ROOT/scripts/step" bad sh -c 'echo a reason; exit 3'
like 'the end of its log is shown' "$(cat "$T/err")" '^a reason$'
like 'and where all of it is' "$(cat "$T/err")" "^bad failed; the whole log: $T/steps/log/bad$"
exits 'V=1' 0 env V=1 "$ROOT/scripts/step" good echo much
is 'shows all' "$(cat "$T/out")" 'good: echo much
much'

# scripts/deps elsewhere than on Debian.
mkdir bin
for tool in sh dirname; do ln -s "$(command -v $tool)" bin; done
exits 'an unknown set' 2 "$ROOT/scripts/deps" no-such-set
exits 'no Debian, no libraries' 1 env PATH="$T/bin" "$ROOT/scripts/deps" test
like 'the list is printed' "$(cat "$T/err")" "isn't Debian.* gcc .*libjpeg-dev .*libcmocka-dev"
printf '#!/bin/sh\n' >bin/pkg-config && chmod +x bin/pkg-config
exits 'no Debian, but the libraries' 0 env PATH="$T/bin" "$ROOT/scripts/deps"
is 'no list' "$(cat "$T/err")" ''

# scripts/bare, by others than root.
printf '#!/bin/sh\necho 1000\n' >bin/id && chmod +x bin/id
exits 'make bare needs root' 77 env PATH="$T/bin:$PATH" "$ROOT/scripts/bare"
like 'and says so' "$(cat "$T/err")" '^bare: skipped: needs root$'
exits 'a run that is unknown' 2 "$ROOT/scripts/bare" no-such-run

finish
