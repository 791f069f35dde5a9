#!/usr/bin/env bash
# From pictures of words to a table: MAE teacher, LMIM, recognizer, evaluation.
#
#   bash tools/quickstart.sh                   # on words that it renders
#   bash tools/quickstart.sh --data PATH       # on your own pictures
#   bash tools/quickstart.sh --help
#
# Makes its environment where there is none, measures what the machine can do,
# and plans what fits into --minutes (8). Run again, it resumes where it was
# interrupted and repeats nothing that is done.
set -euo pipefail
export LMIM_QUICKSTART_BEGUN="${EPOCHSECONDS:-$(date +%s)}"
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
. "$root/tools/setup_env.sh"
exec "$PYTHON" "$root/tools/quickstart" "$@"
