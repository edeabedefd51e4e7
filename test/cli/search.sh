# Questions as newcomers ask them: the command, key, recipe or page is among the first three.

. test/tell.sh
cd "$TMP" || exit 1
export OMP_NUM_THREADS=1 STEADY_KERNEL_CHECK=off

while IFS='|' read -r question wanted; do
    # shellcheck disable=SC2086 # several words
    "$STEADY" search $question >out 2>err
    head -n 3 out | grep -q "^  \($wanted\)" && [ "$(awk 'length > 100' out | wc -l)" = 0 ]
    good=$?
    [ $good = 0 ] || head -n 4 out
    tell "search $question" $good
done <<'TABLE'
more layers|model.depth\|steady train RECIPE model.depth
loss curve|steady plot RUN
train on my pictures|steady train own-pictures\|own-pictures
can I use my own photos|steady train own-pictures\|own-pictures
my own text file|steady train own-text\|own-text
speech recognition of my recordings|steady train own-recordings\|own-recordings
how do I continue a run that crashed|steady train --resume
how many threads does it use|steady train RECIPE train.threads\|train.threads
use two machines|mpirun
save checkpoints more often|train.checkpoint_every
a smaller learning rate|optim.lr
warm up the learning rate|schedule.warmup_
larger batch size|train.batch
out of memory|steady train RECIPE --dry-run\|train.recompute\|train.accumulate
what is the accuracy of my model|steady eval
classify one picture|steady predict
train longer|steady train RECIPE train.epochs\|train.epochs\|train.steps
compare two runs|steady diff\|steady plot A B
why did my run fail|steady report
what does entropy mean|docs/glossary.md
load the model in pytorch|steady export
translate german to english|numbers\|multi30k\|steady predict
generate text|steady predict RUN --prompt
change the random seed|train.seed
less overfitting|steady train RECIPE model.dropout\|model.dropout
image size|data.image_size
finetune a pretrained model|steady train RECIPE train.init\|train.init
which heads collapsed|steady probe RUN --heads
attention collapsed, what can I do|docs/collapse.md
half precision|train.precision
switch off augmentation|steady train RECIPE data.augment=none\|data.augment\|steady plot --augment
size of the validation set|steady train R data.val_fraction\|data.val_fraction
watch the training live|steady watch
how fast is my computer|steady bench
is my installation ok|steady doctor
try several learning rates|steady sweep
freeze some layers|model.freeze
gradient clipping|optim.clip
what does exit code 4 mean|docs/exit-codes.md
where do I get MNIST|docs/data.md\|mnist
list of recipes|steady recipes
cosine|schedule.name
rollback|guard.nonfinite
add a new task|docs/adding.md
TABLE
