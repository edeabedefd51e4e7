# test/bench/compare.py: the parts that need no PyTorch, and its help; pairs.py, the scripts of plans and
# of data beside it.

. test/tell.sh
command -v python3 >/dev/null || { echo "skip comparisons with PyTorch and of pairs: needs python3"; exit; }
export PYTHONDONTWRITEBYTECODE=1
python3 test/bench/test_rival.py
tell "search for PyTorch's best form, its file and the tables" $?
python3 test/bench/test_compare.py
tell "compare.py with stand-ins: words, files, precisions, failures, forms of elsewhere" $?
python3 test/bench/compare.py --help | grep -q -- '--tune'
tell "compare.py has a help" $?
python3 test/bench/test_pairs.py
tell "pairs of runs: differences, failures, edges" $?
python3 test/bench/test_simclr.py
tell "trials of the contrastive sweep: counts, exact tests, which gradient grows first" $?
python3 test/bench/test_grid.py
tell "the grid of rate, batch and warm-up: midpoint, failing points, counts" $?
python3 test/bench/test_ablation.py
tell "the ablation: paired differences and the plan's verdicts" $?
python3 test/bench/test_collapse.py
tell "where sigma-reparametrisation collapses: cells, what grew, the plan's verdicts" $?
python3 test/bench/test_digits.py
tell "strings of digits: no recording in two splits, texts are what was joined" $?
python3 test/bench/test_cores.py
tell "a step by cores: options that make no table are refused" $?
python3 test/bench/test_bounds.py
tell "bounds of live runs: what diverged stays so, what was interrupted goes on" $?

# ranks.sh against stand-ins: it starts nothing with words that it cannot use, and counts nothing as an error
cat >"$TMP/steady" <<'END'
#!/bin/sh
while [ $# -gt 0 ]; do case $1 in --out) mkdir -p "$2"; out=$2 ;; train.steps=*) steps=${1#*=} ;; esac; shift; done
i=0; while [ $i -lt "$steps" ]; do i=$((i + 1)); echo "{\"step\":$i,\"items_per_s\":10$i.5}"; done >"$out/train.jsonl"
END
printf '#!/bin/sh\nshift 2\nexec "$@"\n' >"$TMP/mpirun"
chmod +x "$TMP/steady" "$TMP/mpirun"
ranks() { PATH=$TMP:$PATH STEADY=$TMP/steady sh test/bench/ranks.sh "$@" >"$TMP/out" 2>&1; }
wrong=0
for words in "" "0 demo" "-1 demo" "abc demo" 2; do
    ranks $words
    [ $? = 2 ] && grep -q '^usage: .*ROUNDS RECIPE' "$TMP/out" || wrong=1
done
tell "ranks.sh: rounds that are none, and no recipe" $wrong
ranks 1 demo train.steps=3
[ $? = 1 ] && grep -q 'no step was counted: .*give train.steps' "$TMP/out" && ! grep -q nan "$TMP/out"
tell "ranks.sh: runs of three steps count nothing, which is an error" $?
ranks 2 demo train.steps=5
[ $? = 0 ] && grep -q '2 ranks: 4 steps, median 104.5, best 105.5' "$TMP/out" && grep -q 'ranks / threads 1.000' "$TMP/out"
tell "ranks.sh: medians of all steps but each run's first three" $?
