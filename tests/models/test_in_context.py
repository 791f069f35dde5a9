"""Reading behind labelled words: equalities, the pool, and what is learnt."""
import itertools
from typing import Any, List

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from lmim.checkpoints.reading import read_checkpoint, save_safetensors
from lmim.models.textrecog import PromptPool
from lmim.models.textrecog.in_context import follow, packed, unpacked
from tests.models.conftest import ENCODER, build
from tests.models.test_transformer_decoder import DECODER, samples

TEXTS = ['abba', 'cd', 'dcb', 'a', 'bdac']


@pytest.fixture
def make(tmp_path) -> Any:
    """Builds a tiny recognizer that reads the letters a to d."""
    path = tmp_path / 'abcd.txt'
    path.write_text('\n'.join('abcd'))

    def make(kind: str = 'InContextRecognizer', **changes: Any) -> Any:
        decoder = dict(DECODER, dictionary=dict(
            type='Dictionary', dict_file=str(path), with_end=True,
            with_padding=True, with_unknown=True),
            **changes.pop('decoder', {}))
        model: Any = build(dict(
            type=kind, backbone=ENCODER,
            encoder=dict(type='LinearEncoder', in_dims=16, embed_dims=24),
            decoder=decoder,
            data_preprocessor=dict(
                type='TextRecogDataPreprocessor', mean=[127.5] * 3,
                std=[50.] * 3), **changes))
        generator = torch.Generator().manual_seed(1)
        for value in model.parameters():  # so that attention is no average
            if value.dim() > 1:
                value.data = 0.35 * torch.randn(value.shape,
                                                generator=generator)
        return model.eval()

    return make


@pytest.fixture
def images() -> List[torch.Tensor]:
    draw = np.random.RandomState(0)
    return [torch.from_numpy(draw.randint(
        256, size=(3, 8, 32), dtype=np.uint8)) for _ in range(8)]


def fill(model: Any, images: List[torch.Tensor], texts=TEXTS) -> Any:
    """Give a recognizer a pool of pictures."""
    model.use_pool(PromptPool(model.fingerprint(), prompts=(
        model.make_prompts([packed(image) for image in images[:len(texts)]],
                           texts))))
    return model


def read(model: Any, images: List[torch.Tensor]) -> List[Any]:
    """The text and the scores of pictures, read in one batch."""
    data = samples(*[''] * len(images))
    for sample in data:
        sample.set_metainfo(dict(img_shape=(8, 32), valid_ratio=1.))
    with torch.no_grad():
        found = model.test_step(dict(inputs=images, data_samples=data))
    return [(each.pred_text.item, each.pred_text.score) for each in found]


def joint_logits(model: Any, memory: torch.Tensor,
                 targets: torch.Tensor) -> torch.Tensor:
    """All words of a sequence in one pass, by a mask; for one sequence."""
    decoder = model.decoder
    words, length = targets.shape
    inputs = F.pad(targets, (1, 0), value=decoder.start_idx)[:, :-1]
    # The end of a prompt is seen, too: a place more than targets have.
    inputs = torch.cat([inputs, targets[:, -1:]], dim=1)
    word = torch.arange(words).repeat_interleave(length + 1)
    place = torch.arange(length + 1).repeat(words)
    seen = (word[:, None] == word) & (place[:, None] >= place)
    before = word[:, None] > word
    if not model.chained:  # the last one alone sees others
        before &= word[:, None] == words - 1
    seen = (seen | before) & (inputs.flatten() != decoder.padding_idx)
    mask = torch.zeros(seen.shape).masked_fill(~seen, float('-inf'))
    tokens = decoder.position_enc(decoder.trg_word_emb(inputs))
    for layer in decoder.layers:
        flat = tokens.flatten(0, 1)[None]
        normed = layer.norm1(flat)
        own = layer._keys_values(layer.self_attn, normed)
        flat = flat + layer._attend(layer.self_attn, normed, own, mask)
        tokens = flat[0].unflatten(0, (words, -1))
        tokens = tokens + layer._attend(
            layer.enc_attn, layer.norm2(tokens), layer.memorize(memory))
        tokens = tokens + layer.mlp(layer.norm3(tokens))
    return decoder.classifier(decoder.layer_norm(tokens))[:, :-1]


