"""What the quick start was asked for."""
import argparse
import json
import sys
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from lmim.engine.precision import PRECISIONS
from lmim.utils.atomic import write_atomic


class Settings(NamedTuple):
    """Settings of a run, which must stay as they were.

    Attributes:
        work_dir (Path): Everything that is made lies here.
        data (str, optional): The user's pictures.
        image_root (str, optional): What paths of a list are relative to.
        seed (int): Of data and training.
        minutes (float): What the whole run may take, set-up included.
        precision (str): Of training, ``'auto'`` for what is fastest here.
        pretrain_iters (int, optional): Batches of the teacher; None where it
            is planned.
        finetune_iters (int, optional): Batches of each recognizer.
        samples (List[int], optional): Rendered words for training and test.
        labels (int): Rendered words whose labels are used.
        paper (bool): Whether LMIM is trained with the paper's loss.
    """
    work_dir: Path
    data: Optional[str]
    image_root: Optional[str]
    seed: int
    minutes: float
    precision: str
    pretrain_iters: Optional[int]
    finetune_iters: Optional[int]
    samples: Optional[List[int]]
    labels: int
    paper: bool

    @property
    def method(self) -> str:
        """str: The method of pre-training that is compared with scratch."""
        return 'lmim' if self.paper else 'lmim-plus'

    def keep(self) -> None:
        """Write the settings, or compare them with those of earlier runs.

        Raises:
            SystemExit: If the work dir holds a run with other settings.
        """
        path = self.work_dir / 'settings.json'
        ours: Dict[str, Any] = self._asdict()
        del ours['work_dir']
        if path.is_file():
            theirs = json.loads(path.read_text())
            other = [f'{key}={theirs.get(key)}' for key in ours
                     if theirs.get(key) != ours[key]]
            if other:
                sys.exit(f'{self.work_dir} holds a run with other settings '
                         f'({", ".join(other)}). Name another --work-dir, or '
                         'remove that folder to start over.')
            return
        self.work_dir.mkdir(parents=True, exist_ok=True)
        write_atomic(path, json.dumps(ours, indent=2).encode())


def parse(argv: Optional[Sequence[str]] = None) -> Settings:
    """Read the command line.

    Raises:
        SystemExit: If it makes no sense.
    """
    parser = argparse.ArgumentParser(
        prog='quickstart.sh',
        description='From pictures of words to a table: trains an MAE '
        'teacher, LMIM, and a recognizer from LMIM and from scratch, and '
        'evaluates both. Run again, it resumes where it was interrupted.')
    add = parser.add_argument
    add('--data', metavar='PATH',
        help='your own pictures: a folder, an LMDB, a list '
        '(`path<TAB>label`), JSON lines or JSON of MMOCR. Without labels they '
        'are pre-trained on; with labels trained on and evaluated as well. '
        'Default: words that are rendered')
    add('--image-root', metavar='DIR',
        help="what the paths of a list are relative to (default: the list's "
        'folder)')
    add('--work-dir', type=Path, default=Path('work_dirs/quickstart'),
        help='where everything is written (default: %(default)s)')
    add('--seed', type=int, default=0, help='(default: %(default)s)')
    add('--minutes', type=float, default=8., metavar='N',
        help='what the run may take, set-up included; the numbers below are '
        'planned to fit it (default: %(default)g)')
    add('--precision', choices=PRECISIONS, default='auto',
        help='of training (default: what is fastest here)')
    add('--pretrain-iters', type=int, metavar='N',
        help='batches of MAE; LMIM makes twice as many, with --paper as '
        'many, of two views')
    add('--finetune-iters', type=int, metavar='N',
        help='batches of each recognizer')
    add('--samples', type=int, nargs=2, metavar=('TRAIN', 'TEST'),
        help='how many words to render')
    add('--labels', type=int, default=3000, metavar='N',
        help='how many of the rendered words have labels; the others are '
        'pre-trained on alone (default: %(default)s)')
    add('--paper', action='store_true',
        help="LMIM's loss as published: targets with a layer norm, and the "
        'alignment of [CLS]. At this size a recognizer learns less from it '
        'than from what is trained without this option '
        '(docs/proving_ground.md)')
    args = parser.parse_args(argv)
    given = [args.pretrain_iters, args.finetune_iters, args.labels,
             *(args.samples or [])]
    if any(number is not None and number < 1 for number in given):
        parser.error('numbers of batches, labels and samples are at least 1')
    if not args.minutes > 0:
        parser.error('--minutes is above 0')
    values = {key: getattr(args, key) for key in Settings._fields}
    for key in ('data', 'image_root'):
        if values[key]:
            values[key] = str(Path(values[key]).expanduser().resolve())
    values['work_dir'] = args.work_dir.expanduser().resolve()
    return Settings(**values)
