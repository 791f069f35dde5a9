#!/usr/bin/env bash
# Lint, type checks and tests, in an environment that is made where there is
# none. Arguments go to pytest: `bash tools/run_tests.sh tests/models -x`.
# Ends with pytest's summary; fails if any of the three did.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. tools/setup_env.sh

# The one place where the versions of these tools are pinned.
pins=('pytest==9.2.0' 'pytest-xdist==3.8.0' 'ruff==0.17.5' 'mypy==2.4.1'
      'safetensors==0.8.0' 'opencc==1.4.2' 'tensorboard==2.21.0' 'mkdocs==1.6.1'
      'mkdocs-material==9.8.1' 'onnx==1.23.2' 'onnxruntime==1.31.1'
      'onnxscript==0.7.2' 'gradio==6.31.0' 'selenium==4.51.0')
if "$PYTHON" -c 'import sys; sys.exit(sys.version_info >= (3, 10))'; then
    # the last ones for Python 3.9
    pins=('pytest<9' 'pytest-xdist' 'ruff' 'mypy<2' 'safetensors' 'opencc'
          'tensorboard'
          'mkdocs<2' 'mkdocs-material' 'onnx' 'onnxruntime' 'onnxscript')
fi
missing=()
for pin in "${pins[@]}"; do
    "$PYTHON" -c "import importlib.metadata as found
found.version('${pin%%[=<]*}')" 2>/dev/null || missing+=("$pin")
done
if [ "${#missing[@]}" -gt 0 ]; then
    echo "[tests] installing ${missing[*]}"
    "$PYTHON" -m pip --disable-pip-version-check install -q \
        --progress-bar off "${missing[@]}" 2>&1 | grep -v '^WARNING'
    [ "${PIPESTATUS[0]}" -eq 0 ] || {
        echo "tests: pip could not install ${missing[*]}" >&2; exit 1; }
fi

# One thread a process: the models are tiny, and cores are shared with the
# processes that the tests start. Test files run on two to four cores at once
# (LMIM_TEST_WORKERS=0: one after another).
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
cores="$("$PYTHON" -c 'import os
print(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity")
      else os.cpu_count())')"
workers="${LMIM_TEST_WORKERS:-$((cores < 4 ? cores : 4))}"

failed=()
echo '[tests] ruff'
"$PYTHON" -m ruff check . || failed+=(ruff)
echo '[tests] mypy'
"$PYTHON" -m mypy || failed+=(mypy)
[ "${#failed[@]}" -eq 0 ] || echo "[tests] failed so far: ${failed[*]}"
echo '[tests] pytest'
"$PYTHON" -m pytest -n "$workers" --dist loadfile --durations=15 "$@"
status=$?
[ "$status" -ne 0 ] || [ "${#failed[@]}" -eq 0 ] || status=1
exit "$status"
