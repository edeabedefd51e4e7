# steady runs, steady diff, steady report: of runs that are finished, interrupted, killed, foreign.

. test/tell.sh
export OMP_NUM_THREADS=1
cd "$TMP" || exit 1

cat >small.ini <<'END_RECIPE'
[data]
source = glyphs
synthetic_count = 100
image_size = 16
[model]
width = 16
depth = 1
heads = 2
patch = 4
[optim]
lr = 0.01
[train]
steps = 12
batch = 8
eval_every = 6
checkpoint_every = 4
[guard]
exit = ok
END_RECIPE

"$STEADY" runs >out 2>err && [ ! -s out ] && grep -q '^no runs in runs$' err
tell "without a folder runs says that there are none" $?

train small.ini --out runs/first && train small.ini --out runs/same && train small.ini optim.lr=0.02 --out runs/other
tell "runs to look at" $?

state() { "$STEADY" runs "$1" --json 2>err | sed -n 's/.*"state":"\([a-z]*\)".*/\1/p'; }

train small.ini optim.lr=1e-9 guard.exit=verdict --out still
[ $? = 4 ] && [ "$(state still)" = finished ]
tell "a run that took all its steps is finished, whatever it learned" $?

"$STEADY" runs >out 2>err && [ ! -s err ] && [ "$(wc -l <out)" = 4 ] &&
    grep -q '^runs/first  *finished  *classify  *12/12  *top-1 [0-9.]*% (test)  *[a-z ()]*  *[0-9]* s$' out
tell "runs is a table of them" $?

# ---- states ----

"$STEADY" train small.ini train.steps=100000 --out runs/long --no-report 2>err &
trainer=$!
while [ ! -s runs/long/train.jsonl ] && kill -0 $trainer 2>/dev/null; do sleep 0.1; done
seen=$(state runs/long)
kill -TERM $trainer
wait $trainer
[ "$seen" = running ] && [ "$(state runs/long)" = interrupted ]
tell "a run that trains is running, a stopped one interrupted" $?

"$STEADY" train --resume runs/long --no-report 2>err &
trainer=$!
rows=$(wc -l <runs/long/train.jsonl)
while [ "$(wc -l <runs/long/train.jsonl)" -le "$rows" ] && kill -0 $trainer 2>/dev/null; do sleep 0.1; done
kill -9 $trainer
wait $trainer 2>/dev/null
"$STEADY" runs runs/long --json >out
grep -q '"state":"interrupted"' out && grep -q '"why":"the process was killed"' out && grep -q '"steps":100000' out
tell "a killed one is interrupted, and that is said" $?
"$STEADY" runs runs --json >out && grep -q '"why":null' out && ! grep -qv '"why":' out
tell "each row of JSON has the same keys, null where nothing is known" $?
mkdir bare && cp -R runs/other bare/whole && cp -R runs/other bare/cut && : >bare/cut/train.jsonl &&
    "$STEADY" runs bare >both 2>&1 && head -n 1 both | grep -q '^run ' && tail -n 1 both | grep -q '^steady: note: bare/cut'
tell "notes come below the table where both streams go into one file" $?

sed -i 's/"exit": 0/"exit": 1/' runs/other/run.json && [ "$(state runs/other)" = failed ]
tell "one that ended with an exit code of failure has failed" $?

rm runs/first/run.json
[ "$(state runs/first)" = finished ] && [ "$(state runs/same)" = finished ]
tell "without run.json the logs say that a run is finished" $?

# ---- long logs ----

mkdir long && cp runs/other/recipe.ini long && awk 'BEGIN { for (i = 1; i <= 60000; i++)
    printf "{\"step\":%d,\"loss\":%.4f,\"lr\":0.1}\n", i, 2.3 - i / 40000 }' >long/train.jsonl
"$STEADY" runs long >out && grep -q '^long  .*  ~learned  ' out && "$STEADY" runs long --json |
    grep -q '"verdict":"learned","age_s":.*"sampled":true'
tell "of a long log without a verdict a sample is judged, and that is said" $?
verdict=$(sed -n 's/.*"verdict": *"\([^"]*\)".*/\1/p' runs/same/run.json)
cp runs/same/run.json long && "$STEADY" runs long >out && [ -n "$verdict" ] && grep -q "  $verdict  " out
tell "training leaves its verdict in run.json, and the table has that" $?

# ---- foreign, broken, nested ----

