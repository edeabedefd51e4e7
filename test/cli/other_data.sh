# A run that is resumed on other data than it was trained on: refused with what differs, or, where
# data.changed = allow, said, kept and gone on with; the same data in another place are the same.

. test/tell.sh
. test/png.sh
. test/wav.sh
sound=$(grep -c '^HAVE_SNDFILE = yes' config.mk)
cd "$TMP" || exit 1
unset OPENBLAS_CORETYPE
export OMP_NUM_THREADS=1

begin() { # WORDS...: a run of 3 steps in `run`
    rm -rf run && "$STEADY" train "$@" train.steps=3 --out run --no-report 2>err ||
        { tail -n 3 err; return 1; }
}
refuses() { # NAME PATTERN: the data that are there now
    cksum run/*.json* run/recipe.ini run/checkpoints/* >before
    "$STEADY" train --resume run train.steps=6 --no-report >out 2>err
    [ $? = 3 ] && tail -n 1 err | grep -q "the data have changed since run was trained: .*$2" &&
        grep -q 'or resume with data.changed=allow' err && cksum run/*.json* run/recipe.ini run/checkpoints/* | cmp - before
    tell "$1" $?
}
allows() { # NAME PATTERN
    "$STEADY" train --resume run train.steps=6 data.changed=allow --no-report 2>err &&
        grep -q "^steady: note: the data changed: .*$2" err &&
        grep -q "^{\"step\":3,\"event\":\"resume\",\"text\":\"[^\"]*the data changed: .*$2" run/train.jsonl &&
        "$STEADY" train --resume run train.steps=8 --no-report 2>err && ! grep -q 'data changed' err &&
        [ "$(grep -c '"event":"resume"' run/train.jsonl)" = 1 ]
    tell "$1" $?
}

model="schedule.name=constant model.width=16 model.depth=1 model.heads=2 schedule.warmup_steps=0 schedule.warmup_epochs=0
    probe.every=0 train.epochs=0 train.eval_every=3"

# ---- pictures in folders ----

again() {
    rm -rf set
    for split in train test; do
        for class in cat dog fox; do
            mkdir -p set/$split/$class
            for i in 1 2 3 4; do cp one.png set/$split/$class/$class$i.png; done
        done
    done
}
pictures="cifar10 data.source=folder data.path=set data.image_size=8 data.augment=none model.patch=4
    model.drop_path=0 train.batch=4"
if paint plain one.png; then
    # shellcheck disable=SC2086
    again && begin $pictures $model
    mv set/train/cat/cat1.png elsewhere.png
    refuses "a picture that is gone" 'train: 12 items before, 11 now'
    cp elsewhere.png set/train/cat/cat1.png && cp one.png set/test/fox/new.png
    refuses "a picture more in the test split" 'test: 12 items before, 13 now'
    again && mv set/train/cat set/train/ape && mv set/test/cat set/test/ape
    refuses "a class of another name" 'train: still 12 items, but different ones.*class 0 changed from "cat" to "ape"'
    again && mv set/train/cat x && mv set/train/dog set/train/cat && mv x set/train/dog
    refuses "two classes that change places" 'train: still 12 items, but different ones'
    # The same names and lengths in both classes: only bytes differ.
    alike() {
        again && for split in train test; do
            for class in cat dog fox; do
                rm set/$split/$class/* && for i in 1 2 3 4; do
                    (cat one.png && echo $class$i) >set/$split/$class/$i.png; done; done; done
    }
    # shellcheck disable=SC2086
    alike && begin $pictures $model && mv set/train/cat x && mv set/train/dog set/train/cat && mv x set/train/dog
    refuses "two classes that change places, of the same names and lengths" 'train: still 12 items, but different ones'
    alike && cp set/train/dog/1.png set/train/dog/2.png
    refuses "a picture in place of another, of the same name and length" 'train: still 12 items, but different ones'
    # shellcheck disable=SC2086
    again && begin $pictures $model
    again && cp -R set/train/dog set/train/eel && cp -R set/test/dog set/test/eel
    refuses "a class more" '3 classes before, 4 now'
    again && echo more >>set/train/cat/cat2.png
    refuses "a file of another length" 'train: still 12 items, but different ones'
    again && mv set moved && "$STEADY" train --resume run data.path=moved train.steps=6 --no-report 2>err &&
        grep -q 'note: data.path changed from set to moved' err && ! grep -q 'the data changed' err
    tell "the same pictures in another folder" $?
    # shellcheck disable=SC2086
    latin=$(printf 'caf\351') && again && mv set/train/cat "set/train/$latin" && mv set/test/cat "set/test/$latin" &&
        begin $pictures $model &&
        "$STEADY" train --resume run train.steps=6 --no-report 2>err && ! grep -q 'the data changed' err
    tell "a class whose name is not UTF-8 is the same class" $?
    # shellcheck disable=SC2086
    rm -rf moved && again && begin $pictures $model && rm set/train/cat/cat1.png
    allows "data.changed = allow trains without the picture" 'train: 12 items before, 11 now'
else
    echo "skip pictures in folders: needs base64"
fi

# ---- IDX ----

idx() { # LABELS (octal, 8 of them) BYTE OF THE PICTURES
    rm -rf digits && mkdir digits
    for split in train t10k; do
        printf '\000\000\010\003\000\000\000\010\000\000\000\010\000\000\000\010' >digits/$split-images-idx3-ubyte
        head -c 512 /dev/zero | tr '\000' "$2" >>digits/$split-images-idx3-ubyte
        printf '\000\000\010\001\000\000\000\010'"$1" >digits/$split-labels-idx1-ubyte
    done
}
labels='\000\001\000\001\000\001\000\001'
idx $labels a
# shellcheck disable=SC2086
begin mnist data.path=digits data.image_size=0 data.augment=none model.patch=4 train.batch=4 $model
idx '\001\000\000\001\000\001\000\001' a
refuses "labels that are swapped" 'train: still 8 items, but different ones'
idx $labels b
refuses "other pixels" 'train: still 8 items, but different ones'
idx $labels a && "$STEADY" train --resume run train.steps=6 --no-report 2>err
tell "the old data again" $?

# ---- texts ----

seq 100 400 >lines
text="grammar data.source=text data.tokens=char model.context=8 train.batch=4 data.val_path=val"
seq 900 990 >val
# shellcheck disable=SC2086
begin $text data.path=lines $model
{ sed -n 2p lines; sed 2d lines; } >other && cp lines kept && mv other lines
refuses "lines in another order" 'train: still 1204 items, but different ones'
cp kept lines && sed -i '$d' lines
refuses "a line that is gone" 'train: 1204 items before, 1200 now'
cp kept lines && seq 900 980 >val
refuses "another validation text" 'val: 364 items before, 324 now'
allows "data.changed = allow: trains on, and scores begin anew" 'val: 364 items before, 324 now'
# shellcheck disable=SC2086
begin $text data.path=lines $model && "$STEADY" train --resume run data.limit=600 train.steps=6 --no-report 2>err &&
    grep -q 'the data changed: train: 1204 items before, 600 now' err
tell "a limit that is asked for needs no leave" $?
seq 900 970 >val2
"$STEADY" train --resume run data.val_path=val2 train.steps=8 --no-report 2>err &&
    grep -q 'val: 324 items before, 284 now; the choice of the best checkpoint starts anew' err
tell "nor does another validation set" $?
# With so low a rate no score is better than the first: each but the first shrinks the rate.
# shellcheck disable=SC2086
begin $text data.path=lines $model schedule.name=plateau schedule.patience=0 schedule.step_factor=0.5 \
    optim.lr=1e-9 train.eval_every=1 &&
    "$STEADY" train --resume run data.val_path=val2 train.steps=7 --no-report 2>err &&
    [ "$(grep -o '"lr":[^,]*' run/train.jsonl | tr '\n' ' ')" = \
        "$(printf '"lr":%s ' 1e-9 1e-9 5e-10 2.5e-10 2.5e-10 1.25e-10 6.25e-11)" ]
tell "the learning rate stays where earlier scores led it" $?
latin=$(printf 'caf\351') && cp lines "$latin" &&
    # shellcheck disable=SC2086
    begin $text "data.path=$latin" $model && "$STEADY" train --resume run train.steps=6 --no-report 2>err &&
    ! grep -q 'note: data' err
tell "a file whose name is not UTF-8 is the same file" $?

for i in 1 2 3 1 2 3 1 2 3; do echo "ein wort $i" >&3 && echo "a word $i"; done >p.en 3>p.de
pairs="numbers-post data.source=parallel data.source_lang=de data.target_lang=en data.path=p data.tokens=word
    train.batch=3 train.batch_tokens=0 train.accumulate=1 train.beam=0"
# shellcheck disable=SC2086
begin $pairs $model
{ sed 1d p.de && sed -n 1p p.de; } >other && mv other p.de
refuses "pairs that are shifted by a line" 'train: still 9 items, but different ones'

# ---- speech ----

if [ "$sound" = 1 ]; then
    mkdir clips && for i in 1 2 3 4 5 6; do
        speak clips/$i.wav 4000 $((9 + i)) $((1 << i))
        printf '%s.wav\t0.5\tone two\n' $i
    done >clips/train.tsv
    speech="tones data.source=manifest data.path=clips data.augment=none model.position=none
        train.batch=2 train.batch_seconds=0 train.accumulate=1"
    # shellcheck disable=SC2086
    begin $speech $model
    cp clips/train.tsv kept && sed -i 3d clips/train.tsv
    refuses "a row of a manifest that is gone" 'train: 6 items before, 5 now'
    sed 's/one two/two one/' kept >clips/train.tsv
    refuses "other transcripts" 'train: still 6 items, but different ones'
    cp kept clips/train.tsv && mv clips sounds &&
        "$STEADY" train --resume run data.path=sounds train.steps=6 --no-report 2>err &&
        ! grep -q 'the data changed' err
    tell "the same recordings in another folder" $?
fi
