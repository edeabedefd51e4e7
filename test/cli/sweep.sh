# steady sweep: a grid of tiny runs, its table and files, and going on after an interruption.

. test/tell.sh
cd "$TMP" || exit 1
tiny="data.synthetic_count=200 model.width=16 model.depth=1 model.heads=2 train.batch=8
    train.threads=1 probe.every=1"
grid="demo $tiny train.steps=5 optim.lr=0.001,0.01 train.seed=0,1"

# A table without what depends on time: the columns seconds and cpu_seconds.
timeless() { # CSV
    sed 's/"[^"]*"/quoted/g' "$1" | awk -F, -v OFS=, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
        NR > 1 { $at["seconds"] = $at["cpu_seconds"] = "" } 1'
}

"$STEADY" sweep $grid --out grid >table 2>messages
tell "a 2x2 grid runs to its end" $?
[ "$(grep -c -E '^0\.0(0?)1 +[01] ' table)" = 4 ] && grep -q '^diverged: ' table &&
    grep -q '^0.001 .* ± .* 0 of 2' table
tell "the table has a row a cell, sums over seeds, and says what diverged is" $?
[ "$(wc -l <grid/sweep.csv)" = 5 ] && [ -s grid/sweep.json ] && [ -s grid/sweep.png ] &&
    [ "$(wc -l <grid/sweep-seeds.csv)" = 3 ] &&
    [ -s grid/cells/optim.lr=0.01,train.seed=1/train.jsonl ] &&
    [ -s grid/cells/optim.lr=0.01,train.seed=1.log ]
tell "the folder has csv, json, png, runs and their messages" $?
head -n 1 grid/sweep.csv | grep -q ',site_entropy,.*,site_entropy_end,.*,grade$' &&
    [ "$(grep -c -E ',(not |hardly )?learned$|,$' grid/sweep.csv)" = 4 ] && grep -q '"grade": *"' grid/sweep.json
tell "sweep.csv has the grade last, and says which entropy it has" $?
grep -q '<p class=score>Best run: <strong>top-1 [0-9.]*%</strong>' grid/report.html &&
    grep -q '<figcaption>Final test loss of each run, of its last evaluation; lower is better.' grid/report.html
tell "its report names the best run, and the loss that it draws" $?
grep -q '^\[4/4\] optim.lr=0.01,train.seed=1: top-1 ' messages
tell "each finished cell is a line on stderr" $?

"$STEADY" sweep $grid --out pair --jobs 2 >table2 2>/dev/null
timeless grid/sweep.csv >a && timeless pair/sweep.csv >b && cmp a b
tell "two jobs give the table of one" $?

"$STEADY" sweep --compare grid pair -o both.png >across && [ -s both.png ] &&
    grep -q '^grid: 4 of 4 runs ended$' across && grep -q '^sweep against grid, same seeds' across &&
    grep -q '^pair .* 0 of 4 ' across && [ "$(grep -c ' +0.00  .* 2$' across)" = 3 ]
tell "--compare draws and compares the runs of two folders, seed by seed" $?
ln -s grid linked
for other in ./grid grid/ linked "$PWD/grid"; do
    "$STEADY" sweep --compare grid "$other" >across 2>messages
    [ $? = 2 ] && ! [ -s across ] && grep -q "grid and .* are one folder, given twice" messages || break
    other=
done
tell "a folder under two names is one folder, whose runs count once" $([ -z "$other" ]; echo $?)
"$STEADY" sweep --compare grid --method train.seed | grep -q '^train.seed against 0, all else equal'
tell "seeds as methods are not called equal" $?
for kind in best-worst all rank; do
    "$STEADY" plot grid pair --trials $kind --method optim.lr -o $kind.svg >out 2>messages && [ -s $kind.svg ] &&
        [ ! -s out ] && [ "$(grep -c '^lr 0\.0*1: best optim.lr=0' messages)" = 2 ] || break
    kind=
done
tell "plot --trials draws the runs of two folders by method" $([ -z "$kind" ]; echo $?)
cp -r grid part && rm -r part/cells/optim.lr=0.01,train.seed=1 && "$STEADY" plot part --trials all -o part.svg 2>messages &&
    grep -q '^note: part: 1 of 4 runs unfinished, not drawn: optim.lr=0.01,train.seed=1$' messages
