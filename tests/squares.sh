# A detector for tests, sourced by those that need one.
# shellcheck shell=sh

# squares_detector MODEL WEIGHT BIAS: a model that takes squares of 16 x 16 pixels on an input of
# 64 x 64 for faces: the brightness of a cell of 8 x 8 pixels, times WEIGHT plus BIAS, is its score,
# its box is 16 pixels wide. WEIGHT and BIAS are the bytes of floats, as printf writes them.
# shellcheck disable=SC2059 # the bytes are a format
squares_detector() {
    cat >squares.json <<'END'
{"format": "graph-model", "signature": {"outputs": {"s": {"name": "s:0"}, "b": {"name": "b:0"}}},
 "modelTopology": {"node": [
  {"name": "x", "op": "Placeholder", "attr": {"shape": {"shape": {"dim":
    [{"size": "1"}, {"size": "64"}, {"size": "64"}, {"size": "3"}]}}}},
  {"name": "s/w", "op": "Const"}, {"name": "s/b", "op": "Const"},
  {"name": "b/w", "op": "Const"}, {"name": "b/b", "op": "Const"},
  {"name": "s/c", "op": "Conv2D", "input": ["x", "s/w"], "attr":
    {"strides": {"list": {"i": ["1", "8", "8", "1"]}}, "padding": {"s": "U0FNRQ=="}}},
  {"name": "s", "op": "BiasAdd", "input": ["s/c", "s/b"]},
  {"name": "b/c", "op": "Conv2D", "input": ["x", "b/w"], "attr":
    {"strides": {"list": {"i": ["1", "8", "8", "1"]}}, "padding": {"s": "U0FNRQ=="}}},
  {"name": "b", "op": "BiasAdd", "input": ["b/c", "b/b"]}]},
 "weightsManifest": [{"paths": ["squares.bin"], "weights": [
  {"name": "s/w", "shape": [8, 8, 3, 1], "dtype": "float32"},
  {"name": "s/b", "shape": [1], "dtype": "float32"},
  {"name": "b/w", "shape": [1, 1, 3, 16], "dtype": "float32"},
  {"name": "b/b", "shape": [16], "dtype": "float32"}]}]}
END
    {
        for _ in $(seq 192); do printf "$2"; done
        printf "$3"
        head -c 192 /dev/zero
        printf '\0\0\0\0\0\0\0\0\0\0\200\101\0\0\200\101' # 0, 0, 16, 16: the box
        printf '\0\0\0\300\0\0\0\0\0\0\200\100\0\0\0\0'   # -2, 0, 4, 0: the eyes
        head -c 32 /dev/zero
    } >squares.bin
    mien-import -q --preset none -o "$1" squares.json
}
