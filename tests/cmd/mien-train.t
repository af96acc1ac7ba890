#!/bin/sh
# mien-train, mien-embed and mien-predict on a small network with random weights.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

cat >net.txt <<'N'
input 12x12x3
c1 conv 6 3x3 stride=2 pad=same
r1 relu6
d1 dwconv 3x3 pad=same
r2 relu6
c2 conv 10 1x1
r3 relu
pool gap
N
ok 'a network' mien-net --new --seed 1 --scale 0.01 --embed pool -o base.model net.txt
mien-fake 60 --pixels 12x12 >pixels.mien
mien-fake 60 --pixels 12x12 --seed 9 >other.mien
mien-fake 60 --features 10 >features.mien
for k in pixels other features; do mien-pack -q -o $k.pack <$k.mien; done

# --- mien-train
exits 'heads on pixels' 0 mien-train -i base.model -t pixels.pack -v other.pack -e 3 --log log.tsv -o a.model
like 'the kernels' "$(head -1 err)" '^mien-train: precision float, products by [a-z0-9]+$'
like 'a line an epoch' "$(cat err)" '^mien-train: epoch 3/3: loss [0-9.]+, validation loss [0-9.]+, gender [0-9.]+%'
like 'the kept epoch' "$(cat err)" '^mien-train: kept epoch [1-3]/3'
is 'the log has a line an epoch' "$(wc -l <log.tsv | tr -d ' ')" 4
is 'and a name a column' "$(head -1 log.tsv | awk -F'\t' '{print NF}')" "$(tail -1 log.tsv | awk -F'\t' '{print NF}')"
exits 'quiet' 0 mien-train -q -j1 -i base.model -t pixels.pack -v other.pack -e 3 -o b.model
is 'says nothing' "$(cat err)" ''
# The provenance has the command line, so bytes are compared where that is the same.
mkdir j1 j3
for j in 1 3; do (cd j$j && mien-train -q -j $j -i ../base.model -t ../pixels.pack --last all -e 2 --hidden 7 \
    --dropout 0.3 --clip 0.5 -o x.model); done
tr -d '\n' <j1/x.model | sed 's/-j 1 //' >x1
tr -d '\n' <j3/x.model | sed 's/-j 3 //' >x3
ok 'same seed, same bytes, whatever -j' cmp x1 x3
if mien-train --precision bf16 -j 1 -i base.model -t pixels.pack --last all -e 1 -o bf16.model 2>err; then
    like 'bf16' "$(head -1 err)" '^mien-train: precision bf16, products by a[a-z0-9-]*bf16 for convolutions, avx'
    like 'is told' "$(mien-net bf16.model)" 'precision=bf16'
    for j in 2 3; do
        mien-train -q --precision bf16 -j $j -i base.model -t pixels.pack --last all -e 1 -o bf16-$j.model
        is "the same bytes for $j threads" "$(tr -d '\n' <bf16-$j.model | sed "s/-j $j //; s/bf16-$j/bf16/" | cksum)" \
            "$(tr -d '\n' <bf16.model | sed 's/-j 1 //' | cksum)"
    done
    # Tiles sum in another order.
    case $(head -1 err) in *amx*)
        cp bf16.model tiles.model
        MIEN_SIMD=avx512 mien-train -q --precision bf16 -j 1 -i base.model -t pixels.pack --last all -e 1 -o bf16.model
        exits 'tiles are other bytes' 1 cmp -s bf16.model tiles.model ;;
    esac
    cp bf16.model instructions.model
    MIEN_SIMD=avx2 mien-train -q --precision bf16 -j 1 -i base.model -t pixels.pack --last all -e 1 -o bf16.model
    is 'and for another variant' "$(cksum <bf16.model)" "$(cksum <instructions.model)"
else
    like 'bf16 is refused by processors without it' "$(cat err)" '^mien-train: bf16 needs AVX2'
fi
exits 'automatic precision' 0 mien-train --precision auto -i base.model -t pixels.pack -e 1 -o auto.model
like 'is told' "$(head -1 err)" '^mien-train: precision (float|bf16), products by '
(cd j1 && mien-train -q -j 1 -i ../base.model -t ../pixels.pack --last all -e 2 --hidden 7 --dropout 0.3 -s 1 -o y.model)
exits 'another seed, another model' 1 cmp -s j1/x.model j1/y.model
# In the pack's order there is nothing for a seed to choose, once the heads are there.
mien-train -q -t features.pack -e 1 -o start.model
for s in 1 2; do mien-train -q -i start.model --keep-heads -t features.pack -e 2 -s $s --in-order -o order$s.model; done
is 'in order, whatever the seed' "$(mien-predict order1.model <features.mien | records -)" \
    "$(mien-predict order2.model <features.mien | records -)"
for c in 0 1e6 0.01; do
    mien-train -q -i start.model --keep-heads -t features.pack -e 2 --optimizer sgd --clip $c -o clip$c.model
    mien-predict clip$c.model <features.mien | records - >clip$c.txt
done
ok 'gradients of a smaller norm stay' cmp clip0.txt clip1e6.txt
exits 'larger ones are clipped' 1 cmp -s clip0.txt clip0.01.txt
# The moving average of the weights after one step is these, and after two a sixth of the first and
# five of the second: the weights before have no part in it.
for e in 1 2; do
    set -- -q -i start.model --keep-heads -t features.pack -b 60 -e $e --optimizer sgd --lr 0.5
    mien-train "$@" -o steps$e.model
    mien-train "$@" --ema 0.99 -o ema$e.model
    mien-predict ema$e.model <features.mien | mien-view -Hc pred_age >ema$e.txt
