"""Pools by command, by the API and on the page."""
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, Dict

import cv2
import pytest

from lmim.apis import TextRecognizer
from lmim.cli.demo import Checkpoints, make_corrector, make_reader
from lmim.cli.infer import main as infer
from lmim.cli.pool import main
from lmim.finetuning import Settings, make_config
from lmim.models.textrecog import PromptPool
from tests.apis.conftest import draw, png, write_checkpoint
from tests.tool_runs import REPO

WORDS = ['word', 'seven', 'nine', 'LMIM', 'x']


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights that heed what they see."""
    return write_checkpoint(
        tmp_path_factory.mktemp('icl') / 'model.pth', REPO / 'configs' /
        'textrecog/in_context/lmim-icl_vit-mini_1xb64_rendered-labels.py')


@pytest.fixture
def words(tmp_path: Path) -> Path:
    """A list of labelled pictures; two of them cannot be taken."""
    lines = []
    for number, word in enumerate(WORDS):
        (tmp_path / f'{number}.png').write_bytes(png(draw(word)))
        lines.append(f'{number}.png\t{word}')
    (tmp_path / '5.png').write_bytes(png(draw('e')))
    (tmp_path / '6.png').write_bytes(b'no picture')
    path = tmp_path / 'words.txt'
    path.write_text('\n'.join([*lines, '5.png\té', '6.png\tsix']) + '\n')
    return path


@pytest.fixture
def run(capsys: pytest.CaptureFixture) -> Callable[..., Dict[str, Any]]:
    """Runs `lmim pool`, which must end well, and gives its result."""

    def run(*args: Any) -> Dict[str, Any]:
        assert main([str(arg) for arg in args] + ['--json']) == 0
        result: Dict[str, Any] = json.loads(capsys.readouterr().out)
        return result

    return run


def test_a_pool_is_made_and_changed(
        run: Callable[..., Dict[str, Any]], words: Path, checkpoint: Path,
        tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    pool, reader = tmp_path / 'pool.safetensors', [
        '--checkpoint', checkpoint, '--device', 'cpu']
    made = run('make', words, pool, *reader)
    assert made['prompts'] == 5 and len(made['left_out']) == 2
    assert '6.png: its 10 bytes' in made['left_out'][0]
    assert "does not know: 'é' (U+00E9)" in made['left_out'][1]
    assert run('list', pool)['texts'] == WORDS
    assert run('remove', pool, 1, 3)['prompts'] == 3
    assert run('add', words, pool, *reader)['prompts'] == 5
    assert run('list', pool, '--pictures', tmp_path / 'out')['texts'] == [
        'word', 'nine', 'x', 'seven', 'LMIM']
    assert cv2.imread(str(tmp_path / 'out/3.jpg')).shape == (32, 128, 3)
    assert run('check', pool, *reader)['prompts'] == 5
    few = run('make', words, tmp_path / 'few', *reader, '--limit', 2)
    assert few['prompts'] + len(few['left_out']) == 2
    assert main(['make', str(words), str(pool), *map(str, reader)]) == 1
    assert 'exists' in capsys.readouterr().err

    plain = TextRecognizer(checkpoint, device='cpu')
    seeing = TextRecognizer(checkpoint, device='cpu', pool=pool)
    images = [draw(word) for word in WORDS]
    expected = [word.text for word in seeing(images)]
    assert expected != [word.text for word in plain(images)]
    assert infer([*(str(words.parent / f'{number}.png')
                    for number in range(5)), '--checkpoint', str(checkpoint),
                  '--pool', str(pool), '--device', 'cpu', '--json']) == 0
    results = json.loads(capsys.readouterr().out)['results']
    assert [word['text'] for word in results] == expected
    some = words.parent / 'some.txt'
    some.write_text('0.png\n1.png\tseven\n')
    one = run('make', some, tmp_path / 'one', *reader)
    assert one['prompts'] == 1 and 'it has no label' in one['left_out'][0]
    assert main(['evaluate', str(words), str(tmp_path / 'one'),
                 *map(str, reader)]) == 1
    assert 'no two texts that differ' in capsys.readouterr().err
    measured = run('evaluate', words, pool, *reader)
    assert measured['pictures'] == 6
    for key in ('without', 'with', 'wrong'):
        assert measured[key] == 0  # random weights


def test_what_a_pool_is_worth_is_told_of_new_words_too(
        run: Callable[..., Dict[str, Any]], words: Path, checkpoint: Path,
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture) -> None:
    pool, reader = tmp_path / 'pool.safetensors', [
        '--checkpoint', checkpoint, '--device', 'cpu']
    some = words.parent / 'some.txt'
    some.write_text('0.png\tword\n1.png\tseven\n')
    run('make', some, pool, *reader)

    def read(self: TextRecognizer, pictures: Any) -> Any:
        """The pool gives three words of five, the first of which it has."""
        texts = [prompt.text for prompt in self.model.pool.prompts]
        found = {(): 'wordX', ('word', 'seven'): 'word nine LMIM',
                 ('seven', 'word'): 'x'}[tuple(texts)].split()
        return [SimpleNamespace(text=word if word in found else '')
                for word in WORDS]

    monkeypatch.setattr(TextRecognizer, '__call__', read)
    known = words.parent / 'known.txt'
    known.write_text(''.join(f'{number}.png\t{word}\n'
                             for number, word in enumerate(WORDS)))
    command = ['evaluate', known, pool, *reader]
    measured = run(*command)
    assert [measured[key] for key in ('without', 'with', 'wrong')] == [
        0, 0.6, 0.2]
    assert measured['new_words'] == {
        'pictures': 3, 'without': 0, 'with': pytest.approx(2 / 3),
        'wrong': pytest.approx(1 / 3)}
    assert main([str(arg) for arg in command]) == 0
    assert ('with it                            60.0%       66.7%'
            in capsys.readouterr().out)
    assert run(*command, '--limit', 5)['pictures'] == 5


def test_a_pool_of_other_weights_is_made_anew(
        run: Callable[..., Dict[str, Any]], words: Path, checkpoint: Path,
        tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    pool, other = tmp_path / 'pool.safetensors', write_checkpoint(
        tmp_path / 'other.pth', REPO / 'configs/textrecog/in_context/'
        'lmim-icl_vit-mini_1xb64_rendered-labels.py', 0.2)
    run('make', words, pool, '--checkpoint', checkpoint)
    reader = ['check', str(pool), '--checkpoint', str(other)]
    assert main(reader) == 1
    assert 'was made by other weights' in capsys.readouterr().err
    assert run(*reader, '--rebuild')['prompts'] == 5
    assert run(*reader)['prompts'] == 5
    with pytest.raises(ValueError, match='other weights'):
        TextRecognizer(checkpoint, device='cpu', pool=pool)


def test_a_correction_is_heeded_at_once(checkpoint: Path,
                                        tmp_path: Path) -> None:
    recognizer = TextRecognizer(checkpoint, device='cpu')
    picture = png(draw('word'))
    before = recognizer(picture)[0]
    recognizer.correct(picture, 'seven')
    (prompt, ) = recognizer.model.pool.prompts
    assert prompt.text == 'seven'
    after = recognizer(picture)[0]
    assert (after.text, after.score) != (before.text, before.score)
    recognizer.correct(picture, 'eight')
    assert [each.text for each in recognizer.model.pool.prompts] == ['eight']
    recognizer.model.pool.save(tmp_path / 'pool')
    recognizer.correct(png(draw('x')), 'x')
    assert [each.text for each in PromptPool.load(
        tmp_path / 'pool').prompts] == ['eight', 'x']
    with pytest.raises(ValueError, match='does not know'):
        recognizer.correct(picture, 'é')
    with pytest.raises(ValueError, match='is no text: 12'):
        recognizer.correct(picture, 12)  # type: ignore
    with pytest.raises(ValueError, match='2 pictures have 1 texts'):
        recognizer.add_prompts([picture, picture], ['a'])


def test_it_is_trained_on_by_sequences(checkpoint: Path,
                                       tmp_path: Path) -> None:
    """`lmim finetune`: three pictures of a word, a batch as large as ever."""
    cfg = make_config(Settings(['words'], None, tmp_path, keep=0.),
                      TextRecognizer(checkpoint, device='cpu'), 'train.lmdb')
    views = cfg.train_dataloader.dataset.pipeline[-1]
    assert views.type == 'InContextViews' and views.num_prompts == 2
    assert views.transforms[-1].type == 'PackTextRecogInputs'
    assert cfg.train_dataloader.batch_size == 64 // 3
    assert cfg.model.type == 'InContextRecognizer'


def test_others_than_in_context_recognizers_say_what_to_do() -> None:
    reader = TextRecognizer(device='cpu')
    with pytest.raises(ValueError, match='EncoderDecoderRecognizer, which '
                       'cannot read with a pool.*configs/textrecog/in_context'
                       '.*lmim finetune'):
        reader.correct(png(draw('word')), 'word')


def test_a_page_takes_corrections(checkpoint: Path, tmp_path: Path) -> None:
    pool, path = tmp_path / 'pool.safetensors', tmp_path / 'word.png'
    path.write_bytes(png(draw('word')))
    checkpoints = Checkpoints([checkpoint], device='cpu', pool=pool)
    read, correct = make_reader(checkpoints), make_corrector(checkpoints)
    before = read('model.pth', str(path))[:2]
    assert not pool.exists()
    assert correct('model.pth', str(path), 'é').startswith('Not corrected: ')
    assert correct('model.pth', str(path), ' seven ').startswith('Corrected')
    after = read('model.pth', str(path))[:2]
    assert after != before
    assert [each.text for each in PromptPool.load(pool).prompts] == ['seven']
    again = Checkpoints([checkpoint], device='cpu', pool=pool)
    assert make_reader(again)('model.pth', str(path))[:2] == after
