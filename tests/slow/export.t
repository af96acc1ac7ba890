#!/bin/sh
# What mien-export writes, run by ONNX Runtime and by PyTorch: networks of all operators and heads, one that
# was trained, and face.model, on pixels and on photographs that another program decoded.
. "$(dirname "$0")/../lib.sh"

peers=$ROOT/scripts/peers
python=${PYTHON:-/usr/bin/python3}

# agrees NAME MODEL PIXELS [OPTION OF EXPORT-CHECK]...: both programs, or PEER, compute what mien does.
agrees() {
    about=$1 model=$2 pixels=$3
    shift 3
    for peer in ${PEER:-onnx pytorch}; do
        "$peers/export-check" "$@" "$peer" "$model" <"$pixels" >out 2>err
        status=$?
        sed 's/^/# /' out err
        case $status in
        3) skip "$about, $peer" "$(sed 's/^export-check: //' err)" ;;
        *) is "$about, $peer" $status 0 ;;
        esac
    done
}

# random MODEL: gives the statistics and slopes that mien-net makes all alike, and biases, other values.
random() {
    perl -e '
        local $/; binmode STDIN; binmode STDOUT; $_ = <STDIN>; srand 1;
        my $n = 8 + unpack("Q<", $_);
        my $header = substr($_, 8, $n - 8);
        while ($header =~ /"[^"]*\.(gamma|var|value|beta|mean|bias|slope)":\{[^}]*"data_offsets":\[(\d+),(\d+)\]/g) {
            for (my $at = $2; $at < $3; $at += 4) {
                my $v = $1 =~ /gamma|var|value/ ? 0.5 + rand : $1 eq "slope" ? rand 0.5 : rand(0.6) - 0.3;
                substr($_, $n + $at, 4) = pack("f<", $v);
            }
        }
        print' <"$1" >random.model && mv random.model "$1"
}

# All operators, on images and rows, with names that Python reserves.
cat >all.net <<'END'
input 33x29x3
c1 conv 12 3x5 stride=2x3 pad=same
c2/x conv 12 3x3 pad=1 groups=3 bias=no
b1 bn eps=0.01
r1 relu
pass dwconv 3x3 pad=same
train bn
r6 relu6
class add from=c1,r6,b1
p1 maxpool 3x3 stride=2 pad=same
p2 avgpool 3x2 stride=2 pad=1,1,1,0 from=class
pr prelu
b2 bn from=p2
cat concat from=pr,b2,p1
pd pad 1,0,2,1 channels=2,3
sg sigmoid
dr dropout 0.3
sm softmax
c9 conv 7 2x2 from=sm
n1 l2norm
d0 dense 20 from=n1
d1 dense 20 from=dr bias=no
f flatten from=dr
d2 dense 20 from=f
d3 add from=d1,d2,d0
self.weight bn
self relu
gp gap from=dr
gf dense 20 from=gp
both concat from=self,gf
pq prelu
gender_logits dense 2 from=pq
gender softmax
age_logits dense 101 from=pq
age softmax
END
mien-fake 9 --pixels 33x29 >pixels.mien
mien-net --new --seed 3 --mean 120,110,100 --scale 0.01 --color bgr -o all.model all.net
random all.model
agrees 'all operators' all.model pixels.mien
agrees 'their preprocessing' all.model pixels.mien -p
for layer in c2/x train class pd sm d1 pq; do
    agrees "features of layer $layer" all.model pixels.mien -e $layer
done

# Functions of one number, of numbers from 0 to 1 where others make no sense, and some from 1 on.
cat >functions.net <<'END'
input 33x29x3
c conv 4 3x3 stride=4
x bn
p sigmoid
q add value=1x1x1 from=p
END
last=x
function() {
    printf '%s %s from=%s\n' "f$1" "$2" "$3" >>functions.net
    printf '%s add from=%s,f%s\n' "s$1" "$last" "$1" >>functions.net
    last=s$1
}
n_f=0
while read -r from function; do
    n_f=$((n_f + 1))
    function $n_f "$function" "$from"
