# Several ranks under mpirun train what one process trains, and end together.

. test/tell.sh
. test/png.sh
. test/ranks.sh
cd "$TMP" || exit 1
unset OPENBLAS_CORETYPE

cat >small.ini <<'END_RECIPE'
[data]
source = glyphs
synthetic_count = 170
image_size = 16
augment = random-resized-crop,flip,erasing
val_fraction = 0.2
[model]
width = 32
depth = 3
heads = 2
patch = 4
dropout = 0.1
drop_path = 0.2
reparam = sigma
[optim]
lr = 0.002
[schedule]
name = cosine
[train]
steps = 20
batch = 16
mixup = 0.8
cutmix = 1
label_smoothing = 0.1
ema = 0.9
eval_every = 10
checkpoint_every = 10
[probe]
every = 5
[guard]
exit = ok
END_RECIPE

# ---- what needs no mpirun ----

OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_RANK=0 "$STEADY" train small.ini --out new 2>err
[ $? = 2 ] && [ "$(grep -c . err)" = 1 ] && [ ! -e new ] &&
    grep -q 'without MPI\|mpirun of the library that steady was built with' err
tell "a launcher that this build does not understand is refused" $?

OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_RANK=0 "$STEADY" eval new 2>err
[ $? = 2 ] && grep -q 'eval runs as one' err
tell "only train can be several processes" $?

need_mpi

# Entropies of all heads too, more loosely: they are all near ln 17.
same_probes() { # RUN RUN
    numbers "$1" probe >first && numbers "$2" probe >second && [ -s first ] &&
        [ "$(wc -l <first)" = "$(wc -l <second)" ] && paste first second | awk '
            { d = $1 - $2; if (d < 0) d = -d; if (d > 1e-4 + 1e-3 * ($1 < 0 ? -$1 : $1)) bad = 1 }
            END { exit bad }'
}

# ---- the same run ----

train small.ini --out one
for n in 2 4; do
    ranks $n small.ini --out with-$n && same_numbers one with-$n && same_probes one with-$n
    tell "$n ranks: losses, gradients and scores of one process, within 1e-5" $?
done
[ "$(grep -c 'parameters (' err)" = 1 ] && grep -q ' 4 ranks of 1 thread$' err
tell "one rank speaks" $?

ranks 2 small.ini train.accumulate=2 --out accumulated && same_numbers one accumulated
tell "2 ranks, accumulate = 2" $?
ranks 2 small.ini train.recompute=block --out recomputed && same_numbers one recomputed
tell "2 ranks, recompute = block" $?

odd="train.batch=15 model.reparam=weight model.norm=none optim.clip=0.5 train.accumulate=5"
# shellcheck disable=SC2086
train small.ini $odd --out odd-one && ranks 4 small.ini $odd --out odd-4 &&
    same_numbers odd-one odd-4
tell "4 ranks with unequal parts of an odd batch" $?

# Each rank finds its own number of iterations; steps of several times W need many.
moving="model.power_steps=auto model.norm=none model.uv_init=random optim.name=adagrad optim.lr=0.1
    schedule.warmup_steps=0 train.steps=10"
# shellcheck disable=SC2086
train small.ini $moving --out moving-one && ranks 2 small.ini $moving --out moving-2 &&
    same_numbers moving-one moving-2 && same_probes moving-one moving-2
tell "2 ranks, power_steps = auto" $?

falling="schedule.name=plateau schedule.patience=0 schedule.step_factor=0.5 optim.lr=0.05
    train.eval_every=2"
# shellcheck disable=SC2086
train small.ini $falling --out falling-one && ranks 2 small.ini $falling --out falling-2 &&
    grep -q 'rate 0.05 -> 0.025' err && same_numbers falling-one falling-2
tell "2 ranks, schedule = plateau: the rate falls at the same steps" $?

# Batch norm and the loss are over the views of all ranks, with unequal parts of 15 pictures. In double, where no
# rounding error grows to 1e-5; Adam's eps: what batch norm hides has a gradient of 0, and steps would be noise.
cat >views.ini <<'END_RECIPE'
[task]
kind = contrastive
[data]
source = glyphs
synthetic_count = 170
image_size = 16
augment = random-resized-crop,flip
val_fraction = 0.2
[model]
width = 32
depth = 2
heads = 2
patch = 4
reparam = sigma
[optim]
lr = 0.002
eps = 0.001
[train]
steps = 20
batch = 15
eval_every = 10
[probe]
every = 5
[guard]
exit = ok
END_RECIPE
float=$STEADY STEADY=$STEADY64
train views.ini --out views-one
for n in 2 4; do
    ranks $n views.ini --out views-$n && same_numbers views-one views-$n && same_probes views-one views-$n
    tell "$n ranks, contrastive: losses, gradients and probe of one process" $?
