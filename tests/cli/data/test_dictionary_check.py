"""`dictionary` and `check`."""
from pathlib import Path
from typing import Any, Sequence

import pytest

from lmim.checkpoints.dictionaries import read_dict_file
from tests.datasets.make_lmdb import make_lmdb, picture

CONFIG = ('configs/textrecog/transformer/'
          'transformer_vit-mini_1xb64_rendered-labels.py')


def lmdb_of(path: Path, labels: Sequence[str]) -> str:
    return make_lmdb(path, [picture(1)] * len(labels),
                     [label.encode() for label in labels])


ODD = ['Ab c', 'caf\u00e9', 'cafe\u0301', '"quoted"', 'img.jpg', ' x', 'Ａ',
       'a\u200bb', 'b' * 30, '']


def test_dictionary_extends_and_leaves_out(run: Any, tmp_path: Path) -> None:
    base = tmp_path / 'base.txt'
    base.write_text('z\ne\n')
    data = lmdb_of(tmp_path / 'x.lmdb', ['aab', 'ab中', 'b中é', 'éx', 'e\n'])
    out = tmp_path / 'out.txt'
    status, result = run('dictionary', data, out, '--base', base)
    assert status == 0
    assert read_dict_file(out) == ['z', 'e', 'a', 'b', 'x', 'é', '中']
    assert result['base_unused'] == ['z']
    assert result['left_out'] == ['\n']
    assert result['labels_with_line_ends'] == 1
    rows = {row['character']: row for row in result['characters']}
    assert [rows['a'][key] for key in ('occurrences', 'labels',
                                       'in_dictionary')] == [3, 2, True]
    assert rows['\n']['in_dictionary'] is False
    assert rows['x']['example'].endswith("image-000000004: 'éx'")
    status, result = run('dictionary', data, out)
    assert status == 1 and '--overwrite' in result['error']


def test_dictionary_points_odd_characters_out(report: Any,
                                              tmp_path: Path) -> None:
    data = lmdb_of(tmp_path / 'x.lmdb', ODD)
    out = tmp_path / 'out.txt'
    told = report('dictionary', data, out)
    for line in ("'\\u200b' (U+200B) in 1 label(s): invisible character",
                 "'Ａ' (U+FF21) in 1 label(s): full-width or half-width form",
                 '1 of 10 labels: not in NFC',
                 '1 of 10 labels: begins or ends with a blank',
                 '1 of 10 labels: in quotation marks',
                 '1 of 10 labels: like the name of a picture file',
                 '1 of 10 labels: empty', '  abcdefgijmopqtuxA". é\n'):
        assert line in told


def test_dictionary_without_labels(run: Any, tmp_path: Path) -> None:
    data = make_lmdb(tmp_path / 'x.lmdb', [picture(1)])
    status, result = run('dictionary', data, tmp_path / 'out.txt')
    assert status == 1 and 'no labels to take characters' in result['error']
    assert not (tmp_path / 'out.txt').exists()


@pytest.fixture
def check(run: Any, report: Any) -> Any:
    """Runs `check`: exit status, its JSON, its words."""
    return lambda *argv: (*run('check', *argv), report('check', *argv))


def test_check_against_a_dictionary(check: Any, tmp_path: Path) -> None:
    data = lmdb_of(tmp_path / 'x.lmdb', ['ab', 'a\u2019b', 'A', 'a b', '',
                                         'abababa', "b'", 'a\u2013中'])
    abc = tmp_path / 'abc.txt'
    abc.write_text("a\nb\n'\nc\n")
    status, result, told = check(data, '--dict', abc, '--max-length',
                               6)
    part, = result['parts']
    assert status == 1 and result['ok'] is False
    assert (part['labels'], part['fine'], part['unknown'], part['too_long'],
            part['empty_or_missing']) == (8, 2, 4, 1, 1)
    hints = {item['character']: item['hint']
             for item in part['unknown_characters']}
    assert hints['\u2019'] == 'meant as "\'"?'
    assert hints['A'] == "'a' by letter_case=lower"
    assert 'one blank adds it' in hints[' ']
    assert hints['\u2013'] is None and hints['中'] is None
    assert result['characters_unused'] == ['c']
    assert part['longest'][0].endswith("image-000000006: 'abababa'")
    assert '8 labels, 2 of them (25.00%) can be learnt as they are' in told
    assert '1 of 8 labels have more than 6 characters' in told
    assert 'Hardly any' not in told


