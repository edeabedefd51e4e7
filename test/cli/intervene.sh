# Keys that change while a run goes on: words, files, what runs on such a run do with them.

. test/tell.sh
cd "$TMP" || exit 1
unset OPENBLAS_CORETYPE
export OMP_NUM_THREADS=1

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
[train]
steps = 24
batch = 8
[guard]
exit = ok
[intervene]
at = 1.5e
model.temperature = 0.2
at2 = 20
optim.lr2 = 0.0001
model.temperature_at2 = blocks.1:0.5
END_RECIPE

train() { "$STEADY" train "$@" --no-report 2>err; }
temperature() { grep -ao '"temperature":"[0-9.]*"' "$1" | tail -1; }
checkpoint() { echo "$1/checkpoints/step-000000$2.safetensors"; }

train small.ini --out run &&
    [ "$(grep -c 'step 15: intervention: model.temperature changed from 1 to 0.2' err)" = 1 ] &&
    [ "$(grep -c 'step 20: intervention: ' err)" = 2 ] &&
    grep -q '{"step": *15, *"event": *"intervene", *"key": *"model.temperature", *"from": *"1", *"to": *"0.2"}' run/train.jsonl
tell "a file's interventions act, are said and have rows" $?

sed -n '/^\[intervene\]/,$p' small.ini >asked && sed -n '/^\[intervene\]/,$p' run/recipe.ini >kept && cmp asked kept
tell "recipe.ini has them as they were given" $?

# The second group's changes are part of what the newest checkpoint is, not of the one of step 10.
temperature "$(checkpoint run 20)" | grep -q '"0.2' &&
    grep -aq 'intervened":"1 2"' "$(checkpoint run 24)" && ! grep -aq 'intervened":"1 2"' "$(checkpoint run 20)"
tell "a checkpoint says which groups act" $?

score() { "$STEADY" eval run "$@" 2>>err | grep -o '"loss": *[0-9.]*' | grep -o '[0-9.]*$'; }
logged() { grep "\"step\": *$1," run/eval.jsonl | tail -1 | grep -o '"loss": *[0-9.]*' | grep -o '[0-9.]*$'; }
for step in 20 24; do
    [ "$(score --split test --checkpoint $step)" = "$(logged $step)" ] && [ -n "$(logged $step)" ]
    tell "eval of step $step has the run's own score: its temperatures are those of that step" $?
done

"$STEADY" eval run model.temperature=1 >out 2>err
[ $? = 2 ] && grep -q 'model.temperature = 0.2 in the checkpoint, 1 now' err
tell "eval refuses another temperature than the run ended with" $?
"$STEADY" eval run model.temperature=0.2 >out 2>err
tell "and takes that one" $?

"$STEADY" export run -o out.safetensors 2>err && temperature out.safetensors >out; grep -aq 'model.temperature=0.2' out.safetensors &&
    grep -aq 'model.temperature_at=blocks.1:0.5' out.safetensors
tell "an export says the temperatures that its weights are for" $?

# ---- longer runs, other futures ----

train small.ini train.steps=18 --out short && train --resume short train.steps=24 &&
    cmp "$(checkpoint run 24)" "$(checkpoint short 24)"
tell "a run that is extended past a moment is the run in one go" $?

sed 's/^steps = 24/steps = 18/' small.ini >ended.ini && train ended.ini --out ended &&
    grep -q 'note: intervene.at2 = 20 has no effect: the run ends at step 18' err &&
    train --resume ended train.steps=26 intervene.at2=22 && grep -q 'intervene.at2 changed from 20 to 22' err &&
    grep -q 'step 22: intervention: optim.lr' err
tell "what has not acted may be moved; a moment behind the end is noted" $?
train --resume ended train.steps=30 intervene.at=2e
[ $? = 2 ] && grep -q 'intervene.at took effect before step 26' err
tell "what has acted may not" $?

train --resume ended train.steps=28 model.pool=mean
[ $? = 2 ]
tell "another model is refused as before" $?
train small.ini intervene.key= intervene.at= intervene.key2= intervene.at2= --out plain &&
    train --resume plain train.steps=30 model.temperature=0.5 && grep -q 'model.temperature changed from 1 to 0.5' err &&
    grep -q '"event": *"resume"' plain/train.jsonl && temperature "$(checkpoint plain 30)" | grep -q '"0.5"'
tell "a resume takes another temperature, with a row" $?

"$STEADY" eval plain --checkpoint 24 >out 2>err && "$STEADY" eval plain >>out 2>err && [ "$(grep -c loss out)" = 2 ]
tell "and eval still takes checkpoints from before that" $?
"$STEADY" probe run --checkpoint all >out 2>err && [ -s out ]
tell "probe takes each checkpoint with its own temperatures" $?

# ---- refusals name file and line ----

printf '[intervene]\nat = 3\nmodel.depth = 3\n' | cat small.ini - >bad.ini
train bad.ini --out bad
[ $? = 2 ] && grep -q 'bad.ini:[0-9]*: ' err && [ ! -e bad ]
tell "a key that cannot change is refused with its line" $?
train small.ini intervene.optm.lr=3 --out bad
[ $? = 2 ] && grep -q 'command line: unknown key intervene.optm.lr; did you mean intervene.optim.lr?' err
tell "an unknown one with the nearest" $?

# ---- sweeps ----

"$STEADY" sweep small.ini intervene.at=1e,2e,never intervene.model.temperature=0.1,0.5 --out grid >table 2>err
[ $? = 0 ] && [ "$(find grid/cells -name recipe.ini | wc -l)" = 6 ] && grep -q '^at = 2e$' 'grid/cells/intervene.at=2e,intervene.model.temperature=0.1/recipe.ini' &&
    grep -q 'intervene.model.temperature has no effect in 2 of 6 runs' err
tell "moment and value are axes of a sweep; in cells without one that is noted" $?