done
set -- steps2.model steps2.model steps2.model steps2.model steps2.model
mien-net --average -o mean.model steps1.model "$@"
is 'the moving average of one step' "$(cat ema1.txt)" "$(mien-predict steps1.model <features.mien | mien-view -Hc pred_age)"
is 'and of two' "$(mien-predict mean.model <features.mien | mien-view -Hc pred_age | paste - ema2.txt |
    awk '($1 - $2) ^ 2 < 1e-6 { near++ } END { print near }')" 60
for d in 0 0.9; do
    mien-train -q -i base.model -t pixels.pack -v other.pack -e 3 --clip 0.5 --ema $d --log ema$d.tsv -o ema.model
done
is 'it leaves the training as it is' "$(cut -f 2 ema0.tsv)" "$(cut -f 2 ema0.9.tsv)"
exits 'in order and balanced' 2 mien-train --in-order --balance 1 -t features.pack -o z.model
is 'is refused' "$(cat err)" 'mien-train: --in-order and --balance exclude each other'
exits 'heads on features' 0 mien-train -q -t features.pack -e 2 -o heads.model
exits 'going on with heads' 0 mien-train -q -i heads.model --keep-heads -t features.pack -e 1 -o more.model
mien-embed base.model <pixels.mien | mien-pack -q -o emb.pack
exits 'features stand for frozen layers' 0 mien-train -q -i base.model -t emb.pack -e 3 -o c.model
mien-train -q -i base.model -t pixels.pack -e 3 -o d.model
is 'and give the same predictions' "$(mien-predict c.model <other.mien | mien-view -c p_age)" \
    "$(mien-predict d.model <other.mien | mien-view -c p_age)"
mien-train -q -i base.model -t pixels.pack -e 20 --ema 0.9 -o f.model
exits 'they are as they were under a moving average, too' 0 mien-train -q -i f.model --keep-heads -t emb.pack -e 1 -o g.model
exits 'features of other weights' 2 mien-train -q -i a.model --embed r3 -t emb.pack -o z.model
like 'are refused' "$(cat err)" '^mien-train: the training pack holds 10 features pool@'
exits 'pixels without a network' 2 mien-train -t pixels.pack -o z.model
like 'say so' "$(cat err)" 'give --init'
exits 'features of another length' 2 mien-train -i heads.model --keep-heads -t pixels.pack -o z.model
exits 'no pack' 2 mien-train -o z.model
exits 'a pack that is none' 2 mien-train -t net.txt -o z.model
exits 'weights that grow without end' 2 mien-train -q -i base.model --last all --optimizer sgd --lr 1000 -b 1 --decay 1000 \
    -t pixels.pack -e 1 -o nan.model
like 'are refused' "$(cat err)" 'no longer (a number|numbers) in epoch 1, .*try a smaller learning rate'
ok 'and no model is written' test ! -e nan.model
for d in 0 0.9; do mien-train -q -i base.model --dropout $d -t pixels.pack -e 2 -o drop$d.model; done
exits 'dropout before heads on frozen layers drops' 1 sh -c \
    'mien-predict drop0.model <other.mien >x; mien-predict drop0.9.model <other.mien | cmp -s - x'
exits 'on features as well' 0 mien-train -q -i base.model --dropout 0.5 -t emb.pack -e 1 -o half.model
for bad in '-o nosuch/x.model' '-o .' '-o z.model --checkpoint nosuch/c'; do
    # shellcheck disable=SC2086
    exits "an output that can't be: $bad" 2 mien-train -t pixels.pack -i base.model -e 1 $bad
    like 'is told before training' "$(cat err)" '^mien-train: cannot create .[^:]*: [A-Z].*y$'
done
cp features.pack same.pack
# A layer of very many inputs for its units.
printf 'input 1024x1024x3\nflat flatten\n' >wide.net
mien-net --new --scale 0.01 --embed flat -o wide.model wide.net
mien-fake 2 --pixels 1024x1024 | mien-pack -q -o wide.pack
exits 'a wide layer' 0 mien-train -q -i wide.model --heads gender=2 --last all -t wide.pack -e 1 -o z.model
rm -f z.model
exits 'a log that can not be written' 1 mien-train -t features.pack -e 3 --log /dev/full --checkpoint lost.ckpt \
    -o lost.model
is 'is a warning, once' "$(grep -c "^mien-train: cannot write '/dev/full': No space left on device; training continues without a log\$" err)" 1
like 'and the training goes on' "$(cat err)" '^mien-train: epoch 3/3: '
mien-train -q -t features.pack -e 3 -o kept.model
ok 'to the same model' cmp lost.model kept.model
ok 'and checkpoint' test -s lost.ckpt
cp base.model net.model
for bad in '--log net.model' '--checkpoint net.model' '--checkpoint ./net.model'; do
    # shellcheck disable=SC2086
    exits "the model that is started from as an output: $bad" 2 mien-train -i net.model -t pixels.pack -e 1 -o z.model $bad
    is 'is refused' "$(cat err)" "mien-train: 'net.model' would be overwritten by an output"
done
mkdir models && cp base.model models/named.model
exits 'also where it is found by its name' 2 env MIEN_MODELS=models mien-train -i named.model -t pixels.pack -e 1 \
    -o z.model --log models/named.model
is 'is refused' "$(cat err)" "mien-train: 'models/named.model' would be overwritten by an output"
ok 'and does no harm' cmp base.model net.model
exits 'but its successor may replace it' 0 mien-train -q -i net.model -t pixels.pack -e 1 -o net.model
like 'whole' "$(mien-net net.model)" '^made by: mien-train'
for bad in '-o same.pack' '-o ./same.pack' '-o z.model --log same.pack' '-o z.model --checkpoint z.model'; do
    # shellcheck disable=SC2086
    exits "an output over another file: $bad" 2 mien-train -t same.pack -e 1 $bad
    like 'is refused' "$(cat err)" '^mien-train: .* would be overwritten by an output$'
