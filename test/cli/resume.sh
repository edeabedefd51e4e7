# A run that was stopped or killed and went on leaves what the unbroken run leaves, bit for bit.

. test/tell.sh
cd "$TMP" || exit 1
unset OPENBLAS_CORETYPE
export OMP_NUM_THREADS=1 # a barrier of two threads is slow where other tests run

cat >small.ini <<'END_RECIPE'
[data]
source = glyphs
synthetic_count = 80
image_size = 16
[model]
width = 16
depth = 2
heads = 2
patch = 4
[optim]
lr = 0.003
[schedule]
name = cosine
warmup_steps = 7
[train]
steps = 240
batch = 8
eval_every = 50
checkpoint_every = 50
[probe]
every = 7
[guard]
exit = ok
END_RECIPE

train() { "$STEADY" train "$@" --no-report 2>>messages; }

crc_of() { # RUN STEP
    grep -ao '"crc32":"[0-9a-f]*"' "$1/checkpoints/step-000000$2.safetensors"
}

# Rates and times are those of the machine, not of the run.
same_logs() { # RUN RUN
    for log in train probe eval; do
        for run in "$1" "$2"; do
            timeless "$run/$log.jsonl" >"$run.$log" || return 1
        done
        cmp "$1.$log" "$2.$log" || return 1
    done
}

same_run() { # RUN RUN LAST_STEP
    for file in "step-$3" best; do
        cmp "$1/checkpoints/$file.safetensors" "$2/checkpoints/$file.safetensors" || return 1
    done
    same_logs "$1" "$2"
}

# Waits until a log has so many rows; fails when the process ends first.
wait_rows() { # FILE ROWS PID
    until [ -f "$1" ] && [ "$(wc -l <"$1")" -ge "$2" ]; do kill -0 "$3" || return 1; done
}

# Starts a run in the background and sends a signal once it has taken some steps; again when
# a busy machine lets the run end before the signal comes.
begin_and_send() { # SIGNAL ROWS OUT WORDS...
    signal=$1 rows=$2 out=$3
    shift 3
    for _ in 1 2 3 4 5; do
        rm -rf "$out"
        "$STEADY" train small.ini "$@" --out "$out" --no-report 2>"$out.err" &
        pid=$!
        wait_rows "$out/train.jsonl" "$rows" $pid && kill -s "$signal" $pid
        wait $pid && continue
        return $?
    done
}

# ---- SIGTERM, with each kind of state that a run carries ----

interrupted_equals_whole() { # WORDS...
    rm -rf whole
    train small.ini "$@" --out whole || return 1
    begin_and_send TERM 60 broken "$@"
    [ $? = 75 ] || return 1
    train --resume broken || return 1
    same_run whole broken 00000240
}

while read -r name words; do
    # shellcheck disable=SC2086
    interrupted_equals_whole $words
    tell "2N steps = N + SIGTERM + resume: $name" $?
done <<'END_VARIANTS'
adamw train.seed=1
dropout,drop_path,accumulate model.dropout=0.1 model.drop_path=0.2 train.accumulate=2
ema,mixup,cutmix,smoothing train.ema=0.9 train.mixup=0.8 train.cutmix=1 train.label_smoothing=0.1
sigma,lars,ema model.reparam=sigma model.norm=none optim.name=lars optim.lr=0.5 train.ema=0.9
spectral,sgd,nesterov model.reparam=spectral optim.name=sgd optim.momentum=0.9 optim.nesterov=true
sigma,random,decay model.reparam=sigma model.uv_init=random model.power_steps=2 optim.weight_decay_end=0.3 optim.decay_scope=all
weight,lamb,clip model.reparam=weight optim.name=lamb optim.clip=0.5 schedule.name=linear
augment,repeat,val data.augment=random-resized-crop,flip,erasing data.repeat=2 data.val_fraction=0.2
adagrad,log_every,keep optim.name=adagrad train.log_every=3 train.keep=1 model.temperature=0.5
interventions intervene.at=40 intervene.optim.lr=0.01 intervene.at2=13e intervene.model.temperature2=0.3 intervene.model.dropout2=0.2 intervene.at3=200 intervene.optim.clip3=0.5 intervene.data.augment3=flip
END_VARIANTS

OMP_NUM_THREADS=2 OMP_WAIT_POLICY=passive interrupted_equals_whole
tell "2N steps = N + SIGTERM + resume: two threads" $?

