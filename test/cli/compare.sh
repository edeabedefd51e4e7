# test/bench/compare.py: the parts that need no PyTorch, and its help.

. test/tell.sh
command -v python3 >/dev/null || { echo "skip comparison with PyTorch: needs python3"; exit; }
export PYTHONDONTWRITEBYTECODE=1
python3 test/bench/test_rival.py
tell "search for PyTorch's best form, its file and the tables" $?
python3 test/bench/compare.py --help | grep -q -- '--tune'
tell "compare.py has a help" $?
