# The best network for photographs of other people, and what it takes to get there; GNU make 4.3 or later:
#   make -f scripts/recipe.mk DATA_utkface=utkface.tar DATA_aaf=aaf.tar best     hours, see doc/RESULTS.md
#   ... exact     heads for the exact year on it
#   ... cheap     the same in one pass over the faces: an eighth of the time
#   ... curve     cheap recipes on 500, 1,000, 3,000 and 10,000 faces and all
#   ... suspects  labels that networks trained on other faces find impossible: a table and pictures of them
#   ... half      a network of half of MobileNet's width taught by the best one, and untaught
#   ... SEED=2    other new weights, another order
# A set is named as mien-meta --sets lists it; DATA_NAME is its archive or folder. Photographs labeled
# otherwise are given as records: DATA_own=own.mien, made by mien-images and mien-meta.
#
# Faces are found and aligned as in photographs; of WHOLE sets, whose images are faces already, the whole
# images are learned beside the aligned crops. Images are split by content, or by person where that is
# known, before anything is cut out of them, so both views of a face are in the same part.
# Each model is judged on the validation faces of each set and view: see $(OUT)/NAME.tsv.
# Each file is made when what it's made from is newer, or when a variable that it depends on has
# another value; $(OUT)/variables has the last ones.

OUT ?= build/recipe
WHOLE ?= utkface
# How often an epoch sees the images of a set: "aaf=2". Where it sees some in two views, aligned and whole,
# it sees those of the other sets twice as well.
WEIGHTS ?= $(and $(whole),$(patsubst %,%=2,$(filter-out $(whole),$(SETS))))
# The network to start from: of mien-models --deep, or a path.
MODEL ?= $(firstword $(wildcard $(MIEN_MODELS)/deep.model) face.model)
DETECTOR ?= detect.model
SIZE ?= 224
# Percent of the images that are kept for validation, and the seed of the split.
VAL ?= 5
SPLIT ?= 1
SEED ?= 1
EPOCHS ?= 8
# bf16 takes less time where the processor has AVX512_BF16 or AMX; float gives the same bytes everywhere.
PRECISION ?= auto
# Faces, and epochs on so many: few faces are seen more often.
CURVE ?= 500:20 1000:15 3000:8 10000:3
SUSPECTS ?= 60
HALF_EPOCHS ?= 16

XDG_CACHE_HOME ?= $(HOME)/.cache
MIEN_MODELS ?= $(XDG_CACHE_HOME)/mien
here := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
ifneq ($(wildcard $(here)/../build/bin),)
export PATH := $(here)/../build/bin:$(here):$(PATH)
export MIEN_SHARE ?= $(here)/..
endif
SHELL = bash
.SHELLFLAGS = -e -o pipefail -c
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: best exact cheap curve suspects half packs points
.DEFAULT_GOAL := best

SETS := $(sort $(patsubst DATA_%,%,$(filter DATA_%,$(.VARIABLES))))
ifeq ($(SETS),)
$(error recipe.mk: no faces: give DATA_utkface=utkface.tar, say; mien-meta --sets lists the sets)
endif
whole := $(filter $(WHOLE),$(SETS))
# That utkface is there is not asked for.
ifneq ($(and $(filter-out file,$(origin WHOLE)),$(filter-out $(SETS),$(WHOLE))),)
$(error recipe.mk: WHOLE=$(WHOLE): the sets are $(SETS))
endif
$(foreach w,$(filter-out $(SETS:%=%=%),$(WEIGHTS)),\
    $(error recipe.mk: WEIGHTS=$(w): a weight is SET=NUMBER; the sets are $(SETS)))

# --- Variables ----------------------------------------------------------------------------------

include $(here)/variables.mk
$(foreach v,SETS WHOLE WEIGHTS MODEL DETECTOR SIZE VAL SPLIT SEED EPOCHS PRECISION CURVE SUSPECTS HALF_EPOCHS \
    $(SETS:%=DATA_%),\
    $(eval $(call variable,$(v))))

# --- Faces --------------------------------------------------------------------------------------

define images
ifeq ($(suffix $(DATA_$(1))),.mien)
$(OUT)/$(1).images: $(DATA_$(1)) $(call on,DATA_$(1))
	@mkdir -p $$(@D)
	cp $$< $$@
