# The task transcribe from recipe to transcripts: what a run leaves, scores, recordings in and lines
# out, resume, batches, LibriSpeech's folders and manifests, several ranks.

. test/tell.sh
. test/ranks.sh
. test/wav.sh
with_audio=no
grep -q '^HAVE_SNDFILE = yes' config.mk && with_audio=yes
cd "$TMP" || exit 1
unset OPENBLAS_CORETYPE

cat >small.ini <<'END_RECIPE'
[task]
kind = transcribe
[data]
source = tones
synthetic_count = 40
augment = specaugment
[model]
width = 16
depth = 2
heads = 2
activation = relu
position = cape
init = uniform
dropout = 0.1
layer_drop = 0.2
[optim]
lr = 0.002
clip = 1
[train]
steps = 6
batch_seconds = 10
eval_every = 3
checkpoint_every = 2
keep = 9
[probe]
every = 2
[guard]
exit = ok
END_RECIPE


# ---- it learns ----

train small.ini data.synthetic_count=300 data.augment=none model.width=32 model.dropout=0 \
    model.layer_drop=0 model.heads=4 optim.lr=0.006 train.steps=120 train.eval_every=120 \
    train.checkpoint_every=120 probe.every=40 --out learned
wer=$(tail -n 1 learned/eval.jsonl | sed 's/.*"wer":\([0-9.]*\),.*/\1/')
[ -n "$wer" ] && awk -v wer="$wer" 'BEGIN { exit !(wer < 0.5) }'
tell "120 steps on tones: most words are right" $?

# ---- what a run leaves ----

for file in recipe.ini task.json train.jsonl probe.jsonl eval.jsonl checkpoints/best.safetensors \
        checkpoints/step-00000120.safetensors; do
    [ -s learned/$file ] || { echo "no $file"; false; } || break
done && [ -z "$(find learned -name '*.new')" ] && [ "$(wc -l <learned/train.jsonl)" = 120 ] &&
    tr -d ' \n' <learned/task.json | grep -q '^{"kind":"transcribe","chance":[0-9.]*,"filters":80,"labels":29,"rates":\[8000\]}$'
tell "a run leaves recipe, facts, logs and checkpoints" $?
[ "$(grep -c '^{"step":[0-9]*,"epoch":[0-9.]*,"loss":[0-9.]*,"lr":[0-9.]*,"grad_norm":[0-9.]*,' \
    learned/train.jsonl)" = 120 ] && grep -q '"site":"blocks.1.attn"' learned/probe.jsonl
tell "logs: a row for each step, attention of each block" $?

# Shares are of the counts beside them; characters are not told one by one.
fields='"loss":[0-9.]*,"wer":[0-9.]*,"cer":[0-9.]*,"words":[0-9]*,"substitutions":[0-9]*,"insertions":[0-9]*,"deletions":[0-9]*,"grade":"[a-z ]*","count":60'
[ "$(grep -c "^{\"step\":120,\"split\":\"\(val\|test\)\",$fields,\"worst\":\[.*\]}$" learned/eval.jsonl)" = 2 ] &&
    sed 's/"worst".*//' learned/eval.jsonl | tr -d '{}"' | awk -F '[:,]' '{
        for (i = 1; i < NF; i += 2) v[$i] = $(i + 1)
        off = v["wer"] * v["words"] - v["substitutions"] - v["insertions"] - v["deletions"]
        if (off > 1e-3 || off < -1e-3 || v["cer"] < 0 || v["cer"] > 1) exit 1
    }'
tell "scores: wer and cer as shares, the three kinds of errors, the worst" $?

train small.ini --out run && [ "$(grep -c '"step":3,"split":"val"' run/eval.jsonl)" = 1 ] &&
    ! grep '"step":3,' run/eval.jsonl | grep -q worst && tail -n 1 run/eval.jsonl | grep -q '"worst":\[{"id":"tones-'
tell "the worst transcripts come with the last score alone" $?

# ---- eval, predict ----

for run in learned run; do
    "$STEADY" eval $run >out 2>err && [ "$(wc -l <out)" = 1 ] &&
        [ "$(sed 's/,"checkpoint".*/}/' out)" = "$(tail -n 1 $run/eval.jsonl)" ]
    tell "eval of $run prints one object with the run's own numbers" $?
