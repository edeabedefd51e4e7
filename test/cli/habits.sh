# Command lines as people type them: what is taken is said, what is refused names what to write.
# Words and keys are in test_habit.c.

. test/tell.sh
cd "$TMP" || exit 1
export OMP_NUM_THREADS=1 STEADY_KERNEL_CHECK=off
tiny="data.synthetic_count=40 model.depth=1 model.width=12 train.batch=8 probe.every=0 --no-report"

# shellcheck disable=SC2086
"$STEADY" train demo --epochs 1 --lr 0.01 $tiny train.seed = 3 --out a 2>err &&
    grep -q '^steady: note: --lr is read as optim.lr=0.01$' err && grep -q '^lr = 0.01$' a/recipe.ini &&
    grep -q '^epochs = 1$' a/recipe.ini && grep -q '^seed = 3$' a/recipe.ini
tell "keys as options, and blanks around =" $?

# shellcheck disable=SC2086
"$STEADY" train DEMO $tiny train.steps=1 2>err && [ -e runs/demo/recipe.ini ] && ! grep -q 'demo-2' err
tell "a recipe in capitals, in its default folder" $?
# shellcheck disable=SC2086
"$STEADY" train demo $tiny train.steps=1 2>err && [ -e runs/demo-2/recipe.ini ] &&
    grep -q 'runs/demo already contains a run: this run is written to runs/demo-2 (to resume that one: steady train --resume runs/demo)' err
tell "a second run takes the next folder, and says so" $?
# shellcheck disable=SC2086
"$STEADY" train demo $tiny --dry-run 2>err && [ ! -e runs/demo-3 ] &&
    grep -q 'already contains a run: this run would be written to runs/demo-3 (' err && ! grep -q 'is written' err
tell "a dry run says where a run would be written" $?
rm -r runs/demo-2
mkdir runs/demo-2
echo mine >runs/demo-2/notes
# shellcheck disable=SC2086
"$STEADY" train demo $tiny train.steps=1 2>err && [ -e runs/demo-3/recipe.ini ] && [ "$(ls runs/demo-2)" = notes ]
tell "a folder with something else in it is passed over" $?
# shellcheck disable=SC2086
fails 2 'runs/demo already contains a run; resume it with --resume runs/demo,' train demo $tiny --out runs/demo
tell "a folder that is asked for is not replaced by another" $?

mv a "it's a"
# shellcheck disable=SC2086
fails 2 "resume it with --resume 'it'.''s a', or" train demo $tiny --out "it's a"
tell "a hint can be pasted where the folder has blanks and quotes" $?
mv "it's a" a

bad=0
for ending in onnx pt PTH gguf bin npz; do
    fails 2 "-o x.$ending: .$ending is another format; export writes safetensors.*-o x.safetensors" export a -o x.$ending || bad=1
done
[ ! -e x.onnx ] && "$STEADY" export a -o b.x/weights 2>err; [ $? = 1 ] && mkdir b.pt && "$STEADY" export a -o b.pt/weights 2>err || bad=1
tell "an export into another program's format is refused" $bad
fails 2 '--limit 0: expected a whole number >= 1' predict a --limit 0
tell "predict --limit 0" $?
"$STEADY" train demo train.steps=1 data.synthetic_count=8 model.depth=2 model.width=12 train.batch=8 probe.every=1 --no-report --out p 2>err
fails 2 'layer 99: the blocks of p are 0 to 1' plot p --layers 0,99 -o x.png && [ ! -e x.png ] && "$STEADY" plot p --layers 1 -o x.png 2>err
tell "plot --layers of a block that is not there" $?

"$STEADY" train --help-keys guard >out && [ "$(grep -c '^\[' out)" = 1 ] && grep -q '^  nonfinite ' out && "$STEADY" train --help-keys=guard | cmp -s out -
tell "--help-keys SECTION is that section" $?
"$STEADY" help learning-rate >out && grep -q '^  lr  ' out && [ "$(grep -c '^  [a-z]' out)" = 1 ]
tell "help KEY, by another program's name" $?
"$STEADY" train --help-keys temperature >out && [ "$(grep -c '^\[' out)" = 2 ]
tell "--help-keys NAME: each section that has it" $?
fails 2 '--help-keys optm: no such section or key; did you mean' train --help-keys optm || fails 2 'no such section or key' train --help-keys optm
tell "--help-keys of what is none" $?

fails 2 'unknown key train.stop_after; .steady train --help-keys train. lists those of .train.$' train demo train.stop_after=1 &&
    fails 2 'model.norm = xyzzy: choose one of pre, post, deepnorm, none$' train demo model.norm=xyzzy &&
    fails 2 'unknown recipe or file qqqq; .steady recipes. lists all$' train qqqq &&
    fails 2 'train.epochs has no value: write train.epochs=VALUE' train demo train.epochs 3
tell "nothing is suggested where nothing is near" $?
"$STEADY" frobnicate 2>err
[ $? = 2 ] && grep -q '^steady: unknown command frobnicate; steady -h lists them, steady search WORD finds one$' err
tell "an unknown command without a neighbour" $?

for ignored in 0 1; do
    # shellcheck disable=SC2064
    first=$([ $ignored = 0 ] || trap '' PIPE; for i in 1 2 3 4 5; do "$STEADY" train --help-keys; done 2>err | head -n 1)
    [ "${first%% *}" = Keys ] && [ ! -s err ]
    tell "more than a pipe holds, into head (SIGPIPE ignored: $ignored)" $?
done