else
$(OUT)/$(1).images: $(DATA_$(1)) $(call on,DATA_$(1))
	@mkdir -p $$(@D)
	mien-images '$(DATA_$(1))' | mien-meta --set $(1) -o $$@
endif
endef
$(foreach s,$(SETS),$(eval $(call images,$(s))))

$(OUT)/%.learn $(OUT)/%.val.part &: $(OUT)/%.images $(call on,VAL SPLIT)
	mien-split --names train,val --seed $(SPLIT) $$((100 - $(VAL)))/$(VAL) $(OUT)/$*.learn $(OUT)/$*.val.part <$<

# The training faces of the learning curve are parts, too, each of which has those before it. Their seed
# is another: by the same hash, training images are those of small ones.
$(OUT)/total: $(SETS:%=$(OUT)/%.learn) $(call on,SETS)
	mien-view --count $(SETS:%=$(OUT)/%.learn) | awk '{ n += $$NF } END { print n }' >$@.new && mv $@.new $@
	echo '$(points)' >$(OUT)/points
points = $(foreach c,$(CURVE),$(firstword $(subst :, ,$(c))))
# Other points would mean other packs, and the best network trained again.
points: $(OUT)/total
	@for n in $(points); do [ $$n -lt "$$(cat $<)" ] || \
	    { echo "recipe.mk: CURVE has $$n images, of only $$(cat $<) to train on" >&2; exit 1; }; done
	@[ '$(points)' = "$$(cat $(OUT)/points)" ] || { echo "recipe.mk: the points of the curve in $(OUT) are" \
	    "$$(cat $(OUT)/points): give another OUT for others" >&2; exit 1; }
$(OUT)/%.train.part: $(OUT)/%.learn $(OUT)/total
	awk -v points='$(points)' '{ n = split(points, p, " "); for (i = 1; i <= n && p[i] < $$1; i++) { \
	    names = names "n" p[i] ","; shares = shares p[i] - last "/"; last = p[i] } \
	    print names "all", shares $$1 - last }' $(OUT)/total | { read -r names shares; \
	    if [ "$$names" = all ]; then cp $< $@; \
	    else mien-split --names $$names --seed $$(($(SPLIT) + 1)) -o $@ $$shares <$<; fi; }

# What a network reads of an image: the face as it's found in photographs, or all.
$(OUT)/%.align.pack: $(OUT)/%.part $(call on,DETECTOR SIZE)
	mien-detect --largest $(DETECTOR) <$< | mien-crop --align --size $(SIZE) | mien-pack -o $@
$(OUT)/%.whole.pack: $(OUT)/%.part $(call on,SIZE)
	mien-crop --box whole --size $(SIZE) <$< | mien-pack -o $@
# The best epoch and the temperatures are found on faces as photographs have them.
$(OUT)/val.pack: $(SETS:%=$(OUT)/%.val.align.pack) $(call on,SETS)
	mien-pack -d $(SETS:%=$(OUT)/%.val.align.pack) | mien-pack -o $@

packs_of = $(OUT)/$(1).$(2).align.pack $(if $(filter $(1),$(whole)),$(OUT)/$(1).$(2).whole.pack)
weight_of = $(patsubst $(1)=%,:%,$(filter $(1)=%,$(WEIGHTS)))
train_packs := $(foreach s,$(SETS),$(call packs_of,$(s),train))
train := $(foreach s,$(SETS),$(foreach p,$(call packs_of,$(s),train),--train $(p)$(call weight_of,$(s))))
packs: $(train_packs) $(OUT)/val.pack

# --- Networks -----------------------------------------------------------------------------------

augment = --flip --shift 0.06 --zoom 0.15 --stretch 0.05 --rotate 10 --brightness 0.25 --contrast 0.3 \
    --saturation 0.3 --cast 0.1 --soft 0.15 --erase 0.25
loss = --sigma 2 --l1 0.1
learn = --last all --optimizer adamw --decay 0.01 --schedule cosine --warmup 0.1 --batch 64 --clip 5 $(loss) \
    --precision $(PRECISION) --seed $(SEED) --val $(OUT)/val.pack $(augment)
