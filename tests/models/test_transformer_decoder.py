"""The paper's recognizer: loss, decoding, beam search, dictionary."""
import string
from itertools import product
from typing import Dict, Tuple

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.structures import LabelData
from mmocr.registry import MODELS
from mmocr.structures import TextRecogDataSample

from lmim.datasets.known_sets import read_config

from .conftest import ENCODER, build

DECODER = dict(
    type='TextTransformerDecoder', num_layers=2, embed_dims=24, num_heads=2,
    head_dims=12, feedforward_channels=16, max_seq_len=6, drop_rate=0.,
    module_loss=dict(type='WordLoss'),
    postprocessor=dict(type='AttentionPostprocessor'))


@pytest.fixture
def dictionary(tmp_path) -> dict:
    path = tmp_path / 'abc.txt'
    path.write_text('\n'.join('abcd'))
    return dict(type='Dictionary', dict_file=str(path), with_end=True,
                with_padding=True, with_unknown=True)


def recognizer(dictionary: dict, **decoder):
    return build(dict(
        type='EncoderDecoderRecognizer',
        backbone=ENCODER,
        encoder=dict(type='LinearEncoder', in_dims=16, embed_dims=24),
        decoder={**DECODER, 'dictionary': dictionary, **decoder},
        data_preprocessor=dict(type='TextRecogDataPreprocessor')))


def samples(*texts: str) -> list:
    result = []
    for number, text in enumerate(texts):
        sample = TextRecogDataSample(metainfo=dict(img_path=f'{number}.png'))
        sample.gt_text = LabelData(item=text)
        result.append(sample)
    return result


def full_recomputation(decoder, memory: torch.Tensor) -> torch.Tensor:
    """Decode by running the whole sequence anew at each step."""
    padding = decoder.padding_idx
    written = torch.full((len(memory), decoder.max_seq_len), padding)
    probs = []
    for step in range(decoder.max_seq_len):
        # What is not written yet is hidden, so any class but the end serves.
        inputs = written.clone()
        inputs[:, step:] = 0
        logits = decoder.teacher_forced(memory, inputs)[:, step]
        probs.append(logits.softmax(-1))
        written[:, step] = logits.argmax(-1)
    return torch.stack(probs, dim=1)


def test_papers_recognizer_has_its_number_of_parameters(repo):
    cfg = Config.fromfile(
        repo / 'configs/textrecog/transformer' /
        'transformer_vit-small_8xb64-10e_union14m-l.py')
    model = MODELS.build(dict(cfg.model, _scope_='mmocr'))
    assert sum(p.numel() for p in model.parameters()) == 35_890_145
    dictionary = model.decoder.dictionary
    assert dictionary.num_classes == 97
    assert (dictionary.end_idx, dictionary.padding_idx,
            dictionary.unknown_idx) == (94, 95, 96)
    assert model.decoder.trg_word_emb.num_embeddings == 98
    assert ''.join(dictionary.dict[:94]) == string.printable[:94]


def test_chinese_is_the_same_with_another_dictionary(repo, tmp_path,
                                                     monkeypatch):
    monkeypatch.setenv('LMIM_DATA_ROOT', str(tmp_path))
    path = tmp_path / 'chinese_benchmark/dictionary.txt'
    path.parent.mkdir()
    path.write_text('\n'.join(map(chr, range(0x4e00, 0x4e00 + 7934))),
                    encoding='utf-8')
    cfg = read_config(str(
        repo / 'configs/textrecog/transformer' /
        'transformer_vit-small_8xb64-60e_chinese-benchmark.py'))
    model = MODELS.build(dict(cfg.model, _scope_='mmocr'))
    assert model.decoder.dictionary.num_classes == 7937
    assert model.decoder.max_seq_len == 40 and cfg.train_cfg.max_epochs == 60
    learnt = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert f'{learnt / 1e6:.1f}' == '43.8'


def test_loss_is_summed_over_the_word_and_averaged_over_the_batch(dictionary):
    model = recognizer(dictionary)
    data = samples('ab', 'cdda')
    images = torch.randn(2, 3, 8, 32)
    loss = model.loss(images, data)['loss_ce']
    memory = model.encoder(model.extract_feat(images))
    targets = torch.tensor([[0, 1, 4, 5, 5, 5], [2, 3, 3, 0, 4, 5]])
    logits = model.decoder.teacher_forced(memory, targets)
    expected = sum(
        F.cross_entropy(logits[n, t], targets[n, t])
        for n, length in enumerate((3, 5)) for t in range(length)) / 2
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)


def test_cached_decoding_equals_full_recomputation(dictionary):
    decoder = recognizer(dictionary, early_stop=False).decoder.eval()
    # The end is never written, so that all steps are compared.
    with torch.no_grad():
        decoder.classifier.bias[decoder.end_idx] = -1e4
        decoder.classifier.bias[decoder.padding_idx] = -1e4
        memory = torch.randn(4, 5, 24)
        probs = decoder.forward_test(None, memory)
        assert torch.allclose(
            probs, full_recomputation(decoder, memory), atol=1e-6)
    assert probs.shape == (4, 6, 7)


def test_label_outside_the_dictionary_is_an_error_that_names_it(dictionary):
    model = recognizer(dictionary)
    with pytest.raises(ValueError) as error:
        model.loss(torch.randn(2, 3, 8, 32), samples('ab', 'aéx'))
    message = str(error.value)
    assert "'aéx' of 1.png" in message and "'é' (U+00E9)" in message
    assert "'x'" in message and 'on_unknown=map' in message


def test_dictionary_with_a_start_token_is_refused(dictionary):
    with pytest.raises(ValueError, match='with_start=False'):
        recognizer(dict(dictionary, with_start=True))


def test_smoothed_labels_are_spread_over_all_classes(dictionary):
    loss = recognizer(dictionary, module_loss=dict(
        type='WordLoss', label_smoothing=0.2)).decoder.module_loss
    logits = torch.randn(1, 6, 7)
    data = loss.get_targets(samples('ab'))
    steps = logits[0].log_softmax(-1)
    expected = -sum(0.8 * steps[t, c] + 0.2 * steps[t].mean()
                    for t, c in enumerate((0, 1, 4)))
    assert loss(logits, data)['loss_ce'].item() == pytest.approx(
        expected.item(), rel=1e-5)


@pytest.fixture
def decoder(dictionary):
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
    end = decoder.end_idx
    written = {word[:word.index(end) + 1] if end in word else word
               for word in product(range(decoder.classifier.out_features),
                                   repeat=decoder.max_seq_len)}
    # What follows the end is hidden: any class but the end serves.
    inputs = torch.tensor([
        [*word[:-1], *[0] * (decoder.max_seq_len + 1 - len(word))]
        for word in written])
    steps = decoder.teacher_forced(
        memory.expand(len(written), -1, -1), inputs).log_softmax(-1)
    return {word: sum(step[i].item() for i, step in zip(word, row))
            for word, row in zip(written, steps)}


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
def test_beams_of_a_word_do_not_depend_on_its_batch(decoder):
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


def test_a_beam_without_width_is_refused(dictionary):
    with pytest.raises(ValueError, match='1 or more, not 0'):
        recognizer(dictionary, beam_width=0)
