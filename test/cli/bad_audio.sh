# What the world gets wrong with recordings and transcripts: each case ends before the first step with
# one clear line that names file and line, exit 3 (data) or 2 (recipe), and leaves nothing behind; with
# data.on_error = skip training goes on without it and says so.

. test/tell.sh
. test/wav.sh
grep -q '^HAVE_SNDFILE = yes' config.mk || { echo "skip recordings: built without libsndfile"; exit; }
cd "$TMP" || exit 1
export OMP_NUM_THREADS=1
unset OPENBLAS_CORETYPE

cat >bad.ini <<'END_RECIPE'
[task]
kind = transcribe
[data]
source = librispeech
path = corpus
[model]
width = 16
depth = 1
heads = 2
position = cape
[train]
steps = 2
batch_seconds = 8
[probe]
every = 0
END_RECIPE

# Four good utterances, which each case makes one worse of.
mkdir -p good/train/1/7
for i in 0 1 2 3; do
    speak good/train/1/7/1-7-000$i.wav 4000 $((9 + i)) $((8 << i))
    echo "1-7-000$i ONE TWO"
done >good/train/1/7/1-7.trans.txt
chapter=corpus/train/1/7
lines=$chapter/1-7.trans.txt
again() { chmod -R u+rw corpus 2>/dev/null; rm -rf corpus && cp -r good corpus; }

recipe=bad.ini
# A run that goes on with the others: counts and names what it leaves out.
skips() { # COUNTED PATTERN
    "$STEADY" train bad.ini data.on_error=skip --out new --no-report >out 2>err &&
        grep -q "^steady: note: train: of [0-9]* utterances skipped: $1 (first: " err && grep -q "of [0-9]* utterances skipped: $1" new/data.json && grep -q "$2" err &&
        [ "$(wc -l <new/train.jsonl)" = 2 ] && rm -r new && return
    head -c 1000 err
    false
}

"$STEADY" train bad.ini data.path=good --out run --no-report 2>err
tell "the good ones are trained on" $?

# A recording spoiled by COMMAND, which gets its name: refused, left out, and refused by predict.
spoiled() { # NAME PATTERN COMMAND...
    name=$1 seen=$2
    shift 2
    again && "$@" $chapter/1-7-0002.wav
    file=$(find $chapter -name '1-7-0002.*')
    refused "$name" 3 "1-7.trans.txt:3: $file.*$seen.*1 broken recording)"
    skips '1 broken recording' "^$lines:3: $file" && "$STEADY" train bad.ini data.on_error=skip \
        --out new --no-report 2>err && grep -q '^train: 3 utterances' err
    tell "... left out" $?
    rm -rf new
    fails 3 "$file.*$seen" predict run "$file" && "$STEADY" predict run "$file" \
        good/train/1/7/1-7-0001.wav data.on_error=skip >out 2>err && [ "$(cut -f1 out)" = \
        good/train/1/7/1-7-0001.wav ] && grep -q "^steady predict: skipped: $file.*$seen" err
    tell "... and predict" $?
}
no_bytes() { : >"$1"; }
header_alone() { wav_head 1 1 4000 16 0 >"$1"; }
a_text() { rm "$1" && echo 'Once upon a time there was' >"${1%.wav}.flac"; }
ten_hours() { { wav_head 1 1 4000 16 288000000 && wave 4000 8 '\000\040' '\000\340'; } >"$1"; }
cut_short() { head -c 3000 good/train/1/7/1-7-0002.wav >"$1"; }
floats() { # FILE ESCAPES: an odd one in the middle
    { wav_head 3 1 4000 32 16000 && wave 1999 8 '\000\000\000\077' '\000\000\000\277' &&
        printf "$2" && wave 2000 8 '\000\000\000\077' '\000\000\000\277'; } >"$1"
}
not_a_number() { floats "$1" '\000\000\300\177'; }
infinite() { floats "$1" '\000\000\200\177'; }
enormous() { floats "$1" '\377\377\177\177'; }
a_folder() { rm "$1" && mkdir "${1%.wav}.flac"; }
too_slow() { speak "$1" 3000 10 8; }
too_fast() { speak "$1" 192000 1 8; }
spoiled "a recording of no bytes" 'is empty (0 bytes)' no_bytes
spoiled "a WAV header and no samples" '' header_alone
spoiled "a text that is called .flac" 'cannot be read as a recording (.*); it begins with "Once upon' a_text
spoiled "a header that promises ten hours" 'truncated' ten_hours
spoiled "a recording that is truncated" 'truncated' cut_short
spoiled "a sample that is not a number" 'the sample at 0.500 s is not a finite number' not_a_number
spoiled "a sample that is infinite" 'the sample at 0.500 s is not a finite number' infinite
spoiled "a sample beyond all measure" 'the sample at 0.500 s is not a finite number' enormous
again && a_folder $chapter/1-7-0002.wav
refused "a folder that is called .flac" 3 "1-7.trans.txt:3: $chapter/1-7-0002.flac is not a regular file.*1 broken recording)"
fails 3 '1-7-0002.flac: no recordings' predict run $chapter/1-7-0002.flac
tell "... and predict" $?
spoiled "a rate below telephones'" 'has 3000 samples per second; expected 4000 to 96000' too_slow
spoiled "a rate above studios'" 'has 192000 samples per second; expected 4000 to 96000' too_fast
if [ "$(id -u)" = 0 ]; then
    echo "skip a recording that may not be read: the superuser may"
