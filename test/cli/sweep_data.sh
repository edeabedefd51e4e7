# steady sweep: runs whose data changed between them, runs of two programs.

. test/tell.sh
cd "$TMP" || exit 1
small="data.source=text data.path=t.txt data.tokens=char model.context=8 model.width=16 model.depth=1 model.heads=2
    train.batch=4 train.epochs=0 train.steps=4 train.threads=1 schedule.warmup_epochs=0 schedule.warmup_steps=0"

seq 100 400 >t.txt
# shellcheck disable=SC2086
"$STEADY" sweep grammar $small train.seed=1,2 --out grown >table 2>messages && ! grep -q '^runs of ' table
tell "seeds of one text are averaged, and nothing is said of one program" $?
seq 100 300 >t.txt
# shellcheck disable=SC2086
"$STEADY" sweep grammar $small train.seed=1,2,3,4 --out grown >table 2>messages
[ $? = 3 ] && ! [ -s table ] && [ ! -e grown/cells/train.seed=4 ] &&
    grep -q 'grown/cells/train.seed=1 and grown/cells/train.seed=3 were trained on different data by the same keys' messages
tell "a run on another text of the same name ends the sweep, which names it, before the next run" $?
"$STEADY" sweep --compare grown >table 2>messages
[ $? = 3 ] && ! [ -s table ] && grep -q 'different data' messages
tell "they are not compared either" $?
rm -r grown/cells/train.seed=[12]
# shellcheck disable=SC2086
"$STEADY" sweep grammar $small train.seed=1,2,3,4 --out grown >table 2>messages && grep -q '^2  *.* 4 ' table
tell "without the runs on the former text it goes on" $?
sed 's/"real": *"float"/"real": "double"/' grown/cells/train.seed=4/run.json >new &&
    mv new grown/cells/train.seed=4/run.json && "$STEADY" sweep --resume grown >table 2>messages &&
    grep -q '^runs of 2 number types: float (3 runs), double (1 run, first: train.seed=4)$' table &&
    "$STEADY" sweep --compare grown | grep -q '^runs of 2 number types: '
tell "runs of another number type are named below the table, and in a comparison" $?

# ---- weights that the runs begin from ----

tiny="data.synthetic_count=200 model.width=16 model.depth=1 model.heads=2 train.batch=8 train.threads=1
    train.steps=3 probe.every=0"
# shellcheck disable=SC2086
train demo $tiny train.keep=3 train.checkpoint_every=1 --out pre && from="demo $tiny train.init=pre" &&
    "$STEADY" sweep $from train.seed=1,2 --out tuned >table 2>messages && ! grep -q 'weights' table &&
    grep -q '"init_crc32": "[0-9a-f]\{8\}"' tuned/cells/train.seed=1/run.json
tell "runs from one file of weights have its checksum and are averaged" $?
# shellcheck disable=SC2086
cp pre/checkpoints/step-00000001.safetensors pre/checkpoints/best.safetensors &&
    "$STEADY" sweep $from train.seed=1,2,3,4 --out tuned >table 2>messages
[ $? = 3 ] && ! [ -s table ] && [ ! -e tuned/cells/train.seed=4 ] &&
    grep -q 'tuned/cells/train.seed=1 and tuned/cells/train.seed=3 began from different weights by the same train.init' messages
tell "a run from other weights of the same name ends the sweep, which names it" $?
"$STEADY" diff tuned/cells/train.seed=1 tuned/cells/train.seed=3 --only recipe >table 2>messages
[ $? = 1 ] && grep -q '^  train.init, CRC-32 of its weights  [0-9a-f]\{8\} | [0-9a-f]\{8\}$' table
tell "diff shows the weights that two runs began from" $?
"$STEADY" export pre -o bare.safetensors >/dev/null 2>&1 && train demo $tiny train.init=bare.safetensors --out a &&
    train demo $tiny train.init=bare.safetensors --out b &&
    { "$STEADY" diff a b --only recipe >table 2>messages; [ $? = 0 ]; } && grep -q '"init_crc32"' a/run.json
tell "the same weights in a file of their own make no difference" $?
"$STEADY" diff tuned tuned >table 2>messages
[ $? = 2 ] && ! [ -s table ] && grep -q '^steady diff: tuned is a sweep; name two of its runs, in tuned/cells, or compare' messages
tell "diff of sweeps says how runs and sweeps are compared" $?