done
STEADY=$float

changes="intervene.at=8 intervene.optim.lr=0.01 intervene.model.temperature=0.5
    intervene.at2=1.6e intervene.train.mixup2=0.2 intervene.model.dropout2=0.3"
# shellcheck disable=SC2086
train small.ini $changes --out changed-one && ranks 2 small.ini $changes --out changed-2 &&
    [ "$(grep -c 'intervention: ' err)" = 4 ] &&
    [ "$(grep -c '"event":"intervene"' changed-2/train.jsonl)" = 4 ] &&
    same_numbers changed-one changed-2 && same_probes changed-one changed-2
tell "2 ranks, interventions: at the same steps" $?

# ---- going on with another number of ranks ----

train small.ini train.steps=40 --out long
ranks 2 small.ini train.steps=40 --out long-2 && same_numbers long long-2
tell "2 ranks, 40 steps" $?
# A copy of the run as it was after 30 steps, but for its logs, which are cut back.
back_to_30() { # RUN COPY
    cp -r "$1" "$2" && rm "$2/checkpoints/step-00000040.safetensors"
}
back_to_30 long-2 two-one && train --resume two-one && same_numbers long two-one
tell "begun by 2 ranks, ended by 1 process" $?
back_to_30 long one-two && ranks 2 --resume one-two && same_numbers long one-two
tell "begun by 1 process, ended by 2 ranks" $?

back_to_30 long smaller-one && cp -r smaller-one smaller-2 &&
    train --resume smaller-one train.batch=6 && ranks 2 --resume smaller-2 train.batch=6 &&
    grep -q 'train.batch changed from 16 to 6' err && same_numbers smaller-one smaller-2
tell "another batch in mid-epoch, by 1 process and by 2 ranks" $?

# ---- ending together ----

refused() { # EXIT PATTERN: the last run's exit code was $code
    [ "$code" = "$1" ] && [ "$(grep -c '^steady train:' err)" = 1 ] && grep -q "^steady train: $2" err
}
ranks 4 small.ini train.batch=3 --out new
code=$?
refused 2 'train.batch = 3 is too small for 4 ranks' && [ ! -e new ]
tell "fewer examples than ranks: exit 2 and one line" $?
while read -r words key; do # WORDS-OF-RANK-1 KEY: rank 0 has small.ini's
    # shellcheck disable=SC2086
    mpirun $more_than_cores -n 1 "$STEADY" train small.ini --out new --no-report : \
        -n 1 "$STEADY" train small.ini --out new --no-report $(echo "$words" | tr , ' ') 2>err </dev/null
    code=$?
    refused 2 "rank 1: $key; all ranks need the same words" && [ ! -e new ]
    tell "ranks that differ in $words: exit 2 and one line, at the start" $?
done <<'END'
optim.lr=0.5 optim.lr = 0.5, but on rank 0 [0-9.]*
train.precision=bf16,--force train.precision = bf16, but on rank 0 fp32
schedule.name=cosine,optim.clip=3 optim.clip = 3, but on rank 0 [0-9.]*
intervene.at=5,intervene.optim.lr=0.1 intervene.at = 5, but on rank 0 (empty)
--dry-run steady train = --dry-run, but on rank 0 a new run
END
mpirun $more_than_cores -n 1 "$STEADY" train small.ini --out threads-2 --no-report : \
    -n 1 "$STEADY" train small.ini --out threads-2 --no-report train.recompute=block 2>err </dev/null &&
    train small.ini --out threads-1 && same_numbers threads-1 threads-2
tell "they may differ in what changes no number" $?
ranks 2 small.ini --out one
code=$?
refused 2 'one already contains a run'
tell "a folder that is taken: exit 2 and one line" $?
ranks 2 small.ini model.reparam=none optim.lr=1e9 --out blown
code=$?
refused 4 'non-finite .* at step [0-9]*: first in op'
tell "a step that diverges: exit 4 and one line" $?

ranks 2 small.ini model.reparam=none model.norm=pre optim.name=adagrad optim.lr=0.1 probe.every=2 \
    schedule.warmup_steps=0 guard.entropy_below=0.9 guard.collapse=stop --out fallen
