# steady sweep: runs that were killed before their first checkpoint, folders of runs that lost files,
# words beside a plan.

. test/tell.sh
cd "$TMP" || exit 1
grid="demo data.synthetic_count=200 model.width=16 model.depth=1 model.heads=2 train.batch=8 train.threads=1
    train.steps=5 train.eval_every=2 probe.every=1 train.seed=0,1"
# shellcheck disable=SC2086
"$STEADY" sweep $grid --out whole >table 2>/dev/null
cell=cut/cells/train.seed=1

# As of a process that was killed between its first evaluation and its first checkpoint.
cut() {
    rm -rf cut && cp -R whole cut && sed -i 's/"exit": 0/"exit": null/' cut/sweep.json &&
        rm $cell/checkpoints/step-* && head -n 3 whole/cells/train.seed=1/train.jsonl >$cell/train.jsonl &&
        echo half >$cell/checkpoints/best.safetensors.tmp && [ -s $cell/checkpoints/best.safetensors ]
}
# The table of all runs, as that of the sweep that was not killed, but for its seconds.
trained_again() {
    "$STEADY" sweep --resume cut >again 2>messages && [ "$(wc -l <$cell/train.jsonl)" = 5 ] &&
        timeless $cell/train.jsonl >a && timeless whole/cells/train.seed=1/train.jsonl | cmp - a
}

cut && trained_again
tell "a run with its best weights and no checkpoint begins again, as if it had not been killed" $?
[ "$(ls $cell/checkpoints)" = "$(ls whole/cells/train.seed=1/checkpoints)" ]
tell "nothing that was half written stays" $?
cut && echo mine >$cell/notes.txt && "$STEADY" report $cell >/dev/null 2>&1 && [ -s $cell/report.html ] &&
    trained_again && [ "$(cat $cell/notes.txt)" = mine ]
tell "so does one with a report and a file of its user, which stays" $?

printf '[train]\nsteps = 5\n' >small.ini
sed 's/^demo /small.ini /' >words <<EOF
$(echo $grid | sed 's/train.steps=5//')
EOF
# shellcheck disable=SC2046
"$STEADY" sweep $(cat words) --out other >/dev/null 2>&1 && sed -i 's/"exit": 0/"exit": null/' other/sweep.json &&
    rm -r other/cells/*0 && rm other/cells/*1/checkpoints/step-* && printf '[train]\nsteps = 4\n' >small.ini &&
    "$STEADY" sweep --resume other >again 2>messages && [ "$(wc -l <other/cells/train.seed=1/train.jsonl)" = 4 ]
tell "one whose recipe has changed since is trained by the new one" $?

rm -rf cut && cp -R whole cut && rm $cell/recipe.ini && find cut -type f -exec cksum {} + | sort >before
"$STEADY" sweep --resume cut >again 2>messages
[ $? = 3 ] && grep -q "^steady sweep: $cell has files, but no recipe.ini: restore that file, or remove this folder" messages &&
    find cut -type f -exec cksum {} + | sort | cmp - before
tell "a folder of a run without its recipe is refused with what to do, and kept" $?
"$STEADY" sweep --compare cut >again 2>messages && grep -q '^cut: 1 of 2 runs ended' again
tell "a comparison reads the others" $?
rm -r $cell && "$STEADY" sweep --resume cut >again 2>messages && timeless $cell/train.jsonl >a &&
    timeless whole/cells/train.seed=1/train.jsonl | cmp - a
tell "without the folder the run is trained again" $?

# ---- words beside a plan ----

# shellcheck disable=SC2086
"$STEADY" sweep $grid --plan plan.json --dry-run >/dev/null 2>&1 && cp plan.json before
"$STEADY" sweep --plan plan.json optim.lr=0.1,0.2 --out more >again 2>messages
[ $? = 2 ] && [ ! -e more ] && cmp plan.json before &&
    grep -q 'words with --plan are the whole grid, but these name no recipe; leave out optim.lr=0.1,0.2 to run the plan' messages
tell "a plan with a key alone says that words are the whole grid" $?