@pytest.mark.parametrize('prompts', ['chained', 'independent'])
def test_words_are_read_as_in_one_pass(make, prompts):
    model = make(prompts=prompts, num_prompts=2)
    memory = torch.randn(2, 3, 5, 24)
    targets = torch.tensor([[[0, 1, 4, 5, 5, 5], [2, 4, 5, 5, 5, 5],
                             [3, 3, 2, 1, 0, 4]],
                            [[1, 4, 5, 5, 5, 5], [0, 1, 2, 3, 4, 5],
                             [2, 2, 4, 5, 5, 5]]])
    logits = model.teacher_forced(memory, targets)
    for number in range(2):
        torch.testing.assert_close(
            logits[number], joint_logits(model, memory[number],
                                         targets[number]),
            atol=2e-5, rtol=1e-5)
    alone = model.decoder.teacher_forced(memory[:, 2], targets[:, 2])
    first = model.decoder.teacher_forced(memory[:, 0], targets[:, 0])
    real = targets[:, 0] != 5
    torch.testing.assert_close(logits[:, 0][real], first[real])
    assert (logits[:, 2] - alone).abs().max() > 1e-2


def test_loss_is_of_all_words_and_takes_whole_sequences(make):
    model = make(num_prompts=2)
    pictures = torch.randn(6, 3, 8, 32)
    data = samples('ab', 'cdda', 'b', 'a', 'dd', 'cab')
    loss = model.loss(pictures, data)['loss_ce']
    targets = torch.stack([each.gt_text.padded_indexes for each in data])
    memory = model.encoder(model.extract_feat(pictures))
    logits = model.teacher_forced(memory.unflatten(0, (2, 3)),
                                  targets.unflatten(0, (2, 3)))
    expected = F.cross_entropy(logits.flatten(0, 2), targets.flatten(),
                               ignore_index=5, reduction='sum') / 6
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    with pytest.raises(ValueError, match='sequences of 3.*InContextViews'):
        model.loss(pictures[:4], data[:4])


def test_prompts_are_exchanged_between_sequences(make):
    model = make(num_prompts=2, others=1.)
    rows = model.train()._mixed(3)
    assert rows.tolist() == [[6, 7, 2], [0, 1, 5], [3, 4, 8]]
    assert model.eval()._mixed(2).tolist() == [[0, 1, 2], [3, 4, 5]]


def test_an_empty_pool_is_the_plain_recognizer_to_the_bit(make, images):
    plain = make('EncoderDecoderRecognizer')
    model = make()
    model.load_state_dict(plain.state_dict())
    expected = read(plain, images)
    assert read(model, images) == expected
    assert read(fill(model, images, []), images) == expected
    assert [text for text, _ in read(fill(model, images), images)] != [
        text for text, _ in expected]


@pytest.mark.parametrize('prompts', ['chained', 'independent'])
@pytest.mark.parametrize('beams', [1, 3])
def test_batching_changes_nothing(make, images, prompts, beams):
    model = fill(make(prompts=prompts, decoder=dict(beam_width=beams)),
                 images)
    together = read(model, images)
    for number, image in enumerate(images):
        (text, scores), = read(model, [image])
        assert text == together[number][0]
        assert scores == pytest.approx(together[number][1], abs=1e-5)


@pytest.mark.parametrize('prompts', ['chained', 'independent'])
def test_a_pool_is_what_teacher_forcing_sees(make, images, prompts):
    """By number: prompts most alike first, with positions anew."""
    model = make(prompts=prompts)
    # Padding that is written would be hidden from what follows.
    model.decoder.classifier.bias.data[model.decoder.padding_idx] = -1e4
    fill(model, images)
    with torch.no_grad():
        tokens = model._tokens([packed(image) for image in images])
        memory = model.encoder(tokens)
        chosen = model.pool.nearest(model.embed(tokens), 2)
        assert chosen[:5, 0].tolist() == [0, 1, 2, 3, 4]
        probs = model.decoder.write(memory, model.context(chosen, memory))
        written = probs.argmax(-1)
        for number in range(len(images)):
            targets = F.pad(model._inputs(
                [TEXTS[each] for each in chosen[number]])[:, 1:],
                (0, 6), value=5)[:, :6]
            last = F.pad(written[number], (0, 6 - written.shape[1]), value=5)
            logits = model.teacher_forced(
                memory[[*chosen[number].tolist(), number]][None],
                torch.cat([targets, last[None]])[None])[0, -1]
            end = (written[number].tolist() + [4]).index(4) + 1
            torch.testing.assert_close(
                logits.softmax(-1)[:end], probs[number, :end],
                # Keys and values are kept in 16 bits.
                atol=1e-5 if prompts == 'chained' else 5e-3, rtol=0)