tell "plot --trials says which runs are missing" $?
rm -r part/cells/optim.lr=0.01,* && "$STEADY" plot part --trials all --method optim.lr -o part.svg 2>messages &&
    grep -q '^note: .*0.01: no run has ended' messages && ! grep -q 'nothing measured' part.svg
tell "plot --trials has no panel for a method of which no run has ended" $?
"$STEADY" plot grid -o none.svg 2>messages
[ $? = 2 ] && grep -q 'grid is a sweep; to draw its runs add --trials best-worst, all or rank' messages &&
    { "$STEADY" plot grid --score top1 -o none.svg 2>messages; [ $? = 2 ]; } && grep -q -e '--score needs --trials KIND' messages &&
    { "$STEADY" plot grid --trials rank --score bleu -o none.svg 2>messages; [ $? = 2 ]; } &&
    grep -q -e '--score bleu: no run has this score; expected one of loss, top1' messages && [ ! -e none.svg ]
tell "a sweep without --trials, and a score that no run has, are usage errors" $?
[ -s grid/sweep-loss.png ] && grep -q '^0.001 to 0.01\| 2, 0.001 to 0.01$' table
tell "a sweep of learning rates ends with their sensitivity and its figure" $?
"$STEADY" sweep --compare grid --method train.batch >across 2>messages
[ $? = 2 ] && grep -q 'train.batch: the runs do not differ in this key; expected some of optim.lr, train.seed' messages &&
    ! [ -s across ]
tell "a method that was not swept is a usage error that lists what was" $?
for word in '--jobs 2' '--threads 1' '--plan plan.json' --dry-run; do
    # shellcheck disable=SC2086
    "$STEADY" sweep --compare grid $word >across 2>messages
    [ $? = 2 ] && grep -qe "--compare runs nothing; leave out ${word%% *}" messages || break
    word=
done
tell "--compare refuses options of runs" $([ -z "$word" ]; echo $?)
"$STEADY" sweep $grid --fail '' 2>messages
[ $? = 2 ] && grep -q -e "--fail needs a criterion, such as 'loss>1.48'" messages
tell "an empty criterion is a usage error that shows one" $?

cksum grid/cells/*/train.jsonl >before
"$STEADY" sweep $grid --out grid >again 2>messages && cksum grid/cells/*/train.jsonl |
    cmp - before && cmp table again && grep -q '4 already finished' messages
tell "a finished sweep that is called again only prints its table" $?

"$STEADY" sweep $grid --out grid >both 2>&1 && [ "$(tail -n 1 both)" = "results and runs: grid" ]
tell "where both streams go into one file, the table comes before the last message" $?

"$STEADY" sweep $grid train.label_smoothing=0.1 --out grid >/dev/null 2>messages
[ $? = 2 ] && grep -q 'contains another sweep' messages
tell "another grid in the same folder is a usage error" $?

"$STEADY" sweep demo $tiny train.steps=5 optim.lr=0.1,-1 --out bad >/dev/null 2>messages
[ $? = 2 ] && grep -q 'run optim.lr=-1: .*expected number' messages && [ ! -e bad ]
tell "a bad value is named with its cell before anything runs" $?

latin=$(printf 'caf\351') && seq 100 300 >"$latin" && "$STEADY" sweep grammar data.source=text "data.path=$PWD/$latin" \
    data.tokens=char model.context=8 model.width=16 model.depth=1 model.heads=2 train.batch=4 train.epochs=0 \
    train.steps=4 schedule.warmup_epochs=0 schedule.warmup_steps=0 optim.lr=0.1,0.2 --out "$latin.sweep" >table2 2>messages &&
    "$STEADY" sweep --resume "$latin.sweep" >again 2>messages && cmp table2 again &&
    mv "$latin.sweep/cells/optim.lr=0.1" "$latin.run" && "$STEADY" plot "$latin.run" -o latin.png 2>messages && [ -s latin.png ]
tell "names that are not UTF-8 are kept, and drawn" $?

