# train.precision: what is refused, chosen, said and kept, with bf16 instructions and without.

. test/tell.sh
. test/ranks.sh
cd "$TMP" || exit 1
unset OPENBLAS_CORETYPE ONEDNN_MAX_CPU_ISA DNNL_MAX_CPU_ISA STEADY_BF16
export OMP_NUM_THREADS=1
STEADY64=${STEADY}64

cat >small.ini <<'END_RECIPE'
[data]
source = glyphs
synthetic_count = 80
image_size = 16
[model]
width = 32
depth = 2
heads = 2
patch = 4
reparam = sigma
[optim]
lr = 0.003
[train]
steps = 12
batch = 8
checkpoint_every = 6
[guard]
exit = ok
END_RECIPE

train() { "$STEADY" train "$@" --no-report 2>err; }
# Why there are none: the switch, or a processor without.
none='[^;]*\(STEADY_BF16=off disables them\| has no bf16 instructions\|without the bf16 instructions of this processor\)'
off() { STEADY_BF16=off "$STEADY" "$@" 2>err; }
checkpoint() { echo "$1/checkpoints/step-000000$2.safetensors"; }
losses() { grep -o '"loss": *[0-9.]*' "$1/train.jsonl"; }

# ---- without bf16 instructions, as the switch has it ----

off train small.ini train.precision=bf16 --out none
[ $? = 2 ] && [ ! -e none ] &&
    grep -q "train.precision = bf16: .*: $none; use train.precision=auto or fp32.*--force" err
tell "bf16 is refused where there are no instructions for it, with the reason and the way out" $?

off train small.ini intervene.at=6 intervene.train.precision=bf16 --out none
[ $? = 2 ] && [ ! -e none ] && grep -q 'with intervene.at: train.precision = bf16' err
tell "and so is an intervention that comes to it" $?

off train small.ini train.precision=auto --out auto32 --no-report &&
    [ "$(grep -c "train.precision = auto: fp32; no fast bf16 products here: $none" err)" = 1 ]
tell "auto trains fp32 there and says why, in one line" $?

train small.ini --out fp32 && losses fp32 >a && losses auto32 >b && cmp a b
tell "to the bit as fp32 does" $?
! grep -q precision fp32/train.jsonl && ! grep -aq '"precision":' "$(checkpoint fp32 12)"
tell "a run in fp32 leaves no trace of the key in its logs and checkpoints" $?

off train small.ini train.precision=bf16 --force --out plain --no-report &&
    grep -q "train.precision = bf16: plain loops, slower than fp32: $none" err &&
    [ "$(grep -c '"precision": *"bf16"' plain/train.jsonl)" = 12 ]
tell "--force trains by plain loops and says that they are slower; rows say bf16" $?

"$STEADY64" train small.ini train.precision=bf16 --force --out none 2>err
[ $? = 2 ] && grep -q 'steady64 computes in double; train with steady' err
tell "steady64 refuses bf16, forced or not" $?

while read -r name value why; do
    env "$name=$value" "$STEADY" train small.ini train.precision=bf16 --out none 2>err
    [ $? = 2 ] && grep -Eq "$why" err
    tell "$name=$value disables them" $?
done <<'END'
STEADY_BF16 off disables|has.no.bf16|without
ONEDNN_MAX_CPU_ISA AVX2 disables|has.no.bf16|without
DNNL_MAX_CPU_ISA AVX512_CORE disables|has.no.bf16|without
OPENBLAS_CORETYPE Haswell disables|has.no.bf16|without
END

# ---- a resume needs what its next steps need, not what is over ----

off train small.ini train.precision=bf16 --force intervene.at=1e intervene.train.precision=fp32 --out over --no-report
off train --resume over train.steps=14 --no-report && ! grep -q 'plain loops' err &&
    ! tail -2 over/train.jsonl | grep -q precision
tell "a run that an intervention took to fp32 resumes without instructions for bf16" $?
off train small.ini train.precision=bf16 --force intervene.at=12 intervene.train.precision=fp32 --out due --no-report
off train --resume due train.steps=14 --no-report && tail -2 due/train.jsonl | grep -q '"loss"' &&
    ! tail -2 due/train.jsonl | grep -q precision
