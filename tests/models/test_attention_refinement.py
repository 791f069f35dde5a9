"""Refinement of a decoder's attention by what was read before (CoMER)."""
import pytest
import torch

from lmim.models.textrecog import AttentionRefinement
from lmim.visualization.attention import cross_attention

from .test_transformer_decoder import (all_words, dictionary,  # noqa: F401
                                       full_recomputation, recognizer,
                                       samples, words)

GRID = (2, 3)
CELLS = 6


def decoder_of(dictionary, zero_init=False, **options):  # noqa: F811
    """A decoder whose refinement matters: R is as large as the logits."""
    refinement = {'grid': GRID, 'channels': 5,
                  **options.pop('refinement', {})}
    torch.manual_seed(7)
    decoder = recognizer(
        dictionary, refinement=dict(refinement, zero_init=zero_init),
        early_stop=False, **options).decoder.eval()
    with torch.no_grad():
        for layer in decoder.layers:
            layer.enc_attn.linear_k.weight *= 6
        norm = decoder.refinement.norm
        norm.running_var.fill_(1e-2)
        norm.bias.uniform_(-1, 1)
    return decoder


def memory_of(count=3, tokens=1 + CELLS):
    return 3 * torch.randn(count, tokens, 24)


KINDS = [('fusion', 2), ('cross', 2), ('self', 2), ('self', 1)]


@pytest.fixture(params=KINDS, ids=[f'{k}-{n}' for k, n in KINDS])
def decoder(request, dictionary):  # noqa: F811
    kind, layers = request.param
    return decoder_of(dictionary, num_layers=layers,
                      refinement=dict(coverage=kind))


TARGETS = torch.tensor([[0, 1, 1, 1, 4, 5], [2, 3, 0, 3, 3, 3],
                        [4, 5, 5, 5, 5, 5]])


def by_hand(decoder, memory, targets):
    """The weights of each layer's attention, from the definition alone."""
    module = decoder.refinement
    seen = []

    def weigh(layer, query, keys):
        scores = query @ keys.transpose(2, 3) * query.shape[-1]**-0.5
        plain = scores.softmax(-1)
        refined = plain
        if layer > 0 or len(decoder.layers) == 1:
            sources = dict(fusion=lambda: [seen[-1], plain],
                           cross=lambda: [seen[-1]], self=lambda: [plain])
            maps = torch.cat(sources[module.coverage](), dim=1)[..., 1:]
            refined = scores.clone()
            for step in range(scores.shape[2]):
                sums = maps[:, :, :step].sum(2).unflatten(2, GRID)
                hidden = module.proj(module.conv(sums).relu())
                norm = module.norm
                normed = ((hidden - norm.running_mean[:, None, None])
                          / (norm.running_var + norm.eps)[:, None, None].sqrt()
                          * norm.weight[:, None, None]
                          + norm.bias[:, None, None])
                refined[:, :, step, 1:] -= normed.flatten(2)
            refined = refined.softmax(-1)
        seen.append(refined)
        return refined

    class Hand:
        pass

    hand = Hand()
    hand.weigh = weigh
    decoder.new_coverage = lambda written=None: hand
    logits = decoder.teacher_forced(memory, targets)
    del decoder.new_coverage
    return logits


@torch.no_grad()
def test_one_pass_is_the_definition(decoder):
    memory = memory_of()
    logits = decoder.teacher_forced(memory, TARGETS)
    assert torch.allclose(logits, by_hand(decoder, memory, TARGETS),
                          atol=1e-5)
    refinement, decoder.refinement = decoder.refinement, None
    plain = decoder.teacher_forced(memory, TARGETS)
    decoder.refinement = refinement
    assert (plain - logits).abs().max() > 1e-2


@torch.no_grad()
def test_cached_steps_equal_one_pass(decoder):
    for name in ('end_idx', 'padding_idx'):
        decoder.classifier.bias[getattr(decoder, name)] = -1e4
    memory = memory_of()
    assert torch.allclose(decoder.forward_test(None, memory),
                          full_recomputation(decoder, memory), atol=1e-6)


@torch.no_grad()
def test_a_later_character_changes_no_earlier_logit(decoder):
    memory, other = memory_of(), TARGETS.clone()
    other[:, 3] = torch.tensor([0, 1, 2])
    one = decoder.teacher_forced(memory, TARGETS)
    two = decoder.teacher_forced(memory, other)
    # Place 3 reads the characters up to 2.
    assert torch.allclose(one[:, :4], two[:, :4], atol=1e-6)
    assert not torch.allclose(one[:2, 4:], two[:2, 4:], atol=1e-3)


