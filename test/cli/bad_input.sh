# What the world gets wrong: each case ends with one clear line that names the file or key, with
# exit 2 (usage, recipe) or 3 (data), and leaves nothing behind.

. test/tell.sh
. test/png.sh
cd "$TMP" || exit 1
export OMP_NUM_THREADS=1

cat >small.ini <<'END_RECIPE'
[data]
source = glyphs
synthetic_count = 64
image_size = 16
[model]
width = 16
depth = 1
heads = 2
patch = 4
[train]
steps = 4
batch = 8
[guard]
exit = ok
END_RECIPE

# The command fails with this exit code and one line of the program's, notes apart, that holds the
# pattern.
fails() { # EXIT PATTERN COMMAND...
    wanted=$1 pattern=$2
    shift 2
    "$STEADY" "$@" >out 2>err
    code=$?
    if [ $code != "$wanted" ] || [ "$(grep -c -v '^steady: note: ' err)" != 1 ] || [ -s out ] ||
            ! grep -q "^steady[a-z ]*: .*$pattern" err; then
        printf 'steady %s: exit %s, wanted %s and %s\n' "$*" $code "$wanted" "$pattern"
        cat out err
        return 1
    fi
}

# A training run that is refused before it begins: no folder.
refused() { # NAME EXIT PATTERN WORDS...
    name=$1 wanted=$2 pattern=$3
    shift 3
    fails "$wanted" "$pattern" train "$@" --out new && [ ! -e new ]
    tell "$name" $?
    rm -rf new
}

# ---- recipes ----

refused "an unknown key is met with the nearest one" 2 'unknown key model.widht; did you mean model.width?' \
    small.ini model.widht=8
printf '[model]\nwidth = 16\ndpeth = 2\n' >typo.ini
refused "an unknown key of a file is named with its line" 2 'typo.ini:3: unknown key model.dpeth; did you mean model.depth?' typo.ini
printf '[modle]\nwidth = 16\n' >typo.ini
refused "an unknown section" 2 'typo.ini:1: unknown section .modle.; did you mean .model.?' typo.ini
refused "a value out of range" 2 'model.dropout.*1.5' small.ini model.dropout=1.5
refused "a value that is no number" 2 'optim.lr.*fast' small.ini optim.lr=fast
refused "a choice that does not exist" 2 'optim.name.*adamm.*adam' small.ini optim.name=adamm
refused "a recipe that does not exist" 2 'mnits.*did you mean mnist' mnits
refused "a recipe file that does not exist" 2 'nowhere.ini.*No such file' nowhere.ini
refused "a recipe that is a folder" 2 '\./' ./
head -c 3000 "$STEADY" >binary.ini
refused "a recipe that is a binary file" 2 'binary.ini:1: byte 0x.*not an INI file' binary.ini
: >empty.ini
refused "an empty recipe" 2 'train.epochs or train.steps' empty.ini
refused "no recipe at all" 2 'no recipe given' --no-report
refused "a batch larger than the data" 2 'train.batch = 65 .*64' small.ini train.batch=65
refused "a patch that does not divide the picture" 2 '16.*5' small.ini model.patch=5
refused "heads that do not divide the width" 2 'model.width = 16.*model.heads = 3' small.ini model.heads=3
refused "an MLP without hidden units" 2 'model.mlp_ratio = 0.01 .*no hidden unit' small.ini model.mlp_ratio=0.01
refused "a run of more epochs than can be counted" 2 'train.epochs = 1e300: expected number' small.ini train.epochs=1e300
refused "an option that does not exist" 2 '\-\-ouf' small.ini --ouf
refused "an option with = that does not exist" 2 'unknown option --ouf=new' small.ini --ouf=new
refused "an option with = and nothing behind it" 2 '\-\-resume needs a folder' --resume=

sed 's/^steps = 4/steps = 2   # a short run/' small.ini >comment.ini
"$STEADY" train comment.ini schedule.warmup_steps=5 --no-report --out=equals 2>err &&
    grep -q '^steady: note: schedule.warmup_steps = 5 is longer than the run (2 steps)' err &&
    "$STEADY" train --resume=equals train.steps=3 --no-report 2>err &&
    [ "$(wc -l <equals/train.jsonl)" = 3 ]
tell "a warm-up longer than the run is noted; --out= and --resume= take a folder" $?

# ---- IDX ----