fine = --keep-heads --lr 5e-4 --lr-backbone 1e-4 $(learn)
# An interrupted training goes on where it was.
run = --checkpoint $(@:.model=.checkpoint) --resume --log $(@:.model=.log) -o $@ && rm -f $(@:.model=.checkpoint)

# All layers are trained under warm heads, which have learned on the frozen network: new ones would shake
# what lies below.
$(OUT)/warm-%.features: $(OUT)/%.pack $(call on,MODEL)
	mien-pack -d $< | mien-embed '$(MODEL)' | mien-pack -o $@
of_warm = $(subst .pack,.features,$(subst $(OUT)/,$(OUT)/warm-,$(1)))
warm = mien-train --init '$(MODEL)' --val $(OUT)/warm-val.features --hidden 512 --dropout 0.5 $(loss) --lr 5e-4 \
    --schedule cosine --seed $(SEED)
aligned := $(SETS:%=$(OUT)/%.train.align.pack)
$(OUT)/warm.model: $(call of_warm,$(aligned) $(OUT)/val.pack) $(call on,SETS SEED)
	$(warm) $(patsubst %,--train %,$(call of_warm,$(aligned))) --epochs 12 -o $@

train_on = $(train_packs) $(OUT)/val.pack $(call on,WHOLE WEIGHTS SEED PRECISION)
$(OUT)/best.model: $(OUT)/warm.model $(train_on) $(call on,EPOCHS)
	mien-train --init $< $(train) $(fine) --ema 0.999 --epochs $(EPOCHS) $(run)
$(OUT)/cheap.model: $(OUT)/warm.model $(train_on)
	mien-train --init $< $(train) $(fine) --ema 0.99 --epochs 1 $(run)

# Distributions blur the most probable year: heads of plain classes on the same network tell it best.
# It has seen these faces before, so that more epochs make them sure of what is right for these alone.
$(OUT)/best-%.features: $(OUT)/%.pack $(OUT)/best.model
	mien-pack -d $< | mien-embed $(OUT)/best.model | mien-pack -o $@
of_best = $(subst .pack,.features,$(subst $(OUT)/,$(OUT)/best-,$(1)))
$(OUT)/exact.model: $(OUT)/best.model $(call of_best,$(train_packs) $(OUT)/val.pack)
	mien-train --init $< $(call of_best,$(train)) --val $(call of_best,$(OUT)/val.pack) \
	    --hidden 128 --dropout 0.3 --batch 128 --epochs 3 --lr 0.002 --schedule cosine --l1 0.1 --seed $(SEED) $(run)

# $(call point,FACES,EPOCHS,POINTS UP TO IT)
define point
$(OUT)/curve-$(1).pack: $(train_packs) $(call on,WHOLE) | points
	mien-pack -d $(SETS:%=$(OUT)/%.train.align.pack) $(whole:%=$(OUT)/%.train.whole.pack) \
	    | mien-view -r -c id,age,age_band,gender,split,pixels --select '$(3)' | mien-pack -o $$@
$(OUT)/warm-$(1).model: $(OUT)/warm-curve-$(1).features $(OUT)/warm-val.features $(call on,SEED)
	$(warm) --train $$< --epochs 30 -o $$@
$(OUT)/curve-$(1).model: $(OUT)/warm-$(1).model $(OUT)/curve-$(1).pack $(OUT)/val.pack $(call on,SEED PRECISION CURVE)
	mien-train --init $$< --train $(OUT)/curve-$(1).pack $(fine) --ema 0.99 --epochs $(2) $$(run)
endef
up_to =
$(foreach c,$(CURVE),$(eval n := $(firstword $(subst :, ,$(c))))\
    $(eval up_to := $(if $(up_to),$(up_to) || )split == "n$(n)")\
    $(eval $(call point,$(n),$(lastword $(subst :, ,$(c))),$(up_to))))

# A student: half of MobileNet's units in each layer, a quarter of its multiply-adds.
$(OUT)/half-new.model: $(call on,SIZE SEED)
	@mkdir -p $(@D)
	mien-net --new --width 0.5 --size $(SIZE) --seed $(SEED) --mean 127.5 --scale 0.0078431 -o $@ mobilenet-v1.net
