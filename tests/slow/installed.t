#!/bin/sh
# What make install installs, in a folder of its own: programs of libmien(3) are compiled against it,
# with the shared library and with the static one, and run in pipes; so are the examples in Python;
# and make uninstall removes it all.
. "$(dirname "$0")/../lib.sh"

# Of the library's headers, man page and examples, nothing depends on how mien itself was compiled.
unset MAKEFLAGS MFLAGS
python=${PYTHON:-/usr/bin/python3}
root=$T/root
prefix=$root/usr/local
in_root() { make -s -C "$ROOT" BUILD="$BUILD" DESTDIR="$root" "$@"; }

if nm -D "$BUILD"/libmien.so.* | grep -q __asan; then
    skip 'the installed library' 'it was built with a sanitizer'
    finish
    exit 0
fi

ok 'make install' in_root install

# --- The libraries ------------------------------------------------------------------------------

export PKG_CONFIG_PATH="$prefix/lib/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$root"
export LD_LIBRARY_PATH="$prefix/lib"
is 'the version of mien.pc' "$(pkg-config --modversion mien)" "$(mien-view --version | sed -n '1s/.* //p')"
like 'the shared library has a name with its interface' "$(readelf -d "$prefix/lib/libmien.so")" \
    'SONAME.*\[libmien\.so\.[0-9]+\]'
is 'it exports mien_* alone' \
    "$(nm -D --defined-only "$prefix/lib/libmien.so" | awk '$3 !~ /^mien_/ { print $3 }')" ''
is 'so does the static one' \
    "$(nm -g --defined-only "$prefix/lib/libmien.a" | awk 'NF == 3 && $3 !~ /^mien_/ { print $3 }')" ''
is 'both export the same' "$(nm -D --defined-only "$prefix/lib/libmien.so" | sed 's/.* //' | sort)" \
    "$(nm -g --defined-only "$prefix/lib/libmien.a" | sed -n 's/.* [TRDi] //p' | sort)"
like 'without a BLAS and libarchive' "$(readelf -d "$prefix/lib/libmien.so" | grep -c NEEDED):$(
    readelf -d "$prefix/lib/libmien.so" | grep -cE 'NEEDED.*(blas|archive)')" '^[1-9]:0$'

# --- The headers --------------------------------------------------------------------------------

# compiles COMMAND...: each header alone, and all together.
compiles() {
    for h in "$prefix"/include/mien/*.h; do
        echo "#include <mien/${h##*/}>"
    done | tee all.c | while read -r line; do
        echo "$line" >alone.c
        "$@" -Wall -Wextra -pedantic -Werror -I"$prefix/include" -fsyntax-only alone.c || exit 1
    done && "$@" -Wall -Wextra -pedantic -Werror -I"$prefix/include" -fsyntax-only all.c
}
ok 'C99 takes the headers' compiles cc -std=c99 -x c
if command -v g++ >/dev/null; then
    ok 'C++11 takes the headers' compiles g++ -std=c++11 -x c++
else
    skip 'C++11 takes the headers' 'g++ is absent'
fi
is 'no other macros' "$(sed -n 's/^# *define \([A-Za-z_0-9]*\).*/\1/p' "$prefix"/include/mien/*.h |
    grep -v '^MIEN_')" ''
is 'and no other tags' "$(grep -ohE '\b(struct|enum|union) [a-z_]+' "$prefix"/include/mien/*.h |
    sort -u | grep -v ' mien_')" ''

# --- The programs of libmien(3) --------------------------------------------------------------------

# The page's programs as NAME.c, its other blocks as 1, 2, ...
awk '/^\.Bd -literal/ { block = 1; file = ""; next }
    /^\.Ed/ { block = 0 }
    block { gsub(/\\e/, "\\")
            if (file == "" && match($0, /^\/\* [a-z]+:/)) file = substr($0, 4, RLENGTH - 4) ".c"
            else if (file == "") file = ++n
            print >file }' "$prefix/share/man/man3/libmien.3"
is 'the page has three programs' "$(echo *.c | sed 's/al[a-z]*\.c //g')" 'gray.c guess.c meanage.c'
is 'and two ways to compile one' "$(grep -c '^cc ' 1)" 2

sed -n 1p 1 >shared.sh
sed -n 2p 1 >static.sh
ok 'a filter, compiled as the page says' sh -e shared.sh
mv gray gray-shared
echo 'int main(void) { return 0; }' >empty.c
# shellcheck disable=SC2046
if cc -static -o empty empty.c $(pkg-config --static --libs mien | sed "s/-lmien //") 2>err; then
    ok 'and statically' sh -e static.sh
    is 'with no shared library at all' "$(readelf -d gray | grep -c NEEDED)" 0