done
ok 'and does no harm' cmp same.pack features.pack
mien-train -q -t features.pack -e 2 --last 2 --checkpoint a.ckpt --resume --optimizer sgd --gray 0 -o new.model
mien-train -q -t features.pack -e 2 -l 2 -c b.ckpt -r --optimiser sgd --grey 0 -o former.model
ok '-l, -c, -r, --optimiser and --grey, former names' cmp new.model former.model
exits 'a bad option' 2 mien-train --lr fast -t pixels.pack -o z.model
like 'says what' "$(cat err)" "^mien-train: --lr: 'fast' is not a number"
exits 'too few layers' 2 mien-train -i base.model --last 1 -t pixels.pack -o z.model
like 'say so' "$(cat err)" 'a head would be frozen'
exits 'a full disk' 2 mien-train -q -t features.pack -e 1 -o /dev/full
like 'says so' "$(cat err)" '^mien-train: .*No space left'
exits 'no such folder' 2 mien-train -q -t features.pack -e 1 -o no/z.model
is 'nothing was left behind' "$(ls z.model* 2>/dev/null)" ''

# --- packs of encoded images
mien-fake 40 --image >images.mien
mien-pack -q -k image -o images.pack <images.mien
mien-crop -q --for 12 <images.mien | mien-resize -q 12 | mien-pack -q -o chips.pack
for k in images chips; do
    mien-train -q -i base.model --last all -e 2 -t $k.pack -v $k.pack --log $k.tsv -o $k.model
done
is 'images train as their pixels do' "$(cat images.tsv)" "$(cat chips.tsv)"
is 'and give the same model' "$(mien-predict images.model <other.mien | mien-view -c p_age)" \
    "$(mien-predict chips.model <other.mien | mien-view -c p_age)"
exits 'heads on images' 0 mien-train -q -i base.model -e 1 -t images.pack -v chips.pack -o z.model
sed 's/\xff\xd8\xff/xxx/' <images.pack >broken.pack # all of them: the file's length stays
exits 'no image of use' 2 mien-train -q -i base.model --last all -e 1 -t broken.pack -o z.model
like 'says which' "$(cat err)" '^mien-train: record [0-9]+ \(.*\): not an image'
like 'and that none is left' "$(cat err)" 'none of the training pack.s images can be used$'
is 'each once' "$(grep -c 'record 7 ' err)" 1
{ head -c 20000 broken.pack; tail -c +20001 images.pack; } >some.pack
for l in all 2; do
    exits "some images of no use, --last $l" 1 mien-train -q -i base.model --last $l -e 2 -t some.pack -v chips.pack -o z.model
    is 'are named once each' "$(cut -d' ' -f3 err | sort | uniq -d)" ''
    ok 'and the model is written' mien-predict -q z.model <other.mien
done

# --- Augmentation
set -- -q -i base.model -e 3 -v other.pack --flip --shift 0.2 --zoom 0.1 --rotate 9 --brightness 0.2 \
    --contrast 0.2 --saturation 0.2 --gray 0.2 --erase 0.3 --stretch 0.1 --cast 0.1 --soft 0.3
for j in 1 3; do mien-train "$@" -j $j --last all -t images.pack --log aug$j.tsv -o aug$j.model; done
is 'augmented: same seed, same model, whatever -j' "$(cat aug1.tsv)" "$(cat aug3.tsv)"
mien-train "$@" --last all -t chips.pack --log augp.tsv -o z.model
is 'from pixels as from images' "$(cat augp.tsv)" "$(cat aug1.tsv)"
mien-train "$@" --last all -t chips.pack --seed 1 --log augs.tsv -o z.model
ok 'another seed' test "$(cut -f2 augp.tsv)" != "$(cut -f2 augs.tsv)"
for v in 1 2 3; do mien-train "$@" -t chips.pack --views $v --log v$v.tsv -o z.model; done
ok 'views of frozen layers: another one in the second epoch' test "$(sed -n 3p v1.tsv | cut -f2)" != "$(sed -n 3p v2.tsv | cut -f2)"
# Records of a pack that an epoch has once see all views, though those of another come twice.
mien-view -r -c id,pixels --head 2 pixels.mien | mien-pack -q -o unlabeled.pack
for v in 1 2; do
    mien-train "$@" -t pixels.pack -t unlabeled.pack:2 -b 70 --views $v --log w$v.tsv -o z.model
done
is 'weighted packs: the first view in the first epoch' "$(sed -n 2p w1.tsv | cut -f2)" "$(sed -n 2p w2.tsv | cut -f2)"
ok 'and another one in the second' test "$(sed -n 3p w1.tsv | cut -f2)" != "$(sed -n 3p w2.tsv | cut -f2)"
# --- No epochs: temperatures alone
mien-train -q -i base.model -t pixels.pack -e 1 -o cold.model
exits 'no epochs' 0 mien-train -i cold.model --keep-heads -t pixels.pack -v other.pack -e 0 -o warm.model
like 'measures' "$(cat err)" '^mien-train: kept epoch 0/0: .*validation loss [0-9.]+, gender [0-9.]+%'
is 'cold' "$(mien-net cold.model | grep -c temp_age)" 0
like 'warm' "$(mien-net warm.model)" '^preprocessing: .*temp_gender=[0-9.]+ temp_age=[0-9.]+ shift_age=-?[0-9.]+'
for w in c1.weight age_logits.weight; do
    is 'the same weights' "$(st-dump warm.model $w | cksum)" "$(st-dump cold.model $w | cksum)"
