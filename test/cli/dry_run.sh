# train --dry-run: checks everything as training would, says what the run takes, leaves nothing.

. test/tell.sh
cd "$TMP" || exit 1
export OMP_NUM_THREADS=1 STEADY_KERNEL_CHECK=off
tiny="data.synthetic_count=80 model.depth=1 model.width=12 train.batch=8 train.steps=20 probe.every=2 --no-report"

while read -r of words; do
    # shellcheck disable=SC2086 # several words
    "$STEADY" train "$of" $tiny $words --dry-run >out 2>err &&
        [ ! -s out ] && grep -q '^memory: about' err && grep -q '^disk: about .* checkpoints and the best, .* each' err &&
        grep -q '^time: about .*: 20 steps of [0-9.e+-]* m*s (4 measured)' err &&
        grep -q '^would write to runs/' err && tail -n 1 err | grep -q '^dry run: all checks passed, nothing was written' && [ ! -e runs ]
    code=$?
    [ $code = 0 ] || tail -n 3 err
    tell "$of: memory, time and disk, and no folder" $code
done <<'TABLE'
demo
grammar model.heads=2
numbers-pre model.heads=2 train.batch_tokens=0
tones model.heads=2 train.batch_seconds=0
simclr-sigma data.source=glyphs data.mean=0 data.std=1 data.image_size=16 data.augment=none model.heads=2 model.patch=4 train.accumulate=1
TABLE

refused "data that are not there" 3 'data.path: nowhere: no such folder' mnist data.path=nowhere --dry-run
refused "an unknown key" 2 'unknown key model.widht' demo model.widht=3 --dry-run
refused "a recipe that does not fit" 2 'train.epochs = 1 and train.steps = 2' demo train.epochs=1 train.steps=2 --dry-run
"$STEADY" train demo model.width=16384 model.heads=1 model.depth=9999 --dry-run 2>err
[ $? = 1 ] && grep -q 'out of memory\|this run needs about' err && [ ! -e runs ]
tell "a model that is too large" $?

mkdir busy
touch busy/file
# shellcheck disable=SC2086
fails 2 'busy is not empty' train demo $tiny --out busy --dry-run && [ "$(ls busy)" = file ]
tell "a folder that is not free" $?

# shellcheck disable=SC2086
"$STEADY" train demo $tiny --out whole 2>err
cp -r whole before
"$STEADY" train --resume whole train.steps=40 --dry-run 2>err && grep -q ': 20 steps of' err &&
    grep -q '^would resume at step 20 of 40$' err && diff -r whole before
tell "a resume: the steps that are left, and the run stays as it was" $?
"$STEADY" train --resume whole --dry-run 2>err && grep -q 'whole is finished' err && diff -r whole before
tell "a run that is finished" $?
fails 2 'model.width' train --resume whole model.width=24 --dry-run && diff -r whole before
tell "a change that is refused" $?

# Five steps an epoch; the run's length and its warm-up in either unit.
warm="${tiny%%train.batch*} train.batch=8 probe.every=2 --no-report schedule.name=constant data.limit=40"
for case in 'steps=5 warmup_epochs=2:warmup_epochs = 2 (10 steps) is longer than the run (5 steps)' \
        'epochs=2 warmup_steps=11:warmup_steps = 11 is longer than the run (10 steps)' \
        'steps=5 warmup_steps=6:warmup_steps = 6 is longer than the run (5 steps)' \
        'epochs=1 warmup_epochs=2:warmup_epochs = 2 is longer than the run (1 epoch)' \
        'steps=10 warmup_epochs=2:' 'epochs=2 warmup_steps=10:'; do
    words=${case%%:*} note=${case#*:}
    # shellcheck disable=SC2086
    "$STEADY" train demo $warm train.${words% *} schedule.${words#* } --dry-run 2>err
    count=$(grep -c 'longer than the run' err)
    if [ -n "$note" ]; then
        [ "$count" = 1 ] && grep -q "^steady: note: schedule.$note: the learning rate never reaches" err
    else
        [ "$count" = 0 ] && grep -q '^dry run: all checks passed' err
    fi
    tell "a warm-up beside the length of the run: $words" $?
done
