"""The recognizer in the package: whole, its card's, and read by default."""
import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Dict, List, Tuple
from unittest import mock

import cv2
import numpy as np
import pytest
from mmocr.apis import MMOCRInferencer, TextRecInferencer

from lmim.apis import TextRecognizer
from lmim.apis.loading import reader_path
from lmim.apis.publishing import RECORD, fill_card
from lmim.checkpoints import Checkpoint, open_checkpoint
from lmim.checkpoints.averaging import not_finite
from lmim.checkpoints.dictionaries import read_dict_file
from lmim.cli import demo, export, infer, visualize
from tests.documents import DOCS, REPO, blocks
from tests.test_repository import FOREIGN
from tests.tool_runs import call, call_json

SIGN = DOCS / 'images/sign.png'
CARD = DOCS / 'reader.md'
LIMIT = 12_000_000  # bytes


@pytest.fixture(scope='module')
def held() -> Checkpoint:
    return open_checkpoint(reader_path())


@pytest.fixture(scope='module')
def record(held: Checkpoint) -> Dict[str, Any]:
    return held.meta['record']


@pytest.fixture(scope='module')
def images() -> List[np.ndarray]:
    image = cv2.imread(str(SIGN))
    return [image, image[:, :300], image[:, 200:]]


def test_it_is_small_whole_and_of_no_machine(held: Checkpoint) -> None:
    assert reader_path().stat().st_size < LIMIT
    assert held.characters() == read_dict_file(
        REPO / 'projects/lmim/lmim/dicts/english_94.txt')
    assert not not_finite(held.weights)
    told = held.meta['cfg'] + json.dumps(held.meta)
    assert not FOREIGN.search(told)
    assert set(RECORD) <= set(held.meta['record'])


def test_it_heeds_english(held: Checkpoint) -> None:
    assert reader_path().with_name('english.npz').stat().st_size < 10**6
    search = TextRecognizer(device='cpu').model.decoder.postprocessor.search
    language = search.language
    assert language.symbols == '.0abcdefghijklmnopqrstuvwxyz'
    for right, wrong in (('message', 'rnessage'), ('Hotel', 'Hote1'),
                         ('CLOSED', 'CL0SED'), ('street', 'strect')):
        gained = (language.log_probability(right) -
                  language.log_probability(wrong))
        assert gained > 1.5, right
    plain = TextRecognizer(device='cpu', language='none')
    assert plain.model.decoder.postprocessor.search is None


def test_its_card_tells_its_record(record: Dict[str, Any]) -> None:
    text = CARD.read_text(encoding='utf-8')
    assert text == fill_card(text, record, str(CARD)), (
        'fill it in with `lmim checkpoint publish --card docs/reader.md`')


def test_pages_say_what_it_reads(record: Dict[str, Any]) -> None:
    if not record['figures']:
        pytest.skip('the file is a stand-in, which was not measured')
    word = TextRecognizer(device='cpu')(SIGN)[0]
    for name in ('README.md', 'README.zh-CN.md'):
        told = [block.text for block in blocks(REPO / name)
                if block.text.startswith('docs/images/sign.png\t')]
        _, text, score = told[0].strip().split('\t')
        assert text == word.text
        assert float(score) == pytest.approx(word.score, abs=0.01)


def test_it_is_the_default(images: List[np.ndarray], tmp_path: Path) -> None:
    words = TextRecognizer(reader_path(), device='cpu')(images)
    assert TextRecognizer(device='cpu')(images) == words
    done = call_json(infer.main, SIGN, '--device', 'cpu')
    assert done['checkpoint'] == str(reader_path())
    assert done['results'][0]['text'] == words[0].text
    told = call(infer.main, SIGN, '--device', 'cpu')
    assert told.stderr.endswith(f'read with {reader_path()}\n')
    done = call_json(visualize.main, 'attention', SIGN, '-o',
                     tmp_path / 'looks.png')
    assert done['checkpoints'] == [str(reader_path())]
    done = call_json(export.main, '--output', tmp_path / 'exported')
    assert done['manifest']['checkpoint']['name'] == reader_path().name
    assert done['manifest']['kind'] == 'ctc'
    with mock.patch.multiple(
            demo, require_gradio=mock.DEFAULT, make_page=mock.DEFAULT,
            wait_for_end=mock.DEFAULT,
            served=lambda *args: nullcontext('address')):
        done = call_json(demo.main, '--device', 'cpu')
    assert done['checkpoints'] == [reader_path().name]


def test_mmocr_knows_its_name(images: List[np.ndarray]) -> None:
    words = TextRecognizer(device='cpu')(images)
    found = TextRecInferencer('LMIM-reader', device='cpu')(
        images, progress_bar=False)['predictions']
    assert [one['text'] for one in found] == [word.text for word in words]
    found = MMOCRInferencer(rec='lmim-reader', device='cpu')(images)
    assert [one['rec_texts'] for one in found['predictions']] == [
        [word.text] for word in words]
    with pytest.raises(ValueError, match='Cannot find model: lmim-other'):
        TextRecInferencer('lmim-other', device='cpu')


def test_where_it_is_not_there(tmp_path: Path) -> None:
    with mock.patch('lmim.apis.loading.READER', tmp_path / 'no.safetensors'):
        ended = call(infer.main, SIGN)
    assert ended.code == 1
    assert 'install lmim again, or name a checkpoint' in ended.stderr


@pytest.fixture(scope='module')
def archives(tmp_path_factory: pytest.TempPathFactory
             ) -> Tuple[List[str], List[str]]:
    """The names in a wheel and in a source archive."""
    root = tmp_path_factory.mktemp('source')
    shutil.copytree(REPO / 'projects/lmim/lmim', root / 'projects/lmim/lmim',
                    ignore=shutil.ignore_patterns('__pycache__'))
    for name in ('setup.py', 'pyproject.toml', 'README.md', 'LICENSE'):
        shutil.copy(REPO / name, root)
    done = subprocess.run(
        [sys.executable, 'setup.py', '-q', 'sdist', 'bdist_wheel'], cwd=root,
        capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next(root.glob('dist/*.whl'))) as wheel, tarfile.open(
            next(root.glob('dist/*.tar.gz'))) as source:
        return wheel.namelist(), source.getnames()


def test_archives_have_it(archives: Tuple[List[str], List[str]]) -> None:
    wheel, source = archives
    assert 'lmim/weights/reader.safetensors' in wheel
    assert 'lmim/weights/english.npz' in wheel
    assert 'lmim/dicts/english_94.txt' in wheel
    assert any(re.fullmatch(
        'lmim-[^/]+/projects/lmim/lmim/weights/reader.safetensors', name)
        for name in source)
