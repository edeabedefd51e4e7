# probe.sharpness: measured by steady64 beside a run; each due step has one row, whatever ended the run.

. test/tell.sh
cd "$TMP" || exit 1
export OMP_NUM_THREADS=1

# Without ARPACK the key and the option are refused, and there is nothing else to test.
cat >small.ini <<'END_RECIPE'
[data]
source = glyphs
synthetic_count = 100
image_size = 16
[model]
width = 8
depth = 1
heads = 2
patch = 8
mlp_ratio = 2
norm = none
reparam = sigma
[train]
steps = 40
batch = 8
checkpoint_every = 7
eval_every = 100
[probe]
every = 10
sharpness = 6
sharpness_sample = 8
[guard]
exit = ok
END_RECIPE

train small.ini --out whole
code=$?
if grep -q 'needs ARPACK' err; then
    [ $code = 2 ] && [ ! -e whole ]
    tell "without ARPACK probe.sharpness is refused with what to install" $?
    exit
fi
sharp() { grep '"sharpness":' "$1/probe.jsonl" | sort; }
sharp whole >wanted
[ $code = 0 ] && [ "$(grep -c '"raw":\[[^]]*\],"preconditioned":\[[^]]*\]' wanted)" = 6 ] &&
    [ "$(sed 's/{"step":\([0-9]*\),.*/\1/' wanted | sort -n | tr '\n' ' ')" = "6 12 18 24 30 36 " ]
tell "every sixth step has a row" $?
grep -q 'waiting for steady64' err && [ ! -e whole/sharpness ]
tell "the end waits for what is due, says so, and leaves no snapshot" $?
grep -q '^memory: about [0-9.]* GB more for steady64 (probe.sharpness)$' err
tell "the estimate of memory has the process beside the run" $?

# 8 steps an epoch.
train small.ini data.synthetic_count=64 probe.sharpness=0.5e train.steps=18 train.checkpoint_every=5 --out epochs &&
    [ "$(sharp epochs | sed 's/{"step":\([0-9]*\),.*/\1/' | sort -n | tr '\n' ' ')" = "4 8 12 16 " ]
tell "probe.sharpness counts epochs, too" $?
fails 2 'probe.sharpness.*expected.*steps (100), epochs (10e) or never' train small.ini probe.sharpness=x --out no
tell "and refuses what is neither" $?

# A process that is killed at any moment, resumed until the run is done.
n=0 code=1
while [ $code != 0 ] && [ $n -lt 8 ]; do
    n=$((n + 1))
    if [ -f killed/recipe.ini ]; then set -- --resume killed; else set -- small.ini --out killed; fi
    "$STEADY" train "$@" --no-report >/dev/null 2>err & pid=$!
    sleep "0.$((n % 4 + 1))"
    signal=KILL
    [ $((n % 3)) = 0 ] && signal=INT
    [ $n -lt 8 ] && kill -$signal $pid 2>/dev/null
    wait $pid
    code=$?
done
sharp killed >seen
[ $code = 0 ] && cmp seen wanted && [ ! -e killed/sharpness ]
tell "a run that was killed and resumed $n times has the same rows, each once" $?

# What a killed process had still to measure is measured by a resume that has no step left.
cp -r whole left
mkdir left/sharpness
grep -v '"step":36,"sharp' whole/probe.jsonl >left/probe.jsonl
"$STEADY" train small.ini train.steps=36 probe.sharpness=0 train.checkpoint_every=36 \
    --out at36 --no-report 2>/dev/null
cp at36/checkpoints/step-00000036.safetensors left/sharpness/
"$STEADY" train --resume left --no-report 2>err && sharp left | cmp - wanted && [ ! -e left/sharpness ]
tell "a finished run is not done before what it left is measured" $?

# One that cannot be measured is a row, too, and a warning.
cp at36/checkpoints/step-00000036.safetensors cut
mkdir left/sharpness && head -c 500 cut >left/sharpness/step-00000036.safetensors
grep -v '"step":36,"sharp' whole/probe.jsonl >left/probe.jsonl
"$STEADY" train --resume left --no-report 2>err && grep -q '^warning: sharpness of step 36 was not' err &&
    grep -q '^{"step":36,"sharpness":null,"text":"steady probe: ' left/probe.jsonl
tell "a measurement that fails is a row without numbers and a warning" $?

# The option: the float program becomes steady64.
"$STEADY" probe whole --sharpness --sample 8 --checkpoint 35 --json >one 2>err &&
    grep -q '^{"step":35,"sharpness":{"raw":\[.*"threshold":' one
tell "probe --sharpness prints the row of a checkpoint" $?
# ---- what has no threshold ----

short="probe.sharpness=0 train.steps=3 train.checkpoint_every=3 schedule.name=cosine"
number() { sed -n "s/.*\"$1\":\([^,}]*\)[,}].*/\1/p"; }
train small.ini $short optim.lr=0 --out still
"$STEADY" probe still --sharpness --sample 4 >text 2>err && grep -q '^threshold  *none: the learning rate at this step is 0$' text &&
    "$STEADY" probe still --sharpness --sample 4 --json 2>err | grep -q '"threshold":null,.*"lr":0.0,'
tell "at a learning rate of 0 there is no threshold, and the table says why" $?
train small.ini $short optim.name=lamb --out lamb
"$STEADY" probe lamb --sharpness --sample 4 >text 2>err && grep -q '^preconditioned  *none: lamb has no known preconditioner' text &&
    "$STEADY" probe lamb --sharpness --sample 4 --json 2>err | grep -q '"preconditioned":null,.*"why":"lamb has no known'
tell "LAMB has no preconditioned spectrum; table and JSON say why" $?
for every in 1 2; do
    train small.ini $short train.steps=5 schedule.warmup_steps=2 train.log_every=$every --out every$every
    "$STEADY" probe every$every --sharpness --sample 4 --checkpoint 3 --json 2>err >row$every
done
[ -s row1 ] && cmp row1 row2 && ! grep -q '"step":3,"loss"' every2/train.jsonl &&
    number lr <row1 | awk '{ exit !($1 > 0) }'
tell "the learning rate of a step that was not logged is computed" $?

cp "$STEADY" alone && { ./alone probe whole --sharpness >out 2>err; [ $? = 1 ]; } &&
    grep -q 'steady64: .*make build/steady64' err
tell "without steady64 beside it the program says where it should be" $?
train small.ini $short train.steps=4 probe.sharpness=2 intervene.at=3 intervene.probe.sharpness=0 --out over &&
    ./alone train --resume over train.steps=5 --no-report 2>err && [ "$(grep -c sharpness over/probe.jsonl)" = 1 ]
tell "a run whose intervention has ended the measurements resumes without it" $?
./alone train --resume over train.steps=8 intervene.at2=7 intervene.probe.sharpness2=1 --no-report 2>err
[ $? != 0 ] && grep -q 'make build/steady64' err
tell "but not to an intervention that begins them again" $?
fails 2 'leave out --heads' probe whole --sharpness --heads
tell "options of the other numbers are refused beside it" $?
