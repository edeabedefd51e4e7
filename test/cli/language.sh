# The task language from recipe to text: what a run leaves, resume, scores, sampling.

. test/tell.sh
cd "$TMP" || exit 1
export OMP_NUM_THREADS=1
unset OPENBLAS_CORETYPE

cat >small.ini <<'END_RECIPE'
[task]
kind = language
[data]
source = grammar
synthetic_count = 60
[model]
width = 16
depth = 1
heads = 2
context = 16
tied = true
dropout = 0.1
[optim]
lr = 0.01
[train]
steps = 8
batch = 4
eval_every = 4
checkpoint_every = 2
keep = 9
[probe]
every = 2
END_RECIPE


# ---- what a run leaves ----

train small.ini --out run && for file in recipe.ini task.json text.vocab text.tokenizer \
        train.jsonl probe.jsonl eval.jsonl checkpoints/best.safetensors \
        checkpoints/step-00000008.safetensors; do
    [ -s run/$file ] || { echo "no $file"; false; } || break
done && [ ! -e run/text.codes ] && [ -z "$(find run -name '*.new')" ]
tell "a run leaves recipe, facts, dictionary, logs and checkpoints" $?
[ "$(wc -l <run/train.jsonl)" = 8 ] && grep -q '"site":"blocks.0.attn"' run/probe.jsonl &&
    [ "$(grep -c '"split":"val".*"ppl":' run/eval.jsonl)" = 2 ] &&
    tail -n 1 run/eval.jsonl | grep -q '"step":8,"split":"test".*"ppl":' &&
    ! grep -q '"nll"\|"bleu"' run/eval.jsonl
tell "logs: a row a step, probes, perplexity of both splits" $?
tail -n 1 run/eval.jsonl | tr ',' '\n' | sed -n 's/"loss"://p; s/"ppl"://p' | tr '\n' ' ' |
    awk '{ d = exp($1) / $2 - 1; exit !(NF == 2 && d < 1e-5 && d > -1e-5) }'
tell "perplexity is e to the loss" $?
grep -q '"chance": [0-9.]*' run/task.json && grep -q '"vocab": [0-9]' run/task.json
tell "facts: chance and the size of the vocabulary" $?

# Random words: nothing can be learned beyond how frequent they are, with or without smoothing.
awk 'BEGIN { srand(3); for (i = 0; i < 4000; i++) printf "w%d%s", exp(rand() * 3.7), i % 10 ? " " : "\n" }' >random
grade_of() { sed -n 's/.*"grade":"\([^"]*\)".*/\1/p' "$1" | tail -n 1; }
fact() { sed -n "s/.*\"$2\": \([0-9.]*\).*/\1/p" "$1/task.json"; }
for smoothing in 0 0.2; do
    train small.ini data.source=text data.path=random data.tokens=word data.val_fraction=0.1 model.dropout=0 \
        train.steps=40 train.eval_every=40 train.batch=8 guard.exit=ok train.label_smoothing=$smoothing --out random$smoothing
    "$STEADY" eval random$smoothing --split val >scored$smoothing 2>err
done
[ "$(grade_of random0/eval.jsonl)" = 'not learned' ] && [ "$(grade_of random0.2/eval.jsonl)" = 'not learned' ]
tell "label smoothing does not change what a score says was learned" $?
[ "$(grade_of scored0)" = 'not learned' ] && [ "$(grade_of scored0.2)" = 'not learned' ]
tell "eval gives the same grade as the run" $?
[ "$(fact random0 guess_nll)" = "$(fact random0.2 guess_nll)" ] &&
    [ "$(fact random0 guess_nll)" = "$(fact random0 chance)" ] && [ "$(fact random0.2 chance)" != "$(fact random0 chance)" ]
tell "task.json has the guess with and without smoothing" $?
sed '/guess_nll/d' random0.2/task.json >kept && mv kept random0.2/task.json &&
    "$STEADY" eval random0.2 --split val >out 2>err && ! grep -q '"grade"' out && grep -q '"ppl":' out
tell "an older run with smoothing has no grade in eval, rather than a wrong one" $?

# A run that ended non-finite counts in a sweep as a guess does: by its perplexity without smoothing.
"$STEADY" sweep small.ini data.source=text data.path=random data.tokens=word data.val_fraction=0.1 train.steps=4 \
    train.label_smoothing=0.2 guard.exit=ok optim.name=sgd optim.lr=1e-9,1e30 train.seed=0,1 --force --out sw --jobs 1 >out 2>err
