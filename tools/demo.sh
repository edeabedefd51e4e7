#!/bin/sh
# make demo: entropy collapse, and its cure, in about a minute.  Needs no data.
#
# Trains the recipes `demo` and `demo-sigma` side by side with the program in $STEADY, into
# runs/demo-pair, and draws both into runs/demo.png.

steady=${STEADY:-build/steady}
out=runs/demo-pair
picture=runs/demo.png

cat <<'END_OF_TEXT'
One small vision transformer, trained twice at a rate that is too high for it:

  demo         the usual way: LayerNorm, plain weights
  demo-sigma   sigma-reparametrised weights, no LayerNorm

END_OF_TEXT

if [ -e $out ] && [ ! -e $out/sweep.json ]; then
    echo "$out is in the way: it was not made by this demo" >&2
    exit 1
fi
rm -rf $out $picture
mkdir -p runs || exit 1
"$steady" sweep demo,demo-sigma --jobs 2 --reports --out $out >runs/demo-table.tmp
status=$?
rm -f runs/demo-table.tmp
[ $status = 0 ] || exit $status
"$steady" plot $out/cells/demo $out/cells/demo-sigma -o $picture || exit

# A row for each run, in plain words, from columns that are found by their titles.
awk -F, '
NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i
          printf "\n%-12s  %8s  %15s  %13s  %s\n", "", "accuracy", "lowest entropy",
                 "largest logit", "what happened"; next }
{ fate = $column["diverged"] == "yes" ? "did not learn: " $column["verdict"] : "learned"
  if ($column["collapsed"] == "yes") fate = "attention collapsed, " $column["entropy_site"]
  printf "%-12s  %6.1f %%  %13.1f %%  %13.0f  %s\n", $column["recipe"],
         100 * $column["score"], 100 * $column["entropy"], $column["max_logit"], fate }
' $out/sweep.csv

cat <<END_OF_TEXT

accuracy: on drawings that were not trained on; guessing gives 10 %
entropy: of attention, as a share of the largest that is possible; under 10 % it has collapsed:
each token looks at one other, whatever it is, and gradients hardly pass

picture   $picture
reports   $out/cells/demo/report.html  $out/cells/demo-sigma/report.html
next      $steady sweep demo,demo-sigma optim.lr=0.003,0.01,0.03 --jobs 2
          $steady train mnist-sigma data.path=FOLDER     (more: $steady recipes)
END_OF_TEXT