# The test split has 6000 pictures here: most of the time is spent on scoring them.
scoring="data.synthetic_count=30000 data.val_fraction=0.1 train.steps=3 train.eval_every=2
    train.checkpoint_every=5 schedule.warmup_steps=1"
rm -rf whole
# shellcheck disable=SC2086
train small.ini $scoring --out whole && begin_and_send TERM 2 broken $scoring
[ $? = 75 ] && grep -q 'interrupted while scoring' broken.err
tell "SIGTERM while scoring saves and exits with 75" $?
"$STEADY" train --resume broken --no-report 2>broken.err &
pid=$!
wait_rows broken/train.jsonl 3 $pid && wait_rows broken/eval.jsonl 2 $pid && kill $pid
wait $pid
train --resume broken && train --resume broken && same_run whole broken 00000003
tell "an evaluation that was broken off comes again, once" $?

# ---- other ways to end ----

rm -rf whole
train small.ini --out whole
begin_and_send INT 60 broken
tell "SIGINT saves and exits with 75" $((! $? == 75))

# timeout(1), Slurm and shells send two; a model that takes its time to save.
wide="model.width=256 model.depth=8 model.heads=4 train.steps=300 train.eval_every=300"
rm -rf twice
# shellcheck disable=SC2086
"$STEADY" train small.ini $wide --out twice --no-report 2>twice.err &
pid=$!
wait_rows twice/train.jsonl 1 $pid
for signal in TERM TERM INT HUP TERM; do kill -s $signal $pid && sleep 0.01; done
wait $pid
[ $? = 75 ] && grep -q '^stopping: the run is saved first; Ctrl-C again' twice.err &&
    [ "$(ls twice/checkpoints)" = "$(printf 'step-%08d.safetensors' "$(wc -l <twice/train.jsonl)")" ]
tell "more signals do not end a run before it has saved" $?

# Signals before the handlers are there end it as they end any program.
for _ in 1 2 3 4 5; do
    "$STEADY" train numbers-post data.synthetic_count=1000000 --out early 2>early.err &
    pid=$!
    sleep 0.5
    kill $pid && sleep 0.01 && kill $pid
    wait $pid
    status=$?
    [ $status = 143 ] || break
done
[ $status = 75 ] && [ ! -e early ] &&
    [ "$(cat early.err)" = "steady train: interrupted before the first step; nothing was written" ]
tell "SIGTERM while the data are read ends it with 75 and leaves nothing" $?

grep -q 'steady train --resume broken' broken.err
tell "an interrupted run says how to go on" $?

begin_and_send KILL 120 broken
tell "kill -9 leaves a checkpoint" $((! $(ls broken/checkpoints/step-*.safetensors | wc -l) >= 1))

# What a crash in mid-line leaves, and a temporary file of a checkpoint in the making.
for log in train probe eval; do printf '{"step":9,"ep' >>broken/$log.jsonl; done
echo half >broken/checkpoints/step-00000149.safetensors.tmp
train --resume broken && same_run whole broken 00000240
tell "kill -9 and half-written last lines: resume gives the whole run's files" $?

[ ! -e broken/checkpoints/step-00000149.safetensors.tmp ]
tell "resume removes temporary files of a killed run" $?

begin_and_send KILL 10 broken
train --resume broken && same_run whole broken 00000240
tell "kill -9 before the first checkpoint: resume begins again" $?

# ---- logs that are not as they were left ----

cp -R whole holed
sed -i '5s/.*/{"step":5,"lo/' holed/train.jsonl
rm holed/checkpoints/step-00000240.safetensors
"$STEADY" train --resume holed --no-report 2>err
status=$?
[ $status = 0 ] && [ "$(wc -l <holed/train.jsonl)" = 239 ] && [ "$(cat holed/train.jsonl.bad)" = '{"step":5,"lo' ] &&
    grep -q '^steady: note: holed/train.jsonl: 1 line .* holed/train.jsonl.bad (line 5: .*); no row of step 5$' err
tell "a bad line is kept apart, said, and costs no other row" $?
timeless whole/train.jsonl | sed 5d >a && timeless holed/train.jsonl | cmp - a
tell "the other rows are those of the whole run" $?

rm -rf holed && cp -R whole holed && head -n 120 whole/train.jsonl >holed/train.jsonl
rm holed/checkpoints/step-00000240.safetensors
"$STEADY" train --resume holed --no-report 2>err
[ $? = 0 ] && grep -q '^steady: note: holed/train.jsonl: no row of steps 121 to 200$' err
tell "rows that are missing before the checkpoint are said" $?