mkdir -p runs/foreign runs/notes runs/nested/deep && cp runs/same/train.jsonl runs/same/probe.jsonl runs/foreign
cp -r runs/same runs/nested/deep/copy && ln -s .. runs/nested/loop
[ "$(state runs/foreign)" = unknown ] && [ "$("$STEADY" runs | grep -c nested)" = 0 ] &&
    [ "$("$STEADY" runs -r | grep -c '^runs/nested/deep/copy ')" = 1 ]
tell "a foreign run is a run; folders below are on request" $?

echo '{' >runs/same/data.json
"$STEADY" runs >out 2>err && grep -q '^runs/same  *unreadable' out && grep -q 'note: .*data.json' err &&
    "$STEADY" runs --json 2>/dev/null | grep '"path":"runs/same"' | grep -q '"error":"'
tell "one that cannot be read is a row, and the others are there" $?
cp runs/first/data.json runs/same/data.json

mkdir -p cut && cp -r runs/other cut/run && sed -i 's/"exit": 1/"exit": 0/' cut/run/run.json &&
    head -n 5 runs/other/train.jsonl >cut/run/train.jsonl && echo '{"step":' >>cut/run/train.jsonl
"$STEADY" runs cut >out 2>err && grep -q '  12/12, 5 logged  ' out && grep -q 'note: 1 line of the logs is ignored (cut/run/train.jsonl:6: ' err &&
    grep -q 'note: cut/run: train.jsonl has no rows of steps 6 to 12, which were taken (run.json)$' err &&
    "$STEADY" runs cut --json 2>err | grep -q '"logged":5,"note":"1 line of the logs'
tell "lines that cannot be read and steps without rows are said" $?
"$STEADY" watch --once cut/run >out && grep -q '^train.jsonl: unreadable lines$' out && grep -q '^rows of steps 6 to 12 are missing$' out
tell "by watch, too" $?

fails 2 'no such folder' runs nowhere && fails 2 'unexpected argument y after x' runs x y
tell "a folder that is not there is refused" $?

# ---- diff ----

differ() { # EXIT WORDS...
    wanted=$1
    shift
    "$STEADY" diff "$@" >out 2>err
    [ $? = "$wanted" ]
}
differ 0 runs/first runs/same && grep -q '^version: not compared (A has none)$' out && grep -q '^the runs are equal in what was compared$' out
tell "runs that are equal but for a part that one lacks are not just called equal" $?
cp runs/same/run.json runs/first
differ 0 runs/first runs/same && grep -q '^train.jsonl: 12 rows compared, all equal$' out && grep -q '^the runs are equal$' out
tell "two runs of one recipe are equal" $?

differ 1 runs/first runs/other && grep -q '^  optim.lr  0.01 | 0.02$' out &&
    grep -q '^train.jsonl: 12 rows compared, first difference at step 1$' out &&
    grep -q '^  lr  step 1  0.01 | 0.02  (+0.01, 50 %)' out && grep -q '^  loss  step 2  ' out && grep -q '^the runs differ$' out
tell "a swept key is found, with the first row that differs and by how much" $?

differ 0 --only data,version runs/first runs/other && differ 1 --only=train runs/first runs/other -q && [ ! -s out ] &&
    differ 0 --tolerance 1 --only train runs/first runs/other
tell "--only, --quiet and --tolerance" $?

differ 1 --json runs/first runs/other && grep -q '^{"a":"runs/first","b":"runs/other","equal":false,"recipe":\[{"name":"optim.lr","a":"0.01","b":"0.02"}\]' out
tell "--json has it all" $?

differ 0 runs/foreign runs/same && grep -q '^recipe: not compared (A has none)$' out
tell "a foreign run is compared by its rows" $?

for run in a b; do
    mkdir -p torn/$run && cp runs/same/recipe.ini runs/same/eval.jsonl torn/$run
    for log in train probe; do echo 'no JSON' >torn/$run/$log.jsonl; done
done
differ 0 torn/a torn/b && grep -q '^train: not compared (neither run has any)$' out && grep -q '^the runs are equal in what was compared$' out &&
    differ 3 --only train torn/a torn/b -q && [ ! -s out ] && grep -q 'torn/a and torn/b: not compared: train; these files' err &&
    differ 3 --only eval,probe torn/a torn/b && grep -q '^eval.jsonl: [1-9].* compared, all equal$' out &&
    differ 3 --only recipe runs/foreign runs/same && differ 3 --only probe,events torn/a runs/same &&
    differ 1 --only train,probe torn/a runs/same