done
mien-train -q -i cold.model --keep-heads -t pixels.pack -v pixels.pack -e 0 -o warm2.model
mien-net --average -o mean.model warm.model warm2.model
scaling() { mien-net "$1" | sed -n "s/^preprocessing: .*$2=\\([^ ]*\\).*/\\1/p"; }
for s in temp_gender temp_age shift_age; do
    awk -v a="$(scaling warm.model $s)" -v b="$(scaling warm2.model $s)" -v mean="$(scaling mean.model $s)" 'BEGIN {
        wanted = "'$s'" == "shift_age" ? (a + b) / 2 : sqrt(a * b)
        exit !(a != b && wanted - mean < 1e-3 && mean - wanted < 1e-3) }'
    is "an average's $s" $? 0
done
mien-train -q -t features.pack --heads age=0:20:40 -e 2 -o bins.model
mien-fake 300 --features 10 --seed 5 | mien-pack -q -o large.pack
exits 'no epochs, a large validation set' 0 mien-train -q -i bins.model --keep-heads -t features.pack -v large.pack -e 0 -o bins0.model
is 'ages within bins stay' "$(mien-predict bins0.model <features.mien | mien-view -c pred_age)" \
    "$(mien-predict bins.model <features.mien | mien-view -c pred_age)"
exits 'no epochs and no validation set' 2 mien-train -q -i cold.model --keep-heads -t pixels.pack -e 0 -o z.model
like 'says so' "$(cat err)" 'give a validation set$'

# --- Teachers
set -- -q -i base.model --last all -t chips.pack -e 2 --hidden 4
for j in 1 3; do mien-train "$@" -j $j --teacher a.model,b.model --log taught$j.tsv -o taught$j.model; done
is 'taught: same seed, same model, whatever -j' "$(cat taught1.tsv)" "$(cat taught3.tsv)"
like 'and its origin' "$(mien-net taught1.model)" ' teacher-share=0.5( |$)'
is 'with both teachers' "$(mien-net --history taught1.model | grep -c '^  taught by model')" 2
mien-train "$@" --log plain.tsv -o z.model
mien-train "$@" --teacher a.model --teacher-share 0 --log deaf.tsv -o z.model
is 'a share of 0: labels alone' "$(cat deaf.tsv)" "$(cat plain.tsv)"
ok 'a share of 0.5: not alone' test "$(cut -f2 plain.tsv)" != "$(cut -f2 taught1.tsv)"
mien-train "$@" -e 1 --checkpoint t.ckpt --teacher a.model --log resumed.tsv -o z.model
exits 'another teacher' 2 mien-train "$@" -e 1 --checkpoint t.ckpt --teacher b.model --resume -o z.model
like 'another training' "$(cat err)" "has 'teacher=a.model', this one 'teacher=b.model'"
mien-view -r -c id,pixels pixels.mien | mien-pack -q -o bare.pack
exits 'a pack without labels' 2 mien-train -q -i base.model -t bare.pack -e 1 -o z.model
exits 'with a teacher' 0 mien-train -q -i base.model -t bare.pack --teacher a.model -e 4 --lr 0.01 --log bare.tsv -o z.model
ok 'is learned from' awk 'NR == 2 { first = $2 } END { exit !($2 > 0 && $2 < first) }' bare.tsv
mien-train -q -i base.model -t pixels.pack --heads gender=2 -e 1 -o women.model
exits 'a teacher of genders for ages' 2 mien-train -q -i base.model -t pixels.pack --heads age=101 --teacher women.model -o z.model
is 'is of no use' "$(cat err)" "mien-train: the teacher 'women.model' tells genders, which the model doesn't"
exits 'nor beside another one' 2 mien-train -q -i base.model -t pixels.pack --heads age=101 --teacher a.model,women.model -o z.model
exits 'nor alone' 2 mien-train -q -i base.model -t bare.pack --teacher women.model -o z.model
is 'which is told' "$(cat err)" 'mien-train: no record of the training set has an age, and no teacher tells it'
exits 'a share of no teacher' 2 mien-train -q -i base.model -t pixels.pack --teacher-share 0.9 -o z.model
is 'is refused' "$(cat err)" 'mien-train: --teacher-share needs --teacher MODEL,...'
exits 'a teacher without a name' 2 mien-train -q -i base.model -t pixels.pack --teacher a.model, -o z.model
like 'is refused, too' "$(cat err)" "^mien-train: a teacher without a name in 'a.model,'"
for over in --log --checkpoint; do
    cp a.model teaches.model
    exits "$over over a teacher" 2 mien-train -q -i base.model -t pixels.pack --teacher b.model,teaches.model $over teaches.model -o z.model
    like 'is refused' "$(cat err)" "'teaches.model' would be overwritten by an output"
    ok 'and leaves it' cmp a.model teaches.model
