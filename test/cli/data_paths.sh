# A path that is not there: the key, what to give, exit 3, and no folder of a run.

. test/tell.sh
cd "$TMP" || exit 1
export OMP_NUM_THREADS=1 STEADY_KERNEL_CHECK=off
printf 'a text of some words\n%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 >text
cp text here.de
cp text here.en
gzip -k text

while read -r key of words; do
    # shellcheck disable=SC2086 # several words
    refused "$key of $of" 3 "$key: [^ ]*nowhere[^ ]*: no such f[a-z]*; give .* as $key=[A-Z]" "$of" $words
done <<'TABLE'
data.path mnist data.path=nowhere
data.path cifar10 data.path=nowhere
data.path vit-b16-sigma data.path=a/nowhere
data.path shakespeare-char data.path=nowhere
data.val_path wikitext data.path=text data.val_path=nowhere data.test_path=
data.test_path wikitext data.path=text data.val_path=text data.test_path=./nowhere
data.source_vocab wikitext data.path=text data.val_path= data.test_path= data.source_vocab=nowhere
data.bpe_codes wikitext data.path=text data.val_path= data.test_path= data.tokens=bpe data.bpe_codes=nowhere
data.path multi30k-post data.path=nowhere
data.val_path multi30k-post data.path=here data.val_path=nowhere data.test_path=
data.target_vocab multi30k-post data.path=here data.val_path= data.test_path= data.joint=false model.tied=none data.target_vocab=nowhere
data.path digits-pre data.path=nowhere
data.path digits-pre data.source=manifest data.path=nowhere
TABLE
refused "a file that lacks one language" 3 'data.path: here.fr: no such file; .* as data.path=START, of START.de and START.fr' \
    multi30k-post data.path=here data.target_lang=fr data.val_path= data.test_path=
refused "train.init" 3 'train.init: nowhere: no such file' demo train.init=nowhere
refused "~ in a word" 3 'data.path: ~/nowhere: no such file; .*write $HOME' shakespeare-char data.path=~/nowhere
"$STEADY" train shakespeare-char data.path=text.gz model.width=8 model.heads=1 model.depth=1 model.context=8 train.batch=2 train.steps=1 train.epochs=0 probe.every=0 --no-report 2>err
tell "a gzip file is there" $?
mkdir clips bare && : >clips/1.wav && : >clips/list.tsv && : >bare/1.wav
refused "a folder of recordings with its list inside" 3 'name the list: data.path=clips/list.tsv' own-recordings data.path=clips
refused "a folder of recordings without a list" 3 'give a list of recordings and their texts as data.path=FILE' own-recordings data.path=bare

# ---- a run and its data from another folder ----

words="model.width=8 model.heads=1 model.depth=1 model.context=8 train.batch=2 train.epochs=0 probe.every=0"
mkdir 'else where'
try() { # NAME PATTERN COMMAND...: in the other folder
    name=$1 pattern=$2
    shift 2
    (cd 'else where' && "$STEADY" "$@" >out 2>err; tail -n 1 err | grep -q -e "$pattern")
    tell "$name" $?
}
train own-text data.path=text $words train.steps=2 --out texts
there="; where the run was trained it is there: data.path=$TMP/text\$"
try "eval names the path from where the run was trained" "$there" eval ../texts
try "so does a resume" "$there" train --resume ../texts train.steps=3
try "a path that is not there either is not named" 'nowhere: no such file; give your text as data.path=FILE [^;]*$' \
    eval ../texts data.path=nowhere
train multi30k-post data.path=here data.val_path= data.test_path= data.tokens=word $words train.steps=1 --out pairs
try "of a pair of files it is what both begin with" "data.path=$TMP/here\$" eval ../pairs --split train
sed '/"cwd"/d' texts/run.json >run.json && mv run.json texts/run.json
try "an older run does not know" 'give your text as data.path=FILE [^;]*$' eval ../texts

train own-text data.path=text data.val_fraction=0 $words train.steps=2 --out all
fails 3 'all was trained without a validation or test split (.*); to score the training examples: --split train$' eval all &&
    "$STEADY" eval all --split train 2>err | grep -q '"split":"train"'
tell "a run without a split to score says which there is" $?
