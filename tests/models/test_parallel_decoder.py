"""The decoder that writes all characters at once."""
import pytest
import torch
import torch.nn.functional as F

from .test_transformer_decoder import dictionary, recognizer, samples  # noqa: F401

END, PADDING = 4, 5


@pytest.fixture
def model(dictionary):  # noqa: F811
    return recognizer(dictionary, type='ParallelDecoder', num_layers=2)


def memory_of(decoder, number: int = 2):
    out_enc = torch.randn(number, 5, 24)
    return [layer.memorize(out_enc) for layer in decoder.layers]


def test_a_place_reads_the_others_and_not_itself(model):
    decoder = model.decoder.eval()
    memory = memory_of(decoder, 1)
    word = torch.tensor([[0, 1, 2, 3, 0, 1]])
    other = torch.tensor([[0, 1, 3, 3, 0, 1]])  # another third character
    seen = torch.ones_like(word, dtype=torch.bool)
    one = decoder.fill_in(memory, word, seen)
    two = decoder.fill_in(memory, other, seen)
    assert torch.allclose(one[:, 2], two[:, 2], atol=1e-6)
    for place in (0, 1, 3, 4, 5):
        assert not torch.allclose(one[:, place], two[:, place], atol=1e-4)
    seen[:, 2] = False
    assert torch.allclose(
        decoder.fill_in(memory, word, seen),
        decoder.fill_in(memory, other, seen), atol=1e-6)


def test_loss_is_the_mean_of_a_blind_and_an_informed_pass(model, monkeypatch):
    data = samples('ab', 'cdda')
    images = torch.randn(2, 3, 8, 32)
    # Half of the characters of each word are known: those drawn below 0.5.
    drawn = torch.tensor([[.1, .9, .1, .1, .1, .1], [.9, .1, .9, .1, .1, .1]])
    numbers = iter([torch.full((2, 1), 0.5), drawn])
    monkeypatch.setattr(torch, 'rand', lambda *_, **__: next(numbers))
    losses = model.loss(images, data)
    memory = [layer.memorize(model.encoder(model.extract_feat(images)))
              for layer in model.decoder.layers]
    targets = torch.tensor([[0, 1, END, PADDING, PADDING, PADDING],
                            [2, 3, 3, 0, END, PADDING]])
    known = torch.tensor([[1, 0, 0, 0, 0, 0], [0, 1, 0, 1, 0, 0]]).bool()
    for name, seen in (('loss_ce', known & False),
                       ('loss_ce_refined', known)):
        logits = model.decoder.fill_in(memory, targets, seen)
        expected = sum(
            F.cross_entropy(logits[n, t], targets[n, t])
            for n, length in enumerate((3, 5)) for t in range(length)) / 4
        assert losses[name].item() == pytest.approx(expected.item(), rel=1e-5)


@torch.no_grad()
def test_refinement_reads_what_was_written_before_the_end(model):
    decoder = model.decoder.eval()
    decoder.classifier.bias[END] = 0.3
    out_enc = torch.randn(8, 5, 24)
    memory = [layer.memorize(out_enc) for layer in decoder.layers]
    decoder.refine_steps = 0
    first = decoder.forward_test(None, out_enc)
    written = first.argmax(-1)
    assert (written == END).any()  # else the end is not put to the test
    seen = torch.zeros_like(written, dtype=torch.bool)
    for row, places in enumerate(written.tolist()):
        length = places.index(END) if END in places else len(places)
        seen[row, :length] = True
    decoder.refine_steps = 1
    refined = decoder.forward_test(None, out_enc)
    expected = decoder.fill_in(memory, written, seen).softmax(-1)
    assert torch.allclose(refined, expected, atol=1e-6)
    assert not torch.allclose(refined, first, atol=1e-3)


@torch.no_grad()
def test_a_word_reads_the_same_alone_and_in_a_batch(model):
    decoder = model.decoder.eval()
    out_enc = torch.randn(5, 5, 24)
    batch = decoder.forward_test(None, out_enc)
    for number in range(5):
        assert torch.allclose(
            decoder.forward_test(None, out_enc[number:number + 1])[0],
            batch[number], atol=1e-6)


@pytest.mark.parametrize('option, message', [
    (dict(beam_width=2), r"no \['beam_width'\]"),
    (dict(refine_steps=-1), '0 or more, not -1'),
])
def test_options_that_make_no_sense_are_refused(dictionary, option,  # noqa
                                                message):
    with pytest.raises(ValueError, match=message):
        recognizer(dictionary, type='ParallelDecoder', **option)
