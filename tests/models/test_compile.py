"""torch.compile takes a step of pre-training as one graph."""
import copy

import pytest
import torch
from mmengine.utils import digit_version


@pytest.mark.skipif(
    digit_version(torch.__version__) < digit_version('2.3'),
    reason='needs torch 2.3, whose torch.compile reads the whole step')
def test_pretraining_is_one_graph_and_computes_the_same(lmim, views):
    model = lmim().train()
    compiled = copy.deepcopy(model)
    # As MMEngine's `compile=dict(...)` has it; without g++ and a minute's
    # work, and an error where the graph would break.
    compiled.forward = torch.compile(
        compiled.forward, backend='aot_eager', fullgraph=True)
    results = []
    for each in (model, compiled):
        for part in each.modules():
            if isinstance(part, torch.nn.Dropout):
                part.p = 0.
            elif isinstance(part, torch.nn.MultiheadAttention):
                part.dropout = 0.
        torch.manual_seed(0)
        losses = each(views, mode='loss')
        sum(losses.values()).backward()
        results.append((losses, [p.grad for p in each.parameters()
                                 if p.grad is not None]))
    (losses, grads), (wanted, wanted_grads) = results
    for name, loss in losses.items():
        assert abs(loss - wanted[name]) < 1e-6, name
    assert len(grads) == len(wanted_grads) > 30
    assert all(torch.allclose(mine, other, atol=1e-6)
               for mine, other in zip(grads, wanted_grads))
