"""Files and requests of somebody who means harm: nothing of them is run."""
import collections
import contextlib
import functools
import importlib
import io
import json
import os
import pickle
import runpy
import sys
import warnings
import zipfile
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import numpy as np
import torch

from lmim.apis.loading import load_recognizer, reader_path
from lmim.checkpoints import open_checkpoint
from lmim.cli.checkpoint import main as checkpoint_main
from lmim.cli.data import main as data_main
from lmim.cli.infer import main as infer_main
from lmim.evaluation.benchmark_evaluator import WordRecord
from lmim.evaluation.misread_sheet import misread_sheet
from lmim.datasets import TextImageDataset
from lmim.utils.errors import UserError

from .harness import Broken, Case, Process, Room, Untried, call
from .inputs import encoded, lay_out, write_lmdb
from .page import MARKER, REQUESTS, asked
from .pictures import word

SECRET = 'SECRET-of-another-file-0123456789'


class Call:
    """Pickled, a call of a function."""

    def __init__(self, function: Callable, *args: Any) -> None:
        self.call = function, args

    def __reduce__(self) -> Any:
        return self.call


def cases(trials: int) -> Iterator[Case]:
    """A case for each shape of file, and for each kind of request."""
    for name in PICKLES:
        for zipped in (True, False):
            yield Case('hostile', f'checkpoint, {name}'
                       f'{"" if zipped else ", of old torch"}',
                       partial(pickled, shape=PICKLES[name], zipped=zipped))
    for name, damage in ARCHIVES.items():
        yield Case('hostile', f'checkpoint, {name}',
                   partial(archived, damage=damage))
    for name in CONFIGS:
        yield Case('hostile', f'config of a checkpoint, {name}',
                   partial(configured, text=CONFIGS[name]))
    yield Case('hostile', 'safetensors with paths as names', traversing)
    yield Case('hostile', 'ONNX with data outside its folder', external)
    yield Case('hostile', 'markup in labels on a sheet', markup)
    for name in NAMES:
        yield Case('hostile', f'list that names {name}',
                   partial(listed, name=name))
    for name, ask in REQUESTS.items():
        yield Case('hostile', f'page, {name}', partial(asked, ask=ask))


def _shell() -> Call:
    return Call(os.system, f'touch {MARKER}')


def _written() -> Call:
    return Call(open, MARKER, 'w')


def _mkdir() -> Call:
    return Call(os.mkdir, MARKER)


class _Partial:
    """A call of a function that has its arguments already."""

    def __reduce__(self) -> Any:
        return functools.partial(os.mkdir, MARKER), ()


class _Chain:
    """getattr of what getattr gave: an attribute of an attribute."""

    def __reduce__(self) -> Any:
        return _Method(), (MARKER, )


class _Method(Call):
    """os.mkdir, looked up in what an import gives."""

    def __init__(self) -> None:
        super().__init__(getattr, Call(importlib.import_module, 'os'),
                         'mkdir')

    def __call__(self, *args: Any) -> None:
        """So that pickle takes it for a function."""


class _Mapped:
    """A call in the items that an object is filled with."""

    def __reduce__(self) -> Any:
        return collections.OrderedDict, (), None, None, iter(
            [('weight', _mkdir())])


def _codes() -> bytes:
    """By hand: the oldest protocol, which names a global in a line."""
    return b'cos\nmkdir\n(V' + MARKER.encode() + b'\ntR.'