done
exits 'a teacher without heads' 2 mien-train "$@" --teacher base.model -o z.model
like 'says so' "$(cat err)" "^mien-train: the teacher 'base.model': "
mien-net --new --scale 0.01 --size 10 -o ten.model net.txt
mien-fake 20 --pixels 10x10 | mien-pack -q -o ten.pack
mien-train -q -i ten.model -t ten.pack -e 1 -o ten.model
exits 'a teacher of another size' 2 mien-train -q -i base.model -t pixels.pack --teacher ten.model -o z.model
like 'names it' "$(cat err)" "^mien-train: the training pack doesn't fit the teacher 'ten.model': made with size=12x12"
exits 'of encoded images it may be' 0 mien-train -q -i base.model -t images.pack --teacher ten.model -e 1 -o z.model
exits 'a broken image isn'"'"'t taught' 2 mien-train -q -i base.model -t broken.pack --teacher a.model -e 1 -o z.model
exits 'a teacher and features' 2 mien-train -q -t features.pack --teacher a.model -o z.model
like 'which it does not read' "$(cat err)" '^mien-train: a teacher reads faces'
exits 'no such teacher' 2 mien-train "$@" --teacher a.model,nobody.model -o z.model
like 'names it' "$(cat err)" "nobody.model"
set -- -q -i base.model -e 3 -v other.pack --flip --shift 0.2 --zoom 0.1 --rotate 9 --brightness 0.2 \
    --contrast 0.2 --saturation 0.2 --gray 0.2 --erase 0.3 --stretch 0.1 --cast 0.1 --soft 0.3
# --preview shows them, and trains nothing.
for p in images chips; do
    exits "preview of $p" 0 mien-train "$@" -t $p.pack --preview 7 -o z.model
    mv out $p.seen
done
is 'seven records, with pixels' "$(mien-view -q --count --select pixels images.seen)" 7
is 'the same of images and of pixels' "$(mien-view -q --full -f json -c id,pixels images.seen)" \
    "$(mien-view -q --full -f json -c id,pixels chips.seen)"
mien-train -q -i base.model -t chips.pack --preview 1000 >all.seen
is 'without augmentation all records, as they are' "$(mien-view -q --full -f json -c id,pixels all.seen | sort)" \
    "$(mien-pack -d chips.pack | mien-view -q --full -f json -c id,pixels | sort)"
exits 'a broken image in a preview' 1 mien-train -i base.model -t broken.pack --preview 5
exits 'a preview to a full disk' 2 sh -c 'mien-train -q -i base.model -t chips.pack --preview 5 >/dev/full'
exits 'a preview of features' 2 mien-train -q -i base.model -t emb.pack --preview 5
like 'which have no looks' "$(cat err)" "^mien-train: features can't be shown"
exits 'features' 2 mien-train "$@" -t emb.pack -o z.model
like 'can not be augmented' "$(cat err)" "^mien-train: features can't be augmented"
exits 'mien-train --help' 0 mien-train --help
exits 'mien-train --version' 0 mien-train --version

# --- several processes: tests/slow/mpi.t, where MPI is built in
if ! mpi=$(ldd "$(command -v mien-train)" | grep -i libmpi) || [ -z "$mpi" ]; then
    exits 'one of two processes, without MPI' 2 env PMI_SIZE=2 mien-train -t features.pack -o z.model
    like 'is refused' "$(cat err)" '^mien-train: one of 2 processes, but built without MPI: see mien-train\(1\)'
else
    skip 'one of two processes, without MPI' 'it is built in'
fi

# --- several packs
cat pixels.mien other.mien | mien-pack -q -o both.pack
set -- -q -i base.model --last all -e 3 --flip -v other.pack -o z.model
mien-train "$@" -t both.pack --log joined.tsv
# Whole images go with crops of any margin, but crops only with their like.
mien-fake 9 --image >framed.mien
mien-crop -q --box whole --size 12 <framed.mien | mien-pack -q -o whole.pack
for m in 0.2 0.4; do mien-crop -q --margin $m --size 12 <framed.mien | mien-pack -q -o $m.pack; done
exits 'whole images and crops' 0 mien-train "$@" -t whole.pack -t 0.2.pack -t whole.pack
exits 'crops of two margins' 2 mien-train "$@" -t whole.pack -t 0.2.pack -t 0.4.pack
like 'are told' "$(cat err)" "'0.4.pack' was made with '.*margin=0.4 .*', '0.2.pack' with '.*margin=0.2 .*'$"
exits 'two packs' 0 mien-train "$@" -t pixels.pack -t other.pack --log two.tsv
is 'train as one of all their records' "$(cat two.tsv)" "$(cat joined.tsv)"
is 'and both are in its history' "$(mien-net --history z.model | grep -c '^  trained on pack')" 2
for l in 2 all; do
    set -- -q -i base.model --last $l -e 3 --in-order -v other.pack -o z.model
    mien-train "$@" -t pixels.pack -t pixels.pack -t other.pack --log thrice.tsv
    mien-train "$@" -t pixels.pack:2 -t other.pack --log twice.tsv
    is "a weight of 2 is to name it twice, --last $l" "$(cat twice.tsv)" "$(cat thrice.tsv)"
done
like 'weights are named in the model' "$(mien-net z.model)" 'weights=2,1( |$)'
cp pixels.pack odd:2
mien-train "$@" -t odd:2 --log odd1.tsv
mien-train "$@" -t pixels.pack --log once.tsv
is "a file's name may end like a weight" "$(cat odd1.tsv)" "$(cat once.tsv)"
mien-train "$@" -t odd:2:2 -t other.pack --log odd2.tsv
is 'which can follow it' "$(cat odd2.tsv)" "$(cat twice.tsv)"
exits 'a share of a pack' 0 mien-train -q -i base.model --flip -e 3 -t pixels.pack:0.25 -t other.pack:1.5 \
    --checkpoint share.ckpt -o share.model
exits 'other weights' 2 mien-train -q -i base.model --flip -e 3 -t pixels.pack:0.25 -t other.pack \
    --checkpoint share.ckpt --resume -o share.model