else
    spoiled "a recording that may not be read" 'cannot be opened: Permission denied' chmod 000
    mkdir locked && chmod 000 locked && fails 3 'locked cannot be opened: Permission denied' predict run locked
    tell "predict names a folder that may not be read" $?
    rmdir locked
fi
fails 3 'nowhere.wav: no such file' predict run nowhere.wav
tell "predict names a file that is not there" $?
mkdir hollow && fails 3 'hollow: no recordings' predict run hollow
tell "predict names a folder without recordings" $?

# ---- what is unusual and good ----

again
wav $chapter/1-7-0000.wav 1 1 8000 8 10 16 '\240' '\140'
wav $chapter/1-7-0001.wav 1 2 8000 24 10 16 '\000\000\040\000\000\040' '\000\000\340\000\000\340'
wav $chapter/1-7-0002.wav 3 1 48000 32 10 96 '\000\000\000\077' '\000\000\000\277'
"$STEADY" train bad.ini --out unusual --no-report 2>err && grep -q '^train: 4 utterances, .* 8, 48, 4 kHz' err &&
    "$STEADY" predict unusual corpus >out && [ "$(wc -l <out)" = 4 ]
tell "8, 24 and 32 bits, two channels, 4 to 48 kHz" $?
speak other.wav 16000 10 32 && "$STEADY" predict run other.wav other.wav good/train/1/7/1-7-0001.wav >out 2>err &&
    [ "$(wc -l <out)" = 3 ] && [ "$(cat err)" = "steady: note: other.wav: 16 kHz, treated as 4 kHz, the training rate" ]
tell "predict tells once of a rate that training has not heard" $?
printf 'other.wav\t1\tone\n' >other.tsv
rows() { sed 's/.*"output"//' "$1"; }
"$STEADY" predict run --logits other.wav >a 2>err && "$STEADY" predict run --logits data.source=manifest \
    data.test_path=other.tsv >b 2>err && [ -s a ] && rows a >c && rows b | cmp - c
tell "... and hears it as a split with it is heard" $?
"$STEADY" eval run data.test_path=corpus/train >out 2>err && grep -q 'note: test: 8 kHz, treated as 4 kHz, the training rate' err &&
    grep -q 'note: test: 48 kHz' err && ! grep -q 'test: 4 kHz' err &&
    [ "$(sort err | uniq -d)" = '' ]
tell "... and eval" $?
# The same wave in other samples is the same rows.
for kind in '1 1 8000 16 10 16 \000\040 \000\340' '1 1 8000 8 10 16 \240 \140' \
    '1 1 8000 24 10 16 \000\000\040 \000\000\340' '1 1 8000 32 10 16 \000\000\000\040 \000\000\000\340' \
    '3 1 8000 32 10 16 \000\000\200\076 \000\000\200\276' \
    '1 2 8000 16 10 16 \000\040\000\040 \000\340\000\340' \
    '1 2 8000 16 10 16 \000\100\000\000 \000\300\000\000'; do
    # shellcheck disable=SC2086
    wav same.wav $kind && "$STEADY" predict unusual same.wav --logits || break