#: Values in checkpoints that would make the marker.
PICKLES: Dict[str, Callable[[], Any]] = {
    'a shell': _shell, 'a file opened': _written, 'a folder made': _mkdir,
    'exec of text': lambda: Call(exec, f'import os; os.mkdir("{MARKER}")'),
    'eval of text': lambda: Call(
        eval, f'__import__("os").mkdir("{MARKER}")'),
    'a partial': _Partial, 'a chain of getattr': _Chain,
    'items of a dictionary': _Mapped,
    'map over a function': lambda: Call(
        list, Call(map, os.mkdir, [MARKER])),
    'another file': lambda: Call(pickle.load, Call(
        open, 'inner.pkl', 'rb')),
    'pickle in a pickle': lambda: Call(
        pickle.loads, pickle.dumps(_mkdir(), 2)),
    'a tensor rebuilt by another': lambda: Call(
        torch._utils._rebuild_tensor_v2, _mkdir(), 0, (1, ), (1, ), False,
        collections.OrderedDict()),
    'a script': lambda: Call(runpy.run_path, 'evil.py'),
    'NumPy, with pickles': lambda: Call(
        np.load, 'inner.npy', None, True),
    'a runner of processes': lambda: Call(
        importlib.import_module('subprocess').check_output,
        ['touch', MARKER]),
}


def unharmed(room: Room) -> None:
    """Raises Broken if something was run or written."""
    if list(room.folder.rglob(MARKER)) or Path(MARKER).exists():
        raise Broken('it was executed')


def loaded(room: Room, path: Path) -> str:
    """All that reads a checkpoint refuses it, or takes weights alone."""
    said: List[str] = []
    for main, *args in (
            (checkpoint_main, 'inspect', path),
            (infer_main, encode_word(room), '--checkpoint', path),
            (checkpoint_main, 'convert', path, 'new.pth', '--skip-code')):
        ended = Process(call(main, *args), room.folder).wait()
        if ended.code not in (0, 1) or 'Traceback' in ended.text:
            raise Broken(f'{args[0]}: {ended}')
        if ended.code or main is infer_main:
            ended.refused(path)  # for what it is, and for nothing else
        said.append(f'{args[0] if main is checkpoint_main else "infer"}: '
                    f'{"refused" if ended.code else "done"}')
        unharmed(room)
    return ', '.join(said)


def encode_word(room: Room) -> Path:
    """A picture to read."""
    path = room.folder / 'word.png'
    path.write_bytes(encoded(word()))
    return path


def pickled(room: Room, shape: Callable[[], Any], zipped: bool) -> str:
    """A checkpoint that holds a call beside weights."""
    path = room.folder / 'evil.pth'
    torch.save(dict(state_dict={'a': torch.ones(2)}, meta=dict(epoch=1),
                    extra=shape()), path,
               _use_new_zipfile_serialization=zipped)
    (room.folder / 'inner.pkl').write_bytes(_codes())
    np.save(room.folder / 'inner.npy', np.array([_mkdir()], object))
    (room.folder / 'evil.py').write_text(f'import os\nos.mkdir("{MARKER}")\n')
    armed(room, path)
    return loaded(room, path)


def armed(room: Room, path: Path) -> None:
    """See that it does harm where it is loaded without care.

    Raises:
        Broken: If not: that nothing happens elsewhere would say nothing.
    """
    def careless() -> None:
        with contextlib.suppress(Exception):
            torch.load(path, weights_only=False)

    Process(careless, room.folder).wait()
    marker = room.folder / MARKER
    if not marker.exists():
        raise Broken('it does no harm, however it is loaded')
    marker.rmdir() if marker.is_dir() else marker.unlink()


def _rezipped(path: Path, change: Callable[[str, bytes], Any]) -> None:
    """Write a zip anew; change gives names and contents for each."""
    with zipfile.ZipFile(path) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, 'w') as archive:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # of names that are there twice
            for name, value in held.items():
                for pair in change(name, value):
                    archive.writestr(*pair)


def _evil(name: str, value: bytes) -> List[Any]:
    return [(name, _codes() if name.endswith('data.pkl') else value)]


def _twice(name: str, value: bytes) -> List[Any]:
    return [(name, value), *(_evil(name, value) if name.endswith('data.pkl')
                             else [])]


def _outside(name: str, value: bytes) -> List[Any]:
    return [(name, value), (f'../../{MARKER}', b'x'), (f'/{MARKER}', b'x')]


def _nested(name: str, value: bytes) -> List[Any]:
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w') as inner:
        inner.writestr('archive/data.pkl', _codes())
    return [(name, file.getvalue() if name.endswith('data.pkl') else value)]


