"""Random damage to what readers read: errors for the user, and no others.

Seeded, and without a library for it: hypothesis is not among what is
installed, and files are damaged alike by bytes and by words of their format.
"""
import json
import signal
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Callable, Dict, Iterator, List, NamedTuple

import lmdb
import torch

from lmim.apis.loading import load_recognizer, reader_path
from lmim.checkpoints import open_checkpoint
from lmim.datasets.records import UnreadableRecordError, open_sources
from lmim.datasets.scenes import read_scenes
from lmim.models.textrecog.postprocessors import load_language
from lmim.utils.errors import UserError

from .harness import Broken, Case, Process, Room
from .labels import LISTS, write_lmdb

#: Seconds for one reading, and for all of a reader.
ONE, ALL = 20, 300
#: What a reader may raise: a user can do something about these.
ALLOWED = (UserError, OSError, lmdb.Error)
WORDS = ('a.png', 'b.png', 'c.png')
#: What is put into files, whatever they are.
PIECES = [
    b'\0', b'\n', b'\r', b'\t', b'"', b"'", b'\\', b',', b'{', b'}', b'[',
    b']', b':', b'{"', b'[' * 3000, b'{"a":' * 3000, b'null', b'true', b'NaN',
    b'1e999', b'-1', b'9' * 30, b'9' * 5000, b'\\ud800', b'\xff', b'\xed\xa0'
    b'\x80', b'\xef\xbb\xbf', b'\xff\xfe', b'../', b'/etc/passwd', b'%s',
    b'\xff\xff\xff\xff', b'\x00\x00\x00\x80', b'text', b'filename', b'()',
    b'dict(', b'\x80\x02', b'R.', b'c__builtin__\neval\n', b'lambda: 0',
]


class Reader(NamedTuple):
    """Something that reads files.

    Attributes:
        write (Callable): Writes a good one of a name into a folder.
        read (Callable): Reads one, whole.
        name (str): That the file has.
        killed (float): The share of files at which the process may be
            killed.
    """
    write: Callable[[Path], Any]
    read: Callable[[Path], Any]
    name: str
    killed: float = 0


def damaged(value: bytes, draw: Random) -> bytes:
    """Some bytes turned, put in, taken out, doubled, or cut off."""
    changed = bytearray(value)
    for _ in range(draw.choice((1, 1, 2, 5, 20))):
        at = draw.randrange(len(changed) + 1)
        end = min(len(changed), at + draw.choice((1, 1, 4, 16, 200)))
        how = draw.randrange(6)
        if how == 0 and at < len(changed):
            changed[at] ^= 1 << draw.randrange(8)
        elif how == 1:
            changed[at:at] = draw.choice(PIECES)
        elif how == 2:
            changed[at:end] = draw.choice(PIECES)
        elif how == 3:
            del changed[at:end]
        elif how == 4:
            changed[at:at] = changed[at:end]
        elif how == 5 and draw.random() < 0.2:
            del changed[at:]
    return bytes(changed)


def read_records(path: Path) -> None:
    """All of a set that can be read of it."""
    source = open_sources(str(path))
    for index in range(min(len(source), 20)):
        for read in (source.read, source.label, source.name):
            try:
                read(index)
            except UnreadableRecordError:
                pass


def read_model(path: Path) -> None:
    """A checkpoint, its config, its dictionary, and its recognizer."""
    opened = open_checkpoint(path)
    opened.model_config()
    opened.characters()
    opened.by_our_names()


def read_text(path: Path) -> None:
    """A recognizer of a checkpoint with this text as its config."""
    opened = open_checkpoint(reader_path())
    text = path.read_bytes().decode('utf-8', 'replace')
    load_recognizer(opened._replace(meta=dict(opened.meta, cfg=text)))


def _list(path: Path) -> None:
    for name in WORDS:
        (path.parent / name).write_bytes(b'no picture')
    path.write_bytes(LISTS[path.name](WORDS, ['one', 'two', 'three']))


def _array(path: Path) -> None:
    _list(path.with_name('list.jsonl'))
    lines = path.with_name('list.jsonl').read_text().splitlines()
    path.write_text(f'[{", ".join(lines)}]')


def _lmdb(path: Path, as_json: bool = False) -> None:
    folder = path.with_name('folder')
    write_lmdb(folder, [b'picture'] * 20, ['word'] * 20, as_json)
    (folder / 'data.mdb').rename(path)


def _weights() -> Dict[str, Any]:
    opened = open_checkpoint(reader_path())
    some = dict(list(opened.weights.items())[-6:])
    return dict(state_dict=some, meta=opened.meta)


