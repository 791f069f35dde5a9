"""Full disks, memory that runs out, and folders that may not be written."""
import ctypes
import os
import resource
import time
from functools import partial
from pathlib import Path
from typing import Any, Callable, Iterator, List

from lmim.checkpoints import read_checkpoint
from lmim.cli.main import main as lmim_main
from lmim.utils.atomic import PARTIAL

from .harness import Broken, Case, Process, Room, Untried, call
from .runs import (KINDS, UPDATES, await_training, eventually, runs_of, start,
                   teacher, train, words)

CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
MS_RDONLY, MS_REMOUNT, MS_BIND = 1, 32, 4096
MS_REC, MS_PRIVATE = 0x4000, 0x40000
#: Exit status of a process that may not mount.
NO_MOUNTS = 77


def cases(trials: int) -> Iterator[Case]:
    """Writers with too little room, runs with too little memory, locks."""
    for size in (1, 8, 20, 33):
        yield Case('disk', f'checkpoints on a disk of {size} MB',
                   partial(full_for_checkpoints, size=size))
    for name in WRITERS:
        yield Case('disk', f'{name} on a full disk',
                   partial(full, name=name))
    yield Case('disk', 'small /dev/shm', small_shm)
    yield Case('disk', 'read-only data and home', read_only)
    yield Case('disk', 'a worker is killed as memory runs out', no_memory)
    yield Case('disk', 'little address space', little_memory)
    yield Case('disk', 'a work dir that a run writes to', claimed)


