# What the world gets wrong with texts: each case ends with one clear line that names file and line,
# or key, with exit 2 (recipe) or 3 (data), and leaves nothing behind.

. test/tell.sh
cd "$TMP" || exit 1
export OMP_NUM_THREADS=1
unset OPENBLAS_CORETYPE

cat >text.ini <<'END_RECIPE'
[task]
kind = language
[data]
source = text
path = good
[model]
width = 16
depth = 1
heads = 2
context = 8
tied = true
[train]
steps = 2
batch = 4
END_RECIPE

cat >pairs.ini <<'END_RECIPE'
[task]
kind = translate
[data]
source = parallel
path = pairs
source_lang = de
target_lang = en
[model]
width = 16
depth = 1
heads = 2
position = sinusoidal
tied = decoder
[train]
steps = 2
batch = 4
beam = 1
max_decode = 8
END_RECIPE

i=1
while [ $i -le 40 ]; do
    echo "a b c $((i % 5)) d" >&3
    echo "x y $((i % 5)) z w v"
    i=$((i + 1))
done 3>pairs.de >pairs.en
cp pairs.de good

may_print=predict # what stood before the bad line

# ---- files ----

refused "a text that is not there" 3 'nowhere: no such file' text.ini data.path=nowhere
refused "pairs that are not there" 3 'nowhere.de: no such file' pairs.ini data.path=nowhere
cp pairs.de half.de
refused "one side that is not there" 3 'half.en: no such file' pairs.ini data.path=half
refused "a text that is a folder" 3 'data.path: \. is a folder, not a file; give your text' text.ini data.path=.
: >empty
refused "an empty text" 3 'empty is empty' text.ini data.path=empty
: >void.de && : >void.en
refused "empty pairs" 3 'void.de is empty' pairs.ini data.path=void
printf '\n\n\n' >blank
refused "a text of line ends alone" 2 '(3 tokens;' text.ini data.path=blank data.tokens=char
echo 'one line' >line
refused "a text of one line" 2 'the 0 blocks of the training text (3 tokens;' text.ini data.path=line
printf 'good\nb\0d\n' >nul
head -c 17000000 /dev/zero | tr '\0' x >long && refused "a line of 17 MB" 3 'long:1: a line of 17000000 bytes; .*fold -s -w 1000' text.ini data.path=long
refused "a NUL byte" 3 'nul:2: byte 2 of the line is NUL' text.ini data.path=nul
printf 'good\nb\377d\n' >latin
refused "bytes that are no UTF-8" 3 'latin:2: byte 2 of the line (0xff) is not UTF-8' text.ini data.path=latin
printf 'good\nb\355\240\200\n' >surrogate
refused "half of a surrogate pair" 3 'surrogate:2: byte 2' text.ini data.path=surrogate
iconv -f UTF-8 -t UTF-16 good >wide
refuse16='wide is UTF-16, not UTF-8; convert it: iconv -f UTF-16'
refused "UTF-16" 3 "$refuse16" text.ini data.path=wide
refused "UTF-16 as a dictionary" 3 "$refuse16" text.ini data.source_vocab=wide
for damage in junk member; do
    gzip -c good >$damage.gz && { [ $damage = junk ] && echo junk || gzip -c good | sed 's/^\x1f/\x1e/'; } >>$damage.gz
    refused "a packed text with a damaged second member ($damage)" 3 \
        "$damage.gz: [0-9]* bytes after byte [0-9]* belong to no gzip member" text.ini data.path=$damage
done
{ gzip -c good && head -c 1000 /dev/zero; } >zeros.gz
"$STEADY" train text.ini data.path=zeros --out zeros --no-report 2>err && grep -q '^text: 240 tokens of' err
tell "zeros behind a packed text are padding" $?
head -c 4000 "$STEADY" | gzip >cut && head -c 500 cut >cut.gz && rm cut
refused "a packed text that is truncated" 3 'cut.gz is truncated or damaged' text.ini data.path=cut
refused "the same by its whole name" 3 'cut.gz is truncated or damaged' text.ini data.path=cut.gz
refused "a val text that is not there" 3 'nowhere: no such file' text.ini data.val_path=nowhere
refused "a test text that is broken" 3 'latin:2' text.ini data.test_path=latin