def test_order_of_independent_prompts_is_of_no_account(make, images):
    model = fill(make(prompts='independent'), images)
    memory = torch.randn(1, 5, 24)
    with torch.no_grad():
        one, other = (model.decoder.write(memory, model.context(
            torch.tensor([order]), memory)) for order in ([1, 3], [3, 1]))
    torch.testing.assert_close(one, other)
    assert [prompt.states.shape for prompt in model.pool.prompts[:2]] == [
        (6, 2, 2, 24), (4, 2, 2, 24)]


def test_a_picture_is_found_again_and_its_text_replaced(make, images):
    model = fill(make(), images)
    pictures = [packed(image) for image in images]
    model.pool.add(model.make_prompts(pictures[1:2], ['bb']))
    assert [prompt.text for prompt in model.pool.prompts] == [
        'abba', 'bb', 'dcb', 'a', 'bdac']
    model.pool.add(model.make_prompts(pictures[5:6], ['c']))
    model.pool.remove([0, 2])
    assert [prompt.text for prompt in model.pool.prompts] == [
        'bb', 'a', 'bdac', 'c']
    with torch.no_grad():
        chosen = model.pool.nearest(model.embed(
            model._tokens(pictures[5:6])), 9)
    assert chosen.shape == (1, 4) and chosen[0, 0] == 3
    with pytest.raises(ValueError, match='none of number 4'):
        model.pool.remove([0, 4])


@pytest.mark.parametrize('text, words', [
    ('axb', "characters that this recognizer does not know: 'x'"),
    ('', 'has 0 characters'), ('abcdabcd', 'reads 1 to 6')])
def test_texts_that_cannot_be_read_are_refused(make, images, text, words):
    with pytest.raises(ValueError, match=words):
        make().make_prompts([packed(images[0])] * 2, ['a', text])


@pytest.mark.parametrize('prompts', ['chained', 'independent'])
def test_a_file_holds_all_of_a_pool(make, images, tmp_path, prompts):
    model = fill(make(prompts=prompts), images)
    path = tmp_path / 'pool.safetensors'
    model.pool.save(path)
    expected = read(model, images)
    other = make(prompts=prompts, pool=str(path))
    other.load_state_dict(model.state_dict())
    assert read(other, images) == expected
    assert torch.equal(unpacked(other.pool[2].picture),
                       unpacked(packed(images[2])))
    fill(model, images, []).pool.save(path)
    assert len(PromptPool.load(path)) == 0
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match='cannot be read'):
        PromptPool.load(path)


@pytest.mark.parametrize('change, words', [
    (dict(pictures=None), 'pictures'),
    (dict(picture_sizes=torch.tensor([1, 2])), 'split_sizes to sum'),
    (dict(state_sizes=torch.tensor([0])), r'2 texts have \[2, 2, 1\]'),
    (dict(embeddings=torch.zeros(2, 16).half()), 'of other types'),
    (dict(embeddings=torch.full((2, 16), torch.nan)), 'not finite'),
    (dict(texts=['a', 3]), 'no list of texts'),
    (dict(texts='ab'), 'no list of texts'),
    (dict(fingerprint=None), 'fingerprint')])
def test_a_file_that_lmim_did_not_write_is_refused(
        make, images, tmp_path, change, words):
    path = tmp_path / 'pool.safetensors'
    fill(make(), images, TEXTS[:2]).pool.save(path)
    content = read_checkpoint(path)
    for name, value in change.items():
        held = content['meta' if name in content['meta'] else 'state_dict']
        held[name] = value
        if value is None:
            del held[name]
    save_safetensors(path, content['state_dict'], content['meta'], '')
    with pytest.raises(ValueError, match=f'make it anew.*{words}'):
        PromptPool.load(path)


def test_prompts_that_are_none_of_this_recognizer_are_refused(make, images):
    model = fill(make(), images)
    pool = PromptPool(model.fingerprint(), 'file', [
        model.pool[0]._replace(text='axb')])
    with pytest.raises(ValueError, match="pool file has .*not know: 'x'"):
        model.use_pool(pool)
    model.use_pool(PromptPool(model.fingerprint(), 'file', [
        model.pool[0]._replace(embedding=torch.ones(5))]))
    with pytest.raises(ValueError, match='of 5 values, .* of 16: make'):
        read(model, images)
    with pytest.raises(ValueError, match='has no prompts, and none of .* 0'):
        PromptPool('').remove([0])


