# The task translate from recipe to translations: what a run leaves, resume, scores, lines in and
# out, several ranks.

. test/tell.sh
. test/ranks.sh
cd "$TMP" || exit 1
unset OPENBLAS_CORETYPE

cat >small.ini <<'END_RECIPE'
[task]
kind = translate
[data]
source = numbers
synthetic_count = 60
[model]
width = 16
depth = 1
heads = 2
position = sinusoidal
tied = decoder
[optim]
lr = 0.01
[train]
steps = 8
batch = 6
label_smoothing = 0.1
eval_every = 4
checkpoint_every = 2
keep = 9
max_decode = 20
[probe]
every = 2
END_RECIPE


# ---- what a run leaves ----

train small.ini model.dropout=0.1 --out run && for file in recipe.ini task.json source.vocab \
        source.tokenizer target.vocab target.tokenizer train.jsonl probe.jsonl eval.jsonl \
        checkpoints/best.safetensors checkpoints/step-00000008.safetensors; do
    [ -s run/$file ] || { echo "no $file"; false; } || break
done && [ -z "$(find run -name '*.new' -o -name '*.codes')" ]
tell "a run leaves recipe, facts, two dictionaries, logs and checkpoints" $?
[ "$(grep -c '"split":"val".*"ppl":.*"nll":' run/eval.jsonl)" = 2 ] &&
    tail -n 1 run/eval.jsonl | grep -q '"split":"test".*"bleu":.*"bleu_tokens":.*"signature":"' &&
    head -n 1 run/eval.jsonl | grep -v -q '"bleu"' && for site in encoder.blocks.0.attn \
    decoder.blocks.0.attn decoder.blocks.0.cross; do
    grep -q "\"site\":\"$site\"" run/probe.jsonl || break
done
tell "logs: perplexity at each score, BLEU at the end, all three kinds of attention" $?
tail -n 1 run/eval.jsonl | grep -q '"different":[1-9][0-9]*,"different_references":[1-9]' &&
    grep -q '"note":"The 4 of [0-9]* translations with the lowest BLEU, the lowest first. There are [0-9]* d' \
        run/answers.json && [ "$(grep -c '"BLEU"' run/answers.json)" = 4 ]
tell "the report's translations are the worst of the split, and say so" $?

train small.ini model.dropout=0.1 train.steps=4 --out half &&
    train --resume half train.steps=8 && for log in train probe eval; do
    timeless half/$log.jsonl | grep -v bleu >a && timeless run/$log.jsonl | grep -v bleu >b &&
        [ -s a ] && cmp a b || break
done && cmp half/checkpoints/step-00000008.safetensors run/checkpoints/step-00000008.safetensors
tell "4 + 4 steps are 8 steps, bit for bit" $?

# ---- eval ----

"$STEADY" eval run >out 2>err && [ "$(wc -l <out)" = 1 ] &&
    grep -q '^{"step":8,"split":"test",.*"ppl":.*"bleu":.*"signature":"nrefs:1' out &&
    [ "$(sed 's/,"checkpoint".*/}/' out)" = "$(tail -n 1 run/eval.jsonl)" ]
tell "eval prints one object with the run's own numbers" $?
"$STEADY" eval run --checkpoint best >a && "$STEADY" eval run --checkpoint average:2 >b &&
    ! cmp -s a b && "$STEADY" eval run train.beam=0 >out && ! grep -q bleu out
tell "eval of the best and of an average; without a beam there is no BLEU" $?

"$STEADY" export run -o plain.safetensors 2>err && train small.ini train.init=plain.safetensors \
    train.steps=1 optim.lr=1e-30 --out again && [ "$("$STEADY" eval again | cut -d, -f3)" = \
    "$("$STEADY" eval run | cut -d, -f3)" ]
tell "an exported model starts another run with the same loss" $?

# ---- lines in, lines out ----

printf 'ein hundert\n\nzwei tausend drei\n   \nsieben' >lines
fails 3 'ein hundert: no such file; INPUT is a file with a sentence per line; for one sentence: echo TEXT | steady predict RUN' \
    predict run "ein hundert" && fails 2 'does not use it; for one sentence: echo TEXT | steady predict RUN' predict run --prompt "ein hundert"
tell "a sentence in the place of a file: how one sentence is given" $?
"$STEADY" predict run lines >out 2>err && [ "$(wc -l <out)" = 5 ] && [ ! -s err ] &&
    [ -z "$(sed -n '2p; 4p' out | tr -d '\n')" ] && [ -n "$(sed -n 1p out)" ] && [ -n "$(sed -n 5p out)" ]
tell "a line for each line, an empty one for an empty one" $?
"$STEADY" predict run <lines | cmp - out && "$STEADY" predict run - <lines | cmp - out &&
    gzip -c lines >lines.gz && "$STEADY" predict run lines.gz | cmp - out
tell "file, packed file and standard input alike" $?
printf 'ein quatsch\n\nquatsch unsinn\n' | "$STEADY" predict run >none 2>err && [ "$(wc -l <none)" = 3 ] &&
    [ "$(wc -l <err)" = 2 ] && grep -q "standard input:1: the word 'quatsch' is not in the vocabulary" err &&
    grep -q "3 words of the input .*: 'quatsch', 'unsinn' ...$" err
