# The paper's figures and tables in small: make reproduce-NAME, a name of docs/paper.md.
#
#   make reproduce-quick            those under ten minutes on two cores, one after the other
#   make reproduce-names            lists them
#   make reproduce-deep JOBS=4      runs at a time; DATA=FOLDER: where the data are (default: data)
#   make reproduce-precision-keep FORCE=--force    bf16 on a processor without it: plain loops
#
# Each is a sweep in OUT/NAME, which can be interrupted: the same command goes on.  Folders in DATA
# are mnist, cifar10, multi30k, librispeech-digits and tinyshakespeare (docs/data.md).  A planned
# sweep reads what its plan says: with another DATA its folders have to be in data/ as links.

DATA ?= data
OUT ?= runs/reproduce
JOBS ?= 2
STEADY ?= $(B)/steady
FORCE ?=

SWEEP = $(STEADY) sweep $(FORCE) --jobs $(JOBS) --out $(OUT)/$(@:reproduce-%=%)
PLAN = $(SWEEP) --plan docs/plans
MULTI30K = data.path=$(DATA)/multi30k/train data.val_path=$(DATA)/multi30k/val \
	data.test_path=$(DATA)/multi30k/test_2016_flickr
DIGITS = data.path=$(DATA)/librispeech-digits
FOUR_KINDS = digits-post-$(1),digits-pre-$(1),digits-sigma-$(1),digits-sigma-post-$(1)
EIGHT_KINDS = $(FOUR_KINDS),digits-spectral-$(1),digits-spectral-post-$(1),digits-weight-$(1),digits-weight-post-$(1)

PRECISION = precision-edge precision-control precision-front precision-keep \
	precision-learning-mnist precision-learning-cifar10 precision-learning-multi30k \
	precision-learning-shakespeare precision-learning-digits
QUICK = rates theory steps deep100 shakespeare digits-warmup digits-init digits-lars
LONG = demo mnist mnist-lars cifar10 grid-scan-mnist grid-scan-cifar10 grid-scan-glyphs \
	grid-mnist grid-cifar10 grid-glyphs norms ablation temperature temperature-which simclr \
	deep deep-fast deep-separate deep-rates deep-rates-low deep-tuned multi30k words-scan digits digits-adagrad digits-lars-kinds \
	digits-rates digits-sigma-init digits-sigma-warmup digits-entropies digits-lars-seeds digits-deep collapse collapse-post collapse-cells collapse-default $(PRECISION)

.PHONY: reproduce-names reproduce-quick reproduce-all $(QUICK:%=reproduce-%) $(LONG:%=reproduce-%)
reproduce-names:
	@printf '%s\n' $(QUICK) $(LONG)
reproduce-quick: $(QUICK:%=reproduce-%)
reproduce-all: $(QUICK:%=reproduce-%) $(LONG:%=reproduce-%)
$(QUICK:%=reproduce-%) $(LONG:%=reproduce-%): | $(STEADY)

# ---- vision ------------------------------------------------------------------------------

reproduce-rates:
	$(SWEEP) demo optim.lr=0.004,0.008,0.016,0.032 train.seed=1,2,3 train.checkpoint_every=0
	$(STEADY) plot $(OUT)/rates/cells/optim.lr=0.008,train.seed=1 \
		$(OUT)/rates/cells/optim.lr=0.016,train.seed=1 --layers all -o $(OUT)/rates/pair.png

reproduce-mnist:
	$(SWEEP) mnist,mnist-sigma data.path=$(DATA)/mnist train.seed=0,1,2

reproduce-mnist-lars:
	$(SWEEP) mnist-sigma-lars data.path=$(DATA)/mnist train.seed=0,1,2

reproduce-cifar10:
	$(SWEEP) cifar10,cifar10-sigma data.path=$(DATA)/cifar10 model.patch=8 model.width=128 model.heads=4 \
		model.init_std=0.05 train.epochs=10 train.batch=64 train.seed=0,1,2 \
		cifar10:schedule.warmup_epochs=2 \
		cifar10-sigma:'{model.norm,optim.name,optim.lr}={none,lars,2;pre,adamw,0.001}'

