#!/usr/bin/env bash
# Everything that needs a GPU, in one call: tests on the real libraries, speeds, a training run.
#
#   tools/gpu-check.sh pack DIR            here: build the command and its tests, with the .NET runtime, into DIR/lipschitz.tar.gz
#   tools/gpu-check.sh run DIR OUT [DATA] [SECONDS]
#                                          there: unpack, run, write results into OUT; no .NET needed. DATA: CIFAR-10's archive or a
#                                          folder with its batches (left out: no training run); SECONDS of training (default 240)
#   tools/gpu-check.sh rehearse DIR OUT DOUBLES [DATA]
#                                          here: the same on the tests' doubles in the folder DOUBLES, with tiny models and without the
#                                          timings of products and convolutions, which would take the doubles hours
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

benches="gemm conv"
step=(--batch 64 --steps 20)
train=(--set training.testInterval=200 --set evaluation.points=256)

pack() {
  local out=$1 bytes
  for project in tests/Lipschitz.Cuda.Tests Lipschitz.Cli; do
    dotnet publish "$project" -c Release -r linux-x64 --self-contained -p:DebugType=none -p:GenerateDocumentationFile=false -o "$work/lipschitz" >&2
  done
  mkdir -p "$out"
  tar -C "$work" -czf "$out/lipschitz.tar.gz" lipschitz
  bytes=$(stat -c %s "$out/lipschitz.tar.gz")
  echo "$out/lipschitz.tar.gz: $((bytes / 1024 / 1024)) MiB"
  (( bytes < 60000000 )) || { echo "larger than 60 MB" >&2; return 1; }
}

run() {
  local dir=$1 out=$2 data=${3:-} seconds=${4:-240} status=0
  mkdir -p "$out"
  tar -C "$work" -xzf "$dir/lipschitz.tar.gz"
  local command="$work/lipschitz/lipschitz"

  nvidia-smi > "$out/nvidia-smi.txt" 2>&1 || true
  "$command" doctor --json | tee "$out/doctor.json" || status=1

  echo "== tests on the libraries of this machine"
  LIPSCHITZ_CUDA_REAL=1 "$work/lipschitz/Lipschitz.Cuda.Tests" > "$out/tests.txt" 2>&1 || status=1
  tail -n 2 "$out/tests.txt"

  for precision in fp32 tf32; do
    for bench in $benches; do
      echo "== $bench, $precision"
      "$command" bench "$bench" --backend cuda --precision $precision --json > "$out/$bench-$precision.json" || status=1
    done
    for data_set in mnist cifar10; do
      for model in resflow idensenet-lc; do
        local file="$out/step-$data_set-$model-$precision.json"
        "$command" bench step --data $data_set --model $model "${step[@]}" --backend cuda --precision $precision --json > "$file" || status=1
        echo "$data_set $model $precision:" $(grep -E '"(msPerImage|fractionOfPeak|peakDeviceMiB)"' "$file")
      done
    done
  done

  if [[ -n $data ]]; then
    # Ctrl+C after the time saves a checkpoint; what was written until then is the result.
    echo "== training on CIFAR-10 for $seconds s"
    timeout -s INT "$seconds" "$command" train cifar10 --data "$data" --model idensenet-lc --backend cuda --precision tf32 --out "$out/cifar10" \
      "${train[@]}" > "$out/train.txt" 2>&1 || [[ $? == 124 || $? == 130 ]] || status=1
    tail -n 3 "$out/train.txt"
    rm -f "$out"/cifar10/training.safetensors
    "$command" plot "$out/cifar10" --out "$out/cifar10" --data "$data" --backend cuda > "$out/plot.txt" 2>&1 || status=1
    tail -n 2 "$out/plot.txt"
  fi

  (( status == 0 )) || echo "something failed: see the files in $out" >&2
  return $status
}

rehearse() {
  local dir=$1 out=$2 data=${4:-}
  local tiny=(--set model.image.blocks=[1,1] --set model.image.fullyConnected=0 --set model.depth=1 --set model.growth=4 --set model.hidden=[8,8])
  benches=""
  step=(--batch 2 --steps 2 "${tiny[@]}")
  train=(--set training.batch=2 --set evaluation.points=4 --set training.testInterval=5 "${tiny[@]}")
  LIPSCHITZ_CUDA_LIBRARIES=$(realpath "$3") run "$dir" "$out" "$data" 30
}

case ${1:-} in
  pack) [[ $# == 2 ]] && { pack "$2"; exit; } ;;
  run) [[ $# -ge 3 && $# -le 5 ]] && { run "${@:2}"; exit; } ;;
  rehearse) [[ $# -ge 4 && $# -le 5 ]] && { rehearse "${@:2}"; exit; } ;;
esac
sed -n '/^#   tools/,/^set/s/^# \{0,1\}//p' "$0" >&2
exit 2
