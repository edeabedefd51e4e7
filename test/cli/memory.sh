# What does not fit into memory: said at once with its size, and nothing hangs or is left behind.

. test/tell.sh
cd "$TMP" || exit 1
export OMP_NUM_THREADS=1
unset OPENBLAS_NUM_THREADS

# ---- sizes that no machine has ----

# too_large NAME PATTERN RECIPE WORDS...: exit 1 within seconds, one line, no folder.
too_large() {
    name=$1 pattern=$2
    shift 2
    timeout 20 "$STEADY" train "$@" train.epochs=0 train.steps=1 --out new --no-report >out 2>err
    code=$?
    [ $code = 1 ] && [ "$(grep -c '^steady' err)" = 1 ] && grep -q "$pattern" err && [ ! -e new ] ||
        { echo "exit $code"; head -c 1000 err; false; }
    tell "$name" $?
    rm -rf new
}
too_large "parameters whose bytes no size_t holds" \
    'steady: out of memory: [0-9.]*e+[0-9]* bytes are needed for the model.s [0-9.]*e+18 parameters' \
    demo model.width=65289 model.heads=1 model.depth=9951 model.mlp_ratio=54358.02519566849 \
    train.batch=1
too_large "the same, reparametrised" 'parameters and their gradients, but this process can use' \
    demo model.width=65536 model.heads=1 model.depth=10000 model.reparam=sigma
too_large "a batch of a million gigabytes" \
    'this run needs about .* of memory (.* of activations), but only .*accumulate' \
    demo train.batch=20000 data.synthetic_count=20000 model.width=64 model.heads=1 \
    model.depth=1000 data.image_size=128 model.patch=1 model.position=none
printf '[task]\nkind = language\n[data]\nsource = grammar\n' >text.ini
printf '[task]\nkind = transcribe\n[data]\nsource = tones\n' >sound.ini
# What machines with terabytes can have is not asked of them.
few=$(awk '/MemTotal|SwapTotal/ { kb += $2 } END { print (kb < 60e6) }' /proc/meminfo 2>/dev/null)
if [ "$few" = 1 ]; then
    for recipe in text sound; do
        too_large "a text or recordings of a billion, $recipe" 'for data.synthetic_count, but' \
            $recipe.ini data.synthetic_count=1000000000
    done
else
    echo "skip a billion of synthetic examples: this machine may hold them"
fi
"$STEADY" train demo train.batch=1000000001 --out new >out 2>err
[ $? = 2 ] && grep -q 'train.batch' err && [ ! -e new ]
tell "a batch beyond the range of its key" $?

# ---- little address space ----

# OpenBLAS asks for its buffers for ever where there is no room, when it is loaded and later.
small="demo model.depth=2 model.width=64 model.heads=2 train.batch=64 data.synthetic_count=200
    train.threads=1 train.epochs=0 train.steps=2 --no-report"
if ! (ulimit -v 4000000 && "$STEADY" --version) >/dev/null 2>&1; then
    echo "skip little address space: no ulimit -v, or a program that wants terabytes"
    exit 0
fi
bad=
for kilobytes in 75000 130000 190000 205000 240000 300000 358426 400000 440000 480000 520000 4000000; do
    rm -rf new
    # shellcheck disable=SC2086
    (ulimit -v $kilobytes && exec timeout -s KILL 20 "$STEADY" train $small --out new) >out 2>err
    code=$?
    case $code in
    0) [ -e new/train.jsonl ] ;;
    1) grep -q '^steady.*: ' err ;;
    127) grep -q 'shared' err ;; # the loader's own words
    *) false ;;
    esac || { bad="$bad $kilobytes:$code"; cat err; }
done
[ -z "$bad" ] || echo "limits (kB) and exits:$bad"
[ -z "$bad" ] && [ $code = 0 ]
tell "a run under any limit of its addresses ends, with a line" $?
(ulimit -v 300000 && exec timeout -s KILL 20 "$STEADY" predict new) >out 2>err
[ $? = 1 ] && grep -q '^steady predict: OpenBLAS needs .* buffers of 128 MB .*ulimit -v' err
tell "a limit is named with what needs more" $?
(ulimit -v 150000 && exec timeout -s KILL 20 "$STEADY" train $small --out other) >out 2>err
[ $? = 1 ] && grep -q '^steady: out of memory: OpenBLAS needs 128 MB of address space' err
tell "... also where OpenBLAS would not even be loaded" $?
(ulimit -s 200 && exec timeout -s KILL 20 "$STEADY" predict new) >out 2>err
[ $? = 1 ] && grep -q '^steady: the stack is limited to 200 kB, at least 512' err &&
    [ "$(wc -l <err)" = 1 ]
tell "a stack that is too small is named, and is no crash" $?