done
"$STEADY" eval learned --split val 2>err | sed 's/,"checkpoint".*/}/' >a && grep '"split":"val"' learned/eval.jsonl | cmp - a
tell "eval --split val" $?

"$STEADY" predict learned >out 2>err && [ "$(wc -l <out)" = 60 ] && [ ! -s err ] &&
    [ "$(grep -c '^tones-[0-9]*	[a-z ]*$' out)" = 60 ]
tell "predict without input: a line for each recording of the test split" $?
# Each of the worst is what predict says of its line; right ones spell digits.
tail -n 1 learned/eval.jsonl | sed 's/.*"worst"//' | tr '{' '\n' |
    sed -n 's/.*"id":"tones-\([0-9]*\)".*"hypothesis":"\([^"]*\)".*/\1	\2/p' >worst
[ -s worst ] && while IFS='	' read -r line text; do
    [ "$(sed -n "${line}p" out | cut -f2)" = "$text" ] || { echo "$line: $text"; false; } || break
done <worst && errors=$(tail -n 1 learned/eval.jsonl | sed 's/.*"worst"//' | tr ',' '\n' |
    sed -n 's/.*"errors":\([0-9]*\).*/\1/p' | sort -rn -c - && wc -l <worst) && [ "$errors" -le 10 ]
tell "transcripts are those that eval counted, the worst first" $?
"$STEADY" predict learned --limit 3 >three && head -n 3 out | cmp - three
tell "predict --limit" $?
"$STEADY" predict learned --limit 2 --logits >rows && [ "$(wc -l <rows)" = 2 ] &&
    head -n 1 rows | grep -q "^{\"input\":\"tones-1\",\"output\":\"$(head -n 1 out | cut -f2)\",\"logits\":\[\[-*[0-9]" &&
    [ "$(head -n 1 rows | sed 's/.*"logits":\[\[//; s/\].*//' | tr ',' '\n' | wc -l)" = 29 ]
tell "predict --logits: an object, a row of 29 for each 30 ms" $?

# ---- going on ----

same_logs() { # RUN RUN
    for log in train probe eval; do
        timeless "$1/$log.jsonl" >a && timeless "$2/$log.jsonl" >b && [ -s a ] && cmp a b || return 1
    done
}
train small.ini train.steps=4 --out half && train --resume half train.steps=6 &&
    timeless half/train.jsonl >a && timeless run/train.jsonl | cmp - a &&
    cmp half/checkpoints/step-00000006.safetensors run/checkpoints/step-00000006.safetensors
tell "4 + 2 steps are 6 steps, bit for bit" $?

# A TERM once some steps are taken; again where a busy machine lets the run end first.
begin_and_term() { # OUT WORDS...
    out=$1
    shift
    for _ in 1 2 3 4 5; do
        rm -rf "$out"
        "$STEADY" train small.ini "$@" --out "$out" --no-report 2>err &
        pid=$!
        until [ -f "$out/train.jsonl" ] && [ "$(wc -l <"$out/train.jsonl")" -ge 5 ]; do
            kill -0 $pid 2>/dev/null || break
        done
        kill -s TERM $pid 2>/dev/null
        wait $pid && continue
        return $?
    done
}
long="train.steps=60 train.eval_every=25 train.checkpoint_every=25"
# shellcheck disable=SC2086
train small.ini $long --out whole && { begin_and_term broken $long; [ $? = 75 ]; } &&
    train --resume broken && same_logs whole broken &&
    cmp whole/checkpoints/step-00000060.safetensors broken/checkpoints/step-00000060.safetensors
tell "TERM, exit 75, and on: the same logs as an unbroken run" $?

# ---- export ----

train small.ini model.reparam=sigma model.norm=none --out sigma &&
    "$STEADY" export sigma -o plain.safetensors 2>err && ! grep -q "[.]gamma" plain.safetensors &&
    grep -q blocks.1.attn.shift plain.safetensors &&
    train small.ini model.norm=none train.init=plain.safetensors train.steps=1 optim.lr=1e-30 --out again &&
    "$STEADY" eval sigma | tr ',' '\n' >a && "$STEADY" eval again | tr ',' '\n' >b &&
    paste -d, a b | awk -F '[:,]' '$1 ~ /loss/ { d = $2 - $4; exit !(d < 1e-4 * $2 && d > -1e-4 * $2) }'