like "aren't resumed" "$(cat err)" "it has 'weights=0.25,1.5', this one 'weights=0.25,1'$"
exits 'a weight of nothing' 2 mien-train -t pixels.pack:0 -o z.model
like 'is refused' "$(cat err)" "'pixels.pack:0': a weight must be from 0.001 to 100; see"
exits 'packs of two kinds' 2 mien-train -i base.model -t pixels.pack -t features.pack -o z.model
like 'are told apart' "$(cat err)" "^mien-train: 'features.pack' holds features, 'pixels.pack' pixels$"
mkfifo pipe.pack
exits 'a pipe that nobody writes' 2 within 20 0 mien-train -t pipe.pack -o z.model
like 'is not waited for' "$(cat err)" "^mien-train: 'pipe.pack' is not a regular file, so it can't be mapped$"
exits 'an output over the second pack' 2 mien-train -i base.model -t pixels.pack -t other.pack -o other.pack
like 'is refused' "$(cat err)" "'other.pack' would be overwritten"

# --- the log's learning rates: those of the last steps, from 288 to 300 of 300 records
mien-fake 300 --features 4 >rates.mien
mien-pack -q -o rates.pack <rates.mien
rates() { mien-train -q -t rates.pack -e 4 --lr 0.02 --log rates.tsv -o z.model "$@"; awk 'NR > 1 { printf "%.6f ", $8 }' rates.tsv; }
is 'constant' "$(rates)" '0.020000 0.020000 0.020000 0.020000 '
is 'warm-up, then half a cosine' "$(rates --schedule cosine --warmup 1)" \
    "$(awk 'BEGIN { pi = atan2(0, -1); printf "%.6f ", 0.02 * 0.98
        for (t = 0.98; t < 3; t++) printf "%.6f ", 0.02 * (1 + cos(pi * t / 3)) / 2 }')"
mien-train -q -t rates.pack -e 1 -b 300 --lr 0.02 --warmup 0.8 --log rates.tsv -o z.model
is 'the only step of a training moves, too' "$(awk 'NR > 1 { print $8 }' rates.tsv)" 0.0125
is 'steps' "$(rates --schedule step --step-epochs 2)" '0.020000 0.020000 0.002000 0.002000 '

# --- heads of every kind
# mien-fake's features tell gender and age, with some noise.
mien-fake 300 --features 4 --seed 3 >toy.mien
mien-pack -q -o toy.pack <toy.mien
score() { mien-predict -q "$1" <toy.mien | mien-score -q --boot 0 -f tsv | awk -F'\t' -v m="$2" '$3 == m {print $5}'; }
# below NAME A B
below() { ok "$1: $2 < $3" awk -v a="$2" -v b="$3" 'BEGIN {exit !(a != "" && b != "" && a + 0 < b + 0)}'; }
toy() { mien-train -t toy.pack -v toy.pack -e 40 --hidden 16 --lr 0.02 --schedule cosine "$@"; }
k=0
for heads in age=101 age=0:10:20:30:40:50:60 age=coral age=coral:0:10:20:30:40:50:60; do
    k=$((k + 1))
    exits "--heads $heads" 0 toy --heads "$heads" -o k$k.model
    like 'no word of gender' "$(tail -1 err)" 'validation loss [0-9.]+, age exact [0-9.]+%, MAE'
    below 'ages are learnt' "$(score k$k.model age_mae)" 9
    is 'genders are not predicted' "$(score k$k.model without_p_gender)" 300
done
like 'bins are named in the model' "$(mien-net k2.model)" '^preprocessing: .*ages=0:10:20:30:40:50:60 '
like 'with the ages in them' "$(tr -d '\0' <k2.model | head -c 4000)" 'age.count'
exits '--heads gender=2' 0 toy --heads gender=2 -o g.model
like 'no word of age' "$(tail -1 err)" 'gender [0-9.]+% \*$'
below 'genders are learnt' 0.9 "$(score g.model gender_accuracy)"
is 'ages are not predicted' "$(score g.model without_p_age)" 300
exits 'both, bins, and all that softmax can' 0 toy --heads gender=2,age=0:18:65 --sigma 2 --l1 0.1 \
    --smoothing 0.1 --mixup 0.2 --class-weights 0.5 -o b.model
below 'learn' "$(score b.model age_mae)" 14
exits 'the narrowest of Gaussians' 0 toy -e 2 --heads age=101 --sigma 1e-300 -o b.model
narrow=$(grep -o 'loss [0-9.]*' err)
exits 'no Gaussian' 0 toy -e 2 --heads age=101 -o b.model
is 'is a single class, too' "$narrow" "$(grep -o 'loss [0-9.]*' err)"
exits 'ranks, mixed and weighted' 0 toy --heads gender=2,age=coral --mixup 0.2 --class-weights 0.5 -o b.model
below 'learn' "$(score b.model age_mae)" 9
exits '--keep-heads keeps bins' 0 mien-train -i k2.model --keep-heads -t toy.pack -v toy.pack -e 1 --lr 1e-9 -o same.model
is 'and what they say' "$(score same.model age_mae | cut -c1-6)" "$(score k2.model age_mae | cut -c1-6)"
for list in '' age age=7 age=coral:x gender=1 age=10:5 age=0:101 age=101,age=101 race=4; do
    exits "--heads '$list'" 2 mien-train --heads "$list" -t toy.pack -o z.model
    like 'is named' "$(cat err)" '^mien-train: heads: '
