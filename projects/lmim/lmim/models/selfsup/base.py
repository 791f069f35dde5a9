"""What all methods of pre-training share."""
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

import torch
from mmengine.structures import LabelData
from mmocr.registry import MODELS
from mmocr.structures import TextRecogDataSample
from mmpretrain.models import BaseSelfSupervisor
from torch import nn

from lmim.utils.errors import UserError

#: Images come as OpenCV decodes them: uint8, BGR.
PREPROCESSOR = dict(
    type='mmpretrain.SelfSupDataPreprocessor',
    mean=[127.5] * 3,
    std=[127.5] * 3,
    bgr_to_rgb=True,
    # From pinned memory, while the GPU computes.
    non_blocking=True)

Inputs = Union[torch.Tensor, Sequence[torch.Tensor]]


def labelled_samples(texts: Sequence[str]) -> List[TextRecogDataSample]:
    """Texts as MMOCR's module losses and dictionaries take them.

    Args:
        texts (Sequence[str]): As ``PackPretrainInputs(meta_keys=('text', ))``
            packs them, under ``data_samples['text']``.

    Returns:
        List[TextRecogDataSample]: Each with its ``gt_text``.
    """
    return [TextRecogDataSample(gt_text=LabelData(item=text))
            for text in texts]


@dataclass
class Prediction:
    """What a method computes from the views of a batch.

    Losses are computed from it, and pictures are drawn from it. A method
    fills in what it has.

    Attributes:
        tokens (List[torch.Tensor]): The encoder's tokens of each view,
            [CLS] first; of a masked view those of the visible patches,
            (N, 1 + K, C).
        mask (torch.Tensor, optional): Of the first view, 0 is keep, 1 is
            remove, (N, L); None where nothing is hidden.
        pred (torch.Tensor, optional): What is rebuilt of it, (N, L, D).
        target (torch.Tensor, optional): What was to be rebuilt, (N, L, D).
        pixels (Tuple[torch.Tensor, torch.Tensor], optional): Prediction and
            target of pixels beside ``pred``, each (N, L, P).
        instances (Sequence[torch.Tensor]): What is contrasted of each view,
            (N, T, D), or (M, D) where images differ in how much it is: equal
            places belong together.
        keys (Sequence[torch.Tensor]): What the moving average makes of each
            view in the same places, of the same shape.
        text (Tuple[torch.Tensor, torch.Tensor], optional): Logits of
            background and text in views, (M, 2, H, W), and what is text,
            (M, H, W).
        groups (Tuple, optional): Segments of the views, and the levels of
            their groups, as of :class:`HierarchicalGroupingHead`.
        pred_glyphs (Tuple, optional): Logits of plain letters, and the grey
            letters that were to be painted or None, (N, H, W) each.
        pictures (Dict[str, torch.Tensor]): What else there is to look at, by
            its title: normalised images (N, 3, H, W); patches as the target
            generator makes them, (N, L, D); numbered regions, (N, H, W),
            uint8, of which 255 is text in none; or shares from 0 to 1,
            (N, H, W).
    """
    tokens: List[torch.Tensor]
    mask: Optional[torch.Tensor] = None
    pred: Optional[torch.Tensor] = None
    target: Optional[torch.Tensor] = None
    pixels: Optional[Tuple[torch.Tensor, torch.Tensor]] = None
    instances: Sequence[torch.Tensor] = ()
    keys: Sequence[torch.Tensor] = ()
    text: Optional[Tuple[torch.Tensor, torch.Tensor]] = None
    groups: Any = None
    pred_glyphs: Optional[Tuple[torch.Tensor, Optional[torch.Tensor]]] = None
    pictures: Dict[str, torch.Tensor] = field(default_factory=dict)


