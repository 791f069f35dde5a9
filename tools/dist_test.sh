#!/usr/bin/env bash
# Test with several processes, one for each GPU (or on CPUs, where there is
# no GPU). Several machines: set NNODES, NODE_RANK and MASTER_ADDR on each.
#   tools/dist_test.sh CONFIG CHECKPOINT PROCESSES [options of tools/test.py]
set -euo pipefail
if [ $# -lt 3 ]; then
    echo "usage: $0 CONFIG CHECKPOINT PROCESSES [options of tools/test.py]" >&2
    exit 2
fi
CONFIG=$1
CHECKPOINT=$2
PROCESSES=$3
shift 3

exec python -m torch.distributed.run \
    --nnodes="${NNODES:-1}" \
    --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --master_port="${PORT:-29500}" \
    --nproc_per_node="$PROCESSES" \
    "$(dirname "${BASH_SOURCE[0]}")/test.py" \
    "$CONFIG" "$CHECKPOINT" --launcher pytorch "$@"