else
    skip 'and statically' 'a library has no static form here'
    cp gray-shared gray
fi
for name in meanage guess; do
    ok "$name" sh -e -c "$(sed "s/gray/$name/g" shared.sh)"
done
for name in gray meanage guess; do
    # shellcheck disable=SC2046
    ok "$name gives no warnings" cc -Wall -Wextra -Wno-unused-parameter -Werror -c -o x.o $name.c \
        $(pkg-config --cflags mien)
done

PATH=$T:$prefix/bin:$PATH # the programs, too, are those installed
mien-synth -q --count 60 --size 48 . 2>/dev/null
mien-meta -q imdb.mat | mien-images -q -m - imdb_crop.tar >images.mien
mien-crop -q --box whole --for 32 <images.mien | mien-resize -q 32 >pixels.mien
total=$(mien-view -H -c id pixels.mien | wc -l)
ok 'a real stream' test "$total" -gt 20
exits 'the filter in a pipe' 0 sh -c 'cat pixels.mien | ./gray -j 3 | cat >gray.mien'
is 'passes all records on, in their order' "$(mien-view -Hc id,age,gender gray.mien)" \
    "$(mien-view -Hc id,age,gender pixels.mien)"
is 'notes what it did' "$(mien-view -Hc prep gray.mien | sort | uniq -c | sed 's/^ *//')" \
    "$total crop=whole size=32x32 filter=triangle gray=luma"
# The first tensor of a pack begins at 12288.
shades() { mien-pack -q -o x.pack <"$1" && tail -c +12289 x.pack | head -c $((total * 32 * 32 * 3)) |
    od -An -v -tu1 -w3; }
shades pixels.mien >before
shades gray.mien >after
ok 'makes shades of gray' awk '$1 != $2 || $2 != $3 { exit 1 }' after
ok 'the right ones' sh -c 'paste before after | awk '"'"'
    { want = int((299 * $1 + 587 * $2 + 114 * $3) / 1000); colored += $1 != $2
      if ($4 != want) exit 1 } END { exit colored < 1000 }'"'"
for j in 1 8; do
    ./gray-shared -j $j <pixels.mien >again
    ok "the same ones by $j workers, with the shared library" cmp again gray.mien
done
./gray --by mean <pixels.mien | mien-view -Hc prep >preps
is 'an option' "$(grep -c 'gray=mean$' preps)" "$total"
exits 'another word is refused' 2 ./gray --by none
like 'with a line' "$(cat err)" "^gray: .*--by.*none"
cat pixels.mien images.mien pixels.mien >mixed
exits 'bad records are told' 1 sh -c './gray <mixed >out.mien'
is 'the first five' "$(grep -c '^gray: record .*no pixels' err)" 5
like 'and how many more' "$(cat err)" "^gray: $(($(mien-view --count images.mien) - 5)) more: no pixels"
is 'and passed on' "$(mien-view -q -Hc id out.mien | wc -l)" "$(mien-view -Hc id mixed | wc -l)"
exits 'or end the program' 2 sh -c './gray --strict <mixed >out.mien'
filter_contract gray pixels.mien

exits 'the reader' 0 sh -c './meanage <pixels.mien'
is 'agrees with mien-view' "$(cat out)" "$(mien-view -Hc age pixels.mien |
    awk '$1 != "" { s += $1; n++ } END { printf "%.2f years, %d records\n", s / n, n }')"
head -c 5000 pixels.mien >short.mien
exits 'and knows a stream that is cut short' 2 sh -c './meanage <short.mien'
like 'with a line' "$(cat err)" '^meanage: .*byte [0-9]+'

cat >face.net <<'END'
input 32x32x3
conv conv 8 3x3 stride=2
relu relu
pool gap
gender_logits dense 2
gender softmax
age_logits dense 101 from=pool
age softmax
END
mien-net -q --new --mean 127.5 --scale 0.0078431 -o face.model face.net
mien-view -r -n 1 pixels.mien >one
mien-pack -q -o one.pack <one
tail -c +12289 one.pack | head -c 3072 >face.rgb
exits 'a model on pixels' 0 sh -c './guess face.model <face.rgb'
is 'guesses what mien-predict does' "$(sed 's/.* //' out)" \
    "$(mien-predict -q face.model <one | mien-view -Hc p_male | awk '{ printf "%.2f\n", $1 }')"