done >out
[ "$(wc -l <out)" = 7 ] && [ "$(uniq out | wc -l)" = 1 ]
tell "one wave in 8, 16, 24, 32 bits, floats, one and two channels: the same numbers" $?
# What can be read and holds nothing, or not what one would think, is said by predict.
predict_says() { # NAME PATTERN FILE
    "$STEADY" predict run "$3" >out 2>err && [ "$(wc -l <out)" = 1 ] && grep -q "^steady: note: $3: $2" err
    tell "predict: $1" $?
}
wav odd.wav 1 2 4000 16 10 16 '\000\040\000\340' '\000\340\000\040'
predict_says "channels that cancel each other" 'the channels cancel each other; using channel 1, the loudest' odd.wav
"$STEADY" predict run --logits odd.wav 2>err | sed 's/.*"output"//' >a && wav one.wav 1 1 4000 16 10 16 '\000\040' '\000\340' &&
    "$STEADY" predict run --logits one.wav | sed 's/.*"output"//' | cmp - a
tell "... are the louder one alone" $?
wav odd.wav 1 1 4000 16 10 16 '\000\040' '\000\040' && predict_says "silence" 'silent (all samples equal)' odd.wav
wav odd.wav 1 1 4000 16 10 16 '\377\177' '\000\200' && predict_says "clipping" 'clipped, [0-9]*% of it' odd.wav
cat one.wav one.wav >odd.wav && predict_says "a file behind a file" 'ignoring 8044 bytes after the end' odd.wav
{ wav_head 1 1 4000 16 0 && tail -c +45 one.wav; } >odd.wav && "$STEADY" predict run one.wav odd.wav >out 2>err &&
    [ "$(cut -f2 out | uniq | wc -l)" = 1 ] && [ ! -s err ]
tell "predict: a WAV header of a stream, length 0, is read to the end" $?
rm -rf mixed && mkdir -p mixed/deeper && cp one.wav mixed && cp one.wav mixed/deeper && : >mixed/x.m4a && : >mixed/x.txt &&
    "$STEADY" predict run mixed >out 2>err && [ "$(cut -f1 out)" = mixed/one.wav ] &&
    [ "$(cat err)" = 'steady: note: not read: 2 files with other suffixes or subfolders (first: mixed/x.m4a); name a file to read it anyway' ]
tell "predict: what is passed over in a folder is said" $?
rm -r mixed/one.wav mixed/deeper && fails 3 'mixed: no recordings .*, only 1 files of other kinds (first: mixed/x.m4a)' predict run mixed
tell "predict: a folder of other kinds alone" $?
printf '\000\000\000\040ftypM4A \000\000\000\000' >odd.wav && fails 3 'odd.wav is an MPEG-4 file (m4a.*ffmpeg -i odd.wav' predict run odd.wav
tell "predict: an m4a file is named" $?
printf '\000' >>same.wav && "$STEADY" predict unusual same.wav >out && speak short.wav 4000 0 8 &&
    { wav_head 1 1 4000 16 2 && printf '\001\000'; } >short.wav && "$STEADY" predict unusual short.wav >out &&
    [ "$(cat out)" = 'short.wav	' ] && "$STEADY" predict unusual short.wav --logits >out &&
    grep -q '"output":"","logits":\[\]' out
tell "a recording of one sample: no words" $?

# ---- transcripts ----

