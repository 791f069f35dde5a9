"""Death at any moment: a killed run is resumed to the same bits."""
import time
from functools import partial
from pathlib import Path
from typing import Callable, Iterator, List, Set, Tuple

from lmim.engine.hooks.checkpoint_hook import find_resumable
from lmim.utils.atomic import PARTIAL

from .harness import Broken, Case, Process, Room
from .runs import (INTERVAL, KINDS, LAST, Kind, await_training, eventually,
                   same, start, train)

#: How long the others of a killed process may take to notice.
NOTICED = 60.


def cases(trials: int) -> Iterator[Case]:
    """Kills of each kind of run, and checkpoints that are damaged after."""
    for name, kind in KINDS.items():
        for trial in range(trials):
            yield Case('death', f'{name}, kill {trial + 1}',
                       partial(killed, kind=kind, name=name))
    for trial in range(trials):
        yield Case('death', f'while a checkpoint is written, kill {trial + 1}',
                   partial(killed, kind=KINDS['MIM'], name='MIM',
                           writing=True))
    for name, damage in DAMAGES.items():
        yield Case('death', f'newest checkpoint {name}',
                   partial(damaged, damage=damage))


def whole(room: Room, kind: Kind, name: str) -> Tuple[Path, float]:
    """A run that nothing happens to, made once; and how long it trains."""
    work_dir = room.shared / f'whole_{name.replace(" ", "_")}'
    took = work_dir / 'seconds.txt'
    if not took.exists():
        seconds = train(room, kind, work_dir)
        took.write_text(str(seconds))
    return work_dir / LAST, float(took.read_text())


def killed(room: Room, kind: Kind, name: str, writing: bool = False) -> str:
    """Kill a run at a random moment of its training, or two; resume it.

    With ``writing`` it is a moment at which a checkpoint is half written.
    """
    reference, seconds = whole(room, kind, name)
    work_dir = room.folder / 'run'
    moments: List[str] = []
    for _ in range(room.draw.choice((1, 2))):
        begun = work_dir.exists()
        processes = start(room, kind, work_dir, '--resume')
        await_training(processes, work_dir, begun)
        victim = room.draw.choice(processes)
        if writing:
            await_writing(work_dir, room.draw.randrange(1, 4), victim)
        else:
            time.sleep(room.draw.uniform(0, seconds))
        if not victim.has_ended():
            victim.kill()
        survivors(processes, victim)
        found = find_resumable(work_dir)
        half = ' and half of one' if list(work_dir.glob(f'*{PARTIAL}')) else ''
        moments.append(f'{Path(found).stem if found else "nothing"}{half} '
                       'written')
    train(room, kind, work_dir, '--resume')
    values = same(work_dir / LAST, reference)
    return f'{", then ".join(moments)}; {values} values are the same'


def await_writing(work_dir: Path, number: int, process: Process) -> None:
    """Wait until the checkpoint of a number begins to be written."""
    seen: Set[str] = set()
    while not process.has_ended():
        seen.update(path.name for path in work_dir.glob(f'*{PARTIAL}'))
        if len(seen) == number:
            return


def survivors(processes: List[Process], victim: Process) -> None:
    """Wait until those that are left have ended, too.

    Raises:
        Broken: If one goes on as if nothing had happened.
    """
    for process in processes:
        if process is not victim and not eventually(process.has_ended,
                                                    NOTICED):
            process.kill()
            raise Broken(f'a process had not ended {NOTICED:.0f} s after '
                         'another one was killed')
        process.wait()


def _halved(path: Path, room: Room) -> None:
    size = path.stat().st_size
    with path.open('r+b') as file:
        file.truncate(room.draw.randrange(1, size))


def _emptied(path: Path, room: Room) -> None:
    path.write_bytes(b'')


DAMAGES = {'cut off': _halved, 'of zero bytes': _emptied}


def damaged(room: Room, damage: Callable[[Path, Room], None]) -> str:
    """Damage the newest checkpoint of a killed run; the one before serves."""
    kind = KINDS['MIM']
    reference, _ = whole(room, kind, 'MIM')
    work_dir = room.folder / 'run'
    processes = start(room, kind, work_dir)
    third = work_dir / f'iter_{3 * INTERVAL}.pth'
    eventually(third.exists, 60)
    processes[0].kill()
    processes[0].wait()
    newest = Path(str(find_resumable(work_dir)))
    damage(newest, room)
    resumed = start(room, kind, work_dir, '--resume')[0].wait().fine()
    said = [line for line in resumed.text.splitlines()
            if newest.name in line and 'damaged' in line]
    if len(said) != 1:
        raise Broken(f'{len(said)} lines say that {newest.name} is damaged')
    values = same(work_dir / LAST, reference)
    return f'"{said[0].strip()[-120:]}"; {values} values are the same'
