# Runs that blow up or collapse: where they stop, what they say and what they leave.

. test/tell.sh
cd "$TMP" || exit 1
export OMP_NUM_THREADS=1

cat >small.ini <<'END_RECIPE'
[data]
source = glyphs
synthetic_count = 64
image_size = 16
[model]
width = 16
depth = 2
heads = 2
patch = 4
[optim]
name = sgd
lr = 0.01
[train]
steps = 12
batch = 8
eval_every = 6
checkpoint_every = 1
[guard]
exit = ok
END_RECIPE

reported() { "$STEADY" train "$@" 2>err; } # others save the half second of its figures
rows() { grep -c '"loss"' "$1"; } # of steps
finite() { ! grep -q -i 'nan\|inf[^_]\|null' "$1"; }

# ---- guard.nonfinite ----

reported small.ini optim.lr=1e30 --out blown
tell "a non-finite loss ends the run with exit 4" $((! $? == 4))

grep -q '^steady train: non-finite loss at step 2: first in op [a-z_]* at [a-z0-9.]*' err
tell "the message names step, op and place" $?

[ "$(rows blown/train.jsonl)" = 1 ] && grep -q '"step":1,' blown/train.jsonl
tell "the bad step is not logged" $?

grep -q '"step":2,"event":"non-finite"' blown/train.jsonl && grep -q '^verdict: non-finite\. ' err
tell "an event and the verdict say what ended the run" $?

[ "$(ls blown/checkpoints/step-*)" = blown/checkpoints/step-00000001.safetensors ]
tell "the checkpoint before the bad step stays" $?

grep -q -i '</html>' blown/report.html
tell "a run that blew up has a report" $?

train small.ini optim.lr=1e39 --out endless
[ $? = 4 ] && grep -q 'parameter .* is not finite' err
tell "a non-finite parameter is named" $?

[ -z "$(ls endless/checkpoints)" ]
tell "weights that are not finite are not saved" $?

train small.ini optim.lr=1e30 train.steps=1 --out last
[ $? = 4 ] && grep -q 'non-finite test loss after step 1' err
tell "the last step's weights are looked at too" $?

train small.ini optim.lr=1e30 guard.nonfinite=rollback --out back
[ $? = 4 ] && [ "$(grep -c '^rolled back to step 1' err)" = 3 ] &&
    [ "$(tail -n 1 err | cut -d: -f1)" = 'steady train' ]
tell "rollback tries three times, then exits with 4" $?

train small.ini optim.lr=1e30 guard.nonfinite=rollback train.checkpoint_every=9 --out none
[ $? = 4 ] && ! grep -q 'rolled back' err
tell "rollback without a checkpoint ends the run" $?

# 64 black pictures but for number 34 (batch 5), whose white overflows.
mkdir flash
for split in train t10k; do
    printf '\000\000\010\003\000\000\000\100\000\000\000\014\000\000\000\014' \
        >flash/$split-images-idx3-ubyte
    printf '\000\000\010\001\000\000\000\100' >flash/$split-labels-idx1-ubyte
    head -c 9216 /dev/zero >>flash/$split-images-idx3-ubyte
    for _ in 1 2 3 4 5 6 7 8; do printf '\000\001\002\003\004\005\006\007'; done \
        >>flash/$split-labels-idx1-ubyte
done
head -c 144 /dev/zero | tr '\000' '\377' |
    dd of=flash/train-images-idx3-ubyte bs=1 seek=$((16 + 34 * 144)) conv=notrunc 2>/dev/null
flash="data.source=idx data.path=flash data.image_size=12 data.shuffle=false data.std=1e-30
    model.norm=none train.steps=10"

# shellcheck disable=SC2086
train small.ini $flash --out flashed
[ $? = 4 ] && grep -q 'at step 5: ' err
tell "one bad batch ends a run without rollback" $?

# shellcheck disable=SC2086
reported small.ini $flash guard.nonfinite=rollback --out passed
[ $? = 0 ] && [ "$(grep -c 'rolled back to step 4, skipping 1 batches (rollback 1 of 3)' err)" = 1 ] &&
    [ "$(rows passed/train.jsonl)" = 10 ] && finite passed/eval.jsonl
