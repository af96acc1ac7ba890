#!/bin/sh
# mien-predict: confidence, what is left unsaid, mirror images. What it shares with mien-embed is in
# mien-train.t.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

cat >net.txt <<'N'
input 12x12x3
conv conv 8 3x3
relu relu
pool gap
N
mien-net -q --new --seed 1 --scale 0.01 --embed pool -o base.model net.txt
mien-fake 200 --pixels 12x12 >pixels.mien
mien-fake 200 --pixels 12x12 --seed 9 >other.mien
mien-fake 200 --features 10 >features.mien
mien-fake 200 --features 10 --seed 9 >others.mien
for k in pixels other features others; do mien-pack -q -o $k.pack <$k.mien; done

# temperature MODEL HEAD: as the model's preprocessing has it.
temperature() {
    mien-net "$1" | sed -n "s/^preprocessing:.* temp_$2=\([^ ]*\).*/\1/p"
}

# --- Temperatures: a network that has learned its records by heart is too sure of others.
mien-train -q -i base.model -t pixels.pack -v other.pack -e 3 -o a.model
like 'a temperature of gender' "$(temperature a.model gender)" '^[0-9.]+$'
like 'and one of age' "$(temperature a.model age)" '^[0-9.]+$'
mien-train -q -t features.pack -v others.pack --hidden 64 -e 60 --lr 0.01 --best last -o sure.model
ok 'who learns by heart is cooled down' awk "BEGIN { exit !($(temperature sure.model gender) > 1.2) }"
mien-train -q -i base.model -t pixels.pack -v other.pack -e 3 -j 1 -o b.model
ok 'the same whatever -j' cmp a.model b.model
mien-train -q -i a.model -t pixels.pack -e 1 -o b.model
is 'without a validation part there is none' "$(temperature b.model gender)$(temperature b.model age)" ''

mien-predict sure.model <others.mien >p.mien
mien-predict --raw sure.model <others.mien >raw.mien
is 'the age is as the network says' "$(mien-view -f json -c p_age p.mien)" "$(mien-view -f json -c p_age raw.mien)"
is 'and so is who is said to be what' "$(mien-view -c pred_gender p.mien)" "$(mien-view -c pred_gender raw.mien)"
# column FILE NAME: its mean.
column() {
    mien-view -Hc "$2" "$1" | awk '{ s += $1 } END { printf "%.4f\n", s / NR }'
}
ok 'but less surely' awk "BEGIN { exit !($(column p.mien conf_gender) < $(column raw.mien conf_gender) - 0.02) }"
is 'the confidence in a gender is its probability' "$(mien-view -Hc p_female,p_male,conf_gender p.mien |
    awk '{ p = $1 > $2 ? $1 : $2; if (p - $3 > 1e-4 || $3 - p > 1e-4) print }')" ''
is 'each is one' "$(mien-view -r --select 'conf_age >= 0 && conf_age <= 1 && conf_gender >= 0.5 && conf_gender <= 1' p.mien |
    mien-view --count)" 200
mien-predict b.model <other.mien >p.mien
mien-predict --raw b.model <other.mien >raw.mien
is 'a model without temperatures has nothing to leave out' "$(records p.mien)" "$(records raw.mien)"

# --- What is left unsaid
mien-predict --reject 0.8 sure.model <others.mien >r.mien
mien-predict --reject 0.8,0 sure.model <others.mien >g.mien
mien-predict sure.model <others.mien >p.mien
said=$(mien-view -r --select 'conf_gender >= 0.8' p.mien | mien-view --count)
ok 'some are surer than that, some are not' test "$said" -gt 0 -a "$said" -lt 200
is 'unsure genders are left unsaid' "$(mien-view -Hc p_female r.mien | grep -c .)" "$said"
is 'and sure ones said' "$(mien-view -r --select 'p_female >= 0' g.mien | mien-view -c id)" \
    "$(mien-view -r --select 'conf_gender >= 0.8' p.mien | mien-view -c id)"