rm -rf holed && cp -R whole holed && rm holed/train.jsonl holed/checkpoints/step-00000240.safetensors
mkdir holed/train.jsonl && cp holed/recipe.ini recipe.before
"$STEADY" train --resume holed train.batch=4 --no-report 2>err
[ $? = 3 ] && grep -q '^steady train: holed/train.jsonl is not a regular file' err &&
    cmp holed/recipe.ini recipe.before && [ ! -e holed/recipe.ini.new ]
tell "a log that cannot be opened leaves the recipe as it was" $?

# ---- checkpoints that are not as they were left ----

tens="train.steps=20 train.checkpoint_every=10 train.eval_every=10 probe.every=20"
# shellcheck disable=SC2086
train small.ini $tens --out tens
keeps_all() { # STATUS TEXT WORDS...: the run `lost` is refused, and no file of it is changed
    status=$1 text=$2
    shift 2
    find lost -type f -exec cksum {} + | sort >before
    "$STEADY" train --resume lost train.steps=24 --no-report "$@" 2>err
    [ $? = "$status" ] && grep -q "$text" err &&
        find lost -type f -exec cksum {} + | sort | cmp - before
}
lost() { rm -rf lost && cp -R tens lost; }

lost && rm lost/checkpoints/step-*
keeps_all 3 '^steady train: lost/checkpoints has no step-NUMBER.*the run was at step 20'
tell "a run whose checkpoints are gone is refused, and keeps its logs" $?
lost && mv lost/checkpoints away && ln -s ../away lost/checkpoints
keeps_all 3 '^steady train: lost/checkpoints is a symbolic link, or below one'
tell "so is one whose checkpoints cannot be reached" $?
lost && cp lost/checkpoints/step-00000020.safetensors lost/checkpoints/step-00000099.safetensors
keeps_all 3 'step-00000099.safetensors: __metadata__ says step 20, the name 99;.*from step 20$'
tell "a checkpoint under another step's name is not taken for the newest" $?
lost && touch lost/checkpoints/step-30.safetensors lost/checkpoints/step-99999999999999999999.safetensors
"$STEADY" train --resume lost train.steps=22 --no-report 2>err && [ "$(grep -c '"loss"' lost/train.jsonl)" = 22 ]
tell "names that the program does not give are passed over" $?
lost && rm lost/checkpoints/step-* lost/*.jsonl && rmdir lost/figures
"$STEADY" train --resume lost train.steps=3 --no-report 2>err &&
    grep -q '^steady: note: lost has no checkpoint yet; restarting at step 1' err
tell "a run without a checkpoint says that it begins again" $?

lost
"$STEADY" train --resume lost train.steps=24 probe.every=2 train.log_every=3 --no-report 2>err &&
    "$STEADY" train --resume lost train.steps=30 probe.every=1 --no-report 2>>err &&
    "$STEADY" train --resume lost train.steps=32 --no-report 2>>err && ! grep 'no row' err
tell "rows that another probe.every left are no gap, now or later" $?
rm lost/eval.jsonl &&
    "$STEADY" train --resume lost train.steps=34 --no-report 2>err && grep -q 'eval.jsonl: no row of steps 1 to 3' err
tell "missing rows of eval.jsonl are said" $?

# Events of more than 64 MB in front of the rows that say so.
lost
"$STEADY" train --resume lost train.steps=24 train.log_every=4 --no-report 2>err &&
    "$STEADY" train --resume lost train.steps=28 train.log_every=1 --no-report 2>>err
text=$(head -c 65000 /dev/zero | tr '\0' x)
yes "{\"step\":1,\"event\":\"skip\",\"text\":\"$text\"}" | head -1100 | cat - lost/train.jsonl >long &&
    mv long lost/train.jsonl && "$STEADY" train --resume lost train.steps=30 --no-report 2>>err && ! grep 'no row' err
tell "however long the log has become" $?

# ---- going on ----

sum() { find "$1" -type f | sort | xargs cksum; }

sum whole | grep -v report.html >before
train --resume whole
status=$?
sum whole | cmp - before && [ $status = 0 ]
tell "resume of a finished run changes nothing and exits with 0" $?

words="schedule.name=constant probe.every=10"
# shellcheck disable=SC2086
train small.ini $words train.steps=100 --out longer &&
    train --resume longer train.steps=200 && train small.ini $words --out once train.steps=200 &&
    cmp longer/checkpoints/step-00000200.safetensors once/checkpoints/step-00000200.safetensors
tell "resume with a larger train.steps goes on" $?

sum longer >before
while read -r key was is; do
    "$STEADY" train --resume longer train.steps=300 "$key=$is" 2>err
    [ $? = 2 ] && [ "$(wc -l <err)" = 1 ] &&
        grep -q "$key = $was in the checkpoint, $is now" err && sum longer | cmp - before
    tell "resume with another $key is refused, with both values, and changes no file" $?
done <<'END_KEYS'
model.width 16 32
model.heads 2 4
model.activation gelu relu
model.norm pre post
data.mean 0 0.5
data.image_size 16 32
model.init_std 0.02 0.1
train.init (empty) longer/checkpoints/best.safetensors
optim.name adamw sgd
END_KEYS

# A recipe.ini that was edited by hand says what the next steps are to be, not what the last were.
cp -R longer edited && sed -i 's/^heads = 2/heads = 4/' edited/recipe.ini
"$STEADY" train --resume edited train.steps=300 2>err
[ $? = 2 ] && grep -q 'model.heads = 2 in the checkpoint, 4 now' err
tell "so is one in an edited recipe.ini" $?

# ---- allowed changes are said, kept and shown ----

events() { grep '"event":"resume"' "$1/train.jsonl"; }

# shellcheck disable=SC2086
train small.ini $words train.steps=20 --out course && cp -R course spare
"$STEADY" train --resume course train.steps=30 optim.lr=0.0001 model.dropout=0.1 \
    train.threads=1 2>err && grep -q '^steady: note: optim.lr changed from 0.003 to 0.0001$' err &&
    grep -q '^steady: note: train.steps changed from 20 to 30$' err &&
    grep -q '^steady: note: train.threads changed from 0 to 1$' err
tell "resume prints a line for each key that is not as it was" $?
[ "$(events course | wc -l)" = 1 ] && sed -n 21p course/train.jsonl |
    grep -q '^{"step":20,"event":"resume","text":"model.dropout changed from 0 to 0.1; optim.lr changed from 0.003 ' &&
    [ "$(wc -l <course/train.jsonl)" = 31 ] && grep -q 'optim.lr changed from 0.003 to 0.0001' course/report.html
tell "leaves a row behind the step, and a line in the report" $?
train --resume course train.steps=40 && [ "$(events course | wc -l)" = 1 ] &&
    train --resume course train.steps=45 optim.lr=0.0002 optim.clip=0 && [ "$(events course | wc -l)" = 2 ] &&
    events course | tail -n 1 | grep -q '"step":40,.*"text":"optim.lr changed from 0.0001 to 0.0002; train.steps'
tell "a second change is a second row; what stays is none" $?

# Killed before a checkpoint of the new steps: the change is said and logged again, once.
cp spare/checkpoints/step-00000020.safetensors course/checkpoints
rm course/checkpoints/step-0000004*
"$STEADY" train --resume course --no-report 2>err && grep -q 'optim.lr changed from 0.003 to 0.0002' err &&
    [ "$(events course | wc -l)" = 1 ] && events course | grep -q 'optim.lr changed from 0.003 to 0.0002'
tell "what counts is what the checkpoint was trained by" $?

"$STEADY" train small.ini --out longer 2>err
status=$?
sum longer | cmp - before && [ $status = 2 ] && grep -q 'already contains a run' err
tell "an existing run is not written over" $?

cp -R longer orphan && rm orphan/recipe.ini && sum orphan >before
"$STEADY" train small.ini --out orphan 2>err
[ $? = 2 ] && sum orphan | cmp - before
tell "checkpoints without a recipe.ini are not written over" $?

# ---- folders that are not a run's ----

list() { find "$1" | sort; }

mkdir mine && for name in probe.jsonl source.vocab text.codes notes; do echo mine >mine/$name; done
sum mine >before
"$STEADY" train small.ini --out mine 2>err
[ $? = 2 ] && sum mine | cmp - before && grep -q ': mine is not empty (.* and 1 more); choose another' err
tell "a folder with files in it is refused, and they stay" $?

mkdir dots && echo >dots/.hidden
"$STEADY" train small.ini --out dots 2>err
[ $? = 2 ] && [ -e dots/.hidden ] && grep -q 'not empty (.hidden)' err
tell "a hidden file is one, too" $?

"$STEADY" train small.ini --out notes/new 2>err
"$STEADY" train small.ini --out small.ini/new 2>err2
[ $? = 2 ] && grep -q 'small.ini/new cannot be used as a folder' err2 && rm -r notes
tell "a file is no folder" $?
ln -s nowhere/at/all dangling
"$STEADY" train small.ini --out dangling 2>err
[ $? = 2 ] && grep -q '^steady train: dangling is a broken link' err && [ ! -e nowhere ]
tell "nor is a broken link" $?

# Pictures that cannot be read end a run before its first step, after its folder was made.
mkdir -p pics/train/a pics/train/b pics/val/a && for i in 1 2 3 4 5 6 7 8; do
    echo none >pics/train/a/$i.png && echo none >pics/train/b/$i.png; done
bad="data.source=folder data.path=pics data.image_size=16"
mkdir empty
# shellcheck disable=SC2086
for out in empty new/deep/er empty/down; do
    "$STEADY" train small.ini $bad --out $out --no-report 2>err
    [ $? = 3 ] || break
done
[ "$out" = empty/down ] && [ "$(list empty)" = empty ] && [ ! -e new ]
tell "what a run that does not begin has made goes, and no more than that" $?

mkdir -p killed/checkpoints killed/figures && echo half >killed/recipe.ini.new
train small.ini train.steps=2 --out killed && mkdir -p kept/checkpoints && echo >kept/checkpoints/mine
"$STEADY" train small.ini --out kept 2>err
[ $? = 2 ] && [ -e kept/checkpoints/mine ]
tell "what a process that was killed at once has left is no hindrance" $?

# ---- another batch in mid-epoch: 10 steps an epoch, then 20 ----

still="schedule.name=constant schedule.warmup_steps=0 train.eval_every=0 train.checkpoint_every=100 probe.every=0"
# shellcheck disable=SC2086
train small.ini $still train.steps=14 --out cut && cp -R cut joined &&
    train --resume cut train.batch=4 train.steps=30 &&
    train --resume joined train.batch=4 train.steps=20 && train --resume joined train.steps=30
field() { sed -n "s/.*\"step\":$2,\"epoch\":\([^,]*\),.*/\1/p" "$1/train.jsonl"; }
[ "$(field cut 14) $(field cut 15) $(field cut 26) $(field cut 30)" = '1.4 1.45 2.0 2.2' ]
tell "the epoch goes on from what it was when the batch changes" $?
[ "$(grep -c '"step":26,' cut/eval.jsonl)" = 1 ] && [ "$(grep -c '"step":20,' cut/eval.jsonl)" = 0 ]
tell "and ends, with its evaluation, when its examples are over" $?
timeless joined/train.jsonl | sed 's/ to 20\b/ to 30/; s/"to":"20"/"to":"30"/' >a &&
    timeless cut/train.jsonl | cmp - a && grep -q '"step":14,"event":"resume".*batch changed from 8 to 4' a &&
    [ "$(crc_of cut 30)" = "$(crc_of joined 30)" ] && [ -n "$(crc_of cut 30)" ]
