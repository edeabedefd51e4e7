# Read by the shell tests that train with several ranks, before they leave the top directory.

export OMP_NUM_THREADS=1
# Of a sanitized program: MPI's leaks are known by their frames, which are found slowly or not at all.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}fast_unwind_on_malloc=0"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
with_mpi=no more_than_cores=
if grep -q '^HAVE_MPI = yes' config.mk && command -v mpirun >/dev/null; then
    with_mpi=yes
    # Open MPI wants to be told that there may be more ranks than cores; MPICH does not know the word.
    mpirun --version 2>&1 | grep -q 'Open MPI' && more_than_cores=--oversubscribe
fi

need_mpi() { # ends the test where there is none
    [ $with_mpi = yes ] && return
    echo "skip several ranks: built without MPI, or there is no mpirun"
    exit
}

ranks() { # N WORDS...: train with N processes
    count=$1
    shift
    mpirun $more_than_cores -n "$count" "$STEADY" train "$@" --no-report 2>err </dev/null
}

# The numbers of a log; rank 0 lists the worst transcripts of its own part.
numbers() { # RUN LOG
    timeless "$1/$2.jsonl" | sed 's/"signature":"[^"]*"//; s/,"worst".*//' | tr ',:[]{}' '\n' |
        grep -E '^(-?[0-9.]+(e[-+]?[0-9]+)?|null)$'
}
same_numbers() { # RUN RUN: none further off than 1e-5 of itself
    for log in train eval; do
        numbers "$1" $log >first && numbers "$2" $log >second && [ -s first ] || return 1
        paste first second | awk -v log_name="$1 $2 $log" '
            function off(a, b) { return (a > b ? a - b : b - a) > 1e-5 * (a < 0 ? -a : a) }
            NF != 2 || off($1, $2) { print log_name, $1, $2; bad = 1 }
            END { exit bad }' || return 1
    done
}

# The keys that each site of attention saw in each row, padding included: the most of any rank.
same_keys() { # RUN RUN
    for run in "$1" "$2"; do
        grep -o '"keys":[0-9]*' "$run/probe.jsonl" >"$run.keys"
    done
    cmp "$1.keys" "$2.keys"
}

# small.ini with these words, by one process and by several.
together() { # NAME RANKS WORDS...
    name=$1 count=$2
    shift 2
    rm -rf one many
    train small.ini "$@" --out one && ranks "$count" small.ini "$@" --out many &&
        same_numbers one many && same_keys one many
    tell "$name" $?
}