# Folders of data/ that a plan reads: by its words, or else by its recipes.
plan_reads = { sed -n 's/^ *"[^"]*path=\([^"]*\)",*$$/\1/p' $(1) | grep . || \
	for recipe in $$(sed -n '/"words"/{n;s/[",]/ /g;p;}' $(1)); do \
	$(STEADY) recipes $$recipe | sed -n 's/^path = *\([^ ]*\).*/\1/p'; done; } | \
	sed -n 's|^\(data/[^/]*\).*|\1|p' | sort -u
# Stops with what to do where these are not those of DATA.
check_data = @[ "$(abspath $(DATA))" = "$(abspath data)" ] || \
	for set in $$($(call plan_reads,$(1))); do \
	own="$(abspath $(DATA))/$${set\#data/}"; \
	if [ ! -e "$$own" ]; then why="$$own is not there (docs/data.md)"; \
	elif [ ! "$$set" -ef "$$own" ]; then why="ln -s $$own $$set, and again"; else continue; fi; \
	echo "make $@: $(1) reads $$set, whatever DATA is: $$why" >&2; exit 1; done

PLANNED = demo grid-scan-mnist grid-scan-cifar10 grid-scan-glyphs grid-mnist grid-cifar10 grid-glyphs \
	norms ablation simclr deep-rates deep-rates-low deep-tuned words-scan collapse-cells collapse-default \
	$(filter-out precision-edge precision-control,$(PRECISION))
$(PLANNED:%=reproduce-%):
	$(call check_data,docs/plans/$(@:reproduce-%=%).json)
	$(PLAN)/$(@:reproduce-%=%).json

reproduce-temperature:
	$(call check_data,docs/plans/temperature-when.json)
	$(PLAN)/temperature-when.json

reproduce-temperature-which:
	$(call check_data,docs/plans/temperature-which.json)
	$(PLAN)/temperature-which.json

# As in the plans of these names, with the initial weights that demo-sigma had then.
EDGE = demo,demo-sigma demo-sigma:model.init_std=0.2 train.threads=1 model.depth=6 train.steps=240 probe.every=10 \
	data.test_limit=500 train.seed=0,1,2,3 --fail 'loss > 1.5 or entropy < 0.1'
reproduce-precision-edge:
	$(SWEEP) $(EDGE) demo:optim.lr=0.008,0.0113,0.016,0.0226 demo-sigma:optim.lr=0.04,0.0566,0.08,0.113 \
		train.precision=fp32,bf16 --method recipe,train.precision

reproduce-precision-control:
	$(SWEEP) $(EDGE) demo:optim.lr=0.01130001,0.01600001 demo-sigma:optim.lr=0.05660005,0.0800001 train.precision=fp32

# ---- translation -------------------------------------------------------------------------

TRANSLATORS = numbers-pre,numbers-post,numbers-post-sigma,numbers-deepnorm,numbers-deepnorm-sigma
reproduce-deep:
	$(SWEEP) $(TRANSLATORS) model.qkv=joint model.depth=6,18,50 train.seed=1,2,3 train.beam=0

reproduce-deep-separate:
	$(SWEEP) numbers-post-sigma,numbers-deepnorm-sigma model.depth=6,18,50 train.seed=1,2,3 train.beam=0

reproduce-deep-fast:
	$(SWEEP) numbers-post-sigma,numbers-deepnorm-sigma model.qkv=joint optim.lr=0.0045 model.depth=6,18,50 \
		train.seed=1,2,3 train.beam=0

reproduce-deep100:
	$(SWEEP) numbers-deepnorm-sigma model.qkv=joint model.depth=100 optim.lr=0.001 train.steps=900 train.seed=1 train.beam=0

reproduce-multi30k:
	$(SWEEP) multi30k-post,multi30k-post-sigma model.qkv=joint $(MULTI30K) train.seed=1

# ---- language ----------------------------------------------------------------------------

reproduce-shakespeare:
	$(SWEEP) shakespeare-post,shakespeare-sigma model.qkv=joint data.path=$(DATA)/tinyshakespeare/input.txt \
		optim.weight_decay=0,0.1 train.seed=1,2,3