done <<'END'
x tanh
x hswish
x swish
x gelu
x softplus
x softsign
x mish
x exp
p log
p sqrt
x abs
x neg
x erf
q reciprocal
x sign
x floor
x ceil
x round
x sin
x cos
p tan
p asin
p acos
x atan
x sinh
x cosh
x asinh
q acosh
f9 tanh
x leaky
x leaky alpha=0.3
x elu
x elu alpha=0.5
x selu
x celu alpha=0.7
x clip -0.5,0.25
x hsigmoid
x hsigmoid alpha=0.3 beta=0.4
x threshold alpha=0.2
x shrink
x shrink alpha=0.3 beta=0.1
END
mien-net -q --new --seed 5 --mean 120 --scale 0.02 -o functions.model functions.net
random functions.model
agrees 'functions of one number' functions.model pixels.mien -e "$last"

# Convolutions: dilations; transposed ones.
cat >conv.net <<'END'
input 33x29x3
c1 conv 6 3x2 dilation=2x3 stride=2 pad=same
c2 conv 4 3x3 dilation=2 groups=2 pad=1,2,3,0 from=c1
d1 dwconv 3x3 dilation=3 pad=same from=c1
t1 tconv 8 3x3 stride=2 pad=same from=c1
t2 tconv 6 3x2 stride=2x3 pad=1,0,0,1 groups=2 outpad=1,0 from=c1
t3 tconv 4 2x2 dilation=2 pad=1 bias=no from=t2
g1 gap from=c2
g2 gap from=d1
END
mien-net -q --new --seed 7 --mean 120 --scale 0.02 -o conv.model conv.net
random conv.model
for layer in c2 d1 t1 t2 t3; do agrees "convolutions, layer $layer" conv.model pixels.mien -e $layer; done

# Pooling, and what moves elements.
cat >moves.net <<'END'
input 33x29x3
c conv 12 3x3 stride=2
m1 maxpool 3x3 stride=2 ceil=yes
m2 maxpool 3x2 stride=3x2 dilation=2 pad=3,2,1,0 from=c
a1 avgpool 3x3 stride=2 ceil=yes pad=1,0,0,1 from=c
a2 avgpool 3x3 stride=2 ceil=yes count=yes pad=1,0,0,1 from=c
a3 avgpool 2x3 count=yes pad=1 from=c
v permute 16x14x12 view=16x14x3x4 order=0,1,3,2 from=c
w permute 12x16x14 view=16x14x12 order=2,0,1 from=v
r reshape 8x28x12 from=w
s slice 3x9x5 at=1,26,11 step=2,-3,-2 from=r
b1 slice 3x9x5 at=0,0,0 step=1,1,1 from=r
k1 concat axis=h from=s,b1
k2 concat axis=w from=k1,k1
p1 pad 1,2,0,3 channels=1,0 value=0.5 from=k2
p2 pad 1,2,0,3 channels=1,2 mode=edge from=k2
p3 pad 1,2,0,3 channels=0,1 mode=reflect from=k2
k3 concat from=p1,p3
d dense 5 from=k3
e reshape 1x5x1
f conv 2 1x3
g1 gap from=m1
g2 gap from=m2
g3 gap from=a1
g4 gap from=a2
g5 gap from=a3
END
mien-net -q --new --seed 8 --mean 120 --scale 0.02 -o moves.model moves.net
random moves.model
for layer in m1 m2 a1 a2 a3 v r s k2 p2 k3 f; do agrees "layer $layer" moves.model pixels.mien -e $layer; done

