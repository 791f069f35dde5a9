#!/usr/bin/env bash
# Train with several processes, one for each GPU (or on CPUs, where there is
# no GPU). Several machines: set NNODES, NODE_RANK and MASTER_ADDR on each.
#   tools/dist_train.sh CONFIG PROCESSES [options of tools/train.py]
set -euo pipefail
if [ $# -lt 2 ]; then
    echo "usage: $0 CONFIG PROCESSES [options of tools/train.py]" >&2
    exit 2
fi
CONFIG=$1
PROCESSES=$2
shift 2

exec python -m torch.distributed.run \
    --nnodes="${NNODES:-1}" \
    --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --master_port="${PORT:-29500}" \
    --nproc_per_node="$PROCESSES" \
    "$(dirname "${BASH_SOURCE[0]}")/train.py" \
    "$CONFIG" --launcher pytorch "$@"
