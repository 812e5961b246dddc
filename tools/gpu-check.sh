#!/usr/bin/env bash
# Everything that needs a GPU, in one call: tests on the real libraries, speeds, a training run.
#
#   tools/gpu-check.sh pack DIR            here: build the command and its tests, with the .NET runtime, into DIR/lipschitz.tar.gz
#   tools/gpu-check.sh run DIR OUT [DATA] [SECONDS]
#                                          there: unpack, run, write results into OUT; no .NET needed. DATA: a folder with CIFAR-10's
#                                          archive or batches (left out: no training run); SECONDS of training (default 240)
set -euo pipefail
cd "$(dirname "$0")/.."

pack() {
  local out=$1 work
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  for project in tests/Lipschitz.Cuda.Tests Lipschitz.Cli; do
    dotnet publish "$project" -c Release -r linux-x64 --self-contained -p:DebugType=none -p:GenerateDocumentationFile=false -o "$work/lipschitz" >&2
  done
  mkdir -p "$out"
  tar -C "$work" -czf "$out/lipschitz.tar.gz" lipschitz
  local bytes
  bytes=$(stat -c %s "$out/lipschitz.tar.gz")
  echo "$out/lipschitz.tar.gz: $((bytes / 1024 / 1024)) MiB"
  (( bytes < 60000000 )) || { echo "larger than 60 MB" >&2; exit 1; }
}

run() {
  local dir=$1 out=$2 data=${3:-} seconds=${4:-240} work
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  mkdir -p "$out"
  tar -C "$work" -xzf "$dir/lipschitz.tar.gz"
  local command="$work/lipschitz/lipschitz" status=0
  export DOTNET_CLI_TELEMETRY_OPTOUT=1

  nvidia-smi > "$out/nvidia-smi.txt" 2>&1 || true
  "$command" doctor --json | tee "$out/doctor.json"

  echo "== tests on the real libraries"
  LIPSCHITZ_CUDA_REAL=1 "$work/lipschitz/Lipschitz.Cuda.Tests" > "$out/tests.txt" 2>&1 || status=1
  tail -n 5 "$out/tests.txt"

  for precision in fp32 tf32; do
    echo "== products and convolutions, $precision"
    "$command" bench gemm --backend cuda --precision $precision --json > "$out/gemm-$precision.json" || status=1
    "$command" bench conv --backend cuda --precision $precision --json > "$out/conv-$precision.json" || status=1
    for data_set in mnist cifar10; do
      for model in resflow idensenet-lc; do
        "$command" bench step --data $data_set --model $model --batch 64 --steps 20 --backend cuda --precision $precision --json \
          > "$out/step-$data_set-$model-$precision.json" || status=1
        echo "$data_set $model $precision:" $(grep -E '"(msPerImage|fractionOfPeak|peakDeviceMiB)"' "$out/step-$data_set-$model-$precision.json")
      done
    done
  done

  if [[ -n $data ]]; then
    # Ctrl+C after the time saves a checkpoint; what was written until then is the result.
    echo "== training on CIFAR-10 for $seconds s"
    timeout -s INT "$seconds" "$command" train cifar10 --data "$data" --model idensenet-lc --backend cuda --precision tf32 --out "$out/cifar10" \
      --set training.testInterval=200 --set evaluation.points=256 > "$out/train.txt" 2>&1 || [[ $? == 124 || $? == 130 ]] || status=1
    tail -n 3 "$out/train.txt"
    rm -f "$out"/cifar10/training.safetensors
    "$command" plot "$out/cifar10" --out "$out/cifar10" --data "$data" --backend cuda > "$out/plot.txt" 2>&1 || status=1
  fi

  exit $status
}

case ${1:-} in
  pack) [[ $# == 2 ]] && pack "$2" && exit ;;
  run) [[ $# -ge 3 && $# -le 5 ]] && run "${@:2}" ;;
esac
sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
exit 2
