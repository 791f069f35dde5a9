"""What the parts share: their arguments, and how a part ends."""
import argparse
import time
from pathlib import Path
from typing import NamedTuple, Optional

import torch

from .rows import Rows


class Room(NamedTuple):
    """What a part is given.

    Attributes:
        rows (Rows): Where it writes what it finds.
        out (Path): A folder for its files.
        device (str): 'cuda' or 'cpu'.
        quick (bool): Whether only the script itself is tried.
        end (float): When it is stopped, by time.monotonic().
        data (Path, optional): A folder of LMDBs of real words.
    """
    rows: Rows
    out: Path
    device: str
    quick: bool
    end: float
    data: Optional[Path]

    @property
    def left(self) -> float:
        """float: Seconds until it is stopped."""
        return self.end - time.monotonic()


def read_room(summary: str) -> Room:
    """Read the command line of a part."""
    parser = argparse.ArgumentParser(description=summary)
    add = parser.add_argument
    add('--rows', type=Path, required=True)
    add('--out', type=Path, required=True)
    add('--device', required=True)
    add('--seconds', type=float, required=True)
    add('--quick', action='store_true')
    add('--data', type=Path)
    args = parser.parse_args()
    return Room(Rows(args.rows), args.out, args.device, args.quick,
                time.monotonic() + args.seconds, args.data)


def synchronize(device: str) -> None:
    """Wait until the device has done what it was given."""
    if device == 'cuda':
        torch.cuda.synchronize()
