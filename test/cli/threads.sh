# More threads than processors: the losses of one thread, and no collapse where threads wait for each other.
#
# Each task trains a few steps with 1 and with 16 threads.  What is bounded is processor time, which other programs on the
# machine do not change much: threads that spin for each other, or a product that starts threads of its own in each of 16,
# burn tens of times that of one thread.  Waking 16 threads for loops of a few microseconds may cost several times it.

. test/tell.sh
cd "$TMP" || exit 1
# What the program chooses itself is what is tested.
unset OPENBLAS_CORETYPE OPENBLAS_NUM_THREADS OMP_NUM_THREADS OMP_WAIT_POLICY GOMP_SPINCOUNT

MANY=16
SHARE=15 SECONDS_FREE=1 # of processor time: at most so many times one thread's, and so much beside it

# Of all that this shell has waited for, in seconds: user and system.
spent() {
    times | awk 'NR == 2 { for (i = 1; i <= 2; i++) { split($i, t, "[ms]"); sum += 60 * t[1] + t[2] }; print sum }'
}

# Losses and norms of gradients of a run, the figures that a step leaves.
figures() { sed 's/.*"loss":\([^,]*\),.*"grad_norm":\([^,]*\),.*/\1 \2/' "$1/train.jsonl"; }

same_figures() { # RUN RUN: within 1e-4 of each other, sums being taken in other orders
    figures "$1" >first && figures "$2" >second && [ -s first ] && paste first second | awk '
        function off(a, b) { return (a > b ? a - b : b - a) > 1e-4 * (a < 0 ? -a : a) }
        NF != 4 || off($1, $3) || off($2, $4) { print; bad = 1 }
        END { exit bad }'
}

crowded() { # TASK WORDS...
    task=$1
    shift
    rm -rf one many
    start=$(spent)
    train "$@" train.threads=1 --out one || { cat err; tell "$task: one thread" 1; return; }
    middle=$(spent)
    train "$@" train.threads=$MANY --out many || { cat err; tell "$task: $MANY threads" 1; return; }
    end=$(spent)
    same_figures one many
    tell "$task: $MANY threads, the losses of one" $?
    awk -v a="$start" -v b="$middle" -v c="$end" -v share=$SHARE -v free=$SECONDS_FREE -v task="$task" 'BEGIN {
        one = b - a; many = c - b
        if (many > share * one + free) { print task, one, "s", many, "s"; exit 1 }
    }'
    tell "$task: $MANY threads, processor time within bounds" $?
}

small="model.width=64 model.depth=2 model.heads=2 train.steps=6 train.eval_every=100 probe.every=3"
# shellcheck disable=SC2086
{
    crowded classify demo $small data.synthetic_count=160 train.batch=16
    crowded contrastive simclr-sigma data.source=glyphs data.mean=0.5 data.std=0.5 $small \
        data.synthetic_count=160 data.image_size=16 model.patch=4 train.batch=16
    crowded language grammar $small
    crowded translate numbers-pre $small data.synthetic_count=400 train.beam=0
    crowded transcribe tones $small data.synthetic_count=40 train.batch_seconds=10
}
