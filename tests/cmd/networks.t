#!/bin/sh
# The networks that come with mien can be trained: thin and on small images here, they learn noise by
# heart, in training with its dropout and at inference, with the statistics of their bn layers.
. "$(dirname "$0")/../lib.sh"

mien-fake 32 --pixels 40x40 | mien-pack -q -o noise.pack
for f in "$ROOT"/networks/*.net; do
    net=$(basename "$f" .net)
    exits "$net: new" 0 mien-net --new --mean 127.5 --scale 0.0078431 --size 40 --width 0.125 -o new.model "$f"
    exits "$net: trained" 0 mien-train -q -i new.model --keep-heads -l all -e 5 -b 8 --best last \
        -t noise.pack -v noise.pack --log log.tsv -o trained.model
    ok "$net: losses fall" awk 'NR == 1 { for (k = 1; k <= NF; k++) at[$k] = k; next }
        NR == 2 { train = $at["train_loss"]; val = $at["val_loss"] }
        END { exit !($at["train_loss"] < 0.97 * train && $at["val_loss"] < 0.97 * val) }' log.tsv
done

# The memory that mien-net foretells is what training takes: more only for the program and the pack.
mien-fake 32 --pixels 64x64 | mien-pack -q -o faces.pack
mien-net --new --scale 0.01 -o small.model "$ROOT/networks/small-64.net"
foretold=$(mien-net -b 32 small.model | sed -n 's/^training every layer in batches of 32: \(.*\) MiB (.*/\1/p')
exits 'training' 0 mien-train -j 1 -i small.model --keep-heads -l all -e 1 -b 32 -t faces.pack -o x.model
took=$(sed -n 's/.* images\/s, \(.*\) MiB.*/\1/p' err)
if grep -q __asan_init "$BUILD/bin/mien-train"; then
    skip 'memory as foretold' 'sanitizers take memory of their own'
else
    ok "memory as foretold: $foretold MiB and some, took $took" awk -v w="$foretold" -v g="$took" \
        'BEGIN { exit !(w > 100 && g > w && g < w + 32) }'
fi
finish
