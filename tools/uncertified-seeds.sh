#!/usr/bin/env bash
# Does training by power iteration leave blocks that the proof does not certify? Trains many seeds on moons and verifies each.
# usage: tools/uncertified-seeds.sh [SEEDS] [STEPS] [more options of train]     (build first: dotnet build -c Release; needs jq)
# LIPSCHITZ names another program, MODEL another preset.
set -euo pipefail
seeds=${1:-20} steps=${2:-300} model=${MODEL:-idensenet-lc}; shift $(($# < 2 ? $# : 2))
lipschitz=${LIPSCHITZ:-$(cd "$(dirname "$0")/.." && pwd)/artifacts/bin/Lipschitz.Cli/release/lipschitz}
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT

for ((seed = 0; seed < seeds; seed++)); do
  run=$work/$seed
  "$lipschitz" train moons --model "$model" --steps "$steps" --seed "$seed" --out "$run" "$@" >"$run.log"
  code=0; "$lipschitz" verify "$run" --json >"$run.json" 2>"$run.error" || code=$?
  [[ $code == 0 || $code == 5 ]] || { cat "$run.error"; exit 1; }
  # Norms of layers stand in the certificate, and there is one only where every block is below 1.
  excess=null
  if [[ $code == 0 ]]; then
    excess=$(jq --slurpfile config "$run/config.json" '[.. | objects | .bound // empty] | max / $config[0].model.coefficient - 1' "$run/certificate.json")
  fi
  jq -c --argjson seed "$seed" --argjson excess "$excess" '{ seed: $seed, blocks: .blocks | length,
    uncertified: [.blocks[] | select(.bound >= 1)] | length, product: [.blocks[].product] | max,
    overEstimate: [.blocks[] | .product / .estimate - 1] | max, overCoefficient: $excess }' "$run.json" | tee -a "$work/all"
  [[ $code == 0 ]] || cat "$run.error"
done

jq -rs '"\(length) runs of \(.[0].blocks) blocks: \(map(select(.uncertified > 0)) | length) runs and \(map(.uncertified) | add) blocks uncertified; "
  + "largest product bound \(map(.product) | max), over the product of estimated norms by \(map(.overEstimate) | max), "
  + "largest norm of a layer over its coefficient by \(map(.overCoefficient // 0) | max) (relative)"' "$work/all"