tell "so does one whose intervention is due at the checkpoint's step" $?
off train small.ini intervene.at=6 intervene.train.precision=bf16 --force --out into --no-report
off train --resume into train.steps=14
[ $? = 2 ] && grep -q "no fast bf16 products here: $none; intervene.at has set it; to go on in fp32 use a free number N: \
intervene.atN=12 intervene.train.precisionN=fp32, or --force" err
tell "one that an intervention took to bf16 is refused, with the words that help" $?
off train --resume into train.steps=14 intervene.at2=12 intervene.train.precision2=fp32 --no-report &&
    grep -q 'step 12: intervention: train.precision changed from bf16 to fp32' err
tell "they do" $?
off train --resume over train.steps=16 intervene.at2=15 intervene.train.precision2=bf16
[ $? = 2 ] && grep -q 'with intervene.at2: train.precision = bf16' err
tell "and an intervention that is still to come is refused as at the start" $?

# ---- variables that say something else than they can ----

while read -r name value why; do
    env "$name=$value" "$STEADY" train small.ini --out none 2>err
    [ $? = 2 ] && [ ! -e none ] && grep -Eq "$name = $value: $why" err
    tell "$name=$value is refused" $?
done <<'END'
STEADY_BF16 on expected.off
STEADY_BF16 0 expected.off
STEADY_LEVEL avx no.kernels.of.that.name;.choose.one.of:.baseline
STEADY_LEVEL AVX2 no.kernels.of.that.name
END

STEADY_BF16='' STEADY_LEVEL=baseline "$STEADY" train small.ini train.steps=2 --no-report --out level >/dev/null 2>err
tell "an empty STEADY_BF16 is none, and the baseline's kernels train" $?

# ---- a run in bf16, wherever this is: by instructions or by plain loops ----

run() { "$STEADY" train "$@" --force --no-report 2>err; }
run small.ini train.precision=bf16 --out run && grep -aq '"precision":"bf16"' "$(checkpoint run 12)" &&
    ! grep -aq '"dtype":"BF16"' "$(checkpoint run 12)"
tell "a checkpoint says that it was trained in bf16, and stays fp32" $?

run small.ini train.precision=bf16 train.steps=10 --out cut && run --resume cut train.steps=12 &&
    cmp "$(checkpoint run 12)" "$(checkpoint cut 12)"
tell "resume is exact to the bit within bf16" $?

run small.ini train.precision=bf16 train.steps=6 --out changed && run --resume changed train.steps=12 train.precision=fp32 &&
    grep -q 'train.precision changed from bf16 to fp32' err &&
    grep -q '"event": *"resume", *"text": *"[^"]*train.precision changed from bf16 to fp32' changed/train.jsonl &&
    [ "$(grep -c '"precision": *"bf16"' changed/train.jsonl)" = 6 ]
tell "another precision at a resume is said, and a row" $?

"$STEADY" train --resume changed train.steps=13 2>err && grep -q '^verdict: .* Products in bf16 in 6 of 13 logged steps\.' err &&
    grep -q '<tr><th scope=row>products<td>bf16 in 6 of 13 logged steps' changed/report.html
tell "verdict and report say how many steps were in bf16" $?

"$STEADY" probe run --sharpness --sample 8 >out 2>err
grep -q 'without ARPACK' err || [ "$(grep -c 'computed in double; the weights were trained in bf16' err)" = 1 ]
tell "sharpness of a run in bf16 is computed in double, which is said" $?

off eval run >out && [ "$(grep -c 'computed in fp32, although the weights were trained in bf16' err)" = 1 ]
tell "without instructions eval of it computes in fp32 and says so" $?
off eval run train.precision=bf16 >out
[ $? = 2 ]
tell "but does not where a word asks for bf16" $?
"$STEADY" eval run train.precision=fp32 >a 2>err && off eval run train.precision=fp32 >b && [ ! -s err ] && cmp a b
tell "a word asks for fp32" $?

while read -r value pattern; do
    "$STEADY" train small.ini train.precision=bf16 "train.bf16_keep=$value" --out none 2>err
    [ $? = 2 ] && grep -q "$pattern" err
    tell "train.bf16_keep=$value is refused" $?
done <<'END'
mlp mlp.is.unknown
none,attention cannot.be.combined
, is.empty
END
train small.ini train.bf16_keep=attention train.steps=1 --out kept
grep -q 'train.bf16_keep has no effect: it needs train.precision = bf16' err
tell "train.bf16_keep without bf16 has no effect, and is noted" $?

