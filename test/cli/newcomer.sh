# What people try first, with their own data and the wrong words: each message says what to write.

. test/tell.sh
. test/png.sh
cd "$TMP" || exit 1
export OMP_NUM_THREADS=1 STEADY_KERNEL_CHECK=off
tiny="data.synthetic_count=40 model.depth=1 model.width=12 train.batch=8 train.steps=12 probe.every=0 --no-report"

# ---- in the place of a recipe ----

# shellcheck disable=SC2086
"$STEADY" train demo $tiny --out runs/first 2>err
mkdir shapes
for i in 1 2 3 4 5 6 7 8 9; do printf 'First Citizen:\nSpeak, speak.\n'; done >book.txt
fails 2 'runs/first is a run, not a recipe; its recipe is runs/first/recipe.ini; to resume it: steady train --resume runs/first$' train runs/first &&
    fails 2 'runs/first is a run, not a recipe' sweep runs/first optim.lr=1,2
tell "a run in the place of a recipe" $?
fails 2 'shapes is a folder, not a recipe; if it holds your data: steady train RECIPE data.path=shapes ' train shapes
tell "a folder in the place of a recipe" $?
fails 2 'book.txt:1: .*; if book.txt is your data and not a recipe: steady train RECIPE data.path=book.txt ' train book.txt
tell "a text in the place of a recipe" $?
head -c 2000000 /dev/zero >large.bin
fails 2 'too large for a recipe; if large.bin is your data' train large.bin && rm large.bin
tell "a large file in the place of a recipe" $?
printf '[data]\nsorce = idx\n' >wrong.ini
fails 2 'wrong.ini:2: unknown key data.sorce; did you mean data.source?$' train wrong.ini
tell "a recipe with a slip is not called data" $?
bad=0
for word in pictures Text language speech translate folder manifest; do
    fails 2 "unknown recipe or file $word; .steady recipes $word. lists those of that kind" train $word &&
        "$STEADY" recipes $word >out && [ -s out ] || bad=1
done
tell "the word of a kind of task in the place of a recipe" $bad
fails 2 'book.txt after the recipe demo; give data as data.path=book.txt' train demo book.txt
tell "data behind a recipe without a key" $?
fails 2 'first is not a run folder (no recipe.ini); did you mean runs/first?$' train --resume first && fails 2 'did you mean runs/first' eval first
tell "a run without its folder" $?

fails 2 'unexpected argument w.safetensors after runs/first; the file to write is -o FILE' export runs/first w.safetensors
tell "export without -o" $?
fails 2 'frobnicate: no such section or key; steady search WORD searches' train --help-keys frobnicate
tell "a word that is no key is to be searched for" $?

# ---- what is at data.path ----

