"""Prompts that are made of a word: parts, other looks, other letters."""
import numpy as np
import pytest

from lmim.datasets import InContextViews, RenderedTextDataset


def sequence(seed: int = 0, text: str = 'abcd', boxes: bool = True,
             **options) -> list:
    """Pictures and texts of a word whose n-th letter is n + 1 throughout."""
    np.random.seed(seed)
    img = np.repeat(np.arange(1, len(text) + 1, dtype=np.uint8), 10)
    img = np.broadcast_to(img[None, :, None], (8, len(img), 3)).copy()
    results = dict(img=img, gt_texts=[text], img_shape=img.shape[:2])
    if boxes:
        results['gt_polygons'] = [
            np.array([10 * n, 0, 10 * n + 10, 0, 10 * n + 10, 8, 10 * n, 8])
            for n in range(len(text))]
    return InContextViews(transforms=[lambda word: (
        word['img'], word['gt_texts'][0], word['img_shape'])],
        **options)(results)


def test_parts_are_cut_at_the_boxes_of_their_characters():
    parts = 0
    for seed in range(20):
        *prompts, (whole, text, shape) = sequence(seed, num_prompts=3)
        assert len(prompts) == 3 and text == 'abcd' and shape == (8, 40)
        assert whole.shape == (8, 40, 3)
        for img, text, shape in prompts:
            assert shape == img.shape[:2]
            if img.shape == (32, 128, 3):  # transformed
                assert text == 'abcd'
                continue
            parts += 1
            assert ''.join(' abcd'[n] for n in img[0, ::10, 0]) == text
            assert img.shape[1] == 10 * len(text)
    assert 15 < parts < 45


def test_without_boxes_words_are_whole():
    assert {(img.shape[1], text) for seed in range(5) for img, text, _
            in sequence(seed, boxes=False)[:-1]} == {(128, 'abcd')}


def test_letters_of_a_sequence_are_permuted_alike():
    seen = set()
    for seed in range(20):
        words = sequence(seed, cipher=1., alphabet='abcd')
        text = words[-1][1]
        assert sorted(text) == list('abcd')
        seen.add(text)
        for img, part, _ in words[:-1]:
            if img.shape[1] != 128:
                assert ''.join(text[n - 1] for n in img[0, ::10, 0]) == part
    assert len(seen) > 8
    texts = [sequence(seed, cipher=0.5)[-1][1] for seed in range(20)]
    assert 4 < texts.count('abcd') < 16


def test_rendered_words_have_parts():
    words = RenderedTextDataset(
        20, with_text=True, with_letters=True, pipeline=[
            dict(type='mmocr.LoadOCRAnnotations', with_text=True),
            InContextViews([
                lambda word: (word['img'], word['gt_texts'][0])])])
    np.random.seed(0)
    shorter = [(len(part), len(text)) for number in range(10)
               for *prompts, (_, text) in [words[number]]
               for _, part in prompts if part != text]
    assert shorter and all(0 < part < whole for part, whole in shorter)


def test_some_prompts_are_another_word_in_its_style():
    words = RenderedTextDataset(
        20, with_text=True, with_letters=True, pair='same_style', pipeline=[
            dict(type='mmocr.LoadOCRAnnotations', with_text=True),
            InContextViews([lambda word: (word['img'], word['gt_texts'][0])],
                           num_prompts=4, cipher=1.)])
    np.random.seed(0)
    akin = 0
    for number in range(10):
        *prompts, (img, text) = words[number]
        record = words.load(number)
        letters = dict(zip(record['instances'][0]['text'], text))
        for picture, word in prompts:
            if np.array_equal(picture, record['pair_img']):
                akin += 1
                assert len(word) == len(record['pair_text'])
                # The permutation of the sequence is that of its prompts.
                assert all(letters.get(mine, its) == its for mine, its in
                           zip(record['pair_text'], word))
    assert 10 < akin < 30  # of 40


@pytest.mark.parametrize('options', [
    dict(num_prompts=0), dict(cipher=2.), dict(akin=-1.)])
def test_what_makes_no_sense_is_refused(options):
    with pytest.raises(ValueError, match='1 prompt or more'):
        InContextViews([], **options)
