#!/usr/bin/env bash
# Kills a training run with SIGKILL at random moments, resumes it each time, and compares the model with that of an uninterrupted run.
# usage: tools/kill-resume.sh [KILLS] [STEPS]        (build first: dotnet build -c Release)
set -euo pipefail
kills=${1:-10} steps=${2:-1500}
lipschitz=$(cd "$(dirname "$0")/.." && pwd)/artifacts/bin/Lipschitz.Cli/release/lipschitz
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
options=(--steps "$steps" --seed 7 --set training.checkpointInterval=50)

"$lipschitz" train moons "${options[@]}" --threads 1 --out "$work/one" >"$work/one.log"
"$lipschitz" train moons "${options[@]}" --threads 2 --out "$work/two" >"$work/two.log"

"$lipschitz" train moons "${options[@]}" --out "$work/killed" >"$work/killed.log" 2>&1 & pid=$!
for ((i = 1; i <= kills; i++)); do
  sleep "$(awk -v seed=$RANDOM 'BEGIN { srand(seed); print 0.8 + 2.5 * rand() }')"
  if ! kill -9 "$pid" 2>/dev/null; then echo "kill $i: the run had ended"; break; fi
  wait "$pid" 2>/dev/null || true
  last=$(tail -n 1 "$work/killed/metrics.jsonl" 2>/dev/null | grep -o '"step":[0-9]*' || true)
  echo "kill $i after ${last:-no metrics}"
  "$lipschitz" train moons --resume "$work/killed" >>"$work/killed.log" 2>&1 & pid=$!
done
wait "$pid"

sha256sum "$work"/{one,two,killed}/model.safetensors | sed "s#$work/##"
[[ $(sha256sum "$work"/{one,two,killed}/model.safetensors | cut -d' ' -f1 | sort -u | wc -l) == 1 ]] && echo "the three models are equal, bit for bit"
