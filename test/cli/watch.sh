# `steady watch`: a summary without a terminal, and the screen in one that script(1) makes.

. test/tell.sh
cd "$TMP" || exit 1
export OMP_NUM_THREADS=1 TERM=xterm LC_ALL=C.UTF-8

train demo train.steps=12 probe.every=4 model.depth=2 train.eval_every=12 --out one
cp -r one two && sed -i '$d' two/train.jsonl

"$STEADY" watch one >out 2>err && grep -q '^step 12/12' out && grep -q 'training loss' out &&
    grep -q 'blocks.1.attn' out && ! grep -q "$(printf '\033')" out && [ ! -s err ]
tell "without a terminal it prints a summary" $?
"$STEADY" watch --once --ascii one >out && ! LC_ALL=C grep -q '[^ -~]' out
tell "with --ascii that is ASCII" $?
LC_ALL=C "$STEADY" watch one >out && ! LC_ALL=C grep -q '[^ -~]' out
tell "and so it is in a locale without UTF-8" $?
"$STEADY" watch one two >out && [ "$(grep -c '^step 1[12]/12' out)" = 2 ]
tell "a summary has all runs" $?

mkdir foreign && head -5 one/train.jsonl >foreign/train.jsonl && printf '{"step":6,"lo' >>foreign/train.jsonl
"$STEADY" watch foreign >out && grep -q '^step 5 ' out && grep -q 'no numbers yet' out
tell "a folder with train.jsonl alone is a run, its half row no step" $?
mkfifo foreign/probe.jsonl && "$STEADY" watch foreign >out && rm foreign/probe.jsonl &&
    ln -s /etc/passwd foreign/probe.jsonl && "$STEADY" watch foreign >out
tell "a pipe or a link in place of a log is not read" $?
may_print=watch
fails 2 'nowhere: no such run folder' watch nowhere
tell "a folder that is not there is refused" $?
fails 2 'no run given' watch
tell "no folder at all is refused" $?
fails 2 '.*0.5' watch one --interval 0.1
tell "an interval that would cost the run something is refused" $?

command -v script >/dev/null && script -qec true /dev/null >/dev/null 2>&1 </dev/null || {
    echo "skip the screen: needs script(1)"
    exit
}
if ! (echo; sleep 1; printf q) | script -qec "'$STEADY' watch one" /dev/null 2>&1 | grep -q 1049h; then
    (echo; sleep 1) | script -qec "'$STEADY' watch one" /dev/null >out 2>&1
    grep -q 'built without ncurses' out && grep -q '^step 12/12' out
    tell "without ncurses it says what is missing, and a summary" $?
    exit
fi

# In a terminal of 80 x 24: keys are typed, the screen's bytes are in `out`; what stty says behind it
# has to be what it said before.
screen() { # KEYS COMMAND
    cat >inside <<IN
stty rows 24 cols 80; stty -g >before
$2
echo \$? >code; stty -g >after
IN
    (sleep 0.7; printf "$1"; sleep 0.7; printf q) | script -qec 'sh inside' /dev/null >out 2>&1
    cmp -s before after && grep -q "$(printf '\033')\[?1049l" out
}

screen s "'$STEADY' watch one" && [ "$(cat code)" = 0 ] && grep -q 'step 12/12' out && grep -q 'spectral norm' out
tell "keys change the map, q ends it and the terminal is as it was" $?
screen '\003' "'$STEADY' watch one" && [ "$(cat code)" = 0 ]
tell "so does Ctrl-C" $?
for signal in TERM HUP ABRT; do
    screen x "(sleep 0.6; kill -$signal \$(cat pid)) & sh -c 'echo \$\$ >pid; exec $STEADY watch one'" && [ "$(cat code)" -gt 128 ]
    tell "SIG$signal leaves the terminal as it was" $?
done
NO_COLOR=1 screen x "'$STEADY' watch one" && ! grep -q "$(printf '\033')\[[0-9;]*[34][0-7]m" out
tell "NO_COLOR is kept" $?
TERM=nothing "$STEADY" watch one </dev/null >out 2>&1; TERM=nothing script -qec "'$STEADY' watch one" /dev/null >out 2>&1 </dev/null
grep -q 'TERM=nothing' out && grep -q 'step 12/12' out
tell "a terminal that is not known gets a summary" $?
screen '?' "stty rows 5 cols 20; '$STEADY' watch one" && [ "$(cat code)" = 0 ]
tell "a tiny terminal is no reason to fail" $?