# The third line replaced.
line() { again && sed -i "3s/.*/$1/" $lines; }
fault() { # NAME PATTERN COUNTED
    refused "$1" 3 "$2.*$3)"
    skips "$3" "^$2"
    tell "... left out" $?
}
line '1-7-0009 SEVEN' && rm $chapter/1-7-0002.wav
fault "a line without a recording" "$lines:3: missing recording 1-7-0009" '1 transcript without a recording'
again && sed -i 3d $lines
fault "a recording without a line" "$chapter/1-7-0002.wav: no .trans.txt file in its folder" '1 recording without a transcript'
again && rm $lines && refused "a chapter without transcripts" 3 '1-7-0000.wav: no .trans.txt.*no utterance is usable.*4 recordings without'
line '1-7-0002 SEVEN 11'
fault "a character without a label" "$lines:3: .*'1'" '1 with unknown characters'
line '1-7-0002 D\xc3\x89J\xc3\x80'
fault "a letter with an accent" "$lines:3: .*U+00" '1 with unknown characters'
line '1-7-0002 ALL THESE WORDS IN THE ONE SECOND THAT THERE IS ARE FAR TOO MANY'
fault "an utterance too short for its text" "$lines:3: .*1-7-0002.wav: .*CTC cannot align" '1 too short for its text'
line '1-7-0002'
fault "an ID and no words" "$lines:3: no words in the text" '1 empty transcript'
line '1-7-0002   '
fault "an ID and blanks" "$lines:3: no words in the text" '1 empty transcript'
line '1-7-0002 ONE' && sed -i '$s/.*/1-7-0001 ONE/' $lines && rm $chapter/1-7-0003.wav
fault "a line twice" "$lines:4: duplicate ID 1-7-0001" '1 malformed line'
line ' 1-7-0002 ONE' && rm $chapter/1-7-0002.wav
fault "a line that begins with a blank" "$lines:3: the line begins with a space" '1 malformed line'
line '1-7-0002 ONE \xe9' && rm $chapter/1-7-0002.wav
fault "transcripts that are no UTF-8" "$lines:3: byte 14 of the line (0xe9) is not UTF-8" '1 malformed line'
again && sed -i '3s/.*//' $lines && rm $chapter/1-7-0002.wav && "$STEADY" train bad.ini --out new --no-report 2>err
tell "an empty line is none" $?
rm -rf new

# All at once: counted by kind, the first is named.
again && : >$chapter/1-7-0000.wav && sed -i '2s/ONE/1/; 3d' $lines && echo '1-7-0004 ONE' >>$lines
refused "all kinds are counted at once" 3 \
    '1 transcript without a recording, 1 recording without a transcript, 1 with unknown characters, 1 broken recording)'
"$STEADY" train bad.ini --out new --no-report 2>err
[ $? = 3 ] && [ "$(grep -c "^$chapter" err)" = 4 ]
tell "... and each is named" $?
skips '1 transcript without a recording, 1 recording without a transcript, 1 with unknown characters, 1 broken recording' \
    'of 5 utterances skipped' && [ "$(grep -c "^$chapter" err)" = 4 ]
tell "... and each is named where they are left out" $?
for i in 0 1 2 3; do : >$chapter/1-7-000$i.wav; done
refused "none is good" 3 'no utterance is usable' data.on_error=skip

# ---- folders ----

refused "a path that is not there" 3 'nowhere' data.path=nowhere
refused "no path" 2 'data.path' data.path=
refused "a file for a folder" 3 'bad.ini' data.path=bad.ini
mkdir void && refused "an empty folder" 3 'void' data.path=void
mkdir void/train && refused "an empty split" 3 'no utterances' data.path=void
again && refused "a split that is not there" 3 'has no folder train-other' data.train_split=train-other
refused "a val split that is not there" 3 'has no folder dev-other' data.val_split=dev-other
refused "a val path that is not there" 3 'nowhere' data.val_path=nowhere
refused "... nor is one cut off instead" 3 'nowhere' data.val_path=nowhere data.val_fraction=0.25
mkdir -p above && cp -r good above/LibriSpeech && mkdir above/LibriSpeech/dev-clean &&
    refused "the folder above LibriSpeech's" 3 \
        'above/LibriSpeech contains the split dev-clean, not speakers; set data.path=\./above/LibriSpeech' data.path=above
refused "all splits as one" 3 'LibriSpeech contains the split dev-clean' data.val_path=above/LibriSpeech
mkdir -p corpus/dev-clean && refused "an empty val split" 3 'no utterances in dev-clean'
cp -r good/train/1 corpus/dev-clean && : >corpus/dev-clean/1/7/1-7-0003.wav
refused "a broken recording of the val split" 3 'dev-clean/1/7/1-7.trans.txt:4: .*0003.wav is empty'
"$STEADY" train bad.ini data.on_error=skip --out new --no-report 2>err && grep -q 'note: val: of 4 utterances skipped: 1 broken' err &&
    grep -q '"split":"val".*"count":3,.*"skipped":1' new/eval.jsonl