class SelfSup(BaseSelfSupervisor):
    """A method of pre-training.

    A method is a subclass with :meth:`predict`, the whole forward pass, and
    ``loss(inputs, data_samples, noise)``, which turns its result into losses.
    Pictures during training and ``visualize`` call ``predict`` too.

    Args:
        backbone (dict): The encoder, a :class:`TextViT` or a subclass.
        neck (dict, optional): Decoder or projection.
        head (dict, optional): Loss.
        target_generator (dict, optional): What is to be rebuilt.
        ema (dict, optional): The moving average that follows the model, as
            in ``dict(type='mmpretrain.CosineEMA', momentum=0.004)`` or
            ``dict(type='ExponentialMovingAverage', momentum=0.001)``. With
            ``parts=('backbone', 'neck')`` it follows these modules; without,
            the backbone. Methods call it as ``self.twin['backbone']``.
        data_preprocessor (dict): Normalisation, done on the device.
        init_cfg (dict, optional): Initialisation config.
    """

    #: Each view that the method takes: the level of :class:`GuidanceView`
    #: that its configs draw it at, None for the image as it is.
    view_levels: Tuple[Optional[str], ...] = (None, )
    #: What it needs to know of each image, as ``PackPretrainInputs`` packs it.
    meta_keys: Tuple[str, ...] = ()
    #: How a pipeline gives these views.
    view_hint = "dict(type='PackPretrainInputs') gives the image"
    #: What sheets call the views. Defaults to what their levels tell.
    view_names: Tuple[str, ...] = ()
    #: What :attr:`Prediction.pictures` show.
    picture_note = ''

    def __init__(self,
                 backbone: dict,
                 neck: Optional[dict] = None,
                 head: Optional[dict] = None,
                 target_generator: Optional[dict] = None,
                 ema: Optional[dict] = None,
                 data_preprocessor: dict = PREPROCESSOR,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(
            **{name: cfg and MODELS.build(cfg) for name, cfg in dict(
                backbone=backbone, neck=neck, head=head,
                target_generator=target_generator,
                data_preprocessor=data_preprocessor).items()},
            init_cfg=init_cfg)
        self.ema: Any = None
        if ema is not None:
            self.follow(ema)

    def follow(self, ema: dict) -> None:
        """Build the moving average of parts that are built, see ``ema``."""
        ema = dict(ema)
        self._twin_parts = tuple(ema.pop('parts', ('backbone', )))
        self.ema = MODELS.build(dict(ema, model=self._followed()))

    def predict(self,
                inputs: Inputs,
                noise: Optional[torch.Tensor] = None,
                data_samples: Any = None) -> Prediction:
        """Run the method's forward pass.

        Args:
            inputs (torch.Tensor | Sequence[torch.Tensor]): Normalised views,
                each (N, 3, H, W).
            noise (torch.Tensor, optional): Decides which patches are hidden,
                (N, L), instead of a random draw.
            data_samples (torch.Tensor | dict, optional): As
                ``PackPretrainInputs`` gives them; their ``aspect`` is for
                masks that depend on it.

        Returns:
            Prediction: What :meth:`loss` needs.
        """
        raise NotImplementedError

    def extract_feat(self, inputs: torch.Tensor) -> torch.Tensor:
        """Encode whole images (N, 3, H, W) to tokens (N, 1 + L, C)."""
        return self.backbone(inputs)

    @property
    def alone(self) -> Tuple[Tuple[Optional[str], ...], Tuple[str, ...]]:
        """Tuple: ``view_levels`` and ``meta_keys`` of pictures that come
        alone, outside of training.
        """
        return self.view_levels, self.meta_keys

    def split_views(self, inputs: Inputs) -> List[torch.Tensor]:
        """Take the views of a batch apart.

        Raises:
            UserError: If there are fewer than the method takes, or more,
                unless it takes the image alone, which comes first.
        """
        views = [inputs] if isinstance(inputs, torch.Tensor) else list(inputs)
        wanted = len(self.view_levels)
        if len(views) != wanted and wanted > 1 or not views:
            raise UserError(
                f'{type(self).__name__} needs {wanted} views of each image '
                f'and got {len(views)}: {self.view_hint}')
        return views[:wanted]

    def about_images(self, data_samples: Any) -> Dict[str, Any]:
        """What a batch tells of its images, with all of :attr:`meta_keys`.

        Raises:
            UserError: If the pipeline does not give these.
        """
        if not isinstance(data_samples, dict) or not (
                data_samples.keys() >= set(self.meta_keys)):
            *first, last = self.meta_keys
            raise UserError(
                f'{type(self).__name__} needs {", ".join(first)} and {last} '
                f'of each image: {self.view_hint}')
        return data_samples

    def draw_noise(self, batch_size: int, seed: int
                   ) -> Optional[torch.Tensor]:
        """Noise for :meth:`predict` that depends on a seed alone.

        No shared generator is drawn from, nor that of the mask generator.

        Returns:
            torch.Tensor: (N, L) on the CPU, or more of masks that depend on
            the images; None where nothing is masked.
        """
        mask: Any = getattr(self.backbone, 'mask', None)
        if mask is None:
            return None
        return mask.draw_noise(
            batch_size, self.backbone.grid, torch.device('cpu'),
            torch.Generator().manual_seed(seed))

    @property
    def twin(self) -> nn.ModuleDict:
        """nn.ModuleDict: The moving averages of the parts, by name."""
        return self.ema.module

    def begin_average(self) -> None:
        """Copy the model into its twin, unless a checkpoint gave it one.

        The twin is built before weights are initialised or loaded;
        :class:`~lmim.engine.hooks.MovingAverageHook` calls this when training
        begins.
        """
        if self.ema is not None and self.ema.steps == 0:
            self.ema.update_parameters(self._followed())

    def move_average(self, step: int, total_steps: int) -> None:
        """Draw the twin towards the model, after each step of the optimizer.

        Args:
            step (int): Steps of the optimizer before this one.
            total_steps (int): Steps of the whole run.
        """
        if self.ema is not None:
            self.ema.update_parameters(self._followed())

    def _followed(self) -> nn.ModuleDict:
        return nn.ModuleDict(
            {name: getattr(self, name) for name in self._twin_parts})
