# steady export: plain weights that mean the same as the run's reparametrised ones.

. test/tell.sh
cd "$TMP" || exit 1
export OMP_NUM_THREADS=1

cat >small.ini <<'END_RECIPE'
[data]
source = glyphs
synthetic_count = 100
image_size = 16
[model]
width = 16
depth = 2
heads = 2
patch = 4
[optim]
lr = 0.003
[train]
steps = 20
batch = 8
ema = 0.8
END_RECIPE

# Logits of the test split, comma-separated.
logits() { "$STEADY" predict "$@" --logits 2>err | sed 's/.*"logits":\[//; s/\].*//'; }

near() { # FILE FILE
    [ -s "$1" ] && paste -d, "$1" "$2" | awk -F, '
        { if (NF != 20) bad = 1
          for (i = 1; i <= 10; i++) { d = $i - $(i + 10); if (d < 0) d = -d; if (d > most) most = d } }
        END { if (bad || most > 1e-4) { print "largest difference", most; exit 1 } }'
}

names() { tail -c +9 "$1" | head -c 20000 | grep -a -o '"[^"{}]*":{"dtype"' | cut -d'"' -f2 | sort; }

# Every scope and split of query, key and value is folded in.
while read -r name words; do
    rm -rf run plain ./*.safetensors
    # shellcheck disable=SC2086
    "$STEADY" train small.ini $words --out run --no-report 2>err
    logits run >wanted
    "$STEADY" export run -o plain.safetensors 2>err &&
        logits run --checkpoint plain.safetensors model.reparam=none >seen && near wanted seen
    tell "$name: the export's logits are the run's to 1e-4" $?

    names plain.safetensors >seen
    names run/checkpoints/step-00000020.safetensors |
        grep -v '^optim\.\|^ema/\|^probe\.\|\.gamma$\|\.u$\|\.v$\|\.g$' | cmp - seen && [ -s seen ]
    tell "$name: the export holds nothing but plain weights" $?

    # A new run that starts from it and hardly moves.
    # shellcheck disable=SC2086
    "$STEADY" train small.ini $words model.reparam=none train.init=plain.safetensors train.steps=1 \
        optim.name=sgd optim.lr=1e-12 --out plain --no-report 2>err
    logits plain >seen && near wanted seen
    tell "$name: a run with train.init goes on from the export" $?

    "$STEADY" export run -o averaged.safetensors --ema 2>err &&
        logits run --ema >wanted &&
        logits run --checkpoint averaged.safetensors model.reparam=none >seen && near wanted seen
    tell "$name: export --ema" $?
done <<'END_VARIANTS'
none model.reparam=none
sigma model.reparam=sigma model.norm=none
sigma-attention model.reparam=sigma model.reparam_scope=attention model.qkv=separate
spectral model.reparam=spectral model.qkv=qk-v
weight model.reparam=weight model.norm=post
weight-blocks model.reparam=weight model.reparam_scope=blocks model.pool=mean
END_VARIANTS

"$STEADY" export run -o first.safetensors --checkpoint 20 2>err
"$STEADY" export run -o second.safetensors 2>err && cmp first.safetensors second.safetensors
tell "an export is the same each time" $?
"$STEADY" export run -o first.safetensors --checkpoint best 2>err
tell "export --checkpoint best" $?

# ---- words that do nothing, or another model ----

refuses() { # NAME PATTERN COMMAND...
    name=$1 pattern=$2
    shift 2
    fails 2 "$pattern" "$@" && [ ! -e none.safetensors ]
    tell "$name" $?
}
refuses "export takes no word without an effect" \
    'train.batch = 3 has no effect: export does not use it; leave it out' \
    export run -o none.safetensors train.batch=3
refuses "nor one that changes the model" 'model.heads = 2 in the checkpoint, 4 now: this changes' \
    export run -o none.safetensors model.heads=4
refuses "eval takes no word for another model of the same shapes" 'model.temperature = 1 in the checkpoint, 2 now' \
    eval run model.temperature=2
refuses "nor one of training alone" 'optim.lr = 9 has no effect: eval does not use it' eval run optim.lr=9
refuses "nor one of another split" 'data.limit = 5 has no effect: eval --split test does not use it' \
    eval run data.limit=5
refuses "nor one of another task" 'train.beam has no effect: task.kind = classify does not use it' \
    eval run train.beam=2
refuses "predict with pictures takes no word for the test split" \
    'data.synthetic_count = 5 has no effect: predict with INPUT does not use it' \
    predict run one.png data.synthetic_count=5
refuses "predict takes no option of another task" \
    '--prompt has no effect: task.kind = classify does not use it; leave it out' predict run one.png --prompt x
refuses "predict takes no other pixels" 'data.mean = 0 in the checkpoint, 0.5 now' predict run data.mean=0.5
"$STEADY" eval run train.batch=3 train.threads=1 model.heads=2 data.synthetic_count=100 >out 2>err
tell "eval takes batch, threads, data, and what the run has anyway" $?
cp -R run edited && sed -i 's/^heads = 2/heads = 4/' edited/recipe.ini
refuses "a recipe.ini that is not the checkpoint's is seen" 'model.heads = 2 in the checkpoint, 4 now' eval edited

# ---- -o FILE by a slip, and --ema of weights that have none ----

cp -R run slip && find slip -type f -exec cksum {} + | sort >before
for file in recipe.ini train.jsonl checkpoints/step-00000020.safetensors; do
    "$STEADY" export run -o slip/$file 2>err
    [ $? = 2 ] && [ "$(wc -l <err)" = 1 ] && grep -q "^steady export: -o slip/$file: this" err || break
    find slip -type f -exec cksum {} + | sort | cmp - before || break
    file=
done
tell "export replaces no file that holds no plain weights" $([ -z "$file" ]; echo $?)
"$STEADY" export run -o plain.safetensors 2>err && "$STEADY" export run -o plain.safetensors 2>err
tell "but plain weights it does" $?
refuses "and those of an export have no averages, either" 'not a checkpoint of a run and has no averaged weights' \
    eval run --checkpoint plain.safetensors --ema

# ---- weights of the same shapes that mean something else ----

"$STEADY" export run -o plain.safetensors 2>err
while read -r name word pattern; do
    refused "train.init with other $name" 3 "plain.safetensors does not fit this model in meaning, .*$pattern.*train.init_fit=shapes" \
        small.ini model.reparam=none train.init=plain.safetensors model.pool=mean "$word"
done <<'END_WORDS'
heads model.heads=4 model.heads is 2 in the file, 4 here
pixels data.mean=0.5 data.mean is 0 in the file, 0.5 here
temperature model.temperature=2 model.temperature is 1 in the file, 2 here
norms model.norm=post model.norm is pre in the file, post here
END_WORDS
seq 10 60 >words && seq 60 -1 10 | tr 1 a >letters
lm="grammar data.source=text data.tokens=char model.width=16 model.depth=1 model.heads=2 model.context=8 train.epochs=0
    schedule.warmup_steps=0 train.batch=4 train.steps=2 probe.every=0"
# shellcheck disable=SC2086
"$STEADY" train $lm data.path=words --out lm --no-report 2>err && "$STEADY" export lm -o lm.safetensors 2>err
# shellcheck disable=SC2086
refused "train.init with another vocabulary of the same size" 3 'vocabulary is ' $lm data.path=letters train.init=lm.safetensors
refuses "averaged weights that a checkpoint does not have: the option is named" 'no averaged weights; leave out --ema' \
    eval lm --ema
# shellcheck disable=SC2086
"$STEADY" train $lm data.path=letters train.init=lm.safetensors train.init_fit=shapes --out by-shapes --no-report 2>err
tell "train.init_fit = shapes looks at the shapes alone" $?

# ---- --dtype ----

"$STEADY" train small.ini model.reparam=sigma --out narrow --no-report 2>err
for dtype in bf16 f16 f32; do
    "$STEADY" export narrow -o narrow.safetensors --dtype $dtype 2>err &&
        [ "$(grep -ao '"dtype":"[A-Z0-9]*"' narrow.safetensors | sort -u)" = "\"dtype\":\"$(echo $dtype | tr a-z A-Z)\"" ]
    tell "export --dtype $dtype writes all tensors so" $?
    "$STEADY" predict narrow --checkpoint narrow.safetensors model.reparam=none --logits 2>err | sed 's/.*"logits":\[//; s/\].*//' | tr , '\n' >$dtype.logits
    "$STEADY" eval narrow --checkpoint narrow.safetensors model.reparam=none >/dev/null 2>err &&
        "$STEADY" train small.ini model.reparam=none train.init=narrow.safetensors train.steps=1 --out from-$dtype --no-report 2>err &&
        "$STEADY" train small.ini model.reparam=none train.init=narrow.safetensors train.transfer=true train.steps=1 \
            --out to-$dtype --no-report 2>err
    tell "eval, train.init and train.transfer read it" $?
