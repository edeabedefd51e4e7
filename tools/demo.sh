#!/bin/sh
# make demo: entropy collapse, and its cure, in about a minute.  Needs no data.
#
# Trains the recipes `demo` and `demo-sigma` side by side with the program in $STEADY and draws
# both into runs/demo.png.  The runs are the cells of the sweep runs/demo-pair; they are linked
# as runs/demo-baseline and runs/demo-sigma, unless there are other runs of these names.

steady=${STEADY:-build/steady}
out=runs/demo-pair

cat <<'END_OF_TEXT'
One small vision transformer, trained twice at a learning rate that is too high for it:

  demo         the usual way: LayerNorm, plain weights
  demo-sigma   sigma-reparametrised weights, no LayerNorm

END_OF_TEXT

if [ -e $out ] && [ ! -e $out/sweep.json ]; then
    echo "$out was not made by this demo; move it out of the way" >&2
    exit 1
fi
rm -rf $out runs/demo.png
[ -t 1 ] && echo "watch it in another terminal: $steady watch $out"
"$steady" sweep demo,demo-sigma --jobs 2 --reports --out $out >/dev/null || exit

link() { # CELL NAME: prints the path that it can be found at
    if [ -L "$2" ] || [ ! -e "$2" ]; then
        rm -f "$2" && ln -s "${out#runs/}/cells/$1" "$2" && echo "$2" && return
    fi
    echo "$out/cells/$1"
}
baseline=$(link demo runs/demo-baseline)
sigma=$(link demo-sigma runs/demo-sigma)
"$steady" plot "$baseline" "$sigma" -o runs/demo.png || exit

# A row for each run, in plain words; columns are found by their titles.
awk -F, '
NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i
          printf "\n%-12s  %8s  %14s  %13s  %s\n", "", "accuracy", "lowest entropy",
                 "largest logit", "what happened"; next }
{ fate = $column["diverged"] == "yes" ? "did not learn: " $column["verdict"] : "learned"
  if ($column["verdict"] ~ /^(hardly|not) learned$/) fate = $column["verdict"]
  if ($column["collapsed"] == "yes") fate = "attention collapsed, " $column["entropy_site"]
  printf "%-12s  %6.1f %%  %12.1f %%  %13.0f  %s\n", $column["recipe"],
         100 * $column["score"], 100 * $column["site_entropy"], $column["max_logit"], fate }
' $out/sweep.csv

cat <<END_OF_TEXT

accuracy: on drawings that were not trained on; guessing gives 10 %
entropy: of a site, the attention of a block (mean over its heads), as a share of the largest
that is possible; the lowest of all blocks;
under 10 % it has collapsed: nearly all attention goes to one token

picture   runs/demo.png
reports   $baseline/report.html  $sigma/report.html
next      $steady sweep demo,demo-sigma optim.lr=0.003,0.01,0.03 --jobs 2
          $steady train tones-sigma; $steady predict runs/tones-sigma --limit 5     (speech, needs no files)
          $steady train mnist-sigma data.path=FOLDER     (more: $steady recipes)
END_OF_TEXT
