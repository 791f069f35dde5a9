"""Reading by telling what a word says from what it looks like."""
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence

import torch
import torch.nn.functional as F
from mmocr.registry import MODELS
from mmocr.structures import TextRecogDataSample

from lmim.utils.errors import UserError
from ..backbones.content_vit import ContentViT, Parted
from ..necks.prompted_painter import emptied, prompts_of
from .base import Inputs, Prediction, SelfSup, labelled_samples

TEXTS = ('text', 'pair_text')


@dataclass
class Painting(Prediction):
    """What :class:`DARLING` makes of pairs, those of both views in a row.

    Attributes:
        parted (Parted): Of N first pictures, then of N others.
        prompts (torch.Tensor): Their words, (2N, T).
        painted (torch.Tensor): Each style with the word of the other
            picture, (2N, 3, H, W).
        removed (torch.Tensor): Each style without text, (2N, 3, H, W).
    """
    parted: Any = None
    prompts: Any = None
    painted: Any = None
    removed: Any = None


@MODELS.register_module()
class DARLING(SelfSup):
    """Style and content parted, after DARLING (CVPR 2024, arXiv 2405.04377).

    Two words in one style, and the picture without text, all drawn: one half
    of the encoder's channels, content, is to read the word; the other, style,
    is to be equal in both, and to paint the other picture, told its word,
    and the picture without text, told none. Neither code nor tables of the
    authors could be had: how the parts are built is this project's choice,
    and it is no reproduction.

    Reading gives no gradients to style, and painting none to content: they
    are different channels, and the painter is given characters.

    Args:
        backbone (dict): A :class:`ContentViT`.
        neck (dict): A :class:`PromptedPainter`.
        encoder (dict): A :class:`LinearEncoder` for the content.
        decoder (dict): A :class:`TextTransformerDecoder` that reads it.
        align_head (dict): Compares the styles; mean squared difference.
        read_weight (float): Weight of the reader's loss. It is large beside
            the others.
        edit_weight (float): Weight of L1 to the other picture.
        remove_weight (float): Weight of L1 to the picture without text.
        **kwargs: ``data_preprocessor`` ... of :class:`SelfSup`.

    Raises:
        UserError: If the backbone is another, or painter and reader have
            other classes.
    """

    view_levels = (None, None, None)
    view_names = ('image', 'same style, another word', 'without text')
    meta_keys = TEXTS
    view_hint = ('take RenderedTextDataset(pair="same_style", '
                 'with_text=True) and '
                 'darling_pipeline of configs/_base_/pretrain_dataloader.py: '
                 'PackPretrainInputs(keys=("img", "pair_img", "erased_img"), '
                 'meta_keys=("text", "pair_text"))')
    picture_note = (
        'painted: pixels that the model makes of the style of one picture '
        'and of the characters of a word. Instances are the mean style of a '
        'picture. Of pictures without a pair, the '
        'other is the next one, and words are as the model reads them.')

    def __init__(self,
                 backbone: dict,
                 neck: dict = dict(type='PromptedPainter'),
                 encoder: dict = dict(type='LinearEncoder', in_dims=192),
                 decoder: dict = dict(type='TextTransformerDecoder'),
                 align_head: dict = dict(type='LinguisticsAlignmentHead'),
                 read_weight: float = 1.,
                 edit_weight: float = 1.,
                 remove_weight: float = 1.,
                 **kwargs: Any) -> None:
        super().__init__(backbone, neck, **kwargs)
        if not isinstance(self.backbone, ContentViT):
            raise UserError('DARLING needs a ContentViT as backbone, got '
                            f'{type(self.backbone).__name__}')
        self.encoder = MODELS.build(encoder)
        self.decoder = MODELS.build(decoder)
        self.align_head = MODELS.build(align_head)
        self.read_weight = read_weight
        self.edit_weight = edit_weight
        self.remove_weight = remove_weight
        self.taps = self.neck.taps(len(self.backbone.layers))
        classes = self.decoder.dictionary.num_classes
        painted = len(self.neck.prompt_embed.weight)
        if (classes, self.decoder.padding_idx) != (
                painted, self.neck.padding_idx) or (
                    len(self.neck.positions) < self.decoder.max_seq_len):
            raise UserError(
                f'the reader has {classes} classes, of which '
                f'{self.decoder.padding_idx} is the padding, and writes '
                f'{self.decoder.max_seq_len} characters: give '
                'model.neck.num_classes, padding_idx and max_seq_len the '
                f'same (got {painted}, {self.neck.padding_idx} and '
                f'{len(self.neck.positions)})')

    @property
    def alone(self) -> Any:
        """Tuple: Of pictures without a pair the next one is the other."""
        return (None, ), ()

    def split_views(self, inputs: Inputs) -> List[torch.Tensor]:
        """The views; of pictures that come alone two, see :attr:`alone`."""
        views = [inputs] if isinstance(inputs, torch.Tensor) else list(inputs)
        if len(views) == 1 and not self.training:
            return [views[0], views[0].roll(-1, dims=0)]
        return super().split_views(views)

    def predict(self,
                inputs: Inputs,
                noise: Optional[torch.Tensor] = None,
                data_samples: Any = None) -> Painting:
        """Part both pictures, and paint each in the other's style.

        In training, and where ``data_samples`` tell them, the words are
        those of the pairs; else they are what the reader reads.
        """
        views = self.split_views(inputs)
        parted = self.backbone.part(torch.cat(views[:2]), self.taps)
        prompts = self.prompts(data_samples, parted.content)
        first, other = prompts.chunk(2)
        painted = self.paint(parted, torch.cat([other, first]))
        removed = self.paint(parted, emptied(
            prompts, self.decoder.end_idx, self.decoder.padding_idx))
        styles = parted.style.mean(dim=1, keepdim=True).chunk(2)
        if isinstance(inputs, torch.Tensor) or len(inputs) == 1:
            styles = styles[:1]  # the next picture is no partner
        found = Painting(
            list(parted.tokens.chunk(2)), instances=styles, parted=parted,
            prompts=prompts, painted=painted, removed=removed)
        if not self.training:
            count = len(first)
            following = parted.rows(torch.arange(count).roll(-1))
            found.pictures = {
                "painted: its style, the other's word": painted[:count],
                'painted: its word, style of the next picture':
                    self.paint(following, first),
                'painted: its style, no text': removed[:count]}
        return found

    def paint(self, parted: Parted, prompts: torch.Tensor) -> torch.Tensor:
        """Pictures of styles (N, L, C / 2) with words (N, T)."""
        return self.neck(parted.style, prompts, parted.tapped)

    def prompts(self, data_samples: Any,
                content: torch.Tensor) -> torch.Tensor:
        """Classes of the words of first and other pictures, (2N, T).

        Raises:
            UserError: In training, if the pipeline gives no words.
        """
        decoder = self.decoder
        if isinstance(data_samples, dict) and (
                data_samples.keys() >= set(TEXTS)):
            samples = decoder.module_loss.get_targets(
                self.samples(data_samples))
            return torch.stack([each.gt_text.padded_indexes for each in
                                samples]).to(content.device)
        if self.training:
            raise UserError('DARLING needs the words of both pictures: '
                            f'{self.view_hint}')
        return prompts_of(decoder.forward_test(
            out_enc=self.encoder(content)), decoder.max_seq_len,
            decoder.end_idx, decoder.padding_idx)

    @staticmethod
    def samples(data_samples: Dict[str, Sequence[str]]
                ) -> List[TextRecogDataSample]:
        """First words, then the others, as MMOCR's losses take them."""
        return labelled_samples([text for name in TEXTS
                                 for text in data_samples[name]])

    def loss(self,
             inputs: Inputs,
             data_samples: Any = None,
             noise: Optional[torch.Tensor] = None,
             **kwargs: Any) -> Dict[str, torch.Tensor]:
        """Compute L_rec + L_align + L_edit + L_remove.

        Args:
            inputs (Sequence[torch.Tensor]): Two words in one style, and the
                picture without text, each normalised, (N, 3, H, W).
            data_samples (dict): ``text`` and ``pair_text``, N words each.
            noise (optional): Not used.
            **kwargs: Not used.

        Returns:
            Dict[str, torch.Tensor]: ``loss_ce`` of the reader, mean of both
            pictures; ``loss_align`` of the styles; ``loss_edit`` and
            ``loss_remove``, mean absolute differences of pixels.
        """
        found = self.predict(inputs, data_samples=data_samples)
        first, other, erased = self.split_views(inputs)
        reading = self.decoder.loss(
            None, self.encoder(found.parted.content),
            self.samples(data_samples))
        return dict(
            {name: self.read_weight * value
             for name, value in reading.items()},
            loss_align=self.align_head.loss(*found.parted.style.chunk(2)),
            loss_edit=self.edit_weight * F.l1_loss(
                found.painted.float(), torch.cat([other, first])),
            loss_remove=self.remove_weight * F.l1_loss(
                found.removed.float(), torch.cat([erased, erased])))
