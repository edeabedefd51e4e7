# A save that fails ends the run with exit 1 and one clear line; what was saved before is whole.

. test/tell.sh
cd "$TMP" || exit 1
export OMP_NUM_THREADS=1

cat >small.ini <<'END_RECIPE'
[data]
source = glyphs
synthetic_count = 64
image_size = 16
[model]
width = 20
depth = 1
heads = 2
patch = 4
[train]
steps = 20
batch = 8
eval_every = 5
checkpoint_every = 5
[probe]
every = 1
[optim]
name = sgd
[guard]
exit = ok
END_RECIPE


"$STEADY" train small.ini --out whole --no-report 2>err
"$STEADY" train small.ini train.steps=40 --out long --no-report 2>err
bytes=$(wc -c <whole/checkpoints/step-00000020.safetensors)

sum() { cksum "$1"/recipe.ini "$1"/task.json "$1"/*.jsonl "$1"/checkpoints/*; }

# Is the last checkpoint good, and does the run go on to what it would have been?
goes_on() { # RUN WHOLE STEPS
    file=checkpoints/step-000000$3.safetensors
    "$STEADY" eval "$1" >out 2>&1 && train --resume "$1" train.steps="$3" &&
        cmp "$1/$file" "$2/$file" && cmp "$1/probe.jsonl" "$2/probe.jsonl" &&
        [ -z "$(find "$1" -name '*.tmp' -o -name '*.new')" ]
}

# ---- a limit on the size of files: writes fail with "File too large" ----

# The command's messages and then its exit status go into `err`, which has no limit.
limited() { # BYTES COMMAND...
    blocks=$(($1 / 512))
    shift
    { (ulimit -f $blocks && "$STEADY" "$@"); echo $?; } 2>&1 | cat >err
    status=$(tail -n 1 err)
}

train small.ini train.steps=10 --out short
sum short >before
limited $((bytes * 4 / 5)) train --resume short train.steps=20 --no-report
[ "$status" = 1 ] && [ "$(grep -c '^steady train: ' err)" = 1 ] &&
    grep -q 'step-00000015.safetensors: cannot be written .*File too large; nothing was changed' err
tell "a checkpoint that does not fit: exit 1 and a line that says which file and why" $?

sum short | grep checkpoints/ >after
grep checkpoints/ before | cmp - after
tell "the checkpoints before it are as they were" $?

goes_on short whole 20
tell "with room again the run goes on as if nothing had been" $?

limited $((bytes * 5 / 4)) train small.ini train.steps=40 --out logs
[ "$status" = 1 ] && grep -q '^steady train: logs/probe.jsonl: cannot be written: File too large' err
tell "a log that does not fit: exit 1 and a line that says which file and why" $?

[ -n "$(tail -c 1 logs/probe.jsonl)" ] && goes_on logs long 40
tell "the half-written line is taken back when the run goes on" $?

limited 512 export whole -o small.safetensors
[ "$status" = 1 ] && grep -q 'small.safetensors: cannot be written.*File too large' err &&
    [ ! -e small.safetensors ] && [ ! -e small.safetensors.tmp ]
tell "an export that does not fit leaves no file" $?

echo mine >small.safetensors.tmp && echo mine >small.svg.new
limited 512 export whole -o small.safetensors
"$STEADY" plot whole -o small.svg && "$STEADY" plot whole -o small.svg &&
    cksum small.svg >before && limited 512 plot whole -o small.svg
[ "$status" = 1 ] && cksum small.svg | cmp - before && [ ! -e small.safetensors ] &&
    [ "$(cat small.safetensors.tmp small.svg.new | uniq -c | tr -d ' ')" = 2mine ] &&
    [ -z "$(ls small.*.2 2>/dev/null)" ]
tell "what an output was before stays, and so do files with the name of a draft" $?

last=whole/checkpoints/step-00000020.safetensors
cksum $last >before
"$STEADY" export whole -o $last 2>err
[ $? = 2 ] && grep -q 'is a checkpoint of a run' err && cksum $last | cmp - before
tell "an export does not take the place of a checkpoint" $?

limited 0 train small.ini --out nothing
[ "$status" = 1 ] && [ "$(grep -c '^steady' err)" = 1 ] && [ ! -e nothing ]
tell "a folder in which nothing can be written leaves nothing" $?

sum whole >before
limited 0 train --resume whole train.steps=21
[ "$status" = 1 ] && sum whole | cmp - before
tell "resume where nothing can be written leaves the recipe whole" $?

# ---- output ----

if [ ! -c /dev/full ]; then
    echo "skip output on a full disk: no /dev/full"
else
    lost() { # NAME COMMAND...: exit 1 and one line that says so
        name=$1
        shift
        "$STEADY" "$@" >/dev/full 2>err
        [ $? = 1 ] && [ "$(grep -c '^steady.*: the output cannot be written: No space left' err)" = 1 ]
        tell "$name notices that its output is lost" $?
    }
    lost "the list of recipes" recipes
    lost "a recipe" recipes demo
    lost "the version" --version
    lost "the list of commands" help
    for command in train eval predict sweep plot export doctor bench recipes; do
        lost "steady $command -h" $command -h
    done
    lost "the list of keys" train --help-keys
    lost "eval" eval whole
    lost "predict" predict whole --limit 3
    lost "predict with numbers" predict whole --limit 3 --logits
    lost "a dry run" sweep small.ini optim.lr=0.1,0.2 --out dry --dry-run
    lost "the table of a sweep" sweep small.ini train.steps=2 train.seed=0,1 --out swept
    lost "doctor" doctor --json
    lost "bench" bench --model cifar-vit --batch 2 --threads 1 --repeat 1 --seconds 0 ops \
        data.image_size=16 model.width=32 model.heads=2 model.depth=1 --json

    "$STEADY" train numbers-post model.width=16 model.depth=1 model.heads=2 data.synthetic_count=100 \
        train.batch=8 train.epochs=0 train.steps=1 schedule.warmup_steps=0 --out pairs --no-report 2>err
    # More text than there is time for.
    yes 'one two three' |
        timeout 50 "$STEADY" predict pairs --beam 1 >/dev/full 2>err
    tell "translating ends when its output is lost" $((! $? == 1))
    (exec 2>/dev/full && "$STEADY" train small.ini --out deaf --no-report)
    tell "messages that are lost do not stop a run" $?
fi

for command in recipes "eval whole" "predict whole --limit 3"; do
    # shellcheck disable=SC2086
    "$STEADY" $command >&- 2>err
    [ $? = 1 ] && grep -q 'the output cannot be written: Bad file descriptor' err
    tell "steady ${command%% *} notices that its output is closed" $?
done

for ignored in 0 1; do
    # shellcheck disable=SC2064
    first=$([ $ignored = 0 ] || trap '' PIPE; "$STEADY" train --help-keys 2>err | head -n 1)
    [ "${first%% *}" = Keys ] && [ ! -s err ]
    tell "what is read in part only ends quietly (SIGPIPE ignored: $ignored)" $?
done

"$STEADY" train small.ini --out closed --no-report <&- >&- 2>&- && cmp closed/probe.jsonl whole/probe.jsonl
tell "messages do not go into the logs when stderr is closed" $?

# ---- a file system that is full ----

mkdir disk
if ! mount -t tmpfs -o size=1m none disk 2>/dev/null; then
    echo "skip a full file system: mounting is not permitted"
else
    trap 'umount disk' EXIT
    train small.ini train.steps=10 --out disk/run
    head -c 12000 /dev/zero >disk/spare
    head -c $((1 << 20)) /dev/zero >disk/filler 2>/dev/null
    train --resume disk/run train.steps=20
    [ $? = 1 ] && grep -q '^steady train: disk/run/.*No space left on device' err
    tell "no space to begin with: exit 1 and a line that says so" $?
    rm disk/spare
    train --resume disk/run train.steps=20
    [ $? = 1 ] && grep -q '^steady train: disk/run/.*No space left on device' err
    tell "no space for a checkpoint: exit 1 and a line that says so" $?
    ! grep -q '^verdict\|^next: ' err && grep -q '^stopped by this error at step [0-9]*; once its cause is removed, to resume from step 10: ' err
    tell "what an error stopped is not judged; the last line says how it is resumed" $?
    rm disk/filler
    goes_on disk/run whole 20
    tell "with space again the run goes on" $?

    mount -o remount,ro disk
    train --resume disk/run train.steps=30
    [ $? = 1 ] && grep -q '^steady train: .*disk/run/.*Read-only file system' err &&
        "$STEADY" eval disk/run >out && "$STEADY" predict disk/run --limit 1 >out
    tell "a read-only run can be used, and training it is refused clearly" $?
fi