# 64 pictures of 12 x 12, classes 0 to 7.
make_idx() { # FOLDER
    mkdir "$1"
    for split in train t10k; do
        {
            printf '\000\000\010\003\000\000\000\100\000\000\000\014\000\000\000\014'
            head -c 9216 /dev/zero
        } >"$1/$split-images-idx3-ubyte"
        {
            printf '\000\000\010\001\000\000\000\100'
            for _ in 1 2 3 4 5 6 7 8; do printf '\000\001\002\003\004\005\006\007'; done
        } >"$1/$split-labels-idx1-ubyte"
    done
}
idx="small.ini data.source=idx data.image_size=0"
images=train-images-idx3-ubyte labels=train-labels-idx1-ubyte

make_idx good
# shellcheck disable=SC2086
"$STEADY" train $idx data.path=good --out fine --no-report 2>err
tell "the IDX files of this test are good to begin with" $?

# shellcheck disable=SC2086
broken_idx() { # NAME PATTERN; the folder `bad` is ready
    refused "$1" 3 "$2" $idx data.path=bad
    rm -rf bad
}

broken_idx "a data folder that does not exist" 'data.path: bad: no such folder; give the folder'
make_idx bad && rm bad/$images
broken_idx "a data file that is missing" "bad/$images.*missing"
make_idx bad && gzip bad/$images && head -c 40 bad/$images.gz >part && mv part bad/$images.gz
broken_idx "a gzip file that is truncated" "bad/$images.gz is truncated"
make_idx bad && head -c 9000 bad/$images >part && mv part bad/$images
broken_idx "an IDX file that is truncated" "bad/$images.* truncated.*9216"
make_idx bad && printf 'x' >>bad/$images
broken_idx "an IDX file with more than its header says" "bad/$images has data after the expected"
make_idx bad && printf '\000\000\010\001\000\000\000\002\001\001' >bad/$labels
broken_idx "images and labels of different number" "bad/$labels has 2 items, but bad/$images has 64"
make_idx bad && cp bad/$images bad/$labels
broken_idx "a wrong magic number" "bad/$labels.*magic number is 2051, expected 2049"
make_idx bad && printf '\000\000\010\003\377\377\377\377\377\377\377\377\377\377\377\377' >bad/$images
broken_idx "a header of 2^96 bytes" "bad/$images"
make_idx bad && rm bad/$images && mkdir bad/$images
broken_idx "a folder where a file is wanted" "bad/$images is not a regular file"
make_idx bad && : >bad/$labels
broken_idx "an empty file" "bad/$labels"
make_idx bad && rm bad/t10k-labels*
broken_idx "a test split without its labels" 'bad/t10k-labels-idx1-ubyte.*missing'
make_idx bad && rm bad/t10k-images*
broken_idx "a test split without its images" 'bad/t10k-images-idx3-ubyte.*missing'

make_idx bad && cp good/t10k-labels* bad && {
    printf '\000\000\010\003\000\000\000\100\000\000\000\020\000\000\000\020'
    head -c 16384 /dev/urandom
} >bad/t10k-images-idx3-ubyte
size='pictures of width 16, height 16 are resized to width 12, height 12, the size of the training pictures'
# shellcheck disable=SC2086
"$STEADY" train $idx data.path=bad --out resized --no-report 2>err && grep -q "note: test: $size" err &&
    grep -q 'note: train: 64 of 64 pictures have one colour only (first: item 0)' err &&
    "$STEADY" eval resized >out 2>err && grep -q "note: test: $size" err && rm -r bad resized
tell "test pictures of another size are noted, and pictures of one colour" $?

make_idx bad && rm bad/t10k*
# shellcheck disable=SC2086
"$STEADY" train $idx data.path=bad --out untested --no-report 2>err &&
    [ "$(grep -c 'note: bad has no test split: nothing is scored' err)" = 1 ] &&
    [ ! -s untested/eval.jsonl ]
tell "a test split that is missing: a note, and nothing is scored" $?
fails 3 'bad/t10k-labels-idx1-ubyte.*missing' eval untested
tell "eval of a test split that is missing" $?
"$STEADY" eval untested --split train >out && grep -q '"split":"train",.*"count":64,' out
tell "the training split can be scored all the same" $?
# shellcheck disable=SC2086
"$STEADY" train $idx data.path=bad data.val_fraction=0.25 --out untested-val --no-report 2>err &&
    grep -q 'no test split: only the val split' err && grep -q '"val"' untested-val/eval.jsonl &&
    "$STEADY" eval untested-val >out && grep -q '"split":"val",.*"count":16,' out
tell "without a test split val is scored" $?
cp good/t10k* bad && rm bad/train*
"$STEADY" eval untested >out && grep -q '"split":"test",.*"count":64,' out
tell "eval needs no more than the split that it scores" $?
fails 3 'bad/train-labels-idx1-ubyte.*missing' eval untested --split train
tell "eval of a training split that is missing" $?
rm -rf bad
# shellcheck disable=SC2086
refused "mean of three channels for grey pictures" 2 'data.mean' $idx data.path=good data.mean=0,0,0

