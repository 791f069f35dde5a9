"""Whole photographs: our reader, and MMOCR's inferencers with our model."""
import json
from pathlib import Path
from typing import Any, List, Tuple

import cv2
import numpy as np
import pytest
import torch
from mmocr.apis import MMOCRInferencer, TextRecInferencer

from lmim.apis import Recognition, TextRecognizer
from lmim.apis.photographs import (PhotographReader, read_polygons,
                                   reading_order)
from lmim.cli.infer import main
from lmim.utils.errors import CheckpointError
from tests.tool_runs import REPO, mini_config

from .conftest import draw
from .photographs import photograph, write_detector

CONFIG = mini_config('textrecog/transformer')


@pytest.fixture(scope='module')
def words() -> List[np.ndarray]:
    """Four words, bright on dark."""
    return [draw(word) // 4 for word in ('LMIM', 'Ab1', 'seven', 'word')]


@pytest.fixture(scope='module')
def scene(words: List[np.ndarray]) -> Tuple[np.ndarray, List[List[int]]]:
    """They in a photograph, and their boxes."""
    return photograph(words)


@pytest.fixture(scope='module')
def detector(tmp_path_factory: pytest.TempPathFactory) -> Tuple[Path, Path]:
    """Config and checkpoint of a DBNet that finds them."""
    return write_detector(tmp_path_factory.mktemp('detector'))


def polygons_of(boxes: List[List[int]]) -> List[np.ndarray]:
    """Boxes as polygons from the bottom right on, as MMOCR gives them."""
    return [np.array([[r, b], [x, b], [x, y], [r, y]], float)
            for x, y, r, b in boxes]


def test_places_that_are_known(recognizer: TextRecognizer, scene: Any,
                               words: List[np.ndarray]) -> None:
    image, boxes = scene
    order = [3, 1, 0, 2]
    found = read_polygons(
        recognizer, image, polygons_of([boxes[n] for n in order]), 'p.png')
    for word, picture, box in zip(found, words, boxes):
        x, y, r, b = box
        assert word.polygon == [x, y, r, y, r, b, x, b]
        assert word.source == 'p.png'
        # The transform of a polygon samples between pixels.
        assert np.abs(word.image.astype(int) - picture).mean() < 5
    assert [w.text for w in found] == [
        w.text for w in recognizer([w.image for w in found])]
    outside = read_polygons(recognizer, image, polygons_of(
        [[900, 900, 950, 950], boxes[0]]))
    assert outside[0].text == found[0].text
    assert 'outside' in str(outside[1].error)
    assert read_polygons(recognizer, image, []) == []


def test_a_detector_of_mmocr(recognizer: TextRecognizer, scene: Any,
                             detector: Tuple[Path, Path],
                             tmp_path: Path) -> None:
    image, boxes = scene
    reader = PhotographReader(recognizer, *detector)
    cv2.imwrite(str(tmp_path / 'a.png'), image)
    (tmp_path / 'b.png').write_bytes(b'')
    cv2.imwrite(str(tmp_path / 'c.png'), np.full_like(image, 255))
    found = reader(tmp_path)
    assert [word.error for word in found] == [None] * 4 + ['no bytes']
    for word, box in zip(found, boxes):
        place = np.array(word.polygon).reshape(-1, 2)
        assert np.abs(place[0] - box[:2]).max() <= 4
        assert np.abs(place[2] - box[2:]).max() <= 4
    assert reader(image) == [
        Recognition(w.text, w.score, w.char_scores, 'array 1',
                    polygon=w.polygon) for w in found[:4]]
    assert PhotographReader(
        recognizer, *detector, min_score=1.1)(image) == []


def test_the_tool(checkpoint: Path, scene: Any, detector: Tuple[Path, Path],
                  tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    image, boxes = scene
    cv2.imwrite(str(tmp_path / 'a.png'), image)
    common = ['--checkpoint', str(checkpoint), '--device', 'cpu']
    config, weights = map(str, detector)
    assert main([str(tmp_path / 'a.png'), *common, '--det', config,
                 '--det-weights', weights, '--sheet',
                 str(tmp_path / 'sheet.png')]) == 0
    rows = [row.split('\t') for row in capfd.readouterr().out.splitlines()]
    assert [len(row) for row in rows] == [4] * 4
    assert len(rows[0][3].split(',')) == 8
    assert cv2.imread(str(tmp_path / 'sheet.png')).shape == (68, 4 * 196, 3)
    places = tmp_path / 'places.json'
    places.write_text(json.dumps(dict(metainfo={}, data_list=[dict(
        img_path='a.png', instances=[dict(bbox=boxes[1]), dict(polygon=[1]),
                                     dict(bbox=boxes[0])])])))
    assert main([str(tmp_path), *common, '--polygons', str(places),
                 '--json']) == 1
    result = json.loads(capfd.readouterr().out)
    assert (result['pictures'], result['words']) == (1, 2)
    assert [row['polygon'][:2] for row in result['results'][:2]] == [
        boxes[0][:2], boxes[1][:2]]
    assert result['results'][2]['error'] == 'malformed polygon'


@pytest.mark.parametrize('det, weights, message', [
    ('nope.py', 'nope.pth', 'nope.py does not exist'),
    ('{det}', None, 'needs its checkpoint'),
    ('NoSuchNet', None, 'Cannot find model: nosuchnet'),
])
def test_detectors_that_cannot_be(
        recognizer: TextRecognizer, detector: Tuple[Path, Path], det: str,
        weights: Any, message: str) -> None:
    with pytest.raises((ValueError, OSError), match=message):
        PhotographReader(recognizer, det.format(det=detector[0]), weights)


def test_lines_are_read_from_the_left() -> None:
    boxes = [[300, 12, 340, 40], [10, 100, 60, 130], [10, 20, 60, 50],
             [150, 5, 190, 60], [90, 118, 120, 140]]
    assert reading_order(polygons_of(boxes)) == [2, 3, 0, 1, 4]
    assert reading_order([]) == []


@pytest.mark.parametrize('config', [CONFIG, None])
def test_mmocrs_recognition_inferencer(
        checkpoint: Path, recognizer: TextRecognizer, folder: Path,
        images: List[np.ndarray], config: Any) -> None:
    """By config and weights, or by weights alone."""
    inferencer = TextRecInferencer(config and str(config), str(checkpoint),
                                   'cpu')
    words = recognizer(images)
    found = inferencer(images, batch_size=3, progress_bar=False)['predictions']
    assert [one['text'] for one in found] == [word.text for word in words]
    assert [one['scores'] for one in found] == pytest.approx(
        [np.mean(word.char_scores) for word in words], abs=1e-5)
    # Files of a folder come in any order.
    found = inferencer(str(folder / 'words'), progress_bar=False)
    assert sorted(one['text'] for one in found['predictions']) == sorted(
        word.text for word in words)


@pytest.mark.parametrize('config', [CONFIG, None])
def test_mmocrs_inferencer_refuses_weights_that_are_no_numbers(
        checkpoint: Path, tmp_path: Path, config: Any) -> None:
    held = torch.load(checkpoint)
    name = next(iter(held['state_dict']))
    held['state_dict'][name].view(-1)[0] = float('nan')
    torch.save(held, tmp_path / 'nan.pth')
    with pytest.raises(CheckpointError, match=f'not finite .*{name}'):
        TextRecInferencer(config and str(config), str(tmp_path / 'nan.pth'),
                          'cpu')


def test_mmocrs_inferencer_sees_ink_in_the_alpha_channel(
        checkpoint: Path, tmp_path: Path) -> None:
    inferencer = TextRecInferencer(None, str(checkpoint), 'cpu')
    load = inferencer.pipeline.transforms[0]
    clear = np.zeros((9, 20, 4), np.uint8)
    clear[2:7, 3:9, 3] = 255
    cv2.imwrite(str(tmp_path / 'clear.png'), clear)
    wanted = np.where(clear[..., 3:], 0, 255).repeat(3, 2)
    for given in (str(tmp_path / 'clear.png'), clear, dict(img=clear),
                  dict(img_path=str(tmp_path / 'clear.png'))):
        loaded = load(given)
        np.testing.assert_array_equal(loaded['img'], wanted)
        assert loaded['ori_shape'] == loaded['img_shape'] == (9, 20)


def test_mmocrs_inferencer_with_a_detector(
        checkpoint: Path, scene: Any, detector: Tuple[Path, Path],
        recognizer: TextRecognizer, tmp_path: Path) -> None:
    config, weights = map(str, detector)
    inferencer = MMOCRInferencer(
        det=config, det_weights=weights, rec=str(CONFIG),
        rec_weights=str(checkpoint), device='cpu')
    image, boxes = scene
    found = inferencer(image, return_vis=True)
    prediction = found['predictions'][0]
    assert len(prediction['rec_texts']) == len(boxes) == 4
    crops = inferencer.rec_inputs
    assert prediction['rec_texts'] == [w.text for w in recognizer(crops)]
    assert found['visualization'][0].shape[0] == image.shape[0]
    # The same ink in an alpha channel.
    clear = np.zeros((*image.shape[:2], 4), np.uint8)
    clear[..., 3] = 255 - image[..., 0]
    cv2.imwrite(str(tmp_path / 'clear.png'), clear)
    ink = image[..., :1].repeat(3, 2)
    wanted = inferencer(ink)['predictions']
    assert wanted[0]['rec_texts']
    for given in (clear, str(tmp_path / 'clear.png')):
        assert inferencer(given)['predictions'] == wanted


@pytest.mark.parametrize('base, steps', [
    # A set that is joined from several.
    (str(REPO / 'configs/textrecog/transformer/'
         'transformer_vit-tiny_8xb64-10e_union14m-l.py'),
     ['PictureLoader', 'Resize']),
    # One of MMOCR's own, whose pipeline loads pictures.
    ('mmocr::textrecog/crnn/crnn_mini-vgg_5e_mj.py',
     ['InferencerLoader', 'RescaleToHeight']),
])
def test_pipelines_that_mmocr_takes(tmp_path: Path, base: str,
                                    steps: List[str]) -> None:
    config = tmp_path / 'config.py'
    config.write_text(f'_base_ = {base!r}')
    inferencer = TextRecInferencer(str(config), device='cpu')
    found = [type(t).__name__ for t in inferencer.pipeline.transforms]
    assert found == [*steps, 'PackTextRecogInputs']