def _program(name: str, value: bytes) -> List[Any]:
    return [(name, value), (name.partition('/')[0] + '/constants.pkl',
                            _codes())]


def _bomb(name: str, value: bytes) -> List[Any]:
    return [(name, value if not name.endswith('data/0') else bytes(2**28))]


ARCHIVES: Dict[str, Callable[[str, bytes], Any]] = {
    'a zip with a pickle by hand': _evil, 'a zip that has it twice': _twice,
    'a zip with names outside': _outside, 'a zip in a zip': _nested,
    'a zip that is a program': _program, 'a zip with a bomb': _bomb,
}


def archived(room: Room, damage: Callable[[str, bytes], Any]) -> str:
    """A checkpoint whose archive was changed."""
    path = room.folder / 'evil.pth'
    torch.save(dict(state_dict={'a': torch.ones(2)}), path)
    _rezipped(path, lambda name, value: [(name, value)])
    open_checkpoint(path)  # it is not for being packed anew that it is refused
    _rezipped(path, damage)
    if damage is _evil:
        armed(room, path)
    return loaded(room, path)


#: What a config of a checkpoint might say, and would be run.
CONFIGS: Dict[str, str] = {
    'code': f'import os\nos.mkdir("{MARKER}")\n',
    'code in a value': f'model = __import__("os").mkdir("{MARKER}")',
    'code in an argument': f'model = dict(type=open("{MARKER}", "w"))',
    'a base': '_base_ = "evil.py"\nmodel = dict(type="X")',
    'a base with code': f'_base_ = open("{MARKER}", "w")',
    'imports': 'custom_imports = dict(imports=["evil"])\n',
    'a template': 'model = dict(type="{{ fileDirname }}{{$HOME:x}}")',
    'a type by its path': 'model = dict(type="os.mkdir", path="executed")',
    'a type of torch': 'model = dict(type="torch.hub.load", '
    'repo_or_dir="a/b", model="c")',
    'a scope': 'model = dict(type="X", _scope_="os")',
    'a comprehension': f'model = [open("{MARKER}", "w") for x in (1, )]',
    'an f-string': 'model = dict(type=f"{().__class__}")',
    'nesting': 'model = ' + '[' * 9000 + ']' * 9000,
    'a lambda': 'model = (lambda: 1)()',
    'a decorator': '@print\ndef model(): pass',
}


def configured(room: Room, text: str) -> str:
    """The reader with another config, of which modules lie beside it."""
    (room.folder / 'evil.py').write_text(f'import os\nos.mkdir("{MARKER}")\n')
    opened = open_checkpoint(reader_path())
    meta = dict(opened.meta)
    if 'imports' in text:
        text += str(meta['cfg'])
    path = room.folder / 'evil.pth'
    torch.save(dict(state_dict=opened.weights, meta=dict(meta, cfg=text)),
               path)

    def load() -> int:
        sys.path.insert(0, str(room.folder))
        try:
            load_recognizer(path)
        except UserError as error:
            print(f'Error: {error}')
            return 1
        return int('evil' in sys.modules) * 3

    ended = Process(load, room.folder).wait()
    unharmed(room)
    if 'custom_imports' in text:
        return f'{ended.fine().code or "read, and nothing imported"}'
    return ended.refused(path, 'config')[-90:]


def traversing(room: Room) -> str:
    """Names of weights are no paths, whatever is written of them."""
    from safetensors.torch import save_file
    path = room.folder / 'evil.safetensors'
    save_file({name: torch.ones(2)
               for name in (f'../../{MARKER}', f'/{MARKER}')}, path,
              metadata=dict(config=CONFIGS['code'], meta='{}'))
    return loaded(room, path)


