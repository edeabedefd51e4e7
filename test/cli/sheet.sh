# Contact sheets: `steady plot --augment` draws what a recipe does to its training pictures.

. test/tell.sh
. test/png.sh
cd "$TMP" || exit 1
export OMP_NUM_THREADS=1

sheet() { "$STEADY" plot --augment "$@" >out 2>err; }
refused() { # SENTENCE EXIT PATTERN WORD ...
    name="$1 is refused"
    wanted=$2 pattern=$3
    shift 3
    fails "$wanted" "$pattern" plot --augment "$@"
    tell "$name" $?
}

list=data.augment=random-resized-crop,flip,jitter:0.4:0.4:0.4:0.1:0.8,blur
sheet demo $list -o a.png && head -c 4 a.png | grep -q PNG &&
    [ "$(cat err)" = "steady: note: data.augment: jitter:s, jitter:hue: no effect on pictures of 1 channel" ]
tell "a sheet is made of a recipe and words, and what changes nothing is named" $?

sheet demo $list -o b.png && cmp a.png b.png && sheet demo $list train.seed=7 -o c.png && ! cmp a.png c.png >out
tell "its draws are a function of train.seed" $?

sheet demo $list --pictures 2 --draws 3 --title Glyphs -o a.svg && [ "$(grep -c '<image' a.svg)" = 8 ]
tell "it has so many pictures and draws as asked for" $?

sheet demo data.augment=none --pictures 1 --draws 1 -o none.svg &&
    grep -q 'note: data.augment = none: every draw is the unchanged picture' err &&
    [ "$(grep '<image' none.svg | sed 's/.*base64,//' | sort -u | wc -l)" = 1 ]
tell "without augmentation a draw is the picture, which is said" $?

mkdir -p set/train/a set/train/b
for i in 1 2 3; do for c in a b; do paint ink set/train/$c/$i.png; done; done
: >set/train/a/1.png
folder="data.source=folder data.path=set train.batch=2"
sheet demo $list $folder data.on_error=skip data.background=white -o skip.png &&
    grep -q 'note: 1 broken picture is skipped (the last: .*set/train/a/1.png' err &&
    grep -q 'note: the training split has only 5 readable pictures' err
tell "a broken picture is left out and named with data.on_error = skip" $?
sheet demo $list $folder data.on_error=skip --pictures 3 -o skip.png && [ -s skip.png ]
tell "and the next good one has its place" $?
refused "a broken picture" 3 'set/train/a/1.png' demo $list $folder -o stop.png
[ ! -e stop.png ]
tell "and leaves no sheet" $?

long=$(printf '%0200d' 7)
mv set/train/b "set/train/$long"
sheet demo $list $folder data.on_error=skip --pictures 2 -o long.png && [ -s long.png ]
tell "a class may have a long name" $?

refused "a recipe of texts" 2 'needs a recipe of pictures; grammar has task.kind = language' grammar -o x.png
refused "a list with a number out of range" 2 'hue is "0.7", expected 0 to 0.5' demo data.augment=jitter:hue=0.7 -o x.png
refused "levels of other pictures" 2 'data.mean has 2 numbers' demo data.mean=0.1,0.2 -o x.png
refused "another kind of file" 2 'figure needs the suffix .png, .svg or .pdf' demo -o x.bmp
refused "a run beside a recipe" 2 'unexpected argument run after the recipe demo' demo run -o x.png
refused "a list of rows" 2 '--rows has no effect' demo --rows loss -o x.png
fails 2 '--draws needs --augment RECIPE' plot run --draws 3 -o x.png
tell "draws of a run are refused" $?