def _text(path: Path) -> None:
    path.write_text(open_checkpoint(reader_path()).meta['cfg'])


def _safetensors(path: Path) -> None:
    from safetensors.torch import save_file
    meta = _weights()['meta']
    save_file({'backbone.cls_token': torch.zeros(1, 1, 4)}, path, metadata={
        'config': meta['cfg'], 'dictionary': json.dumps(
            meta.get('dictionary')), 'meta': '{"epoch": 1}'})


def _scenes(path: Path) -> None:
    (path.parent / 'a.png').write_bytes(b'no picture')
    path.write_text(json.dumps(dict(metainfo={}, data_list=[dict(
        img_path='a.png', height=20, width=30, instances=[
            dict(polygon=[0, 0, 9, 0, 9, 9, 0, 9], text='a')])])))


def _language(path: Path) -> None:
    found, = reader_path().parent.glob('*.npz')
    path.write_bytes(found.read_bytes())


READERS: Dict[str, Reader] = {
    **{f'{name} of labels': Reader(_list, read_records, name)
       for name in LISTS},
    'JSON array': Reader(_array, read_records, 'array.json'),
    # liblmdb trusts its pages, and a damaged one of such a small file may
    # point behind its end, which ends the process.
    'LMDB': Reader(_lmdb, read_records, 'a.mdb', 0.02),
    'LMDB with JSON': Reader(
        partial(_lmdb, as_json=True), read_records, 'a.mdb', 0.02),
    'checkpoint': Reader(lambda path: torch.save(_weights(), path),
                         read_model, 'a.pth'),
    'checkpoint of old torch': Reader(
        lambda path: torch.save(_weights(), path,
                                _use_new_zipfile_serialization=False),
        read_model, 'a.pth'),
    'safetensors': Reader(_safetensors, read_model, 'a.safetensors'),
    'config of a checkpoint': Reader(_text, read_text, 'config.py'),
    'annotation of photographs': Reader(
        _scenes, lambda path: read_scenes(path, path.parent), 'a.json'),
    'language': Reader(
        _language, lambda path: load_language(str(path)), 'a.npz'),
}


def fuzzed(trials: int) -> Iterator[Case]:
    """A case for each reader, with 25 damaged files for each trial."""
    for name, reader in READERS.items():
        yield Case('inputs', f'fuzzed: {name}', partial(
            fuzz, reader=reader,
            number=trials * (5 if reader.read is read_text else 25)))


def fuzz(room: Room, reader: Reader, number: int) -> str:
    """Read so many damaged files in a process; a crash ends it.

    Raises:
        Broken: If a reading crashed, hung, or raised another error.
    """
    good = room.folder / 'good' / reader.name
    good.parent.mkdir()
    reader.write(good)
    reader.read(good)
    value, seed = good.read_bytes(), room.draw.random()
    notes = room.folder / 'notes.jsonl'
    notes.touch()

    def inside(first: int) -> int:
        for at in range(first, number):
            draw = Random(f'{seed} {at}')
            path = good.with_name(f'{at}{reader.name}') if (
                reader.name.endswith('.mdb')) else good
            path.write_bytes(damaged(value, draw))
            with notes.open('a') as file:
                file.write(f'{json.dumps([at])}\n')
                file.flush()
                signal.alarm(ONE)
                try:
                    reader.read(path)
                    how = 'read'
                except ALLOWED as error:
                    how = type(error).__name__
                except BaseException as error:
                    how = f'{at}: {type(error).__name__}: {error}'[:200]
                    path.with_name(f'wrong{at}').write_bytes(
                        path.read_bytes())
                signal.alarm(0)
                file.write(f'{json.dumps([at, how])}\n')
        return 0

    ended, crashed = -1, []
    while ended < number - 1:
        process = Process(partial(inside, ended + 1), room.folder)
        code = process.wait(ALL).code
        noted: List[List[Any]] = list(map(
            json.loads, notes.read_text().splitlines()))
        if not noted or code > 0:
            raise Broken(f'it ended with {code}: {process.wait()}')
        ended = noted[-1][0]
        if code:
            crashed.append(f'{ended}: signal {-code}')
    hows = [one[1] for one in noted if len(one) > 1]
    wrong = [how for how in hows if ': ' in how]
    if len(crashed) > reader.killed * number:
        wrong += crashed
    if wrong:
        raise Broken(f'{len(wrong)} of {number}: {"; ".join(wrong[:4])}')
    counts = {how: hows.count(how) for how in sorted(set(hows))}
    if crashed:
        counts['the process was killed'] = len(crashed)
    return ', '.join(f'{how} {count}' for how, count in counts.items())