# ---- pairs ----

cp pairs.de short.de && head -n 39 pairs.en >short.en
refused "a line fewer on one side" 3 'short.de has 40 lines, but short.en has 39' pairs.ini data.path=short
sed 7s/.*// pairs.de >gap.de && sed 9s/.*// pairs.en >gap.en
refused "an empty line on one side" 3 'gap.de:7: empty line' pairs.ini data.path=gap
"$STEADY" train pairs.ini data.path=gap data.on_error=skip --out skipped --no-report 2>err &&
    grep -q 'note: train: 2 of 40 pairs have an empty line .* (first: gap.en:7)' err && grep -q '^38 pairs' err
tell "data.on_error = skip leaves such pairs out and counts them" $?
{ cat pairs.de && seq -s ' ' 1000000; } >long.de && { cat pairs.en && echo long; } >long.en
refused "a line of a million tokens" 3 'long.de:41: 1000000 tokens, more than data.max_length = 1024' \
    pairs.ini data.path=long
"$STEADY" train pairs.ini data.path=long data.drop_long=true data.source_vocab=skipped/source.vocab \
    --out dropped --no-report 2>err && grep -q '1 of 41 pairs have more tokens than data.max_length' err
tell "data.drop_long = true leaves it out and counts it" $?
refused "a pair of too different lengths" 3 'pairs.en:1: 6 tokens against 5, a ratio above data.max_ratio = 1.1' \
    pairs.ini data.max_ratio=1.1
refused "all pairs left out" 2 'the 0 training pairs' pairs.ini data.max_ratio=1.1 data.drop_long=true

# ---- vocabularies ----

echo 'a b ß c' >other
refused "a val text with a character that the vocabulary lacks" 3 "other:1: the character 'ß' (U+00DF)" \
    text.ini data.tokens=char data.val_path=other
printf 'a 3\nb 2\nc 1\n' >small.vocab
"$STEADY" train text.ini data.source_vocab=small.vocab --out unknown --no-report 2>err &&
    grep -q '^text: 240 tokens of 7, 33.33 % <unk>' err && cmp small.vocab unknown/text.vocab
tell "what a given dictionary lacks is <unk>, and counted" $?
dictionary() { # NAME PATTERN TEXT
    printf "$3" >broken.vocab
    refused "$1" 3 "$2" text.ini data.source_vocab=broken.vocab
}
dictionary "a dictionary without a count" 'broken.vocab:2: .*count' 'a 3\nb\nc 1\n'
dictionary "a dictionary with a count that is none" 'broken.vocab:1: .*count' 'a 3x\nb 2\n'
dictionary "a dictionary with a token twice" 'broken.vocab:3: duplicate token .a., already number 4' 'a 3\nb 2\na 1\n'
dictionary "an empty dictionary" 'broken.vocab has no tokens' ''
refused "a dictionary that is not there" 3 'nowhere: no such file' text.ini data.source_vocab=nowhere
codes() { # NAME PATTERN TEXT
    printf "$3" >broken.codes
    refused "$1" 3 "$2" text.ini data.tokens=bpe data.bpe_codes=broken.codes
}
codes "codes without a header" 'broken.codes:1: ' 'a b\n'
codes "codes with a line that is no pair" 'broken.codes:3: ' '#version: 0.2\na b\nabc\n'
codes "codes with three words in a line" 'broken.codes:2: ' '#version: 0.2\na b c\n'
codes "codes with a carriage return in a symbol" 'broken.codes:3: a carriage return' '#version: 0.2\na b\nb \r\r\n'
codes "codes whose lines end as on an old Mac" 'broken.codes:1: ' '#version: 0.2\ra b\r'
codes "empty codes" 'broken.codes' ''
refused "codes that are not there" 3 'nowhere: no such file' text.ini data.tokens=bpe data.bpe_codes=nowhere

# ---- what is said ----

