"""Compare this implementation with numbers computed by the published code.

A reference file (``.npz``) holds a small model of the published code: its
weights (``state.*``, the authors' names), its sizes (``meta``), inputs and
what came out of them. The methods in ``tools/reference_checks`` are known, of
any sizes. The weights are carried over by the project's converter, the
project's modules run, and the largest error of each output is printed. A file
with an output that is not checked is refused; of masks by other methods, which
this project does not have, it is said.
"""
import argparse
import sys
from pathlib import Path
from typing import List, Optional, Sequence, Tuple

import numpy as np
import torch

import _import_lmim  # noqa: F401  (finds lmim without an installation)
import reference_checks  # noqa: F401  (fills KINDS)
from reference_checks.common import (KINDS, Check, IncompleteReference,
                                     Reference)

from lmim.utils.json_text import to_json

#: What describes the outputs and is no output.
DESCRIPTIVE = {'meta_names', 'target_lens'}


def verify(path: Path, device: str = 'cpu'
           ) -> Tuple[str, List[Check], List[str]]:
    """Recognise a reference file by its arrays and run its checks.

    Models and inputs are put on the device.

    Returns:
        Tuple: The kind of file, its checks, and the groups of arrays in it
        that this project does not compute.

    Raises:
        SystemExit: If the file is none, lacks a part, or has one too many.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            ref = Reference(file)
    except (OSError, ValueError) as error:
        sys.exit(f'{path} is no readable .npz file: {error}')
    kind = next((kind for kind in KINDS if ref.keys() >= set(kind.inputs)),
                None)
    if kind is None:
        wanted = '; '.join(f'{kind.name}: {", ".join(kind.inputs)}'
                           for kind in KINDS)
        sys.exit(f'{path} is no reference file that is known. It needs the '
                 f'arrays of one of these, and more: {wanted}')
    try:
        with torch.device(device):
            checks = list(kind.check(ref))
    except IncompleteReference as error:
        sys.exit(f'{path} lacks {error}, which a {kind.name} reference has')
    # Also what modules assert of their sizes.
    except (AssertionError, KeyError, RuntimeError, ValueError) as error:
        sys.exit(f'{path}: weights, inputs and `meta` of this {kind.name} '
                 f'reference do not fit one another: {error!r}')
    left = {name for name in ref.unread if name.startswith(kind.left)}
    unread = sorted(ref.unread - DESCRIPTIVE - left)
    if unread:
        sys.exit(f'{path} has more than a {kind.name} reference, and that is '
                 f'not checked: {", ".join(unread)}')
    return kind.name, checks, sorted({f'{name.partition(".")[0]}.*'
                                      for name in left})


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Print the errors; return 1 where one is too large, else 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('file', type=Path, help='reference numbers, .npz')
    parser.add_argument('--device', default='cpu', help='(default: cpu)')
    parser.add_argument('--json', action='store_true',
                        help='print JSON instead of a table')
    args = parser.parse_args(argv)
    kind, checks, left = verify(args.file, args.device)
    passed = all(check.passed for check in checks)
    if args.json:
        rows = [dict(check._asdict(), passed=check.passed) for check in checks]
        print(to_json(dict(file=str(args.file), kind=kind, passed=passed,
                           not_computed=left, checks=rows), indent=2))
    else:
        for check in checks:
            mark = 'ok  ' if check.passed else 'MISS'
            print(f'{mark} {check.error:9.2e} (allowed {check.tolerance:.0e})'
                  f'  {check.name}')
        missed = sum(not check.passed for check in checks)
        print(f'{kind}: {len(checks)} outputs compared, {missed} missed')
        if left:
            print(f'not computed here, so not compared: {", ".join(left)}')
    return int(not passed)


if __name__ == '__main__':
    sys.exit(main())
