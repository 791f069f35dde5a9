"""`tools/benchmark.py pretrain`, `finetune` and `recognize`."""
import argparse
import importlib
import json

import pytest
import torch


@pytest.fixture
def module(repo, monkeypatch):
    """Imports a module of tools/benchmarks."""
    monkeypatch.syspath_prepend(str(repo / 'tools'))
    return lambda name: importlib.import_module(f'benchmarks.{name}')


@pytest.fixture
def parse(module):
    """A benchmark, and its arguments for the smallest run."""

    def parse(name, *words):
        benchmark = importlib.import_module('benchmarks').BENCHMARKS[name]
        parser = argparse.ArgumentParser()
        benchmark.add_arguments(parser)
        return benchmark, parser.parse_args(
            ['--arch', 'mini', '--batch', '1', '--rounds', '1', '--device',
             'cpu', *words])

    return parse


@pytest.mark.parametrize('name, sides', [
    ('pretrain', {'plain', 'ours fp32'}),
    ('finetune', {'plain', 'ours fp32'}),
    ('recognize', {'plain', 'autoregressive fp32', 'ctc fp32',
                   'parallel fp32'}),
])
def test_both_sides_agree_and_are_measured(module, parse, monkeypatch, name,
                                           sides):
    """At a peak of 1 GFLOP/s, known from the start."""
    monkeypatch.setattr(module('model_benchmark'), 'matrix_peaks',
                        lambda device, names: dict.fromkeys(names, 1e-3))
    benchmark, args = parse(name, '--precision', 'fp32', '--profile')
    result = benchmark.run(args)
    batch, = result['batches']
    assert batch['checked']
    assert all(0 <= value <= 1e-5 for value in batch['checked'].values())
    assert set(batch['rows']) == sides
    for row in batch['rows'].values():
        assert row['share'] == pytest.approx(
            row['median'] * row['gflops_per_image'], rel=1e-2)
        assert row['ratio'] == pytest.approx(
            row['median'] / batch['rows']['plain']['median'], rel=0.05)
    report = benchmark.report(json.loads(json.dumps(result)))
    assert 'model FLOPs of an image' in report and 'Self CPU' in report
    assert f'{max(batch["checked"].values()):.2g}' in report


@pytest.mark.parametrize('name, weight, message', [
    ('pretrain', 'neck.decoder_blocks.0.norm2.weight', 'loss_recon of ours'),
    ('pretrain', 'backbone.layers.1.attn.qkv.bias', 'loss_recon of ours'),
    ('finetune', 'decoder.layer_stack.5.norm3.weight', 'loss_ce of ours'),
    ('recognize', 'decoder.layer_stack.5.norm3.weight',
     'words differ|probabilities of ours'),
])
def test_a_reference_that_computes_something_else_is_refused(
        module, parse, monkeypatch, name, weight, message):
    benchmark, args = parse(name)
    part = module('pretrain' if name == 'pretrain' else 'finetune')
    copy = part.weights_of

    def changed(model):
        weights = copy(model)
        with torch.no_grad():
            weights[weight] += torch.linspace(0, 1, len(weights[weight]))
        return weights

    monkeypatch.setattr(part, 'weights_of', changed)
    with pytest.raises(ValueError, match=f'^{name}: .*({message})'):
        benchmark.run(args)


def test_wrong_gradients_are_refused(module, parse, monkeypatch):
    """Losses alone would not tell of a gradient that stops on its way."""
    plain = module('plain.pretrain')
    normal = plain.vit

    def stopped(weights, name, images, heads, **kwargs):
        tokens = normal(weights, name, images, heads, **kwargs)
        return tokens if kwargs else tokens.detach()

    monkeypatch.setattr(plain, 'vit', stopped)
    benchmark, args = parse('pretrain')
    with pytest.raises(ValueError, match='pretrain: gradient of .* differ by'):
        benchmark.check(args, 1)


def test_a_missing_gpu_is_told(parse):
    if torch.cuda.is_available():
        pytest.skip('there is a GPU')
    benchmark, args = parse('pretrain', '--device', 'cuda')
    with pytest.raises(ValueError, match='no GPU: take --device cpu'):
        benchmark.run(args)
    benchmark, args = parse('pretrain', '--plain-precision', 'fp16')
    with pytest.raises(ValueError, match='fp16 is for --device cuda'):
        benchmark.run(args)


def test_words_end_where_they_were_told_to(module):
    ends = module('word_ends')
    lengths = ends.draw_lengths(4000, 'cpu')
    assert lengths.bincount()[1:].min() > 250 and len(lengths.bincount()) == 13
    assert (ends.draw_lengths(4000, 'cpu') == lengths).all()
    classifier = ends.WordEnds(
        torch.nn.Identity(), 3, torch.tensor([2, 1, 3]))
    tokens = torch.tensor([[0., 1., 0., 9., 8.]]).repeat(3, 1)
    steps = [classifier(tokens).argmax(1).tolist() for _ in range(2)]
    assert steps == [[1, 1, 1], [1, 3, 1]]
    # The second word has ended and is left out; the first ends now.
    assert classifier(tokens[:2]).argmax(1).tolist() == [3, 1]
    with pytest.raises(ValueError, match='step 3 is for 0 words and 1 have'):
        classifier(tokens[:0])
    classifier.begin()
    assert classifier(tokens).argmax(1).tolist() == [1, 1, 1]
    assert classifier.force(tokens, 1).argmax(1).tolist() == [1, 3, 1]
