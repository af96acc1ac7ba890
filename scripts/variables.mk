# Files that are made anew when variables have other values, for experiment.mk and recipe.mk. Each variable
# in question is told by $(eval $(call variable,NAME)); $(OUT)/variables has the last values.

# $(call on,NAMES): files that are newer than what was made with other values of these variables.
# They are compared while make reads this file and written by a rule, so that -n and -q change nothing.
on = $(addprefix $(OUT)/variables/,$(1))
same = $(and $(findstring <$(1)>,<$(2)>),$(findstring <$(2)>,<$(1)>))
define variable
$(OUT)/variables/$(1): $$(if $$(call same,$$(file <$(OUT)/variables/$(1)),$$(strip $$($(1)))),,FORCE)
	@mkdir -p $$(@D)
	@printf '%s\n' '$$(subst ','\'',$$(strip $$($(1))))' >$$@.new && mv $$@.new $$@
endef
.PHONY: FORCE
FORCE:
