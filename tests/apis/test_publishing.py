"""One file for others: what is in it, and that it reads as its source."""
import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Callable, Dict, List

import numpy as np
import pytest
import torch
from mmocr.apis import TextRecInferencer

from lmim.apis import TextRecognizer
from lmim.checkpoints import CheckpointError, open_checkpoint
from lmim.checkpoints.contents import write_checkpoint
from lmim.cli.checkpoint import main
from lmim.utils.atomic import PARTIAL
from tests.test_repository import FOREIGN
from tests.tool_runs import call, call_json

Make = Callable[[str], Path]
RECORD: Dict[str, Any] = dict(
    name='a reader', licence='Apache-2.0', data=['drawn words', 'signs'],
    seeds=dict(training=3), commit='abc123',
    figures=dict(SVT=dict(words=1647, WAICS=80.52), IIIT5K=dict(WAICS=90.)))


@pytest.fixture
def record(tmp_path: Path) -> Path:
    path = tmp_path / 'record.json'
    path.write_text(json.dumps(RECORD))
    return path


@pytest.mark.parametrize('folder', ['ctc', 'transformer'])
@pytest.mark.parametrize('precision, near', [('fp32', 0), ('fp16', 1e-2)])
def test_it_reads_as_its_source(make_checkpoint: Make, tmp_path: Path,
                                images: List[np.ndarray], record: Path,
                                folder: str, precision: str, near: float
                                ) -> None:
    """Alone: no config, no dictionary and no data lie beside it."""
    source = make_checkpoint(f'textrecog/{folder}')
    path = tmp_path / 'words.safetensors'
    done = call_json(main, 'publish', source, path, '--precision', precision,
                     '--record', record)
    assert done['code'] == 0 and done['output']['dictionary'] == 94
    words = TextRecognizer(source, device='cpu')(images)
    found = TextRecognizer(path, device='cpu')(images)
    assert len({word.text for word in words}) > 1
    if not near:
        assert [(w.text, w.char_scores) for w in found] == [
            (w.text, w.char_scores) for w in words]
    # Weights are random, so that a rounding may turn a character.
    same = [(a, b) for a, b in zip(words, found) if a.text == b.text]
    assert len(same) >= 5
    for a, b in same:
        assert b.score == pytest.approx(a.score, rel=near, abs=near)
    size = {'fp32': 4, 'fp16': 2}[precision]
    assert path.stat().st_size < size * 1.1 * done['output']['values'] + 2e4
    assert path.stat().st_mode & 0o777 == source.stat().st_mode & 0o777


def test_a_head_for_training_alone_is_not_published(
        make_checkpoint: Make, tmp_path: Path,
        images: List[np.ndarray]) -> None:
    source = make_checkpoint('textrecog/siga')
    path = tmp_path / 'words.safetensors'
    told = call(main, 'publish', source, path, '--precision', 'fp32')
    assert told.code == 0 and (
        'left out: head of glyphs, for training alone (glyph_head.'
    ) in told.stdout
    held, whole = open_checkpoint(path), open_checkpoint(source)
    assert 'glyph' not in held.meta['cfg']
    assert held.model_config()['type'] == 'EncoderDecoderRecognizer'
    assert set(held.weights) == {
        name for name in whole.weights if not name.startswith('glyph_head.')}
    assert len(held.weights) < len(whole.weights)
    found, wanted = (TextRecognizer(each, device='cpu')(images)
                     for each in (path, source))
    assert [(w.text, w.char_scores) for w in found] == [
        (w.text, w.char_scores) for w in wanted]


def test_what_it_holds(make_checkpoint: Make, tmp_path: Path,
                       record: Path) -> None:
    path = tmp_path / 'words.safetensors'
    source = make_checkpoint('textrecog/ctc')
    assert call(main, 'publish', source, path, '--record', record).code == 0
    held = open_checkpoint(path)
    assert held.meta['record'] == RECORD
    assert held.characters() == open_checkpoint(source).characters()
    text = held.meta['cfg']
    assert not FOREIGN.search(text) and str(tmp_path.anchor) not in text
    assert 'train_' not in text and 'optim_' not in text
    assert 'Pretrained' not in text and '.lmdb' not in text
    for name, value in held.weights.items():
        assert value.dtype == (torch.float16 if value.dim() > 1 else
                               open_checkpoint(source).weights[name].dtype)
    told = call(main, 'inspect', path, '--configs', tmp_path / 'none').stdout
    assert 'a reader' in told and 'abc123' in told


def test_the_card_has_the_record(make_checkpoint: Make, tmp_path: Path,
                                 record: Path) -> None:
    card = tmp_path / 'card.md'
    path = tmp_path / 'words.safetensors'
    marks = '<!-- from the record -->', '<!-- end of the record -->'
    card.write_text(f'# A\n{marks[0]}\nold\n{marks[1]}\nlast\n')
    line = ['publish', make_checkpoint('textrecog/ctc'), path,
            '--record', record, '--card', card]
    assert call(main, *line).code == 0
    written = card.read_text()
    assert written == f"""# A
{marks[0]}
- name: a reader
- licence: Apache-2.0
- data: drawn words; signs
- seeds: training 3
- commit: abc123

| set | words | WAICS |
| --- | --- | --- |
| SVT | 1,647 | 80.5 |
| IIIT5K |  | 90.0 |
{marks[1]}
last
"""
    assert call(main, *line, '--overwrite').code == 0
    assert card.read_text() == written
    card.write_text('# A\n')
    path.unlink()
    ended = call(main, *line)
    assert ended.code == 1 and f'has no lines {marks[0]}' in ended.stderr
    assert not path.exists()


