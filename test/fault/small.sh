# small: what the scripts of test/fault share: the program, a working folder, little runs.  Read
# in the top directory.
steady=${STEADY:-$top/build/steady}
case $steady in /*) ;; *) steady=$top/$steady ;; esac
work=$(mktemp -d "${TMPDIR:-/tmp}/steady-fault.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM
export HOME="$work/home" XDG_CACHE_HOME="$work/cache" OMP_NUM_THREADS=1 LC_ALL=C
mkdir "$HOME"
export work steady
unset OPENBLAS_CORETYPE
for word in $("$steady" doctor --env 2>/dev/null); do export "$word"; done
OMP_NUM_THREADS=1

SMALL="model.depth=1 model.width=8 model.heads=1 train.threads=1 train.epochs=0
train.checkpoint_every=4 train.eval_every=4 probe.every=2 schedule.warmup_steps=0 schedule.name=constant guard.exit=ok"
# Where ARPACK is there, sharpness is measured beside the run of `changes`.
sharpness=
"$steady" doctor 2>/dev/null | grep -q '^ARPACK  *yes' && sharpness="probe.sharpness=8 probe.sharpness_sample=4"
words_of() { # TASK
    case $1 in
    changes) echo $(words_of pictures) intervene.at=9 intervene.optim.lr=1e-4 intervene.at2=0.5e \
        intervene.model.temperature2=0.5 $sharpness ;;
    pictures) echo demo $SMALL train.batch=8 data.synthetic_count=40 ;;
    text) echo shakespeare-char data.source=grammar data.path= $SMALL model.context=16 \
        data.synthetic_count=100 train.batch=4 data.val_fraction=0 ;;
    pairs) echo numbers-post $SMALL train.batch=4 train.batch_tokens=0 train.accumulate=1 \
        data.synthetic_count=100 train.beam=2 train.max_decode=5 ;;
    speech) echo tones $SMALL train.batch=4 train.batch_seconds=0 train.accumulate=1 \
        data.synthetic_count=20 ;;
    esac
}
