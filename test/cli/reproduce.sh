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
