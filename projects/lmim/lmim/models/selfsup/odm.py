"""Reading by painting words in plain letters; it needs their texts."""
from dataclasses import dataclass
from typing import Any, Dict, Optional, Tuple

import torch
from mmocr.registry import MODELS
from torch import nn

from lmim.utils.errors import UserError
from .base import Inputs, Prediction, SelfSup


@dataclass
class Destylized(Prediction):
    """What :class:`ODM` makes of pictures.

    Attributes:
        classes (torch.Tensor): Their words, (N, T).
    """
    classes: Any = None


@MODELS.register_module()
class ODM(SelfSup):
    """OCR-text destylization (CVPR 2024, arXiv 2403.00303) of word crops.

    The encoder sees a picture, and a decoder paints its word in plain
    letters, where the styled ones are; it may ask the characters of a prompt,
    the word itself. Published for pages, whose prompt is all of their words.
    Of a crop the prompt alone would tell what to paint: so it can be left
    out, or be another word, upon which nothing is to be painted.

    It is supervised: pictures come with their texts, from labels or from the
    renderer.

    Args:
        backbone (dict): A :class:`TextViT`.
        text_encoder (dict): A :class:`TextPromptEncoder`.
        neck (dict): A :class:`TextPromptedDecoder`.
        head (dict): A :class:`DestylizationHead`, L_seg.
        perceptual_head (dict, optional): An :class:`OCRPerceptualHead`,
            L_ocr.
        contrast_head (dict, optional): An :class:`ImageTextContrastiveHead`,
            L_con, of [CLS] and the mean of the characters.
        prompt_drop (float): Share of pictures without a prompt; with 1 the
            encoder alone has to read.
        prompt_swap (float): Share of pictures, beside those, whose prompt is
            another word of the batch; nothing is to be painted then.
        straight_weight (float): Weight of pictures of which is not known
            where letters are: their target is a level word.
        **kwargs: ``data_preprocessor`` ... of :class:`SelfSup`.

    Raises:
        UserError: If the shares are no shares.
    """

    meta_keys = ('text', 'plain_glyphs', 'straight')
    view_hint = ('take odm_pipeline of configs/_base_/pretrain_dataloader.py '
                 'and a data set with_text=True')
    picture_note = (
        'plain letters: what the model paints, and what it was to paint; IoU '
        'of all of these pictures, in brackets that of the mean of the '
        'targets. Where the prompt was another word nothing is to be painted. '
        'Pictures without labels are painted without a prompt.')

    def __init__(self,
                 backbone: dict,
                 text_encoder: dict,
                 neck: dict = dict(type='TextPromptedDecoder'),
                 head: dict = dict(type='DestylizationHead'),
                 perceptual_head: Optional[dict] = None,
                 contrast_head: Optional[dict] = dict(
                     type='ImageTextContrastiveHead'),
                 prompt_drop: float = 0.5,
                 prompt_swap: float = 0.1,
                 straight_weight: float = 1.,
                 **kwargs: Any) -> None:
        super().__init__(backbone, neck, head, **kwargs)
        if min(prompt_drop, prompt_swap) < 0 or prompt_drop > 1:
            raise UserError('prompt_drop and prompt_swap are shares from 0 '
                            f'to 1, not {prompt_drop} and {prompt_swap}')
        self.text_encoder = MODELS.build(text_encoder)
        self.image_projection = nn.Linear(
            self.backbone.embed_dims, self.neck.embed_dims, bias=False)
        self.perceptual_head: Any = (
            perceptual_head and MODELS.build(perceptual_head))
        self.contrast_head: Any = (
            contrast_head and MODELS.build(contrast_head))
        self.prompt_drop = prompt_drop
        self.prompt_swap = prompt_swap
        self.straight_weight = straight_weight

    @property
    def alone(self) -> Any:
        """Tuple: Pictures alone are painted without a prompt."""
        return self.view_levels, ()

    def draw_noise(self, batch_size: int, seed: int) -> torch.Tensor:
        """Uniform draws, (N, 1), that decide on the prompts."""
        return torch.rand(batch_size, 1,
                          generator=torch.Generator().manual_seed(seed))

    def predict(self,
                inputs: Inputs,
                noise: Optional[torch.Tensor] = None,
                data_samples: Any = None) -> Destylized:
        """Encode pictures, and paint their words.

        ``data_samples`` has ``text`` and ``plain_glyphs``; pictures without
        are painted without a prompt.
        """
        images, = self.split_views(inputs)
        about = data_samples if isinstance(data_samples, dict) else {}
        if noise is None:
            noise = torch.rand(len(images), 1, device=images.device)
        tokens = self.backbone(images)
        joint = self.image_projection(tokens)
        classes = self.text_encoder.classes(
            about.get('text', [''] * len(images)))
        prompts, swapped = self.prompts(classes, noise[:, 0])
        logits = self.paint(joint, prompts)
        glyphs = about.get('plain_glyphs')
        if glyphs is not None:
            glyphs = glyphs * ~swapped[:, None, None]
        return Destylized(
            [tokens], pred_glyphs=(logits, glyphs), classes=classes,
            instances=(joint[:, 0], self.word(classes)),
            pictures={} if self.training else self.pictures(logits, glyphs))

    def prompts(self, classes: torch.Tensor, noise: torch.Tensor
                ) -> Tuple[torch.Tensor, torch.Tensor]:
        """Leave prompts out, or exchange them.

        Args:
            classes (torch.Tensor): The words, (N, T).
            noise (torch.Tensor): Uniform draws, (N, ).

        Returns:
            Tuple: What the decoder is told, (N, T), and which words have
            been exchanged, bool (N, ).
        """
        others = classes.roll(1, 0)
        swapped = ((noise >= self.prompt_drop) &
                   (noise < self.prompt_drop + self.prompt_swap) &
                   (others != classes).any(1))
        found = torch.where(swapped[:, None], others, classes)
        empty = self.text_encoder.classes([''])
        return torch.where((noise < self.prompt_drop)[:, None], empty,
                           found), swapped

    def paint(self, joint: torch.Tensor,
              prompts: torch.Tensor) -> torch.Tensor:
        """Logits of letters, (N, H, W), of tokens (N, 1 + L, C)."""
        patches = self.neck(
            joint[:, self.backbone.num_extra_tokens:],
            self.text_encoder(prompts), self.text_encoder.hidden(prompts))
        return self.head(self.neck.ln_final(patches))

    def word(self, classes: torch.Tensor) -> torch.Tensor:
        """The mean of characters and end, (N, C), of words (N, T)."""
        there = ~self.text_encoder.hidden(classes)[..., None]
        return ((self.text_encoder(classes) * there).sum(1) /
                there.sum(1))

    def loss(self,
             inputs: Inputs,
             data_samples: Any = None,
             noise: Optional[torch.Tensor] = None,
             **kwargs: Any) -> Dict[str, torch.Tensor]:
        """Compute L_seg, L_ocr and L_con.

        Args:
            inputs (torch.Tensor): Normalised, (N, 3, H, W).
            data_samples (dict): ``text``, ``plain_glyphs`` (uint8,
                (N, H, W)) and ``straight`` ((N, ), 1 where letters are not in
                their places).
            noise (torch.Tensor, optional): Decides on the prompts, (N, 1),
                instead of a random draw.
            **kwargs: Not used.

        Returns:
            Dict[str, torch.Tensor]: ``loss_seg``, ``loss_ocr`` and
            ``loss_contrast``.

        Raises:
            UserError: If the pipeline gives no texts or letters.
        """
        about = self.about_images(data_samples)
        found = self.predict(inputs, noise, about)
        assert found.pred_glyphs is not None
        logits, glyphs = found.pred_glyphs
        assert glyphs is not None
        straight = about['straight'].to(found.tokens[0].device) > 0
        weights = torch.where(straight, self.straight_weight, 1.)
        losses = dict(loss_seg=self.head.loss(logits, glyphs, weights))
        if self.perceptual_head is not None:
            losses['loss_ocr'] = self.perceptual_head.loss(
                logits, glyphs, weights)
        if self.contrast_head is not None:
            losses['loss_contrast'] = self.contrast_head.loss(
                *found.instances, found.classes)
        return losses

    def pictures(self, logits: torch.Tensor, glyphs: Optional[torch.Tensor]
                 ) -> Dict[str, torch.Tensor]:
        """What is painted, and what was to be."""
        painted = logits.float().sigmoid()
        if glyphs is None:
            return {'plain letters': painted}
        letters = self.head.letters(glyphs)
        mean = letters.mean(0, keepdim=True).expand_as(letters)
        score, by_mean = (iou(each, letters) for each in (painted, mean))
        return {f'plain letters, IoU {score:.2f} ({by_mean:.2f})': painted,
                'to be painted': glyphs / 255}


def iou(shares: torch.Tensor, letters: torch.Tensor) -> float:
    """Intersection over union of letters, (N, H, W), and shares above 1/2.

    Of all pictures together; a blank prediction has 0.
    """
    found, wanted = shares > 0.5, letters > 0
    both = (found & wanted).sum()
    return float(both / (found | wanted).sum().clamp(min=1))
