"""SIGA's glyph attention, as a head beside any recognizer in training."""
from contextlib import contextmanager
from typing import (Any, Dict, Iterator, List, NamedTuple, Optional, Sequence,
                    Tuple)

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmocr.registry import MODELS
from mmocr.structures import TextRecogDataSample
from torch import nn

from lmim.utils.errors import UserError

from ..backbones.text_vit import TextViT
from ..layers import share_of_run
from .any_width import AnyWidthRecognizer
from .cross_attention import watched_attention
from .glyph_losses import (labels_by_attention, labels_by_letters, living,
                           text_entropy)
from .transformer_decoder import TextTransformerDecoder

#: L_ins of a picture whose mask is probably the wrong way round.
INVERTED = 1.
HINT = ('put dict(type="GlyphMap") behind dict(type="LoadOCRAnnotations") in '
        'the pipeline, and glyph_map among the meta_keys of '
        'PackTextRecogInputs')


class Glyphs(NamedTuple):
    """What the head makes of pictures.

    Attributes:
        text (torch.Tensor): Logits of background and text, (N, 2, H, W).
        logits (List[torch.Tensor]): Of background and each letter, (N,
            1 + T, h, w), at each scale.
        shares (torch.Tensor): Of each letter's attention in each patch,
            (N, T, L); those of a letter sum to 1.
        features (torch.Tensor): Of each letter, (N, T, C).
    """
    text: torch.Tensor
    logits: List[torch.Tensor]
    shares: torch.Tensor
    features: torch.Tensor


class Target(NamedTuple):
    """Of pictures: text, (N, H, W), bool; letters, uint8, if known; lengths
    and classes of words, (N, ) and (N, T), -1 where a word has ended.
    """
    text: torch.Tensor
    letters: Optional[torch.Tensor]
    lengths: torch.Tensor
    classes: torch.Tensor


