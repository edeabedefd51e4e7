# steady predict and steady eval: what they print, and that the numbers are PyTorch's.

. test/tell.sh
. test/png.sh
export OMP_NUM_THREADS=1
golden=$PWD/test/golden/vit

# Largest difference of two files of numbers, comma-separated; fails where it is above the limit
# or the files have not the same shape.
near() { # FILE FILE LIMIT
    paste -d, "$1" "$2" | awk -F, -v limit="$3" '
        { rows++ ; if (NF % 2 || NF < 2) bad = 1
          for (i = 1; i <= NF / 2; i++) {
              d = $i - $(i + NF / 2); if (d < 0) d = -d
              if (d > most) most = d
              if ($i "" !~ /^-?[0-9]/) bad = 1 } }
        END { if (bad || !rows || most > limit) { print "largest difference", most; exit 1 } }'
}
logits() { sed 's/.*"logits":\[//; s/\].*//' "$1"; }

# ---- PyTorch's logits (test/golden/README.md) ----

"$STEADY" train "$golden/timm.ini" --out "$TMP/timm" --no-report 2>"$TMP/err"
tell "a timm file is loaded as train.init" $?
"$STEADY" predict "$TMP/timm" --logits --limit 8 >"$TMP/seen.json"
logits "$TMP/seen.json" >"$TMP/seen"
sed -n 's/^ *\[\(-*[0-9].*[0-9]\)\].*/\1/p' "$golden/logits.json" | tr -d ' ' >"$TMP/wanted"
[ "$(wc -l <"$TMP/seen")" = 8 ] && near "$TMP/seen" "$TMP/wanted" 1e-4
tell "logits are PyTorch's to 1e-4" $?

"$STEADY" predict "$TMP/timm" --checkpoint "$golden/timm.safetensors" --logits --limit 8 \
    >"$TMP/direct.json"
logits "$TMP/direct.json" >"$TMP/direct"
near "$TMP/direct" "$TMP/wanted" 1e-4
tell "--checkpoint takes a file of another program" $?

cd "$TMP" || exit 1

# ---- the test split ----

cat >small.ini <<'END_RECIPE'
[data]
source = glyphs
synthetic_count = 100
image_size = 16
[model]
width = 16
depth = 1
heads = 2
patch = 4
[optim]
lr = 0.01
[train]
steps = 20
batch = 8
eval_every = 5
checkpoint_every = 5
ema = 0.5
[guard]
exit = ok
END_RECIPE
"$STEADY" train small.ini --out run --no-report 2>err

"$STEADY" predict run >lines && "$STEADY" predict run --logits >json
[ "$(wc -l <lines)" = 20 ] && [ "$(wc -l <json)" = 20 ]
tell "predict gives a line for each picture of the test split" $?

tab=$(printf '\t')
[ "$(grep -c "^[0-9][0-9]*$tab[0-9]${tab}[01]\.[0-9]\{4\}\$" lines)" = 20 ]
tell "a line is name, class and probability" $?

"$STEADY" predict run --top 3 >three && [ "$(awk -F '\t' 'NF != 7 || $3 < $5 || $5 < $7 || $2 == $4' three | wc -l)" = 0 ] &&
    cut -f 1-3 three | cmp - lines && "$STEADY" predict run --top 99 | awk -F '\t' '{ p = 0; for (i = 3; i <= NF; i += 2) p += $i; if (NF != 21 || p < 0.999 || p > 1.001) exit 1 }' &&
    fails 2 'leave out --top' predict run --top 2 --logits && fails 2 'whole number' predict run --top 0
tell "--top gives the most likely classes, in that order" $?

[ "$(grep -c '^{"input":"[0-9]*","class":"[0-9]","logits":\[[-0-9.,e]*\]}$' json)" = 20 ]
tell "--logits gives JSON with input, class and logits" $?