done
exits '--heads with --keep-heads' 2 mien-train -i g.model --keep-heads --heads gender=2 -t toy.pack -o z.model
exits '--sigma for ranks' 2 mien-train --heads age=coral --sigma 2 -t toy.pack -o z.model
like 'says what it is for' "$(cat err)" 'sigma, l1 and smoothing are for a softmax of ages'
exits '--l1 without ages' 2 mien-train --heads gender=2 --l1 0.1 -t toy.pack -o z.model
like 'says so' "$(cat err)" 'the model has no age head'
mien-view -r -c id,features,gender toy.mien | mien-pack -q -o ageless.pack
exits 'a head without labels' 2 mien-train -t ageless.pack -o z.model
like 'says what to do' "$(cat err)" 'no record of the training set has an age: leave out that head'
exits 'left out' 0 mien-train -q --heads gender=2 -e 1 -t ageless.pack -o z.model && rm z.model
# The kept epoch's weak head is told.
exits 'heads that have learned nothing' 0 toy -e 1 --lr 1e-9 -s 3 -o z.model
like 'are worth a warning' "$(cat err)" "^mien-train: warning: in the kept epoch genders are hardly better than guessed: \
[0-9.]+% right, guessing $(mien-view -Hc gender toy.mien | sort | uniq -c | sort -rn |
    awk 'NR == 1 { n = $1 } { all += $1 } END { printf "%.2f", 100 * n / all }')%; see --best\$"
exits 'ages, too' 0 toy -e 1 --lr 1e-9 --heads age=101 -o z.model
like 'are compared' "$(cat err)" "^mien-train: warning: in the kept epoch ages are hardly better than guessed: MAE [0-9.]+, \
guessing $(mien-view -Hc age toy.mien | sort -n | awk '{ a[NR] = $1 } END { m = a[int((NR + 1) / 2)]
    for (i in a) s += a[i] > m ? a[i] - m : m - a[i]; printf "%.2f", s / NR }'); see --best\$"
exits 'heads that have learned something' 0 toy -o z.model
is 'are not' "$(grep -c warning err)" 0
exits 'nor is anything with -q' 0 toy -q -e 1 --lr 1e-9 -o z.model
is 'said' "$(cat err)" ''
toy -q -e 1 --hidden 8 --dropout 0.25 --l1 0.1 --heads gender=2,age=0:20:40 -o z.model
like 'a model tells how it was made' "$(mien-net z.model)" \
    '^made by: mien-train .*lr=0.02 schedule=cosine l1=0.1 heads=gender=2,age=0:20:40 hidden=8 dropout=0.25$'
mien-train -q -i z.model --keep-heads -t toy.pack -e 1 -o kept.model
like 'heads that were kept, too' "$(mien-net kept.model)" '^made by: .* keep-heads$'
for bad in '--hidden 8' '--dropout 0.1' '--embed h'; do
    # shellcheck disable=SC2086
    exits "--keep-heads with $bad" 2 mien-train -i z.model --keep-heads $bad -t toy.pack -o y.model
    is 'is refused' "$(cat err)" "mien-train: --keep-heads and ${bad% *} exclude each other"
done
rm z.model
# A checkpoint knows whose bins it holds, though the layers are the same.
toy -q --heads age=0:20:40 --checkpoint c.ckpt -o z.model && rm z.model
exits 'a checkpoint of other bins' 2 toy --heads age=0:20:50 --checkpoint c.ckpt --resume -o z.model
like 'is refused' "$(cat err)" "is from another training: it has 'ages=0:20:40', this one 'ages=0:20:50'$"
# --- checkpoints
set -- -q -i base.model --last all --hidden 5 --dropout 0.2 --flip --shift 0.1 --ema 0.9 --schedule cosine -e 40 \
    -t pixels.pack -v other.pack
mien-train "$@" --log whole.tsv -o whole.model
mien-train "$@" --checkpoint k.ckpt --log killed.tsv -o killed.model &
while [ ! -s k.ckpt ]; do sleep 0.01; done
kill -9 $! && wait $! 2>/dev/null
exits 'after kill -9 a training goes on' 0 mien-train "$@" --checkpoint k.ckpt --resume --log killed.tsv -o killed.model
ok 'and ends with the same bytes' cmp whole.model killed.model
is 'its log has each epoch once' "$(cut -f 1 killed.tsv | sort -n | uniq -d)" ''
cp killed.tsv longer.tsv
sed 's/^1	/98	/; t; d' killed.tsv >>longer.tsv
printf '99	half a li' >>longer.tsv
mien-train "$@" --checkpoint half.ckpt --log longer.tsv --resume -o again.model
is 'a log that went further is cut to where the training begins' "$(cut -f 1 longer.tsv)" "$(cut -f 1 killed.tsv)"
mien-train "$@" --checkpoint s.ckpt --every 1000 --log stopped.tsv -o stopped.model 2>err &
while [ ! -s stopped.tsv ]; do sleep 0.01; done
kill -TERM $!
wait $!
case $? in
3) like 'SIGTERM has a status of its own, and says how to go on' "$(cat err)" '--resume continues from s.ckpt$' ;;
*) skip 'SIGTERM came too late' 1 ;;
esac
# Also while frozen layers are computed, which is the first that this one does once it has its log.
mien-fake 3000 --pixels 12x12 | mien-pack -q -o many.pack
mien-train -q -j 1 -i base.model -t many.pack -e 100000 --log endless.tsv -o endless.model 2>err &
while [ ! -e endless.tsv ]; do sleep 0.01; done
sleep 0.2
kill -TERM $!
wait $!
is 'a signal ends it at any time' $? 3
exits 'a training that was stopped goes on' 0 mien-train "$@" --checkpoint s.ckpt --resume -o stopped.model
ok 'to the same bytes' cmp whole.model stopped.model
ok 'and to the same checkpoint' cmp k.ckpt s.ckpt
cp k.ckpt before
rm -f k.ckpt.* # what a killed program was writing
exits 'no room for a checkpoint' 2 sh -c 'ulimit -f 1; exec mien-train "$@" --checkpoint k.ckpt -o z.model' - "$@"
like 'is said' "$(cat err)" "^mien-train: .*k.ckpt"
ok 'and the one before stays' cmp k.ckpt before
is 'alone' "$(ls k.ckpt*)" k.ckpt
exits 'what is no checkpoint' 2 mien-train "$@" --checkpoint net.txt --resume -o z.model

