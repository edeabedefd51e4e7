# steady train --resume RUN --checkpoint STEP: back to an earlier checkpoint, in a new folder.

. test/tell.sh
cd "$TMP" || exit 1
export OMP_NUM_THREADS=1 STEADY_KERNEL_CHECK=off NO_COLOR=1

cat >small.ini <<'END_RECIPE'
[data]
source = glyphs
synthetic_count = 64
image_size = 16
[model]
width = 16
depth = 2
heads = 2
patch = 8
[optim]
lr = 0.01
[schedule]
name = constant
[train]
steps = 20
batch = 16
checkpoint_every = 5
eval_every = 5
keep = 9
ema = 0.9
[probe]
every = 5
[guard]
exit = ok
END_RECIPE

back() { train --resume run --checkpoint "$@"; }
logs() { # FOLDER: its rows without times, but for the one that says where it comes from
    grep -v '"event":"branch"' "$1/train.jsonl" | sed 's/,"items_per_s":.*}/}/'
    cat "$1/probe.jsonl" "$1/eval.jsonl"
}
sums() { find "$1" -type f ! -name '*.html' | sort | xargs cksum; }
weights() { # FOLDER
    "$STEADY" export "$1" -o weights.safetensors 2>err && tail -c 20000 weights.safetensors | cksum
}

train small.ini --out run && sums run >before && logs run >wanted && weights run >wanted_weights

back 10 && cp err back.err && sums run >after && cmp before after
tell "the run that it comes from stays as it is" $?
logs runs/run-from-10 >seen && cmp wanted seen && weights runs/run-from-10 | cmp wanted_weights -
tell "without a change it takes the same steps again, bit for bit" $?
grep -q '^steady: note: no key is changed: the next steps will be those of run again$' back.err &&
    grep -q '^continuing from run/checkpoints/step-00000010.safetensors; run stays as it is$' back.err &&
    grep -q '^{"step":10,"event":"branch","text":"continued from run, checkpoint of step 10","run":"run"}$' runs/run-from-10/train.jsonl &&
    grep -q '"from": 10,' runs/run-from-10/run.json
tell "where it comes from is said and kept" $?
"$STEADY" diff run runs/run-from-10 >out 2>err && grep -q 'the runs are equal' out
tell "steady diff finds no difference then" $?

back 10 optim.lr=0.002 train.steps=16 --out other && sums run | cmp before -
[ $? = 0 ] && grep -q '"event":"resume".*optim.lr changed from 0.01 to 0.002' other/train.jsonl &&
    grep -q '^lr = 0.002$' other/recipe.ini && ! grep -q '^{"step":1[789]' other/train.jsonl &&
    [ -e other/checkpoints/step-00000010.safetensors ] && [ ! -e other/checkpoints/step-00000005.safetensors ] &&
    logs other | grep -q '"step":10,"split":"test"'
tell "with changes: rows up to the checkpoint are kept, the change is recorded" $?
"$STEADY" report other -o report.html 2>err && grep -q 'continued from run, checkpoint of step 10' report.html
tell "the report says it" $?
train --resume other train.steps=18 && grep -q 'resuming at step 16 of 18' err &&
    [ "$(grep -c '"event":"branch"' other/train.jsonl)" = 1 ] && [ "$(grep -c '^{"step":[0-9]*,"epoch' other/train.jsonl)" = 18 ]
tell "it is resumed like any other" $?
cp -R other killed && rm killed/checkpoints/step-00000015* killed/checkpoints/step-00000016* killed/checkpoints/step-00000018*
train --resume killed train.steps=18 && [ "$(sed -n 's/.*"event":"\([a-z]*\)".*/\1/p' killed/train.jsonl | tr '\n' ' ')" = "branch resume " ]
tell "killed before its first checkpoint it goes on from the one that it began with" $?
train --resume other --checkpoint 15 --out third && grep -q '"run":"run"' third/train.jsonl && grep -q '"run":"other"' third/train.jsonl
tell "a branch of a branch knows both" $?

# ---- the best checkpoint ----

best() { sed -n 's/.*"step":\([0-9]*\),.*/\1/p' seen; }
"$STEADY" eval run --checkpoint best >seen 2>err && first=$(best)
train --resume run --checkpoint best train.steps=30 --out onward && grep -q "^resuming at step $first of 30$" err
tell "--checkpoint best is a start, too" $?
cp -R run gone && rm gone/checkpoints/step-00000005* && cp gone/checkpoints/step-00000020.safetensors gone/checkpoints/best.safetensors
train --resume gone --checkpoint 10 train.steps=12 --out fresh && [ -e fresh/checkpoints/best.safetensors ]
tell "a run whose best checkpoint is gone has one again" $?
at_ten=$(head -c 4000 run/checkpoints/step-00000010.safetensors | grep -a -o '"best_step":"[0-9]*"' | tr -dc 0-9)
[ "$at_ten" = 10 ] || grep -q "of step $at_ten, is not in gone any more: the choice starts anew" err
tell "which is said" $?

# ---- what is refused leaves nothing ----

rm -rf runs
untouched() { [ ! -e runs ] && [ ! -e new ] && sums run | cmp before -; }
refuses() { # NAME EXIT PATTERN WORDS...
    name=$1 wanted=$2 pattern=$3
    shift 3
    fails "$wanted" "$pattern" train --resume "$@" && untouched
    tell "$name" $?
}
refuses "a step without a checkpoint: those that are there are listed" 3 \
    'no such checkpoint; run has those of steps 20, 15, 10, 5$' run --checkpoint 7
refuses "what is no step" 2 'expected a step, such as 400, or best' run --checkpoint ten
refuses "another model" 2 'model.width' run --checkpoint 10 model.width=32
refuses "nothing left to train" 2 'the run ends at step 20, so no step is left to train .*train.steps=N' run --checkpoint 20
refuses "a folder that is in use" 2 'already contains a run' run --checkpoint 10 --out run
refuses "a folder without --checkpoint" 2 'in a new folder from a checkpoint: --checkpoint STEP' run --out new
refuses "a checkpoint in place of the run" 2 'to go back to it: steady train --resume run --checkpoint 10$' \
    run/checkpoints/step-00000010.safetensors
fails 2 '--checkpoint needs --resume RUN; ' train small.ini --checkpoint 10 && untouched
tell "--checkpoint of a new run" $?
head -c 3000 run/checkpoints/step-00000015.safetensors >cut && cp -R run torn && cp cut torn/checkpoints/step-00000015.safetensors
fails 3 'step-00000015' train --resume torn --checkpoint 15 --out new && untouched
tell "a damaged checkpoint" $?
back 10 --dry-run train.steps=30 && grep -q '^would write to runs/run-from-10$' err && untouched
tell "a dry run" $?
if [ "$(id -u)" != 0 ]; then
    mkdir shut && chmod 555 shut
    fails 1 'shut' train --resume run --checkpoint 10 --out shut/new
    tell "a folder that cannot be written" $?
    chmod 755 shut
fi

# ---- the hint ----

train small.ini intervene.at=12 intervene.model.temperature=0.001 --out bad
grep -q '^or go back to step 10, before the collapse: steady train --resume bad --checkpoint 10 optim.lr=VALUE$' err
tell "a run that collapsed says where it can be continued from" $?
rm bad/checkpoints/step-0000001* bad/checkpoints/step-00000005* bad/checkpoints/best*
train --resume bad
grep -q '^no checkpoint from before the collapse (step 1[0-9]) is left to go back to; to keep more: train.checkpoint_every=N train.keep=N$' err
tell "or that none is left" $?
