# Manual pages render, and shells complete: the tables themselves are compared in test_commands.c.

. test/tell.sh

for shell in bash zsh fish; do "$STEADY" --completion $shell >"$TMP/steady.$shell"; done
mkdir "$TMP/pages" "$TMP/zsh"
cp "$TMP/steady.zsh" "$TMP/zsh/_steady"

bad=0
for name in steady $("$STEADY" -h | sed -n 's/^  \([a-z]*\) .*/steady-\1/p'); do
    "$STEADY" --manual $name >"$TMP/pages/$name.1" || bad=1
    [ "$(sed -n '/^.SH NAME/{n;s/ .*//p;}' "$TMP/pages/$name.1" | tr -d '\\')" = $name ] || bad=1
done
[ $bad = 0 ] && [ "$(ls "$TMP/pages" | wc -l)" -ge 10 ]
tell "each command has a manual page" $?
"$STEADY" --manual steady-tarin 2>"$TMP/err"
[ $? = 2 ] && grep -q 'steady-tarin.*no such command' "$TMP/err"
tell "a page of no command is refused" $?

if command -v man >/dev/null && man --warnings -E UTF-8 -l "$TMP/pages/steady.1" >/dev/null 2>&1; then
    for page in "$TMP"/pages/*.1; do
        MANWIDTH=80 man --warnings -E UTF-8 -l "$page" 2>&1 >"$page.txt" | cat >&2
    done 2>"$TMP/warnings"
    [ ! -s "$TMP/warnings" ] && grep -q -e '^  *-o, --out FILE' "$TMP/pages/steady-plot.1.txt"
    tell "man shows all pages without a warning" $?
    cat "$TMP/warnings"
else
    echo "skip man shows all pages without a warning: needs man"
fi

mkdir -p "$TMP/here/runs/one" "$TMP/here/other" "$TMP/here/two words"
: >"$TMP/here/runs/one/recipe.ini" >"$TMP/here/two words/recipe.ini"

bash_answers() { # WANTED WORDS ...
    wanted=$1
    shift
    (cd "$TMP/here" && bash --norc -c '
        source ../steady.bash
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _steady
        echo ${COMPREPLY[*]}' bash "$@") >"$TMP/out" 2>&1
    [ "$(cat "$TMP/out")" = "$wanted" ] && return
    echo "| $*: $(cat "$TMP/out")"
    return 1
}
if command -v bash >/dev/null; then
    bash_answers predict steady pre && bash_answers --version steady --ver &&
        bash_answers 'demo demo-sigma' steady train dem && bash_answers '' steady nothing ''
    tell "bash: commands and recipes" $?
    bash_answers '--resume' steady train --res && bash_answers --split steady eval run --sp &&
        bash_answers '' steady eval run -- --sp &&
        bash_answers '--out -o --vocab --features --dtype --checkpoint --ema --help -h' steady export -
    tell "bash: options, but not behind --" $?
    bash_answers 'train test' steady eval --split t && bash_answers 'train test' steady eval --split = t &&
        bash_answers '--split=train --split=test' steady eval --split=t &&
        bash_answers 'vit-s16,mt-100l' steady bench --model vit-s16,mt-10 &&
        bash_answers 'demo,mnist demo,mnist-sigma demo,mnist-sigma-lars' steady sweep demo,mn &&
        bash_answers 'bash zsh fish' steady --completion ''
    tell "bash: values of options, joined or not, and lists" $?
    bash_answers 'optim.name=' steady train demo optim.na && bash_answers 'adamw adam adagrad' steady train demo optim.name = a &&
        bash_answers 'optim.name=sgd' steady train demo optim.name=s && bash_answers 'true false' steady train demo data.shuffle = ''
    tell "bash: keys and their values" $?
    (cd "$TMP/here" && bash --norc -c '. ../steady.bash
        compopt() { last=$*; }
        COMP_WORDS=(steady train optim.na) COMP_CWORD=2
        _steady
        [ "$last" = "+o filenames -o nospace" ]')
    tell "bash: no blank and no backslash behind a key" $?
    bash_answers 'runs/one' steady train --resume ru && bash_answers 'other' steady plot o && bash_answers 'runs/one' steady plot runs/ &&
        bash_answers 'two\ words' steady plot t && bash_answers 'two words two words' steady predict tw
    tell "bash: run folders, or folders on the way" $?
else
    echo "skip bash completes: needs bash"
fi

fish_answers() { # WANTED LINE
    (cd "$TMP/here" && fish --no-config -c 'source ../steady.fish; complete -C $argv[1]' "$2") 2>&1 |
        cut -f1 | tr '\n' ' ' >"$TMP/out"
    [ "$(cat "$TMP/out")" = "$1" ] && return
    echo "| $2: $(cat "$TMP/out")"
    return 1
}
if command -v fish >/dev/null; then
    fish_answers 'predict ' 'steady pre' && fish_answers '--resume ' 'steady train --res' &&
        fish_answers '' 'steady predict run -- --lo' && fish_answers 'test train ' 'steady eval --split t' &&
        fish_answers '--split=test --split=train ' 'steady eval --split=t' &&
        fish_answers 'vit-s16,mt-100l ' 'steady bench --model vit-s16,mt-10' &&
        fish_answers 'optim.name= ' 'steady train demo optim.na' &&
        fish_answers 'optim.name=sgd ' 'steady train demo optim.name=s' &&
        fish_answers 'demo-sigma ' 'steady train demo-' && fish_answers 'runs/ ' 'steady plot ru'
    tell "fish: commands, options, values, keys, recipes, folders" $?
else
    echo "skip fish completes: needs fish"
fi

# A zsh with a terminal of its own, whose compadd writes down what it is given.
cat >"$TMP/terminal.zsh" <<'END'
zmodload zsh/zpty || exit 77
dir=$1
tell() { zpty -w z "$1; echo DO''NE"; zpty -r -m z out '*DONE*' }
zpty z zsh -f -i
tell "PS1=; fpath=($dir/zsh \$fpath); autoload -Uz compinit; compinit -u -d $dir/dump"
tell "compadd() { if (( \${@[(I)-[OAD]]} )); then builtin compadd \"\$@\"; else local -a h
    builtin compadd -A h \"\$@\"; (( \$#h )) && print -rl -- \$IPREFIX\${^h} >>$dir/hits
    builtin compadd \"\$@\"; fi }"
for line in "${@[2,-1]}"; do
    : >$dir/hits
    zpty -n -w z "$line"$'\t'
    for (( i = 0; i < 100 && ! $(wc -c <$dir/hits); i++ )); do sleep 0.1; done
    zpty -n -w z $'\C-u'
    tell :
    echo "$line => $(sort -u $dir/hits | tr '\n' ' ')"
done
zpty -d z
END
if command -v zsh >/dev/null && zsh -f -c 'zmodload zsh/zpty; autoload -Uz compinit && compinit -u -D' 2>/dev/null; then
    zsh -f "$TMP/terminal.zsh" "$TMP" 'steady pre' 'steady train --res' 'steady eval --split t' \
        'steady eval --split=t' 'steady bench --model vit-s16,mt-10' 'steady train demo optim.na' \
        'steady train demo optim.name=s' 'steady train demo-' >"$TMP/out" 2>&1
    cat >"$TMP/wanted" <<'END'
steady pre => predict 
steady train --res => --resume 
steady eval --split t => test train 
steady eval --split=t => --split=test --split=train 
steady bench --model vit-s16,mt-10 => vit-s16,mt-100l 
steady train demo optim.na => optim.name 
steady train demo optim.name=s => optim.name=sgd 
steady train demo- => demo-sigma 
END
    cmp "$TMP/out" "$TMP/wanted"
    tell "zsh: commands, options, values, keys, recipes" $? || cat "$TMP/out"
else
    echo "skip zsh completes: needs zsh"
fi