"$STEADY" sweep --compare sw >out 2>err
awk -v nll="$(fact random0 guess_nll)" 'BEGIN { printf "%.4g", exp(nll) }' >ppl
grep 1e30 out | grep -q "$(cat ppl)"
tell "a non-finite run counts as a guess, by its perplexity without smoothing" $?

# ---- resume ----

train small.ini train.steps=4 schedule.name=constant --out half &&
    train --resume half train.steps=8 && for log in train probe eval; do
    timeless half/$log.jsonl >a && timeless run/$log.jsonl >b && cmp a b || break
done && cmp half/checkpoints/step-00000008.safetensors run/checkpoints/step-00000008.safetensors
tell "4 + 4 steps are 8 steps, bit for bit" $?

printf 'a b c d e f g h\n%.0s' 1 2 3 4 5 6 7 8 9 10 >letters
printf 'b a c d e f g h\n%.0s' 1 2 3 4 5 6 7 8 9 10 >others
own="small.ini data.source=text data.path=letters model.context=4 data.val_fraction=0.2"
# shellcheck disable=SC2086
train $own --out letters-run && sed 's/a/i/' letters >kept && mv kept letters &&
    cksum letters-run/text.* >before
train --resume letters-run train.steps=9
[ $? = 3 ] && grep -q 'text.vocab differs from the vocabulary of the training text' err &&
    cksum letters-run/text.* | cmp - before
tell "a text that has changed since is refused, and the dictionary stays" $?

# ---- eval ----

"$STEADY" eval run >out 2>err && [ "$(wc -l <out)" = 1 ] &&
    grep -q '^{"step":8,"split":"test",.*"ppl":.*"checkpoint":"run/checkpoints/step-00000008' out &&
    [ "$(cut -d, -f3,4 out)" = "$(tail -n 1 run/eval.jsonl | cut -d, -f3,4)" ]
tell "eval prints one object with the run's own numbers" $?
"$STEADY" eval run --split val train.eval_stride=4 >out && grep -q '"split":"val"' out &&
    "$STEADY" eval run --split val >wide && ! cmp -s out wide &&
    [ "$(sed 's/.*"count":\([0-9]*\).*/\1/' out)" = "$(sed 's/.*"count":\([0-9]*\).*/\1/' wide)" ]
tell "a stride scores the same tokens with more before them" $?
for which in best 4 average:2; do
    "$STEADY" eval run --checkpoint $which >out-$which || break
done && ! cmp -s out-4 out-average:2 && grep -q '"step":4' out-4
tell "eval of the best, a step, and an average" $?

"$STEADY" export run -o plain.safetensors 2>err && train small.ini train.init=plain.safetensors \
    train.steps=1 optim.lr=1e-30 --out again && [ "$("$STEADY" eval again | cut -d, -f3)" = \
    "$("$STEADY" eval run | cut -d, -f3)" ]
tell "an exported model starts another run with the same loss" $?

# ---- text ----

say() { "$STEADY" predict run --prompt 'the dog' --tokens 12 "$@"; }
say --seed 1 >a && say --seed 1 >b && say --seed 2 >c && cmp a b && ! cmp -s a c &&
    grep -q '^the dog' a && [ "$(tail -c 1 a | wc -l)" = 1 ]
tell "a seed gives the same text again, another seed another" $?
say --temperature 0 --seed 1 >a && say --temperature 0 --seed 2 | cmp - a &&
    say --top-k 1 --seed 3 | cmp - a
tell "temperature 0 and the likeliest one alone do not ask the seed" $?
say --tokens 0 >a && [ "$(cat a)" = 'the dog' ] && "$STEADY" predict run --tokens 40 >b &&
    [ -s b ] && say --tokens 40 --checkpoint best >b && say --checkpoint average:2 >b
tell "no token more than asked for; more than the context; best; average" $?
printf 'the dog\n\nthe cat sees\n' >lines
"$STEADY" predict run lines --logits >out && [ "$(wc -l <out)" = 3 ] &&
    sed -n 2p out | grep -q '"input":"","tokens":\[\],"logits":\[\]' &&
    head -n 1 out | grep -q '"input":"the dog","tokens":\[[0-9]*,[0-9]*\],"logits":\[\['
tell "logits: an object for each line, empty ones too" $?
"$STEADY" predict run --prompt 'the nosuch dog other' --tokens 2 >a 2>err && [ "$(wc -l <err)" = 2 ] &&
    grep -q "^steady: note: --prompt: the word 'nosuch' is not in the vocabulary" err &&
    grep -q "2 words of the input .*: 'nosuch', 'other'$" err && say --tokens 1 2>err >a && [ ! -s err ]
