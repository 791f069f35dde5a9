"""`tools/data.py crop` with the text files of ICDAR's contests."""
import json
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import cv2
import lmdb
import numpy as np
import pytest

from lmim.datasets.records import open_sources
from lmim.cli.data import main
from lmim.cli.data.textdet_icdar import read_icdar

BOX = '10,10,50,10,50,30,10,30'


def run(capsys: Any, *argv: Any) -> Tuple[int, Dict[str, Any]]:
    status = main([*map(str, argv), '--json'])
    return status, json.loads(capsys.readouterr().out)


def words_of(folder: Path, **files: str) -> Tuple[str, List[List[dict]]]:
    """What is read of annotation files with these contents."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / f'{name}.txt').write_bytes(content.encode('utf-8'))
    name, found = read_icdar(folder)
    return name, [words.instances for words in found]


SQUARE = [10, 10, 50, 10, 50, 30, 10, 30]


@pytest.mark.parametrize('name, content, wanted', [
    # With a byte order mark, commas in a text, and Windows' ends of lines.
    ('ICDAR 2015', f'\ufeff{BOX},Latin,or not\r\n{BOX},###\r\n{BOX},\r\n'
     f'{BOX},"a"\x85b\r\n{BOX},2015\r\n{BOX},x\r\n{BOX},y\r\n{BOX},z\r\n'
     f'{BOX},1\r\n{BOX},2\r\n',
     [dict(polygon=SQUARE, text='Latin,or not'),
      dict(polygon=SQUARE, ignore=True), dict(polygon=SQUARE),
      dict(polygon=SQUARE, text='"a"\x85b'),
      dict(polygon=SQUARE, text='2015')]),
    ('ICDAR MLT', f'{BOX},Arabic,سلام\n{BOX},Chinese,a,b\n{BOX},None,###\n',
     [dict(polygon=SQUARE, text='سلام'), dict(polygon=SQUARE, text='a,b'),
      dict(polygon=SQUARE, ignore=True)]),
    ('ICDAR 2013', '38, 43, 920, 215, "Tire\\"d, 1"\n',
     [dict(bbox=[38, 43, 920, 215], text='Tire"d, 1')]),
    ('ICDAR 2013', '158 128 411 181 "Foot path"\n443 128 501 169 "###"\n',
     [dict(bbox=[158, 128, 411, 181], text='Foot path'),
      dict(bbox=[443, 128, 501, 169], ignore=True)]),
    ('CTW1500', f'{BOX},60,40,70,50,####over the top\n{BOX},0,0,#######\n',
     [dict(polygon=[*SQUARE, 60, 40, 70, 50], text='over the top'),
      dict(polygon=[*SQUARE, 0, 0], ignore=True)]),
    ('Total-Text', "x: [[115 503\n 494]], y: [[322 346 426]], ornt: [u'm'],"
     " transcriptions: [u'nauGHTY']\nx: [[1 2 3]], y: [[4 5 6]], "
     "ornt: [u'#'], transcriptions: [u'#']\nx: [[1 2 3]], y: [[4 5]], "
     'ornt: [u\'c\'], transcriptions: [u"it\'s"]\n',
     [dict(polygon=[115, 322, 503, 346, 494, 426], text='nauGHTY'),
      dict(polygon=[1, 4, 2, 5, 3, 6], ignore=True),
      dict(problem='a word that is not as in Total-Text')]),
])
def test_layouts(tmp_path: Path, name: str, content: str,
                 wanted: List[dict]) -> None:
    found, (instances, ) = words_of(tmp_path / 'gt', gt_img_1=content)
    assert found == name
    assert instances[:len(wanted)] == wanted


def test_layout_is_that_of_all_files(tmp_path: Path) -> None:
    """One text that begins as a script is no column of scripts."""
    name, files = words_of(tmp_path / 'gt', a=f'{BOX},Latin,x\n',
                           b=f'{BOX},y\n{BOX},z\n', c='', d='1,2,3\n')
    assert name == 'ICDAR 2015'
    assert files[0][0]['text'] == 'Latin,x' and files[2] == []
    assert files[3] == [dict(problem='a line that is not of ICDAR 2015')]


@pytest.fixture
def contest(shared_data: Path, tmp_path: Path) -> Path:
    """The real scenes with their polygons as ICDAR 2015 writes them."""
    scenes = shared_data / 'scene_images'
    folder = tmp_path / 'gt'
    folder.mkdir()
    entries = json.loads((scenes / 'polygons.json').read_text())['data_list']
    for entry in entries:
        lines = [
            ','.join(map(str, word['polygon'])) +
            (',###' if word['ignore'] else f',w,{number}')
            for number, word in enumerate(entry['instances'])
        ]
        name = f'gt_{Path(entry["img_path"]).stem}.txt'
        (folder / name).write_text('\r\n'.join(lines), encoding='utf-8-sig')
    return folder


def records(path: Path) -> List[Tuple[bytes, Optional[bytes]]]:
    with lmdb.open(str(path), readonly=True, lock=False) as env:
        with env.begin() as transaction:
            count = int(transaction.get(b'num-samples'))
            return [(transaction.get(b'image-%09d' % n),
                     transaction.get(b'label-%09d' % n))
                    for n in range(1, count + 1)]


def test_real_scenes_as_in_icdar_2015(contest: Path, shared_data: Path,
                                      tmp_path: Path, capsys: Any) -> None:
    """Transcribed words only, with their labels; the same crops as of JSON."""
    scenes = shared_data / 'scene_images'
    out = tmp_path / 'words.lmdb'
    status, result = run(capsys, 'crop', contest, scenes, out)
    assert status == 0 and result['format'] == 'ICDAR 2015'
    assert (result['images'], result['instances']) == (10, 82)
    assert result['ignored'] == 'skip'
    assert result['written'] == result['labelled'] == 21
    assert result['skipped'] == {"marked 'ignore'": 61}
    found = records(out)
    assert all(label.startswith(b'w,') for _, label in found)

    both = tmp_path / 'both.lmdb'
    _, result = run(capsys, 'crop', contest, scenes, both, '--ignored',
                    'include')
    assert result['written'] == 81 and result['labelled'] == 21
    plain = tmp_path / 'plain.lmdb'
    _, result = run(capsys, 'crop', scenes / 'polygons.json', scenes, plain)
    assert result['ignored'] == 'include' and result['labelled'] == 0
    assert sorted(image for image, _ in records(both)) == sorted(
        image for image, _ in records(plain))


def test_a_folder_gets_a_list(contest: Path, shared_data: Path,
                              tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / 'words'
    one = contest / 'gt_img_10.txt'
    status, result = run(capsys, 'crop', one, shared_data / 'scene_images',
                         out, '--ignored', 'include')
    assert status == 0 and result['images'] == 1
    source = open_sources(str(out / 'labels.tsv'))
    assert len(source) == result['labelled'] >= 1
    assert result['written'] > result['labelled']
    for index in range(len(source)):
        name = Path(source.name(index)).stem
        assert source.label(index) == f'w,{name.split("-")[-1]}'
        assert cv2.imdecode(
            np.frombuffer(source.read(index), np.uint8), 1) is not None


def test_transcriptions_of_mmocr(tmp_path: Path, capsys: Any) -> None:
    """Text spotting JSON: what has no text among labelled words is left."""
    cv2.imwrite(str(tmp_path / 'scene.png'), np.zeros((40, 60, 3), np.uint8))
    instances = [dict(bbox=[0, 0, 20, 20], **extra) for extra in (
        dict(text='a\tb'), dict(text='###'), dict(text='x', ignore=True),
        dict(), dict(text='two\nlines'))]
    annotation = tmp_path / 'ann.json'
    annotation.write_text(json.dumps(dict(
        data_list=[dict(img_path='scene.png', instances=instances)])))
    status, result = run(capsys, 'crop', annotation, tmp_path,
                         tmp_path / 'out.lmdb')
    assert status == 0 and result['written'] == 1
    assert result['skipped'] == {
        "marked 'ignore'": 2,
        'no transcription, as others have': 1,
        'its transcription has several lines': 1,
    }
    (_, label), = records(tmp_path / 'out.lmdb')
    assert label == b'a\tb'


@pytest.mark.parametrize('name, content, message', [
    ('gt_img_1.txt', 'no words here\n', "the first line is 'no words here'"),
    ('gt_img_1.txt', '', 'there is no line in any .txt file'),
    ('gt_img_1.txt', f'{BOX},\xe9', 'is not in UTF-8'),
    ('gt_none.txt', f'{BOX},a', 'the picture of gt_none.txt'),
])
def test_errors(tmp_path: Path, capsys: Any, name: str, content: str,
                message: str) -> None:
    (tmp_path / 'gt').mkdir()
    (tmp_path / 'gt' / name).write_bytes(content.encode('latin-1'))
    cv2.imwrite(str(tmp_path / 'img_1.png'), np.zeros((40, 60, 3), np.uint8))
    status, result = run(capsys, 'crop', tmp_path / 'gt', tmp_path,
                         tmp_path / 'out')
    assert status == 1 and message in result['error']
    assert not (tmp_path / 'out').exists()


def test_pictures_of_one_name_are_refused(tmp_path: Path,
                                          capsys: Any) -> None:
    (tmp_path / 'gt').mkdir()
    (tmp_path / 'gt' / 'gt_img_1.txt').write_text(f'{BOX},a')
    for name in ('a/img_1.png', 'b/img_1.jpg'):
        path = tmp_path / 'images' / name
        path.parent.mkdir(parents=True)
        cv2.imwrite(str(path), np.zeros((40, 60, 3), np.uint8))
    status, result = run(capsys, 'crop', tmp_path / 'gt',
                         tmp_path / 'images', tmp_path / 'out')
    assert status == 1 and 'go by the same name' in result['error']