done
far() { paste $1.logits f32.logits | awk -v most="$2" '
    { d = $1 > $2 ? $1 - $2 : $2 - $1; if (d > most) bad = 1; if (d > 0) some = 1 } END { exit !(NR == 200 && some && !bad) }'; }
far bf16 0.05 && far f16 0.01
tell "and predicts what f32 does, to rounding" $?
"$STEADY" export narrow -o plain.safetensors 2>err && cp narrow.safetensors f32.safetensors &&
    "$STEADY" export narrow -o f32.safetensors --dtype f32 2>err && cmp plain.safetensors f32.safetensors
tell "f32 is what there is without the option" $?
"$STEADY" export narrow -o f32.safetensors --dtype bf16 2>err && "${STEADY}64" export narrow -o f64.safetensors --dtype bf16 2>err &&
    [ "$(wc -c <f32.safetensors)" = "$(wc -c <f64.safetensors)" ]
tell "steady64 writes narrow numbers, too" $?
refuses "features have no dtype" '--dtype is for weights' export run --features test -o features.safetensors --dtype bf16
"$STEADY" train small.ini model.reparam=none optim.name=sgd optim.lr=1e7 train.steps=1 --out huge --no-report 2>err
"$STEADY" export huge -o huge.safetensors --dtype f16 2>err
[ $? = 3 ] && [ ! -e huge.safetensors ] &&
    grep -q 'cls_token: number 0 is -*[0-9.e+]*, but f16 is limited to 65504; use --dtype bf16 or f32' err
tell "a number that f16 cannot hold is refused with its name" $?

# ---- what a stranger needs ----

"$STEADY" train small.ini --out told --no-report 2>err; "$STEADY" export told -o told.safetensors --vocab names.json 2>err
head -c 20000 told.safetensors | tail -c +9 >head
bad=
for part in '"task":"classify"' '"step":"20"' '"classes":"10"' '"image_size":"\[1,16,16\]"' '"mean":"\[[0-9.]*\]"' '"std":"\[[0-9.]*\]"' \
    '"patch":"4"' '"heads":"2"' '"class_names":"\[\\"0\\",' '"score":"{\\"test\\":{\\"loss\\":' '"recipe":"\[task\]' '"steady":"[0-9.]*"'; do
    grep -a -q "$part" head || bad="$bad $part"
done
[ -z "$bad" ] || echo "$bad"
[ -z "$bad" ] && grep -q '"class_names"' names.json
tell "metadata say what a stranger needs" $?

"$STEADY" export told -o average.safetensors --checkpoint average:1 2>err && head -c 20000 average.safetensors >head &&
    grep -a -q '"step":"20"' head && ! grep -a -q '"score":"{' head
tell "an average has no score, for none was measured" $?
fact() { head -c 20000 "$1" | grep -a -o "\"$2\":\"[^,]*"; }
"$STEADY" export told -o first.safetensors 2>err && "$STEADY" export told --checkpoint first.safetensors --dtype bf16 \
    -o second.safetensors 2>err && grep -q 'tensors of step 20' err && fact second.safetensors step | grep -q '"20"' &&
    [ -n "$(fact first.safetensors score)" ] && [ "$(fact first.safetensors score)" = "$(fact second.safetensors score)" ] &&
    "$STEADY" eval told --checkpoint second.safetensors 2>err | grep -q '"step":20,'
tell "an export of an export keeps step and score" $?
loss_of() { printf '%.5f' "$(sed 's/.*"loss":\([^,}]*\).*/\1/' "$1")"; }
bad=
for method in sigma spectral weight; do
    rm -rf scaled
    "$STEADY" train demo-sigma model.reparam=$method model.depth=1 model.width=16 model.heads=2 data.synthetic_count=200 data.test_limit=20 \
        train.batch=10 train.steps=30 train.threads=1 optim.lr=0.02 probe.every=0 --no-report --out scaled >/dev/null 2>err
    "$STEADY" export scaled -o scaled.safetensors 2>err && "$STEADY" export scaled --checkpoint scaled.safetensors -o again.safetensors 2>err &&
        "$STEADY" eval scaled >wanted 2>err && loss=$(loss_of wanted) && [ "$loss" != 0.00000 ] || bad="$bad $method"
    for file in scaled again; do
        "$STEADY" eval scaled --checkpoint $file.safetensors >row 2>err && [ "$(loss_of row)" = "$loss" ] || bad="$bad $method:$file"
    done
done
[ -z "$bad" ] || echo "$bad"
[ -z "$bad" ]
tell "a reparametrised run's export gives the run's loss, and so does its own export" $?
"$STEADY" train demo-sigma model.depth=1 model.width=16 model.heads=2 data.synthetic_count=200 data.test_limit=20 train.batch=10 train.steps=1 \
    train.threads=1 train.init=scaled.safetensors --no-report --out begun >/dev/null 2>err
grep -q 'gains of 6 layers start at 1, .*model.gamma_init = spectral' err
tell "training from plain weights says what the gains are" $?
sed 's/"steady":"/"steadx":"/' second.safetensors >other.safetensors && "$STEADY" eval told --checkpoint other.safetensors 2>err |
    grep -q '"step":null,' && "$STEADY" export told --checkpoint other.safetensors -o third.safetensors 2>err &&
    grep -q ': [0-9]* tensors$' err && [ -z "$(fact third.safetensors step)" ]
tell "a step that another program has written is not taken for the run's" $?
fails 2 'name the same file' export told -o x.json.safetensors --vocab x.json.safetensors
tell "weights and names have files of their own" $?

rm -f names.json && "$STEADY" export told --vocab names.json 2>err && [ -s names.json ] && fails 2 'no output file' export told &&
    fails 2 'leave it out with --features' export told --features test -o x.safetensors --vocab names.json
tell "--vocab alone writes the names" $?
"$STEADY" export told --vocab names.json 2>err && grep -q 'note: names.json, a vocabulary, was replaced$' err && [ -s names.json ]
tell "one vocabulary takes the place of another, which is said" $?
bad=0
printf 'my notes\n' >notes.json && printf '{"tokens": 5}\n' >other.json && : >empty.json && head -c 3 names.json >torn.json && mkdir folder.json
for file in notes other empty torn folder; do
    ls -l $file.json >before && fails 2 "$file.json exists and is not a vocabulary" export told --vocab $file.json && ls -l $file.json | cmp -s - before || bad=1
done
tell "--vocab replaces no other file" $bad

"$STEADY" report told >out && for part in 'id="classes"' 'Confusion matrix' 'id="predictions"' 'data:image/bmp'; do
    grep -q "$part" told/report.html || exit 1
done
tell "a report shows classes, confusion and predictions" $?