is 'ages have a bound of their own' "$(mien-view -r --select 'pred_age >= 0' g.mien | mien-view --count)" 200
is 'confidences stay' "$(mien-view -c id,conf_gender,conf_age r.mien)" "$(mien-view -c id,conf_gender,conf_age p.mien)"
mien-predict --keep sure.model <others.mien | mien-predict --reject 1 sure.model >x.mien
is 'earlier predictions go too' "$(mien-view -Hc pred_gender,pred_age x.mien | tr -d '\n\t')" ''
exits 'mien-score reads the rest' 0 mien-score --boot 0 r.mien
like 'and tells how much that is' "$(sed -n '/^gender/,/coverage/p' out)" "^  coverage +$(awk "BEGIN { printf \"%.2f\", $said / 2 }")%"
is 'no coverage where all was said' "$(mien-score --boot 0 p.mien | grep -c coverage)" 0
is 'but as TSV' "$(mien-score --boot 0 -f tsv p.mien | awk '$3 ~ /coverage/ { print $3, $4, $5 }')" "gender_coverage 200 1
age_coverage 200 1"
exits 'where nothing is said' 1 mien-score --boot 0 x.mien
like 'mien-score says so' "$(cat err)" 'no record .* has both a label and a prediction'
mien-predict --keep --reject 0.6,1 a.model <other.mien >r.mien
exits 'mien-montage draws the rest' 0 sh -c 'mien-montage -q -o r.jpg <r.mien'
for bad in 2 -1 x 0.5,7 '0.5,' ,0.5 0.5,0.5,0.5; do
    exits "--reject $bad" 2 mien-predict "--reject=$bad" sure.model
    like 'is refused' "$(cat err)" '^mien-predict: --reject: '
done

# --- Mirror images
mien-predict --tta a.model <other.mien >t1.mien
mien-predict -t -j 3 -b 7 a.model <other.mien >t3.mien # its former name
ok '--tta: the same whatever -j and -b' cmp t1.mien t3.mien
mien-predict a.model <other.mien >p.mien
exits 'it makes a difference' 1 cmp -s t1.mien p.mien
is 'of small size' "$(mien-view -Hc pred_age t1.mien >a; mien-view -Hc pred_age p.mien | paste a - |
    awk '{ d = $1 - $2; s += d < 0 ? -d : d } END { print s / NR < 8 }')" 1

# --- Convolutions in eight bits
sed 's/conv 8/conv 64/; /^relu/a second conv 64 1x1' net.txt | mien-net -q --new --seed 1 --scale 0.01 --embed pool -o wide.model -
mien-embed --int8 wide.model <other.mien >e1.mien
mien-embed --int8 -j 3 -b 7 wide.model <other.mien >e3.mien
ok '--int8: the same whatever -j and -b' cmp e1.mien e3.mien
mien-embed wide.model <other.mien >e.mien
exits 'it makes a difference' 1 cmp -s e1.mien e.mien
for e in e1 e; do mien-view -f json --full -c features $e.mien | sed 's/.*\[//; s/\].*//' | tr , '\n' >$e.txt; done
ok 'of a hundredth or less' sh -c "paste e1.txt e.txt | awk '{ d = \$1 - \$2; e += d * d; s += \$2 * \$2 }
    END { exit !(NR == 12800 && e > 0 && sqrt(e / s) < 0.01) }'"
mien-train -q -i wide.model -t pixels.pack -e 1 -o wide2.model
mien-predict --int8 wide2.model <other.mien | mien-view -f json -c p_age,p_gender >p8.txt
mien-predict wide2.model <other.mien | mien-view -f json -c p_age,p_gender >p.txt
exits 'mien-predict has it too' 1 cmp -s p8.txt p.txt

