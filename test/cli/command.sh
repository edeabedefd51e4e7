# Every command explains itself and refuses options alike; what the parser does is in test_command.c.

. test/tell.sh
cd "$TMP" || exit 1
export STEADY_KERNEL_CHECK=off

commands=$("$STEADY" -h | sed -n 's/^  \([a-z]*\) .*/\1/p')
[ "$(echo "$commands" | wc -l)" -ge 9 ]
tell "-h lists the commands" $?

bad=
for command in $commands; do
    for words in -h --help "x --nonsense -h" "-h --nonsense"; do
        # shellcheck disable=SC2086 # several words
        "$STEADY" $command $words >out 2>err || bad="$bad $command:$words"
        [ "$(head -n 1 out | cut -d ' ' -f 1-3)" = "usage: steady $command" ] && [ ! -s err ] || bad="$bad $command:$words"
    done
done
[ -z "$bad" ] || echo "$bad"
[ -z "$bad" ]
tell "each explains itself, whatever else is said" $?

bad=0
for command in $commands; do
    fails 2 'unknown option --nonsense; -h lists the options' $command --nonsense &&
        fails 2 'unknown option --hel; did you mean --help?  -h lists the options' $command --hel &&
        fails 2 '--help takes no value' $command --help=x || bad=1
done
tell "each refuses an unknown, an abbreviated option, and a value of one that takes none" $bad

bad=0
for command in train plot export sweep; do fails 2 '--out needs a f' $command x --out= || bad=1; done
for command in eval predict export; do fails 2 '--checkpoint needs a step' $command x --checkpoint || bad=1; done
tell "a missing value is named in the same words" $bad

bad=0
for command in eval export; do fails 2 'unexpected argument y after x' $command x y || bad=1; done
fails 2 'unexpected argument x' doctor x || bad=1
tell "a word too many is refused" $bad

own() { # EXIT PATTERN WORDS...: the program without a command
    wanted=$1 pattern=$2
    shift 2
    "$STEADY" "$@" >out 2>err
    [ $? = "$wanted" ] && cat out err | grep -q -e "$pattern" && return
    echo "| steady $*: wanted exit $wanted and $pattern"
    cat out err
    return 1
}
own 2 '^usage: steady COMMAND' && own 2 '^usage: steady COMMAND' -- && own 0 '^usage: steady COMMAND' help &&
    own 0 '^usage: steady COMMAND' --help && own 0 '^usage: steady train RECIPE' help train &&
    own 0 '^usage: steady eval' help eval x && own 2 'unknown command tarin; did you mean train?' help tarin && own 0 '^steady [0-9.]*$' --version &&
    own 0 '^steady [0-9.]*$' -v && own 0 '^steady [0-9.]*$' version &&
    { ! git -C . rev-parse 2>/dev/null || [ ! -e .git ] || own 0 "^commit $(git rev-parse --short=7 HEAD)" -v; }
tell "without a command: the usage, or the version" $?
own 2 'unknown command tarin; did you mean train?' tarin && own 2 'unknown option --versio; did you mean --version?' --versio &&
    own 2 'unexpected argument x' --completion=bash x && own 2 'expected bash, zsh or fish' --completion csh
tell "an unknown command or option has the nearest name" $?
own 2 'unknown option -o; the folder is --out DIR' train demo -o x
tell "-o of train: the folder is --out" $?
own 0 '^ *collapse  *warn  *warn | stop$' help guard.collapse && ! grep -q 'built in yet' out
tell "help lists no choice that is not built in" $?
own 0 'digits-\.\.\.  *Strings of spoken digits: [0-9]* recipes' recipes
tell "the sentence of a family of recipes keeps its last word" $?