# Class and probability follow from the logits.
logits json | tr , ' ' >numbers
paste lines numbers | awk '{
    best = 4; sum = 0
    for (i = 4; i <= NF; i++) if ($i > $best) best = i
    for (i = 4; i <= NF; i++) sum += exp($i - $best)
    d = $3 - 1 / sum
    if (NF != 13 || $2 != best - 4 || d > 1e-4 || d < -1e-4) bad++
} END { exit bad > 0 }'
tell "class and probability are those of the logits" $?

# Picture i of the glyphs is of class i mod 10.
right=$(awk '$2 == $1 % 10 { n++ } END { print n + 0 }' lines)
"$STEADY" eval run >score
grep -q "^{\"step\":20,\"split\":\"test\",\"loss\":[0-9.]*,\"top1\":$(awk -v n="$right" \
    'BEGIN { printf "%.9g", n / 20 }')[0.]*,\"top5\":[0-9.]*,\"grade\":\"[a-z ]*\",\"count\":20," score
tell "eval counts what predict says" $?

tail -n 1 run/eval.jsonl | cut -d, -f1-6 | tr -d '}' >logged
cut -d, -f1-6 score | tr -d '}' >again
sed 's/,"ema_.*//' logged | cmp - again
tell "eval repeats the run's own score" $?

"$STEADY" eval run --ema | cut -d, -f3-4 | sed 's/"/"ema_/' | tr -d '"' >averaged
grep -q "ema_loss" averaged && tail -n 1 run/eval.jsonl | tr -d '"' | grep -q -F "$(cut -d, -f1 averaged)"
tell "eval --ema repeats the score of the averaged weights" $?

"$STEADY" eval run --split train | grep -q '"split":"train",.*"count":100,'
tell "eval --split train" $?

[ "$("$STEADY" predict run --limit 3)" = "$(head -n 3 lines)" ] &&
    [ "$("$STEADY" predict run --limit 9)" = "$(head -n 9 lines)" ]
tell "--limit gives the first" $?

"$STEADY" predict run train.batch=7 | cmp - lines
tell "the batch size does not matter" $?

# ---- checkpoints ----

"$STEADY" predict run --checkpoint 20 | cmp - lines &&
    "$STEADY" predict run --checkpoint run/checkpoints/step-00000020.safetensors | cmp - lines
tell "--checkpoint takes a step and a file" $?

"$STEADY" predict run --checkpoint 15 --logits >json15
! cmp -s json json15
tell "an earlier step gives other logits" $?

best=$(sed -n 's/.*"best_step":"\([0-9]*\)".*/\1/p' run/checkpoints/step-00000020.safetensors | head -n 1)
"$STEADY" eval run --checkpoint best >score && grep -q "^{\"step\":$best,.*best.safetensors" score
tell "--checkpoint best is the checkpoint of the best step" $?

# ---- pictures ----

if ! paint plain one.png; then
    echo "skip pictures: needs base64"
else
    mkdir many && cp one.png many/b.png && cp one.png many/a.PNG && echo text >many/notes.txt
    "$STEADY" predict run one.png many >lines
    [ "$(cut -f1 lines | tr '\n' ' ')" = "one.png many/a.PNG many/b.png " ] &&
        [ "$(cut -f2- lines | sort -u | wc -l)" = 1 ]
    tell "predict takes files and folders, in order of their names" $?

    cp one.png "a name=with blanks.png" && "$STEADY" predict run "a name=with blanks.png" --logits >json
    grep -q '"input":"a name=with blanks.png"' json
    tell "a name with blanks and a = is a file" $?

    name=$(printf 'caf\351.png') && cp one.png "$name" 2>/dev/null &&
        "$STEADY" predict run "$name" --logits >json &&
        grep -q "$(printf '^{"input":"caf\303\251.png","class"')" json
    tell "a name that is not UTF-8 is written as Latin-1" $?

    for i in 1 2 3 4 5 6 7 8 9 10 11; do echo one.png; done | xargs "$STEADY" predict run >lines
    [ "$(sort lines | uniq -c | awk '{ print $1, $2 }')" = "11 one.png" ]
    tell "more pictures than a batch" $?
