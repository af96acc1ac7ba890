# The experiment on real faces, from the archive to scores side by side:
#   make -f scripts/utkface.mk UTKFACE=/path/to/utkface.tar FACE=/path/to/face.model
# The original recipe's two softmax heads on the frozen network, linear and behind a hidden layer,
# against the heads that the network came with. Everything it makes lies in $(OUT).

UTKFACE ?= ../shared/data/utkface.tar
FACE ?= build/face.model
OUT ?= build/utkface
SEED ?= 1
PARTS = train val test

# A pipe fails when any of its programs does.
SHELL = bash
.SHELLFLAGS = -e -o pipefail -c
.DELETE_ON_ERROR:
.SECONDARY:
export PATH := $(CURDIR)/build/bin:$(PATH)

scores: $(OUT)/own.pred $(OUT)/linear.pred $(OUT)/hidden.pred
	mien-score $^

# UTKFace's chips are framed as the network likes them: they are taken whole.
$(OUT)/split: $(UTKFACE)
	mkdir -p $(OUT)
	mien-images $< | mien-meta --names utkface \
	    | mien-split --by content --seed $(SEED) 80/10/10 $(PARTS:%=$(OUT)/%.images)
	touch $@

$(PARTS:%=$(OUT)/%.pixels): $(OUT)/split
	mien-crop --box whole < $(@:.pixels=.images) | mien-resize 224 > $@.new
	mv $@.new $@

# The frozen network is computed once for each part.
$(OUT)/%.features: $(OUT)/%.pixels $(FACE)
	mien-embed $(FACE) < $< > $@.new
	mv $@.new $@

$(OUT)/%.pack: $(OUT)/%.features
	mien-pack -o $@ < $<

$(OUT)/linear.model: $(OUT)/train.pack $(OUT)/val.pack
	mien-train --init $(FACE) --train $< --val $(OUT)/val.pack --seed $(SEED) \
	    --epochs 30 --log $(OUT)/linear.tsv -o $@

$(OUT)/hidden.model: $(OUT)/train.pack $(OUT)/val.pack
	mien-train --init $(FACE) --train $< --val $(OUT)/val.pack --seed $(SEED) \
	    --hidden 512 --dropout 0.5 --epochs 30 --log $(OUT)/hidden.tsv -o $@

$(OUT)/own.pred: $(OUT)/test.pixels $(FACE)
	mien-predict $(FACE) < $< > $@.new
	mv $@.new $@

$(OUT)/%.pred: $(OUT)/%.model $(OUT)/test.pixels
	mien-predict $< < $(OUT)/test.pixels > $@.new
	mv $@.new $@
