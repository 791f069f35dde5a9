"""Deformable convolution: output and gradients, in double and single."""
from typing import Dict, Iterator, Optional

import torch

from lmim.ops import deform_conv2d

from .common import Check, Reference, checks

#: What a case is given; it has the last two where its sizes say so.
INPUTS = ('x', 'offset', 'weight', 'mask', 'bias')
#: Allowed of each precision, as a part of an array's largest value.
ALLOWED = {torch.float32: 1e-5, torch.float64: 1e-12}


@checks('dcn', 'cases', 'meta_names')
def check_deform_conv(ref: Reference) -> Iterator[Check]:
    """Check each case."""
    for case in map(str, ref['cases']):
        sizes = dict(zip(map(str, ref['meta_names']),
                         ref[f'{case}.meta'].tolist()))
        given = {name: ref.tensor(f'{case}.{name}') for name in INPUTS
                 if sizes.get(name, 1)}
        _check_shapes(sizes, given)
        for precision, allowed in ALLOWED.items():
            inputs: Dict[str, Optional[torch.Tensor]] = {
                name: value.to(precision, copy=True).requires_grad_()
                for name, value in given.items()}
            steps = {step: (sizes[f'{short}_h'], sizes[f'{short}_w'])
                     for step, short in (('stride', 'stride'),
                                         ('padding', 'pad'),
                                         ('dilation', 'dilation'))}
            output = deform_conv2d(**inputs, **steps)  # type: ignore
            output.backward(ref.tensor(f'{case}.grad_output').to(precision))
            found = {'output': output, **{f'grad.{name}': value.grad
                                          for name, value in inputs.items()
                                          if value is not None}}
            for name, ours in found.items():
                check = ref.compare(f'{case}.{name}', ours, allowed,
                                    scaled=True)
                yield check._replace(
                    name=f'{check.name} ({str(precision)[6:]})')


def _check_shapes(sizes: Dict[str, int],
                  given: Dict[str, torch.Tensor]) -> None:
    """Compare the shapes of what is given with the sizes that are named."""
    taps = sizes['kernel_h'] * sizes['kernel_w']
    moved = sizes['deform_groups'] * taps
    grid = [(sizes[side] + 2 * sizes[f'pad_{short}'] -
             sizes[f'dilation_{short}'] * (sizes[f'kernel_{short}'] - 1) - 1)
            // sizes[f'stride_{short}'] + 1
            for side, short in (('H', 'h'), ('W', 'w'))]
    wanted = {
        'x': [sizes[name] for name in 'NCHW'],
        'offset': [sizes['N'], 2 * moved, *grid],
        'weight': [sizes['out'], sizes['C'] // sizes['groups'],
                   sizes['kernel_h'], sizes['kernel_w']],
        'mask': [sizes['N'], moved, *grid],
        'bias': [sizes['out']]}
    for name, value in given.items():
        if list(value.shape) != wanted[name]:
            raise ValueError(f'{name} is {list(value.shape)}, and by the '
                             f'sizes {wanted[name]}')
