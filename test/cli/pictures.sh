# Folders of pictures as people have them: what is broken is counted through a run and its resume,
# what is transparent is laid over the same colour in training and in predict.

. test/tell.sh
. test/png.sh
cd "$TMP" || exit 1
export OMP_NUM_THREADS=1

cat >small.ini <<'END_RECIPE'
[data]
source = folder
path = set
image_size = 8
channels = 1
on_error = skip
[model]
width = 16
depth = 1
heads = 2
patch = 4
[train]
steps = 9
batch = 8
eval_every = 100
checkpoint_every = 3
[optim]
lr = 0.01
END_RECIPE

# A triangle in black, on nothing and on white.
if ! paint ink ink.png || ! paint flat flat.png; then
    echo "skip folders of pictures: needs base64"
    exit 0
fi

# Two classes of 14 pictures; two of each are broken, one of `a` in the test split.
make_set() {
    rm -rf set
    for class in a b; do
        mkdir -p set/train/$class set/test/$class
        for i in 10 11 12 13 14 15 16 17 18 19 20 21 22 23; do
            if [ $class = a ]; then cp flat.png set/train/a/$i.png; else cp ink.png set/train/b/$i.png; fi
        done
        for i in 1 2 3; do cp flat.png set/test/$class/$i.png; done
        for i in 12 20; do head -c 60 flat.png >set/train/$class/$i.png; done
    done
    : >set/test/a/2.png
}
make_set

"$STEADY" train small.ini --out whole 2>err
[ $? = 0 ] && [ "$(grep -c '"event":"skip"' whole/train.jsonl)" -ge 1 ] &&
    [ "$(sed -n 's/.*"event":"skip".*"count":\([0-9]*\).*/\1/p' whole/train.jsonl |
        awk '{ sum += $1 } END { print sum }')" = 4 ] &&
    grep -q '^skipped: set/train/[ab]/[0-9]*.png is a damaged PNG file: .* of 28 so far)' err
tell "each broken training picture is a row once, and named on stderr" $?
grep -q '"skipped":1' whole/eval.jsonl &&
    grep -q '^steady: skipped in test: set/test/a/2.png is empty (1 of 6 so far)' err
tell "a broken test picture is named, and counted in its score" $?
grep -q '4 of 28 training examples could not be read and were skipped.' whole/report.html
tell "the report says how many" $?
grep -q 'note: train: 4 of 28 pictures cannot be read' err &&
    grep -q 'note: 4 of 28 examples are skipped in each epoch: the last incomplete batch' err &&
    grep -q 'cannot be read' whole/data.json
tell "the start says what it saw, and what an epoch leaves out" $?

train small.ini train.steps=3 --out parts && train --resume parts train.steps=9
timeless whole/train.jsonl | grep -v '"event":"resume"' >one
timeless parts/train.jsonl | grep -v '"event":"resume"' >other
cmp one other
tell "a resumed run counts on: its log is that of the whole run" $?

"$STEADY" eval whole >out 2>err && grep -q '"skipped":1' out && grep -q 'set/test/a/2.png' err
tell "eval names what it leaves out" $?

# Too many for all to be looked at before the first step.
rm -rf set/train/a set/train/b && mkdir -p set/train/a set/train/b
i=1000
while [ $i -lt 1300 ]; do
    ln flat.png set/train/a/$i.png
    i=$((i + 1))
done
head -c 50 ink.png >set/train/b/1.png && cp set/train/b/1.png set/train/b/2.png
lost='^steady train: none of the 2 pictures of class b can be read'
train small.ini train.steps=100 train.checkpoint_every=1000 --out lost
[ $? = 3 ] && grep -q "$lost" err && {
    train --resume lost
    [ $? = 3 ]
} && grep -q "$lost" err
tell "a class without a readable picture ends the run when that is known, and its resume" $?

rm -r set/train/b set/test/b
refused "a set of one class" 3 'pictures are of one class (a); .*steady recipes cifar-simclr' small.ini
make_set

# ---- waiting ----

train small.ini train.steps=6 data.threads=1 --out threads1 && train small.ini train.steps=6 data.threads=3 --out threads3
losses() { sed 's/.*"loss":\([^,]*\),.*/\1/' $1/train.jsonl; }
[ "$(losses threads1)" = "$(losses threads3)" ] && [ "$(grep -c '"wait":[0-9.e-]*[,}]' threads3/train.jsonl)" = 6 ]
tell "threads change no batch, and every row says how long training waited" $?
refused "more threads than a ring has" 2 'data.threads = 65: .*64' small.ini data.threads=65

# ---- transparency ----

rm -f set/train/?/12.png set/train/?/20.png
for ground in white black; do
    train small.ini data.background=$ground --out $ground
    "$STEADY" predict $ground --logits ink.png | sed 's/.*logits//' >ink.$ground
    "$STEADY" predict $ground --logits flat.png | sed 's/.*logits//' >flat.$ground
done
cmp ink.white flat.white && ! cmp ink.black flat.black >out
tell "predict lays a picture over the colour that the run was trained with" $?
mkdir -p mixed/deeper && cp ink.png mixed/1.png && cp ink.png mixed/2.webp && cp ink.png mixed/deeper/3.png &&
    echo 'Once upon a time' >mixed/notes.doc
"$STEADY" predict white mixed >out 2>err && [ "$(cut -f 1 out | tr '\n' ' ')" = 'mixed/1.png mixed/2.webp ' ] &&
    grep -q 'note: not read: 2 files with other suffixes or subfolders (first: mixed/notes.doc)' err
tell "predict goes by content in a folder, and says what it leaves out" $?
refused "a background that is no colour" 2 'data.background = beige: expected black' small.ini data.background=beige
