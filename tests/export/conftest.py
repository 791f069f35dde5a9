"""Mini recognizers with random weights, exported once."""
import copy
import shutil
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple

import numpy as np
import pytest
from mmengine.config import Config

from lmim.checkpoints.config_text import write_config
from lmim.apis import TextRecognizer
from tests.apis.conftest import WORDS, draw, write_checkpoint
from tests.tool_runs import mini_config

for needed in ('onnx', 'onnxscript', 'onnxruntime'):
    pytest.importorskip(needed)

#: Kinds of recognizers by their configs, and what makes them small: torch
#: takes a second for each block.
ARCH = dict(embed_dims=32, num_layers=1, num_heads=2, feedforward_channels=64)
SMALL = {
    'backbone.arch': {**ARCH, '_delete_': True},
    'encoder': dict(in_dims=32, embed_dims=32),
    'decoder': dict(embed_dims=32, num_heads=2, head_dims=16,
                    feedforward_channels=64)}
KINDS: Dict[str, Any] = {
    'autoregressive': ('textrecog/transformer', SMALL),
    'ctc': ('textrecog/ctc', {
        'backbone.vit.arch': {**ARCH, '_delete_': True},
        'decoder.in_channels': 32,
        'decoder.postprocessor': dict(
            type='CTCLanguagePostprocessor', language='english')}),
    'parallel': ('textrecog/parallel', SMALL),
    'refined': ('textrecog/transformer', {
        **SMALL, 'decoder.refinement': dict(grid=(1, 32))}),
    'pretraining': ('pretrain/mae', {
        'backbone.arch': {**ARCH, '_delete_': True}, 'neck.in_dims': 32}),
    'rotary': ('pretrain/mae', {
        'backbone.arch': {**ARCH, '_delete_': True}, 'neck.in_dims': 32,
        'backbone.rotary': dict(type='MixedRotary'),
        'backbone.pos_embed': 'none'})}


class Exported(NamedTuple):
    """A recognizer, its folder, and what the export said of it."""
    checkpoint: Path
    folder: Path
    manifest: Dict[str, Any]


def config_of(kind: str, folder: Path, **options: Any) -> Path:
    """The config of a small recognizer, with options, in a folder."""
    config, small = KINDS[kind]
    cfg = Config.fromfile(mini_config(config))
    cfg.merge_from_dict({f'model.{key}': value
                         for key, value in copy.deepcopy(small).items()})
    cfg.merge_from_dict(options)
    path = folder / f'{kind}-{len(list(folder.iterdir()))}.py'
    path.write_text(write_config(cfg.to_dict()), encoding='utf-8')
    return path


@pytest.fixture(scope='session')
def exported(tmp_path_factory: pytest.TempPathFactory
             ) -> Callable[[str], Exported]:
    """Exports a kind of recognizer, each once."""
    from lmim.export import export
    made: Dict[str, Exported] = {}

    def make(kind: str) -> Exported:
        if kind not in made:
            root = tmp_path_factory.mktemp(kind)
            checkpoint = write_checkpoint(
                root / 'model.pth', config_of(kind, root), std=0.3)
            made[kind] = Exported(checkpoint, root / 'out',
                                  export(checkpoint, root / 'out'))
        return made[kind]

    return make


@pytest.fixture
def reuse_graphs(exported: Callable[[str], Exported],
                 monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """From here on the graphs of a kind are copied, for torch takes seconds
    to make them; whatever else exporting does is done."""
    from lmim.export import exporting

    def reuse(kind: str) -> None:
        done = exported(kind)

        def write(*args: Any) -> Dict[str, Any]:
            shutil.copytree(done.folder, args[-1], dirs_exist_ok=True)
            return done.manifest

        monkeypatch.setattr(exporting, 'write_encoder', write)
        monkeypatch.setattr(exporting, 'write_recognizer', write)

    return reuse


@pytest.fixture(scope='session')
def words() -> List[np.ndarray]:
    """Seven words, each of its own size."""
    return [draw(word) for word in WORDS]


@pytest.fixture(scope='session')
def torch_readings(exported: Callable[[str], Exported],
                   words: List[np.ndarray]) -> Callable[[str], List[Any]]:
    """What torch reads in the words."""

    def read(kind: str) -> List[Any]:
        return TextRecognizer(exported(kind).checkpoint, device='cpu')(words)

    return read