tell "rollback passes over a bad batch and exits with 0" $?
[ "$(grep -c '"event"' passed/train.jsonl)" = 1 ] && sed -n 5p passed/train.jsonl |
    grep -q '^{"step":4,"event":"rollback","text":"rolled back to step 4, skipping 1 batches: non-finite' &&
    grep -q 'rolled back to step 4' passed/report.html
tell "and leaves an event behind step 4, in log and report" $?

# Steps that are due are measured once, whatever was undone.
# shellcheck disable=SC2086
train small.ini $flash guard.nonfinite=rollback probe.sharpness=2 probe.sharpness_sample=4 --out curved
code=$?
if grep -q 'needs ARPACK' err; then echo "skip rollback with probe.sharpness: needs ARPACK"
else
    [ $code = 0 ] && grep -q 'rolled back to step 4' err && [ ! -e curved/sharpness ] &&
        [ "$(sed -n 's/{"step":\([0-9]*\),"sharpness":{.*/\1/p' curved/probe.jsonl | sort -n | tr '\n' ' ')" = "2 4 6 8 10 " ]
    tell "a rollback leaves one row of sharpness for each step that is due" $?
fi

# The intervention behind step 4 acts again with each of two rollbacks to it.
# shellcheck disable=SC2086
train small.ini $flash guard.nonfinite=rollback train.steps=8 intervene.at=4 \
    intervene.optim.clip=0.5 intervene.optim.lr=1e-3 --out changed && rows_of() {
    sed -n 's/{"step":4,"event":"\([^"]*\)".*/\1/p' changed/train.jsonl | tr '\n' ' '
}
[ $? = 0 ] && [ "$(rows_of)" = 'rollback intervene intervene ' ]
tell "rows of an intervention that acts again behind a rollback are there once" $?

# Killed between the rollback and the next checkpoint: the same batch is met again, logged once.
# shellcheck disable=SC2086
train small.ini $flash guard.nonfinite=rollback train.steps=4 --out redone &&
    cat passed/train.jsonl >redone/train.jsonl && train --resume redone train.steps=10
timeless redone/train.jsonl >a && timeless passed/train.jsonl | cmp - a
tell "a resume from before the rollback writes its event once" $?

# Interrupted after the rollback: the batch stays passed over.
# shellcheck disable=SC2086
train small.ini $flash guard.nonfinite=rollback train.steps=7 --out halves &&
    train --resume halves train.steps=10 && ! grep -q 'rolled back' err &&
    cut -d, -f1-5 passed/train.jsonl >whole && cut -d, -f1-5 halves/train.jsonl | cmp - whole
tell "a resumed run remembers the batch it has passed over" $?

# Step 4 is scored, undone and scored again: its loss counts once.
# shellcheck disable=SC2086
train small.ini $flash guard.nonfinite=rollback schedule.name=plateau schedule.patience=0 \
    schedule.step_factor=0.5 optim.lr=4 train.eval_every=1 train.checkpoint_every=3 --out down
status=$?
field() { sed -n "s/.*\"$1\":\([^,}]*\)[,}].*/\1/p" "$2"; }
field loss down/eval.jsonl | awk 'BEGIN { lr = 4 }
    { print lr } NR == 1 || $1 < best * (1 - 1e-4) { best = $1; next } { lr /= 2 }' >want
[ $status = 0 ] && grep -q 'rolled back to step 3, skipping 2 batches' err &&
    field lr down/train.jsonl | awk '{ print $1 + 0 }' | cmp - want && [ "$(sed -n 4p want)" != "$(sed -n 5p want)" ]
tell "schedule = plateau forgets the evaluations that a rollback undoes" $?

# ---- guard.collapse ----

train small.ini guard.collapse=stop guard.entropy_below=1 optim.lr=1e-9 --out fallen
[ $? = 5 ] && grep -q '^steady train: entropy collapse: blocks.0.attn fell to .* at step 1 ' err
tell "guard.collapse = stop ends the run with exit 5 and names the layer" $?