@MODELS.register_module()
class GlyphAttentionHead(BaseModule):
    """Finds the glyphs of a word, for what that teaches encoder and decoder.

    Self-supervised implicit glyph attention (SIGA, CVPR 2023, arXiv
    2203.03382), on a ViT, as an auxiliary head of a recognizer: text is told
    from background (L_ins); what the decoder attends to as it writes is to
    part the letters and to cover the text (L_cor, L_dif); pixels are told
    which letter they are of (L_seg); and each letter is read from its pixels
    alone. Nothing of it is needed to read, unless ``fused``.

    SIGA reads with LSTMs; here a linear layer reads a letter, and the gate
    adds glyphs to what the decoder attends to.

    Args:
        segmentation (dict): A :class:`GlyphSegmentation`; ``in_dims`` and
            ``grid`` default to those of the encoder.
        max_letters (int, optional): Places of letters, T. Defaults to the
            decoder's.
        scales (Sequence[int]): At which of its maps letters are told apart:
            0 has a cell for each patch, each following one is enlarged.
        letters (bool): ``glyph_map`` tells letters, in the order of the
            word, as ``GlyphMap(source='letters')`` of rendered words does:
            they are the labels then, in place of what attention makes of the
            text. Recognizers without attention, as CTC, need them.
        alignment (dict): Loss of attention.
        glyph (dict): Loss of letters.
        align_weight (float): Weight of L_cor and L_dif; SIGA_T has 0.15.
        reading_weight (float): Weight of reading letters from glyphs.
        columns_weight (float): Weight of what SIGA has not, for known
            ``letters``: minus the logarithm of the share of a letter's
            attention that is on its own columns.
        inverted_from (float, optional): From this share of the run on,
            pictures with an L_ins of 1 or more are left out of it. SIGA_T:
            20,000 of 1.4 million steps. None: never.
        fused (bool): Add each letter's features to the memory of the
            decoder, where the letter is, through a gate that starts at
            nothing. The head is then a part of the recognizer.
        num_classes (int): Of letters. The recognizer gives it, and what
            follows.
        glyph_dims (int): Channels of the encoder's patches, C.
        memory_dims (int, optional): Of the decoder's memory, where ``fused``.
        init_cfg (dict, optional): Initialisation config.
    """

    def __init__(self,
                 segmentation: dict = dict(type='GlyphSegmentation'),
                 max_letters: int = 25,
                 scales: Sequence[int] = (0, 1),
                 letters: bool = False,
                 alignment: dict = dict(type='ImplicitAlignmentLoss'),
                 glyph: dict = dict(type='GlyphLoss'),
                 align_weight: float = 0.15,
                 reading_weight: float = 1.,
                 columns_weight: float = 0.,
                 inverted_from: Optional[float] = 20_000 / 1_400_000,
                 fused: bool = False,
                 num_classes: int = 97,
                 glyph_dims: int = 384,
                 memory_dims: Optional[int] = None,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        if columns_weight and not letters:
            raise UserError('columns_weight needs to know where letters are: '
                            'give the head letters=True, and GlyphMap '
                            "source='letters'")
        self.segmentation = MODELS.build(segmentation)
        self.max_letters = max_letters
        self.scales = tuple(scales)
        self.letters = letters
        self.alignment_loss = MODELS.build(alignment)
        self.glyph_loss = MODELS.build(glyph)
        self.align_weight = align_weight
        self.reading_weight = reading_weight
        self.columns_weight = columns_weight
        self.inverted_from = inverted_from
        self.classifiers = nn.ModuleList(
            nn.Conv2d(self.segmentation.map_dims[scale], 1 + max_letters, 1)
            for scale in self.scales)
        if reading_weight:
            self.reader = nn.Linear(glyph_dims, num_classes)
        self.fused = fused
        if fused:
            assert memory_dims is not None
            self.update = nn.Linear(glyph_dims, memory_dims)
            self.gate = nn.Linear(2 * memory_dims, memory_dims)

    def init_weights(self) -> None:
        """As PyTorch's layers; fused glyphs start at nothing."""
        super().init_weights()
        if self.fused:
            nn.init.zeros_(self.update.weight)
            nn.init.zeros_(self.update.bias)

    def forward(self, tapped: List[torch.Tensor],
                patches: torch.Tensor) -> Glyphs:
        """Find glyphs.

        Args:
            tapped (List[torch.Tensor]): Patches after each tapped block,
                (N, L, C).
            patches (torch.Tensor): Those that the encoder gives, (N, L, C).
        """
        maps = self.segmentation.maps(tapped)
        logits = [classify(maps[scale]) for classify, scale in
                  zip(self.classifiers, self.scales)]
        pooled = torch.stack([F.adaptive_avg_pool2d(
            each.float(), self.segmentation.grid) for each in logits]).mean(0)
        shares = pooled[:, 1:].flatten(2).softmax(dim=2)
        return Glyphs(self.segmentation.classifier(maps[-1]), logits, shares,
                      shares.to(patches.dtype) @ patches)

    def fuse(self, memory: torch.Tensor, found: Glyphs) -> torch.Tensor:
        """Add glyphs to a memory (N, M, D) whose last L tokens are patches."""
        count = found.shares.shape[2]
        extra, patches = memory[:, :-count], memory[:, -count:]
        update = found.shares.transpose(1, 2).to(memory.dtype) @ self.update(
            found.features)
        gate = self.gate(torch.cat([patches, update], dim=2)).sigmoid()
        return torch.cat([extra, patches + gate * update], dim=1)

    def loss(self, found: Glyphs, target: Target,
             attention: Optional[torch.Tensor]) -> Dict[str, torch.Tensor]:
        """Compute the losses.

        Args:
            found (Glyphs): Of :meth:`forward`.
            target (Target): What is known of the pictures.
            attention (torch.Tensor, optional): Of the decoder, as it writes
                each letter, on each column of patches, (N, T, n).

        Returns:
            Dict[str, torch.Tensor]: ``loss_ins``; ``loss_cor`` and
            ``loss_dif`` where there is attention; ``loss_glyph`` of all
            scales together; ``loss_read`` and ``loss_columns`` where they
            count.
        """
        late = (self.inverted_from is not None
                and share_of_run() >= self.inverted_from)
        losses = dict(loss_ins=text_entropy(
            found.text, target.text, INVERTED if late else float('inf')))
        letters, lengths = target.letters, target.lengths
        # What is text, as the labels and the attention are to see it.
        text = (target.text if letters is not None else
                found.text.detach().argmax(dim=1))
        if attention is not None:
            losses.update({
                name: self.align_weight * value for name, value in
                self.alignment_loss(attention, text, lengths).items()})
        losses['loss_glyph'] = torch.stack([self.glyph_loss(
            logits, self.labels(attention, text, target, logits), lengths)
            for logits in found.logits]).sum()
        if self.reading_weight:
            losses['loss_read'] = self.reading_weight * F.cross_entropy(
                self.reader(found.features).float().flatten(0, 1),
                target.classes.flatten(), ignore_index=-1,
                reduction='sum') / lengths.sum().clamp_min(1)
        if self.columns_weight and attention is not None:
            losses['loss_columns'] = self.columns_weight * (
                own_columns_loss(attention, letters, lengths))
        return losses

    def labels(self, attention: Optional[torch.Tensor], text: torch.Tensor,
               target: Target, logits: torch.Tensor) -> torch.Tensor:
        """Labels of the size of some logits (N, 1 + T, h, w)."""
        size = (logits.shape[2], logits.shape[3])
        if target.letters is not None:
            return labels_by_letters(target.letters, self.max_letters, size)
        assert attention is not None
        return labels_by_attention(attention, text, target.lengths, size)


def own_columns_loss(attention: torch.Tensor,
                     letters: Optional[torch.Tensor],
                     lengths: torch.Tensor) -> torch.Tensor:
    """Minus the logarithm of a letter's attention on its own columns.

    Mean over letters that have a pixel; the attention, (N, T, n), sums to 1.
    """
    assert letters is not None
    places = attention.shape[1]
    numbers = torch.arange(1, places + 1, device=letters.device)
    own = (letters[:, None] == numbers[:, None, None]).any(dim=2)
    own = F.adaptive_max_pool1d(own.float(), attention.shape[2])
    shares = (attention.float() * own).sum(dim=2).clamp_min(1e-6)
    counted = living(lengths, places) & own.any(dim=2)
    return -(shares.log() * counted).sum() / counted.sum().clamp_min(1)


@MODELS.register_module()
class GlyphAttentionRecognizer(AnyWidthRecognizer):
    """A recognizer that learns to find glyphs, too.

    The encoder must be a :class:`TextViT`, or a :class:`ViTFeatureMap` with
    one. With a :class:`TextTransformerDecoder` or :class:`ParallelDecoder`
    attention is aligned; with other decoders glyphs are found where letters
    are known. What reads is the recognizer without the head, unless glyphs
    are ``fused``: ``lmim`` loads its checkpoints as such.

    Args:
        glyph_head (dict): A :class:`GlyphAttentionHead`.
        **kwargs: As in MMOCR's ``EncoderDecoderRecognizer``.

    Raises:
        UserError: If the head cannot be beside such a recognizer.
    """

    def __init__(self, glyph_head: dict, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        vit = next((part for part in self.backbone.modules()
                    if isinstance(part, TextViT)), None)
        if vit is None or vit.widths is not None:
            raise UserError('glyphs are found with a TextViT as backbone, or '
                            'in it, of one width')
        attends = isinstance(self.decoder, TextTransformerDecoder)
        head = dict(glyph_head)
        if not attends and not head.get('letters'):
            raise UserError(
                f'what {type(self.decoder).__name__} attends to is not '
                'known: take TextTransformerDecoder or ParallelDecoder, or '
                'letters=True for the glyph_head, with letters that are known')
        dims = {}
        if head.get('fused'):
            if not attends or not self.with_encoder:
                raise UserError('glyphs are fused into the memory of a '
                                'TextTransformerDecoder or ParallelDecoder')
            dims = dict(memory_dims=self.decoder.layers[
                0].enc_attn.linear_k.in_features)
        head['segmentation'] = dict(
            dict(type='GlyphSegmentation', in_dims=vit.embed_dims,
                 grid=vit.grid), **head.get('segmentation', {}))
        head['glyph_dims'] = vit.out_dims
        head.setdefault('max_letters', self.decoder.max_seq_len)
        self.glyph_head = MODELS.build(dict(
            head, num_classes=self.decoder.dictionary.num_classes, **dims))

    @property
    def vit(self) -> TextViT:
        """TextViT: The encoder."""
        return next(part for part in self.backbone.modules()
                    if isinstance(part, TextViT))

    @contextmanager
    def watched_patches(self) -> Iterator[List[List[torch.Tensor]]]:
        """Watch the patches after each tapped block, and after the encoder.

        Yields:
            List[List[torch.Tensor]]: For each of these, those of each part
            of the batch, (N, L, C).
        """
        vit = self.vit
        taps = self.glyph_head.segmentation.taps
        parts = [*(vit.layers[tap - 1] for tap in taps), vit]
        seen: List[List[torch.Tensor]] = [[] for _ in parts]

        def keep(number: int, value: torch.Tensor) -> None:
            seen[number].append(
                value.flatten(2).transpose(1, 2) if value.dim() == 4 else
                value[:, -vit.grid[0] * vit.grid[1]:])

        handles = [part.register_forward_hook(
            lambda module, inputs, output, number=number: keep(number, output))
            for number, part in enumerate(parts)]
        try:
            yield seen
        finally:
            for handle in handles:
                handle.remove()

    def encode(self, inputs: torch.Tensor, data_samples: Any
               ) -> Tuple[torch.Tensor, Any, Glyphs]:
        """Features, the decoder's memory, and glyphs of pictures."""
        with self.watched_patches() as seen:
            feat = self.extract_feat(inputs)
        *tapped, patches = [torch.cat(parts) for parts in seen]
        found = self.glyph_head(tapped, patches)
        memory = (self.encoder(feat, data_samples) if self.with_encoder
                  else None)
        if self.glyph_head.fused:
            memory = self.glyph_head.fuse(memory, found)
        return feat, memory, found

    def loss(self, inputs: torch.Tensor,
             data_samples: Sequence[TextRecogDataSample],
             **kwargs: Any) -> Dict[str, torch.Tensor]:
        """Losses of reading, and of glyphs.

        Args:
            inputs (torch.Tensor): Normalised images, (N, 3, H, W).
            data_samples (Sequence[TextRecogDataSample]): N samples, with
                ``gt_text`` and ``glyph_map``; where the picture was bent
                after that was made, with ``guidance_warp``.
            **kwargs: Not used.
        """
        feat, memory, found = self.encode(inputs, data_samples)
        attention = None
        if isinstance(self.decoder, TextTransformerDecoder):
            with watched_attention(self.decoder, memory) as weights:
                losses = self.decoder.loss(feat, memory, data_samples)
                attention = self.columns(weights())
        else:
            losses = self.decoder.loss(feat, memory, data_samples)
        target = self.target(data_samples, inputs)
        return {**losses, **self.glyph_head.loss(found, target, attention)}

    def predict(self, inputs: torch.Tensor,
                data_samples: Sequence[TextRecogDataSample],
                **kwargs: Any) -> Sequence[TextRecogDataSample]:
        """Read; without the head, unless glyphs are fused."""
        if not self.glyph_head.fused:
            return super().predict(inputs, data_samples, **kwargs)
        feat, memory, _ = self.encode(inputs, data_samples)
        return self.decoder.predict(feat, memory, data_samples)

    def columns(self, weights: torch.Tensor) -> torch.Tensor:
        """Attention (N, heads, T, M) as that on columns, (N, T, n).

        The mean of all heads; what goes to [CLS] is left out, so that each
        letter's sums to 1.
        """
        rows, columns = self.vit.grid
        patches = weights.float().mean(dim=1)[..., -rows * columns:]
        found = patches.unflatten(2, (rows, columns)).sum(dim=2)
        return found / found.sum(dim=2, keepdim=True).clamp_min(1e-6)

    def target(self, data_samples: Sequence[TextRecogDataSample],
               inputs: torch.Tensor) -> Target:
        """What is known of the pictures.

        Raises:
            UserError: If the pipeline gives no ``glyph_map`` of their size.
        """
        maps = [sample.get('glyph_map') for sample in data_samples]
        if any(each is None or each.shape != inputs.shape[2:]
               for each in maps):
            raise UserError(f'there is no glyph_map of {inputs.shape[2]}x'
                            f'{inputs.shape[3]} of each picture: {HINT}')
        glyphs = torch.from_numpy(np.stack(maps)).to(inputs.device)
        warps = [sample.get('guidance_warp') for sample in data_samples]
        if all(warp is not None for warp in warps):
            glyphs = bent(glyphs, torch.from_numpy(np.stack(warps)).to(
                inputs.device))
        head, device = self.glyph_head, inputs.device
        texts = [sample.gt_text.indexes[:head.max_letters]
                 for sample in data_samples]
        classes = torch.full((len(texts), head.max_letters), -1)
        for row, text in zip(classes, texts):
            row[:len(text)] = torch.as_tensor(text)
        return Target(glyphs > 0, glyphs if head.letters else None,
                      torch.tensor([len(text) for text in texts],
                                   device=device), classes.to(device))


def bent(glyphs: torch.Tensor, warp: torch.Tensor) -> torch.Tensor:
    """Glyph maps (N, H, W) as a warp (N, H, W, 3) bends them."""
    moved = F.grid_sample(glyphs[:, None].float(), warp[..., :2].float(),
                          mode='nearest', align_corners=False)[:, 0]
    return (moved * (warp[..., 2] > 0.5)).to(glyphs.dtype)