tell "an exported model, folded, starts another run with the same loss" $?

# ---- batches ----

first_loss() { sed -n "${2}s/.*\"loss\":\([0-9.]*\),.*/\1/p" "$1/train.jsonl"; } # RUN STEP
near() { awk -v a="$1" -v b="$2" 'BEGIN { d = a - b; exit !(a > 0 && d < 1e-5 * a && d > -1e-5 * a) }'; }
still="data.augment=none model.dropout=0 model.layer_drop=0 optim.lr=1e-30 train.eval_every=99 probe.every=0
    model.cape_shift=0"
# shellcheck disable=SC2086
train small.ini train.batch_seconds=0 train.batch=6 $still data.shuffle=false --out counted &&
    train small.ini train.batch_seconds=0 train.batch=6 train.accumulate=3 $still data.shuffle=false --out parts &&
    for step in 1 2 6; do
        near "$(first_loss counted $step)" "$(first_loss parts $step)" || break
    done && [ "$(sed -n 's/.*"epoch":\([0-9.]*\),.*/\1/p' counted/train.jsonl | tail -n 1)" = 1.0 ]
tell "counted batches, and the same in three micro-batches" $?
# shellcheck disable=SC2086
train small.ini train.accumulate=2 $still --out seconds && [ "$(wc -l <seconds/train.jsonl)" = 6 ]
tell "batches by seconds, two buckets a step" $?

# ---- recordings ----

if [ $with_audio = no ]; then
    echo "skip recordings: built without libsndfile"
    exit
fi