# --- In bfloat16
if mien-embed --bf16 wide.model <other.mien >e1.mien 2>err; then
    mien-embed --bf16 -j 3 -b 7 wide.model <other.mien >e3.mien
    ok '--bf16: the same whatever -j and -b' cmp e1.mien e3.mien
    mien-embed wide.model <other.mien >e.mien
    exits 'it makes a difference' 1 cmp -s e1.mien e.mien
    for e in e1 e; do mien-view -f json --full -c features $e.mien | sed 's/.*\[//; s/\].*//' | tr , '\n' >$e.txt; done
    ok 'of a hundredth or less' sh -c "paste e1.txt e.txt | awk '{ d = \$1 - \$2; e += d * d; s += \$2 * \$2 }
        END { exit !(NR == 12800 && e > 0 && sqrt(e / s) < 0.01) }'"
    mien-predict --bf16 wide2.model <other.mien | mien-view -f json -c p_age,p_gender >p16.txt
    exits 'mien-predict has it too' 1 cmp -s p16.txt p.txt
    printf '%s\n' "input 1x1x$(mien-view -Hc features e.mien | head -1)" 'conv1 conv 32 1x1' 'conv2 conv 32 1x1' \
        'gender_logits dense 2' 'gender softmax' | mien-net -q --new -o convs.model -
    mien-predict -q --bf16 convs.model <e.mien >c1.mien
    mien-predict -q --bf16 convs.model <e.mien >c2.mien
    ok 'convolutions of features: the same each time' cmp c1.mien c2.mien
    is 'of each' "$(mien-view --count -s p_gender c1.mien)" "$(mien-view --count e.mien)"
else
    is 'a processor without bf16 is told' "$(cat err)" "mien-embed: 'wide.model': bf16 needs AVX512_BF16, which this processor lacks"
fi
MIEN_SIMD=avx2
export MIEN_SIMD
if mien-predict wide2.model <other.mien >avx2.mien 2>err; then
    exits 'AVX2 has no bf16' 2 mien-predict --bf16 wide2.model <other.mien
    is 'which is said' "$(cat err)" "mien-predict: 'wide2.model': bf16 needs AVX512_BF16, which this processor lacks"
fi
unset MIEN_SIMD
exits 'it excludes --int8' 2 mien-predict --bf16 --int8 wide2.model <other.mien
is 'which is said, too' "$(cat err)" 'mien-predict: --int8 and --bf16 exclude each other'

# --- A network whose first weights are 3.4e38: its sums are infinite, and their differences no numbers
printf '%s\n' 'gender_logits dense 2' 'gender softmax' | cat net.txt - | mien-net -q --new -o absurd.model -
for _ in 1 2 3 4 5 6 7 8; do printf '\377\377\177\177'; done |
    dd of=absurd.model bs=1 seek=$((8 + $(od -An -tu8 -N8 absurd.model))) conv=notrunc 2>/dev/null
exits 'a network whose output is not a number fails the record' 1 sh -c 'mien-predict absurd.model <other.mien >out.mien'
like 'which is said' "$(head -1 err)" "^mien-predict: record 1 .*: the network's output is not a number"
is 'for each' "$(mien-view --count -s 'error && !p_gender' out.mien)" "$(mien-view --count other.mien)"
exits 'so it does in mien-embed' 1 sh -c 'mien-embed -l pool absurd.model <other.mien >out.mien'
is 'for each, too' "$(mien-view --count -s 'error && !features' out.mien)" "$(mien-view --count other.mien)"

# --- Features
mien-embed base.model <pixels.mien | mien-pack -q -o f.pack
mien-train -q -t f.pack -e 1 -o heads.model
exits 'features have none' 2 sh -c 'mien-embed base.model <pixels.mien | mien-predict --tta heads.model'
is 'which is said' "$(cat err)" "mien-predict: 'heads.model': the model reads features, which have no mirror image"

# --- Threads of small stacks, as musl's are
if grep -q __asan_init "$BUILD/bin/mien-predict"; then
    skip 'a stack of 96 kB' 'sanitizers take more'
else
    # shellcheck disable=SC3045 # shells have this limit, though POSIX doesn't
    exits 'a stack of 96 kB' 0 sh -c 'ulimit -s 96 && mien-predict -q -j2 -b 256 a.model <other.mien'
    ok 'is enough' cmp out p.mien
fi

# --- Operands
exits 'a model and a file' 2 mien-predict a.model other.mien
is 'are told apart' "$(cat err)" "mien-predict: unexpected operand 'other.mien': records are read from \
standard input (< other.mien); see mien-predict --help"
exits 'a model and standard input' 0 sh -c 'mien-predict a.model - <other.mien'
ok 'are fine' cmp out p.mien
exits 'standard input for a model' 2 mien-predict -
like 'is not' "$(cat err)" "^mien-predict: '-' can't be MODEL: records are read from standard input"
exits 'no model' 2 mien-predict
like 'is named' "$(cat err)" '^mien-predict: missing operand: MODEL'
finish