"$STEADY" train small.ini intervene.at=6 intervene.train.precision=auto --out none 2>err
[ $? = 2 ] && grep -q 'train.precision = auto is resolved when a run begins' err
tell "auto is no intervention" $?

off bench steps --model glyphs train.precision=bf16 --repeat 1 >out
[ $? = 2 ]
tell "the bench refuses as training does" $?
off sweep small.ini train.precision=fp32,bf16 --out none >out
[ $? = 2 ] && [ ! -e none ] && grep -q "train.precision = bf16: .*: $none" err
tell "and so does a sweep, before any run" $?
off sweep small.ini train.precision=fp32,bf16 train.steps=2 --force --out swept >out && [ -s swept/sweep.csv ]
tell "unless forced" $?
"$STEADY" bench kernels steps --model small --seconds 0.001 --repeat 1 --json train.precision=bf16 --force >out 2>err &&
    grep '"level":"kernel"' out | grep -q '"name":"fc1 dW".*"precision":"bf16"' &&
    grep -q '"name":"LayerNorm forward".*"precision":"fp32"' out &&
    grep -q '"level":"step".*"precision":"bf16"' out
tell "the bench says which of its rows are in bf16" $?
off doctor >out && grep -q "^bf16 *no fast bf16 products: $none" out
tell "doctor says that there are none, and why" $?

# ---- with instructions ----

if ! "$STEADY" train small.ini train.precision=bf16 train.steps=1 --out fast --no-report 2>err; then
    echo "skip what needs bf16 instructions: $(tail -1 err)"
    exit 0
fi

"$STEADY" doctor >out && grep -q '^bf16 *[0-9]* GFLOP/s' out && ls "$XDG_CACHE_HOME"/steady/bf16-rate-1 >/dev/null
tell "doctor measures the product in bf16 and stores its rate" $?

train small.ini train.precision=auto train.steps=6 --out auto &&
    [ "$(grep -c 'train.precision = auto: [bf]*[p136]*2*6*: a product of 1024 x 32 x 128 is [0-9.]* times as fast in bf16' err)" = 1 ]
tell "auto says what it takes and why" $?
took=$(grep -ao '"precision":"[a-z0-9]*"' "$(checkpoint auto 06)")
train --resume auto train.steps=12 && grep -q 'train.precision = auto: .*, as before the checkpoint' err &&
    [ "$took" = "$(grep -ao '"precision":"[a-z0-9]*"' "$(checkpoint auto 12)")" ]
tell "a resume keeps what auto took" $?

train small.ini train.precision=bf16 train.steps=6 --out lost && sed -i 's/^precision = bf16/precision = auto/' lost/recipe.ini
train --resume lost train.steps=8 && STEADY_BF16=off "$STEADY" train --resume lost train.steps=10 --no-report 2>err &&
    grep -q '"text": *"[^"]*train.precision = auto changed from bf16 to fp32' lost/train.jsonl
tell "auto that has lost its instructions at a resume trains fp32, with a row" $?

# ---- several ranks ----

need_mpi
pair() { # NAME=VALUE WORDS...: rank 0 as it is, rank 1 with a variable
    variable=$1
    shift
    mpirun $more_than_cores -n 1 "$STEADY" train "$@" --no-report : \
        -n 1 env "$variable" "$STEADY" train "$@" --no-report 2>err </dev/null
}

pair STEADY_BF16=off small.ini train.precision=auto --out ranks &&
    [ "$(grep -c 'train.precision = auto: fp32, because 1 of 2 ranks have no fast bf16 products' err)" = 1 ] &&
    ! grep -q '"precision"' ranks/train.jsonl
tell "auto is fp32 where a rank has no instructions" $?
pair STEADY_BF16=off small.ini train.precision=bf16 --out none
[ ! -e none ] && grep -q 'steady train: .*train.precision = bf16: .*STEADY_BF16=off disables them' err
tell "and bf16 is refused" $?
pair STEADY_BF16=off small.ini train.precision=bf16 --force --out ranks-forced &&
    losses ranks-forced | cut -d: -f2 >a && losses run | cut -d: -f2 >b &&
    paste a b | awk '{ d = $1 > $2 ? $1 - $2 : $2 - $1; if (d > 1e-2) bad = 1 } END { exit bad || NR != 12 }'
tell "unless forced: then they train what one process trains, to rounding" $?
