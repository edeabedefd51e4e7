# steady bench: every level runs, its JSON has the numbers, and wrong words are refused.

. test/tell.sh
cd "$TMP" || exit 1
unset OMP_NUM_THREADS
tiny="--batch 4 --threads 1 --repeat 2 --seconds 0 data.image_size=16 model.width=64 model.heads=2
    model.depth=2"

# A number of the first line that has PATTERN.
number() { # FILE PATTERN KEY
    grep -e "$2" "$1" | head -n 1 | sed -n "s/.*\"$3\":\([-+0-9.e]*\).*/\1/p"
}

between() { # LOW VALUE HIGH
    awk -v low="$1" -v x="$2" -v high="$3" 'BEGIN { exit !(x != "" && x >= low && x <= high) }'
}

near() { # SHARE PART WHOLE
    awk -v share="$1" -v part="$2" -v whole="$3" 'BEGIN {
        d = share * whole - part; exit !(part > 0 && d < part * 1e-5 && -d < part * 1e-5) }'
}

"$STEADY" bench $tiny --model cifar-vit --json >all 2>messages
tell "bench runs kernels, ops and steps" $?
if command -v jq >/dev/null; then
    jq -es 'map(type == "object" and has("level")) | all' all >/dev/null
    tell "every line is a JSON object with its level" $?
else
    echo "skip every line is a JSON object with its level: needs jq"
fi
[ "$(grep -c '"level":"machine"' all)" = 1 ] && between 0.1 "$(number all machine gemm_gflops)" 1e6 &&
    between 0.1 "$(number all machine bandwidth_gbs)" 1e6 && grep -q '"core":"' all
tell "the first line is the machine with kernels, rate and bandwidth" $?
# Rates are measured at another moment than what is a share of them: on a busy machine shares are anything > 0.
good=0
for row in "fc1 forward" "fc1 dx" "fc1 dW" "attention q k^T"; do
    between 1e-9 "$(number all "\"kernel\".*\"$row\"" share)" 1e9 && good=$((good + 1))
done
[ $good = 4 ]
tell "products are a share of GEMM" $?
for row in "softmax and entropy" "LayerNorm backward" "GELU backward" adamw "power iteration, fc1"; do
    between 0.0001 "$(number all "\"kernel\".*\"$row\"" gbs)" 1e6 && good=$((good + 1))
done
[ $good = 9 ]
tell "rows and weights are GB/s" $?
[ "$(grep -c '"level":"op"' all)" = 18 ] && between 0 "$(number all '"attention backward"' ms)" 1e3
tell "nine ops, forward and backward" $?

# 3 forward passes of 2 blocks and the ends: 17 tokens, width 64, patches of 4, 10 classes; the second
# block has keys and values of all tokens, all else of one.
flops=$((3 * 4 * (2 * 64 * 64 * (17 * 12 + 17 * 3 + 9) + 4 * 64 * (17 * 17 + 17) +
    2 * 16 * 48 * 64 + 2 * 64 * 10)))
between "$flops" "$(number all '"step"' flops)" "$flops"
tell "operations of a step are three forward passes" $?
# Per block 12 D^2 weights, 9 D biases and 4 D of norms; patches, 17 + 1 rows, last norm, head.
parameters=$((2 * (12 * 64 * 64 + 13 * 64) + 48 * 64 + 64 + 18 * 64 + 2 * 64 + 64 * 10 + 10))
[ "$(number all '"step"' parameters)" = $parameters ]
tell "parameters are counted" $?
near "$(number all '"step"' share)" "$(number all '"step"' gflops)" "$(number all '"step"' gemm_gflops)" && between 0 "$(number all '"step"' page_faults)" 10 &&
    between 1 "$(number all '"step"' activation_bytes)" 5e7 &&
    between 1 "$(number all '"step"' start_ms)" 60000 && grep -q '"loss":\[[0-9.]*,[0-9.]*\]' all
tell "a step has its share, page faults, memory, start and losses" $?

"$STEADY" bench steps $tiny train.recompute=block model.norm=none model.reparam=sigma \
    optim.name=lamb optim.clip=1 train.ema=0.99 probe.every=1 train.accumulate=2 >text
[ $? = 0 ] && grep -q '^steps of vit-s16: batch 4, ' text && grep -q 'of it .*probes [0-9.]* %' text
tell "recipe keys change model and step; the table names time, rate, phases and memory" $?

losses() { "$STEADY" bench steps $tiny --model cifar-vit --json "$@" | sed -n 's/.*"loss":\(\[[^]]*\]\).*/\1/p'; }
losses >plain && losses model.temperature_at=blocks.1:0.01 >sharp && losses model.temperature=0.01 >sharper &&
    [ -s plain ] && ! cmp -s plain sharp && ! cmp -s sharp sharper &&
    losses model.temperature_at=blocks:0.01 | cmp - sharper
tell "temperatures of some sites are those of the step" $?
"$STEADY" bench steps $tiny --model cifar-vit model.temperature_at=blocks.7:0.1 >out 2>messages
[ $? = 2 ] && grep -q 'temperature_at: blocks.7 is not an attention site' messages
tell "those of no site are refused" $?

"$STEADY" bench steps $tiny --model cifar-vit --json optim.lr=1e38 >out 2>messages
[ $? = 0 ] && grep -q '"loss":\[null,null\]' out && [ "$(grep -c 'cifar-vit: the loss is not finite at 2 of 2' messages)" = 1 ]
tell "losses that are not finite are null, each in its place, with a note" $?
"$STEADY" bench norms $tiny --model cifar-vit --repeat 4 optim.lr=1e38 >out 2>messages
[ $? = 0 ] && [ "$(grep -c 'cifar-vit, none: the loss is not finite' messages)" = 1 ]
tell "norms says once of a kind that it diverges" $?

