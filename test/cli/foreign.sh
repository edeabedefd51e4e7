# Run folders from elsewhere: links out of them, pipes and devices, numbers that no run has, names
# that talk to the terminal.  Nothing outside is touched, nothing hangs, crashes or breaks a line.

. test/tell.sh
cd "$TMP" || exit 1
export OMP_NUM_THREADS=1

printf '[task]\nkind = language\n[data]\nsource = text\npath = text\ntokens = bpe\nbpe_merges = 20\n' >text.ini
for i in 1 2 3 4 5 6 7 8 9; do echo "the cat $i and the rat sat on the mat, said the bat"; done >text
tiny="model.depth=1 model.width=8 model.heads=1 train.epochs=0 train.steps=4 train.checkpoint_every=2
    train.eval_every=2 probe.every=1 train.threads=1"
# shellcheck disable=SC2086
"$STEADY" train demo $tiny train.batch=8 data.synthetic_count=40 data.source=glyphs --out good 2>err &&
    "$STEADY" train text.ini $tiny model.context=16 train.batch=2 --out words --no-report 2>>err
tell "the runs of this test are good to begin with" $?

# A good end, or a failure that is said in one line.
ends_well() { # COMMAND...
    timeout 30 "$STEADY" "$@" >out 2>err </dev/null
    code=$?
    case $code in 0 | 1 | 2 | 3 | 4 | 5) ;; *) false ;; esac && ! grep -q 'bug at' err &&
        { [ $code = 0 ] || grep -q '^steady' err; } ||
        { echo "steady $*: exit $code"; head -c 600 err; return 1; }
}

# ---- links ----

mkdir else && echo secret >else/file && cp -R else kept
more="train.steps=6 train.keep=1"
hostile() { # NAME LINK TARGET: a run with the link in it is neither read nor written through
    rm -rf run && cp -R good run && rm -rf "run/$2" && ln -s "$3" "run/$2"
    case $2 in report.html* | figures*) drawn= ;; *) drawn=--no-report ;; esac
    # shellcheck disable=SC2086
    ends_well train --resume run $more $drawn && ends_well plot run -o plot.svg
    good=$?
    diff -r else kept >/dev/null || { good=1; echo "else/ has changed"; rm -rf else; cp -R kept else; }
    [ $good = 0 ]
    tell "$1" $?
}
for name in train.jsonl probe.jsonl eval.jsonl report.html recipe.ini recipe.ini.new task.json \
    task.json.new data.json data.json.new train.jsonl.bad train.jsonl.new report.html.new; do
    hostile "$name as a link to a file" $name ../else/file
done
ends_well eval run && ends_well predict run && ends_well export run -o plain.safetensors
tell "... whatever the command" $?
hostile "figures as a link to a folder" figures ../else
touch else/step-00000001.safetensors else/step-00000002.safetensors.tmp && rm -rf kept && cp -R else kept
hostile "checkpoints as a link to a folder, with what would be pruned" checkpoints ../else
hostile "a checkpoint's draft as a link" checkpoints/step-00000006.safetensors.tmp ../../else/file
hostile "a figure as a link" figures/training.png ../../else/file
fails 3 'symbolic link: links inside a run folder are not followed' eval run --checkpoint best ||
    { rm run/checkpoints/best.safetensors && ln -s ../../good/checkpoints/best.safetensors run/checkpoints &&
        fails 3 'best.safetensors is a symbolic link, or below one' eval run --checkpoint best; }
tell "... and the message says what is wrong" $?
ln -s good latest && ends_well eval latest && [ $code = 0 ] &&
    ends_well eval good --checkpoint latest/checkpoints/best.safetensors && [ $code = 0 ]
tell "the folder itself, and a file named by the user, may be links" $?

# ---- pipes and devices ----

waits() { # FILE RUN COMMAND...
    rm -rf run && cp -R "$2" run && rm "run/$1" && mkfifo "run/$1"
    shift 2
    ends_well "$@"
}
for name in recipe.ini task.json checkpoints/step-00000004.safetensors; do
    waits $name good predict run && waits $name good train --resume run train.steps=5 --no-report
    tell "$name as a pipe keeps nobody waiting" $?