# A chapter of LibriSpeech's: six utterances of one or two words; a word is a pitch.
chapter() { # FOLDER SPEAKER
    mkdir -p "corpus/$1/$2/7"
    i=0
    for text in ONE "TWO" SIX "ONE SIX" TWO "IT'S"; do
        id=$2-7-000$i
        speak "corpus/$1/$2/7/$id.wav" 4000 $((8 + i)) $((8 * (${#text} % 4 + 1)))
        echo "$id $text"
        i=$((i + 1))
    done >"corpus/$1/$2/7/$2-7.trans.txt"
}
chapter train-clean 1
chapter train-clean 2
chapter dev-clean 3
chapter test-clean 4
chapter dev-other 5
rm corpus/dev-other/5/7/5-7-0005.wav && sed -i '$d' corpus/dev-other/5/7/5-7.trans.txt
folders="small.ini data.source=librispeech data.path=corpus"
# shellcheck disable=SC2086
train $folders --out libri && grep -q '^train: 12 utterances, .* 4 kHz' err &&
    grep -q '^val: 6 utterances' err && grep -q '^test: 6 utterances' err &&
    [ "$(grep -c '"split":"test"' libri/eval.jsonl)" = 1 ]
tell "LibriSpeech's folders" $?
"$STEADY" eval libri data.test_split=dev-other >out && grep -q '"words":6,.*"count":5,' out &&
    "$STEADY" eval libri >out && [ "$(sed 's/,"checkpoint".*/}/' out)" = "$(tail -n 1 libri/eval.jsonl)" ]
tell "eval of another folder, and of the run's own" $?
"$STEADY" predict libri >out && "$STEADY" predict libri corpus/test-clean | cmp - out &&
    "$STEADY" predict libri corpus/test-clean/4/7/*.wav | cmp - out && [ "$(wc -l <out)" = 6 ] &&
    [ "$("$STEADY" predict libri corpus/dev-other/5/7/5-7-0002.wav corpus/test-clean --limit 2 | sed -n 2p)" = \
        "$(head -n 1 out)" ]
tell "predict without input, with a folder and with files" $?

for split in train dev test; do
    for file in corpus/$split-clean/*/7/*.trans.txt; do
        while read -r id text; do
            path=${file%/*}/$id.wav tenths=$((8 + ${id##*-000}))
            lasts=$((tenths / 10)).$((tenths % 10))
            echo "{\"audio_filepath\": \"$path\", \"duration\": $lasts, \"text\": \"$text\"}"
            printf '%s\t%s\t%s\n' "$path" "$lasts" "$text" >&3
        done <"$file"
    done 3>$split.tsv >$split.json
done
mkdir lines tabs && mv ./*.json lines && mv ./*.tsv tabs && ln -s ../corpus lines && ln -s ../corpus tabs
for kind in lines tabs; do
    train small.ini data.source=manifest data.path=$kind --out from-$kind && same_logs libri from-$kind 2>/dev/null
    tell "a folder of manifests: $kind" $?
done
train small.ini data.source=manifest data.path=tabs/train.tsv data.val_path=lines/dev.json \
    data.test_path=tabs/test.tsv --out itself && same_logs libri itself
tell "a manifest as data.path, others as val_path and test_path" $?

mv tabs 'ta, bs' && train small.ini data.source=manifest data.path='ta, bs/train.tsv' data.val_path='ta, bs/dev.tsv' \
    data.test_path='ta, bs/test.tsv' --out commas && mv 'ta, bs' tabs && same_logs libri commas
tell "commas in paths" $?
# shellcheck disable=SC2086
train $folders data.train_split='train-clean, dev-other' data.val_split=dev-clean data.val_fraction=0.5 \
    train.steps=1 --out lists && grep -q '^train: 17 utterances' err && grep -q '^val: 6 utterances' err
tell "a list of folders; a named val split wins over a fraction" $?

# Consecutive lines: step 2 of the whole is step 1 of a manifest with the third and the fourth.
sed -n '3,4p' tabs/train.tsv >tabs/pair.tsv
# shellcheck disable=SC2086
train small.ini data.source=manifest data.path=tabs $still train.batch_seconds=0 train.batch=2 \
    data.shuffle=false --out order && train small.ini data.source=manifest data.path=tabs/pair.tsv \
    $still train.batch_seconds=0 train.batch=2 data.shuffle=false --out pair &&
    near "$(first_loss order 2)" "$(first_loss pair 1)" && ! near "$(first_loss order 1)" "$(first_loss pair 1)" &&
    train $folders $still train.batch_seconds=0 train.batch=2 data.shuffle=false --out order-libri &&
    near "$(first_loss order-libri 2)" "$(first_loss pair 1)"
tell "without shuffling batches are consecutive lines" $?

if command -v flac >/dev/null; then
    cp -r corpus packed && find packed -name '*.wav' | while read -r file; do
        flac -s --delete-input-file "$file"
    done && train small.ini data.source=librispeech data.path=packed --out flac && same_logs libri flac
    tell "FLAC" $?
else
    echo "skip FLAC: there is no flac"
fi

# ---- several ranks ----

need_mpi
# Each rank draws its own; a hidden unit that is nearly 0 has one slope or the other with relu.
still_blocks="model.layer_drop=0 model.activation=gelu"
together "2 ranks, batches by seconds" 2 $still_blocks
together "2 ranks, counted batches, two micro-batches" 2 train.batch_seconds=0 train.batch=6 train.accumulate=2 $still_blocks
together "3 ranks, buckets of like length, recomputed blocks" 3 train.accumulate=2 train.recompute=block model.reparam=sigma $still_blocks
# Buckets of 4 s have one utterance or two: some ranks have none.
together "4 ranks, more than utterances in a batch" 4 train.batch_seconds=4 $still_blocks

# Recordings of one length, so that ranks and micro-batches are cut at the same places; gradients in
# several messages, of blocks that are left out at first too.
mkdir even && i=0 && while [ $i -lt 4 ]; do
    speak even/$i.wav 4000 10 $((8 << i)) && printf '%s.wav\t1.0\tab\n' $i >>even/train.tsv
    i=$((i + 1))
done
drops="data.source=manifest data.path=even data.test_path=even/train.tsv data.augment=none data.shuffle=false model.dropout=0 model.width=64
    model.depth=4 model.layer_drop=0.6 model.activation=gelu optim.lr=0.01 train.batch_seconds=0 train.batch=4"
rm -rf one many
# shellcheck disable=SC2086
train small.ini $drops train.accumulate=2 --out one && ranks 2 small.ini $drops --out many &&
    same_numbers one many && train small.ini $drops --out together && ! same_numbers one together >/dev/null
tell "layer drop: two ranks draw as two micro-batches do, not as one" $?
