"""Vision transformer for word images."""
from typing import Any, List, Optional, Sequence, Tuple, Union

import torch
from mmcv.cnn.bricks import DropPath
from mmocr.registry import MODELS
from mmpretrain.models import VisionTransformer
from torch import nn
from torch.utils.checkpoint import checkpoint

from lmim.checkpoints import load_encoder_weights
from lmim.checkpoints.loading import LoadReport
from lmim.utils.errors import UserError
from ..layers import (ConvStem, DeformablePatchEmbed, build_positions,
                      init_transformer, interpolate_positions, is_traced)
from ..layers.rotary import Rotation, make_rotary, with_extra

#: Images that a CPU encodes at once where no gradients are needed.
CPU_IMAGES = 16


def _vit(embed_dims: int, num_heads: int, num_layers: int = 12) -> dict:
    return dict(
        embed_dims=embed_dims,
        num_layers=num_layers,
        num_heads=num_heads,
        feedforward_channels=4 * embed_dims)


@MODELS.register_module()
class TextViT(VisionTransformer):
    """ViT over the patches of a word image, as MAERec and LMIM use it.

    Differs from mmpretrain's ``VisionTransformer`` in its sizes, in fixed
    sine-cosine positions, in MAE's initialisation, in refusing images of
    another size (unless ``widths`` says so) instead of padding or resizing
    positions silently, and in how
    a pre-trained encoder is loaded: ``init_cfg=dict(type='Pretrained',
    checkpoint=...)`` reads every format that :mod:`lmim.checkpoints` knows,
    reports what was loaded, and refuses anything below a full match unless
    ``allow_partial=True`` is added to that dict. For images of another size
    than the checkpoint's, positions are interpolated (``pos_grid`` in that
    dict, see :func:`lmim.checkpoints.load_encoder_weights`).

    Args:
        arch (str | dict): ``'mini'`` (for a CPU), ``'shallow'`` (behind a
            ``stem``), ``'tiny'``, ``'small'``
            (the paper's) or ``'base'``, or a dict with ``embed_dims``,
            ``num_layers``, ``num_heads`` and ``feedforward_channels``.
        img_size (Tuple[int, int]): Height and width of the images, and of
            those that positions are of.
        widths (Tuple[int, int], optional): The least and the greatest width
            of whole images, multiples of a patch's: positions of another
            width than that of ``img_size`` are interpolated by rows and
            columns. A batch has one width. Defaults to that of ``img_size``
            alone.
        patch_size (int | Tuple[int, int]): Height and width of a patch.
        stem (Sequence[int], optional): Channels of a
            :class:`~lmim.models.layers.ConvStem` that embeds the patches.
            Defaults to None: one linear layer does, as in the papers.
        patch_embed (str): ``'linear'``, or ``'deformable'``: patches whose
            pixels move with the word, by
            :class:`~lmim.models.layers.DeformablePatchEmbed`. It loads
            encoders with a linear layer, and gives their tokens at first.
        pos_embed (str): ``'square'``: positions of a square grid, which the
            checkpoints of MAERec and LMIM hold; ``'grid'``: of the true grid;
            ``'line'``: of the patches as a sequence, as in DiG;
            ``'learned'``: random ones, which are always trained; ``'none'``:
            none are added, where ``rotary`` gives positions.
        rotary (dict, optional): Positions that turn the queries and keys of
            the patches, an :class:`~lmim.models.layers.AxialRotary` or
            :class:`~lmim.models.layers.MixedRotary`, instead of or beside
            those of ``pos_embed``. They are computed for the grid of the
            images that come in. [CLS] is not turned.
        freeze_pos_embed (bool): Keep the positions fixed.
        out_type (str): ``'raw'``: all tokens after the final norm,
            (N, 1 + L, C); ``'featmap'``: the patch tokens as a feature map,
            (N, C, rows, columns), for recognizers that expect one.
        with_cp (bool): Activation checkpointing: in training, keep only what
            goes into each block, and compute the block again for its
            gradients. Losses and gradients stay the same; less memory for
            more time.
        **kwargs: As in ``VisionTransformer`` (``with_cls_token``: False for
            the published encoders of DiG and SSM, which are patches alone;
            ``drop_rate``,
            ``drop_path_rate``, ``layer_cfgs``, ``frozen_stages``: the patch
            embedding and so many blocks are not trained, ``init_cfg`` ...).

    Raises:
        UserError: If the image size, or widths, are no multiples of the
            patch size, no positions are left, or more blocks are frozen than
            there are.
    """

    arch_zoo = {
        'mini': _vit(128, 4, num_layers=4),
        'shallow': _vit(256, 8, num_layers=2),
        'tiny': _vit(192, 3),
        'small': _vit(384, 6),
        'base': _vit(768, 12),
    }

    def __init__(self,
                 arch: Union[str, dict] = 'small',
                 img_size: Tuple[int, int] = (32, 128),
                 patch_size: Union[int, Tuple[int, int]] = 4,
                 stem: Optional[Sequence[int]] = None,
                 patch_embed: str = 'linear',
                 pos_embed: str = 'square',
                 rotary: Optional[dict] = None,
                 freeze_pos_embed: bool = True,
                 out_type: str = 'raw',
                 with_cp: bool = False,
                 widths: Optional[Tuple[int, int]] = None,
                 **kwargs: Any) -> None:
        patch = _pair(patch_size)
        img_size = _pair(img_size)
        if any(side % step for side, step in zip(img_size, patch)):
            raise UserError(
                f'image size {img_size[0]}x{img_size[1]} is no multiple of '
                f'the patch size {patch[0]}x{patch[1]} (height x width): '
                'change img_size or patch_size of the backbone')
        check_widths(widths, patch[1])
        if patch_embed not in ('linear', 'deformable') or (
                stem is not None and patch_embed != 'linear'):
            raise UserError("patch_embed must be 'linear' or, without a stem, "
                            f"'deformable', got {patch_embed!r}")
        if out_type not in ('raw', 'featmap'):
            raise UserError("out_type must be 'raw' or 'featmap', got "
                            f'{out_type!r}')
        super().__init__(
            arch=arch,
            img_size=img_size,
            patch_size=patch,
            out_type=out_type,
            **kwargs)
        self.patch_size = patch
        if stem is not None:
            self.patch_embed: Any = ConvStem(self.embed_dims, patch, stem)
        elif patch_embed == 'deformable':
            self.patch_embed = DeformablePatchEmbed(self.embed_dims, patch)
        self.grid = tuple(self.patch_resolution)
        self.widths = None if widths is None else _pair(widths)
        self._pos_kind = pos_embed
        if pos_embed == 'none':
            if rotary is None:
                raise UserError(
                    "with pos_embed='none' and no rotary the encoder would "
                    'not know where a patch is: give the backbone rotary='
                    "dict(type='AxialRotary'), or positions by pos_embed")
            self.pos_embed: Any = None
        else:
            self._place()  # tells what does not fit
            self.pos_embed.requires_grad = (
                pos_embed == 'learned' or not freeze_pos_embed)
        self.rotary_cfg, self.rotary = rotary, None
        if rotary is not None:
            heads = self.arch_settings['num_heads']
            self.rotary = MODELS.build(dict(
                rotary, head_dims=self.embed_dims // heads, num_heads=heads,
                num_layers=self.num_layers))
            for layer in self.layers:
                make_rotary(layer)
        if self.frozen_stages > 0:
            self._freeze_stages()  # what was put in its place, too
        self.with_cp = with_cp
        #: What ``init_cfg`` gave, once weights are initialised.
        self.load_report: Optional[LoadReport] = None
        for part in self.modules():
            if isinstance(part, DropPath):
                # NumPy's numbers, as mmpretrain sets them, stop torch.compile.
                part.drop_prob = float(part.drop_prob)

    def init_weights(self) -> None:
        """Load the encoder named in ``init_cfg``, or initialise as MAE.

        Raises:
            UserError: If ``init_cfg`` is to load, and names no checkpoint.
        """
        cfg = self.init_cfg
        if isinstance(cfg, dict) and cfg.get('type') == 'Pretrained':
            if not cfg.get('checkpoint'):
                raise UserError(
                    "The encoder's init_cfg of type 'Pretrained' names no "
                    'checkpoint. Name one, or start from random weights: '
                    '--cfg-options model.backbone.init_cfg=None')
            self.load_report = load_encoder_weights(
                self,
                cfg['checkpoint'],
                allow_partial=cfg.get('allow_partial', False),
                pos_grid=cfg.get('pos_grid'))
            self._is_init = True
            return
        super().init_weights()
        init_transformer(self)
        projection: Any = self.patch_embed.projection
        nn.init.xavier_uniform_(projection.weight.data.flatten(1))
        assert projection.bias is not None
        nn.init.zeros_(projection.bias)
        if isinstance(self.patch_embed, DeformablePatchEmbed):
            self.patch_embed.start_as_linear()
        if self.cls_token is not None:
            nn.init.normal_(self.cls_token, std=0.02)
        if self.rotary is not None:
            self.rotary.init_weights()
        self._place()

    def _freeze_stages(self) -> None:
        """Freeze as mmpretrain's, which does not count the blocks."""
        if self.frozen_stages > self.num_layers:
            raise UserError(
                f'frozen_stages={self.frozen_stages} of the backbone is more '
                f'than its {self.num_layers} blocks: lower it')
        super()._freeze_stages()

    def _place(self) -> None:
        """Give all tokens their positions, if there is a table of them."""
        if self.pos_embed is None:
            return
        table = build_positions(self._pos_kind, self.grid, self.embed_dims)
        self.pos_embed.data.copy_(table[:, 1 - self.num_extra_tokens:])

    def train(self, mode: bool = True) -> 'TextViT':
        """Set the mode and return the module, as torch's modules do.

        Frozen stages stay in eval mode: mmpretrain's would get their dropout
        back with the first call.
        """
        super().train(mode)
        if mode and self.frozen_stages > 0:
            self._freeze_stages()
        return self

    @property
    def out_dims(self) -> int:
        """int: Channels of the tokens that recognizers are given."""
        return self.embed_dims

    @property
    def out_extra_tokens(self) -> int:
        """int: How many of these, the first ones, are no patches."""
        return self.num_extra_tokens

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Encode whole images.

        Args:
            images (torch.Tensor): Normalised images, (N, 3, H, W).

        Returns:
            torch.Tensor: (N, 1 + L, C), [CLS] first, if there is one, or a
            feature map of shape (N, C, rows, columns) where
            ``out_type='featmap'``.
        """
        if (images.device.type == 'cpu' and not torch.is_grad_enabled()
                and not is_traced()):
            # What a few images make stays in the caches of a CPU.
            tokens = torch.cat([self.encode_whole(some)
                                for some in images.split(CPU_IMAGES)])
        else:
            tokens = self.encode_whole(images)
        if self.out_type == 'raw':
            return tokens
        patches = tokens[:, self.out_extra_tokens:]
        return patches.transpose(1, 2).unflatten(2, self.grid_of(images))

    def embed(self, images: torch.Tensor) -> torch.Tensor:
        """Turn images (N, 3, H, W) into patches with positions, (N, L, C).

        Raises:
            UserError: If the images are not of the size the model is for.
        """
        check_size(images, self.img_size, self.widths, self.patch_size[1])
        return self.add_positions(self.patch_embed(images)[0],
                                  self.grid_of(images))

    def positions(self, grid: Tuple[int, int]) -> torch.Tensor:
        """Positions of the patches of a grid (rows, columns), (1, L, C)."""
        own = self.pos_embed[:, self.num_extra_tokens:]
        # A graph for all widths has one way for all.
        if self.widths is None or (grid == self.grid and not is_traced()):
            return own
        return interpolate_positions(own, self.grid, grid)

    def add_positions(self, patches: torch.Tensor,
                      grid: Optional[Tuple[int, int]] = None) -> torch.Tensor:
        """Add their positions, if there are, to all patches, (N, L, C)."""
        if self.pos_embed is None:
            return patches
        return patches + self.positions(grid or self.grid)

    def grid_of(self, images: torch.Tensor) -> Tuple[int, int]:
        """Rows and columns of the patches of images, (N, 3, H, W)."""
        return (images.shape[-2] // self.patch_size[0],
                images.shape[-1] // self.patch_size[1])

    def encode_whole(self, images: torch.Tensor) -> torch.Tensor:
        """Encode whole images (N, 3, H, W) to tokens, (N, 1 + L, C)."""
        return self.encode(self.embed(images), grid=self.grid_of(images))

    def encode(self, patches: torch.Tensor,
               where: Optional[torch.Tensor] = None,
               grid: Optional[Tuple[int, int]] = None) -> torch.Tensor:
        """Run the transformer over any subset of patches, in any order.

        Args:
            patches (torch.Tensor): Patches with positions, (N, K, C).
            where (torch.Tensor, optional): Which patches they are, (N, K), by
                their number row by row. Only rotary positions need it.
                Defaults to all in order.
            grid (Tuple[int, int], optional): Rows and columns of the patches
                of the images. Defaults to those of ``img_size``.

        Returns:
            torch.Tensor: [CLS] and patches after the final norm,
            (N, 1 + K, C).

        Raises:
            UserError: If positions are rotary and it is not told which
                patches these are.
        """
        return self.norm1(self.run_blocks(patches, where, grid))

    def forward_taps(self, images: torch.Tensor, taps: Sequence[int]
                     ) -> Tuple[torch.Tensor, List[torch.Tensor]]:
        """Encode whole images, and keep what some blocks make.

        Args:
            images (torch.Tensor): Normalised images, (N, 3, H, W).
            taps (Sequence[int]): The blocks, counted from 1, in order.

        Returns:
            Tuple: Tokens after the final norm, (N, 1 + L, C), and the tokens
            after each of these blocks, as they are.

        Raises:
            UserError: If there is no such block.
        """
        if not set(taps) <= set(range(1, len(self.layers) + 1)):
            raise UserError(f'the encoder has blocks 1 ... {len(self.layers)}'
                            f', and taps are {tuple(taps)}')
        tapped: List[torch.Tensor] = []
        tokens = self.run_blocks(
            self.embed(images), grid=self.grid_of(images), taps=taps,
            tapped=tapped)
        return self.norm1(tokens), tapped

    def run_blocks(self, patches: torch.Tensor,
                   where: Optional[torch.Tensor] = None,
                   grid: Optional[Tuple[int, int]] = None,
                   taps: Sequence[int] = (),
                   tapped: Optional[List[torch.Tensor]] = None
                   ) -> torch.Tensor:
        """Run the blocks alone: :meth:`encode` before the final norm.

        What the blocks of ``taps`` make is added to ``tapped``.
        """
        tokens = patches
        if self.cls_token is not None:
            cls_token = self.cls_token
            if self.pos_embed is not None:
                cls_token = cls_token + self.pos_embed[:, :1]
            tokens = torch.cat(
                [cls_token.expand(patches.shape[0], -1, -1), patches], dim=1)
        tokens = self.drop_after_pos(tokens)
        turns = self._turns(patches, where, grid)
        for index, layer in enumerate(self.layers):
            # Nothing is kept of blocks that get no gradients.
            if (self.with_cp and torch.is_grad_enabled()
                    and index >= self.frozen_stages):
                tokens = checkpoint(layer, tokens, *turns[index],
                                    use_reentrant=False)
            else:
                tokens = layer(tokens, *turns[index])
            if tapped is not None:
                tapped += [tokens] * list(taps).count(index + 1)
        return tokens

    def _turns(self, patches: torch.Tensor, where: Optional[torch.Tensor],
               grid: Optional[Tuple[int, int]]
               ) -> Sequence[Tuple[Rotation, ...]]:
        """What each block needs beside tokens: how these turn, or nothing."""
        if self.rotary is None:
            return [()] * self.num_layers
        rows, columns = grid or self.grid
        if (where is None and not is_traced()
                and patches.shape[1] != rows * columns):
            raise UserError(
                f'{patches.shape[1]} patches are given of a grid of '
                f'{rows}x{columns}, and rotary positions need to know which '
                'they are: name them, encode(patches, where), or the grid of '
                'the images, encode(patches, grid=encoder.grid_of(images))')
        cos, sin = self.rotary((rows, columns), patches.device)
        every = with_extra(
            Rotation(cos, sin, where, self.rotary.halves),
            self.num_extra_tokens)
        if cos.dim() == 2:
            return [(every, )] * self.num_layers
        return [(every._replace(cos=cos, sin=sin), )
                for cos, sin in zip(every.cos, every.sin)]

    def _prepare_pos_embed(self, state_dict: dict, prefix: str, *args: Any,
                           **kwargs: Any) -> None:
        """Resize positions that are loaded, where there are to be any."""
        if self.pos_embed is not None:
            super()._prepare_pos_embed(state_dict, prefix, *args, **kwargs)


def _pair(value: Union[int, Sequence[int]]) -> Tuple[int, int]:
    if isinstance(value, int):
        return value, value
    height, width = value
    return int(height), int(width)


def check_widths(widths: Optional[Sequence[int]], step: int) -> None:
    """Refuse widths that are no range, or not of whole patches.

    Raises:
        UserError: If they are none.
    """
    if widths is None:
        return
    low, high = widths
    if not 0 < low <= high or low % step or high % step:
        raise UserError(
            f'widths are the least and the greatest width of images, in '
            f'multiples of the {step} columns of a patch, not {low} and '
            f'{high}')


def check_size(images: torch.Tensor, img_size: Sequence[int],
               widths: Optional[Tuple[int, int]] = None,
               step: int = 1) -> None:
    """Refuse images that are not of a backbone's size (height, width).

    With ``widths``, multiples of ``step`` between the two are taken.

    Raises:
        UserError: If they are of another size.
    """
    height, width = images.shape[-2:]
    if widths is not None and is_traced():
        return  # the graph's own axis has the range
    low, high = widths or (img_size[1], img_size[1])
    if height == img_size[0] and low <= width <= high and not width % step:
        return
    wanted = f'{img_size[0]}x{low}'
    if widths is not None:
        wanted += f' to {high} in steps of {step}'
    raise UserError(
        f'the images are {height}x{width} (height x width), and the backbone '
        f'is for {wanted}: resize them in the pipeline, dict(type="Resize", '
        f'scale=({img_size[1]}, {img_size[0]})), or set img_size of the '
        'backbone, or widths=(least, greatest)')
