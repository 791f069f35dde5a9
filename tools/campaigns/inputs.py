"""Bad pictures and labels: read rightly, or skipped, counted and named."""
import contextlib
import io
import json
import os
import resource
import shutil
import time
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List
from unittest import mock

import cv2
import numpy as np

import lmim
from lmim import TextRecognizer
from lmim.cli.data import main as data_main
from lmim.cli.infer import main as infer_main
from lmim.datasets import TextImageDataset
from lmim.datasets.pictures import render_some
from lmim.utils.errors import UserError

from .fuzz import fuzzed
from .harness import Broken, Case, Process, Room
from .labels import LISTS, NONE, TEXTS, can_hold, right, write_lmdb
from .pictures import Picture, all_pictures, word
from .runs import KINDS, await_training, start

#: Most that a process may take for one record, in MiB and seconds. The
#: largest picture that is allowed has 192 MiB, and as much again with alpha.
MEMORY, SECONDS = 1100, 240
#: Where the bad record is, between others that must not be mistaken for it.
BAD, COUNT = 2, 5
NAME = 'bad'


def cases(trials: int) -> Iterator[Case]:
    """A case for each kind, and for each reader that is fuzzed."""
    for picture in all_pictures():
        yield Case('inputs', f'picture: {picture.name}',
                   partial(apart, run=partial(_picture, picture=picture)))
    for kind, labels in (('label', TEXTS), ('no label', NONE)):
        for name, label in labels.items():
            yield Case('inputs', f'{kind}: {name}', partial(
                apart, run=partial(_label, label=label,
                                   bad=kind == 'no label')))
    for name, place in PLACES.items():
        yield Case('inputs', f'place: {name}',
                   partial(apart, run=partial(_place, put=place)))
    yield Case('inputs', 'files that vanish while training', vanishing)
    yield from fuzzed(trials)


@lru_cache(maxsize=None)
def others() -> Dict[str, np.ndarray]:
    """Words and pictures of the records that are good."""
    # Labels that in other encodings are others.
    return {name.split("'")[1] + '\xdf\u4e2d': image
            for name, image in render_some(4).items()}


@lru_cache(maxsize=None)
def reader() -> TextRecognizer:
    """The recognizer that comes with lmim, loaded once for all processes."""
    return TextRecognizer(device='cpu')


def apart(room: Room, run: Callable[[Room], str]) -> str:
    """Run it in a process, whose memory and time are looked at.

    Raises:
        Broken: As what runs says, or if it crashed, hung, took too much
            memory, or left temporary files.
    """
    reader(), others(), word()  # before it is forked
    temporary = room.folder / 'tmp'
    temporary.mkdir()
    result = room.folder / 'result.json'

    def inside() -> int:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            found, broken = run(room), ''
        except Broken as error:
            found, broken = '', str(error)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
                 - before) // 2**10
        result.write_text(json.dumps([found, broken, grown]))
        return 0

    begun = time.monotonic()
    Process(inside, room.folder, dict(
        TMPDIR=str(temporary), OPENCV_LOG_LEVEL='SILENT')).wait(
            SECONDS).fine()
    seconds = time.monotonic() - begun
    found, broken, grown = json.loads(result.read_text())
    left = [path for path in temporary.rglob('*') if path.is_file()]
    if broken:
        raise Broken(broken)
    if grown > MEMORY:
        raise Broken(f'{grown} MiB were taken')
    if left:
        raise Broken(f'{len(left)} temporary files are left: {left[0]}')
    shutil.rmtree(room.folder)  # thousands of files in all
    return f'{found}; {grown} MiB, {seconds:.1f} s'


def encoded(image: np.ndarray) -> bytes:
    """A picture as PNG."""
    return cv2.imencode('.png', image)[1].tobytes()


def lay_out(folder: Path, value: bytes, suffix: str = '.png') -> List[str]:
    """A folder of the pictures, of which one is bad; their names."""
    folder.mkdir()
    names = []
    for number, image in enumerate(others().values()):
        if number == BAD:
            names.append(NAME + suffix)
            (folder / names[-1]).write_bytes(value)
        names.append(f'good{number}.png')
        (folder / names[-1]).write_bytes(encoded(image))
    return names


