# data.on_error = skip: what measures a sample leaves broken pictures out, names them, and gives the mean
# of the others, whatever split they are in and however the run is opened.

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
steps = 4
batch = 4
eval_every = 100
END_RECIPE

if ! paint flat flat.png || ! paint ink ink.png; then
    echo "skip samples with broken pictures: needs base64"
    exit 0
fi

# A test split larger than the training split; `a` is white, `b` black.
for i in 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25; do
    mkdir -p set/train/a set/train/b set/test/a set/test/b
    cp flat.png set/test/a/$i.png && cp ink.png set/test/b/$i.png
    [ $i -gt 14 ] || { cp flat.png set/train/a/$i.png && cp ink.png set/train/b/$i.png; }
done
train small.ini --out run && train small.ini task.kind=contrastive data.augment=random-resized-crop:0.5 --out views
tell "the runs begin with good pictures" $?

break_one() { head -c 60 flat.png >"$1"; }
break_one set/test/b/11.png && break_one set/test/b/20.png && break_one set/train/a/13.png
loss() { sed -n 's/.*"loss":\([^,]*\),.*/\1/p' "$1"; }
near() { awk -v a="$1" -v b="$2" 'BEGIN { d = a - b; exit !(a > 0 && d * d < 1e-10 * b * b) }'; }

for from in run small.ini; do
    for split in train test; do
        [ $split = test ] && left=30 all=32 name=set/test/b/11.png || left=9 all=10 name=set/train/a/13.png
        "$STEADY" probe $from --split $split --sample 100 --json >row 2>err &&
            grep -q "\"split\":\"$split\",\"sample\":$left," row &&
            grep -q "^steady: skipped in $split: $name .* of $all so far)" err
        tell "probe $from: the broken pictures of $split are named and left out" $?
    done
done
"$STEADY" eval run >scored 2>err && "$STEADY" probe run --split test --sample 100 --json >row 2>err &&
    near "$(loss row)" "$(loss scored)"
tell "the loss is the mean of those that are left, as evaluation's is" $?
for split in train test; do
    "$STEADY" probe views --split $split --sample 100 --json >row 2>err &&
        grep -q "^steady: skipped in $split: " err && grep -q '"loss":[0-9]' row || break
    split=
done
tell "probe of a contrastive run" $([ -z "$split" ]; echo $?)
"$STEADY" probe run --split test --sample 6 --heads >out 2>err && grep -q 'blocks.0.attn' out
tell "probe --heads of a small sample" $?

rm -rf gone && cp -r set gone && for file in gone/test/?/*; do : >"$file"; done
fails 3 'none of .* can be read' probe run --split test data.path=gone
tell "a split without a readable picture is an error" $?

"$STEADY" probe run --sharpness --split test --sample 100 --json >row 2>err
code=$?
if grep -q 'needs ARPACK' err; then
    echo "skip sharpness: built without ARPACK"
    exit
fi
[ $code = 0 ] && grep -q '"raw":\[.*"sample":30' row && near "$(loss row)" "$(loss scored)" &&
    grep -q '^steady: skipped in test: set/test/b/11.png' err
tell "probe --sharpness names them, and its loss is evaluation's" $?
train small.ini probe.sharpness=2 probe.sharpness_sample=10 --out sharp &&
    [ "$(grep -c '"raw":\[.*"sample":9' sharp/probe.jsonl)" = 2 ]
tell "and so does the process beside a run" $?
