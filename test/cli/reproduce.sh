# make reproduce-NAME (docs/reproduce.mk): each name is in docs/paper.md, and each name there is one
# of them; each sweep has recipes, keys and values that this program takes.

. test/tell.sh
commands() { make --no-print-directory -n -f docs/reproduce.mk STEADY="$STEADY" "$1" 2>&1; }

names() { sort -u | tr '\n' ' '; }
there=$(commands reproduce-names | sh | names)
told=$(sed -n '/^| [0-9].*`/p; /^| [^-].*`/p; /^Not of the paper/,$p' docs/paper.md | sed 's/(plans[^)]*)//g' |
       grep -o '`[a-z0-9-]*`' | tr -d '`' | names)
[ "$there" = "$told" ]
same=$?
[ $same = 0 ] || { echo "$there"; echo "$told"; }
tell "reproduce: the names of docs/reproduce.mk are those of docs/paper.md" $same

commands reproduce-all | sed -e ':a' -e '/\\$/{N;s/\\\n//;ba' -e '}' |
    grep -F "$STEADY sweep" >"$TMP/sweeps"
[ "$(wc -l <"$TMP/sweeps")" -gt 20 ]
tell "reproduce: sweeps are found" $?

while IFS= read -r line; do
    out=${line##*--out runs/reproduce/}
    # --force: a plan in bf16 is checked on any processor.
    eval "${line%%sweep*} sweep --dry-run --force ${line#*sweep}" >"$TMP/out" 2>&1 && grep -q '^to run' "$TMP/out"
    result=$?
    [ $result = 0 ] || tail -n 2 "$TMP/out"
    tell "reproduce: the sweep of ${out%% *} can be run" $result
done <"$TMP/sweeps"
[ ! -e runs/reproduce ]
tell "reproduce: a dry run leaves nothing" $?

# ---- DATA: plans read data/ itself ----

top=$PWD
mkdir -p "$TMP/place/data" "$TMP/sets/mnist" "$TMP/sets/tinyshakespeare" && cd "$TMP/place" || exit 1
ln -s "$top/docs" docs
cat >steady <<END
#!/bin/sh
[ "\$1" = sweep ] && { echo "sweep \$*"; exit; }
exec "$STEADY" "\$@"
END
chmod +x steady
target() { make --no-print-directory -f docs/reproduce.mk STEADY=./steady OUT=out "$@" >out 2>err; }
stops() { # PATTERN WORDS...: with one line of its own, before the sweep
    pattern=$1
    shift
    ! target "$@" && ! grep -q '^sweep ' out && [ "$(grep -vc '^make[:[]' err)" = 1 ] && grep -q "^make [a-z-]*: $pattern" err
}
stops "docs/plans/grid-mnist.json reads data/mnist, whatever DATA is: ln -s $TMP/sets/mnist data/mnist, and again\$" \
    DATA=../sets reproduce-grid-mnist &&
    stops ".*/temperature-when.json reads data/mnist, .*: ln -s " DATA=../sets reproduce-temperature &&
    stops ".*/simclr.json reads data/cifar10, .*: $TMP/sets/cifar10 is not there" DATA=../sets reproduce-simclr
tell "reproduce: a plan whose data are elsewhere stops with the link that is needed" $?
ln -s "$TMP/sets/mnist" data/mnist && target DATA=../sets reproduce-grid-mnist && grep -q '^sweep ' out &&
    target DATA=../sets reproduce-temperature && target DATA=./data/ reproduce-simclr && target reproduce-simclr &&
    target DATA=/nowhere reproduce-grid-glyphs
tell "reproduce: with the link, or without files, it runs" $?

stops '.*/sets/tinyshakespeare/input.txt is not there' DATA=../sets words-parts &&
    head -c 1115393 /dev/zero >../sets/tinyshakespeare/input.txt &&
    stops '.*/input.txt has 1115393 bytes; expected the 1115394 of tiny Shakespeare' DATA=../sets reproduce-words-scan &&
    [ ! -e runs ] && printf x >>../sets/tinyshakespeare/input.txt && target DATA=../sets reproduce-words-scan &&
    [ "$(($(cat runs/shakespeare-words/*.txt | wc -c)))" = 1115394 ] && grep -q '^sweep ' out
tell "reproduce: the text that is taken apart has the size of the one that is meant" $?