code=$?
refused 5 'entropy collapse: .* Between steps 1 and 2 its input .* changed by .* at step 1\.$' &&
    [ "$(grep -c '"cause":"Between steps 1 ' fallen/train.jsonl)" = 1 ]
tell "a collapse: exit 5 and one line, with what grew" $?

# Without shuffling the sixth picture of a batch of eight is rank 1's.  Of 600 pictures a sample is
# looked at before the first step, which has the first, third, fifth and eighth.
paint plain picture.png
mkdir -p bad/train/cat bad/train/dog
i=100
while [ $i -lt 400 ]; do
    ln picture.png bad/train/cat/$i.png && ln picture.png bad/train/dog/$i.png
    i=$((i + 1))
done
rm bad/train/cat/105.png && echo 'Once upon a time' >bad/train/cat/105.png
folder="data.source=folder data.path=bad data.image_size=8 data.augment=none data.shuffle=false
    data.val_fraction=0 train.batch=8 train.mixup=0 train.cutmix=0"
# shellcheck disable=SC2086
ranks 2 small.ini $folder --out broken
code=$?
refused 3 'rank 1: bad/train/cat/105.png is not PNG or JPEG' && [ ! -e broken ]
tell "a broken picture of one rank ends all: exit 3, one line with the rank" $?

# Starts an endless run, waits for its first checkpoint, and runs COMMAND with $pid = mpirun's.
endless() { # OUT COMMAND...
    out=$1
    shift
    mpirun $more_than_cores -n 2 "$STEADY" train small.ini train.steps=1000000 \
        train.checkpoint_every=5 train.eval_every=1000000 --no-report --out "$out" \
        2>err >/dev/null </dev/null &
    pid=$!
    until [ -f "$out/train.jsonl" ] && [ "$(wc -l <"$out/train.jsonl")" -ge 12 ]; do
        kill -0 $pid || return 1
        sleep 0.05
    done
    began=$(date +%s)
    "$@"
    wait $pid
    code=$?
    [ $(($(date +%s) - began)) -le 20 ]
}
signal_mpirun() { kill -s USR1 "$pid"; }
signal_last_rank() { kill -s "$1" "$(pgrep -P "$pid" | tail -n 1)"; }

# The checkpoint is of the last step that was logged, and the run goes on from it.
goes_on() { # RUN STEPS
    last=$(tail -n 1 "$1/train.jsonl" | sed 's/{"step":\([0-9]*\),.*/\1/')
    [ -f "$(printf '%s/checkpoints/step-%08d.safetensors' "$1" "$last")" ] &&
        ranks 2 --resume "$1" train.steps=$((last + 3))
}

# Rank 1 has the second half of each batch.
if paint plain one.png; then
    for i in 1 2 3 4; do
        mkdir -p set/train/a set/train/b && cp one.png set/train/a/$i.png && cp one.png set/train/b/$i.png
    done
    echo broken >set/train/b/2.png
    ranks 2 small.ini data.source=folder data.path=set data.on_error=skip data.image_size=8 data.shuffle=false \
        data.augment=none data.val_fraction=0 train.batch=8 train.steps=3 --out skipping &&
        [ "$(grep -c '^rank 1: skipped: set/train/b/2.png .*(1 of 8 so far)' err)" = 1 ]
    tell "a rank says what it skips" $?
fi

if [ -z "$more_than_cores" ] || ! command -v pgrep >/dev/null; then
    echo "skip signals and kill -9: they need Open MPI's mpirun and pgrep"
    exit
fi
endless asked signal_mpirun && [ $code = 75 ] &&
    [ "$(grep -c 'interrupted at step' err)" = 1 ] && goes_on asked
tell "SIGUSR1 to mpirun: all stop at one step, rank 0 saves, exit 75" $?
endless told signal_last_rank TERM && [ $code = 75 ] && goes_on told
tell "SIGTERM to one rank: all stop, exit 75" $?

# The whole path: other tests train into a folder `killed`, too.
endless "$TMP/killed" signal_last_rank KILL && [ $code != 0 ] && sleep 1 &&
    ! pgrep -f "train small.ini .*--out $TMP/killed" >/dev/null &&
    "$STEADY" eval killed >/dev/null 2>&1 && rows=$(($(wc -l <killed/train.jsonl) + 3)) &&
    ranks 2 --resume killed train.steps=$rows && [ "$(grep -c '"loss"' killed/train.jsonl)" = $rows ] &&
    [ "$(grep -c '"event":"resume"' killed/train.jsonl)" = 1 ] # cosine: another end is another rate
tell "kill -9 of a rank ends the job in seconds; the run goes on from its last checkpoint" $?
