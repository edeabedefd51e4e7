# steady sweep --resume of a finished sweep whose recipe files are elsewhere since.

. test/tell.sh
cd "$TMP" || exit 1

small="[model]
width = 16
depth = 1
heads = 2
[train]
steps = 2
batch = 6
threads = 1
"
printf '[task]\nkind = translate\n[data]\nsource = numbers\nsynthetic_count = 60\n%s' "$small" >t.ini
printf '[data]\nsource = glyphs\nsynthetic_count = 60\n%s' "$small" >a.ini
printf '%s[optim]\nbeta1 = 0.8\n' "$(cat a.ini)
" >b.ini

"$STEADY" sweep ./t.ini model.decoder_depth=1,2 --out depths >table 2>messages &&
    mv t.ini elsewhere.ini && "$STEADY" sweep --resume depths >again 2>messages && cmp table again
tell "its keys are those of its runs' task, not of a default" $?
"$STEADY" sweep --resume depths --dry-run >list 2>messages && [ "$(grep -c '^done' list)" = 2 ]
tell "a dry run lists its runs" $?
cp elsewhere.ini t.ini && rm -r depths/cells/model.decoder_depth=2 && rm t.ini &&
    { "$STEADY" sweep --resume depths >again 2>messages; [ $? = 2 ]; } && grep -q 't.ini' messages
tell "a run that is missing needs the recipe" $?

"$STEADY" sweep ./a.ini,./b.ini train.seed=0,1 --out two >table 2>messages &&
    mv a.ini elsewhere.ini && rm b.ini && "$STEADY" sweep --resume two >again 2>messages && cmp table again &&
    ! grep -q 'are the same as runs of another' messages
tell "two recipes that are elsewhere are not taken for one" $?
