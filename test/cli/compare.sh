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