# Three parts of one text of 1,115,394 bytes: 1,000,000, and two halves of the rest.
WORDS = runs/shakespeare-words
TEXT = $(DATA)/tinyshakespeare/input.txt
reproduce-words-scan: words-parts
.PHONY: words-parts
words-parts:
	@[ -f "$(TEXT)" ] || { echo "make $@: $(TEXT) is not there (docs/data.md)" >&2; exit 1; }
	@bytes=$$(($$(wc -c <"$(TEXT)"))); [ $$bytes = 1115394 ] || { echo "make $@: $(TEXT) has" \
	"$$bytes bytes; expected the 1115394 of tiny Shakespeare (docs/data.md)" >&2; exit 1; }
	mkdir -p $(WORDS)
	head -c 1000000 "$(TEXT)" >$(WORDS)/train.txt
	tail -c 115394 "$(TEXT)" | head -c 57697 >$(WORDS)/valid.txt
	tail -c 57697 "$(TEXT)" >$(WORDS)/test.txt

# ---- speech ------------------------------------------------------------------------------

reproduce-digits:
	$(SWEEP) digits-post,digits-pre,digits-sigma,digits-sigma-post $(DIGITS) train.seed=0

reproduce-digits-adagrad:
	$(SWEEP) $(call EIGHT_KINDS,adagrad) $(DIGITS) train.seed=1,2

reproduce-digits-lars-kinds:
	$(SWEEP) $(call EIGHT_KINDS,lars) $(DIGITS) train.steps=1600 schedule.step_at=1000,1200,1400 \
		train.eval_every=400 train.seed=1,2

reproduce-digits-rates:
	$(SWEEP) $(call FOUR_KINDS,adagrad) $(DIGITS) optim.lr=0.003,0.01,0.03,0.1,0.3 train.steps=300 train.seed=1

reproduce-digits-init:
	$(SWEEP) $(call FOUR_KINDS,adagrad) $(DIGITS) model.init=normal model.init_std=0.03,0.1,0.3 train.steps=300 train.seed=1

reproduce-digits-warmup:
	$(SWEEP) $(call FOUR_KINDS,adagrad) $(DIGITS) schedule.warmup_steps=0,30,300 train.steps=300 train.seed=1

# Further seeds of single settings.
MORE = $(DIGITS) train.steps=300 train.seed=2,3,4,5
reproduce-digits-sigma-init:
	$(SWEEP) digits-sigma-adagrad $(MORE) model.init=normal model.init_std=0.03,0.1,0.3

reproduce-digits-sigma-warmup:
	$(SWEEP) digits-sigma-adagrad $(MORE) schedule.warmup_steps=0,30,300

reproduce-digits-entropies:
	$(SWEEP) $(call FOUR_KINDS,adagrad) $(MORE) digits-post-adagrad:optim.lr=0.03 digits-pre-adagrad:optim.lr=0.3 \
		digits-sigma-adagrad:optim.lr=0.3 digits-sigma-post-adagrad:optim.lr=0.1

reproduce-digits-lars-seeds:
	$(SWEEP) digits-post-lars,digits-pre-lars,digits-sigma-lars $(MORE) digits-post-lars:optim.lr=3 \
		digits-pre-lars:optim.lr=10 digits-sigma-lars:optim.lr=10

reproduce-digits-lars:
	$(SWEEP) $(call FOUR_KINDS,lars) $(DIGITS) optim.lr=1,3,10 train.steps=300 train.seed=1

reproduce-digits-deep:
	$(SWEEP) $(call FOUR_KINDS,adagrad) $(DIGITS) model.depth=36 optim.lr=0.003,0.01,0.03 train.steps=400 train.seed=1

COLLAPSE = $(DIGITS) schedule.warmup_steps=0 train.steps=60 train.seed=1 probe.every=1
reproduce-collapse:
	$(SWEEP) digits-sigma-adagrad $(COLLAPSE) \
		'{optim.front_lr_scale,model.reparam_front,model.power_steps}={1,false,1;0.1,false,1;1,true,1;1,false,auto;0.1,false,auto}'

reproduce-collapse-post:
	$(SWEEP) digits-sigma-post-adagrad $(COLLAPSE) '{optim.front_lr_scale,model.reparam_front}={1,false;0.1,false;1,true}'

# ---- theory, time -------------------------------------------------------------------------

reproduce-theory:
	$(STEADY) bench theory --repeat 5

reproduce-steps:
	$(STEADY) bench norms --model asr-12l --repeat 45
	$(STEADY) bench steps --model mt-18l,asr-12l
	$(STEADY) bench steps --model mt-18l,asr-12l model.norm=none model.reparam=sigma
