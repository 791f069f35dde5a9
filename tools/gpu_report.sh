#!/usr/bin/env bash
# Prove and measure this project on a GPU within minutes, without network.
#
#   bash tools/gpu_report.sh [--wheels DIR] [--minutes 9] [--out DIR]
#        [--data DIR] [--device cuda|cpu] [--quick] [--parts NAME ...]
#
# The wheels (tools/gpu_wheels.sh fetches them) go into a folder of their own,
# OUT/site; the machine's torch is used as it is, and nothing else is changed.
# PYTHON (python3) has it. Parts run in order of worth, each with a limit of
# time; what was found so far is always in OUT/report.json and OUT/report.md.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
python="${PYTHON:-python3}"
wheels='' out=gpu_report
started="$(date +%s)"
others=()
while [ $# -gt 0 ]; do
    case "$1" in
    --wheels) wheels="${2:?--wheels DIR}"; shift 2 ;;
    --out) out="${2:?--out DIR}"; shift 2 ;;
    *) others+=("$1"); shift ;;
    esac
done
mkdir -p "$out"
out="$(cd "$out" && pwd)"
path="$root/projects/lmim:$root/tools"
if [ -n "$wheels" ]; then
    "$python" -m pip --disable-pip-version-check install -q --no-index \
        --no-deps --no-compile --upgrade --target "$out/site" "$wheels"/*.whl
    path="$path:$out/site"
fi
export PYTHONPATH="$path${PYTHONPATH:+:$PYTHONPATH}"
# What was set up is paid from the minutes.
exec "$python" "$root/tools/gpu_report" --out "$out" --started "$started" \
    ${others[@]+"${others[@]}"}
