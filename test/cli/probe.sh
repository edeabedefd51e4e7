# steady probe: a checkpoint's numbers on a fixed sample, from runs, recipes and plain files.

. test/tell.sh
cd "$TMP" || exit 1
export OMP_NUM_THREADS=1

cat >small.ini <<'END_RECIPE'
[data]
source = glyphs
synthetic_count = 100
image_size = 16
augment = flip
[model]
width = 16
depth = 2
heads = 2
patch = 4
dropout = 0.1
[optim]
name = sgd
lr = 0.01
[train]
steps = 21
batch = 8
checkpoint_every = 10
eval_every = 100
keep = 5
[probe]
every = 1
END_RECIPE

json() { "$STEADY" probe "$@" --json 2>err; }

# "NAME NUMBER" of each weight of a probe's row, by key.
of_weights() { # KEY
    sed 's/.*"weights":\[//; s/\],.*//; s/},{/\n/g' | sed "s/.*\"name\":\"\([^\"]*\)\".*\"$1\":\([^,}]*\).*/\1 \2/"
}

# Same names; numbers within this share of each other.
near() { # SHARE FILE FILE
    [ -s "$2" ] && paste -d' ' "$2" "$3" | awk -v share="$1" '
        { d = $2 - $4; if (d < 0) d = -d
          if ($1 != $3 || NF != 4 || d > share * ($2 < 0 ? -$2 : $2)) { print; bad = 1 } }
        END { exit bad }'
}

# The row of step n + 1 in probe.jsonl has the weights of checkpoint n.
while read -r name share words; do
    rm -rf run
    # shellcheck disable=SC2086
    train small.ini $words --out run
    json run --checkpoint 20 >probed
    grep '"step":21,' run/probe.jsonl >logged
    of_weights sigma <probed >seen && of_weights sigma <logged >wanted && near "$share" wanted seen
    tell "$name: spectral norms are those of the run's own probe" $?
    of_weights gamma <probed >seen && of_weights gamma <logged >wanted && cmp wanted seen
    tell "$name: gains are, to the digit" $?

    json small.ini $words --checkpoint run/checkpoints/step-00000020.safetensors | cmp - probed
    tell "$name: recipe and file give what the run gives, to the byte" $?

    "$STEADY" export run -o plain.safetensors --checkpoint 20 2>err
    # shellcheck disable=SC2086
    json small.ini $words model.reparam=none --checkpoint plain.safetensors >plain
    of_weights sigma <probed >wanted && of_weights sigma <plain >seen && near 1e-3 wanted seen
    tell "$name: plain weights of an export have the same spectral norms" $?
    sed 's/.*"loss":\([^,]*\),.*/loss \1/' probed >wanted
    sed 's/.*"loss":\([^,]*\),.*/loss \1/' plain >seen && near 1e-5 wanted seen
    tell "$name: and the same loss" $?
done <<'END_VARIANTS'
none 2e-4 model.reparam=none
sigma 0.02 model.reparam=sigma optim.name=adamw
END_VARIANTS

# ---- which checkpoints ----

json run --checkpoint all >out && [ "$(wc -l <out)" = 3 ] &&
    [ "$(sed 's/.*"step":\([0-9]*\).*/\1/' out | tr '\n' ' ')" = '10 20 21 ' ] &&
    sed -n 2p out | cmp - probed
tell "--checkpoint all goes through them by step, each as if alone" $?
json run >seen && sed -n 3p out | cmp - seen && json run --checkpoint best >seen
tell "the newest is probed without --checkpoint" $?
mv run/checkpoints/step-00000010.safetensors run/checkpoints/best.safetensors
json run --checkpoint all | sed 's/.*"checkpoint":"\([^"]*\)".*/\1/' >seen &&
    printf 'run/checkpoints/%s.safetensors\n' best step-00000020 step-00000021 | cmp - seen
tell "the best is among all where no other is of its step, in its place" $?
"$STEADY" probe small.ini >out 2>err && grep -q 'initial weights' out && grep -q blocks.1.attn out
tell "a recipe alone is probed as training would begin" $?
json small.ini train.seed=3 data.shuffle=false data.augment=none model.dropout=0 train.init=plain.safetensors |
    sed 's/.*"loss":\([^,]*\),.*/loss \1/' >seen && near 1e-5 wanted seen
