# The grade of a score: the same in a run's eval.jsonl and from `steady eval`, for each kind of task.

. test/tell.sh
cd "$TMP" || exit 1
export OMP_NUM_THREADS=1
unset OPENBLAS_CORETYPE

# "test not learned" of each row with a grade, in the order of the splits' names.
grades() { sed -n 's/.*"split":"\([^"]*\)".*"grade":"\([^"]*\)".*/\1 \2/p' "$@" | sort; }

# NAME WORDS: a short run and an evaluation of each of its splits.
same_grades() {
    name=$1; shift
    train "$@" train.threads=1 guard.exit=ok train.keep=1 --no-report --out $name || return 1
    last=$(tail -n 1 $name/eval.jsonl | sed 's/{"step":\([0-9]*\).*/"step":\1,/')
    grep "$last" $name/eval.jsonl >rows && grades rows >logged
    for split in $(sed 's/.*"split":"\([^"]*\)".*/\1/' rows); do
        "$STEADY" eval $name --split $split 2>>err || return 1
    done >scored
    [ "$(wc -l <scored)" = "$(wc -l <rows)" ] && grades scored | cmp -s - logged || {
        cat rows scored >>err
        false
    }
}

narrow="model.width=16 model.depth=1 model.heads=2 train.steps=3 train.eval_every=3"
same_grades classify demo $narrow data.limit=100 data.test_limit=60 data.val_fraction=0.2 train.batch=8 && [ -s logged ]
tell "classify: eval gives the grades of the run" $?
same_grades half demo $narrow data.limit=1000 data.test_limit=60 train.steps=40 train.batch=32 optim.lr=0.01 schedule.warmup_steps=5 &&
    [ -s logged ]
tell "classify: also of a run that has learned something" $?
same_grades contrastive cifar-simclr-sigma $narrow data.source=glyphs data.path= data.image_size=0 data.channels=1 data.mean=0.5 \
    data.std=0.5 model.patch=7 data.limit=60 data.test_limit=60 data.augment=flip train.batch=8 && [ ! -s logged ]
tell "contrastive: neither has a grade" $?
for smoothing in 0 0.1; do
    same_grades language$smoothing grammar $narrow train.batch=8 train.label_smoothing=$smoothing model.context=16 \
        data.synthetic_count=100 && [ "$(sed 's/^[a-z]* //' logged | sort -u)" = "not learned" ]
    tell "language, label smoothing $smoothing: eval gives the grades of the run" $?
done
same_grades translate numbers-pre $narrow model.decoder_depth=1 data.synthetic_count=60 train.batch=8 train.batch_tokens=0 \
    train.beam=2 && [ -s logged ]
tell "translate: eval gives the grades of the run" $?
same_grades unsearched numbers-pre $narrow model.decoder_depth=1 data.synthetic_count=60 train.batch=8 train.batch_tokens=0 \
    train.beam=0 && [ ! -s logged ]
tell "translate without a search: neither has a grade" $?
same_grades transcribe tones $narrow data.synthetic_count=40 && [ -s logged ]
tell "transcribe: eval gives the grades of the run" $?