# A network's own heads.
printf 'input 1x1x4\nh dense 16\nr relu\nage_logits coral 3\nage sigmoid\ngender_logits dense 1 from=r\ngender sigmoid\n' >own.txt
ok 'own heads' mien-net --new --ages 0:20:40:60 -o own.model own.txt
exits 'are trained' 0 mien-train -i own.model --keep-heads --last all -t toy.pack -v toy.pack -e 40 --lr 0.02 -o owned.model
below 'and learn ages' "$(score owned.model age_mae)" 9
below 'and genders' 0.9 "$(score owned.model gender_accuracy)"
exits 'bins that the layer has not' 2 mien-net --new --ages 0:20 -o z.model own.txt
like 'are counted' "$(cat err)" 'ages=0:20 has 2 classes, the layer age distinguishes 4'
is 'nothing was left behind' "$(ls z.model* 2>/dev/null)" ''

# --- mien-embed
# A model that names no layer: its features are what its heads read, and those are replaced.
cp net.txt headed.txt
printf '%s\n' 'drop dropout 0.5' 'gender_logits dense 2' 'gender softmax' 'age_logits dense 101 from=drop' \
    'age softmax' >>headed.txt
mien-net --new --seed 1 --scale 0.01 -o headed.model headed.txt
mien-embed headed.model <pixels.mien >e2
is "what a model's heads read" "$(mien-view -Hc prep -n 1 e2 | sed 's/.*features=//; s/@.*//')" pool
exits 'new heads read it too' 0 mien-train -q -e 1 -i headed.model -t pixels.pack -o reheaded.model
exits 'a rate for what was pretrained' 0 mien-train -q -e 1 -i headed.model --keep-heads --last all \
    --lr-backbone 1e-7 -t pixels.pack -o slow.model
mien-train -q -e 1 -i headed.model --keep-heads --last all -t pixels.pack -o quick.model
for m in headed slow quick; do mien-embed $m.model <pixels.mien | mien-view -Hc features >$m.txt; done
exits 'makes another model' 1 cmp -s slow.txt quick.txt
is 'whose features hardly move' "$(paste slow.txt headed.txt | tr ',\t' '  ' |
    awk '{ for (i = 1; i <= 10; i++) if (($i - $(i + 10)) ^ 2 > 1e-8) n++ } END { print n + 0 }')" 0
exits 'without --init there is nothing pretrained' 2 mien-train --lr-backbone 1e-5 -t emb.pack -o z.model
is 'which is said' "$(cat err)" 'mien-train: --lr-backbone needs --init MODEL'
is 'in place of the old ones' "$(mien-net -f text reheaded.model | grep -c '^gender softmax')" 1
mien-embed -j1 base.model <pixels.mien >e1
mien-embed -j3 base.model <pixels.mien >e3
ok 'mien-embed: same bytes, whatever -j' cmp e1 e3
is 'features are there, pixels are gone' "$(mien-view -c features,pixels --head 1 e1 | tail -1 | tr ',' '\n' | wc -l | tr -d ' ')" 10
like 'and named' "$(mien-view -c prep --head 1 e1 | tail -1)" 'features=pool@[0-9a-f]{8}$'
is 'another layer' "$(mien-embed --layer r2 base.model <pixels.mien | mien-view -c features --head 1 | tail -1)" 216
is '--keep keeps pixels' "$(mien-embed -k base.model <pixels.mien | mien-view -c pixels --head 1 | tail -1)" 12x12x3
exits 'no such layer' 2 sh -c 'mien-embed --layer x base.model <pixels.mien'
like 'says so' "$(cat err)" "no layer 'x'"
filter_contract mien-embed pixels.mien base.model

# --- mien-predict
mien-predict -j1 a.model <pixels.mien >p1
mien-predict -j3 a.model <pixels.mien >p3
ok 'mien-predict: same bytes, whatever -j' cmp p1 p3
is 'probabilities sum to one' "$(mien-view -c p_female,p_male --no-header p1 | awk '{s = $1 + $2; if (s < 0.999 || s > 1.001) print}')" ''
is 'all records come out, in order' "$(mien-view -c id p1)" "$(mien-view -c id pixels.mien)"
exits 'features through heads' 0 sh -c 'mien-predict heads.model <features.mien >p.mien'
exits 'pixels of another size' 1 sh -c \
    'mien-fake 3 --image | mien-crop --box whole | mien-predict a.model'
like 'are bad records' "$(cat err)" '^mien-predict: record 1 \(.*\): pixels of 64x64, the model takes 12x12$'
exits 'no pixels' 1 sh -c 'mien-fake 1 | mien-predict a.model'
like 'neither' "$(cat err)" 'no pixels'
exits '--strict' 2 sh -c 'mien-fake 3 | mien-predict --strict a.model'
exits 'a model without heads' 2 sh -c 'mien-predict base.model <pixels.mien'
like 'says so' "$(cat err)" 'neither a head named gender'
exits 'a stream resized for another model' 2 sh -c \
    'mien-resize -q 10 <pixels.mien | mien-predict a.model'
like 'is refused' "$(cat err)" "made with size=10x10, the model expects size=12x12"
exits 'no model' 2 sh -c 'mien-predict no.model <pixels.mien'
like 'says which' "$(cat err)" "'no.model'"
exits 'a closed pipe' 0 sh -c 'mien-predict a.model <pixels.mien | true'
filter_contract mien-predict pixels.mien a.model
finish
