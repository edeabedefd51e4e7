#!/bin/sh
# Kills training runs at random moments and resumes them until they are done.
#
#     sh test/fault/kill.sh            20 kills
#     sh test/fault/kill.sh 500 2      500 kills, two runs at a time
#
# Over all tasks in turn, one with interventions and sharpness, with SIGKILL three times in four and SIGTERM else.  A finished run has
# the weights and the logs of one that was left alone, bit for bit; a line a task.
kills=${1:-20} jobs=${2:-1}
top=$PWD
. test/fault/small.sh
tasks="pictures text pairs speech changes"

# Forty steps, a checkpoint at every third: most moments lie between a step and its checkpoint.
words() { echo $(words_of "$1") train.steps=40 train.checkpoint_every=3 train.eval_every=7; }

same() { # RUN RUN
    for file in step-00000040 best; do
        cmp "$1/checkpoints/$file.safetensors" "$2/checkpoints/$file.safetensors" || return 1
    done
    for log in train probe eval; do
        for run in "$1" "$2"; do
            sed 's/,"items_per_s":.*}/}/; /"sharpness":/d' $run/$log.jsonl >$run.$log
            grep '"sharpness":' $run/$log.jsonl | sort >>$run.$log # they come when they are known
        done
        cmp "$1.$log" "$2.$log" || return 1
    done
}

cat >"$work/one.sh" <<'ONE'
n=$1 task=$2
dir=$work/$task
run=$dir/run-$n
sent=0
# 143: SIGTERM before the program had begun to listen.
while [ $sent -lt 3 ]; do
    if [ -f "$run/recipe.ini" ]; then set -- train --resume "$run"
    else rm -rf "$run"; set -- train $(cat "$dir/words") --out "$run"; fi
    "$steady" "$@" --no-report >"$run.out" 2>&1 </dev/null & pid=$!
    sleep "$(awk -v seed="$n$sent" 'BEGIN { srand(seed); print 0.02 + rand() * 0.5 }')"
    signal=KILL
    [ $(((n + sent) % 4)) = 3 ] && signal=TERM
    kill -$signal $pid 2>/dev/null && echo $n >>"$work/kills"
    wait $pid
    code=$?
    sent=$((sent + 1))
    case $code in 137 | 143 | 75) ;; 0) break ;; *)
        echo "FAIL $task $n: exit $code: $(tail -n 1 "$run.out")" >>"$work/failed"; exit ;;
    esac
done
if [ -f "$run/recipe.ini" ]; then set -- train --resume "$run"
else rm -rf "$run"; set -- train $(cat "$dir/words") --out "$run"; fi
"$steady" "$@" --no-report >"$run.out" 2>&1 </dev/null ||
    echo "FAIL $task $n: does not resume: $(tail -n 1 "$run.out")" >>"$work/failed"
ONE

: >"$work/failed"; : >"$work/kills"
for task in $tasks; do
    mkdir "$work/$task"
    words $task >"$work/$task/words"
    "$steady" train $(words $task) --out "$work/$task/alone" --no-report >"$work/log" 2>&1 ||
        { tail -n 5 "$work/log"; exit 1; }
done
n=0
while [ "$(wc -l <"$work/kills")" -lt "$kills" ]; do
    # A round: each task as often as there are jobs.
    for task in $tasks; do
        for job in $(seq "$jobs"); do n=$((n + 1)); echo $n $task; done
    done >"$work/round"
    xargs -P "$jobs" -n 2 sh "$work/one.sh" <"$work/round" 2>/dev/null
    while read -r number task; do
        same "$work/$task/alone" "$work/$task/run-$number" >"$work/log" 2>&1 ||
            echo "FAIL $task $number: $(tail -n 1 "$work/log")" >>"$work/failed"
        rm -rf "$work/$task/run-$number"*
    done <"$work/round"
    [ -s "$work/failed" ] && break
done
if [ -s "$work/failed" ]; then cat "$work/failed"; exit 1; fi
echo "ok kill: $(wc -l <"$work/kills") kills, 0 differences"
