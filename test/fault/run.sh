#!/bin/sh
# Fails the N-th system call, and the N-th allocation, of short commands, for every N.
#
#     sh test/fault/run.sh                                   all; some hours
#     sh test/fault/run.sh -e 20 -t pictures -c "train eval" each twentieth
#     sh test/fault/run.sh -k memory -j 2                    allocations alone, two at a time
#
# -e STRIDE  -s START (first N)  -k "calls memory"  -t "pictures text pairs speech"
# -c "train resume eval predict export plot sweep"  -j JOBS
#
# What is wanted of each fault: the command succeeds, or ends with one of its exit codes and a
# line on stderr; it does not crash, stop at a CHECK or hang.  What was saved before stays: the run
# can be resumed, and then has the losses of a run without a fault.  A line a command:
# `ok pictures-train: 312 faults` or `FAIL ...` for each N that went wrong.
#
# System calls need strace; allocations need a C compiler for test/fault/allocations.c.
stride=1 start=1 kinds="calls memory" tasks="pictures text pairs speech" jobs=1
commands="train resume eval predict export plot sweep"
while getopts e:s:k:t:c:j: option; do
    case $option in
    e) stride=$OPTARG ;; s) start=$OPTARG ;; k) kinds=$OPTARG ;; t) tasks=$OPTARG ;;
    c) commands=$OPTARG ;; j) jobs=$OPTARG ;;
    *) sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    esac
done
top=$PWD
. test/fault/small.sh

# Calls that can fail on a disk, in a folder or for want of memory, and how they do.
CALLS="openat:EMFILE read:EIO pread64:EIO write:ENOSPC writev:ENOSPC pwrite64:ENOSPC
fsync:EIO fdatasync:EIO rename:EIO renameat:EIO mkdir:ENOSPC close:EIO ftruncate:EIO
unlink:EACCES newfstatat:EIO getdents64:EIO lseek:EIO flock:EINTR mmap:ENOMEM
clone3:EAGAIN"

# ---- the runs ----

words_for() { # TASK COMMAND -> the command line, in a folder with a finished run `r`
    case $2 in
    train) echo train $(words_of $1) train.steps=8 --out new ;;
    resume) echo train --resume half train.steps=8 ;;
    eval) echo eval r ;;
    predict)
        case $1 in
        pictures) echo predict r "$work/p.png" ;; text) echo predict r --prompt a --tokens 4 ;;
        pairs) echo predict r "$work/in.txt" ;; speech) echo predict r "$work/in.wav" ;;
        esac ;;
    export) echo export r -o out.safetensors ;;
    plot) echo plot r -o out.png ;;
    sweep) echo sweep $(words_of $1) train.steps=4 train.checkpoint_every=0 \
        optim.lr=0.001,0.002 --jobs 1 --out swept ;;
    esac
}

# A folder per task with what the commands need; $work/TASK/{r,half}.
prepare() { # TASK
    mkdir "$work/$1" && cd "$work/$1" || exit 1
    "$steady" train $(words_of $1) train.steps=8 --out r >log 2>&1 &&
        "$steady" train $(words_of $1) train.steps=4 --out half >>log 2>&1 ||
        { tail -n 5 log; exit 1; }
    sed 's/,"items_per_s":.*}/}/' r/train.jsonl >want
    cd "$top" || exit 1
}

cp "$top/test/fuzz/corpus/picture/l.png" "$work/p.png"
echo sieben >"$work/in.txt"
. "$top/test/wav.sh"
speak "$work/in.wav" 8000 10 16

# ---- one fault ----