def read_all(paths: Path, with_text: bool = True) -> Dict[str, Any]:
    """Read a set as training does; what was made of its bad record.

    Raises:
        Broken: If a picture has another's label, or a record was lost.
    """
    dataset = TextImageDataset(str(paths), with_text=with_text,
                               max_unreadable=1)
    if len(dataset) != COUNT:
        raise Broken(f'{paths}: {len(dataset)} records of {COUNT}')
    noted = paths.with_name(f'noted-{paths.name}')
    noted.mkdir()
    dataset.unreadable.folder = str(noted)
    known = list(others().items())
    found: Dict[str, Any] = dict(read=False, said='')
    seen = set()
    # The bad one is last, in a folder, where all are in order of their names.
    names = [dataset.describe(index) for index in range(COUNT)]
    bad = next((index for index, name in enumerate(names)
                if Path(name).name.startswith(NAME)), BAD)
    for index in range(COUNT):
        item = dataset[index]
        number = item['sample_idx']
        text = item['instances'][0]['text'] if with_text else None
        if number == bad:
            found.update(read=True, text=text, image=item['img'])
            if item['img'].size > 2**20:  # three of a bomb are memory
                del found['image']
            continue
        seen.add(number)
        label, image = known[number - (number > bad)]
        if (with_text and text != label
                or not np.array_equal(item['img'], image)):
            raise Broken(f'{item["img_path"]} came with {text!r}')
    if len(seen) != COUNT - 1:
        raise Broken(f'{paths.name}: of the others {sorted(seen)} came')
    lines = [json.loads(line) for path in noted.iterdir()
             for line in path.read_text().splitlines()]
    told = [line['name'] for line in lines]
    if dataset.num_unreadable != (not found['read']) or told != (
            [] if found['read'] else [names[bad]]):
        raise Broken(f'{paths.name}: {dataset.num_unreadable} records were '
                     f'counted as unreadable, and {told} named')
    found['said'] = lines[0]['reason'] if lines else ''
    return found


def command(main: Callable[[List[str]], int], *args: object
            ) -> Dict[str, Any]:
    """The JSON result of a command, its exit status, and what it said."""
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        code = main([*map(str, args), '--json'])
    try:
        result = json.loads(out.getvalue())
    except ValueError as error:
        raise Broken(f'{args}: no JSON: {error}: {errors.getvalue()[-400:]}'
                     ) from error
    return dict(result, code=code, said=errors.getvalue())


def validate(path: Path, good: bool) -> None:
    """`lmim data validate` finds one record that is bad, or none."""
    result = command(data_main, 'validate', path, '--workers', 0)
    bad = result.get('bad', {}).get('total')
    if bad != (not good) or result['code'] != (not good):
        raise Broken(f'{path.name}: validate found {bad} bad records, and '
                     f'training {int(not good)}: {result}')


def infer(folder: Path, good: bool, name: str) -> None:
    """`lmim infer` reads the others as ever, and names the bad one."""
    with mock.patch('lmim.cli.infer.TextRecognizer',
                    lambda *args, **kwargs: reader()):
        result = command(infer_main, folder, '--device', 'cpu')
    texts = {Path(one['source']).name: one for one in result['results']}
    wanted = [word.text for word in reader()(list(others().values()))]
    if [texts[f'good{n}.png']['text'] for n in range(len(wanted))] != wanted:
        raise Broken(f'infer read {texts}, and not {wanted}')
    error = texts[name].get('error')
    if bool(error) == good or result['code'] != (not good) or (
            not good and name not in result['said']):
        raise Broken(f'infer: {error}, and training read it: {good}; exit '
                     f'status {result["code"]}')


def _picture(room: Room, picture: Picture) -> str:
    """A kind of file, in a folder, a list, and an LMDB."""
    folder = room.folder / 'set'
    value = picture.make(room.draw)
    names = lay_out(folder, value, picture.suffix)
    bad = names.index(NAME + picture.suffix)
    assert bad == BAD
    words = list(others())
    labels = [*words[:BAD], NAME, *words[BAD:]]
    files = [(folder / name).read_bytes() for name in names]
    (room.folder / 'list.txt').write_bytes(LISTS['list.txt'](
        [f'set/{name}' for name in names], labels))
    lmdb = write_lmdb(room.folder / 'set.lmdb', files, labels, False)
    results = [read_all(room.folder / 'list.txt'), read_all(lmdb),
               read_all(folder, False)]
    if len({one['read'] for one in results}) > 1:
        raise Broken(f'read of some places alone: '
                     f'{[one["read"] for one in results]}')
    good = results[0]['read']
    if picture.wanted != 'either' and good != (picture.wanted == 'read'):
        raise Broken(f'read: {good}, and it should be {picture.wanted}; '
                     f'{results[0]["said"][-200:]}')
    far = None
    if good and picture.near is not None:
        image, wanted = results[0]['image'], word()
        if image.shape != wanted.shape:
            raise Broken(f'{image.shape} pixels of {wanted.shape}')
        far = np.abs(image.astype(float) - wanted).mean()
        if far > picture.near:
            raise Broken(f'other pixels: {far:.1f} off on average')
    validate(lmdb, good)
    infer(folder, good, NAME + picture.suffix)
    if good:
        return 'read' + ('' if far is None else f', {far:.1f} off')
    return results[0]['said'][:90]