tell "... left out, and counted in the score" $?
rm -rf new && again
fails 3 'dev-other' eval run data.test_split=dev-other
tell "eval names a split that is not there" $?
fails 3 'test' predict run
tell "predict without recordings and without a test split" $?

# ---- recipes ----

refused "more in a batch than there are" 2 'train.batch = 5 is more than the 4 utterances' train.batch_seconds=0 train.batch=5
refused "more micro-batches than buckets" 2 'fewer than train.accumulate = 9' train.accumulate=9
refused "a batch that has no equal parts" 2 'train.batch = 3 is not a multiple' train.batch_seconds=0 train.batch=3 train.accumulate=2
refused "positions of pictures" 2 'model.position = sincos is not for speech' model.position=sincos
refused "masks of pictures" 2 'data.augment = flip' data.augment=flip
refused "masks with too many numbers" 2 'specaugment' data.augment=specaugment:1:2:3:4:0.5:6
refused "a score of pictures" 2 'train.best = top1' train.best=top1
refused "too few learned positions" 3 '1-7-0002.wav has 36 rows, more than the model.context = 35' model.position=learned model.context=35
refused "too few of them for a slower voice" 3 '1-7-0003.wav has 44 rows at speed 0.9, more than the model.context = 43' \
    model.position=learned model.context=43 data.augment=speed
"$STEADY" train bad.ini model.position=learned model.context=44 data.augment=speed train.steps=6 --out new --no-report 2>err
tell "... and just enough" $?
rm -rf new
refused "an augmentation that nobody has" 2 'unknown "Speed".*for speech: speed, specaugment' data.augment=Speed
"$STEADY" train bad.ini model.position=learned model.context=50 --out learned --no-report 2>err &&
    mkdir -p long/test-clean/1/7 && speak long/test-clean/1/7/1-7-0000.wav 4000 30 8 &&
    echo '1-7-0000 ONE' >long/test-clean/1/7/1-7.trans.txt &&
    fails 3 '1-7-0000.wav.* 100 rows.*50' eval learned data.path=long
tell "eval of a recording with more rows than learned positions" $?
fails 3 '1-7-0000.wav.* 100 rows.*50' predict learned long && "$STEADY" predict learned long good \
    data.on_error=skip >out 2>err && [ "$(wc -l <out)" = 4 ] && grep -q 'skipped: .*1-7-0000.wav' err
tell "... and predict" $?
fails 3 '1-7-0000.wav.* 100 rows.*50' predict learned data.path=long
tell "... of the test split" $?

# ---- manifests ----