# Along axes: norms, softmax, reductions; resizing; products of matrices.
cat >axes.net <<'END'
input 33x29x3
c conv 12 3x3 stride=3
n1 norm c
n2 norm hw eps=0.01 from=c
n3 norm hwc groups=3 from=c
n4 norm wc affine=no from=c
l1 lrn 5 alpha=0.3 beta=0.6 k=1.5 from=c
l2 lrn 4 alpha=0.3 from=c
l3 l2norm axes=c from=c
l4 l2norm axes=hw from=c
s1 softmax axes=c from=c
s2 softmax axes=hw from=c
s3 logsoftmax from=c
s4 logsoftmax axes=w from=c
s5 logsoftmax axes=hc from=c
k1 concat from=n1,n2,n3,n4,l1,l3,l4
k2 concat from=s1,s2,s3,s4,s5
r1 reduce mean hw from=c
r2 reduce sum c from=c
r3 reduce max h from=c
r4 reduce min wc from=c
r5 reduce prod hw from=s1
r6 reduce l1 hwc from=c
r7 reduce l2 w from=c
r8 reduce sumsq c from=c
r9 reduce logsum hc from=s1
ra reduce logsumexp hw from=c
t add from=r1,r2,r3,r4,r5,r6,r7
u add from=t,r8,r9,ra
z1 resize 23x17 mode=linear from=c
z2 resize 7x5 mode=linear coords=corners from=z1
z3 resize 13x6 mode=nearest coords=asymmetric round=floor from=z1
z4 resize 13x19 mode=cubic from=z3
z5 resize 30x20 mode=nearest round=prefer-ceil from=z4
a1 slice 4x6x12 at=0,0,0 step=1,1,1 from=z5
a2 slice 1x5x12 at=7,2,0 step=1,1,1 from=z4
m1 matmul tb=yes from=a1,a2
m2 matmul ta=yes from=m1,a1
g1 gap from=k1
g2 gap from=k2
END
mien-net -q --new --seed 9 --mean 120 --scale 0.02 -o axes.model axes.net
random axes.model
PEER=pytorch agrees 'layer l2, of an even window, which ONNX Runtime lacks' axes.model pixels.mien -e l2
for layer in k1 k2 u z2 z3 z5 m2; do agrees "layer $layer" axes.model pixels.mien -e $layer; done

# Arithmetic, broadcast in all directions, with constants on both sides.
cat >arith.net <<'END'
input 33x29x3
c conv 6 3x3 stride=3
s sigmoid
g gap from=c
gate dense 6
open sigmoid
m1 mul from=c,open
m2 mul from=open,m1
a1 add value=1x1x6
a2 add value=11x9x6
s1 sub value=1x9x1 swap=yes
d1 div value=11x1x1
d2 div value=1x1x6 swap=yes from=s
mn min from=s1,d2
mx max value=1x1x1
pw pow value=1x1x6 from=s
pq pow from=s,pw
all add from=d1,d2,mn,mx,pw,pq
row dense 6
r1 mul value=1x1x6
r2 sub from=r1,gate
r3 max from=r2,row
one dense 1
r4 mul from=one,r3
r5 add from=r4,g
cat concat from=r5,r3
gender_logits dense 2
gender softmax
END
mien-net -q --new --seed 6 --mean 120 --scale 0.02 -o arith.model arith.net
random arith.model
for layer in a2 all r5 cat; do agrees "arithmetic, layer $layer" arith.model pixels.mien -e $layer; done

# heads NAME LAYERS [OPTION OF MIEN-NET VALUE]: of all kinds.
heads() {
    printf 'input 33x29x3\nc conv 8 3x3 stride=2\nr relu\nd dense 16\ndr relu\n%b' "$2" |
        mien-net --new --mean 120 --scale 0.02 ${3:+"$3" "$4"} -o heads.model -
    random heads.model
    agrees "$1" heads.model pixels.mien
}
heads 'a sigmoid; ranks of bins' 'g dense 1\ngender sigmoid\nk coral 5 from=dr\nage sigmoid\n' --ages 0:10:20:35:50:70
heads 'ranks of years' 'k coral 100\nage sigmoid\n'
heads 'bins' 'a dense 4\nage softmax\n' --ages 0:18:40:65
heads 'years that begin below 0 and end beyond 100' 'a dense 120\nage softmax\n' --age0 -5
heads 'gender alone' 'g dense 2\ngender softmax\n'