tell "stopped again and resumed it is the same run" $?
rm -rf whole
# shellcheck disable=SC2086
train small.ini $still train.epochs=3 train.steps=0 train.checkpoint_every=14 train.keep=5 --out whole &&
    rm whole/checkpoints/step-0000003* whole/checkpoints/step-0000002*
train --resume whole train.batch=4 train.seed=4 && [ "$(field whole 14) $(field whole 46)" = '1.4 3.0' ] &&
    [ "$(field whole 47)" = '' ]
tell "a length in epochs stays one" $?

# ---- two at once ----

"$STEADY" train small.ini train.steps=1000000 --out busy --no-report 2>/dev/null &
pid=$!
wait_rows busy/train.jsonl 5 $pid
"$STEADY" train --resume busy 2>err
status=$?
kill -0 $pid && [ $status = 1 ] && [ "$(wc -l <err)" = 1 ] && grep -q 'busy is in use' err
tell "a second process on a run folder is refused" $?
kill $pid
wait $pid
"$STEADY" train --resume busy train.steps=8 2>err
[ $? = 2 ] && grep -q 'already has' err
tell "the folder is free again when the first has ended, and does not shrink" $?

# ---- what may not change the numbers ----

words="model.dropout=0.1 model.drop_path=0.2 train.steps=20 model.reparam=sigma"
# shellcheck disable=SC2086
train small.ini $words --out plain && train small.ini $words train.recompute=block --out again &&
    same_run plain again 00000020
