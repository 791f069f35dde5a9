"""SeqCLR from patch tokens on."""
import itertools
from typing import Iterator

import torch
import torch.nn.functional as F

from lmim.models.necks.instances import map_instances

from .common import Check, Reference, build, checks

#: Losses are logarithms of sums of exponentials.
LOSS = 5e-5


@checks('SeqCLR', 'meta', 'meta_names', 'tokens_view0', 'temperature')
def check_seqclr(ref: Reference) -> Iterator[Check]:
    """Run every projection and mapping."""
    sizes = ref.sizes()
    channels, grid = sizes['embed_dims'], (sizes['rows'], sizes['columns'])
    for kind, mapping in itertools.product(('none', 'linear', 'bilstm'),
                                           ('all', 'window', 'frame')):
        weights = ref.weights(f'state.{kind}.')
        hidden = weights.get('rnn.weight_hh_l0', torch.empty(1, 1)).shape[1]
        case = f'{kind}.{mapping}.'
        views = [ref.tensor(f'tokens_view{i}').float() for i in (0, 1)]
        if any(view.shape != (sizes['batch'], grid[0] * grid[1], channels)
               for view in views):
            raise RuntimeError('tokens_view*')
        neck = build(dict(
            type='SequenceProjector', in_dims=channels,
            out_dims=sizes['projector_out'], hidden_dims=hidden,
            projection=kind, mapping=mapping,
            num_windows=sizes['num_windows'], grid=grid))
        neck.projection.load_state_dict(weights)
        instances = []
        for number, view in enumerate(views):
            # [CLS], which SeqCLR does not use.
            whole = F.pad(view.requires_grad_(), (0, 0, 1, 0))
            instances.append(neck(whole))
            yield ref.compare(f'{case}instances_view{number}', instances[-1],
                              LOSS, scaled=True)
        for name, reduction in (
                ('loss_sum', 'sum'), ('loss_batchmean', 'mean'),
                ('loss_mean_instances_per_image', 'images')):
            head = build(dict(type='ContrastiveHead', reduction=reduction,
                              temperature=float(ref['temperature'])))
            loss = head.loss(*instances)
            # Sums of hundreds have as many digits as their terms.
            yield ref.compare(case + name, loss, LOSS,
                              scaled=reduction != 'mean')
            if reduction == 'mean':
                loss.backward(retain_graph=True)
        yield from ref.compare_norms(f'{case}gradnorm.', dict(
            neck.projection.named_parameters(), tokens_view0=views[0],
            tokens_view1=views[1]))
    # What the authors' later config computes: windows over all places, row
    # by row, are bands of rows.
    bands = map_instances(ref.tensor('tokens_view0').float(), 'window',
                          sizes['num_windows'])
    yield ref.compare('quirk.row_band_instances_view0', bands, LOSS, True)