bad=0
for case in own-pictures:FOLDER:pictures own-text:FILE:text.txt own-recordings:FILE:list.tsv mnist:FOLDER:data/mnist multi30k-post:START:train.de; do
    name=${case%%:*} form=${case#*:} own=${case##*:}
    form=${form%%:*}
    fails 3 "data.path is needed: give .* as data.path=$form.*; the recipe's own, $own, does not exist; for example: steady train $name data.path=$form\$" train $name || bad=1
done
fails 3 'data.path: typed: no such folder; give ' train own-pictures data.path=typed || bad=1
"$STEADY" recipes own-pictures >typed.ini
fails 3 'data.path: pictures: no such folder; give ' train typed.ini || bad=1
tell "a path that nobody typed is not named as if someone had" $bad

# shellcheck disable=SC2086
"$STEADY" train demo data.path=book.txt $tiny --dry-run 2>err && grep -q 'note: built-in data are used in the place of book.txt$' err &&
    "$STEADY" train demo $tiny --dry-run 2>err && ! grep -q 'built-in data are used' err
tell "data for a recipe of built-in data" $?
printf 'caf\351\n' >latin.txt
fails 3 'latin.txt:1: byte 4 of the line (0xe9) is not UTF-8; .*iconv -f LATIN1 -t UTF-8 FILE >NEW' train own-text data.path=latin.txt --out new
tell "a text in Latin-1" $?

"$STEADY" train shakespeare-char data.path=shapes --dry-run 2>err
[ $? = 3 ] && grep -q 'data.path: shapes is a folder, not a file; give your text as data.path=FILE; cat FOLDER/\* >FILE joins several' err
tell "a folder where a text is wanted" $?
for source in folder idx cifar; do
    "$STEADY" train cifar10 data.source=$source data.path=book.txt --dry-run 2>err
    [ $? = 3 ] && grep -q 'data.path: book.txt is a file, not a folder; give ' err
    tell "a file where the folder of data.source=$source is wanted" $?
done
fails 3 'data.val_path: wiki.valid.tokens: no such file; give your text as data.val_path=FILE, or none: data.val_path= (data.val_fraction' \
    train wikitext data.path=book.txt --out new &&
    fails 3 'data.test_path: t.txt: no such file; give your text as data.test_path=FILE, or none: data.test_path= (' \
        train shakespeare-char data.path=book.txt data.val_path=book.txt data.test_path=t.txt data.val_fraction=0 --out new
tell "validation and test files that the recipe names" $?


# A picture of 8 x 8 pixels.
small="model.patch=4 model.width=12 model.heads=2 model.depth=1 train.batch=2 train.epochs=1 data.image_size=8 schedule.warmup_epochs=0"
if paint ink ink.png; then
    for class in cat dog; do
        mkdir -p pets/$class split/train/$class split/val/$class split/test/$class
        for i in 1 2 3 4 5 6 7 8 9 10; do cp ink.png pets/$class/$i.png; done
        for i in 1 2 3; do cp ink.png split/train/$class/$i.png && cp ink.png split/val/$class/$i.png && cp ink.png split/test/$class/$i.png; done
    done
    fails 3 'pets has no CIFAR files.*; for what is in pets: data.source=folder$' train cifar10 data.path=pets --out new &&
        fails 3 'split/train-labels-idx1-ubyte.*; for what is in split: data.source=folder$' train mnist data.path=split --out new
    tell "pictures in folders under another data.source" $?
    fails 3 'pets/cat has pictures, but no class folders; .*; for the folder above: data.path=pets;' \
        train own-pictures data.path=pets/cat --out new
    tell "a class folder where the folder above is wanted" $?
    # shellcheck disable=SC2086
    "$STEADY" train own-pictures data.path=split/train $small --dry-run 2>err &&
        grep -q 'note: train: split has other splits next to split/train, which are not used; to use them: data.path=split' err
    tell "a split in the place of the folder of all" $?
    mkdir two && cp -R split/train split/val two
    # shellcheck disable=SC2086
    "$STEADY" train own-pictures data.path=two guard.exit=ok $small --no-report --out two-run 2>err && grep -q '^score: val ' err &&
        grep -q 'note: two has no test split: only the val split is scored$' err && ! grep -q 'test top-1\|test split, so' err &&
        grep -q '"split":"val"' two-run/eval.jsonl && ! grep -q '"split":"test"' two-run/eval.jsonl &&
        "$STEADY" eval two-run 2>err | grep -q '"split":"val"'
    tell "splits train and val: val is called val" $?
    # shellcheck disable=SC2086
    "$STEADY" train own-pictures data.path=pets data.val_fraction=0 guard.exit=ok $small --no-report --out none 2>err &&
        grep -q 'note: train: pets has no folder train, .*; nothing is held out for validation (data.val_fraction = 0)$' err &&
        grep -q 'nothing is scored, and no best checkpoint is chosen; ' err && grep -q ' 10 steps per epoch' err &&
        [ ! -e none/checkpoints/best.safetensors ]
    tell "data.val_fraction=0 of pictures without splits holds out nothing, and the run says so" $?
    # shellcheck disable=SC2086
    "$STEADY" train own-pictures data.path=pets $small --no-report --out pets-run 2>err &&
        grep -q '^next: ' err && grep -q ' 8 steps per epoch, 8 steps of 2, 1 thread$' err && ! grep -q 'verdict: \(.*\)\. \1: ' err
    tell "own pictures, flat, by the recipe for them" $?
    "$STEADY" predict pets-run --top 2 >out 2>err && [ "$(wc -l <out)" = 4 ] && cut -f 1 out | grep -q '^pets/cat/[0-9]*.png$' &&
        "$STEADY" eval pets-run >out 2>err && grep -q '"split":"val".*"count":4' out
    tell "predict without a test split: the pictures of val, by their names" $?
fi

# ---- lists of recordings ----

cd - >/dev/null && . test/wav.sh && cd "$TMP" || exit 1
if "$STEADY" doctor 2>/dev/null | grep -q 'libsndfile.*not\b'; then
    echo "skip lists of recordings: needs libsndfile"
    exit 0
fi
for i in 1 2 3 4 5 6; do speak $i.wav 8000 10 16 && printf '%s.wav\tone two\n' $i >>two.tsv && printf '%s|one two\n' $i >>pipes.csv; done
sound="model.width=8 model.heads=2 model.depth=1 train.batch_seconds=3 data.augment=none --dry-run"
# shellcheck disable=SC2086
"$STEADY" train own-recordings data.path=two.tsv data.val_fraction=0.2 $sound 2>err && grep -q '^train: 5 utterances' err
tell "a list of path, tab and text" $?
{ printf 'path\ttext\n' && cat two.tsv; } >headed.tsv
# shellcheck disable=SC2086
"$STEADY" train own-recordings data.path=headed.tsv data.val_fraction=0 $sound 2>err && grep -q '^train: 6 utterances' err
tell "the same with a line of names" $?
"$STEADY" train own-recordings data.path=pipes.csv 2>err
[ $? = 3 ] && [ "$(grep -c 'pipes.csv:[0-9]*: expected' err)" = 4 ] && grep -q '^\.\.\. and 3 more$' err && grep -q 'docs/data.md, own recordings' err
tell "one fault in every line: three are shown" $?
mkdir voice && mv ./*.wav voice
"$STEADY" train digits-sigma data.path=voice 2>err
[ $? = 3 ] && tail -n 1 err | grep -q '6 recordings without a transcript; a list of paths and texts: data.source=manifest data.path=LIST)$'
tell "recordings without any transcript" $?

# ---- a sweep ----

# shellcheck disable=SC2086
"$STEADY" sweep demo optim.lr=0.001,0.002 ${tiny% --no-report} --out rates >out 2>err &&
    grep -q '^chance: ' out && ! grep -q '^probe fell (recovered): ' out && grep -q '^report: rates/report.html$' err && [ -e rates/report.html ]
tell "a sweep defines the verdicts that occur, and names its report" $?

# ---- the command for a thing ----

"$STEADY" search which heads collapsed? >out && grep -q '^  steady probe RUN --heads ' out && "$STEADY" search 'Which heads collapsed?' | cmp -s - out
tell "search: a question, as one word or several" $?
"$STEADY" search what does data.augment do to my pictures >out && grep -q '^  steady plot --augment ' out && grep -q '^  data.augment ' out
tell "search: commands and keys" $?
"$STEADY" search confusion matrix >out && grep -q '^  steady report ' out && ! grep -q 'Keys of recipes' out &&
    "$STEADY" search compare two runs >out && grep -q '^  steady diff ' out &&
    "$STEADY" search weights pytorch >out && grep -q '^  steady export ' out
tell "search: what a page shows, what compares, what PyTorch reads" $?
"$STEADY" help two machines >out && grep -q '^  mpirun -n 2 steady train' out && ! grep -q diff out
tell "help of other words searches for them" $?
fails 2 'nothing found for these words' search frobnicate && fails 2 'no words given' search && fails 2 'no words given' search how to
tell "search for what is not there" $?
[ -z "$("$STEADY" search a e i o u the model run steady | awk 'length > 100')" ]
tell "search: no line is wider than 100" $?
bad=0
for word in why explain find keys heads augment status; do
    "$STEADY" $word 2>err
    [ $? = 2 ] && grep -q "unknown command $word; did you mean " err || bad=1
done
tell "words of other programs for commands" $bad