@torch.no_grad()
def test_a_word_reads_the_same_alone_and_in_a_batch(decoder):
    memory = memory_of()
    batch = decoder.teacher_forced(memory, TARGETS)
    for number in range(3):
        row = slice(number, number + 1)
        assert torch.allclose(
            decoder.teacher_forced(memory[row], TARGETS[row])[0],
            batch[number], atol=1e-6)


@torch.no_grad()
def test_beams_take_their_sums_along(decoder):
    decoder.max_seq_len, decoder.beam_width = 3, 60
    decoder.classifier.weight *= 3
    memory = memory_of(8)
    probs = decoder.forward_test(None, memory)
    for number, word in enumerate(words(decoder, probs)):
        likelihoods = all_words(decoder, memory[number:number + 1])
        assert word == max(likelihoods, key=likelihoods.__getitem__)
        chances = probs[number].max(-1).values[:len(word)]
        assert chances.log().sum().item() == pytest.approx(
            likelihoods[word], abs=1e-5)


@torch.no_grad()
@pytest.mark.parametrize('kind', ['TextTransformerDecoder',
                                  'ParallelDecoder'])
def test_weight_0_starts_as_the_recognizer_that_is_loaded(
        dictionary, kind):  # noqa: F811
    options = dict(type=kind, num_layers=2)
    if kind == 'TextTransformerDecoder':
        options['early_stop'] = False
    plain = recognizer(dictionary, **options).decoder.eval()
    extended = recognizer(dictionary, **options, refinement=dict(
        grid=GRID, zero_init=True)).decoder.eval()
    extended.init_weights()
    found = extended.load_state_dict(plain.state_dict(), strict=False)
    assert not found.unexpected_keys
    assert {name.split('.')[0] for name in found.missing_keys} == {
        'refinement'}
    memory = memory_of()
    assert torch.allclose(extended.forward_test(None, memory),
                          plain.forward_test(None, memory), atol=1e-6)


def test_statistics_are_of_written_places(dictionary):  # noqa: F811
    """Pictures of other pixels, and words that end at other places."""
    decoder = decoder_of(dictionary, refinement=dict(coverage='self'))
    module, norm = decoder.refinement.train(), decoder.refinement.norm
    maps = torch.rand(3, 2, 6, CELLS)
    written = TARGETS != decoder.padding_idx
    norm.reset_running_stats()
    found = module(maps, written)
    values = module.proj(module.conv(
        maps.transpose(1, 2)[written].unflatten(2, GRID)).relu())
    mean = values.mean((0, 2, 3))
    assert torch.allclose(norm.running_mean, 0.1 * mean, atol=1e-6)
    assert torch.allclose(
        norm.running_var, 0.9 + 0.1 * values.var((0, 2, 3)), atol=1e-6)
    scale = (values.var((0, 2, 3), unbiased=False) + norm.eps).sqrt()
    normed = ((values - mean[:, None, None]) / scale[:, None, None]
              * norm.weight[:, None, None] + norm.bias[:, None, None])
    assert torch.allclose(found.transpose(1, 2)[written],
                          normed.flatten(2), atol=1e-4)
    assert (found.transpose(1, 2)[~written] == 0).all()


def test_all_parts_learn_and_nothing_else_changes(dictionary):  # noqa: F811
    model = recognizer(dictionary, refinement=dict(
        grid=(2, 8), channels=5, zero_init=True))
    images = torch.randn(2, 3, 8, 32)
    model.loss(images, samples('aab', 'cdda'))['loss_ce'].backward()
    gradients = {name: value.grad.abs().max().item() for name, value
                 in model.decoder.refinement.named_parameters()}
    # Weight 0 lets nothing through at first, but learns itself.
    assert gradients['norm.weight'] > 0 and gradients['norm.bias'] > 0
    assert gradients['conv.weight'] == gradients['proj.weight'] == 0