tell "unknown words are named once and counted" $?
printf '\357\273\277ein hundert\r\nein\rhundert\n' | "$STEADY" predict run >none 2>err &&
    [ "$(head -n 1 none)" = "$(head -n 1 out)" ] && [ "$(wc -l <none)" = 2 ] &&
    grep -q 'note: standard input: lines with a carriage return .*: 1 (first: line 2)' err
tell "a byte order mark is left out, and a lone carriage return is said" $?
printf 'ein hundert\n' | iconv -f UTF-8 -t UTF-16LE | "$STEADY" predict run >none 2>err
[ $? = 3 ] && grep -q 'standard input is UTF-16, not UTF-8; convert it: iconv -f UTF-16LE' err
tell "UTF-16 is refused as what it is" $?
"$STEADY" predict run </dev/null >none && [ ! -s none ]
tell "nothing gives nothing" $?
"$STEADY" predict run lines lines --limit 2 >two && [ "$(wc -l <two)" = 4 ]
tell "several files, and --limit of each" $?
"$STEADY" predict run lines --nbest 3 >out3 && [ "$(cut -f1 out3 | uniq | tr -d '\n')" = 12345 ] && [ "$(grep -c '^1	' out3)" = 3 ] &&
    [ "$(grep -c '^2	' out3)" = 1 ] && sort -t '	' -k1,1n -k2,2nr -s out3 | cmp - out3 &&
    [ "$(grep '^1	' out3 | head -n 1 | cut -f3)" = "$(head -n 1 out)" ]
tell "--nbest: number, score, text, best first" $?
"$STEADY" predict run lines --beam 1 >one && [ "$(wc -l <one)" = 5 ] &&
    "$STEADY" predict run lines --logits >json && [ "$(wc -l <json)" = 5 ] &&
    head -n 1 json | grep -q '^{"input":"ein hundert","output":".*","score":-.*,"log_prob":-.*,"tokens":\[' &&
    sed -n 2p json | grep -q '"input":"","output":"","score":0.*"tokens":\[\]'
tell "--beam 1, and --logits as objects" $?
# Lines of other lengths beside it change no translation.
for i in 1 3 5; do sed -n ${i}p lines | "$STEADY" predict run || break; done >each &&
    grep . out | cmp - each
tell "a line's translation does not depend on its neighbours" $?
mkfifo pipe && { "$STEADY" predict run <pipe >live & } && exec 4>pipe && echo 'ein hundert' >&4 &&
    n=0 && until [ -s live ] || [ $n = 100 ]; do sleep 0.1; n=$((n + 1)); done
[ "$(cat live)" = "$(head -n 1 out)" ]
tell "a pipe's line is answered before the next one comes" $?
exec 4>&-
wait

# ---- files, tokens, ties ----

i=0
while [ $i -lt 48 ]; do
    echo "die Katze $((i % 7)) schläft — кошка" >&3
    echo "猫 $((i % 7)) sleeps"
    i=$((i + 1))
done 3>pairs.de >pairs.en
files="small.ini data.source=parallel data.path=pairs data.source_lang=de data.target_lang=en
    data.val_fraction=0.2"
for kind in word bpe char; do
    # shellcheck disable=SC2086
    train $files data.tokens=$kind data.bpe_merges=20 --out $kind && "$STEADY" eval $kind >out &&
        grep -q '"split":"val".*"bleu"' out && "$STEADY" predict $kind pairs.de >lines.out &&
        [ "$(wc -l <lines.out)" = 48 ] && { [ $kind != bpe ] || [ -s bpe/target.codes ]; }
    tell "$kind tokens: trained, scored and translated" $?
done
gzip -k pairs.de pairs.en && mkdir packed && mv pairs.??.gz packed
# shellcheck disable=SC2086
train $files data.path=packed/pairs --out packed-run && timeless packed-run/train.jsonl >a &&
    timeless word/train.jsonl | cmp - a
tell "packed files are the files" $?
# shellcheck disable=SC2086
train $files data.joint=true model.tied=all model.norm=deepnorm model.reparam=sigma --out all &&
    [ ! -e all/target.vocab ] && "$STEADY" predict all pairs.de >out && [ "$(wc -l <out)" = 48 ]
tell "one dictionary and one table for both sides" $?
# shellcheck disable=SC2086
train $files data.source_vocab=word/source.vocab data.target_vocab=word/target.vocab --out given &&
    cmp given/source.vocab word/source.vocab && timeless given/train.jsonl >a &&
    timeless word/train.jsonl | cmp - a
tell "dictionaries that are given are those of the run that made them" $?
# shellcheck disable=SC2086
train $files model.position=learned model.context=12 --out learned && "$STEADY" eval learned >out &&
    [ "$("$STEADY" predict learned pairs.de | wc -l)" = 48 ]
tell "learned positions: trained, scored and translated" $?

# ---- several ranks ----

need_mpi
together "2 ranks, batch" 2
together "4 ranks with unequal parts of a batch" 4 train.batch=7
together "2 ranks, batch_tokens" 2 train.batch_tokens=60
together "2 ranks, batch_tokens and accumulate" 2 train.batch_tokens=60 train.accumulate=3
together "4 ranks, recomputed blocks" 4 train.recompute=block model.reparam=sigma
# Buckets of 14 slots have one to three pairs: ranks 2 to 4 often have none.
together "more ranks than pairs in a batch" 4 train.batch_tokens=14
together "more ranks than pairs, accumulate" 3 train.batch_tokens=28 train.accumulate=2 train.ema=0.9
