# steady eval --linear-probe: runs, recipes and plain files; what is printed, what is refused.

. test/tell.sh
cd "$TMP" || exit 1
export OMP_NUM_THREADS=1

cat >small.ini <<'END_RECIPE'
[data]
source = glyphs
synthetic_count = 400
image_size = 16
augment = flip
[model]
width = 16
depth = 2
heads = 2
patch = 4
[optim]
lr = 0.01
[train]
steps = 20
batch = 20
ema = 0.9
checkpoint_every = 10
eval_every = 100
keep = 5
seed = 3
[probe]
every = 10
END_RECIPE

probe() { "$STEADY" eval "$@" --linear-probe --epochs 9 2>err | sed 's/,"seconds":[^,]*//'; }
value() { sed "s/.*\"$1\":\([^,}]*\).*/\1/" "$2"; }

train small.ini --out run
probe run --random >one && probe run --random >two && [ "$(wc -l <one)" = 1 ] && cmp one two
tell "the same digits each time, on one line" $?

wanted='"step":20,"split":"test","count":80,"top1":[^,]*,"top5":[^,]*,"loss":[^,]*,"train_top1":'
grep -q "^{$wanted[^,]*,\"train_loss\":[^,]*,\"knn_top1\":[^,]*,\"train_count\":400,\"features\":16,\"classes\":10,\"epochs\":9,\"batch\":400," one
tell "counts, scores and settings are in the object" $?

probe small.ini >begin && [ "$(value top1 begin)" = "$(value random_top1 one)" ] &&
    [ "$(value knn_top1 begin)" = "$(value random_knn_top1 one)" ] &&
    [ "$(value knn_top1 one)" != "$(value random_knn_top1 one)" ] &&
    grep -q "the weights are random initial ones; to name weights: train.init or --checkpoint" err
tell "random weights are those of a recipe without weights, and said" $?

weights() { probe "$@" >row && value weights row; }
[ "$(weights run)" = "$(value weights one)" ] &&
    [ "$(weights run --checkpoint 10)" != "$(value weights one)" ] &&
    [ "$(weights run --ema)" != "$(value weights one)" ]
tell "checkpoints and averaged weights are others" $?

probe small.ini --checkpoint run/checkpoints/step-00000020.safetensors --random >file
same=0
for key in top1 loss train_loss knn_top1 weights random_top1; do
    [ "$(value $key file)" = "$(value $key one)" ] || same=1
done
tell "recipe and file give what the run gives" $same

probe run --split train >row && [ "$(value top1 row)" = "$(value train_top1 row)" ] &&
    [ "$(value top1 row)" = "$(value train_top1 one)" ] && ! grep -q knn_top1 row
tell "the training split can be scored too" $?

probe run data.limit=50 >row && [ "$(value train_count row)" = 50 ]
tell "words name other data" $?

fails 2 "optim.lr" eval run --linear-probe optim.lr=1
fails 2 "train.label_smoothing has no effect on features" \
    eval run --linear-probe train.label_smoothing=0.1
tell "a word without effect is refused" $?

fails 2 "--epochs has no effect without --linear-probe" eval run --epochs 9
tell "its options belong to it" $?

fails 2 "--batch 401: the training split has only 400 pictures" eval run --linear-probe --batch 401
tell "a batch beyond the split is refused" $?

# What is no run is a recipe for the probe alone.
fails 2 "small.ini is not a run" eval small.ini
tell "a recipe has no score" $?

fails 2 "task.kind = language has no picture features" eval grammar --linear-probe
fails 3 "train.init=FILE train.transfer=true instead of --checkpoint" \
    eval small.ini --linear-probe model.depth=3 --checkpoint run/checkpoints/best.safetensors
tell "texts are refused" $?

"$STEADY" export run --features test -o features.safetensors 2>err &&
    grep -q "^features.safetensors: 16 features of each of 80 pictures of test$" err &&
    "$STEADY" export small.ini --features test --checkpoint run/checkpoints/step-00000020.safetensors \
        -o again.safetensors 2>err &&
    tail -c 5440 features.safetensors >one && tail -c 5440 again.safetensors | cmp - one
tell "a run's features are a file, and those of a recipe with its weights" $?

tenth=run/checkpoints/step-00000010.safetensors
probe small.ini train.init=run >row && [ "$(value step row)" = 20 ] && grep -q '"weights":"[^"]*","checkpoint":"run/checkpoints/best' row &&
    probe small.ini train.init=$tenth >row && [ "$(value step row)" = 10 ] &&
    "$STEADY" export small.ini --features test train.init=$tenth -o tenth.safetensors 2>err &&
    head -c 1000 tenth.safetensors | grep -a -q "\"step\":\"10\",\"checkpoint\":\"$tenth\"" &&
    "$STEADY" probe small.ini train.init=$tenth 2>err | grep -q "^small.ini, $tenth, step 10: "
tell "weights of train.init have the step and the name of their file" $?

fails 2 "optim.lr" export run --features test -o new.safetensors optim.lr=1 &&
    fails 2 "task.kind = language has no picture features" export grammar --features test -o new.safetensors &&
    fails 2 "is not a safetensors file" export run --features test -o small.ini && [ ! -e new.safetensors ]
tell "features that cannot be written are refused" $?

# Two classes in training, one in the split that is probed.
mkdir pair one_class
rows() { # COUNT BYTE
    i=0
    while [ $i -lt "$1" ]; do
        printf "\\$2"
        head -c 3072 /dev/urandom
        i=$((i + 1))
    done
}
{ rows 20 000; rows 20 001; } >pair/data_batch_1.bin
rows 5 001 >pair/test_batch.bin
rows 40 001 >one_class/data_batch_1.bin
cp pair/test_batch.bin one_class
train small.ini data.source=cifar data.image_size=32 data.path=pair --out cifar
fails 3 "the 40 training pictures are all of one class" eval cifar --linear-probe data.path=one_class
tell "one class is refused" $?