tell "train.recompute = block computes the same run" $?

# ---- killed before its first checkpoint ----

far="train.checkpoint_every=100000 train.eval_every=50"
# shellcheck disable=SC2086
train small.ini $far --out far
# shellcheck disable=SC2086
STEADY_CHECKPOINT_AFTER=0.001 begin_and_send KILL 60 soon $far
ls soon/checkpoints/step-* >/dev/null && grep -q '^step [0-9]*  first checkpoint saved' soon.err &&
    "$STEADY" train --resume soon --no-report 2>err && grep -q "^resuming at step [1-9][0-9]* of 240$" err && same_run far soon 00000240
tell "a kill before train.checkpoint_every has come costs a few minutes, not the run" $?
# shellcheck disable=SC2086
STEADY_CHECKPOINT_AFTER=0.001 train small.ini $far --out soon2 && [ "$(ls soon2/checkpoints)" = "$(ls far/checkpoints)" ] && same_run far soon2 00000240
tell "the early checkpoint goes when the next one is saved" $?

# ---- a run's own end is no different from a stop ----

# Probes at 1, 3, 6 ...: that of step 10 is there because the run ends with it.
train small.ini probe.every=3 train.log_every=3 train.steps=20 schedule.name=constant --out straight
train small.ini probe.every=3 train.log_every=3 train.steps=10 schedule.name=constant --out extended
tail -n 1 extended/probe.jsonl | grep -q '^{"step":10,"end":true,"attention":\[{.*"weights":\[{.*"sigma":[0-9]' &&
    tail -n 1 straight/probe.jsonl | grep -q '^{"step":20,"end":true,'