exits 'pixels that are cut short are refused' 2 sh -c 'head -c 3000 face.rgb | ./guess face.model'
like 'with a line' "$(cat err)" '^guess: no face of 32x32 pixels'
exits 'so is a model that is absent' 2 sh -c './guess no.model <face.rgb'
like 'with a line' "$(cat err)" "^guess: .*'no.model'"
# shellcheck disable=SC2016
ok "the page's pipe" bash -e -o pipefail -c "$(sed 's/224/32/' 2)"

# --- C++ ----------------------------------------------------------------------------------------

cat >keep.cc <<'END'
// keep: keeps records of an age of at least N.
#include <mien/filter.h>
#include <mien/image.h>
#include <mien/pack.h>
#include <mien/safetensors.h>
#include <mien/session.h>

static int keep(void *ctx, int, struct mien_rec **rec, size_t n, bool *drop, struct mien_err *)
{
    for (size_t i = 0; i < n; i++) {
        int age;
        drop[i] = !mien_rec_int(rec[i], MIEN_TAG_AGE, &age) || age < *static_cast<int *>(ctx);
    }
    return 0;
}

int main(int argc, char **argv)
{
    int least = 0;
    mien_filter f = {.fn = keep, .ctx = &least};
    const mien_option opts[] = {
        MIEN_OPT_INT('n', "age", "N", &least, 0, 100, "the least age [0]"),
        MIEN_FILTER_OPTIONS(f),
    };
    mien_cli cli = {.name = "keep", .synopsis = "[options]", .purpose = "Keeps some.",
                    .opts = opts, .nopts = MIEN_CLI_NOPTS(opts)};
    f.cli = &cli;
    if (mien_cli_parse(&cli, argc, argv) != 0)
        mien_cli_die(&cli, "takes no arguments");
    return mien_filter_run(&f);
}
END
if command -v g++ >/dev/null; then
    # shellcheck disable=SC2046
    ok 'a filter in C++' g++ -std=c++20 -Wall -Wextra -Wno-missing-field-initializers -Werror \
        -o keep keep.cc $(pkg-config --cflags --libs mien)
    is 'runs' "$(./keep -n 40 <pixels.mien | mien-view -Hc id)" \
        "$(mien-view --select 'age >= 40' -Hc id pixels.mien)"
else
    skip 'a filter in C++' 'g++ is absent'
fi

# --- The examples in Python ---------------------------------------------------------------------

examples=$prefix/share/doc/mien/examples
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$examples"
if command -v python3 >/dev/null; then
    python3 "$examples/records.py" <mixed >same
    mien-view -r mixed >want # in one segment
    is 'Python reads and writes records' "$(records same)" "$(records want)"
    python3 "$examples/records.py" pixels prep <pixels.mien >labels.mien
    is 'and removes fields' "$(mien-view -H -c pixels,prep labels.mien | sort -u)" "$(printf '\t')"
    is 'but no others' "$(mien-view -c id,age,gender,birth,year labels.mien)" \
        "$(mien-view -c id,age,gender,birth,year pixels.mien)"
    exits 'it knows a stream that is cut short' 2 sh -c 'python3 "$0" <short.mien' "$examples/records.py"
    exits 'and one without an end record' 2 sh -c 'mien-fake 3 | head -c -32 | python3 "$0"' \
        "$examples/records.py"
    like 'with a line' "$(cat err)" '^records.py: no end record'
    exits 'and one that is damaged' 2 sh -c \
        '{ head -c 3000 pixels.mien; printf x; tail -c +3002 pixels.mien; } | python3 "$0"' \
        "$examples/records.py"
else
    skip 'records in Python' 'python3 is absent'
fi

if "$python" -c 'import numpy, torch' 2>/dev/null; then
    cat >torches.py <<'END'
# Converts a small random network, has it run by mien and by PyTorch on the same random pixels, and
# prints the largest difference between their probabilities, and how much these vary.
import io
import subprocess

import numpy as np
import torch
from torch import nn

import records
from torch_to_mien import convert