student = --init $(OUT)/half-new.model --keep-heads --lr 2e-3 --ema 0.999 --epochs $(HALF_EPOCHS) $(train) $(learn)
$(OUT)/half-taught.model: $(OUT)/half-new.model $(OUT)/best.model $(train_on) $(call on,HALF_EPOCHS)
	mien-train $(student) --teacher $(OUT)/best.model $(run)
$(OUT)/half-alone.model: $(OUT)/half-new.model $(train_on) $(call on,HALF_EPOCHS)
	mien-train $(student) $(run)

# --- How good they are --------------------------------------------------------------------------

views := $(foreach s,$(SETS),$(s).val.align) $(whole:%=%.val.whole)
$(OUT)/%.tsv: $(OUT)/%.model $(views:%=$(OUT)/%.pack)
	printf 'model\tfaces\tn\tgender\texact year\tMAE\tCS(5)\tECE gender\tECE age\n' >$@.new
	for v in $(views); do \
	    mien-pack -q -d $(OUT)/$$v.pack | mien-predict -q $< | mien-score -q --boot 0 --format tsv --tables \
	        | awk -F'\t' -v name='$*' -v view="$${v/.val./ }" '$$2 == "(all)" { m[$$3] = $$5 } \
	            END { printf "%s\t%s\t%d\t%.2f%%\t%.2f%%\t%.3f\t%.2f%%\t%.3f\t%.3f\n", name, view, \
	                m["records"], 100 * m["gender_accuracy"], 100 * m["age_exact"], m["age_mae"], \
	                100 * m["cs5"], m["gender_ece"], m["age_ece"] }'; \
	done >>$@.new
	mv $@.new $@
show = awk 'FNR > 1 || NR == 1' $^ | { column -t -s $$'\t' 2>/dev/null || cat; }

best: $(OUT)/best.tsv
	@$(show)
exact: $(OUT)/best.tsv $(OUT)/exact.tsv
	@$(show)
cheap: $(OUT)/cheap.tsv
	@$(show)
curve: $(points:%=$(OUT)/curve-%.tsv) $(OUT)/cheap.tsv
	@$(show)
half: $(OUT)/half-alone.tsv $(OUT)/half-taught.tsv
	@$(show)

# --- Labels -------------------------------------------------------------------------------------

# Every face is judged by heads that have learned four fifths of the others, on the frozen network:
# one that was trained on these labels itself would know them by heart. The seed is a third one.
folds := 1 2 3 4 5
$(folds:%=$(OUT)/fold-%.features) &: $(aligned) $(call on,SETS MODEL SPLIT)
	mien-pack -d $(aligned) | mien-embed --keep '$(MODEL)' \
	    | mien-split --seed $$(($(SPLIT) + 2)) --names 1,2,3,4,5 20/20/20/20/20 $(folds:%=$(OUT)/fold-%.features)
define fold
$(OUT)/fold-$(1).pack: $(OUT)/fold-$(1).features
	mien-pack --kind features -o $$@ <$$<
$(OUT)/fold-$(1).model: $(folds:%=$(OUT)/fold-%.pack) $(call on,SEED)
	mien-train $$(patsubst %,--train %,$$(filter-out $(OUT)/fold-$(1).pack,$$(filter %.pack,$$^))) --hidden 512 --dropout 0.5 \
	    $(loss) --epochs 12 --lr 5e-4 --schedule cosine --seed $(SEED) -o $$@
$(OUT)/fold-$(1).pred: $(OUT)/fold-$(1).model $(OUT)/fold-$(1).features
	mien-predict --keep $$< <$(OUT)/fold-$(1).features | mien-view -r -c id,age,gender,pixels,p_age,p_gender -o $$@
endef
$(foreach k,$(folds),$(eval $(call fold,$(k))))
$(OUT)/suspects.mien: $(folds:%=$(OUT)/fold-%.pred) $(call on,SUSPECTS)
	mien-score --suspects $(SUSPECTS) -o $@ $(folds:%=$(OUT)/fold-%.pred)
# suspects.jpg or, of many, suspects-001.jpg and so on.
$(OUT)/suspects.drawn: $(OUT)/suspects.mien
	rm -f $(OUT)/suspects*.jpg
	mien-montage -o $(OUT)/suspects.jpg <$<
	touch $@
suspects: $(OUT)/suspects.mien $(OUT)/suspects.drawn
	@mien-view -c id,age,pred_age,gender,p_male,doubt $<
