# Exit codes and messages: each row of the table of docs/exit-codes.md is a command that ends so.

. test/tell.sh
table=$PWD/docs/exit-codes.md
cd "$TMP" || exit 1
export OMP_NUM_THREADS=1 STEADY_KERNEL_CHECK=off NO_COLOR=1

cat >small.ini <<'END_RECIPE'
[data]
source = glyphs
synthetic_count = 64
image_size = 16
[model]
width = 16
depth = 1
heads = 2
patch = 8
[optim]
name = adamw
lr = 0.01
[schedule]
name = constant
[train]
steps = 12
batch = 32
END_RECIPE

{
    train small.ini train.steps=12 --out run
    train small.ini optim.lr=1e-9 --out chance
    train small.ini train.steps=2 --out half
    mkdir notes bare && cp run/recipe.ini bare && cp -R run hollow && cp -R run torn && rm hollow/checkpoints/*
    for file in torn/checkpoints/*; do head -c 100 "$file" >cut && cat cut >"$file"; done
    "$STEADY" sweep small.ini optim.lr=0.01,1e-9 --out swept
} >made 2>&1

# The line of the message that the row means: of both outputs, any that fits its pattern.
holds() { # PATTERN
    [ "$1" = "*" ] && return
    cat out err | while IFS= read -r line; do
        # shellcheck disable=SC2254 # a pattern
        case $line in $1) echo yes; break ;; esac
    done | grep -q yes
}

pattern_of() { # "a ... b" -> a*b, with what the shell gives a meaning quoted
    printf '%s\n' "$1" | sed 's/[][*?\\]/\\&/g; s/\.\.\./*/g'
}

rows=0
grep '^| [^|]* | `steady' "$table" >rows
while IFS='|' read -r _ ending command code message _; do
    rows=$((rows + 1))
    ending=$(echo "$ending" | sed 's/^ *//; s/ *$//')
    words=$(echo "$command" | sed 's/^ *`steady *//; s/` *$//')
    wanted=$(echo "$code" | tr -d ' ')
    pattern=$(pattern_of "$(echo "$message" | sed 's/^ *`//; s/` *$//')")
    # shellcheck disable=SC2086 # several words
    timeout 60 "$STEADY" $words >out 2>err </dev/null
    status=$?
    [ $status = "$wanted" ] && holds "$pattern"
    good=$?
    if [ $good != 0 ]; then
        echo "| steady $words: exit $status, wanted $wanted and $pattern"
        head -n 3 out; tail -n 4 err
    fi
    tell "$ending: exit $wanted" $good
    rm -rf new grid
done <rows
[ $rows -ge 30 ]
tell "the table has at least 30 endings" $?

# ---- endings that take a signal, or a disk, and so no row ----

"$STEADY" train small.ini train.steps=1000000 --out long --no-report 2>err &
pid=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do [ -s long/train.jsonl ] && break; sleep 1; done
kill -TERM $pid
wait $pid
[ $? = 75 ] && grep -q '^steady train: interrupted ' err &&
    grep -q '^saved; to resume: steady train --resume long' err
tell "interrupted: exit 75, saved, and how to go on" $?
[ -s long/train.jsonl ] || cat err
if [ -e /dev/full ]; then
    "$STEADY" recipes >/dev/full 2>err
    [ $? = 1 ] && grep -q '^steady.*: ' err
    tell "results that cannot be written: exit 1" $?
fi

# ---- what a log shows on the way ----

"$STEADY" train small.ini train.steps=60 train.eval_every=30 --out first --no-report 2>first.err
"$STEADY" train small.ini train.steps=60 train.eval_every=30 --out second --no-report 2>second.err
shown() { sed -n 's/^\(step [0-9]*\).*/\1/p' "$1"; }
shown first.err >a && shown second.err | cmp - a && [ "$(wc -l <a)" -ge 20 ]
tell "redirected, the same steps have a line in every run" $?
grep -q '^step 40/60  epoch 20.00  loss [0-9.]*  [0-9.]* examples/s  [0-9]* s left  lowest site entropy [0-9]*% ' first.err &&
    grep -q '^step 20/60  .*  over [0-9]* s left  ' first.err
tell "rates have units; the time left is a lower limit until an evaluation was measured" $?

# ---- the best score and the best checkpoint, which another score may choose ----

best="small.ini train.eval_every=1 train.log_every=12"
step_of() { # least|most KEY: in eval.jsonl, the first of equal ones
    sed 's/.*"step":\([0-9]*\),.*"'"$2"'":\([0-9.]*\).*/\1 \2/' by-loss/eval.jsonl |
        awk -v less="$1" '{ x = less == "least" ? -$2 : $2 } NR == 1 || x > top { top = x; at = $1 } END { print at }'
}
"$STEADY" train $best train.best=loss --out by-loss 2>by-loss.err
chosen=$(step_of least loss) words=
[ "$chosen" != "$(step_of most top1)" ] && words="; best.safetensors: step $chosen (top-1 [0-9.]* %), chosen by loss"
grep -q "^score: test top-1 [^(]* at step [0-9]*$words\$" by-loss.err &&
    "$STEADY" eval by-loss --checkpoint best 2>/dev/null | grep -q "\"step\":$chosen,"
tell "the last lines name the step of the best checkpoint where another score chose it" $?
[ -z "$words" ] || grep -q "(test, step .*; best.safetensors: step $chosen (top-1 [0-9.]*%), chosen by loss)" by-loss/report.html
tell "so does the report" $?
rm by-loss/checkpoints/best.safetensors
"$STEADY" report by-loss -o bare.html 2>/dev/null >&2 && grep -q 'Best score' bare.html &&
    ! grep -q 'best.safetensors' bare.html
tell "without the file the report names none" $?
train $best train.best=top1 --out by-top1 && grep -q '^score: test top-1 [^(;]*\(; best[^(;]*\)*$' err
tell "the same step needs no further word" $?