tell "what was asked for and could not be compared is no equality" $?
echo 'no JSON' >torn/a/eval.jsonl
differ 3 torn/a torn/b --json && grep -q '"equal":null' out && grep -q '^the runs are equal' out && echo "equal without a log"
differ 3 torn/a torn/b && grep -q '^too little to compare$' out
tell "without a log that both have runs are not called equal" $?

fails 2 'two run folders are needed' diff runs/first && fails 2 'no such run folder' diff runs/first nowhere &&
    fails 2 'expected some of recipe' diff --only recip runs/first runs/same && fails 2 'is not a run folder' diff runs/notes runs/same &&
    fails 2 'unexpected argument z' diff x y z
tell "diff refuses what it cannot compare with another code" $?

part=$(printf '%0200d' 7)
long=$part/$part/$part/$part/$part/$part/$part
mkdir -p "$long" && fails 2 'too long' diff "$long" runs/same && fails 2 'too long' plot "$long" -o x.png &&
    fails 2 'too long' report "$long"
tell "a name that is too long is refused" $?

# ---- report ----

page() { # FILE: is it a whole page that loads nothing?
    grep -q '</html>' "$1" && ! grep -q 'https*:\|<script\|<link' "$1"
}
for run in first long foreign; do
    "$STEADY" report runs/$run >out 2>err && [ "$(cat out)" = runs/$run/report.html ] && [ -s runs/$run/figures/training.png ] &&
        page runs/$run/report.html || echo "no report of $run"
done >bad
cat bad
[ ! -s bad ] && grep -q 'Interrupted at step' runs/long/report.html && grep -q 'steady train small.ini' runs/long/report.html &&
    ! grep -q 'id="recipe"' runs/foreign/report.html
tell "a report is made at any time, of any run" $?
keys() { sed -n "/aria-label=.recipe.ini/,/<.pre>/p" runs/first/report.html; }
keys | grep -q '^lr = 0.01$' && keys | grep -q '^synthetic_count = 100$' && ! keys | grep -q 'momentum\|\[contrast\]' &&
    grep -q '>[0-9]* keys without effect in this run are left out; recipe.ini has them' runs/first/report.html &&
    grep -q '^momentum' runs/first/recipe.ini && ! grep -q '^.contrast' runs/first/recipe.ini
tell "its recipe has the keys that have an effect" $?

rm -rf runs/first/report.html runs/first/figures
"$STEADY" report runs/first -o elsewhere.html >out 2>err && page elsewhere.html && [ ! -e runs/first/report.html ] && [ ! -e runs/first/figures ]
tell "-o writes that file alone" $?

"$STEADY" report runs/first -o /nowhere/x.html >out 2>err
[ $? = 1 ] && [ ! -s out ]
tell "a report that cannot be written is a failure" $?

fails 2 'no run and no sweep given' report && fails 2 'is not the folder of a run or sweep' report runs/notes && fails 2 'is not the folder of a run or sweep' report nowhere
tell "what is no run has no report" $?

: >runs/notes/train.jsonl && "$STEADY" report runs/notes >out 2>err && page runs/notes/report.html
tell "a run of no step has a report" $?

# ---- a sweep ----

cp small.ini "it's small.ini"
"$STEADY" sweep "it's small.ini" optim.lr=0.003,0.01 --out sweep >out 2>err && page sweep/report.html &&
    grep -q "steady sweep &#39;it&#39;.&#39;&#39;s small.ini&#39; optim.lr=0.003,0.01" sweep/report.html &&
    grep -q 'href="cells/optim.lr=0.003/"' sweep/report.html && grep -q '2 of 2 runs have ended' sweep/report.html
tell "a sweep has a report with links to its runs" $?
"$STEADY" report sweep/cells/optim.lr=0.003 >out && rm sweep/report.html && "$STEADY" report sweep >out && [ "$(cat out)" = sweep/report.html ] &&
    grep -q 'href="cells/optim.lr=0.003/report.html"' sweep/report.html && "$STEADY" report sweep -o apart.html >out &&
    grep -q "href=\"$(pwd)/sweep/cells/" apart.html
tell "it is made again on request" $?
"$STEADY" runs . >out && grep -q '^./sweep  *finished  *sweep  *2/2 runs ' out && [ "$("$STEADY" runs sweep | wc -l)" = 3 ]
tell "a sweep is one row, its own folder lists its runs" $?