tell "the sample is not that of a seed, shuffled, augmented or dropped" $?
json run --sample 5 --split test >out && grep -q '"split":"test","sample":5,' out
tell "--split and --sample choose the examples" $?

# ---- what does not fit ----

refuses() { # NAME EXIT PATTERN WORDS...
    name=$1 wanted=$2 pattern=$3
    shift 3
    fails "$wanted" "$pattern" probe "$@"
    tell "$name" $?
}
refuses "a recipe has no checkpoints" 2 'demo is a recipe and has no checkpoints' demo --checkpoint all
refuses "heads of all checkpoints" 2 'all prints one row per checkpoint; leave out --heads' run --checkpoint all --heads
refuses "tensors of all" 2 'leave out --tensors' run --checkpoint all --tensors
sed '/^steps/d; /^\[optim\]/i [schedule]\nwarmup_steps = 50' small.ini >endless.ini
json endless.ini >seen && json small.ini | cmp - seen && ! grep -q . err
tell "a recipe is probed without a training length" $?
refuses "a checkpoint that is not there" 3 'no such checkpoint' run --checkpoint 7
refuses "a file that is not there" 3 'none.safetensors: no such file' demo --checkpoint none.safetensors
refuses "weights of another model" 3 'does not fit this model: .* blocks.2' \
    small.ini model.depth=3 --checkpoint plain.safetensors
refuses "weights that mean something else" 3 'plain.safetensors does not fit this model in meaning, .*model.heads' \
    small.ini model.heads=4 --checkpoint plain.safetensors
refuses "a checkpoint of another model" 3 'does not fit this model' \
    small.ini model.heads=4 --checkpoint run/checkpoints/best.safetensors
mkdir empty
refuses "a folder without a run" 2 'empty' empty
refuses "two names of weights" 2 'both name weights' \
    small.ini train.init=plain.safetensors --checkpoint plain.safetensors
refuses "a word without effect" 2 'optim.lr = 9 has no effect' run optim.lr=9
refuses "nor one for scores" 2 'train.batch = 3 has no effect: probe does not use it' run train.batch=3
refuses "nor one of another split" 2 'data.limit = 5 has no effect' run --split test data.limit=5
json run train.label_smoothing=0.1 data.limit=50 --sample 100 >out && grep -q '"sample":50,' out
tell "words for data and loss have their effect" $?

# ---- figures ----

for ending in png svg pdf; do
    "$STEADY" probe run --checkpoint all -o "figure.$ending" >out 2>err && [ -s "figure.$ending" ] &&
        grep -q '^step  ' out || break
    ending=
done
tell "a figure of all checkpoints is written, by its ending" $([ -z "$ending" ]; echo $?)
long=$(printf '%0150d/%0150d' 7 7)
mkdir -p "$long" && cp -r run "$long" && "$STEADY" probe "$long/run" -o long.png >out 2>err && [ -s long.png ]
tell "of a run in a folder with a long name, too" $?
"$STEADY" probe small.ini -o first.svg >out 2>err && grep -q '<svg' first.svg
tell "and one of a recipe's initial weights" $?
refuses "a figure of an unknown kind, before there is work to do" 2 'figure.gif: .*png, .svg or .pdf' \
    run -o figure.gif
refuses "a recipe whose data are not there" 3 'as data.path=FOLDER' vit-b16-mae

# ---- every task: entropies at or above their bounds ----

# Numbers of a list of the row's sites, a line each.
of_heads() { tr ']' '\n' | sed -n "s/.*\"$1\":\[\([^]]*\)\$/\1/p" | tr ',' '\n'; }

for recipe in demo grammar numbers-pre tones; do
    json $recipe data.synthetic_count=40 train.batch=4 train.batch_seconds=4 data.image_size=28 \
        model.depth=2 --sample 4 >row
    of_heads entropy <row >entropies
    of_heads bound <row >bounds
    paste -d' ' entropies bounds | awk '
        NF != 2 || $1 == "null" || $2 == "null" || $1 < $2 * 0.9999 { print; bad = 1 }
        END { exit bad || NR < 8 }'
    tell "$recipe: every head has a bound and is not below it" $?
done