train small.ini guard.collapse=warn guard.entropy_below=1 --out warned
[ $? = 0 ] && [ "$(grep -c '^warning: entropy collapse: blocks.1.attn ' err)" = 1 ]
tell "guard.collapse = warn says so once a layer and goes on" $?

[ "$(grep -c '"event":"alarm"' warned/train.jsonl)" = 2 ] && sed -n 1p warned/train.jsonl |
    grep -q '^{"step":1,"event":"alarm","text":"entropy collapse: blocks.0.attn fell to .*"site":"blocks.0.attn"'
tell "each warning is an event before the row of its step" $?
train small.ini guard.collapse=warn guard.entropy_below=1 train.steps=7 --out wary &&
    train --resume wary train.steps=12 && ! grep -q 'entropy collapse' err
timeless wary/train.jsonl >a && timeless warned/train.jsonl | cmp - a
tell "a resumed run has not forgotten which layers it warned of" $?

# Adagrad's first step moves weights by five times themselves; block 0 falls at step 4.
fall="optim.name=adagrad optim.lr=0.1 guard.entropy_below=0.9"
why='at step 4\. Between steps 1 and 4 its input |x|^2 changed by a factor of [0-9.]*, sigma^2 of its queries and keys by [0-9.]*; blocks.0.mlp.fc1.weight changed by 5[.0-9]* times its norm at step 1\.$'
# shellcheck disable=SC2086
train small.ini $fall probe.every=2 --out caused && grep -q "^warning: entropy collapse: blocks.0.attn .*$why" err &&
    grep -q '"event":"alarm","text":"[^"]*entropy","site":"blocks.0.attn",.*"cause":"Between steps 1 and 4 its input' caused/train.jsonl
tell "the warning and its event say which factor grew, and what moved" $?
# shellcheck disable=SC2086
train small.ini $fall probe.every=2 train.steps=3 --out causes && train --resume causes train.steps=12 &&
    grep -q "^warning: entropy collapse: blocks.0.attn .*$why" err
timeless causes/train.jsonl >a && timeless caused/train.jsonl | cmp - a
tell "a resumed run says the same" $?
# shellcheck disable=SC2086
train small.ini $fall probe.every=2 guard.collapse=stop --out halted
[ $? = 5 ] && grep -q "^steady train: entropy collapse: .* at step 4 .* warm-up\. ${why#*\. }" err &&
    [ "$(tail -n 1 halted/probe.jsonl | cut -c 1-10)" = '{"step":4,' ]
tell "so does the message of exit 5, behind the last probe" $?
# shellcheck disable=SC2086
train small.ini $fall probe.every=3 guard.collapse=stop --out earlier
[ $? = 5 ] && grep -q 'Between steps 1 and 3 its input' err &&
    train small.ini $fall probe.every=0 --out unprobed &&
    grep -q 'at step 4\. Before that blocks.0.mlp.fc1.weight changed by' err
tell "without a probe of the step it is that of the last, without probes what is known" $?

# It falls at step 2; the probes are of steps 1 and 12.
train small.ini optim.name=adagrad optim.lr=1 probe.every=100 --out between
grep -q "^verdict: .*collapsed.* fell below 10 % of .* at step [2-9] (the guard's warning; no probe at that step); lowest seen: " err &&
    ! grep '^verdict: .*was above' err && "$STEADY" report between 2>/dev/null && grep -q 'no probe at that step' between/report.html
tell "a collapse between two probes is in the verdict, on the terminal and in the report" $?
train small.ini probe.every=100 --out steady && grep -q '^verdict: .*entropy was above 10 % of .* at all 2 probes (steps 1 to 12); ' err
tell "a verdict says at how many probes attention was high" $?

# ---- guard.update_above ----