def mount(source: str, target: Path, kind: str, flags: int = 0,
          options: str = '') -> None:
    """Mount a file system, by the call that Python does not have."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(source.encode(), str(target).encode(), kind.encode(),
                  flags, options.encode()):
        raise OSError(ctypes.get_errno(), f'mount {target}')


def in_private_mounts(run: Callable[[], Any]) -> Callable[[], int]:
    """Run something where mounts are its own, and end with the process."""

    def private() -> int:
        libc = ctypes.CDLL(None, use_errno=True)
        user, group = os.getuid(), os.getgid()
        if libc.unshare(CLONE_NEWNS):
            if libc.unshare(CLONE_NEWNS | CLONE_NEWUSER):
                return NO_MOUNTS
            for path, text in (('setgroups', 'deny'),
                               ('uid_map', f'0 {user} 1'),
                               ('gid_map', f'0 {group} 1')):
                Path('/proc/self', path).write_text(text)
        try:
            mount('none', Path('/'), '', MS_REC | MS_PRIVATE)
        except OSError:
            return NO_MOUNTS
        return int(run() or 0)

    return private


def told(process: Process) -> str:
    """What a process with private mounts found.

    Raises:
        Untried: If it may not mount.
        Broken: If it found something else than what has to be.
    """
    ended = process.wait(180)
    if ended.code == NO_MOUNTS:
        raise Untried('this user may not mount')
    if ended.code:
        raise Broken(str(ended))
    return ended.text.strip().splitlines()[-1]


def checked(find: Callable[[], str]) -> Callable[[], int]:
    """Print what is found, or how it is broken."""

    def run() -> int:
        try:
            print(find())
        except (Broken, OSError) as error:
            print(f'{type(error).__name__}: {error}')
            return 1
        return 0

    return run


def small_disk(room: Room, size: str) -> Path:
    """A disk of this size; in private mounts."""
    folder = room.folder / 'disk'
    folder.mkdir()
    mount('tmpfs', folder, 'tmpfs', options=f'size={size}')
    return folder


def full_for_checkpoints(room: Room, size: int) -> str:
    """Training stops with the path; what was written before is whole."""
    words(room)

    def find() -> str:
        work_dir = small_disk(room, f'{size}m') / 'run'
        ended = start(room, KINDS['MIM'], work_dir)[0].wait()
        message = ended.refused(work_dir, 'room')
        names = [path.name for path in work_dir.glob('*.pth')]
        for name in names:
            read_checkpoint(work_dir / name)
        left = list(work_dir.glob(f'*{PARTIAL}'))
        if left:
            raise Broken(f'left: {left}')
        return f'{len(names)} good checkpoints; {message[:120]}'

    return told(Process(in_private_mounts(checked(find)), room.folder))


def _render(room: Room, disk: Path) -> List[object]:
    return ['data', 'render', disk / 'out', '--train', 400, '--test', 50]


def _export(room: Room, disk: Path) -> List[object]:
    return ['export', '--output', disk / 'out']


def _publish(room: Room, disk: Path) -> List[object]:
    return ['checkpoint', 'convert', teacher(room), disk / 'out.pth']


def _read(room: Room, disk: Path) -> List[object]:
    return ['infer', words(room), '--output', disk / 'out.csv']


WRITERS = {'an LMDB': _render, 'an ONNX model': _export,
           'a checkpoint that is converted': _publish, 'a table': _read}


def full(room: Room, name: str) -> str:
    """A command says that there is no room, and leaves nothing."""
    words(room), teacher(room)

    def find() -> str:
        disk = small_disk(room, '300k')
        (disk / 'filler').write_bytes(b'x' * (
            300 * 1024 if name == 'a table' else 100_000))
        ended = Process(call(lmim_main, *WRITERS[name](room, disk)),
                        room.folder).wait(170)
        message = ended.refused(disk, 'room')
        left = [path for path in disk.rglob('*')
                if PARTIAL in path.name or '.tmp-' in path.name]
        if left:
            raise Broken(f'left: {left}')
        return message

    return told(Process(in_private_mounts(checked(find)), room.folder))


def small_shm(room: Room) -> str:
    """Workers cannot hand over their batches: the run says so."""
    words(room)

    def find() -> str:
        mount('tmpfs', Path('/dev/shm'), 'tmpfs', options='size=100k')
        ended = start(room, KINDS['MIM'], room.folder / 'run')[0].wait()
        return ended.refused('/dev/shm', 'num_workers=0')

    return told(Process(in_private_mounts(checked(find)), room.folder))


def read_only(room: Room) -> str:
    """A data set and a home that may not be written serve all the same."""
    data = words(room).parent

    def find() -> str:
        home = small_disk(room, '1m')
        mount('tmpfs', home, 'tmpfs', MS_REMOUNT | MS_RDONLY)
        mount(str(data), data, '', MS_BIND)
        mount(str(data), data, '', MS_BIND | MS_REMOUNT | MS_RDONLY)
        try:
            (data / 'x').write_text('')
        except OSError:
            pass
        else:
            raise Broken('the data set can be written')
        os.environ.update(HOME=str(home), XDG_CACHE_HOME=str(home / '.cache'))
        train(room, KINDS['MIM'], room.folder / 'run')
        Process(call(lmim_main, 'infer', data / 'train.lmdb'),
                room.folder).wait().fine()
        return f'{UPDATES} updates, and all words read'

    return told(Process(in_private_mounts(checked(find)), room.folder))


def no_memory(room: Room) -> str:
    """The system kills a worker: the run ends, and says what to do."""
    work_dir = room.folder / 'run'
    process = start(room, KINDS['MIM'], work_dir,
                    train_cfg__max_epochs=50)[0]
    await_training([process], work_dir)
    time.sleep(1)
    children = Path(f'/proc/{process.pid}/task/{process.pid}/children')
    workers = children.read_text().split()
    if not workers:
        raise Broken('no worker was found')
    os.kill(int(room.draw.choice(workers)), 9)
    return process.wait().refused('memory', 'num_workers')


def little_memory(room: Room) -> str:
    """Memory cannot be had: the run ends by an error, not by a crash."""
    words(room)
    usage = int(Path('/proc/self/statm').read_text().split()[0])
    most = usage * resource.getpagesize() + 40 * 2**20

    def find() -> str:
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        ended = start(room, KINDS['MIM'], room.folder / 'run',
                      model__backbone__arch='base', model__neck__in_dims=768,
                      train_dataloader__num_workers=0,
                      train_dataloader__persistent_workers=False)[0].wait()
        return ended.refused('memory', 'batch_size')

    return told(Process(checked(find), room.folder))


def claimed(room: Room) -> str:
    """A second run in a work dir is refused; the first one goes on."""
    work_dir = room.folder / 'run'
    first = start(room, KINDS['MIM'], work_dir, train_cfg__max_epochs=4)[0]
    if not eventually(lambda: bool(runs_of(work_dir)), 60):
        raise Broken('no run began')
    message = start(room, KINDS['MIM'], work_dir, '--resume')[0].wait(
    ).refused('another run', f'process {first.pid}', work_dir)
    first.wait().fine()
    return message