fi

# ---- folders of pictures, of their own size ----

if ! paint wide wide.png || ! paint tall tall.png; then
    echo "skip pictures of their own size: needs base64"
else
    for class in cat dog; do
        mkdir -p set/train/$class set/val/$class set/test/$class
        for i in 1 2 3 4; do cp wide.png set/train/$class/$i.png; done
        for i in 1 2; do cp one.png set/val/$class/$i.png; done
        for i in 1 2 3; do cp tall.png set/test/$class/$i.png; done
    done
    own="small.ini data.source=folder data.path=set data.image_size=0"
    # shellcheck disable=SC2086
    "$STEADY" train $own --out own --no-report 2>err &&
        [ "$(grep -c 'width 16, height 8, the size of the first training picture' err)" = 1 ] &&
        grep -q '"height": 8' own/task.json && grep -q '"width": 16' own/task.json
    tell "pictures have the size of the first" $?

    [ "$(grep -c '"split":"val".*"count":4[,}]' own/eval.jsonl)" = 4 ] &&
        [ "$(grep -c '"split":"test".*"count":6[,}]' own/eval.jsonl)" = 1 ] &&
        tail -n 1 own/eval.jsonl | grep -q '"split":"test"'
    tell "val beside test is scored during the run, test at its end" $?

    # shellcheck disable=SC2086
    "$STEADY" train $own train.steps=10 --out halves --no-report 2>err &&
        "$STEADY" train --resume halves train.steps=20 --no-report 2>err &&
        "$STEADY" predict own --logits >once && "$STEADY" predict halves --logits | cmp - once
    tell "a run that goes on takes the same size" $?

    "$STEADY" eval own --split val >score && grep -q '"split":"val".*"count":4,' score
    tell "eval --split val takes the folder val" $?

    cp tall.png set/train/cat/0.png
    "$STEADY" train --resume halves train.steps=25 --no-report 2>err
    [ $? = 3 ] && grep -q 'have width 16, height 8 .*has width 8, height 16' err
    tell "a first picture that has changed since is refused" $?
    rm set/train/cat/0.png

    "$STEADY" eval own >score && mv set/train away && mv set/val away &&
        "$STEADY" eval own | cmp - score && "$STEADY" predict own --logits | cmp - once
    tell "eval and predict need the test split alone" $?

    mv set/test/cat set/test/bird
    "$STEADY" eval own >out 2>err
    [ $? = 3 ] && grep -q 'class 0 is "bird".*"cat"' err
    tell "classes with other names are refused" $?
    mv set/test/bird set/test/cat

    "$STEADY" predict own set/test >lines
    [ "$(cut -f1 lines | tr '\n' ' ')" = "$(echo set/test/cat/1.png set/test/cat/2.png \
        set/test/cat/3.png set/test/dog/1.png set/test/dog/2.png set/test/dog/3.png '')" ]
    tell "predict descends into class folders" $?

    echo text >set/test/cat/2.png && echo text >set/test/dog/1.png
    "$STEADY" predict own set/test data.on_error=skip >lines 2>err
    [ $? = 0 ] && [ "$(wc -l <lines)" = 4 ] && [ "$(wc -l <err)" = 2 ] &&
        grep -q 'skipped: set/test/cat/2.png is not PNG' err && grep -q 'set/test/dog/1.png' err
    tell "predict tells of pictures that it leaves out" $?
    [ "$("$STEADY" predict own set/test data.on_error=skip --limit 2 2>/dev/null | wc -l)" = 1 ]
    tell "--limit counts pictures that are left out" $?
fi

mv run moved && "$STEADY" predict moved --limit 1 >out
tell "a run can be moved" $?