tell "unknown words of a prompt are named" $?
printf 'the dog\nthe quux\r\n' >lines && "$STEADY" predict run lines --logits >out 2>err &&
    grep -q "note: lines:2: the word 'quux'" err && grep -q 'note: lines: line ends ' err &&
    tail -n 1 out | grep -q '"unknown":1' && head -n 1 out | grep -qv unknown
tell "the same of lines, whose objects count them" $?
printf 'the dog\nthe cat\n' >lines && "$STEADY" predict run lines --tokens 9 >a 2>err && [ "$(wc -l <a)" = 2 ] &&
    head -n 1 a | grep -q '^the dog' && tail -n 1 a | grep -q '^the cat' &&
    "$STEADY" predict run - --tokens 9 <lines | cmp - a && "$STEADY" predict run - --tokens 9 --limit 1 <lines >b && [ "$(wc -l <b)" = 1 ]
tell "each line of a file or of stdin is a prompt" $?
"$STEADY" predict run - --logits <lines >out && [ "$(wc -l <out)" = 2 ] && "$STEADY" predict run - </dev/null >out && [ ! -s out ] &&
    fails 2 '--prompt cannot be combined' predict run lines --prompt x && fails 2 '--tokens has no effect' predict run lines --logits --tokens 3 &&
    fails 2 '--top has no effect' predict run --top 3
tell "logits of stdin; what does not go together is refused" $?
printf 'a \377\n' | fails 3 'standard input:1: .*UTF-8' predict run -
tell "a prompt of stdin that is no UTF-8 is refused" $?
"$STEADY" train small.ini train.steps=6 train.eval_every=3 --out shown --no-report 2>err; [ "$(grep -c '^sample: ' err)" -ge 2 ] &&
    grep -q '"Sample"' shown/answers.json && "$STEADY" report shown >out && grep -q 'Samples of the model' shown/report.html
tell "samples are in the log and in the report" $?
"$STEADY" export run --vocab names.json 2>err && grep -q '"vocabulary"' names.json && grep -q '"tokens"' names.json &&
    "$STEADY" export run -o told.safetensors 2>err && for word in task step score model vocabulary recipe heads; do
    head -c 20000 told.safetensors | grep -a -q "\"$word\":\"" || exit 1
done
tell "an export has its vocabulary" $?
"$STEADY" predict run --prompt "$(printf 'dog \377')" 2>err
[ $? != 0 ] && [ "$(grep -c . err)" = 1 ] && grep -q 'prompt.*UTF-8' err
tell "a prompt that is no UTF-8 is refused" $?

# ---- ways to take text apart ----

i=0
while [ $i -lt 40 ]; do
    echo 'Ναι, η γάτα κοιμάται. Да, кошка спит. 猫は寝ている。'
    echo 'The cat sleeps, 猫 🐈 naïve.'
    i=$((i + 1))
done >scripts.txt
gzip -c scripts.txt >packed.gz
for kind in char word bpe; do
    train small.ini data.source=text data.path=scripts.txt data.tokens=$kind data.bpe_merges=30 \
        data.val_fraction=0.2 --out $kind && "$STEADY" eval $kind >out &&
        grep -q '"split":"val".*"ppl"' out && "$STEADY" predict $kind --prompt '猫' --tokens 9 >out &&
        grep -q '^猫' out && { [ $kind != bpe ] || [ -s bpe/text.codes ]; }
    tell "$kind: trained, scored and continued, in any script" $?
done
train small.ini data.source=text data.path=packed data.tokens=char data.val_fraction=0.2 \
    --out packed && timeless packed/train.jsonl >a && timeless char/train.jsonl | cmp - a
tell "a packed text is the text" $?

train small.ini model.cutoffs=6,14 model.adaptive_factor=2 --out bands &&
    "$STEADY" eval bands >out && "$STEADY" predict bands --prompt 'the dog' --tokens 5 >out
tell "an adaptive softmax: trained, scored and continued" $?
train small.ini model.position=learned --out learned &&
    [ "$("$STEADY" predict learned --prompt 'the dog' --tokens 60 | wc -w)" -ge 30 ]
tell "text goes on where learned positions end" $?
"$STEADY" predict learned --tokens 1 --prompt \
    'the the the the the the the the the the the the the the the the the' 2>err
[ $? = 2 ] && grep -q '17 tokens.*16' err
tell "a prompt longer than learned positions is refused" $?
