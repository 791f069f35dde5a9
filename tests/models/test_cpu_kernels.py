"""Parts that are fast on a CPU compute what torch's own compute."""
import warnings

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lmim.models.layers import attend, cpu_kernels, use_cpu_kernels
from lmim.models.layers.attention import drop_mask
from lmim.models.layers.cpu_kernels import CPUDropout, CPULinear

from .conftest import ENCODER, LMIM, build
from .test_transformer_decoder import (dictionary, recognizer,  # noqa: F401
                                       samples)


def _qkv(dtype=torch.float32):
    torch.manual_seed(0)
    return torch.randn(3, 2, 4, 33, 16).to(dtype).unbind(0)


def _plain(query, keys, values, mask=None):
    logits = query @ keys.transpose(2, 3) / 4
    return ((logits if mask is None else logits + mask).softmax(-1)
            @ values)


@pytest.mark.parametrize('dtype,close', [(torch.float32, 1e-6),
                                         (torch.bfloat16, 2e-2)])
def test_attention_and_its_gradients(dtype, close):
    found, wanted = _qkv(dtype), _qkv()
    mask = torch.zeros(33, 33).masked_fill(
        ~torch.ones(33, 33, dtype=torch.bool).tril(), float('-inf'))
    for each in (*found, *wanted):
        each.requires_grad_()
    output = attend(*found, attn_mask=mask.to(dtype))
    assert output.dtype == dtype
    reference = _plain(*wanted, mask)
    assert (output - reference).abs().max() < close
    output.float().pow(2).sum().backward()
    reference.pow(2).sum().backward()
    for mine, other in zip(found, wanted):
        error = (mine.grad - other.grad).abs().max()
        assert error < 3 * close * other.grad.abs().max()


@pytest.mark.parametrize('rate', [0., 0.1, 0.5])
def test_the_mask_has_its_rate(rate):
    torch.manual_seed(3)
    mask = drop_mask(torch.empty(1001, 999, dtype=torch.bfloat16), rate)
    assert mask.dtype == torch.bfloat16 and mask.shape == (1001, 999)
    assert set(mask.unique().tolist()) <= {0., 1.}
    # Five standard deviations of a million draws.
    assert abs(1 - mask.float().mean() - rate) < 0.0025
    pairs = mask.float()[:, ::2][:, :499] * mask.float()[:, 1::2]
    assert abs(pairs.mean() - (1 - rate)**2) < 0.005


def test_dropout_follows_the_seed_and_rests_in_evaluation():
    layer, tokens = CPUDropout(0.25), torch.ones(50, 50)
    torch.manual_seed(5)
    first, second = layer(tokens), layer(tokens)
    torch.manual_seed(5)
    assert torch.equal(layer(tokens), first)
    assert not torch.equal(first, second)
    assert set(first.unique().tolist()) == {0., torch.tensor(4 / 3).item()}
    assert torch.equal(layer.eval()(tokens), tokens)


def test_a_layer_that_stands_twice_or_has_a_hook():
    shared, hooked = nn.Linear(3, 3), nn.Linear(3, 3)
    hooked.register_forward_hook(lambda module, given, made: made + 1)
    model = nn.Sequential(nn.Sequential(shared),
                          nn.Sequential(shared, hooked)).eval()
    tokens = torch.randn(2, 3)
    wanted = model(tokens)
    use_cpu_kernels(model)
    assert model[0][0] is model[1][0] and type(model[0][0]) is CPULinear
    assert torch.equal(model(tokens), wanted) and not model[0][0].training


@pytest.mark.parametrize('gradients', [True, False])
def test_models_compute_the_same_with_and_without(
        gradients, dictionary):  # noqa: F811
    """The losses of two models, and their gradients."""
    lmim = dict(LMIM, neck=dict(LMIM['neck'], drop_rate=0.))
    views = [torch.randn(2, 3, 8, 32), torch.randn(2, 3, 8, 32)]
    words = samples('ab', 'cdda')
    results = []
    for change in (lambda model: model, use_cpu_kernels):
        found = []
        for model, given in ((build(lmim), (views, )),
                             (recognizer(dictionary), (views[0], words))):
            model.init_weights()
            change(model)
            torch.manual_seed(0)
            with torch.set_grad_enabled(gradients):
                losses = model(*given, mode='loss')
            found += losses.values()
            if gradients:
                sum(losses.values()).backward()
                found += [p.grad for p in model.parameters()
                          if p.grad is not None]
        results.append(found)
    assert len(results[0]) == len(results[1]) >= 3
    for one, other in zip(*results):
        assert torch.allclose(one, other, atol=1e-6)


@pytest.fixture
def avx512(monkeypatch):
    """A CPU on which oneDNN's operation is worth trying."""
    monkeypatch.setattr(cpu_kernels, '_cpu_capability', lambda: 'AVX512')
    cpu_kernels.onednn_serves.cache_clear()
    yield
    cpu_kernels.onednn_serves.cache_clear()


@pytest.mark.parametrize('dtype,close', [(torch.float32, 2e-6),
                                         (torch.bfloat16, 5e-2)])
@pytest.mark.parametrize('lacking', [(), (torch.bfloat16, ),
                                     (torch.float32, torch.bfloat16)])
def test_without_gradients_the_result_is_the_same(dtype, close, lacking,
                                                  monkeypatch, avx512):
    """Also where the operation raises in a dtype, as on CPUs without it."""
    ways = []

    def operation(tokens, weight, bias, then):
        if tokens.dtype in lacking:
            raise RuntimeError('could not create a primitive descriptor')
        ways.append(then)
        output = F.linear(tokens, weight, bias)
        return F.gelu(output) if then == 'gelu' else output

    monkeypatch.setattr(cpu_kernels, 'onednn_linear', operation)
    assert cpu_kernels.onednn_serves(dtype) is (dtype not in lacking)
    ways.clear()
    torch.manual_seed(0)
    model = use_cpu_kernels(build(dict(ENCODER)).eval())
    images = torch.randn(3, 3, 8, 32)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        with torch.autocast('cpu', dtype, enabled=dtype != torch.float32):
            wanted = model(images).detach().float()
            assert not ways
            with torch.no_grad():
                found = model(images).float()
    # q, k and v; projection; both layers of the feed-forward part
    each = ['none', 'none', 'gelu', 'none']
    if dtype == torch.bfloat16:  # autocast keeps its copies of the weights
        each = ['gelu']
    assert ways == ([] if dtype in lacking else each * len(model.layers))
    assert (found - wanted).abs().max() < close


@pytest.mark.parametrize('operation', [
    lambda *arguments: torch.zeros(3, 5), lambda tokens: tokens])
def test_an_operation_that_is_another_is_left_alone(monkeypatch, avx512,
                                                    operation):
    monkeypatch.setattr(torch.ops.mkldnn, '_linear_pointwise', operation)
    assert not cpu_kernels.onednn_serves(torch.float32)
    layer = CPULinear(4, 5)
    with torch.no_grad():
        found = layer(torch.ones(2, 4))
    assert torch.equal(found, layer(torch.ones(2, 4)))