def _label(room: Room, label: Any, bad: bool) -> str:
    """A label in each place that can hold it."""
    folder = room.folder / 'set'
    names = lay_out(folder, encoded(word()))
    words = list(others())
    labels = [*words[:BAD], label, *words[BAD:]]
    files = [(folder / name).read_bytes() for name in names]
    places = [room.folder / name for name in LISTS if can_hold(name, label)]
    for place in places:
        place.write_bytes(LISTS[place.name](
            [f'set/{name}' for name in names], labels))
    for name in ('json.lmdb', 'plain.lmdb'):
        if name == 'json.lmdb' or isinstance(label, (str, bytes)) and not (
                isinstance(label, str) and bad):
            places.append(write_lmdb(room.folder / name, files, labels,
                                     name == 'json.lmdb'))
    told = []
    for place in places:
        if _has_nul(label) and place.name in (
                ('list.txt', 'list.jsonl') if isinstance(label, bytes)
                else ('list.txt', )):
            try:  # a file with it is none of text
                raise Broken(f'{place.name}: {read_all(place)["read"]}')
            except UserError:
                told.append(f'{place.name} refused')
                continue
        found = read_all(place)
        told.append(f'{place.name} {"read" if found["read"] else "skipped"}')
        if found['read']:
            right(label, found['text'], place.name)
        elif not bad and place.suffix != '.lmdb':
            raise Broken(f'{place.name}: it was skipped: {found["said"]}')
        validate(place, found['read'])
        checked = command(data_main, 'check', place, '--dict', DICTIONARY)
        if checked['parts'][0].get('labels') != COUNT:
            raise Broken(f'check counted {checked["parts"]}')
    return ', '.join(told)


def _has_nul(label: Any) -> bool:
    return isinstance(label, (str, bytes)) and (
        '\0' in label if isinstance(label, str) else b'\0' in label)


DICTIONARY = Path(lmim.__file__).parent / 'dicts' / 'english_94.txt'


def _gone(path: Path) -> None:
    path.unlink()


def _a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _linked(target: str) -> Callable[[Path], None]:
    def link(path: Path) -> None:
        path.unlink()
        path.symlink_to(target)
    return link


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _sparse(path: Path) -> None:
    with path.open('r+b') as file:
        file.truncate(2**40)


def _circle(path: Path) -> None:
    (path.parent / 'below').mkdir()
    (path.parent / 'below' / 'again').symlink_to(path.parent)


#: What stands where a picture was; None as nothing is wrong with that.
PLACES: Dict[str, Callable[[Path], None]] = {
    'nothing': _gone, 'a folder': _a_folder, 'a link to nothing':
    _linked('/nonexistent/x.png'), 'a link to itself': _linked('bad.png'),
    'a link to a device': _linked('/dev/zero'), 'a link to a terminal':
    _linked('/dev/tty'), 'a link to a process': _linked('/proc/self/mem'),
    'a pipe': _pipe, 'a sparse file of 1 TB': _sparse,
    'folders in circles': _circle, 'a link to a good one':
    _linked('good0.png'),
}


def _place(room: Room, put: Callable[[Path], None]) -> str:
    """Something else in the place of a picture, after it was listed."""
    folder = room.folder / 'set'
    names = lay_out(folder, encoded(word()))
    words = list(others())
    (room.folder / 'list.txt').write_bytes(LISTS['list.txt'](
        [f'set/{name}' for name in names],
        [*words[:BAD], NAME, *words[BAD:]]))
    put(folder / f'{NAME}.png')
    found = read_all(room.folder / 'list.txt')
    if found['read'] != (put in (_circle, PLACES['a link to a good one'])):
        raise Broken(f'read: {found["read"]}')
    validate(room.folder / 'list.txt', found['read'])
    if put not in (_gone, _a_folder) and 'again' not in str(put):
        infer(folder, found['read'], f'{NAME}.png')
    return found['said'][:90] or 'read'


def vanishing(room: Room) -> str:
    """One of the pictures is deleted while a run reads them."""
    folder = room.folder / 'pictures'
    folder.mkdir()
    images = list(others().values())
    for number in range(48):
        (folder / f'{number:02d}.png').write_bytes(
            encoded(images[number % len(images)]))
    kind = KINDS['MIM']
    work_dir = room.folder / 'run'
    process, = start(
        room, kind, work_dir, train_dataloader__dataset__paths=folder,
        train_dataloader__dataset__max_unreadable=0.5)
    await_training([process], work_dir)
    gone = room.draw.sample(sorted(folder.iterdir()), 12)
    for path in gone:
        path.unlink()
        time.sleep(room.draw.uniform(0, 0.1))
    process.wait().fine()
    named = {json.loads(line)['name']
             for path in work_dir.glob('*/unreadable.jsonl')
             for line in path.read_text().splitlines()}
    if not named <= set(map(str, gone)):
        raise Broken(f'others were named: {named}')
    return f'{len(named)} of {len(gone)} were missed, named and replaced'