torch.manual_seed(1)
trunk = nn.Sequential(
    nn.Conv2d(3, 16, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(16), nn.PReLU(16),
    nn.Conv2d(16, 16, 3, padding=1, groups=16), nn.ReLU6(), nn.MaxPool2d(3, 2, 1),
    nn.Conv2d(16, 24, (1, 3), padding=(0, 1), groups=2), nn.BatchNorm2d(24), nn.ReLU(),
    nn.AvgPool2d(2), nn.Flatten(), nn.Dropout(0.3), nn.Linear(24 * 4 * 5, 32), nn.Sigmoid())
heads = {"gender": nn.Linear(32, 2), "age": nn.Linear(32, 101)}
for layer in trunk:
    if isinstance(layer, nn.BatchNorm2d):
        for values in layer.weight, layer.running_var:
            nn.init.uniform_(values, 0.5, 2)
        for values in layer.bias, layer.running_mean:
            nn.init.normal_(values)
for head in heads.values():
    head.weight.data *= 20
mean, scale = (120.0, 110.0, 100.0), 1 / 60
convert("torch.model", trunk, heads, (32, 40), mean, scale)

pixels = np.random.default_rng(1).integers(0, 256, (8, 32, 40, 3), dtype=np.uint8)
stream = io.BytesIO()
with records.Writer(stream) as out:
    for p in pixels:
        out.write({"pixels": p})
predicted = subprocess.run(["mien-predict", "-q", "torch.model"], input=stream.getvalue(),
                           stdout=subprocess.PIPE, check=True).stdout
with torch.no_grad():
    x = (torch.tensor(pixels).float() - torch.tensor(mean)) * scale
    features = trunk.eval()(x.permute(0, 3, 1, 2))
    want = {name: head(features).softmax(1).numpy() for name, head in heads.items()}
for name in heads:
    got = np.array([r["p_" + name] for r in records.read(io.BytesIO(predicted))])
    print(name, len(got), abs(got - want[name]).max(), want[name].std(0).max())
END
    exits 'a network of PyTorch, converted' 0 "$python" torches.py
    ok 'predicts what PyTorch does' awk '{ n += $2 == 8 && $3 <= 1e-5 && $4 > 0.01 }
        END { exit n != 2 }' out
    sed 's/^/# /' out
else
    skip 'a network of PyTorch, converted' "$python has no NumPy or no PyTorch"
fi

# --- The rest -----------------------------------------------------------------------------------

for dir in dist1 dist2; do
    make -s -C "$ROOT" BUILD="$T/$dir" dist
done >/dev/null
tarball=$(basename dist1/*.tar.gz)
ok 'make dist' cmp "dist1/$tarball" "dist2/$tarball"
tar xf "dist1/$tarball"
make -s -C "${tarball%.tar.gz}" BUILD=build dist >/dev/null
ok 'works without git and gives the same' cmp "dist1/$tarball" "${tarball%.tar.gz}/build/$tarball"

for p in "$prefix"/bin/*; do
    "$p" --version | head -n 1
done >versions
is 'the installed programs run' "$(sed 's/.* //' versions | sort -u)" "$(pkg-config --modversion mien)"
is 'all of them' "$(sed 's/ .*//' versions)" \
    "$({ cd "$BUILD/bin" && ls; cd "$ROOT/scripts" && ls -d mien-*; } | sort)"
is 'each has its page' "$(basename -s .1 "$prefix"/share/man/man1/*)" "$(sed 's/ .*//' versions)"

if command -v bash >/dev/null; then
    # As bash-completion loads it.
    # shellcheck disable=SC2016
    is 'completion of each in bash' "$(while read -r p _; do bash -c '. "$1/$2"; complete -p "$2"' - \
        "$prefix/share/bash-completion/completions" "$p"; done <versions)" "$(sed 's/ .*//; s/^/complete -F _mien /' versions)"
else
    skip 'completion of each in bash' 'there is no bash'
fi

# What is installed is found from the program's own place, wherever that is moved, and from nowhere else.
unset MIEN_SHARE
mv "$prefix" "$root/moved"
env_in() { env XDG_DATA_DIRS=nowhere HOME="$T" PATH="$root/moved/bin:/usr/bin:/bin" "$@"; }
for network in "$ROOT"/networks/*.net; do
    is "${network##*/} by name" "$(env_in mien-net "${network##*/}")" "$("$BUILD/bin/mien-net" "$network")"
done
exits 'an experiment needs nothing else' 0 env_in make -f "$root/moved/share/mien/experiment.mk" COUNT=100 EPOCHS=1 \
    ROWS=recipe table
like 'and ends in its table' "$(cat out)" '^synthetic +recipe +[0-9]+ '
exits 'scripts call the programs beside them' 2 env_in mien-photos images.mien
like 'which miss their models' "$(cat err)" '^mien-photos: .*detect.model.*mien-models fetches it'
cp "$root/moved/bin/mien-net" alone
exits 'a program alone finds none' 2 env_in ./alone small-64.net
exits 'but where it is told to look' 0 env_in MIEN_SHARE="$root/moved/share/mien" ./alone small-64.net
mv "$root/moved" "$prefix"
unset LD_LIBRARY_PATH
ok 'make uninstall' in_root uninstall
is 'leaves nothing' "$(find "$root" ! -type d -o -name mien)" ''

finish