# In a folder of its own: the command with the fault, then what can be asked of what is left.
cat >"$work/one.sh" <<'ONE'
name=$1 task=$2 command=$3 how=$4 n=$5
dir=$work/try-$name-$(echo "$how" | tr -c 'a-zA-Z0-9\n' _)-$n
cp -r "$work/$task" "$dir" && cd "$dir" || exit 1
case $how in
memory) run="env LD_PRELOAD=$work/allocations.so STEADY_FAULT=$n" ;;
*) run="strace -f --seccomp-bpf -qqq -o /dev/null -e trace=${how%:*}
    -e inject=${how%:*}:error=${how#*:}:when=$n" ;;
esac
timeout -k 2 60 $run "$steady" $(cat "$work/$name.words") >out 2>err </dev/null
code=$?
complain() {
    echo "FAIL $name $how $n: $1 (exit $code): $(tail -n 1 err | cut -c1-160)" >>"$work/failed"
}
case $code in
0 | 1 | 2 | 3 | 4 | 5 | 75) ;;
124 | 137) complain "hangs" ;;
*) complain "exit code" ;;
esac
grep -q "steady: bug at" err && complain "a CHECK failed"
[ $code = 0 ] || [ -s err ] || complain "no word on stderr"
# Resuming works, and gives the losses of a run without a fault.
case $command in train) left=new ;; resume) left=half ;; *) left= ;; esac
if [ -n "$left" ] && [ -f $left/recipe.ini ]; then
    timeout 60 "$steady" train --resume $left train.steps=8 >out 2>err2 </dev/null
    code=$?
    if [ $code != 0 ]; then cat err2 >>err; complain "does not resume"
    else
        grep -v '"event"' $left/train.jsonl | sed 's/,"items_per_s":.*}/}/' |
            cmp -s - want || complain "other losses after resume"
    fi
elif [ "$command" = resume ]; then
    complain "recipe.ini is gone"
fi
rm -rf "$dir"
ONE

# How often all threads of a command make a call.
count_calls() { # CALL WORD...
    call=$1
    shift
    strace -f --seccomp-bpf -qqq -o "$work/trace" -e trace="$call" "$steady" "$@" \
        >/dev/null 2>&1
    grep -cE "^([0-9]+ +)?$call\(" "$work/trace"
}

count_memory() { # NAME
    LD_PRELOAD="$work/allocations.so" STEADY_FAULT_COUNT="$work/count" "$steady" \
        $(cat "$work/$1.words") >/dev/null 2>&1
    cat "$work/count"
}

: >"$work/failed"
status=0

# Numbers after the first $4, which belong to the loading of libraries: from $start on, by $stride.
try() { # TASK COMMAND HOW BEFORE COUNT
    seq $(($4 + start)) "$stride" "$5" | tee -a "$work/tried" |
        xargs -r -P "$jobs" -n 1 sh "$work/one.sh" "$1-$2" "$1" "$2" "$3"
}

for task in $tasks; do
    prepare "$task"
    for command in $commands; do
        name=$task-$command
        words_for "$task" "$command" >"$work/$name.words"
        : >"$work/tried"
        for kind in $kinds; do
            if [ "$kind" = memory ]; then
                [ -f "$work/allocations.so" ] || ${CC:-cc} -shared -fPIC -O1 -o \
                    "$work/allocations.so" "$top/test/fault/allocations.c" || exit 1
                cp -r "$work/$task" "$work/counting" && cd "$work/counting" || exit 1
                count=$(count_memory "$name")
                cd "$top" && rm -rf "$work/counting"
                try "$task" "$command" memory 0 "$count"
            elif command -v strace >/dev/null; then
                for call in $CALLS; do
                    cp -r "$work/$task" "$work/counting" && cd "$work/counting" || exit 1
                    before=$(count_calls "${call%:*}" -h)
                    count=$(count_calls "${call%:*}" $(cat "$work/$name.words"))
                    cd "$top" && rm -rf "$work/counting"
                    try "$task" "$command" "$call" "$before" "$count"
                done
            else
                echo "skip $name: strace is not there"
            fi
        done
        if [ -s "$work/failed" ]; then
            cat "$work/failed"
            : >"$work/failed"
            status=1
        else
            echo "ok $name: $(wc -l <"$work/tried") faults"
        fi
    done
done
exit $status