def external(room: Room) -> str:
    """The reader of exports is asked to read weights from another folder."""
    try:
        import onnx
        from onnx import TensorProto, helper
    except ImportError as error:
        raise Untried(str(error)) from error
    (room.folder / 'secret.bin').write_bytes(SECRET.encode()[:32])
    folder = room.folder / 'export'
    folder.mkdir()
    weight = helper.make_tensor('w', TensorProto.UINT8, [32], bytes(32),
                                raw=True)
    weight.ClearField('raw_data')
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key='location', value='../secret.bin')
    graph = helper.make_graph(
        [helper.make_node('Identity', ['w'], ['y'])], 'g', [],
        [helper.make_tensor_value_info('y', TensorProto.UINT8, [32])],
        [weight])
    (folder / 'recognizer.onnx').write_bytes(helper.make_model(
        graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8
    ).SerializeToString())
    (folder / 'manifest.json').write_text(json.dumps(dict(
        format_version=1, kind='parallel',
        files=dict(recognizer='recognizer.onnx'))))

    def read() -> int:
        from lmim.export.onnx_reader import OnnxTextReader
        try:
            reader = OnnxTextReader(folder)
        except Exception as error:
            print(f'Error: {error}')
            return 1
        print(bytes(reader._run('recognizer')['y']))
        return 0

    ended = Process(read, room.folder).wait()
    if SECRET[:20] in ended.text or ended.code != 1:
        raise Broken(f'it was read: {ended}')
    return f'{onnx.__version__}: {ended.text.strip()[-120:]}'


SCRIPT = '<script>alert(1)</script><img src=x onerror=alert(2)>"\'>&lt;'


def markup(room: Room) -> str:
    """Nothing of a label, a reading, a name or a title becomes markup."""
    folder = room.folder / 'a<script>b'
    lay_out(folder, encoded(word()))
    count = len(list(folder.iterdir()))
    labels = [SCRIPT] * count
    path = write_lmdb(room.folder / '<script>.lmdb', [
        path.read_bytes() for path in sorted(folder.iterdir())], labels,
        False)
    dataset = TextImageDataset(str(path), with_text=True)
    text = misread_sheet(SCRIPT, SCRIPT, [(SCRIPT, dataset, [WordRecord(
        label=SCRIPT, read=SCRIPT[::-1] + SCRIPT, confidence=0.5,
        correct=False, exact=False, distance=1., too_long=False, empty=False,
        outside=False) for _ in range(count)])], 9)
    for part in ('<script', '<img src=x', 'onerror=alert(2)>'):
        if part in text:
            raise Broken(f'{part} stands on the sheet')
    return f'{text.count("&lt;script")} of them are shown as text'


#: What a list of pictures might name.
NAMES: Dict[str, str] = {
    'a file above': '../secret.txt', 'an absolute path': '{secret}',
    'a link to another file': 'link.png', 'a link of a folder':
    'links/secret.txt', 'a file by its address': 'file://{secret}',
    'a page of the web': 'http://localhost/x.png',
    'a command': '|touch ' + MARKER, 'a pattern': '../*.txt',
}


def listed(room: Room, name: str) -> str:
    """Of no file that is no picture anything comes out, wherever it lies."""
    secret = room.folder / 'secret.txt'
    secret.write_text(SECRET)
    folder = room.folder / 'set'
    names = lay_out(folder, encoded(word()))
    (folder / 'link.png').symlink_to(secret)
    (folder / 'links').symlink_to(room.folder)
    lines = [*names, NAMES[name].format(secret=secret)]
    path = folder / 'list.txt'
    path.write_text(''.join(f'{name}\tlabel\n' for name in lines))
    before = set(room.folder.rglob('*'))
    ended = [Process(call(main, *args), room.folder).wait() for main, *args
             in ((data_main, 'validate', path, '--workers', 0, '--report',
                  'report.jsonl'),
                 (data_main, 'create', path, room.folder / 'new.lmdb'),
                 (infer_main, path, '--output', 'words.jsonl'))]
    unharmed(room)
    for one in ended:
        if one.code not in (0, 1) or 'Traceback' in one.text:
            raise Broken(str(one))
    for made in set(room.folder.rglob('*')) - before:
        if made.is_file() and SECRET[:10].encode() in made.read_bytes():
            raise Broken(f'{made} has what is in the other file')
    return ', '.join(f'exit status {one.code}' for one in ended)