def test_a_pool_of_other_weights_is_refused_or_made_anew(make, images):
    model = fill(make(), images)
    pool, other = model.pool, make()
    other.encoder.projection.weight.data += 0.1
    with pytest.raises(ValueError, match='other weights.*check --rebuild'):
        other.use_pool(pool)
    other.use_pool(pool, rebuild=True)
    assert other.pool.fingerprint == other.fingerprint() != pool.fingerprint
    assert [each.picture for each in other.pool.prompts] == [
        each.picture for each in pool.prompts]
    with pytest.raises(ValueError, match='other prompts or retrieval'):
        make(retrieval='cls').use_pool(pool)


@pytest.mark.parametrize('changes, words', [
    (dict(prompts='nested'), 'nested'), (dict(num_prompts=0), '1 prompt'),
    (dict(others=2.), 'share of others'),
    (dict(decoder=dict(type='ParallelDecoder')), 'not ParallelDecoder')])
def test_what_makes_no_sense_is_refused(make, changes, words):
    with pytest.raises(ValueError, match=words):
        make(**changes)


def test_a_cipher_is_read_by_its_prompts_alone(tmp_path):
    """Each sequence writes glyphs by a permutation of its own.

    Words are of one letter, and the last has the glyph of one before it.
    Nothing but the prompts tells its letter: with those of another sequence
    one of five is right by chance, and without any no more.
    """
    path = tmp_path / 'abcde.txt'
    path.write_text('\n'.join('abcde'))
    model: Any = build(dict(
        type='InContextRecognizer', num_prompts=3, backbone=ENCODER,
        encoder=dict(type='LinearEncoder', in_dims=16, embed_dims=32),
        decoder=dict(
            DECODER, embed_dims=32, num_heads=4, head_dims=8,
            feedforward_channels=64, max_seq_len=2, dictionary=dict(
                type='Dictionary', dict_file=str(path), with_end=True,
                with_padding=True, with_unknown=True)),
        data_preprocessor=dict(type='TextRecogDataPreprocessor')))
    decoder = model.decoder
    generator = torch.Generator().manual_seed(0)
    shapes = 8 * torch.eye(5, 32)
    ciphers = torch.tensor(list(itertools.permutations(range(5))))

    def batch(count: int) -> Any:
        """Memory (N, 4, 1, D) and targets (N, 4, 2) of four words."""
        keys = ciphers[torch.randint(len(ciphers), (count, ),
                                     generator=generator)]
        glyphs = torch.randint(5, (count, 4), generator=generator)
        again = torch.randint(3, (count, 1), generator=generator)
        glyphs[:, 3:] = glyphs.gather(1, again)
        return shapes[glyphs][:, :, None], F.pad(
            keys.gather(1, glyphs)[..., None], (0, 1), value=decoder.end_idx)

    optimizer = torch.optim.AdamW(decoder.parameters(), 3e-3)
    for _ in range(400):
        memory, targets = batch(64)
        logits = model.teacher_forced(memory, targets)
        # What the first words say can only be guessed.
        loss = F.cross_entropy(logits[:, -1].flatten(0, 1),
                               targets[:, -1].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    memory, targets = batch(300)

    @torch.no_grad()
    def right(prompts: torch.Tensor, texts: torch.Tensor) -> float:
        """The share of last letters that are right behind some prompts."""
        found = model.teacher_forced(
            torch.cat([prompts, memory[:, 3:]], dim=1),
            torch.cat([texts, targets[:, 3:]], dim=1))[:, -1, 0].argmax(-1)
        return float((found == targets[:, 3, 0]).float().mean())

    with torch.no_grad():
        first, _ = follow(decoder, memory[:, 3],
                          torch.full((300, 1), decoder.start_idx))
    alone = float((first[:, 0].argmax(-1) == targets[:, 3, 0]).float().mean())
    assert right(memory[:, :3], targets[:, :3]) > 0.9
    assert right(memory[:, :3].roll(1, 0), targets[:, :3].roll(1, 0)) < 0.35
    assert alone < 0.3
