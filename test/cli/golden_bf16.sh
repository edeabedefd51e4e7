# The first ten losses of golden trajectories in bf16 are those in fp32, to 1e-2: all kinds of task,
# norms, reparametrisations; by the processor's instructions, or plain loops, and two by plain loops.

. test/tell.sh
unset OPENBLAS_CORETYPE ONEDNN_MAX_CPU_ISA DNNL_MAX_CPU_ISA STEADY_BF16
export OMP_NUM_THREADS=1

# The recipes name files from the top directory.
run() { # CASE OUT WORDS...
    recipe=test/golden/$1.ini out=$TMP/$2
    shift 2
    "$STEADY" train "$recipe" "$@" probe.every=0 guard.exit=ok --out "$out" --no-report 2>"$TMP/err" || return 1
    grep -o '"loss": *[-0-9.e]*' "$out/train.jsonl" | grep -o '[-0-9.e]*$' >"$out.losses"
}

# As many losses in both, none further off than 1e-2 (of itself, where it is above 1), and some apart.
near() { # OUT OUT MUST_DIFFER
    paste "$TMP/$1.losses" "$TMP/$2.losses" | awk -v must="$3" '
        { d = $1 > $2 ? $1 - $2 : $2 - $1; room = 1e-2 * ($1 > 1 ? $1 : 1); if (d > most) most = d
          if (NF != 2 || !(d <= room)) { print "step " NR ": " $1 " in fp32, " $2 " in bf16"; bad = 1 } }
        END { if (must && !most) { print "the same to the bit"; bad = 1 } exit bad || NR != 10 }'
}

n=0
while read -r name; do
    n=$((n + 1))
    case $name in speech/*) grep -q '^HAVE_SNDFILE = yes' config.mk || continue ;; esac
    run "$name" "fp32-$n" && run "$name" "bf16-$n" train.precision=bf16 --force && near "fp32-$n" "bf16-$n" 1
    tell "$name" $?
    [ $n -le 2 ] || continue
    run "$name" "kept-$n" train.precision=bf16 train.bf16_keep=attention,reparam --force && near "fp32-$n" "kept-$n" 0
    tell "$name, with train.bf16_keep" $?
    STEADY_BF16=off run "$name" "plain-$n" train.precision=bf16 --force && near "bf16-$n" "plain-$n" 0
    tell "$name by plain loops" $?
done <<'END'
vit/cases/pre-sigma
text/cases/mt-pre-sigma
vit/cases/pre-none
vit/cases/post-sigma
vit/cases/lars-sigma
vit/cases/lamb-pre
vit/cases/relu
vit/cases/qkv-separate
vit/cases/temperature
contrast/cases/simclr-sigma
text/cases/lm-pre
text/cases/lm-recompute
text/cases/lm-post-sigma
text/cases/mt-deepnorm
text/cases/mt-tied-all
speech/cases/asr-pre-sigma
speech/cases/asr-post-weight
END