tell "the last step is probed" $?
"$STEADY" train --resume extended train.steps=20 --no-report 2>err
[ "$(grep -c '^resuming at step 10 of 20$' err)" = 1 ]
tell "a resume says at which step" $?
for log in train probe eval; do
    sed 's/"items_per_s":[^,]*,//; s/"mfu":[^}]*//' straight/$log.jsonl >a
    sed 's/"items_per_s":[^,]*,//; s/"mfu":[^}]*//' extended/$log.jsonl >b
    cmp -s a b
    tell "$log.jsonl of 10 steps and 10 more is that of 20" $?
done
crc() { grep -ao '"crc32":"[0-9a-f]*"' "$1/checkpoints/step-00000020.safetensors"; }
[ -n "$(crc straight)" ] && [ "$(crc straight)" = "$(crc extended)" ]
tell "so are all tensors of the checkpoint, to the last bit" $?
"$STEADY" train --resume extended optim.name=sgd train.steps=30 2>err
[ $? = 2 ] && grep -q 'optim.name = adamw' err
tell "another optimizer has nothing to go on from" $?

# ---- a rate that goes by the validation loss ----

# Broken off between two evaluations, with some behind it that count and some that do not.
falling="schedule.name=plateau schedule.patience=1 schedule.step_factor=0.5 schedule.warmup_steps=4
    train.eval_every=5 optim.lr=0.03 train.checkpoint_every=20"
# shellcheck disable=SC2086
train small.ini $falling train.steps=60 --out fall
# shellcheck disable=SC2086
train small.ini $falling train.steps=38 --out fell && train --resume fell train.steps=60
# Different rates after the warm-up, of the steps to 38 or of all.
rates() { sed -n 's/.*"lr":\([^,]*\),.*/\1/p' fall/train.jsonl | sed -n "5,$1p" | uniq | wc -l; }
[ "$(rates 38)" -ge 2 ] && [ "$(rates 60)" -gt "$(rates 38)" ]
tell "with schedule = plateau the rate falls" $?
[ "$(rates 60)" -ge 2 ] && same_logs fall fell
tell "a resumed run knows how often it did, and how long the loss has not improved" $?
# shellcheck disable=SC2086
train small.ini $falling schedule.watch=top1 schedule.patience=0 train.steps=40 --out watch &&
    grep -q '"event":"plateau","text":"[a-z]* top1 has not improved' watch/train.jsonl &&
    train small.ini $falling schedule.watch=top1 schedule.patience=0 train.steps=23 --out watched &&
    train --resume watched train.steps=40 && same_logs watch watched
tell "schedule.watch: the rate goes by the accuracy, over a resume too" $?
# shellcheck disable=SC2086
train --resume straight $falling train.steps=80 &&
    grep -q '"lr":0.015,' straight/train.jsonl
tell "a checkpoint of another schedule goes on with it" $?
seq 500 >numbers.txt
"$STEADY" train grammar schedule.name=plateau data.source=text data.tokens=char data.path=numbers.txt \
    --out none 2>err
[ $? = 2 ] && grep -q 'plateau needs a validation or test split; set data.val_fraction' err
tell "plateau without a split to go by is refused" $?