# ---- pictures ----

folder="small.ini data.source=folder data.path=bad"
make_folder() {
    for split in train test; do
        for class in cat dog; do
            mkdir -p bad/$split/$class
            for i in 1 2 3 4; do cp picture.png bad/$split/$class/$i.png; done
        done
    done
}

if ! paint plain picture.png; then
    echo "skip broken pictures: needs base64"
else
    make_folder
    # shellcheck disable=SC2086
    "$STEADY" train $folder --out pictures --no-report 2>err
    tell "the pictures of this test are good to begin with" $?

    latin=$(printf 'caf\351')
    if mv bad/train/cat "bad/train/$latin" && mv bad/test/cat "bad/test/$latin"; then
        # shellcheck disable=SC2086
        "$STEADY" train $folder --out latin --no-report 2>err && "$STEADY" eval latin >out 2>err &&
            "$STEADY" train --resume latin train.steps=30 --no-report 2>err
        tell "a class whose name is not UTF-8 is known again" $?
    fi
    rm -rf bad latin
    make_folder

    # Pictures are read as they are wanted: the run has said what it is about by then.
    # shellcheck disable=SC2086
    broken_picture() { # NAME PATTERN
        "$STEADY" train $folder --out new >out 2>err
        [ $? = 3 ] && [ "$(grep -v '^steady: note: ' err | grep -c '^steady')" = 1 ] &&
            grep -q "^steady train: .*$2" err && [ ! -e new ]
        tell "$1" $?
        rm -rf bad new
        make_folder
    }
    head -c 60 picture.png >bad/train/cat/3.png
    broken_picture "a picture that is truncated" 'bad/train/cat/3.png is a damaged PNG'
    echo 'Once upon a time' >bad/train/dog/1.png
    broken_picture "a text file with the name of a picture" \
        'bad/train/dog/1.png is not PNG or JPEG: it begins with "Once upo"'
    : >bad/train/dog/1.png
    broken_picture "an empty picture" 'bad/train/dog/1.png is empty'

    # Of more than 256 pictures a sample is looked at before the first step; the third is not in it.
    i=100
    while [ $i -lt 600 ]; do
        ln picture.png bad/test/cat/$i.png
        i=$((i + 1))
    done
    rm bad/test/cat/101.png && echo 'Once upon a time' >bad/test/cat/101.png
    # shellcheck disable=SC2086
    "$STEADY" train $folder train.steps=3 --out late --no-report 2>err
    [ $? = 3 ] && grep -q 'bad/test/cat/101.png' err && ls late/checkpoints/step-00000001.safetensors >out
    tell "a broken test picture is found late: the steps before are saved" $?
    cp picture.png bad/test/cat/101.png
    fails 3 'test: still 508 items, but different ones.*data.changed=allow' train --resume late &&
        "$STEADY" train --resume late data.changed=allow --no-report 2>err && [ "$(wc -l <late/eval.jsonl)" = 3 ]
    tell "the run continues with the replacement where that is allowed" $?

    echo 'Once upon a time' >bad/train/cat/1.png
    # shellcheck disable=SC2086
    refused "a first picture that gives no size" 3 'bad/train/cat/1.png is not PNG or JPEG' \
        $folder data.image_size=0
    # shellcheck disable=SC2086
    "$STEADY" train $folder data.image_size=0 data.on_error=skip --out second --no-report 2>err &&
        grep -q 'width 8, height 8' err
    tell "a first picture that is skipped leaves the size to the next" $?
    cp picture.png bad/train/cat/1.png
    # shellcheck disable=SC2086
    refused "a first picture that the patch does not divide" 2 '8 x 8.*patches of 3' \
        $folder data.image_size=0 model.patch=3

    rm -rf bad/test
    # shellcheck disable=SC2086
    "$STEADY" train $folder --out untested-pictures --no-report 2>err && grep -q 'bad has no test split' err
    tell "pictures without a test split" $?
    mkdir bad/test
    # shellcheck disable=SC2086
    refused "a test split that is there and empty" 3 'bad/test lacks' $folder
    rm -r bad && make_folder

    rm bad/train/dog/*
    # shellcheck disable=SC2086
    refused "a class without pictures" 3 'bad/train/dog has no PNG or JPEG' $folder
    rm -rf bad/train/*
    # shellcheck disable=SC2086
    refused "a folder without classes" 3 'bad/train' $folder
    rm -rf bad
    # shellcheck disable=SC2086
    refused "no folder of pictures" 3 'bad' $folder
fi

# ---- weights ----

# A safetensors file: length of the header, header, zeros.
safetensors() { # HEADER BYTES
    n=${#1}
    # shellcheck disable=SC2059
    printf "\\$(printf %o $((n % 256)))\\$(printf %o $((n / 256)))\\0\\0\\0\\0\\0\\0"
    printf '%s' "$1"
    head -c "$2" /dev/zero
}
tensor() { # NAME SHAPE BEGIN END
    printf '"%s":{"dtype":"F32","shape":[%s],"data_offsets":[%s,%s]}' "$@"
}
init() { # NAME EXIT PATTERN
    refused "$1" "$2" "$3" small.ini train.init=weights.safetensors
    rm -rf weights.safetensors
}

init "train.init that does not exist" 3 'train.init: weights.safetensors: no such file; name a .safetensors file'
mkdir weights.safetensors
init "train.init that is a folder without a run" 2 'train.init: weights.safetensors is not a run folder'
safetensors "{$(tensor cls_token '1, 1, 8' 0 32)}" 32 >weights.safetensors
init "train.init of a wrong shape" 3 'cls_token is .1, 1, 8., expected .1, 1, 16.'
safetensors "{$(tensor cls_token '1, 1, 16' 0 64 | sed s/F32/I32/)}" 64 >weights.safetensors
init "train.init of whole numbers" 3 'cls_token is integer (I32), expected F32, F64, F16 or BF16'
safetensors "{$(tensor a 4 0 16),$(tensor b 4 8 24)}" 24 >weights.safetensors
init "train.init with tensors that overlap" 3 'tensor b begins at data byte 8, expected 16 .*overlap'
printf '\0\0\0\0\0\0\0\020{}' >weights.safetensors
init "train.init with a header of 2^60 bytes" 3 'weights.safetensors.*1152921504606846976'
safetensors "{$(tensor a 4 0 16)}" 8 >weights.safetensors
init "train.init that is truncated" 3 'weights.safetensors.*tensor a.*truncated'
echo hello >weights.safetensors
init "train.init that is a text file" 3 'weights.safetensors'

# ---- runs ----

"$STEADY" train small.ini --out run --no-report 2>err
sum() { find run -type f | sort | xargs cksum; }
last=run/checkpoints/step-00000004.safetensors
sum >before

fails 2 'good is not a run folder' eval good
tell "eval of a folder that is no run" $?
fails 2 'nowhere is not a run folder' eval nowhere
tell "eval of a folder that does not exist" $?
fails 2 'nowhere is not a run folder' train --resume nowhere
tell "resume of a folder that does not exist" $?
fails 2 'no run given' predict
tell "predict of nothing" $?
fails 2 'split.*trian' eval run --split trian
tell "a split that does not exist" $?
fails 3 'the val split is empty' eval run --split val
tell "a split that is empty" $?
fails 3 'step-00000003.safetensors: no such checkpoint; run has th[a-z]* of steps* [0-9]' eval run --checkpoint 3
tell "a step without a checkpoint" $?
fails 3 'nowhere.png.*no such file' predict run nowhere.png
tell "predict of a picture that does not exist" $?
echo 'Once upon a time' >text.png
fails 3 'text.png is not PNG or JPEG' predict run text.png
tell "predict of a text file" $?
fails 3 'good.*no PNG or JPEG' predict run good
tell "predict of a folder without pictures" $?
fails 2 'limit.*many' predict run --limit many
tell "a limit that is no number" $?
fails 2 'no output file' export run
tell "export to nowhere" $?
fails 1 'nowhere/x.safetensors' export run -o nowhere/x.safetensors
tell "export into a folder that does not exist" $?
long=$(head -c 5000 /dev/zero | tr '\000' a)
fails 2 'too long' eval "$long" && fails 2 'too long' train --resume "$long" &&
    fails 2 'too long' predict run --checkpoint "$long" && fails 3 'too long' predict run "$long"
tell "names that are too long" $?

sum | cmp - before
tell "none of this has changed the run" $?

head -c 5000 $last >part && mv part $last
fails 3 "$last" eval run && fails 3 "$last" train --resume run
tell "a checkpoint that is truncated" $?
cp run/checkpoints/best.safetensors run/checkpoints/step-00000002.safetensors
sum >before
fails 3 "$last.*if you remove this file, --resume continues from step 2" train --resume run
tell "a damaged checkpoint: resume names the one before it" $?
size=$(wc -c <run/checkpoints/best.safetensors)
cp run/checkpoints/best.safetensors $last
printf 'x' | dd of=$last bs=1 seek=$((size - 100)) conv=notrunc 2>/dev/null
fails 3 "$last: the data are damaged: CRC-32" train --resume run
tell "a checkpoint with one wrong byte" $?
rm $last
echo '{' >run/task.json
fails 3 'run/task.json' predict run
tell "a task.json that is truncated" $?
