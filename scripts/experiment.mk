# An experiment from photographs to a table of scores and a page, for GNU make 4.3 or later:
#   make -f scripts/experiment.mk                                      drawings: minutes, needs no data
#   make -f scripts/experiment.mk SET=utkface DATA=utkface.tar CROSS=aaf CROSS_DATA=aaf.tar
#   make -f scripts/experiment.mk SET=imdb DATA=folder                 of imdb.mat and imdb_crop.tar
#   make -f scripts/experiment.mk SET=own TABLE=labels.csv FOLDER=photos
#   make -f scripts/experiment.mk SET=all DATA_utkface=utkface.tar DATA_aaf=aaf.tar
#                          trains on each of the sets and on all together, and judges every model on the
#                          test faces of every set
#   ... SEEDS="1 2 3"      repeats all trainings; the table has means and deviations
#   ... ROWS="own linear"  compares these recipes only
# The table compares recipes on the same test faces, which no recipe has seen:
#   own      the heads that the network came with
#   recipe   that of 2019: the last 5 layers, two softmax heads; 10% held out by image
#   held     recipe, judged as in 2019: on its held-out images, of people it may have seen
#   bins     recipe with age bins, made disjoint
#   person   recipe with validation faces of other people
#   linear   two softmax heads on the frozen network
#   hidden   the same behind a hidden layer of 512
#   few-N    hidden, trained on N of the training faces, or all where there are fewer: few-500, ...
#   fine     the whole network fine-tuned; flip: averaged with the mirror image; exact: heads for
#            the exact year on it
#   small    with MODEL= only: the whole of a new network, trained from nothing
# Each file is made when what it's made from is newer, or when a variable that it depends on has
# another value; $(OUT)/variables has the last ones. Only the paths
# of DATA, TABLE, FOLDER and MODEL can have spaces.

empty :=
space := $(empty) $(empty)
comma := ,
esc = $(subst $(space),\ ,$(strip $(1)))

SET ?= synthetic
DATA ?=
# Where labels are in a table: it, and the archive or folder of its images.
TABLE ?= $(call table_of,$(SET),$(DATA))
FOLDER ?= $(call folder_of,$(SET),$(DATA))
# Options of mien-meta, such as --column path=img.
META ?= $(call meta_of,$(SET))
# Options of mien-crop.
CROP ?= $(call crop_of,$(SET))
# Another set, on all faces of which the models are judged too.
CROSS ?=
CROSS_DATA ?=
CROSS_TABLE ?= $(call table_of,$(CROSS),$(CROSS_DATA))
CROSS_FOLDER ?= $(call folder_of,$(CROSS),$(CROSS_DATA))
CROSS_META ?= $(call meta_of,$(CROSS))
CROSS_CROP ?= $(call crop_of,$(CROSS))
# The pretrained network, where make models puts it, or a path; if empty, a new NETWORK.
MODEL ?= $(if $(filter synthetic,$(SET)),,face.model)
NETWORK ?= $(ROOT)/networks/small-64.net
SIZE ?= $(if $(MODEL),224,64)
OUT ?= build/experiment/$(SET)
ROWS ?= $(if $(MODEL),own recipe held bins person fine exact,recipe held bins person small)
SEEDS ?= 1
# The seed of the split, which is the same for all SEEDS.
SPLIT ?= 1
# Faces of one person stay in one part; subject, content, or both by default.
BY ?=
BINS ?= 0:11:21:31:41:51:60
EPOCHS ?= 10
HEAD_EPOCHS ?= 30
WARM_EPOCHS ?= 12
FINE_EPOCHS ?= 8
SMALL_EPOCHS ?= 8
# How many drawings SET=synthetic has.
COUNT ?= 1200
# Encoded images are smaller than their pixels, but only where nothing is cut out of them.
KIND ?= $(if $(filter utkface aaf fairface,$(SET)),image,pixels)

XDG_CACHE_HOME ?= $(HOME)/.cache
MIEN_MODELS ?= $(XDG_CACHE_HOME)/mien