def test_check_is_silent_where_all_is_well(check: Any, tmp_path: Path) -> None:
    data = lmdb_of(tmp_path / 'x.lmdb', ['AB', 'ba'])
    abc = tmp_path / 'abc.txt'
    abc.write_text('a\nb\n')
    status, result, told = check(data, '--dict', abc, '--letter-case',
                               'lower')
    assert status == 0 and result['ok'] is True and 'all is well' in told
    status, _, told = check(data, '--dict', abc)
    assert status == 1 and '1 of 2 labels have characters' in told


def test_check_follows_the_config(check: Any, repo: Path,
                                  tmp_path: Path) -> None:
    """Words of 8 characters, no start token, an error on unknown ones."""
    data = lmdb_of(tmp_path / 'x.lmdb', ['a' * 8, 'a' * 9, 'é', 'Z~'])
    status, result, told = check(data, '--config', repo / CONFIG)
    part, = result['parts']
    assert status == 1
    assert (part['fine'], part['too_long'], part['unknown']) == (2, 1, 1)
    assert (result['max_length'], result['characters'],
            result['on_unknown']) == (8, 94, 'error')
    assert 'model.decoder.module_loss.on_unknown=map' in told


def test_check_reads_the_configs_own_sets(
        check: Any, repo: Path, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('LMIM_DATA_ROOT', str(tmp_path))
    (tmp_path / 'rendered').mkdir()
    lmdb_of(tmp_path / 'rendered' / 'train.lmdb', ['abc', 'd-e'])
    status, result, told = check('--config', repo / CONFIG)
    train, test = result['parts']
    assert status == 1 and train['ok'] and train['labels'] == 2
    assert test['name'] == 'val_dataloader, test_dataloader'
    assert 'test.lmdb' in test['error']
    assert 'cannot be read: FileNotFoundError' in told
    lmdb_of(tmp_path / 'rendered' / 'test.lmdb', ['é'])
    _, result, _ = check('--config', repo / CONFIG)
    assert [part['unknown'] for part in result['parts']] == [0, 1]


def test_check_names_metrics_that_delete_letters(
        check: Any, repo: Path, tmp_path: Path) -> None:
    data = lmdb_of(tmp_path / 'x.lmdb', ['яж'])
    (tmp_path / 'ru.txt').write_text('a\nя\nж\n', encoding='utf-8')
    config = tmp_path / 'own.py'
    own = (f'_base_ = {str(repo / CONFIG)!r}\nmodel = dict(decoder=dict('
           f'dictionary=dict(dict_file={str(tmp_path / "ru.txt")!r})))\n')
    config.write_text(own)
    assert check(data, '--config', config)[0] == 0
    config.write_text(f'{own}val_evaluator = dict('
                      'metrics=_base_.english_metrics)\n')
    status, result, told = check(data, '--config', config)
    assert status == 1 and result['parts'][0]['ok'] is True
    assert 'delete 2 of the 3 letters' in result['metrics']
    assert result['metrics'] in told


@pytest.mark.parametrize('argv, message', [
    (['--dict', 'abc.txt'], 'needs a SOURCE'),
    (['x.lmdb', '--dict', 'none.txt'], 'none.txt'),
    (['bare.lmdb', '--dict', 'abc.txt'], 'has no labels to check'),
    (['x.lmdb', '--config', 'pretrain.py'], 'not of a recognizer'),
    (['x.lmdb', '--config', 'broken.py'], 'cannot be read as a config'),
    (['x.lmdb', '--config', 'unbuilt.py'], 'cannot be built'),
])
def test_check_errors(check: Any, tmp_path: Path, argv: Sequence[str],
                      message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lmdb_of(Path('x.lmdb'), ['a'])
    make_lmdb(Path('bare.lmdb'), [picture(1)])
    Path('abc.txt').write_text('a\n')
    Path('pretrain.py').write_text("model = dict(type='LMIM')\n")
    Path('broken.py').write_text('model = dict(\n')
    Path('unbuilt.py').write_text(
        "model = dict(decoder=dict(type='NoDecoder', dictionary=dict()))\n")
    status, result, _ = check(*argv)
    assert status == 1 and message in result['error']
