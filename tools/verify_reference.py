"""Compare this implementation with numbers computed by the published code.

A reference file (``.npz``) holds a small model of the published code: its
weights (``state.*``, the authors' names), its sizes (``meta``), inputs and
what came out of them. The weights are carried over by the project's
converter, the project's modules run, and the largest error of each output is
printed.
"""
import argparse
import json
import sys
from pathlib import Path
from typing import List, Optional, Sequence, Tuple

import numpy as np

import _import_lmim  # noqa: F401  (finds lmim without an installation)

# isort: split
import lmim  # noqa: F401  (before anything of MMOCR)

# isort: split
from _reference_checks import (
    Check,
    IncompleteReference,
    Reference,
    check_pretrain,
    check_recognizer,
)


def verify(path: Path) -> Tuple[str, List[Check]]:
    """Recognise a reference file and run its checks.

    Raises:
        SystemExit: If the file is none, or lacks a part.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            ref = Reference(file)
    except (OSError, ValueError) as error:
        sys.exit(f'{path} is no readable .npz file: {error}')
    kinds = {6: ('pre-training', check_pretrain),
             8: ('recognizer', check_recognizer)}
    meta = ref.get('meta')
    if meta is None or meta.size not in kinds:
        sys.exit(f'{path} is no reference file: it needs `meta` with 6 sizes '
                 '(pre-training) or 8 (recognizer)')
    kind, check = kinds[meta.size]
    try:
        return kind, list(check(ref))
    except IncompleteReference as error:
        sys.exit(f'{path} lacks {error}, which a {kind} reference has')


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Print the errors; return 1 where one is too large, else 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('file', type=Path, help='reference numbers, .npz')
    parser.add_argument('--json', action='store_true',
                        help='print JSON instead of a table')
    args = parser.parse_args(argv)
    kind, checks = verify(args.file)
    passed = all(check.passed for check in checks)
    if args.json:
        rows = [dict(check._asdict(), passed=check.passed) for check in checks]
        print(json.dumps(dict(file=str(args.file), kind=kind, passed=passed,
                              checks=rows), indent=2))
    else:
        for check in checks:
            mark = 'ok  ' if check.passed else 'MISS'
            print(f'{mark} {check.error:9.2e} (allowed {check.tolerance:.0e})'
                  f'  {check.name}')
        missed = sum(not check.passed for check in checks)
        print(f'{kind}: {len(checks)} outputs compared, {missed} missed')
    return int(not passed)


if __name__ == '__main__':
    sys.exit(main())