mkdir mine && echo mine >mine/sweep.csv
"$STEADY" sweep $grid --out mine >/dev/null 2>messages
[ $? = 2 ] && grep -q 'mine is not empty (sweep.csv)' messages && [ "$(ls mine)" = sweep.csv ]
tell "a folder with other files is a usage error" $?

"$STEADY" sweep $grid --out dry --dry-run >list 2>/dev/null
[ $? = 0 ] && [ "$(grep -c '^to run  optim.lr=' list)" = 4 ] && [ ! -e dry ]
tell "a dry run lists the cells and makes nothing" $?

"$STEADY" sweep demo $tiny train.steps=5 data.source=glyphs,idx data.path=/nowhere \
    --out broken >table 2>messages
[ $? = 1 ] && grep -q '^glyphs .* 5 ' table && grep -q '^idx .*failed: exit 3' table &&
    grep -q 'data.source=idx FAILED (exit 3): .*/nowhere' messages
tell "a cell that fails is reported and the others go on" $?

"$STEADY" sweep demo $tiny train.steps=60 optim.lr=0.01,1e30 --out boom >table 2>/dev/null
[ $? = 0 ] && grep -q '^1e30 .*yes: non-finite' table
tell "a diverged cell is a result, not a failure" $?

# ---- a plan, a criterion, a grid that grows ----

planned="demo,demo-sigma $tiny train.steps=5 demo:optim.lr=0.001,0.01 demo-sigma:{optim.lr,model.init_std}={0.01,0.2}"
"$STEADY" sweep $planned train.seed=0,1 --fail 'loss>2.4 or entropy<10%' --plan plan.json --dry-run \
    --out planned >list 2>messages &&
    [ -s plan.json ] && [ ! -e planned ] && grep -q 'plan of 6 runs written: plan.json' messages
tell "a dry run writes the plan, and no more" $?
"$STEADY" sweep --plan plan.json --out planned >table 2>/dev/null && grep -q '^plan: followed (written 20' table &&
    cmp plan.json planned/plan.json && cmp table planned/sweep.txt &&
    grep -q '^fails: loss > 2.4 or entropy < 0.1' table && grep -q '^demo  *[0-4] of 4  *2 ' table