printf 'a b c 1 d\nx y\n' >odd && printf 'a b\rc\n1 \357\273\277d d\r\n' >>odd && cat good >>odd
"$STEADY" train text.ini data.path=odd data.val_path=odd data.min_count=2 data.limit=200 --out said --no-report 2>err &&
    grep -q 'note: train: odd: line ends .*: 1 (first: line 4)' err &&
    grep -q 'note: train: odd: carriage returns .*: 1 (first: line 3)' err &&
    grep -q 'note: train: odd: byte order marks .*: 1 (first: line 4)' err &&
    grep -q 'note: train: data.limit = 200: using the first of [0-9]* tokens' err &&
    grep -q 'note: train: the last 7 tokens do not fill a block of model.context = 8' err &&
    grep -q "note: val: [0-9]* tokens, 1.17 % <unk>; .* (first: odd:2: 'x')" err &&
    grep -q '"split":"val".*"unknown":0.01167' said/eval.jsonl && grep -q 'byte order marks' said/data.json &&
    "$STEADY" eval said >out 2>err && grep -q '"unknown":0.01167' out && grep -q 'note: val: .* <unk>' err
tell "what is odd, left out or unknown in a text is said and kept" $?
: >nothing
refused "an empty val text" 3 'nothing is empty: the val (data.val_path) split' text.ini data.val_path=nothing
"$STEADY" train pairs.ini data.val_fraction=0.001 --out rounded --no-report 2>err &&
    grep -q 'note: train: data.val_fraction = 0.001 of 40 pairs rounds to zero' err
tell "a val_fraction that rounds to nothing is said" $?
"$STEADY" train pairs.ini data.val_path=pairs train.batch=7 --out same --no-report 2>err &&
    grep -q 'note: val: 40 of 40 pairs are also in the training text' err &&
    grep -q 'note: train: 5 of 40 pairs are skipped in each epoch.*train.batch = 7' err
tell "val pairs of the training text, and pairs that fill no batch, are said" $?

# ---- lengths ----

refused "a sentence longer than learned positions" 3 \
    'pairs.en:1: the target line has 7 tokens.*model.context = 6' pairs.ini model.position=learned model.context=6
sed '3s/$/ d d d d d d/' pairs.de >val.de && cp pairs.en val.en
refused "the same in the val split, in the source" 3 'val.en:3: the source line has 12 tokens' \
    pairs.ini model.position=learned model.context=8 data.val_path=val
"$STEADY" train pairs.ini model.position=learned model.context=8 --out learned --no-report 2>err &&
    fails 3 'val.en:3: the source .* 12 tokens' eval learned data.test_path=val &&
    fails 3 'val.de:3: 12 tokens; at most 8' predict learned val.de
tell "eval and predict refuse sentences longer than learned positions" $?
refused "a context longer than the text" 2 '(240 tokens; a block is model.context = 500' \
    text.ini model.context=500
refused "a batch larger than the text" 2 'train.batch = 30 is more than the 29 blocks of the training text' \
    text.ini train.batch=30
refused "a batch larger than the pairs" 2 'train.batch = 41 is more than the 40 training pairs' \
    pairs.ini train.batch=41
refused "fewer buckets than micro-batches" 2 '1 buckets, fewer than train.accumulate = 2' \
    pairs.ini train.batch_tokens=100000 train.accumulate=2
refused "a task that the source is not for" 2 'data.source = parallel is not for task.kind = language' \
    pairs.ini task.kind=language
refused "one language twice" 2 'both de' pairs.ini data.target_lang=de
refused "tables tied without one dictionary" 2 'data.joint = true' pairs.ini model.tied=all

# ---- a run's folder ----

"$STEADY" train pairs.ini data.tokens=bpe data.bpe_merges=9 data.test_path=pairs --out run --no-report 2>err
fails 3 'long.de:41: [0-9]* tokens; at most 1025' predict run long.de
tell "predict refuses a line of a million tokens" $?
fails 3 'standard input:2: .*UTF-8' predict run - <latin && [ "$(wc -l <out)" = 1 ]
tell "predict names the line of standard input that is no text, and translates those before" $?
for file in source.vocab target.codes source.tokenizer; do
    mv run/$file kept && fails 3 "run/$file cannot be opened" predict run good &&
        fails 3 "run/$file cannot be opened" eval run
    tell "a run without $file: eval and predict name it" $?
    head -c 1 kept >run/$file && fails 3 "run/$file" predict run good
    tell "a run with a damaged $file: predict names it" $?
    mv kept run/$file
