"""Annotations of scene images as text files."""
import pytest

from lmim.datasets.scenes import read_text_files

BOX = '10,10,50,10,50,30,10,30'
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
def test_layouts(tmp_path, name, content, wanted):
    (tmp_path / 'gt_img_1.txt').write_bytes(content.encode('utf-8'))
    found, files = read_text_files(tmp_path)
    instances, = files.values()
    assert found == name
    assert instances[:len(wanted)] == wanted


def test_layout_is_that_of_all_files(tmp_path):
    """One text that begins as a script is no column of scripts."""
    for name, content in dict(a=f'{BOX},Latin,x', b=f'{BOX},y\n{BOX},z\n',
                              c='', d='1,2,3\n').items():
        (tmp_path / f'{name}.txt').write_text(content)
    name, files = read_text_files(tmp_path)
    one, _, empty, wrong = files.values()
    assert name == 'ICDAR 2015'
    assert one[0]['text'] == 'Latin,x' and empty == []
    assert wrong == [dict(problem='a word that is not as in ICDAR 2015')]