STEADY_BF16=off "$STEADY" bench steps norms $tiny --model cifar-vit,cifar-vit train.precision=bf16 --force \
    >out 2>messages
[ $? = 0 ] && [ "$(grep -c '^train.precision' messages)" = 1 ]
tell "the note on bf16 without its instructions is said once" $?

"$STEADY" bench growth --json -o growth.png --threads 1 --repeat 1 --seconds 0 model.width=16 \
    model.heads=1 >growth
[ $? = 0 ] && [ "$(grep -c '"level":"step"' growth)" = 13 ] && [ "$(grep -c '"level":"fit"' growth)" = 4 ] &&
    [ -s growth.png ] && between 0.00001 "$(number growth '"tokens","of":"mb"' linear)" 1
tell "growth measures 13 sizes, fits time and memory, and draws them" $?

# 12 rows of 36 frames; blocks without biases but one number each; head and final norm.
speech="--model asr-12l --batch 2 --threads 1 --repeat 2 --seconds 0 model.width=16 model.heads=2 model.depth=2
    model.context=12"
"$STEADY" bench steps $speech --json >out
parameters=$((2 * (12 * 16 * 16 + 1 + 4 * 16) + 2 + 32 * 80 * 7 + 32 + 2 * 16 + 29 * 16 + 29))
[ $? = 0 ] && [ "$(number out '"step"' parameters)" = $parameters ] &&
    between 0.001 "$(number out '"step"' processor_ms)" 10000
tell "speech: the encoder under CTC takes steps, its parameters are counted" $?
flops=$((3 * 2 * (2 * 12 * (32 * 80 * 7 + 29 * 16) + 2 * (2 * 12 * 12 * 16 * 16 + 4 * 12 * 12 * 16))))
between "$flops" "$(number out '"step"' flops)" "$flops"
tell "speech: operations of a step are three forward passes" $?

"$STEADY" bench norms $speech --repeat 4 --json >out
[ $? = 0 ] && [ "$(sed -n 's/.*"norm":"\([^"]*\)".*/\1/p' out | tr '\n' ,)" = \
    "none,pre,post,sigma,sigma + post," ] && [ "$(grep -c '"repeats":4,' out)" = 5 ] &&
    between 1 "$(number out '"none"' over_none)" 1 && between 0.01 "$(number out '"post"' over_none)" 100
tell "norms measures five kinds in turn, beside the one without any" $?

"$STEADY" bench probes $speech --repeat 4 --json >out
[ $? = 0 ] && [ "$(sed -n 's/.*"probes":"\([^"]*\)".*/\1/p' out | tr '\n' ,)" = \
    "none,all but sigma,all," ] && [ "$(grep -c '"repeats":4,' out)" = 3 ] &&
    between 1 "$(number out '"none"' over_none)" 1 && between 0.01 "$(number out '"all"' over_none)" 100
tell "probes measures what they cost, beside steps without" $?

many=$(awk 'BEGIN { while (i++ < 120) printf " train.seed=%d", i }')
"$STEADY" bench norms probes $speech --repeat 1 --json $many >out
[ $? = 0 ] && [ "$(grep -c '"repeats":1,' out)" = 8 ]
tell "norms and probes take any number of words" $?
"$STEADY" bench growth $many model.width=0 >out 2>messages
[ $? = 2 ] && grep -q 'model.width' messages && ! grep -q 'bug at' messages
tell "growth takes any number of words" $?

"$STEADY" bench pictures $tiny --model cifar-vit data.augment=flip,blur:1 --json >out
[ $? = 0 ] && [ "$(sed -n 's/.*"picture".*"name":"\([^"]*\)".*/\1/p' out | tr '\n' /)" = \
    "flip/blur:1/all of data.augment/" ] && between 1e-6 "$(number out '"all of' ms)" 100
tell "pictures measures each entry of data.augment, then all" $?

"$STEADY" bench --help | grep -q 'cifar-vit'
tell "-h lists the models" $?
"$STEADY" bench --help | tr -d '\n' | tr -s ' ' | grep -q ' all vit-ti16, vit-s16, .*, asr-12l$'
tell "-h says which models all is" $?

refused() { # CASE TEXT WORDS ...
    case=$1 text=$2
    shift 2
    "$STEADY" bench "$@" >out 2>messages
    [ $? = 2 ] && grep -q -e "$text" messages && [ ! -s out ]
    tell "$case" $?
}
refused "an unknown model lists those there are" '^  vit-b16 .*768' steps --model vit-x16
refused "an unknown level" 'unknown level stepz' stepz
refused "an unknown option" 'unknown option --fast' --fast 3
refused "an option without its value" '--batch needs a value' --batch
refused "a number that is none" '--repeat x: expected a whole number' --repeat x
refused "an unknown key" 'model.depht.*model.depth' steps model.depht=2
refused "a patch that does not divide the picture" '18.*16' steps data.image_size=18
refused "a picture without growth" 'growth' steps -o growth.png
refused "a figure of growth without a known suffix, before measuring" 'x.txt: .*\.png' growth -o x.txt
refused "a figure of theory without a known suffix, before measuring" 'x.jpg: .*\.png' theory -o x.jpg
"$STEADY" bench growth -o nodir/x.png >out 2>messages
[ $? = 1 ] && grep -q 'nodir/x.png: folder nodir: No such file' messages && [ ! -s out ]
tell "a figure in a folder that is not there, before measuring" $?

"$STEADY" bench steps --repeat 1000 --model cifar-vit >out 2>messages &
sleep 2
kill -TERM $!
wait $!
[ $? = 75 ] && grep -q 'interrupted' messages
tell "a signal ends the measurement" $?
