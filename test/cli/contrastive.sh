# Contrastive runs: train, score, predict, resume; pictures without labels and broken ones; ranks.

. test/tell.sh
. test/png.sh
. test/ranks.sh
cd "$TMP" || exit 1

cat >small.ini <<'END_RECIPE'
[task]
kind = contrastive
[data]
source = glyphs
synthetic_count = 100
augment = random-resized-crop:0.3,flip,jitter:0.4:0.4:0.4:0.1:0.8,grey,blur
[model]
width = 16
depth = 1
heads = 2
patch = 7
reparam = sigma
norm = none
[optim]
lr = 0.003
[train]
steps = 6
batch = 16
checkpoint_every = 3
eval_every = 3
keep = 5
[probe]
every = 2
END_RECIPE

"$STEADY" train small.ini --out whole >out 2>err
[ $? = 0 ] && grep -q 'test loss .*probe top-1 .*feature std ' err &&
    grep -q '^verdict: ' err && [ -s whole/report.html ] &&
    grep -q '"feature_std":0.*"probe_loss":.*"probe_top1":' whole/train.jsonl &&
    grep -q '"loss":.*"probe_top1":.*"feature_std":' whole/eval.jsonl
tell "a run logs its loss, the probe and the spread of the features" $?

cp -r whole part && rm part/checkpoints/step-00000006.safetensors &&
    "$STEADY" train --resume part --no-report >out 2>err &&
    cmp whole/checkpoints/step-00000006.safetensors part/checkpoints/step-00000006.safetensors
tell "a resumed run ends with the same bytes, running statistics and probe included" $?

# With 18 pictures compared in place of 16 every loss is higher.
"$STEADY" train --resume part --no-report train.batch=18 train.steps=7 >out 2>err &&
    grep -q 'the choice of the best checkpoint starts anew' err &&
    "$STEADY" eval part --checkpoint best 2>err | grep -q '"step":7,'
tell "losses of batches of another size do not compete for the best checkpoint" $?

# Fewer are compared: the loss is lower, and what a run with that recipe would have.
loss_of() { sed -n 's/.*"loss":\([^,]*\),.*/\1/p' "$1"; }
"$STEADY" eval whole >all 2>err && "$STEADY" eval whole train.accumulate=4 >quarter 2>err &&
    "$STEADY" eval whole train.batch=4 >few 2>err &&
    awk -v all="$(loss_of all)" -v a="$(loss_of quarter)" -v b="$(loss_of few)" \
        'BEGIN { exit !(all - a > 0.5 && a / b - 1 < 1e-5 && b / a - 1 < 1e-5) }'
tell "a score compares the pictures of a micro-batch, as a step does" $?

for threads in 2 4; do
    "$STEADY" train small.ini data.threads=$threads --out loaders-$threads --no-report 2>err &&
        cut -d, -f1-5 whole/train.jsonl >a && cut -d, -f1-5 loaders-$threads/train.jsonl >b && cmp a b
    tell "$threads threads make the same views" $?
done

"$STEADY" eval whole >out 2>err && grep -q '"probe_top1":' out &&
    "$STEADY" predict whole --limit 2 >out 2>err && [ "$(grep -c . out)" = 2 ] &&
    "$STEADY" probe whole >out 2>err && grep -q 'projector.0' out &&
    "$STEADY" export whole -o plain.safetensors 2>err
tell "eval, predict, probe and export read such a run" $?

"$STEADY" train small.ini contrast.probe_lr=0 train.steps=1 --out blind --no-report 2>err &&
    ! grep -q probe_top1 blind/eval.jsonl && fails 2 'no online probe' predict blind
tell "without a probe predict says so" $?

# ---- pictures of one folder, some broken ----

mkdir -p set/train/all set/test/all
for i in 1 2 3 4 5 6 7 8 9; do paint flat set/train/all/$i.png; done
cp set/train/all/1.png set/train/all/2.png set/test/all
head -c 60 set/test/all/1.png >set/train/all/5.png
folder="data.source=folder data.path=set data.image_size=8 model.patch=4 train.batch=4 train.steps=2"
recipe="small.ini $folder"
# shellcheck disable=SC2086
"$STEADY" train $recipe data.on_error=skip --out grey --no-report 2>err &&
    grep -q 'of one class, so there is no online probe' err && grep -q '"event":"skip"' grey/train.jsonl
tell "grey pictures without labels, one of them broken, are trained on" $?
refused "a broken picture ends a run that does not skip" 3 '5.png'
mkdir -p named/train/cat named/train/dog named/test/cat named/test/dog
cp set/train/all/[1-4].png named/train/cat && cp set/train/all/[6-9].png named/train/dog
cp set/test/all/2.png named/test/cat && cp set/test/all/2.png named/test/dog
wanted='2 classes, but the model was trained on 1; .*eval RUN/recipe.ini --linear-probe train.init=RUN train.transfer=true'
fails 3 "$wanted" eval grey --linear-probe data.path=named &&
    fails 3 'class 0 is all in the file, cat here; .*train.transfer=true' \
        eval grey/recipe.ini --linear-probe train.init=grey data.path=named &&
    "$STEADY" eval grey/recipe.ini --linear-probe train.init=grey train.transfer=true data.path=named >row 2>err &&
    grep -q '"classes":2' row && grep -q '^{"step":2,' row
tell "what learned without labels is probed on pictures with labels" $?
file=grey/checkpoints/step-00000002.safetensors
fails 2 "train.transfer has no effect with --checkpoint; .*train.init=$file" \
    eval grey/recipe.ini --linear-probe --checkpoint $file train.transfer=true data.path=named &&
    ! grep -q 'train.init_fit has no effect' err &&
    fails 3 'probe.weight is missing' \
        eval grey/recipe.ini --linear-probe --checkpoint $file train.init_fit=shapes data.path=named &&
    ! grep -q 'train.init_fit has no effect' err
tell "--checkpoint and the keys of train.init" $?
mkdir empty empty/train empty/train/all
refused "a folder without pictures" 3 'has no PNG or JPEG' data.path=empty
mv set/train/all/*.png set/train && rmdir set/train/all
refused "pictures in no folder" 3 'put pictures without labels into one folder' data.path=set

# ---- ranks ----

need_mpi
# In a better condition: a loss that is steep, and features that are almost a point, make numbers
# of rounding.
# shellcheck disable=SC2086
together "2 ranks: losses and scores of one process" 2 train.batch=15 contrast.temperature=1 \
    model.norm=pre model.reparam=none optim.name=sgd optim.lr=0.001
