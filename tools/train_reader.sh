#!/usr/bin/env bash
# Train the reader that the package ships, from pictures to the file.
#
#   LMIM_DATA_ROOT=data bash tools/train_reader.sh [options of tools/train.py]
#
# Needs real words with labels in $LMIM_DATA_ROOT/real/train/{iiit5k,svt,ic15,
# ic03_clean}, a word list (Debian's package wamerican-large) and fonts on the
# machine (the more the better: configs/reader/README.md names Debian's
# packages). Run again, it resumes where it was interrupted. About two hours on
# two cores with bfloat16. What may be set, with its defaults:
#
#   PROCESSES=2 WORDS=300000 DICTIONARY=/usr/share/dict/words WORK=work_dirs
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
. "$root/tools/setup_env.sh"
export LMIM_DATA_ROOT="${LMIM_DATA_ROOT:-data}"
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
export PYTHONPATH="$root/projects/lmim${PYTHONPATH:+:$PYTHONPATH}"
data="$LMIM_DATA_ROOT/reader"
real="$LMIM_DATA_ROOT/real/train"
work="${WORK:-work_dirs}"
mkdir -p "$data"

if [ ! -d "$data/words" ]; then
    "$PYTHON" -m lmim data split "$real"/{iiit5k,svt,ic15,ic03_clean} \
        "$data/words" --val 0.1 --by label --match '[!-~]{1,25}'
fi
# Words of the dictionary, rarer by a quarter for each letter above four, and
# those of the labels, which together come a quarter as often.
[ -f "$data/words.txt" ] || "$PYTHON" - "${DICTIONARY:-/usr/share/dict/words}" \
    "$data/words/train.lmdb" "$data/words.txt" <<'PY'
import math
import sys
from collections import Counter
from lmim.datasets.rendered_text_dataset import read_words
from lmim.utils.atomic import write_atomic
dictionary, labels, out = sys.argv[1:]
counts = Counter({
    word: math.exp(-0.3 * max(len(word) - 4, 0))
    for word, _ in read_words(dictionary) if word.isascii() and word.isalpha()})
seen = [word.lower() if word.isupper() else word
        for word, _ in read_words(labels)]
share = sum(counts.values()) / 4 / len(seen)
for word in seen:
    counts[word] += share
write_atomic(out, ''.join(
    f'{word}\t{count:.6g}\n' for word, count in counts.items()).encode())
PY
# The language that the reader heeds: weights/english.npz of the package.
[ -f "$data/english.npz" ] \
    || "$PYTHON" -m lmim data language "$data/words.txt" "$data/english.npz"
"$PYTHON" -m lmim data render "$data/rendered" --train "${WORDS:-300000}" \
    --test 1000 --words "$data/words.txt" --manner scene --style scene \
    --fonts matplotlib machine --same-fonts
"$PYTHON" -m torch.distributed.run --standalone \
    --nproc_per_node="${PROCESSES:-2}" "$root/tools/train.py" \
    "$root/configs/reader/ctc_reader.py" --launcher pytorch --resume \
    --precision auto --work-dir "$work/ctc_reader" "$@"
