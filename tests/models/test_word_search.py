"""Beam search finds what an exhaustive search finds; scores of words."""
from itertools import product
from typing import Dict, Tuple

import pytest
import torch

from .test_recognizer import dictionary, recognizer, samples  # noqa: F401


@pytest.fixture
def decoder(dictionary):  # noqa: F811
    """Seven classes (abcd, end, padding, unknown), words of up to 3."""
    decoder = recognizer(dictionary).decoder.eval()
    decoder.max_seq_len = 3
    with torch.no_grad():
        # Sharper than at the start, and the end likely enough to matter.
        decoder.classifier.weight *= 3
        decoder.classifier.bias[decoder.end_idx] = 1.
    return decoder


def all_words(decoder, memory: torch.Tensor) -> Dict[Tuple, float]:
    """Every word of one picture with its likelihood, from the model alone."""
    end, found = decoder.end_idx, {}
    classes = decoder.classifier.out_features
    for word in product(range(classes), repeat=decoder.max_seq_len):
        length = word.index(end) + 1 if end in word else len(word)
        # What follows the end is hidden: any class but the end serves.
        inputs = [c if i < length - 1 else 0 for i, c in enumerate(word)]
        logits = decoder.teacher_forced(memory, torch.tensor([inputs]))
        steps = logits[0].log_softmax(-1)
        found[word[:length]] = sum(
            steps[i, word[i]].item() for i in range(length))
    return found


def words(decoder, probs: torch.Tensor) -> list:
    """The classes that a search has written, up to the end."""
    result = []
    for row in probs.argmax(-1).tolist():
        length = (row.index(decoder.end_idx) + 1
                  if decoder.end_idx in row else len(row))
        result.append(tuple(row[:length]))
    return result


@torch.no_grad()
def test_wide_beams_find_the_likeliest_word(decoder):
    memory = torch.randn(6, 5, 24, generator=torch.Generator().manual_seed(3))
    decoder.beam_width = 60
    probs = decoder.forward_test(None, memory)
    found = words(decoder, probs)
    greedy, decoder.beam_width = [], 1
    for number, word in enumerate(found):
        likelihoods = all_words(decoder, memory[number:number + 1])
        assert sum(map(pow, [2.718281828] * len(likelihoods),
                       likelihoods.values())) == pytest.approx(1, abs=1e-3)
        best = max(likelihoods, key=likelihoods.__getitem__)
        assert word == best
        chances = probs[number].max(-1).values[:len(word)]
        assert chances.log().sum().item() == pytest.approx(
            likelihoods[best], abs=1e-4)
        greedy += words(decoder,
                        decoder.forward_test(None, memory[number:number + 1]))
    # Otherwise nothing was shown that a greedy search would not do.
    assert greedy != found


@torch.no_grad()
def test_one_beam_is_the_greedy_search(decoder):
    from lmim.models.textrecog.word_search import beam_search
    memory = torch.randn(5, 5, 24)
    one = beam_search(decoder, memory, 1)
    greedy = decoder.forward_test(None, memory)
    assert words(decoder, one) == words(decoder, greedy)
    for number, word in enumerate(words(decoder, greedy)):
        assert torch.allclose(one[number, :len(word)].amax(-1),
                              greedy[number, :len(word)].amax(-1), atol=1e-6)


@torch.no_grad()
def test_beams_of_a_word_do_not_hang_on_its_batch(decoder):
    decoder.beam_width = 4
    memory = torch.randn(5, 5, 24)
    batch = decoder.forward_test(None, memory)
    for number in range(5):
        alone = decoder.forward_test(None, memory[number:number + 1])
        assert words(decoder, alone)[0] == words(decoder, batch)[number]
        assert torch.allclose(alone[0], batch[number, :alone.shape[1]],
                              atol=1e-6)


@torch.no_grad()
def test_early_stop_changes_no_word(decoder):
    decoder.beam_width = 3
    memory = torch.randn(5, 5, 24)
    stopped = decoder.forward_test(None, memory)
    decoder.early_stop = False
    assert words(decoder, stopped) == words(
        decoder, decoder.forward_test(None, memory))


def test_a_beam_without_width_is_refused(dictionary):  # noqa: F811
    with pytest.raises(ValueError, match='1 or more, not 0'):
        recognizer(dictionary, beam_width=0)


def test_score_of_a_word_is_that_of_its_characters_and_its_end(
        dictionary):  # noqa: F811
    from mmocr.registry import MODELS
    processor = MODELS.build(dict(
        type='mmocr.LMIMPostprocessor', dictionary=dictionary,
        ignore_chars=['padding', 'unknown'], max_seq_len=3))
    probs = torch.full((2, 3, 7), 0.01)
    probs[0, [0, 1, 2], [1, 4, 0]] = torch.tensor([0.8, 0.5, 0.9])  # b, end
    probs[1, [0, 1, 2], [0, 0, 3]] = torch.tensor([0.9, 0.5, 0.4])  # cut off
    first, second = processor(probs, samples('', ''))
    assert (first.pred_text.item, second.pred_text.item) == ('b', 'aad')
    assert first.pred_text.score == pytest.approx([0.8])
    assert first.pred_text.word_score == pytest.approx(0.8 * 0.5)
    assert second.pred_text.score == pytest.approx([0.9, 0.5, 0.4])
    assert second.pred_text.word_score == pytest.approx(0.9 * 0.5 * 0.4)
