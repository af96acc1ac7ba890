# The experiment on real faces, from the archive to scores side by side:
#   make && make models
#   make -f scripts/utkface.mk UTKFACE=/path/to/utkface.tar
# The original recipe's two softmax heads on the frozen network, linear and behind a hidden layer,
# against the heads that the network came with: minutes. Everything it makes lies in $(OUT).
#   ... fine    the whole network fine-tuned, and heads for the exact age on it: about an hour
#   ... small   a small network trained from nothing: about twenty minutes

# The archive of the aligned and cropped faces, which you must get for yourself.
UTKFACE ?=
# The network, from where make models puts it.
XDG_CACHE_HOME ?= $(HOME)/.cache
MIEN_MODELS ?= $(XDG_CACHE_HOME)/mien
FACE ?= $(MIEN_MODELS)/face.model
OUT ?= build/utkface
SEED ?= 1
PARTS = train val test

# A pipe fails when any of its programs does.
SHELL = bash
.SHELLFLAGS = -e -o pipefail -c
.DELETE_ON_ERROR:
.SECONDARY:
export PATH := $(CURDIR)/build/bin:$(PATH)

.PHONY: scores fine small archive network
scores: $(OUT)/own.pred $(OUT)/linear.pred $(OUT)/hidden.pred
	mien-score $^

# What must be there. Prerequisites can't have spaces in their names; these are checked by hand.
archive:
	@command -v mien-train >/dev/null || { echo "utkface.mk: mien isn't built: run make" >&2; exit 1; }
	@[ -e "$(UTKFACE)" ] || { echo "utkface.mk: give UTKFace's archive: UTKFACE=/path/to/utkface.tar" >&2; exit 1; }

network: archive
	@[ -e "$(FACE)" ] || { echo "utkface.mk: no model '$(FACE)': 'make models' fetches it" >&2; exit 1; }

# UTKFace's chips are framed as the network likes them: they are taken whole.
$(OUT)/split: | archive
	mkdir -p $(OUT)
	mien-images "$(UTKFACE)" | mien-meta --set utkface \
	    | mien-split --by content --seed $(SEED) 80/10/10 $(PARTS:%=$(OUT)/%.images)
	touch $@

$(PARTS:%=$(OUT)/%.images): $(OUT)/split ;

$(PARTS:%=$(OUT)/%.pixels): $(OUT)/split
	mien-crop --box whole --size 224 < $(@:.pixels=.images) > $@.new
	mv $@.new $@

# The frozen network is computed once for each part.
$(OUT)/%.features: $(OUT)/%.pixels | network
	mien-embed "$(FACE)" < $< > $@.new
	mv $@.new $@

$(OUT)/%.pack: $(OUT)/%.features
	mien-pack -o $@ < $<

$(OUT)/linear.model: $(OUT)/train.pack $(OUT)/val.pack
	mien-train --init "$(FACE)" --train $< --val $(OUT)/val.pack --seed $(SEED) \
	    --epochs 30 --log $(OUT)/linear.tsv -o $@

$(OUT)/hidden.model: $(OUT)/train.pack $(OUT)/val.pack
	mien-train --init "$(FACE)" --train $< --val $(OUT)/val.pack --seed $(SEED) \
	    --hidden 512 --dropout 0.5 --epochs 30 --log $(OUT)/hidden.tsv -o $@

# Fine-tuning begins with warm heads, that learn ages as distributions: new ones would shake what lies
# below. It reads the encoded images, of which every epoch sees another change.
$(OUT)/warm.model: $(OUT)/train.pack $(OUT)/val.pack
	mien-train --init "$(FACE)" --train $< --val $(OUT)/val.pack --seed $(SEED) \
	    --hidden 512 --dropout 0.5 --sigma 2 --l1 0.1 --epochs 12 --lr 5e-4 --schedule cosine -o $@

$(OUT)/%.encoded: $(OUT)/split
	mien-pack --kind image -o $@ < $(@:.encoded=.images)

$(OUT)/fine.model: $(OUT)/warm.model $(OUT)/train.encoded $(OUT)/val.encoded
	mien-train --init $< --keep-heads --last all --train $(OUT)/train.encoded \
	    --val $(OUT)/val.encoded --seed $(SEED) --optimizer adamw --decay 0.01 \
	    --lr 2e-4 --lr-backbone 3e-5 --schedule cosine --warmup 0.5 --epochs 8 --clip 5 --ema 0.998 \
	    --sigma 2 --l1 0.1 --flip --shift 0.05 --zoom 0.12 --rotate 6 --brightness 0.2 \
	    --contrast 0.2 --saturation 0.2 --erase 0.2 \
	    --checkpoint $(OUT)/fine.checkpoint --resume --log $(OUT)/fine.tsv -o $@

# Distributions blur the most probable year: heads of plain classes on the same network say it best.
$(OUT)/%.fine: $(OUT)/%.pixels $(OUT)/fine.model
	mien-embed $(OUT)/fine.model < $< | mien-pack -o $@

$(OUT)/exact.model: $(OUT)/fine.model $(OUT)/train.fine $(OUT)/val.fine
	mien-train --init $< --train $(OUT)/train.fine --val $(OUT)/val.fine --seed $(SEED) \
	    --hidden 128 --dropout 0.3 --batch 128 --epochs 10 --lr 0.002 --schedule cosine --l1 0.1 -o $@

fine: $(OUT)/fine.pred $(OUT)/flip.pred $(OUT)/exact.pred
	mien-score $^

$(OUT)/flip.pred: $(OUT)/fine.model $(OUT)/test.pixels
	mien-predict --tta $< < $(OUT)/test.pixels > $@.new
	mv $@.new $@

# From nothing, on 64x64 pixels.
$(OUT)/small.start: networks/small-64.net
	mkdir -p $(OUT)
	mien-net --new --seed $(SEED) --mean 127.5,127.5,127.5 --scale 0.0078431 -o $@ $<

$(OUT)/small.model: $(OUT)/small.start $(OUT)/train.encoded $(OUT)/val.encoded
	mien-train --init $< --keep-heads --last all --train $(OUT)/train.encoded \
	    --val $(OUT)/val.encoded --seed $(SEED) --optimizer adamw --decay 0.05 \
	    --lr 2e-3 --schedule cosine --warmup 1 --epochs 16 --batch 64 --clip 5 --sigma 2 --l1 0.1 \
	    --flip --shift 0.06 --zoom 0.1 --brightness 0.2 --contrast 0.2 --log $(OUT)/small.tsv -o $@

small: $(OUT)/small.pred
	mien-score $^

$(OUT)/small.pred: $(OUT)/small.model $(OUT)/test.images
	mien-crop --box whole --size 64 < $(OUT)/test.images | mien-predict $< > $@.new
	mv $@.new $@

$(OUT)/own.pred: $(OUT)/test.pixels | network
	mien-predict "$(FACE)" < $< > $@.new
	mv $@.new $@

$(OUT)/%.pred: $(OUT)/%.model $(OUT)/test.pixels
	mien-predict $< < $(OUT)/test.pixels > $@.new
	mv $@.new $@