done
cp run/source.vocab kept && sed 1d kept >run/source.vocab && fails 3 'encoder.embed' predict run good
tell "a dictionary that does not fit the weights" $?
cp kept run/source.vocab

# ---- a disk that is full ----

# The dictionary of ten thousand words is larger than all else that is written before it.
seq 10000 | tr '\n' ' ' >words && echo >>words
limited() { # BLOCKS COMMAND...
    blocks=$1
    shift
    { (ulimit -f "$blocks" && "$STEADY" "$@"); echo $?; } 2>&1 | cat >err
    status=$(tail -n 1 err)
}
limited 40 train text.ini data.path=words --out new --no-report
[ "$status" = 1 ] && grep -q 'text.vocab.* was not written: File too large' err && [ ! -e new ]
tell "a dictionary that does not fit: exit 1, and no folder" $?
"$STEADY" train text.ini data.path=words --out full --no-report 2>err && cksum full/text.* >before
limited 40 train --resume full train.steps=3 --no-report
[ "$status" = 1 ] && grep -q 'text.vocab.* was not written' err && cksum full/text.* | cmp - before &&
    [ ! -e full/text.vocab.new ] && "$STEADY" predict full --tokens 2 >out
tell "the same when a run goes on: its dictionary stays" $?
if [ "$(id -u)" = 0 ]; then
    echo "skip a folder that cannot be written: the superuser may"
else
    mkdir locked && chmod a-w locked
    fails 1 'locked' train text.ini --out locked/run --no-report
    tell "a folder that cannot be written" $?
fi

# ---- signals ----

# TERM while 400,000 lines are read and their pieces are learned.
i=0
while [ $i -lt 11 ]; do
    cat good good good good good good good good good good
    i=$((i + 1))
done | awk '{ for (k = 0; k < 40; k++) print $0, NR * k % 7919 }' >large
interrupted() { # WORDS...: a TERM after a moment
    "$STEADY" "$@" --no-report >out 2>err &
    pid=$!
    sleep 0.3
    kill -s TERM $pid
    wait $pid
}
interrupted train text.ini data.path=large data.tokens=bpe train.steps=100000 --out asked
[ $? = 75 ] && grep -q interrupted err && {
    [ ! -e asked ] || "$STEADY" train --resume asked train.steps=1 --no-report 2>err || [ $? = 2 ]
}
tell "TERM while data are prepared: exit 75" $?

# A last step that is soon there, and a translation that takes long.
"$STEADY" train pairs.ini data.source=numbers data.path= data.synthetic_count=5000 train.beam=20 \
    train.max_decode=300 train.checkpoint_every=1 --out scored --no-report >out 2>err &
pid=$! n=0
until [ -f scored/train.jsonl ] && [ "$(wc -l <scored/train.jsonl)" = 2 ] || [ $n = 100 ]; do
    sleep 0.05
    n=$((n + 1))
done
sleep 0.2
kill -s TERM $pid
wait $pid
[ $? = 75 ] && grep -q 'interrupted while' err && [ "$(wc -l <scored/train.jsonl)" = 2 ] &&
    "$STEADY" train --resume scored train.beam=1 train.max_decode=2 --no-report 2>err &&
    [ "$(grep -c '"step":2,"split":"val".*"bleu"' scored/eval.jsonl)" = 1 ]
tell "TERM while sentences are translated: exit 75, and the score comes again" $?

# A sentence that dropout of attention has no masks for.
awk 'BEGIN { while (i++ < 131072) printf "b "; print ""; print "a b" }' >huge.de
printf 'a b c\na b\n' >huge.en
recipe="pairs.ini data.path=huge data.max_length=200000 train.batch=2"
wanted='huge.en:1: the source line has 131073 tokens, including </s>: with model.attention_dropout = 0.1 at most 131072; to skip'
refused "attention dropout has no masks for a huge sentence" 3 "$wanted" model.attention_dropout=0.1
refused "nor if it begins on the way" 3 'with intervene.at: huge.en:1: the source line has 131073 tokens' intervene.at=1 intervene.model.attention_dropout=0.1
"$STEADY" train $recipe model.attention_dropout=0.1 data.max_length=131071 data.drop_long=true train.batch=1 --dry-run 2>err
tell "which can be skipped" $?