train small.ini optim.name=adagrad optim.lr=0.1 --out moved
[ $? = 0 ] && [ "$(grep -c '"moved":' moved/train.jsonl)" = 1 ] && sed -n 1p moved/train.jsonl |
    grep -q '^{"step":1,"epoch".*"moved":{.*"tensor":"blocks[^"]*".*"text":"[^"]* changed by [0-9.]* times its norm, and [0-9]* more tensors' &&
    grep -q '^warning: step 1: blocks.*changed by .*optim.lr (guard.update_above)' err
tell "a tensor that a step moves by over 0.3 of itself is named, with the step" $?
train small.ini optim.name=adagrad optim.lr=0.1 train.steps=7 --out movable &&
    train --resume movable train.steps=12 && ! grep -q 'times its norm' err
timeless movable/train.jsonl >a && timeless moved/train.jsonl | cmp - a
tell "a resumed run warns of no tensor twice" $?
train small.ini optim.name=adagrad optim.lr=0.1 guard.update_above=0 --out unmoved
[ $? = 0 ] && ! grep -q 'times its norm' err && ! grep -q moved unmoved/train.jsonl &&
    timeless unmoved/train.jsonl >a && timeless moved/train.jsonl | sed 's/, *"moved": *{.*}}$/}/' | cmp - a
tell "guard.update_above = 0 says nothing, and the steps are the same" $?
train small.ini optim.lr=1e-4 --out quiet && ! grep -q 'times its norm' err
tell "a quiet run is not warned of, whatever its biases do" $?

# ---- guard.exit ----

# Nothing can be learned at a rate of next to nothing.
still="optim.lr=1e-9 guard.exit=verdict probe.every=0"
# shellcheck disable=SC2086
train small.ini $still --out still
[ $? = 4 ] && [ "$(tail -n 1 err)" = "steady train: the run diverged: at chance (to end with 0 in such cases: guard.exit=ok)" ] &&
    [ -s still/checkpoints/step-00000012.safetensors ]
tell "a run at chance takes its steps, is saved, and ends with 4" $?
[ "$(grep -c '^verdict: at chance\. ' err)" = 1 ] && grep -q '^score: test top-1 [0-9.]* % at step 12' err &&
    grep -q '^next: ' err
tell "with its verdict, its score, and what to try" $?
train --resume still
[ $? = 4 ] && grep -q '^still is finished (12 steps)' err && grep -q '^verdict: at chance\. ' err
tell "resumed, it says so again and ends with 4 again" $?
train --resume still guard.exit=ok && grep -q '^verdict: at chance\. ' err && ! grep -q '^steady train:' err
tell "guard.exit=ok ends it with 0, and says the verdict" $?
# shellcheck disable=SC2086
train small.ini $still train.steps=9 --out few && grep -q '^verdict: too short to judge\. ' err
tell "a run that is too short to judge ends with 0" $?
train small.ini optim.lr=1e30 guard.exit=ok --out asked
tell "guard.exit=ok does not hide a loss that is not finite" $((! $? == 4))
"$STEADY" train small.ini $still --out told 2>err
[ $? = 4 ] && [ "$(tail -n 4 err | sed 's/[: ].*//' | tr '\n' ' ')" = "score report next steady " ] && [ -s told/report.html ]
tell "a run at chance has a report, and the terminal says where" $?
"$STEADY" sweep small.ini guard.exit=verdict optim.lr=1e-9,0.001 --out swept >out 2>err && [ "$(grep -c FAILED err)" = 0 ] &&
    "$STEADY" sweep --resume swept >out 2>err && grep -q '^2 already finished' err &&
    [ "$(cut -d, -f1-3,17- swept/sweep.csv | grep -c 'at chance.*,12,4,')" -ge 1 ]
tell "to a sweep such a run has ended: no failure, and it is not run again" $?

"$STEADY" train demo model.depth=1 model.width=12 train.batch=32 optim.lr=1e30 train.steps=20 data.limit=300 data.test_limit=50 \
    --no-report --out early 2>err
[ $? = 4 ] && grep -q '^score: none (the run ended before its first evaluation' err && ! grep -q 'data.val_fraction' err
tell "a run with a test split that ends before its first evaluation is not told to add one" $?