# A trained one, its confidences calibrated.
mien-synth -q --count 400 --seed 1 data
mien-meta -q data/imdb.mat | mien-images -q -m - data/imdb_crop.tar | mien-crop -q --margin 0.4 --for 64 |
    mien-resize -q 64 | mien-split -q --by subject --seed 1 70/30 train.mien val.mien
for part in train val; do mien-pack -q -o $part.pack <$part.mien; done
mien-net -q --new --seed 1 --mean 127.5 --scale 0.0078431 -o small.model "$ROOT/networks/small-64.net"
mien-train -q --init small.model --keep-heads --last all --train train.pack --val val.pack --epochs 2 --seed 1 -o trained.model
like 'a trained network has temperatures' "$(mien-net trained.model)" '^preprocessing: .*temp_gender=0?\.?[0-9]'
agrees 'a trained network' trained.model val.mien
agrees 'its preprocessing' trained.model val.mien -p

# The checker of the ONNX project.
if "$python" -c 'import onnx' 2>/dev/null; then
    for m in all functions conv moves axes arith heads trained; do
        mien-export --with-preprocessing -o $m.onnx $m.model
        ok "onnx.checker accepts $m.model's file" "$python" -c "import onnx
onnx.checker.check_model(onnx.load('$m.onnx'), full_check=True)"
    done
else
    skip "onnx.checker" 'python3-onnx is not there'
fi

# Real faces: pixels; and photographs that Pillow decodes and resizes.
if [ -e "$MODELS/face.model" ] && [ -e "$MODELS/sample1.jpg" ]; then
    cp "$MODELS"/sample?.jpg .
    mien-images -q sample?.jpg | mien-crop -q --box whole | mien-resize -q 224 >faces.mien
    agrees 'face.model' "$MODELS/face.model" faces.mien
    agrees 'its preprocessing' "$MODELS/face.model" faces.mien -p
    agrees 'its features' "$MODELS/face.model" faces.mien -e global_pooling
    if "$python" -c 'import PIL' 2>/dev/null && [ -d "$BUILD/peers/node_modules/onnxruntime-node" ]; then
        # Squares, which need no border; then what another program makes of these files.
        mkdir squares theirs
        "$python" -c "
import sys
from PIL import Image, ImageOps
for path in sys.argv[1:]:
    ImageOps.fit(Image.open(path), (640, 640)).save('squares/' + path, quality=90)" sample?.jpg
        "$python" -c "
import base64, sys
from PIL import Image
for path in sys.argv[1:]:
    face = Image.open(path).convert('RGB').resize((224, 224), Image.BILINEAR)
    print('224,224,3', base64.b64encode(face.tobytes()).decode())" squares/*.jpg >pillow
        mien-export --with-preprocessing -o face.onnx "$MODELS/face.model"
        node "$peers/export-check.mjs" "$BUILD/peers" face.onnx '' theirs <pillow
        mien-images -q squares/*.jpg | mien-crop -q --box whole | mien-resize -q 224 |
            mien-predict -q "$MODELS/face.model" | mien-view -Hc pred_age >ours
        ok 'JPEGs that Pillow decodes get the same ages, to 0.1 years' sh -c '
            paste ours theirs/pred_age | awk "{ d = \$1 - \$2; if (!(d < 0.1 && d > -0.1)) { print; bad = 1 } }
                END { exit bad || NR != 6 }"'
        paste ours theirs/pred_age | sed 's/^/# /'
    else
        skip 'JPEGs that Pillow decodes' 'python3-pil or ONNX Runtime is not there'
    fi
else
    skip 'face.model' 'it is not there: make models'
fi

finish
