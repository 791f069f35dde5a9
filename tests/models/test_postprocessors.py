"""From probabilities to words and their scores."""
from itertools import groupby, product
from typing import Any, List

import pytest
import torch
from mmocr.models.textrecog.postprocessors import CTCPostProcessor
from mmocr.structures import TextRecogDataSample

from lmim.models.textrecog import (CTCLanguagePostprocessor,
                                   CTCWordScorePostprocessor,
                                   WordScorePostprocessor)
from lmim.utils.ctc_language import CharacterNGrams
from lmim.utils.errors import UserError

#: The classes; the fifth is the blank.
NAMES = ['a', 'b', 'c', 'd', '', '<UKN>']
BLANK, CLASSES = 4, 6


@pytest.fixture
def settings(tmp_path) -> dict:
    path = tmp_path / 'abcd.txt'
    path.write_text('\n'.join('abcd'))
    return dict(dictionary=dict(
        type='mmocr.Dictionary', dict_file=str(path), with_padding=True,
        with_unknown=True))


def samples(number: int, **meta: Any) -> List[TextRecogDataSample]:
    return [TextRecogDataSample(metainfo=meta) for _ in range(number)]


@pytest.mark.parametrize('changes', [
    dict(), dict(ignore_chars=['padding', 'unknown'])])
@pytest.mark.parametrize('meta', [dict(), dict(valid_ratio=0.6)])
def test_words_and_scores_are_mmocrs(settings, changes, meta):
    torch.manual_seed(0)
    # Sharp, and with many repetitions and blanks.
    probs = (3 * torch.randn(40, 12, CLASSES)).softmax(-1)
    probs = probs.repeat_interleave(2, dim=1)
    probs[0] = torch.eye(CLASSES)[BLANK]
    settings.update(changes)
    theirs = CTCPostProcessor(**settings)(probs, samples(40, **meta))
    ours = CTCWordScorePostprocessor(**settings)(probs, samples(40, **meta))
    for one, two in zip(theirs, ours):
        assert one.pred_text.item == two.pred_text.item
        assert one.pred_text.score == two.pred_text.score
    words = [sample.pred_text.item for sample in ours]
    assert words[0] == '' and len(set(words)) > 35
    assert any('aa' in word or 'bb' in word for word in words)
    assert any('<UKN>' in word for word in words) != bool(changes)


def test_score_of_a_word_is_that_of_all_its_paths(settings):
    torch.manual_seed(1)
    probs = (2 * torch.randn(8, 5, CLASSES)).softmax(-1)
    probs[7] = torch.eye(CLASSES)[BLANK]
    read = CTCWordScorePostprocessor(**settings)(
        probs, samples(7) + samples(1, valid_ratio=0.2))
    for word, sample in zip(probs, read):
        expected = 0.
        length = 1 if sample.get('valid_ratio') else 5
        for path in product(range(CLASSES), repeat=length):
            text = ''.join(NAMES[index] for index, _ in groupby(path))
            if text == sample.pred_text.item:
                chance = 1.
                for column, index in enumerate(path):
                    chance *= float(word[column, index])
                expected += chance
        assert sample.pred_text.word_score == pytest.approx(expected, rel=1e-4)


def test_score_of_a_word_is_that_of_its_characters_and_its_end(settings):
    processor = WordScorePostprocessor(
        dict(settings['dictionary'], with_end=True),
        ignore_chars=['padding', 'unknown'], max_seq_len=3)
    probs = torch.full((2, 3, 7), 0.01)
    probs[0, [0, 1, 2], [1, 4, 0]] = torch.tensor([0.8, 0.5, 0.9])  # b, end
    probs[1, [0, 1, 2], [0, 0, 3]] = torch.tensor([0.9, 0.5, 0.4])  # cut off
    first, second = processor(probs, samples(2))
    assert (first.pred_text.item, second.pred_text.item) == ('b', 'aad')
    assert first.pred_text.score == pytest.approx([0.8])
    assert first.pred_text.word_score == pytest.approx(0.8 * 0.5)
    assert second.pred_text.score == pytest.approx([0.9, 0.5, 0.4])
    assert second.pred_text.word_score == pytest.approx(0.9 * 0.5 * 0.4)


def test_a_character_is_in_the_middle_of_its_columns(settings):
    """The columns that say it, those of the padding left out."""
    classes = torch.tensor([
        [0, 0, 0, BLANK, 1, 1, 2, 1, BLANK, BLANK],  # aaa-bbcb--
        [BLANK, 3, 3, 5, 5, 5, 5, 5, 5, 5],  # of 5 columns the unknown has 2
        [BLANK] * 10])
    settings['ignore_chars'] = ['padding']
    read = CTCWordScorePostprocessor(**settings)(
        torch.eye(CLASSES)[classes],
        samples(1) + samples(1, valid_ratio=0.5) + samples(1))
    assert [sample.pred_text.item for sample in read] == ['abcb', 'd<UKN>', '']
    assert read[0].pred_text.centers == pytest.approx([.15, .5, .65, .75])
    assert read[1].pred_text.centers == pytest.approx([.2, .4])
    assert read[2].pred_text.centers == []


def test_a_language_decides_where_the_picture_does_not(settings, tmp_path):
    CharacterNGrams.count({'abc': 9, 'd': 1}).save(tmp_path / 'abc.npz')
    probs = torch.full((2, 4, CLASSES), .01)
    for column, index in enumerate([0, 1, 2, BLANK]):
        probs[:, column, index] = .95
    probs[0, 1, [1, 3]] = torch.tensor([.47, .49])  # b or d
    probs[1, 2, [2, 5]] = torch.tensor([.3, .66])  # c or the unknown
    settings['ignore_chars'] = ['padding']
    plain = CTCWordScorePostprocessor(**settings)(probs, samples(2))
    none = CTCLanguagePostprocessor(language=None, **settings)(
        probs, samples(2))
    for one, two in zip(plain, none):
        assert one.pred_text.to_dict() == two.pred_text.to_dict()
    assert [one.pred_text.item for one in plain] == ['adc', 'ab<UKN>']
    settings['ignore_chars'] += ['unknown']
    read = CTCLanguagePostprocessor(
        language=str(tmp_path / 'abc.npz'), **settings)(
            probs, samples(1) + samples(1, valid_ratio=.5))
    assert [one.pred_text.item for one in read] == ['abc', 'ab']
    # Scores and places are those of the word that was found.
    assert read[0].pred_text.score == pytest.approx([.95, .47, .95])
    assert read[0].pred_text.centers == pytest.approx([.125, .375, .625])
    assert read[0].pred_text.word_score < plain[0].pred_text.word_score
    assert CTCLanguagePostprocessor(**settings).search.language.symbols == (
        '.0abcdefghijklmnopqrstuvwxyz')
    with pytest.raises(UserError, match="no language 'abd'.*english"):
        CTCLanguagePostprocessor(language='abd', **settings)