def test_bfloat16_leaves_sums_and_logits_in_fp32(decoder):
    memory = memory_of()
    with torch.no_grad(), torch.autocast('cpu', torch.bfloat16):
        coverage = decoder.new_coverage()
        pictures = [layer.memorize(memory) for layer in decoder.layers]
        tokens = torch.randn(3, 4, 24)
        decoder.run(tokens, pictures, coverage=coverage)
    for value in (*coverage.sums.values(), coverage.weights,
                  coverage.subtracted):
        assert value.dtype == torch.float32
    # In bfloat16 they would be off by 1e-3.
    assert (coverage.weights.sum(-1) - 1).abs().max() < 1e-6
    last = coverage.sums[len(decoder.layers) - 1]
    assert last.shape == (3, decoder.refinement.num_maps, 1, CELLS)


def test_dropped_weights_are_not_added_up(dictionary):  # noqa: F811
    decoder = decoder_of(dictionary, refinement=dict(coverage='self'))
    layer = decoder.layers[1]
    layer.enc_attn.attention.dropout.p = 0.9
    layer.train()
    coverage = decoder.new_coverage()
    pictures = [each.memorize(memory_of()) for each in decoder.layers]
    with torch.no_grad():
        decoder.run(torch.randn(3, 4, 24), pictures, coverage=coverage)
    # Four places, whose weights on cells are below 1 together.
    assert torch.allclose(coverage.weights.sum(-1), torch.ones(1))
    assert coverage.sums[1].sum(-1).max() <= 4.


@torch.no_grad()
@pytest.mark.parametrize('layers, kind', [(1, 'self'), (2, 'fusion')])
def test_parallel_places_add_up_in_their_order(dictionary, layers,  # noqa
                                               kind):
    decoder = recognizer(
        dictionary, type='ParallelDecoder', num_layers=layers, refine_steps=0,
        refinement=dict(grid=GRID, coverage=kind)).decoder.eval()
    decoder.refinement.norm.running_var.fill_(1e-3)
    decoder.queries.normal_()
    memory = memory_of()
    # The query of a place moves what later places subtract, not earlier ones;
    # the characters that a second pass reads would mix them.
    first = decoder.forward_test(None, memory)
    decoder.queries[:, 3].normal_()
    second = decoder.forward_test(None, memory)
    assert torch.allclose(first[:, :3], second[:, :3], atol=1e-6)
    assert not torch.allclose(first[:, 4:], second[:, 4:], atol=1e-4)


@torch.no_grad()
def test_attention_that_is_drawn_is_what_was_used(decoder):
    memory, kept = memory_of(), []
    new_coverage = decoder.new_coverage
    decoder.new_coverage = lambda written: kept.append(
        new_coverage(written)) or kept[-1]
    drawn = cross_attention(decoder, memory, lambda: decoder.teacher_forced(
        memory, TARGETS))
    assert torch.equal(drawn, kept[0].weights)
    decoder.new_coverage = lambda written: None
    plain = cross_attention(decoder, memory, lambda: decoder.teacher_forced(
        memory, TARGETS))
    assert (drawn - plain).abs().max() > 0.05


@torch.no_grad()
def test_pictures_without_cls_and_of_any_width(dictionary):  # noqa: F811
    decoder = decoder_of(dictionary, refinement=dict(
        grid=(2, None), with_cls_token=False))
    for columns in (1, 3, 8):
        assert decoder.forward_test(
            None, memory_of(tokens=2 * columns)).shape == (3, 6, 7)
    with pytest.raises(ValueError, match='given 7 tokens .* of 2xcolumns'):
        decoder.forward_test(None, memory_of())


@pytest.mark.parametrize('tokens', [CELLS, 2 + CELLS, 1 + 2 * CELLS])
def test_another_grid_is_refused_by_name(decoder, tokens):
    with pytest.raises(ValueError, match=(
            f'given {tokens} tokens .* of 1 . 2x3 .*'
            'model.decoder.refinement.grid')):
        decoder.forward_test(None, memory_of(tokens=tokens))


@pytest.mark.parametrize('option, message', [
    (dict(coverage='both'), "fusion, self, cross, not 'both'"),
    (dict(grid=(8, )), 'rows, columns'), (dict(grid=(0, 4)), 'rows, columns'),
    (dict(refine_first=True), "num_layers=2 or more, or coverage='self'")])
def test_options_that_make_no_sense_are_refused(option, message):
    with pytest.raises(ValueError, match=message):
        AttentionRefinement(2, **{'grid': (8, 32), **option})


def test_size_is_the_published_one():
    module = AttentionRefinement(8, (8, 32))
    assert sum(p.numel() for p in module.parameters()) == 13_104