@pytest.mark.parametrize('args, message', [
    (['{out}.pth'], 'is a file of safetensors'),
    (['{out}', '--card', '{dir}/card.md'], '--record JSON'),
    (['{out}', '--record', '{dir}/nope.json'], 'No such file'),
    (['{out}', '--record', '{dir}/text.json'], 'is not JSON'),
    (['{out}', '--record', '{dir}/list.json'], 'has no name, licence'),
    (['{out}', '--record', '{dir}/words.json'], 'of numbers by their names'),
])
def test_what_cannot_be_published(make_checkpoint: Make, tmp_path: Path,
                                  args: List[str], message: str) -> None:
    (tmp_path / 'text.json').write_text('{')
    (tmp_path / 'list.json').write_text('[]')
    (tmp_path / 'words.json').write_text(
        json.dumps({**RECORD, 'figures': {'SVT': 'good'}}))
    out = tmp_path / 'out.safetensors'
    ended = call(main, 'publish', make_checkpoint('textrecog/ctc'),
                 *(arg.format(out=out, dir=tmp_path) for arg in args))
    assert ended.code == 1 and message in ended.stderr
    assert not out.exists() and not Path(f'{out}{PARTIAL}').exists()


def test_no_file_that_others_cannot_read(make_checkpoint: Make,
                                         tmp_path: Path) -> None:
    out = tmp_path / 'out.safetensors'
    opened = open_checkpoint(make_checkpoint('textrecog/ctc'))
    name = 'decoder.decoder.weight'
    huge = dict(opened.weights, **{name: opened.weights[name] + 7e4})
    lacking = {key: value for key, value in opened.weights.items()
               if key != name}
    alone = {key: value for key, value in opened.meta.items()
             if key != 'dictionary'}
    alone['cfg'] = alone['cfg'].replace('english_94.txt', 'nowhere.txt')
    stranger = dict(opened.meta, cfg=opened.meta['cfg'].replace(
        "type='Resize'", "type='ConditionApply'"))
    for changed, message in (
            (opened._replace(weights=huge), 'Take --precision fp32'),
            (opened._replace(weights=lacking), f'missing: {name}'),
            (opened._replace(meta=alone), 'carries no dictionary'),
            (opened._replace(meta=stranger), "'ConditionApply'"),
            (open_checkpoint(make_checkpoint('pretrain/mae')),
             'which reads no text')):
        bad = tmp_path / 'bad.pth'
        write_checkpoint(changed, bad, overwrite=True)
        ended = call(main, 'publish', bad, out)
        assert ended.code == 1 and message in ended.stderr
        assert not out.exists()


def test_nothing_in_it_is_executed(make_checkpoint: Make,
                                   tmp_path: Path) -> None:
    """By us, and by MMOCR's inferencers, which execute configs else."""
    path, ran = tmp_path / 'words.safetensors', tmp_path / 'ran'
    call(main, 'publish', make_checkpoint('textrecog/ctc'), path)
    held = open_checkpoint(path)
    touch = f"__import__('pathlib').Path({str(ran)!r}).touch()"
    for text, message in (
            (f'{touch}\n{held.meta["cfg"]}', 'is not run'),
            (held.meta['cfg'].replace(
                'dict(meta_keys', "dict(type='ConditionApply', condition="
                f'{touch!r}, true_transforms=[]), dict(meta_keys'),
             "'ConditionApply'")):
        bad = tmp_path / 'bad.safetensors'
        meta = dict(held.meta, cfg=text)
        write_checkpoint(held._replace(meta=meta), bad, overwrite=True)
        with pytest.raises(CheckpointError, match=message):
            TextRecognizer(bad, device='cpu')
        with pytest.raises(CheckpointError, match=message):
            TextRecInferencer(weights=str(bad), device='cpu')
    assert not ran.exists()


def test_mmocrs_inferencer_needs_no_other_file(
        make_checkpoint: Make, tmp_path: Path,
        images: List[np.ndarray]) -> None:
    path = tmp_path / 'words.safetensors'
    call(main, 'publish', make_checkpoint('textrecog/ctc'), path)
    found = TextRecInferencer(weights=str(path), device='cpu')(
        images, progress_bar=False, return_vis=True)
    words = TextRecognizer(path, device='cpu')(images)
    assert [one['text'] for one in found['predictions']] == [
        word.text for word in words]
    assert len(found['visualization']) == len(words)


def test_a_damaged_file_is_refused(make_checkpoint: Make,
                                   tmp_path: Path) -> None:
    path = tmp_path / 'words.safetensors'
    call(main, 'publish', make_checkpoint('textrecog/ctc'), path)
    whole = path.read_bytes()
    for damaged in (whole[:-9], whole[:2000], b'', whole.replace(
            b'"F16"', b'"F99"', 1)):
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match='cannot be read') as error:
            TextRecognizer(path, device='cpu')
        assert str(path) in str(error.value)
    for bit in (whole[-9], whole[-9] ^ 1):  # as it was, and one bit another
        path.write_bytes(whole[:-9] + bytes([bit]) + whole[-8:])
        with (nullcontext() if bit == whole[-9] else pytest.raises(
                CheckpointError, match='is damaged: its weights')):
            TextRecognizer(path, device='cpu')