cp good/train/1/7/*.wav .
good='{"audio_filepath": "1-7-0000.wav", "duration": 0.9, "text": "one"}'
other=$(echo "$good" | sed 's/0000/0001/')
manifest() { # NAME PATTERN THIRD-LINE
    { echo "$good" && echo "$other" && echo "$3"; } >list.json
    refused "a manifest: $1" 3 "list.json:3: .*$2" data.source=manifest data.path=list.json
}
mkdir beside && cp good/train/1/7/1-7-0000.wav beside/train_0.wav && cp beside/train_0.wav beside/test_0.wav &&
    for i in 1 2 3 4; do echo '{"audio_filepath": "train_0.wav", "text": "one"}'; done >beside/train.json &&
    "$STEADY" train bad.ini data.source=manifest data.path=beside --out new --no-report 2>err &&
    grep -q '^train: 4 utterances' err && ! grep -q '^test' err
tell "recordings beside a manifest, named as it is, are no manifests" $?
rm -rf new
manifest "broken JSON" 'not JSON' '{"audio_filepath": "1-7-0001.wav", "text"'
manifest "no object" 'not a JSON object' '[1]'
manifest "a name twice" 'not JSON: duplicate' '{"text": "one", "text": "two", "audio_filepath": "1-7-0001.wav"}'
manifest "no path" '"audio_filepath" is missing (keys of this line' '{"text": "one"}'
manifest "a path that is a number" '"audio_filepath" is not a string but a number' '{"audio_filepath": 7, "text": "one"}'
manifest "an empty path" 'path is empty' '{"audio_filepath": "", "text": "one"}'
manifest "no text" '"text" is missing (keys of this line' '{"audio_filepath": "1-7-0001.wav"}'
manifest "no duration" '"duration" is not a number' '{"audio_filepath": "1-7-0001.wav", "text": "one", "duration": "long"}'
manifest "an offset in quotes" '"offset" is not a number' '{"audio_filepath": "1-7-0001.wav", "text": "one", "offset": "1.5"}'
manifest "an offset behind the end" 'has nothing from 1.5 s on' '{"audio_filepath": "1-7-0001.wav", "text": "one", "offset": 1.5}'
manifest "another key" 'keys of this line: audio, text; expected: audio_filepath, text' '{"audio": "1-7-0001.wav", "text": "one"}'
manifest "a recording that is not there" 'nowhere.wav cannot be opened.*1 transcript without a recording)' \
    '{"audio_filepath": "nowhere.wav", "text": "one"}'
manifest "a NUL in a path" '' '{"audio_filepath": "1-7\u0000.wav", "text": "one"}'
manifest "a NUL in a text" '' '{"audio_filepath": "1-7-0001.wav", "text": "one\u0000two"}'
printf '1-7-0000.wav\t0.9\tone\n1-7-0001.wav\n' >list.tsv
refused "a manifest: a path alone" 3 'list.tsv:2: expected a JSON object, or path and text' data.source=manifest data.path=list.tsv
printf '1-7-0000.wav\t0.9\tone\n1-7-0001.wav\tlong\tone\n' >list.tsv
refused "a manifest: a duration that is none" 3 'list.tsv:2: the second column, "long", is not' data.source=manifest data.path=list.tsv
{ echo "$good" && echo "$good" && echo "$good" && echo "$good" | sed 's/0\.9/5/'; } >list.json
"$STEADY" train bad.ini data.source=manifest data.path=list.json --out new --no-report 2>err &&
    grep -q 'note: train: recordings that are shorter than .*1 of 4 (first: ./list.json:4: .*1-7-0000.wav lasts [0-9.]* s, not 5.00 s' err &&
    [ "$(grep -c 'note: .*are shorter than' err)" = 1 ]
tell "a manifest: a longer duration than the recording has is said" $?
rm -rf new
echo "[$good]" >list.json
refused "a manifest: one array" 3 'list.json:1: this is a JSON array; expected one JSON object per line' data.source=manifest data.path=list.json
printf 'client_id\tpath\tsentence\nx\t1-7-0000.wav\tone\n' >list.tsv
refused "a manifest: columns of Common Voice" 3 'list.tsv:1: .*columns of another kind of list; expected' data.source=manifest data.path=list.tsv
# All at once, with the lines that are no utterances; left out, counted and named.
{ echo "$good" && echo '{"text": "two"}' && echo "$other" && echo '{' && echo "$good" | sed 's/one/2/' &&
    echo "$good" | sed 's/0\.9/0/' && echo "$other"; } >list.json
refused "a manifest: all faults at once" 3 'list.json:2: .*1 with unknown characters, 3 malformed lines)' data.source=manifest data.path=list.json
"$STEADY" train bad.ini data.source=manifest data.path=list.json --out new --no-report 2>err
[ $? = 3 ] && [ "$(grep -c '^./list.json:[2456]: ' err)" = 4 ]
tell "... each with its line" $?
"$STEADY" train bad.ini data.source=manifest data.path=list.json data.on_error=skip --out new --no-report 2>err &&
    grep -q 'note: train: of 7 utterances skipped: 1 with unknown characters, 3 malformed lines (first: ./list.json:2: ' err &&
    grep -q 'utterances that are listed more than once: 1 of 3' err && grep -q '3 malformed lines' new/data.json
tell "... left out, counted and named" $?
rm -rf new
# A talk of two seconds, low and then high, is two utterances; each is as the piece alone.
{ wav_head 1 1 4000 16 16000 && wave 4000 8 '\000\040' '\000\340' && wave 4000 32 '\000\040' '\000\340'; } >talk.wav
speak low.wav 4000 10 8 && speak high.wav 4000 10 32
for piece in '0, "duration": 1, "text": "one"' '1.0, "text": "two"'; do
    echo "{\"audio_filepath\": \"talk.wav\", \"offset\": $piece}"
done >pieces.json
"$STEADY" predict run --logits data.source=manifest data.test_path=pieces.json 2>err | sed 's/"input".*"output"//' >a &&
    "$STEADY" predict run --logits low.wav high.wav | sed 's/"input".*"output"//' | cmp - a &&
    [ "$("$STEADY" predict run data.source=manifest data.test_path=pieces.json 2>err | cut -f1)" = './talk.wav@0
./talk.wav@1' ] && grep -q 'note: test: recordings of which the manifest .* uses a part: 2 of 2' err
tell "a manifest: offset and duration cut the recording" $?
"$STEADY" train bad.ini data.source=manifest data.path=pieces.json data.val_path=pieces.json --out new --no-report 2>err &&
    grep -q 'note: val: utterances that are also in the training set: 2 of 2' err && grep -q '"id":"talk@1"' new/eval.jsonl &&
    "$STEADY" eval new --split val >out && grep -q '"words":2,.*"count":2' out
tell "... in training and eval; a validation that is the training data is said" $?
rm -rf new
speak still.wav 4000 0 8 && wav still.wav 1 1 4000 16 10 8 '\000\020' '\000\020'
{ echo "$good" && echo "$other" && echo "$good" | sed 's/1-7-0000/still/'; } >list.json
"$STEADY" train bad.ini data.source=manifest data.path=list.json --out new --no-report 2>err &&
    grep -q 'note: train: silent recordings (all samples equal): 1 of 3 (first: .*still.wav)' err && grep -q 'silent recordings' new/data.json
tell "a silent recording is said" $?
rm -rf new
echo "$good" | sed 's/1-7-0000/still/' >list.json
refused "nothing but silence" 3 'all 1 recordings are silent' data.source=manifest data.path=list.json
printf '\n\n' >list.tsv
refused "a manifest of blank lines" 3 'no utterances' data.source=manifest data.path=list.tsv
mkdir -p lists/train.json && refused "a folder for a manifest" 3 'lists' data.source=manifest data.path=lists
refused "the same by its name" 3 'train.json is not a regular file' data.source=manifest data.train_split=lists/train.json \
    data.path=lists
refused "a manifest that is not there" 3 'nowhere.json' data.source=manifest data.path=nowhere.json

# ---- damage that comes later ----

# A FLAC file of five frames, each the same number over and over; one of them is changed.  Its ends, all
# that is looked at before, are whole.
flac=ZkxhQwAAACIQABAAAAAMAAAOAPoA8AAATiB/+UZbfenIP3pSWj9ZmatnhAAAKCAAAAByZWZlcmVuY2UgbGliRkxBQyAxLjQuMiAyMDIyMTAyMgAAAAD/
flac=$flac+MwIAASwASB91wz/+MwIAQSlASB9Kwn/+MwIAgSaASB9rwP/+MwIAwSPASB9Uwb/+HwIBA4fBFEBIH2L1w==
again && rm $chapter/1-7-0002.wav
sed -i 's/batch_seconds = 8/batch_seconds = 60/' bad.ini
if echo $flac | base64 -d >$chapter/1-7-0002.flac 2>/dev/null; then
    "$STEADY" train bad.ini --out new --no-report 2>err && grep -q '^train: 4 utterances' err
    tell "FLAC" $?
    rm -rf new
    cp $chapter/1-7-0002.flac known.flac
    printf '\360\000\000\000\000' | dd of=$chapter/1-7-0002.flac bs=1 seek=21 conv=notrunc 2>/dev/null
    "$STEADY" train bad.ini --out new --no-report 2>err && grep -q '^train: 4 utterances' err &&
        "$STEADY" predict run known.flac >a && "$STEADY" predict run $chapter/1-7-0002.flac >b &&
        [ "$(cut -f2 a)" = "$(cut -f2 b)" ]
    tell "a FLAC file that went through a pipe, and does not say how long it is, is read to its end" $?
    rm -rf new
    mv known.flac $chapter/1-7-0002.flac
    printf '\125' | dd of=$chapter/1-7-0002.flac bs=1 seek=123 conv=notrunc 2>/dev/null
    refused "damage in the middle of a FLAC file is found before the first step" 3 \
        '1-7.trans.txt:3: .*1-7-0002.flac is truncated or damaged.*1 broken recording)'
    "$STEADY" train bad.ini data.on_error=skip data.val_path=corpus/train --out new --no-report 2>err &&
        [ "$(wc -l <new/train.jsonl)" = 2 ] && grep -q 'note: train: of 4 utterances skipped: 1 broken .*1-7-0002.flac is truncated or damaged' err &&
        grep -q 'note: val: of 4 utterances skipped: .*1-7-0002.flac' err && grep -q '"split":"val".*"count":3,.*"skipped":1' new/eval.jsonl
    tell "... left out, named and counted" $?
    fails 3 '1-7-0002.flac is truncated or damaged' eval run data.test_path=corpus/train &&
        "$STEADY" eval run data.test_path=corpus/train data.on_error=skip >out 2>err &&
        grep -q '"count":3,.*"skipped":1' out && [ "$(grep -c 'note: test: of 4 utterances skipped: ' err)" = 1 ]
    tell "... in eval" $?
    fails 3 '1-7-0002.flac is truncated or damaged' predict run data.test_path=corpus/train &&
        "$STEADY" predict run data.test_path=corpus/train data.on_error=skip >out 2>err &&
        [ "$(wc -l <out)" = 3 ] && grep -q 'note: test: of 4 utterances skipped: .*1-7-0002.flac is truncated or damaged' err
    tell "... in predict" $?
    rm -rf new
else
    echo "skip damage in the middle of a FLAC file: needs base64"
fi

# A recording that is replaced while the run goes on, and no cache to hide it.
again
"$STEADY" train bad.ini data.cache=0 train.steps=1000000 train.checkpoint_every=1000000 --out new --no-report 2>err &
pid=$!
until [ -f new/train.jsonl ] && [ "$(wc -l <new/train.jsonl)" -ge 2 ]; do kill -0 $pid || break; done
speak other.wav 4000 5 8 && mv other.wav $chapter/1-7-0001.wav
wait $pid
[ $? = 3 ] && grep -q '^steady train: .*1-7-0001.wav has changed since it was checked' err
tell "a recording that changes while the run goes on: exit 3" $?
again && rm -rf new
"$STEADY" train bad.ini data.cache=0 data.on_error=skip train.batch_seconds=0 train.batch=2 train.steps=1000000 \
    train.checkpoint_every=1000000 --out new --no-report 2>err &
pid=$!
until [ -f new/train.jsonl ] && [ "$(wc -l <new/train.jsonl)" -ge 2 ]; do kill -0 $pid || break; done
speak other.wav 4000 5 8 && mv other.wav $chapter/1-7-0001.wav
until grep -q '"event":"skip"' new/train.jsonl; do kill -0 $pid || break; done
rows=$(wc -l <new/train.jsonl)
until [ "$(wc -l <new/train.jsonl)" -ge $((rows + 12)) ]; do kill -0 $pid || break; done
kill -s TERM $pid
wait $pid
[ $? = 75 ] && grep -q '^{"step":[0-9]*,"event":"skip","text":"[^"]*1-7-0001.wav has changed since.* (1 of 4 so far)","count":1}' new/train.jsonl &&
    [ "$(grep -c '"event":"skip"' new/train.jsonl)" = 1 ] &&
    grep -q '^skipped: .*1-7-0001.wav has changed since' err && ! grep -q 'note: train: skipped: ' err
tell "... with data.on_error = skip another takes its place, and the log has one row of it" $?

# An hour, at 0.9 of its speed.
rm -rf new clips && mkdir clips && { wav_head 1 1 8000 8 28760000 && printf '\001\377'; } >clips/hour.wav
truncate -s 28760044 clips/hour.wav
echo '{"audio_filepath": "clips/hour.wav", "text": "one two"}' >hour.json
recipe="bad.ini data.source=manifest data.path=hour.json train.batch_seconds=9999 data.augment=speed"
refused "dropout has no masks for an hour at speed 0.9" 3 \
    'hour.wav has 133148 rows at speed 0.9: with model.dropout = 0.1 at most 131072; .*model.dropout=0$' model.dropout=0.1
refused "nor if it begins on the way" 3 'with intervene.at: .*hour.wav has 133148 rows' \
    intervene.at=1 intervene.model.dropout=0.1
