"""Reading by taking an image and its mirror apart."""
from typing import Any, Dict, List, Optional, Sequence

import torch
import torch.nn.functional as F
from mmengine.logging import MessageHub
from mmocr.registry import MODELS

from lmim.utils.errors import UserError
from ..layers.turning import DIRECTIONS, turn
from .base import Inputs, Prediction, SelfSup


@MODELS.register_module()
class SSM(SelfSup):
    """Symmetric superimposition modelling (IJCAI 2024, arXiv 2405.05841).

    Nothing is hidden. The encoder sees the mean of an image and the same
    image flipped or turned by 180 degrees; a decoder that is told the
    direction rebuilds either. To take the two apart the encoder has to know
    characters and their order. Windows of what is decoded are to be told
    from all others by those of a moving average, which sees another view.

    As with :class:`DiG`, [CLS] takes part without a loss unless
    ``backbone.with_cls_token=False``, which the published encoder is.

    Args:
        backbone (dict): A :class:`TextViT`.
        neck (dict): A :class:`PromptedDecoder`.
        target_generator (dict): A :class:`PixelTarget`.
        projector (dict): A :class:`WindowProjector` of what is decoded.
        contrast_head (dict): A :class:`MomentumContrastHead`, L_dis.
        dense_head (dict, optional): A :class:`DenseHead`, L_den: the
            paper's. The code has it commented out, and so is the default.
        directions (Sequence[str]): Turns to draw from, of ``'horizontal'``,
            ``'vertical'`` and ``'both'``, all as likely.
        feature_weight (float): Weight alpha of L_dis and L_den.
        feature_start (int, optional): The weight is 0 before this epoch,
            counted from 0, and grows by ``feature_weight`` with it and each
            further one: the code's schedule. None: the weight is constant,
            as in the paper.
        ema (dict): Moving average of all parts that make keys: by 1 - m =
            0.005 a step at first, falling to 0 with a cosine. (The code moves
            decoder blocks twice.)
        **kwargs: ``data_preprocessor`` ... of :class:`SelfSup`.

    Raises:
        UserError: If a direction is unknown, or there is none.
    """

    view_levels = (None, 'weak')
    view_hint = ("put dict(type='GuidanceView', level='weak', gray_prob=0.2) "
                 "before dict(type='PackPretrainInputs') in the pipeline")
    picture_note = (
        'superimposed: the mean of the image and its turned copy, all that '
        'the encoder sees. rebuilt: either, as the decoder is asked for it.')

    def __init__(self,
                 backbone: dict,
                 neck: dict,
                 target_generator: dict = dict(
                     type='PixelTarget', norm_pix=False, unit=True),
                 projector: dict = dict(type='WindowProjector', in_dims=256),
                 contrast_head: dict = dict(type='MomentumContrastHead'),
                 dense_head: Optional[dict] = None,
                 directions: Sequence[str] = ('horizontal', 'vertical',
                                              'both'),
                 feature_weight: float = 1 / 40,
                 feature_start: Optional[int] = 10,
                 ema: dict = dict(type='mmpretrain.CosineEMA', momentum=0.005),
                 **kwargs: Any) -> None:
        super().__init__(backbone, neck, None, target_generator, **kwargs)
        if not directions or not set(directions) <= set(DIRECTIONS[1:]):
            raise UserError(f'directions are some of {DIRECTIONS[1:]}, not '
                            f'{tuple(directions)}')
        self.numbers = [DIRECTIONS.index(name) for name in directions]
        self.feature_weight = feature_weight
        self.feature_start = feature_start
        self.projector = MODELS.build(projector)
        self.contrast_head = MODELS.build(contrast_head)
        self.dense_head: Any = dense_head and MODELS.build(dense_head)
        self.follow(dict(ema, parts=('backbone', 'neck', 'projector')))

    def draw_noise(self, batch_size: int, seed: int) -> torch.Tensor:
        """Uniform draws, (N, 1), that decide on the directions."""
        return torch.rand(batch_size, 1,
                          generator=torch.Generator().manual_seed(seed))

    def predict(self,
                inputs: Inputs,
                noise: Optional[torch.Tensor] = None,
                data_samples: Any = None) -> Prediction:
        """Superimpose, encode once, and decode twice."""
        images, view = self.split_views(inputs)
        if noise is None:
            noise = torch.rand(len(images), 1, device=images.device)
        numbers = torch.tensor(self.numbers, device=images.device)
        direction = numbers[(noise[:, 0] * len(numbers)).long()]
        turned = turn(images, direction)
        superimposed = (images + turned) / 2
        tokens, decoded = self.decode(self, superimposed, direction)
        with torch.no_grad():
            _, others = self.decode(
                self.twin, (view + turn(view, direction)) / 2, direction)
            keys = self.project(self.twin, others)
        pred, pred_turned = map(self.neck.pixels, decoded)
        target, target_turned = map(self.target_generator, (images, turned))
        return Prediction(
            [tokens], None, pred, target, (pred_turned, target_turned),
            instances=self.project(self, decoded), keys=keys,
            pictures={'superimposed': superimposed, 'rebuilt': pred,
                      'rebuilt, turned': pred_turned})

    def decode(self, parts: Any, images: torch.Tensor,
               direction: torch.Tensor) -> Any:
        """Encode superimposed images, and decode both that are in them.

        Args:
            parts (nn.Module): Where ``backbone`` and ``neck`` are.
            images (torch.Tensor): (N, 3, H, W).
            direction (torch.Tensor): Of the turned image, int64 (N, ).

        Returns:
            Tuple: Tokens (N, 1 + L, C), and decoded patches, (N, L, C') each.
        """
        tokens = parts.backbone(images)
        patches = tokens[:, self.backbone.num_extra_tokens:]
        return tokens, [parts.neck(patches, prompt) for prompt in (
            torch.zeros_like(direction), direction)]

    def project(self, parts: Any,
                decoded: List[torch.Tensor]) -> List[torch.Tensor]:
        """Windows of what was decoded, (N, T, D) each."""
        return [parts.projector(each) for each in decoded]

    def loss(self,
             inputs: Inputs,
             data_samples: Any = None,
             noise: Optional[torch.Tensor] = None,
             **kwargs: Any) -> Dict[str, torch.Tensor]:
        """Compute L_pix + alpha (L_dis + L_den).

        Args:
            inputs (Sequence[torch.Tensor]): Image and the average's view,
                each normalised, (N, 3, H, W).
            data_samples (optional): Not used.
            noise (torch.Tensor, optional): Decides on the directions, (N, 1),
                instead of a random draw.
            **kwargs: Not used.

        Returns:
            Dict[str, torch.Tensor]: ``loss_recon`` and
            ``loss_recon_turned``, the squared errors of all pixels of image
            and turned image, ``loss_contrast``, and ``loss_dense``.
        """
        found = self.predict(inputs, noise)
        assert found.pixels and found.pred is not None
        assert found.target is not None
        losses = dict(
            loss_recon=F.mse_loss(found.pred.float(), found.target),
            loss_recon_turned=F.mse_loss(found.pixels[0].float(),
                                         found.pixels[1]))
        weight = self.weight_of_features()
        queries = self.queries(found)
        losses['loss_contrast'] = weight * sum(
            map(self.contrast_head.contrast, queries, found.keys))
        if self.dense_head is not None:
            losses['loss_dense'] = weight * sum(
                map(self.dense_head.loss, queries, found.keys))
        return losses

    def queries(self, found: Prediction) -> List[torch.Tensor]:
        """Predict keys, of one prompt at a time as the batch norms see it."""
        return [query for windows in found.instances
                for query in self.contrast_head.predict([windows])]

    def weight_of_features(self) -> float:
        """alpha, by the epoch that MMEngine's loop is in."""
        if self.feature_start is None:
            return self.feature_weight
        epoch = MessageHub.get_current_instance().get_info('epoch', 0)
        return self.feature_weight * max(0, epoch - self.feature_start + 1)