tell "a plan alone is run, and was followed" $?
cksum planned/cells/*/train.jsonl >before
"$STEADY" sweep $planned train.seed=0,1,2 --out planned >table 2>messages &&
    grep -q 'the grid grows from 6 to 9 runs; the existing 6 are kept' messages && grep -q '^6 already finished' messages &&
    grep -q '^plan: NOT followed (.*): seeds added: 2 (3 runs)$' table
tell "seeds that are added later are run, and said" $?
cksum $(awk '{ print $3 }' before) | cmp - before
tell "the runs that were there stay as they are" $?
"$STEADY" sweep demo $tiny train.steps=5 --plan plan.json --out other 2>messages
[ $? = 2 ] && [ ! -e other ] && grep -q 'plan.json is the plan of another grid' messages
tell "the plan of another grid is not written over" $?
lost="demo $tiny train.steps=2 data.source=folder data.path=nowhere optim.lr=0.1,0.2"
"$STEADY" sweep $lost --out lost >list 2>messages
[ $? = 1 ] && grep -q 'note: run optim.lr=0.1: data.path: nowhere: no such file or folder; give .*; 2 of 2 runs lack data' messages
tell "missing data are said before the first run" $?
rm -rf lost
"$STEADY" sweep $lost --plan lost.json --dry-run --out lost >list 2>messages && [ -s lost.json ] && grep -q '^to run' list &&
    [ "$(grep -c 'note: .*data.path: nowhere: no such .*; 2 of 2 runs lack data' messages)" = 1 ]
tell "runs can be listed and planned where the data are not, with one line that says so" $?
: >p.de; : >p.en; : >p.txt.gz
"$STEADY" sweep multi30k-post data.path=p data.val_path=p data.test_path=q optim.lr=0.1,0.2 --dry-run --out lost >list 2>messages
[ $? = 0 ] && grep -q 'data.test_path: q: no such .*PATH.de and PATH.en' messages &&
    "$STEADY" sweep shakespeare-char data.path=p.txt optim.lr=0.1,0.2 --dry-run --out lost >list 2>messages && ! grep lack messages
tell "the files of pairs, and packed ones, are found by their start" $?
sed 's/"train.seed=0,1"/"train.seed=0,1,2"/' plan.json >edited.json
"$STEADY" sweep --plan edited.json --out other >out 2>messages
[ $? = 3 ] && [ ! -e other ] && [ ! -s out ] &&
    grep -q 'edited.json: the plan contradicts itself: runs: 6, but its words give 9' messages
tell "a plan whose words give other runs than it says is refused before the first run" $?
sed 's/"train.seed=0,1"/&, "train.seed=2"/' plan.json >edited.json
"$STEADY" sweep --plan edited.json --out other 2>messages
[ $? = 2 ] && grep -q 'the words of edited.json: train.seed=2: train.seed is given twice' messages
tell "a plan whose words are no grid is named" $?
"$STEADY" recipes demo >own.ini && "$STEADY" sweep own.ini $tiny train.steps=5 train.seed=0,1 --plan own.json --dry-run \
    --out own >out 2>&1 && sed -i 's/^norm = pre /norm = post/' own.ini &&
    "$STEADY" sweep --plan own.json --dry-run --out own >list 2>messages &&
    grep -q '^plan: these runs deviate from it (written 20.*): recipe own.ini changed: model.norm pre -> post$' messages &&
    [ "$(wc -l <list)" = 2 ]
tell "a recipe that changed since the plan is named before the first run, with its keys" $?
"$STEADY" sweep demo $tiny train.steps=5 optim.beta1=0.8,0.9 optim.beta2=0.9,0.95 train.seed=0,1 --method optim.beta2 \
    --baseline 0.95 --out kept >table 2>&1 && grep -q '^optim.beta2 against 0.95, same seeds' table &&
    "$STEADY" report kept >out && grep -q 'optim.beta2 against 0.95, same seeds' kept/report.html &&
    "$STEADY" sweep --compare kept | grep -q '^optim.beta2 against 0.95, same seeds' &&
    "$STEADY" sweep --resume kept 2>messages | grep -q '^optim.beta2 against 0.95, same seeds' && ! grep -q changed messages
tell "report, --compare and --resume keep the sweep's methods and baseline" $?
"$STEADY" sweep --resume kept --method optim.beta1 >table 2>messages && grep -q '^optim.beta1 against 0.8, same seeds' table &&
    grep -q '^kept: --method changed: optim.beta2 -> optim.beta1$' messages &&
    grep -q '^kept: --baseline changed: 0.95 -> none$' messages
tell "another choice of methods than the folder's is printed" $?
mkdir -p recipes away && "$STEADY" recipes demo >recipes/r.ini && "$STEADY" sweep recipes/r.ini $tiny train.steps=5 \
    optim.lr=0.01,0.02 train.seed=0,1 --out moved >/dev/null 2>&1 && mv moved away &&
    ( cd away && "$STEADY" report moved >out 2>messages && grep -q '^steady: note: moved: .* r.*ini cannot be opened' messages &&
        "$STEADY" sweep --compare moved >out 2>&1 && grep -q '^moved: 4 of 4 runs ended' out &&
        "$STEADY" plot moved --trials rank -o x.svg 2>/dev/null && "$STEADY" sweep --resume moved >out 2>&1 && grep -q '^0.02 ' out )
tell "a sweep is read where the file of its recipe is not" $?
mkdir -p twin && sed 's/^norm = pre /norm = post/' recipes/r.ini >twin/r.ini && "$STEADY" sweep twin/r.ini $tiny train.steps=5 \
    optim.lr=0.01,0.02 train.seed=2,3 --out second >/dev/null 2>&1 &&
    "$STEADY" sweep --compare away/moved second >across 2>&1 && grep -q '^optim.lr  model.norm ' across &&
    grep -q '^0.01  *post ' across
tell "two recipes of one name are not pooled" $?
rm planned/plan.json && "$STEADY" sweep --resume planned >table 2>messages && [ -s planned/plan.json ] &&
    grep -q '^plan: NOT followed (.*): seeds added: 2 (3 runs)$' table &&
    [ "$(grep -c '^steady: note: planned/plan.json is missing' messages)" = 1 ]
tell "removing plan.json does not remove the plan" $?

# ---- interruptions: checkpoints each 20 steps, long enough to be met half-way ----

slow="demo $tiny train.steps=400 train.checkpoint_every=20 train.seed=0,1,2"
"$STEADY" sweep $slow --out whole >/dev/null 2>&1

wait_for() { # PATTERN FILE
    tries=0
    until grep -q "$1" "$2" 2>/dev/null || [ $tries -gt 1500 ]; do
        tries=$((tries + 1))
        sleep 0.02
    done
}
"$STEADY" sweep $slow --out killed >/dev/null 2>&1 &
wait_for '"exit"' killed/sweep.json
wait_for '"step":3[0-9],' killed/cells/train.seed=1/train.jsonl
kill -9 $!
wait $! 2>/dev/null
cksum killed/cells/train.seed=0/train.jsonl >before
"$STEADY" sweep $slow --out killed >/dev/null 2>messages
tell "a sweep that was killed goes on when it is called again" $?
cksum killed/cells/train.seed=0/train.jsonl | cmp - before && grep -q '1 already finished' messages
tell "a cell that had ended is not run again" $?
timeless whole/sweep.csv >a && timeless killed/sweep.csv >b && cmp a b
tell "its table is that of a sweep that was never killed" $?

# As if the sweep had been killed before the runs ended, which went on.
spent() { # CSV: seconds and cpu_seconds of each row
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i } NR > 1 { print ($at["seconds"] == "" ? "-" : int($at["seconds"] / 500)) "," $at["cpu_seconds"] }' "$1"
}
cp -r whole unseen && sed -i '/"exit":/d' unseen/sweep.json
sed -i 's/"seconds": .*,/"seconds": 1000,/' unseen/cells/train.seed=1/run.json
sed -i 's/"seconds": .*,/"seconds": null,/' unseen/cells/train.seed=2/run.json
"$STEADY" sweep --resume unseen >/dev/null 2>messages
"$STEADY" sweep --resume unseen >/dev/null 2>&1 && [ "$(spent unseen/sweep.csv | tr '\n' ' ')" = "0, 2, -, " ] &&
    grep -q 'train.seed=2: .*, time not known$' messages && ! spent whole/sweep.csv | grep -q ',$'
tell "seconds have the sessions that no sweep saw, cpu_seconds are empty then" $?

"$STEADY" sweep $slow --out stopped >/dev/null 2>messages &
wait_for '"step":3[0-9],' stopped/cells/train.seed=0/train.jsonl
kill -TERM $!
wait $!
[ $? = 75 ] && grep -q 'to resume: steady sweep --resume stopped' messages
tell "SIGTERM stops and saves the runs, exit 75" $?
"$STEADY" sweep --resume stopped >/dev/null 2>&1
tell "--resume DIR goes on with it" $?
timeless stopped/sweep.csv | cmp - a
tell "the table after SIGTERM is that of a whole sweep" $?

# timeout is outside: it would give its child a SIGCHLD that is not ignored.
timeout 60 sh -c 'trap "" CHLD; exec "$STEADY" sweep "$@" --out ignored' sh $grid >table2 2>/dev/null &&
    timeless grid/sweep.csv >a && timeless ignored/sweep.csv | cmp - a
tell "a parent that ignores SIGCHLD does not make it wait for ever" $?

"$STEADY" sweep demo train.bf16_keep=attention,reparam train.precision=auto --dry-run --out lists >out 2>err && [ ! -e lists ] &&
    grep -q "note: train.bf16_keep has one value, a list; for a run with each: 'train.bf16_keep={attention;reparam}'" err
tell "a list of words is one value, which is said with the form that makes two" $?
"$STEADY" sweep demo train.bf16_keep=none,attention train.precision=auto --dry-run --out lists >out 2>err
[ $? = 2 ] && grep -q "none cannot be combined with other parts; for a run with each: 'train.bf16_keep={none;attention}'" err
tell "a list that is no value is refused with that form" $?
"$STEADY" sweep demo 'train.bf16_keep={none;attention}' train.precision=auto --dry-run --out lists 2>err >out &&
    ! grep -q 'has one value' err && [ "$(cat out err | grep -c '^to run ')" = 2 ]
tell "which gives two runs, without a note" $?
