"""`tools/benchmarks`: how sides are compared and numbers counted."""
import importlib
from itertools import count

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode


@pytest.fixture
def module(repo, monkeypatch):
    """Imports a module of tools/benchmarks."""
    monkeypatch.syspath_prepend(str(repo / 'tools'))
    return lambda name: importlib.import_module(f'benchmarks.{name}')


class Clock:
    """Tells the time that the work says it takes."""

    def __init__(self):
        self.now = 0.

    def __call__(self):
        return self.now

    def work(self, items, *seconds):
        """Two calls, to warm up and for the memory, count for nothing."""
        left = [1000., 1000., *seconds]

        def work():
            self.now += left.pop(0)
            return items

        return work


def test_rates_and_ratios_round_by_round(module):
    clock = Clock()
    rows = module('turns').take_turns(
        {'plain': clock.work(10, 1., 2., 4.),
         'ours': clock.work(30, 1., 0.5, 3.)}, rounds=3, clock=clock)
    assert rows['plain']['rounds'] == [10, 5, 2.5]
    assert rows['plain']['median'] == 5 and rows['plain']['ratio'] == 1
    assert rows['ours']['rounds'] == [30, 60, 10]
    assert rows['ours']['median'] == 30
    # Of the medians it would be 6; of the rounds it is that of the last.
    assert rows['ours']['ratios'] == [3, 12, 4] and rows['ours']['ratio'] == 4
    table = module('tables').rates_table(rows)
    assert table.splitlines()[2].split()[:5] == [
        'ours', '30.0', '10.0', '60.0', '4.00']
    assert '3.00 to 12.00 in 3' in table


def test_sides_take_turns(module):
    calls, numbers = [], count()
    sides = {name: lambda name=name: calls.append(name) or 1
             for name in ('plain', 'ours')}
    module('turns').take_turns(sides, rounds=2, clock=lambda: next(numbers))
    assert calls == ['plain', 'ours'] * 4


def test_memory_is_the_peak_of_what_is_within(module):
    memory = module('memory')
    with memory.PeakMemory() as small:
        torch.ones(2**18)
    if small.megabytes is None:
        pytest.skip('this system tells no peak')
    with memory.PeakMemory() as large:
        torch.ones(50 * 2**18)  # 50 MB
    assert 40 < large.megabytes - small.megabytes < 60
    with memory.PeakMemory() as again:
        pass
    assert again.megabytes < large.megabytes - 40


def test_numbers_that_differ_are_refused(module):
    check = module('agreement').check_close
    ones = torch.ones(3)
    found = check({'x': ones * 200}, {'x': ones * 200.001}, 'part')
    assert found['x'] == pytest.approx(5e-6, rel=0.1)
    for ours, plain, message in (
            ({'x': ones}, {'x': ones * 1.0001}, 'x of ours .* differ by'),
            ({'x': ones * float('nan')}, {'x': ones}, 'differ by nan'),
            ({'x': ones}, {'y': ones}, "gives .'x'. and the plain .*'y'"),
            ({'x': ones}, {'x': ones[:2]}, r'\(3,\) in ours and \(2,\)')):
        with pytest.raises(ValueError, match=f'^part: .*{message}'):
            check(ours, plain, 'part')
    texts = module('agreement').check_texts
    assert texts(['a', 'b'], ['a', 'b'], 'part') == 2
    with pytest.raises(ValueError, match="1 of 2 words .*'b', 'c'"):
        texts(['a', 'b'], ['a', 'c'], 'part')


def test_views_that_differ_are_refused(module):
    check = module('view_statistics').check_views
    names = module('view_statistics').TOLERANCES
    plain = dict.fromkeys(names, 1.)
    assert check(dict(plain, contrast=1.09), plain)['contrast'] == {
        'ours': 1.09, 'plain': 1., 'allowed difference': 0.1}
    for name in names:
        with pytest.raises(ValueError, match=f'differ in {name} 1.3 and 1:'):
            check(dict(plain, **{name: 1.3}), plain)


def test_formulas_count_what_torch_counts(module):
    """FlopCounterMode counts products of the plain reference's step."""
    models, flops = module('models'), module('flops')
    size = models.encoder_of('mini')
    sizes = size.dims, size.layers, size.ffn
    model = models.build_pretrain('mini', 'cpu')
    plain = module('plain.pretrain').PlainLMIM(
        module('plain.layers').weights_of(model), size.heads)
    images = module('model_benchmark').random_pictures(2, 'cpu')
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        plain.losses(images[:1], images[1:], torch.rand(1, 256))
    assert counter.get_total_flops() == (
        2 * flops.vit(*sizes) + flops.vit(*sizes, kept=51)
        + flops.guided_decoder(size.dims, 51))
    model = models.build_recognizer('autoregressive', 'mini', 'cpu')
    plain = module('finetune').plain_recognizer(model, 'mini')
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        plain.loss(images, ['a', 'b'])
    # The slow way computes the products with later characters, too.
    later = 6 * flops.attention(25, 25 / 2, 512)
    assert counter.get_total_flops() == 2 * (
        flops.vit(*sizes) + flops.text_decoder(size.dims, 25) + later)
    # A product of matrices reaches its own peak.
    peak = module('peak').matrix_peaks('cpu', ['fp32'], 1, [64])['fp32']
    assert 1e-5 < peak < 1e3