done
for name in data.json train.jsonl probe.jsonl eval.jsonl; do
    waits $name good plot run -o plot.svg && waits $name good train --resume run train.steps=5 --no-report
    tell "$name as a pipe keeps nobody waiting" $?
done
for name in text.tokenizer text.vocab text.codes; do
    waits $name words predict run
    tell "$name as a pipe keeps nobody waiting" $?
done
rm -rf run && cp -R good run && rm run/task.json && ln -s /dev/zero run/task.json && ends_well predict run &&
    fails 3 '/dev/zero is not a regular file' predict good /dev/zero
tell "... nor does a device" $?
mkfifo pipe.ini pipe.png && fails 2 'pipe.ini is not a regular file' train pipe.ini &&
    fails 3 'pipe.png is not a regular file' predict good pipe.png &&
    fails 3 'pipe.ini is not a regular file' train demo train.init=pipe.ini --out new --no-report &&
    fails 3 'pipe.ini is not a regular file' eval good --checkpoint pipe.ini
tell "... nor pipes that the user names" $?

# ---- numbers ----

# Number K of a file becomes another one.
swap() { # FILE K NUMBER
    awk -v want="$2" -v by="$3" '{ rest = $0; line = ""
        while (match(rest, /[0-9][-+.0-9e]*/)) {
            n++
            line = line substr(rest, 1, RSTART - 1) (n == want ? by : substr(rest, RSTART, RLENGTH))
            rest = substr(rest, RSTART + RLENGTH)
        }
        print line rest }' "$1" >swapped && mv swapped "$1"
}
good=0
for file in good/task.json good/data.json good/probe.jsonl words/text.tokenizer good/recipe.ini; do
    for k in 1 3 4; do
        for number in -1 1e300 18446744073709551615; do
            rm -rf run && cp -R "${file%/*}" run && swap "run/${file#*/}" $k $number
            case $file in *probe*) ends_well plot run -o plot.svg ;; *) ends_well predict run ;; esac ||
                { good=1 && echo "$file, number $k is $number"; }
        done
    done
done
[ $good = 0 ]
tell "numbers that no run has are refused or accepted" $?
rm -rf run && cp -R good run && sed -i 's/"channels": 1/"channels": 2/' run/task.json &&
    fails 3 'task.json: pictures of 2 channels' predict run
tell "pictures of two channels" $?
# The header keeps its length, and the CRC is of the data behind it.
rm -rf run && cp -R good run && sed -i 's/"temperature":"1"/"temperature":"0"/' run/checkpoints/*.safetensors &&
    fails 3 'temperature is "0"; expected a positive number' eval run &&
    fails 3 'temperature is "0"; expected a positive number' train --resume run train.steps=99
tell "a temperature that divides by nothing" $?

rm -rf run && cp -R words run && sed -i 's/specials 1/specials 0/' run/text.tokenizer &&
    fails 3 'not the settings of a tokenizer' predict run --prompt "the zebra"
tell "pieces of words without <unk>" $?

# ---- names ----

escape=$(printf 'a\033[2Jb\tc\nd')
rm -rf run && cp -R good run && sed -i 's/"kind"/"class_names": ["x\\t1\\n2","1","2","3","4","5","6","7","8","9"], "kind"/' \
    run/task.json && "$STEADY" predict run --limit 40 >out 2>err && [ "$(wc -l <out)" = 8 ] &&
    ! awk -F '\t' 'NF != 3' out | grep -q .
tell "a class with tabs and line ends does not break its row" $?
cp -R good "$escape" && rm "$escape/task.json" && echo '{' >"$escape/task.json"
"$STEADY" predict "$escape" >out 2>err
[ $? = 3 ] && [ "$(wc -l <err)" = 1 ] && grep -q 'a\\x1b\[2Jb\\x09c\\x0ad/task.json:' err
tell "a name cannot talk to the terminal" $?
rm -rf run && cp -R good run && printf '{"step":4,"split":"<b>&\\"x","loss":1,"top1":0.5}\n' >>run/eval.jsonl &&
    printf '{"step":4,"event":"<i>","text":"<script>alert(1)</script>"}\n' >>run/train.jsonl &&
    "$STEADY" train --resume run train.steps=5 2>err && [ -s run/report.html ] &&
    ! grep -q '<script>alert\|<b>&\|<i>' run/report.html
tell "what files hold is text in report.html" $?
