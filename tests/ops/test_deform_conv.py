"""Deformable convolution, by each of its ways, and in mmcv's layers."""
import sys
from typing import Any, Dict, List, Tuple

import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import DefaultScope
from mmocr.registry import MODELS
from torch import nn

from lmim import compat
from lmim.datasets.known_sets import read_config
from lmim.ops import deform_conv, deform_conv2d, deform_conv_way
from tests.documents import REPO

#: The kernel, strides, paddings, dilations, groups and those that move alike.
SIZES: Dict[str, Tuple[Any, ...]] = {
    'plain': ((3, 3), (1, 1), (1, 1), (1, 1), 1, 1),
    'all different': ((3, 2), (2, 1), (1, 2), (1, 2), 2, 3),
}


@pytest.fixture(params=['bags', 'corners'])
def way(request: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """As it is computed at once, and as it is traced or exported."""
    monkeypatch.setattr(deform_conv, 'is_traced',
                        lambda: request.param == 'corners')
    return request.param


def given(size: str, moved: float = 2.) -> Tuple[List[torch.Tensor], Any]:
    """Picture, offsets, weights, bias and masks of a layer; its steps."""
    kernel, stride, padding, dilation, groups, alike = SIZES[size]
    torch.manual_seed(0)
    x = torch.randn(2, 6, 7, 9, dtype=torch.double)
    weight = torch.randn(4, 6 // groups, *kernel, dtype=torch.double)
    grid = F.conv2d(x, weight, None, stride, padding, dilation,
                    groups).shape[2:]
    taps = kernel[0] * kernel[1] * alike
    offset = moved * torch.randn(2, 2 * taps, *grid, dtype=torch.double)
    mask = torch.rand(2, taps, *grid, dtype=torch.double)
    bias = torch.randn(4, dtype=torch.double)
    return [x, offset, weight, bias, mask], (stride, padding, dilation, groups)


@pytest.mark.usefixtures('way')
@pytest.mark.parametrize('size', SIZES)
def test_unmoved_it_is_a_convolution(size: str) -> None:
    (x, offset, weight, bias, mask), steps = given(size)
    found = deform_conv2d(x, 0 * offset, weight, bias, *steps[:3])
    torch.testing.assert_close(found, F.conv2d(x, weight, bias, *steps))
    half = deform_conv2d(x, 0 * offset, weight, bias, *steps[:3],
                         torch.full_like(mask, 0.5))
    torch.testing.assert_close(half, F.conv2d(x, weight / 2, bias, *steps))


@pytest.mark.usefixtures('way')
@pytest.mark.parametrize('size', SIZES)
def test_gradients_are_those_of_small_differences(size: str) -> None:
    inputs, steps = given(size)
    for each in inputs:
        each.requires_grad_()

    def run(x: torch.Tensor, offset: torch.Tensor, weight: torch.Tensor,
            bias: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return deform_conv2d(x, offset, weight, bias, *steps[:3], mask)

    assert torch.autograd.gradcheck(run, inputs, fast_mode=True)


@pytest.mark.usefixtures('way')
@pytest.mark.parametrize('rows, columns', [(0, 1), (2, 0), (-1, -2)])
def test_offsets_are_rows_then_columns(rows: int, columns: int) -> None:
    """All taps moved alike: a picture that is shifted."""
    x = torch.arange(1., 61).view(1, 1, 6, 10)
    offset = torch.tensor([float(rows), float(columns)]).view(
        1, 2, 1, 1).expand(1, 2, 6, 10)
    found = deform_conv2d(x, offset, torch.ones(1, 1, 1, 1))
    padded = F.pad(x, (2, 2, 2, 2))
    assert torch.equal(
        found, padded[..., 2 + rows:8 + rows, 2 + columns:12 + columns])


def test_at_whole_places_the_derivative_is_to_the_right(way: str) -> None:
    x = torch.tensor([1., 3., 10.]).view(1, 1, 1, 3)
    offset = torch.zeros(1, 2, 1, 3, requires_grad=True)
    deform_conv2d(x, offset, torch.ones(1, 1, 1, 1)).sum().backward()
    assert offset.grad is not None
    assert offset.grad[0, 1].tolist() == [[2., 7., -10.]]  # the next is 0


@pytest.mark.usefixtures('way')
def test_what_is_no_number_is_shown_and_ends_nothing() -> None:
    x, weight = torch.ones(1, 1, 2, 3), torch.ones(1, 1, 1, 1)
    offset = torch.zeros(1, 2, 2, 3)
    offset[0, 0, 0, 0], offset[0, 0, 1, 1] = float('nan'), 1e30
    found = deform_conv2d(x, offset, weight)[0, 0]
    assert found[0, 0].isnan() and found[1, 1] == 0
    assert found.nansum() == 4


def test_half_precision_keeps_places_exact() -> None:
    """Places near the right end of a word are no numbers of bfloat16."""
    x = torch.arange(128.).expand(1, 1, 1, 128)
    offset = torch.zeros(1, 2, 1, 128)
    offset[:, 1, :, :-1] = 0.125
    with torch.autocast('cpu', torch.bfloat16):
        found = deform_conv2d(x, offset.bfloat16(), torch.ones(1, 1, 1, 1))
    wanted = (x + 0.125).bfloat16()[..., :-1]
    assert found.dtype == torch.bfloat16
    assert torch.equal(found[..., :-1], wanted)


class TestTorchvision:
    """Its operator is not here: stand-ins of it are."""

    @pytest.fixture(autouse=True)
    def forget(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        deform_conv._torchvision_agrees.cache_clear()
        yield
        monkeypatch.undo()
        deform_conv._torchvision_agrees.cache_clear()

    @staticmethod
    def right(*args: Any) -> torch.Tensor:
        return deform_conv._by_torch(*args)

    @staticmethod
    def wrong(*args: Any) -> torch.Tensor:
        return deform_conv._by_torch(*args) + 0.01

    @staticmethod
    def absent(*args: Any) -> torch.Tensor:
        raise AttributeError("'_OpNamespace' 'torchvision' object has no "
                             "attribute 'deform_conv2d'")

    @pytest.mark.parametrize('kind, agrees', [
        ('right', True), ('wrong', False), ('absent', False)])
    def test_it_is_tried_before_it_is_used(
            self, kind: str, agrees: bool,
            monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(deform_conv, '_torchvision', getattr(self, kind))
        assert deform_conv._torchvision_agrees('cpu') is agrees

    def test_on_a_cpu_ours_is_faster(self,
                                     monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(deform_conv, '_torchvision_agrees',
                            lambda device: True)
        assert not deform_conv.torchvision_serves('cpu')
        assert 'plain torch' in deform_conv_way('cpu')
        assert deform_conv_way('cuda') == "torchvision's operator"

    def test_it_is_called_with_all_it_needs(
            self, monkeypatch: pytest.MonkeyPatch) -> None:
        """In its own order, without bias and mask where there are none."""
        called: List[Any] = []

        class Namespace:

            @staticmethod
            def deform_conv2d(*args: Any) -> torch.Tensor:
                called[:] = args
                return torch.zeros(1)

        monkeypatch.setattr(torch.ops, 'torchvision', Namespace)
        (x, offset, weight, bias, mask), steps = given('all different')
        pairs = steps[:3]
        deform_conv._torchvision(x.half(), offset, weight, bias, pairs, mask)
        assert [each.dtype for each in called[:5]] == [torch.float32] * 5
        torch.testing.assert_close(called[2], offset.float())
        assert called[5:] == [2, 1, 1, 2, 1, 2, 2, 3, True]
        deform_conv._torchvision(x, offset, weight, None, pairs, None)
        assert called[3].numel() == 0 and called[4].tolist() == [0.] * 4
        assert called[-1] is False


@pytest.mark.skipif(
    not isinstance(sys.modules['mmcv._ext'], compat._MissingExtension),
    reason="mmcv's operators are compiled")
class TestMMCV:

    @pytest.mark.parametrize('kind, part', [('DCN', 1.), ('DCNv2', 0.5)])
    def test_its_layers_compute(self, kind: str, part: float) -> None:
        """At their start v1 is a convolution and v2 half of one."""
        torch.manual_seed(0)
        layer: Any = MODELS.build(dict(
            type='ConvModule', in_channels=4, out_channels=6, kernel_size=3,
            padding=1, conv_cfg=dict(type=kind), bias=False, act_cfg=None,
            _scope_='mmocr'))
        assert {name for name, _ in layer.conv.named_parameters()} == {
            'weight', 'conv_offset.weight', 'conv_offset.bias'}
        x = torch.randn(3, 4, 8, 10)
        torch.testing.assert_close(
            layer(x), F.conv2d(x, part * layer.conv.weight, padding=1))
        nn.init.normal_(layer.conv.conv_offset.weight, std=0.1)
        layer(x).square().mean().backward()
        norms = [value.grad.norm().item() for value in layer.parameters()]
        assert min(norms) > 0

    def test_backbones_that_draw_their_weights_move_nothing(self) -> None:
        cfg = read_config(str(
            REPO / 'configs/textrecog/aster' /
            'aster_resnet45-dcnv2_8xb64-10e_union14m-l.py'))
        backbone: Any = MODELS.build(dict(cfg.model.backbone, _scope_='mmocr'))
        with DefaultScope.overwrite_default_scope('mmocr'):
            backbone.init_weights()
        offsets = [value for name, value in backbone.named_parameters()
                   if 'conv_offset' in name]
        assert len(offsets) == 2 * 3
        assert max(value.abs().max() for value in offsets) == 0

    def test_layers_with_an_offset_of_their_own(self) -> None:
        from mmcv.ops import DeformConv2d, deform_conv2d as by_name
        x, weight = torch.randn(2, 4, 5, 6), torch.randn(4, 4, 3, 3)
        offset = torch.zeros(2, 18, 5, 6)
        wanted = F.conv2d(x, weight, padding=1)
        torch.testing.assert_close(by_name(x, offset, weight, 1, 1), wanted)
        layer = DeformConv2d(4, 4, 3, padding=1)
        layer.weight.data.copy_(weight)
        torch.testing.assert_close(layer(x, offset), wanted)


def test_a_compiled_mmcv_is_left_alone(
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'mmcv._ext', compat)
    assert compat.provide_mmcv_deform_conv() is False