# Where networks/ and sets/ are: the tree of this file, or where it's installed with them. Where its own
# path has spaces, make must run in the tree.
here := $(dir $(lastword $(MAKEFILE_LIST)))
here := $(patsubst %/sets,%,$(firstword $(wildcard $(here)sets $(here)../sets)))
ROOT := $(if $(here),$(abspath $(here)),$(CURDIR))
ifeq ($(wildcard $(call esc,$(ROOT))/sets),)
$(error experiment.mk: no sets/ in '$(ROOT)': where its path has spaces, make must run in the tree)
endif
ifneq ($(wildcard $(call esc,$(ROOT))/build/bin),)
export PATH := $(ROOT)/build/bin:$(ROOT)/scripts:$(PATH)
export MIEN_SHARE ?= $(ROOT)
endif
SHELL = bash
.SHELLFLAGS = -e -o pipefail -c
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: experiment table report
.DEFAULT_GOAL := experiment

# Means over the seeds and, of several, their standard deviation.
define tabulate
BEGIN { FS = "\t"; n = split("gender_accuracy age_exact age_mae cs5 bin_accuracy bin_one_off", metric, " ") }
FNR == 1 {
    set = FILENAME ~ /cross.scores$$/ ? other : own
    if (FILENAME ~ /\/on-[^\/]*.scores$$/) { # OUT/SET/seed-1/on-OTHER.scores
        depth = split(FILENAME, part, "/")
        sub(/^on-/, "", part[depth]); sub(/.scores$$/, "", part[depth])
        set = part[depth - 2] "\t" part[depth]
    }
}
$$2 == "(all)" {
    row = $$1; sub(/.*\//, "", row); sub(/\.(pred|cross|on-.*)$$/, "", row)
    row = set "\t" row
    if (!(row in seen)) { seen[row] = 1; order[++rows] = row }
    if ($$3 == "records") count[row] = $$5
    else if ($$5 != "") { k = row "\t" $$3; times[k]++; sum[k] += $$5; value[k, times[k]] = $$5 }
}
END {
    printf "%stest set\trecipe\tfaces", crossed ? "trained on\t" : ""
    for (i = 1; i <= n; i++) printf "\t%s", metric[i]
    print ""
    for (r = 1; r <= rows; r++) {
        printf "%s\t%s", order[r], count[order[r]]
        for (i = 1; i <= n; i++) {
            k = order[r] "\t" metric[i]; m = times[k]
            if (!m) { printf "\t-"; continue }
            mean = sum[k] / m; spread = 0
            for (j = 1; j <= m; j++) spread += (value[k, j] - mean) ^ 2
            unit = metric[i] == "age_mae" ? 1 : 100
            printf "\t%.2f%s", mean * unit, unit == 100 ? "%" : ""
            if (m > 1) printf " +-%.2f", sqrt(spread / (m - 1)) * unit
        }
        print ""
    }
}
endef
export tabulate

# --- Every set with every other -----------------------------------------------------------------

# Sets whose faces are framed alike are also trained on together. Each is made in a folder of its own, by
# this file: first the parts and what models read of them, then the models and their scores.
ifeq ($(SET),all)
SETS ?= $(sort $(patsubst DATA_%,%,$(filter DATA_%,$(.VARIABLES))))
ifeq ($(words $(SETS)),0)
$(error experiment.mk: SET=all needs sets: give DATA_utkface=FILE, DATA_aaf=FILE, ...)
endif
framing = $(if $(filter synthetic,$(1)),synthetic,$(if $(filter utkface aaf fairface,$(1)),whole,$(1)))
framings := $(sort $(foreach s,$(SETS),$(call framing,$(s))))
all_model := $(if $(filter-out synthetic,$(SETS)),face.model)
ALL_SETS := $(SETS) $(if $(word 2,$(SETS)),$(if $(word 2,$(framings)),,together))
self := $(lastword $(MAKEFILE_LIST))
# $(call set,NAME,TARGETS): makes these of a set.
set = +$(MAKE) -f '$(self)' SET=$(1) DATA='$(DATA_$(1))' OUT='$(OUT)/$(1)' ALL='$(OUT)' MEMBERS='$(SETS)' \
    MODEL='$(MODEL)' KIND=$(if $(filter whole,$(framings)),image,pixels) ROWS='$(filter-out held,$(ROWS))' $(2)
ifeq ($(origin MODEL),file)
override MODEL := $(all_model)
endif

.PHONY: $(SETS:%=data-%) $(ALL_SETS:%=models-%)
$(SETS:%=data-%): data-%: ; $(call set,$*,data)
$(ALL_SETS:%=models-%): models-%: $(SETS:%=data-%) ; $(call set,$*,crossed)

experiment: table
table: $(OUT)/table.tsv
	@column -t -s $$'\t' $< 2>/dev/null || cat $<
$(OUT)/table.tsv: $(ALL_SETS:%=models-%)
	@awk -v crossed=1 "$$tabulate" $(foreach s,$(SEEDS),$(foreach a,$(ALL_SETS),$(foreach b,$(SETS),$(OUT)/$(a)/seed-$(s)/on-$(b).scores))) > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
else
# What SET=all asks for.
ALL ?=
MEMBERS ?=

# --- Sets ---------------------------------------------------------------------------------------

table_of = $(if $(filter synthetic,$(1)),$(OUT)/data/imdb.mat,$(if $(filter imdb wiki,$(1)),$(2)/$(strip $(1)).mat))
# fairface: fairface_label_train.csv and fairface_label_val.csv, in the folder of the images.
folder_of = $(if $(filter synthetic,$(1)),$(OUT)/data/imdb_crop.tar,$(if $(filter imdb wiki,$(1)),$(2)/$(strip $(1))_crop.tar,$(2)))
meta_of = $(if $(filter synthetic own,$(1)),,--set $(1))
# The synthetic faces have boxes, around which networks want what they were trained with; the others are
# faces already.
crop_of = $(if $(filter synthetic,$(1)),--margin $(if $(MODEL),0.2,0.4),--box whole)
tables = $(if $(filter fairface,$(1)),'$(3)'/fairface_label_*.csv,$(if $(2),'$(2)'))

ifneq ($(words $(OUT)),1)
$(error experiment.mk: OUT can't have spaces: make takes it for several files)
endif

# What would fail after all trainings.
ifeq ($(strip $(SEEDS)),)
$(error experiment.mk: SEEDS= leaves nothing to train: give a number or several)
endif
ifneq ($(filter-out synthetic,$(CROSS)),)
ifeq ($(strip $(CROSS_FOLDER)),)
$(error experiment.mk: CROSS=$(CROSS) needs images: give CROSS_DATA=, or CROSS_TABLE= and CROSS_FOLDER=)
endif
endif
ifneq ($(filter-out 0,$(firstword $(subst :, ,$(BINS)))),)
$(error experiment.mk: BINS=$(BINS): the first bin begins with 0)
endif

# --- Variables ----------------------------------------------------------------------------------

# Beside this file; where its path has spaces, of the tree that make runs in.
include $(firstword $(wildcard $(dir $(lastword $(MAKEFILE_LIST)))variables.mk scripts/variables.mk))
$(foreach v,SET TABLE FOLDER META CROP CROSS CROSS_TABLE CROSS_FOLDER CROSS_META CROSS_CROP MODEL NETWORK SIZE \
    ROWS SEEDS SPLIT BY BINS EPOCHS HEAD_EPOCHS WARM_EPOCHS FINE_EPOCHS SMALL_EPOCHS COUNT KIND, \
    $(eval $(call variable,$(v))))

# What must be there: $(call needed,FILE,MESSAGE).
define needed
$$(call esc,$(1)):
	@echo "experiment.mk: $(2)" >&2; exit 1
endef

# --- Images -------------------------------------------------------------------------------------

ifneq ($(filter synthetic,$(SET) $(CROSS)),)
$(OUT)/data/imdb.mat $(OUT)/data/imdb_crop.tar &: $(call on,COUNT)
	mkdir -p $(OUT)/data $(OUT)/data.new
	mien-synth --count $(COUNT) $(OUT)/data.new
	mv $(OUT)/data.new/imdb.mat $(OUT)/data.new/imdb_crop.tar $(OUT)/data
	rmdir $(OUT)/data.new
endif

# $(call images,STEM,SET,TABLE,FOLDER,META,PREFIX): makes STEM.images of a set.
define images
ifeq ($(strip $(4)),)
$(1).images: ; @echo "experiment.mk: $(6)SET=$(2) can't be fetched: give $(6)DATA=, or $(6)TABLE= and $(6)FOLDER=" >&2; exit 1
else
ifneq ($(strip $(2)),synthetic)
$(call needed,$(4),no images '$(4)': see $(6)DATA and $(6)FOLDER)
ifneq ($(strip $(3)),)
$(call needed,$(3),no labels '$(3)': see $(6)DATA and $(6)TABLE)
endif
endif
ifneq ($(call tables,$(2),$(3),$(4)),)
$(1).meta: $$(call esc,$(3)) $(call on,$(6)SET $(6)TABLE $(6)META)
	mkdir -p $$(@D)
	mien-meta $(5) -o $$@ $(call tables,$(2),$(3),$(4))
$(1).images: $(1).meta $$(call esc,$(4)) $(call on,$(6)FOLDER)
	mien-images -m $$< -o $$@ '$(4)'
else
$(1).images: $$(call esc,$(4)) $(call on,$(6)SET $(6)FOLDER $(6)META)
	mkdir -p $$(@D)
	mien-images '$(4)' | mien-meta $(5) -o $$@
endif
endif
endef
CROSS_SET = $(CROSS)
$(OUT)/variables/CROSS_SET: $(OUT)/variables/CROSS ; @cp $< $@
$(eval $(call images,$(OUT)/all,$(SET),$(TABLE),$(FOLDER),$(META)))
ifneq ($(CROSS),)
$(eval $(call images,$(OUT)/cross,$(CROSS),$(CROSS_TABLE),$(CROSS_FOLDER),$(CROSS_META),CROSS_))
endif

ifeq ($(SET),together)
$(OUT)/train.part $(OUT)/val.part: $(OUT)/%.part: $(foreach m,$(MEMBERS),$(ALL)/$(m)/%.part)
	@mkdir -p $(@D)
	cat $^ > $@.new && mv $@.new $@
else
# The test faces are of people that are in no other part.
$(OUT)/train.part $(OUT)/val.part $(OUT)/test.part &: $(OUT)/all.images $(call on,SPLIT BY)
	mien-split $(BY:%=--by %) --seed $(SPLIT) 80/10/10 $(OUT)/train.part $(OUT)/val.part $(OUT)/test.part < $<
endif

# As in 2019: 10% of the others held out by image.
$(OUT)/fit.part $(OUT)/held.part &: $(OUT)/train.part $(OUT)/val.part $(call on,SPLIT)
	cat $(OUT)/train.part $(OUT)/val.part \
	    | mien-split --by id --seed $(SPLIT) 90/10 $(OUT)/fit.part $(OUT)/held.part

# --- Crops and packs ----------------------------------------------------------------------------

$(OUT)/%.pixels: $(OUT)/%.part $(call on,CROP SIZE)
	mien-crop $(CROP) --size $(SIZE) -o $@ < $<

$(OUT)/cross.pixels: $(OUT)/cross.images $(call on,CROSS_CROP SIZE)
	mien-crop $(CROSS_CROP) --size $(SIZE) -o $@ < $<

ifeq ($(KIND),image)
$(OUT)/%.pack: $(OUT)/%.part $(call on,KIND)
	mien-pack --kind image -o $@ < $<
else
$(OUT)/%.pack: $(OUT)/%.pixels $(call on,KIND)
	mien-pack -o $@ < $<
endif

# --- The network --------------------------------------------------------------------------------

ifeq ($(MODEL),)
base := $(OUT)/start.model
$(base): $(call esc,$(NETWORK)) $(call on,NETWORK MODEL)
	mkdir -p $(@D)
	mien-net --new --seed 1 --mean 127.5,127.5,127.5 --scale 0.0078431 -o $@ '$(NETWORK)'
else
base := $(if $(findstring /,$(MODEL)),$(MODEL),$(MIEN_MODELS)/$(MODEL))
$(eval $(call needed,$(base),no model '$(base)': 'make models' fetches face.model))
endif
BASE := $(call esc,$(base)) $(call on,MODEL)

# The frozen network is computed once for each part.
ifeq ($(SET),together)
$(OUT)/train.features $(OUT)/val.features: $(OUT)/%.features: $(foreach m,$(MEMBERS),$(ALL)/$(m)/%.features)
	@mkdir -p $(@D)
	for pack in $^; do mien-pack -d $$pack; done | mien-pack -o $@
endif
$(OUT)/%.features: $(OUT)/%.pixels $(BASE)
	mien-embed '$(base)' < $< | mien-pack -o $@

# --- Training and predictions -------------------------------------------------------------------

# $(call train,NAME,START,PACKS,PREREQUISITES,OPTIONS): a rule for seed-N/NAME.model, for each of SEEDS.
define train
$(foreach s,$(SEEDS),$(call train_seed,$(OUT)/seed-$(s)/$(1),$(subst @,$(OUT)/seed-$(s),$(2)),$(foreach p,$(3),$(subst @,$(OUT)/seed-$(s),$(p))),$(4),$(5),$(s)))
endef
# A checkpoint is of an interrupted training, and good while nothing that it depends on is newer.
define train_seed
$(1).model: $(call esc,$(2)) $(3) $(4)
	@mkdir -p $$(@D)
	@[ -z "$$$$(find $$(call quote,$(2)) $(3) $(4) -newer $(1).checkpoint 2>/dev/null)" ] || rm -f $(1).checkpoint
	mien-train --init '$(2)' --train $(word 1,$(3)) --val $(word 2,$(3)) --seed $(6) $(5) \
	    --checkpoint $(1).checkpoint --resume --log $(1).tsv -o $$@
	@rm -f $(1).checkpoint

endef
quote = '$(1)'
by_image = $(OUT)/fit.pack $(OUT)/held.pack
by_person = $(OUT)/train.pack $(OUT)/val.pack
frozen = $(OUT)/train.features $(OUT)/val.features
recipe = --last 5 --optimizer adam --lr 0.001 --epochs $(EPOCHS)
augment = --flip --shift 0.05 --zoom 0.12 --brightness 0.2 --contrast 0.2
with = $(call on,MODEL $(1))

$(eval $(call train,recipe,$(base),$(by_image),$(call with,EPOCHS),$(recipe)))
$(eval $(call train,bins,$(base),$(by_image),$(call with,EPOCHS BINS),$(recipe) --heads gender=2$(comma)age=$(BINS)))
$(eval $(call train,person,$(base),$(by_person),$(call with,EPOCHS),$(recipe)))
$(eval $(call train,linear,$(base),$(frozen),$(call with,HEAD_EPOCHS),--epochs $(HEAD_EPOCHS)))
$(eval $(call train,hidden,$(base),$(frozen),$(call with,HEAD_EPOCHS),\
    --hidden 512 --dropout 0.5 --epochs $(HEAD_EPOCHS)))
# A learning curve is of faces drawn at random, of each age and gender their share.
few = $(patsubst few-%,%,$(filter few-%,$(ROWS)))
define few_faces
$(OUT)/few-$(1).features: $(OUT)/train.features $(call on,SPLIT)
	n=$$$$(mien-pack -d $$< | mien-view --count); \
	if [ $$$$n -le $(1) ]; then \
	    echo "experiment.mk: few-$(1): there are $$$$n training faces" >&2; cp $$< $$@; \
	else \
	    mien-pack -d $$< | mien-split --by id --stratify age,gender --seed $(SPLIT) --names few,rest \
	        $(1)/$$$$((n - $(1))) | mien-view -r --select 'split == "few"' | mien-pack -o $$@ ; \
	fi
$(call train,few-$(1),$(base),$(OUT)/few-$(1).features $(OUT)/val.features,$(call with,HEAD_EPOCHS),\
    --hidden 512 --dropout 0.5 --epochs $(HEAD_EPOCHS))
endef
$(foreach n,$(few),$(eval $(call few_faces,$(n))))
# Fine-tuning begins with warm heads, that learn ages as distributions: new ones would shake what lies
# below. It sees another change of every image in each epoch.
$(eval $(call train,warm,$(base),$(frozen),$(call with,WARM_EPOCHS),\
    --hidden 512 --dropout 0.5 --sigma 2 --l1 0.1 --epochs $(WARM_EPOCHS) --lr 5e-4 --schedule cosine))
$(eval $(call train,fine,@/warm.model,$(by_person),$(call with,FINE_EPOCHS),\
    --keep-heads --last all --optimizer adamw --decay 0.01 --lr 2e-4 --lr-backbone 3e-5 --schedule cosine \
    --warmup 0.5 --epochs $(FINE_EPOCHS) --clip 5 --ema 0.998 --sigma 2 --l1 0.1 $(augment) \
    --rotate 6 --saturation 0.2 --erase 0.2))
# Distributions blur the most probable year: heads of plain classes on the same network tell it best.
$(eval $(call train,exact,@/fine.model,@/train.fine @/val.fine,$(call with,),\
    --hidden 128 --dropout 0.3 --batch 128 --epochs 10 --lr 0.002 --schedule cosine --l1 0.1))
$(eval $(call train,small,$(base),$(by_person),$(call with,SMALL_EPOCHS),\
    --keep-heads --last all --optimizer adamw --decay 0.05 --lr 2e-3 --schedule cosine --warmup 1 \
    --epochs $(SMALL_EPOCHS) --batch 64 --clip 5 --sigma 2 --l1 0.1 $(augment)))

# Every model of a seed is judged on the test faces, and on those of CROSS.
define seed
$(1)/%.fine: $(OUT)/%.pixels $(1)/fine.model
	mien-embed $(1)/fine.model < $$< | mien-pack -o $$@
$(1)/flip.pred: $(1)/fine.model $(OUT)/test.pixels
	mien-predict --tta -o $$@ $$< < $(OUT)/test.pixels
$(1)/flip.cross: $(1)/fine.model $(OUT)/cross.pixels
	mien-predict --tta -o $$@ $$< < $(OUT)/cross.pixels
$(1)/held.pred: $(1)/recipe.model $(OUT)/held.pixels
	mien-predict -o $$@ $$< < $(OUT)/held.pixels
$(1)/own.pred: $(OUT)/test.pixels $(BASE)
	@mkdir -p $$(@D)
	mien-predict -o $$@ '$(base)' < $$<
$(1)/own.cross: $(OUT)/cross.pixels $(BASE)
	@mkdir -p $$(@D)
	mien-predict -o $$@ '$(base)' < $$<
$(1)/%.pred: $(1)/%.model $(OUT)/test.pixels
	mien-predict -o $$@ $$< < $(OUT)/test.pixels
$(1)/%.cross: $(1)/%.model $(OUT)/cross.pixels
	mien-predict -o $$@ $$< < $(OUT)/cross.pixels
$(1)/test.scores: $(ROWS:%=$(1)/%.pred) $(call on,ROWS BINS)
	mien-score --format tsv --bins $(subst :,$(comma),$(BINS)) -o $$@ $(ROWS:%=$(1)/%.pred)
$(1)/cross.scores: $(patsubst %,$(1)/%.cross,$(filter-out held,$(ROWS))) $(call on,ROWS BINS)
	mien-score --format tsv --bins $(subst :,$(comma),$(BINS)) -o $$@ \
	    $(patsubst %,$(1)/%.cross,$(filter-out held,$(ROWS)))
endef
$(foreach s,$(SEEDS),$(eval $(call seed,$(OUT)/seed-$(s))))

# With SET=all, on the test faces of each set.
# $(call judged,FOLDER OF A SEED,SET)
define judged
$(1)/flip.on-$(2): $(1)/fine.model $(ALL)/$(2)/test.pixels
	mien-predict --tta -o $$@ $$< < $(ALL)/$(2)/test.pixels
$(1)/own.on-$(2): $(ALL)/$(2)/own.test
	@mkdir -p $$(@D)
	cp $$< $$@
$(1)/%.on-$(2): $(1)/%.model $(ALL)/$(2)/test.pixels
	mien-predict -o $$@ $$< < $(ALL)/$(2)/test.pixels
$(1)/on-$(2).scores: $(ROWS:%=$(1)/%.on-$(2)) $(call on,ROWS BINS)
	mien-score --format tsv --bins $(subst :,$(comma),$(BINS)) -o $$@ $(ROWS:%=$(1)/%.on-$(2))
endef
$(foreach s,$(SEEDS),$(foreach m,$(MEMBERS),$(eval $(call judged,$(OUT)/seed-$(s),$(m)))))
$(OUT)/own.test: $(OUT)/test.pixels $(BASE)
	mien-predict -o $@ '$(base)' < $<
# What the other sets have made by then; with -n it may not be there.
$(foreach m,$(filter-out $(SET),$(MEMBERS)),$(addprefix $(ALL)/$(m)/,train.part val.part train.features \
    val.features test.pixels own.test)): ;
.PHONY: data crossed
data: $(addprefix $(OUT)/,train.part val.part test.pixels $(if $(filter own,$(ROWS)),own.test) \
    $(if $(filter linear hidden few-% fine flip exact,$(ROWS)),train.features val.features))
crossed: $(foreach s,$(SEEDS),$(foreach m,$(MEMBERS),$(OUT)/seed-$(s)/on-$(m).scores))

# --- The table and the page ---------------------------------------------------------------------

scores = $(foreach s,$(SEEDS),$(OUT)/seed-$(s)/test.scores $(if $(CROSS),$(OUT)/seed-$(s)/cross.scores))
first = $(OUT)/seed-$(firstword $(SEEDS))

experiment: table $(if $(shell command -v gnuplot),report)
ifeq ($(shell command -v gnuplot),) # then there are the scores only
	@echo "experiment.mk: gnuplot isn't installed: no report.html" >&2
endif

table: $(OUT)/table.tsv
	@column -t -s $$'\t' $< 2>/dev/null || cat $<

$(OUT)/table.tsv: $(scores) $(call on,SEEDS SET CROSS)
	awk -v own='$(SET)' -v other='$(CROSS)' "$$tabulate" $(scores) > $@.new
	mv $@.new $@

# The page is of the last of ROWS, with its learning curves, and compares the others of its test faces.
best = $(lastword $(ROWS))
others = $(filter-out $(best) held,$(ROWS))
trained = $(if $(filter own flip,$(best)),,--log $(first)/$(best).tsv --model $(first)/$(best).model)
report: $(OUT)/report.html
$(OUT)/report.html: $(first)/$(best).pred $(others:%=$(first)/%.pred) $(OUT)/train.part $(call on,ROWS SEEDS SET)
	mien-report --title 'Ages and genders: $(SET)' $(trained) --part train=$(OUT)/train.part \
	    --part test=$(OUT)/test.part -o $@ $(first)/$(best).pred $(others:%=$(first)/%.pred)

endif
