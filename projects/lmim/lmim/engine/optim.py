"""Mixed precision without loss scaling, and few parameter groups."""
import logging
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Optional, Union

import torch
from mmengine.logging import MMLogger
from mmengine.optim import DefaultOptimWrapperConstructor, OptimWrapper
from mmengine.runner import autocast
from mmocr.registry import OPTIM_WRAPPER_CONSTRUCTORS, OPTIM_WRAPPERS
from torch import nn

from lmim.utils.errors import UserError
from lmim.utils.log import quiet

from .precision import choose_precision, warn_if_slower


@OPTIM_WRAPPERS.register_module()
class BF16OptimWrapper(OptimWrapper):
    """Mixed precision in bfloat16, on the CPU and on GPUs that have it.

    MMEngine's ``AmpOptimWrapper`` refuses the CPU and scales the loss, which
    float16 needs for its small exponent and bfloat16, with the exponent of
    float32, does not. What is saved is what ``OptimWrapper`` saves: a run can
    be resumed with and without mixed precision.

    The arguments are those of ``OptimWrapper``. On a machine that is slower in
    bfloat16 than in fp32, a warning names the factor.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        warn_if_slower(choose_precision('bf16'))

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """The context of the forward pass: accumulation, and autocast."""
        with super().optim_context(model), autocast(dtype=torch.bfloat16):
            yield


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class GroupedOptimWrapperConstructor(DefaultOptimWrapperConstructor):
    """MMEngine's constructor, with one group for all equal options.

    ``DefaultOptimWrapperConstructor`` makes one group of each parameter when
    ``paramwise_cfg`` is set. PyTorch updates all tensors of a group together,
    so that a ViT's several hundred groups cost as many separate updates on a
    GPU. It also logs some lines for every parameter; here it is one line for
    every group.

    The arguments are those of ``DefaultOptimWrapperConstructor``, and
    ``paramwise_cfg=dict(layer_decay_rate=0.75)`` lowers the rate of a ViT's
    blocks from the last to the first, by that factor at each step (as in
    BEiT, Bao et al., ICLR 2022); what follows the ViT keeps the full rate.
    Parameters that a module names in ``undecayed``, as the frequencies of
    ``MixedRotary``, get no weight decay.
    """

    def __init__(self, optim_wrapper_cfg: dict,
                 paramwise_cfg: Optional[dict] = None) -> None:
        # Without any, MMEngine does not look at parameters one by one.
        super().__init__(optim_wrapper_cfg,
                         paramwise_cfg or dict(flat_decay_mult=None))

    def __call__(self, model: nn.Module) -> OptimWrapper:
        """Build the optimizer wrapper of a model."""
        wrapper = super().__call__(model)
        # MMEngine's are ConfigDicts, which torch.compile cannot trace.
        groups = [dict(group) for group in wrapper.optimizer.param_groups]
        wrapper.optimizer.param_groups[:] = groups
        if len({group['lr'] for group in groups}) == 1:
            # MMEngine logs a `base_lr` beside the rate of several groups,
            # and --auto-scale-lr leaves it unscaled: with one rate for all
            # it would only mislead.
            wrapper.base_param_settings = None
        return wrapper

    def add_params(self,
                   params: List[Dict[str, Any]],
                   module: nn.Module,
                   prefix: str = '',
                   is_dcn_module: Optional[Union[int, float]] = None) -> None:
        """Add all parameters of a module; see the base class."""
        if prefix:  # the base class's recursion
            super().add_params(params, module, prefix, is_dcn_module)
            return
        logger = MMLogger.get_current_instance()
        with quiet(logging.ERROR):
            super().add_params(params, module, prefix, is_dcn_module)
        kept = {getattr(part, name) for part in module.modules()
                for name in getattr(part, 'undecayed', ())}
        for group in params:
            if group['params'][0] in kept and self.base_wd is not None:
                group['weight_decay'] = 0.
        self._decay_by_layer(params, module)
        groups: Dict[str, Dict[str, Any]] = {}
        for group in params:
            key = repr(sorted((name, value) for name, value in group.items()
                              if name != 'params'))
            merged = groups.setdefault(key, dict(group, params=[]))
            merged['params'] += group['params']
        params[:] = groups.values()
        for group in params:
            shown = {'lr': group.get('lr', self.base_lr),
                     'weight decay': group.get('weight_decay', self.base_wd)}
            options = ', '.join(f'{name} {value:g}'
                                for name, value in shown.items()
                                if value is not None)
            count = sum(param.numel() for param in group['params'])
            logger.info(f'Optimizer: {len(group["params"])} tensors, '
                        f'{count:,} parameters: {options}')
        frozen = [p for p in module.parameters() if not p.requires_grad]
        if frozen:
            logger.info(f'Not trained: {len(frozen)} tensors, '
                        f'{sum(p.numel() for p in frozen):,} parameters')

    def _decay_by_layer(self, params: List[Dict[str, Any]],
                        model: nn.Module) -> None:
        """Lower the rate of the groups, one for each parameter, by layer.

        Raises:
            UserError: If the factor is not within (0, 1], or no part of the
                model can tell the depth of its parameters.
        """
        factor = self.paramwise_cfg.get('layer_decay_rate', 1.)
        if not 0 < factor <= 1:
            raise UserError('paramwise_cfg.layer_decay_rate is above 0 and '
                            f'at most 1, not {factor}')
        if factor == 1:
            return
        encoders: List[Any] = [part for part in model.modules()
                               if hasattr(part, 'get_layer_depth')]
        if not encoders:
            raise UserError(
                'paramwise_cfg.layer_decay_rate needs a ViT in the model '
                '(TextViT, MaskedViT, or one of mmpretrain): none has '
                'get_layer_depth. Remove it.')
        scales = {}
        for encoder in encoders:
            for name, param in encoder.named_parameters():
                depth, layers = encoder.get_layer_depth(name)
                scales[param] = factor**(layers - depth - 1)
        for group in params:
            scale = scales.get(group['params'][0], 1.)
            group['lr'] = group.get('lr', self.base_lr) * scale
