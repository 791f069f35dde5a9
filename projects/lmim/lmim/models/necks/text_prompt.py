"""Words as prompts: an encoder of characters, and a decoder that asks it.

After ODM (CVPR 2024, arXiv 2403.00303, section 3), whose blocks these are:
there a prompt is a page's words, one vector each; here it is a crop's
characters.
"""
from typing import Any, List, Optional, Sequence

import torch
from mmengine.model import BaseModule
from mmocr.models.common.dictionary import Dictionary
from mmocr.registry import MODELS, TASK_UTILS
from torch import nn


class MLP(nn.Module):
    """Four times as wide inside, with x * sigmoid(1.702 x) (QuickGELU)."""

    def __init__(self, dims: int) -> None:
        super().__init__()
        self.c_fc = nn.Linear(dims, 4 * dims)
        self.c_proj = nn.Linear(4 * dims, dims)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, T, C) to the same."""
        x = self.c_fc(x)
        return self.c_proj(x * torch.sigmoid(1.702 * x))


class PromptBlock(nn.Module):
    """A block of CLIP's text transformer, or one that asks other tokens.

    Without ``keys`` it is x + attn(LN(x)), causal; with them, as in ODM's
    decoder, x + LN(attn(x, keys)). Then follows x + MLP(LN(x)).

    Args:
        dims (int): Channels.
        num_heads (int): Attention heads.
    """

    def __init__(self, dims: int, num_heads: int) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(dims, num_heads, batch_first=True)
        self.ln_1 = nn.LayerNorm(dims)
        self.mlp = MLP(dims)
        self.ln_2 = nn.LayerNorm(dims)

    def forward(self, x: torch.Tensor, keys: Optional[torch.Tensor] = None,
                hidden: Optional[torch.Tensor] = None,
                maps: Optional[List[torch.Tensor]] = None) -> torch.Tensor:
        """Run the block.

        Args:
            x (torch.Tensor): (N, T, C).
            keys (torch.Tensor, optional): Tokens to ask, (N, S, C).
            hidden (torch.Tensor, optional): Which of them are not there, bool
                (N, S).
            maps (list, optional): The weights of the attention to keys, the
                mean over heads, (N, T, S), are added to it.

        Returns:
            torch.Tensor: (N, T, C).
        """
        if keys is None:
            later = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool,
                               device=x.device).triu(1)
            normed = self.ln_1(x)
            x = x + self.attn(normed, normed, normed, attn_mask=later,
                              need_weights=False)[0]
        else:
            found, weights = self.attn(x, keys, keys, key_padding_mask=hidden,
                                       need_weights=maps is not None)
            if maps is not None:
                maps.append(weights)
            x = x + self.ln_1(found)
        return x + self.mlp(self.ln_2(x))


@MODELS.register_module()
class TextPromptEncoder(BaseModule):
    """Characters of words, each with what stands before it.

    Args:
        dictionary (dict): MMOCR's ``Dictionary``, with end, padding and
            unknown.
        out_dims (int): Channels of what comes out.
        max_len (int): Characters and end; longer words lose their end.
        embed_dims (int): Channels inside.
        num_layers (int): Blocks.
        num_heads (int): Attention heads.
        init_cfg (dict, optional): Initialisation config.
    """

    def __init__(self,
                 dictionary: dict,
                 out_dims: int = 256,
                 max_len: int = 26,
                 embed_dims: int = 64,
                 num_layers: int = 6,
                 num_heads: int = 8,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        self.dictionary: Dictionary = TASK_UTILS.build(dictionary)
        self.token_embedding = nn.Embedding(
            self.dictionary.num_classes, embed_dims)
        self.positions = nn.Parameter(
            0.01 * torch.randn(max_len, embed_dims))
        self.blocks = nn.ModuleList(
            PromptBlock(embed_dims, num_heads) for _ in range(num_layers))
        self.ln_final = nn.LayerNorm(embed_dims)
        self.projection = nn.Linear(embed_dims, out_dims, bias=False)

    def classes(self, texts: Sequence[str]) -> torch.Tensor:
        """Classes of texts, end and padding included, int64 (N, max_len)."""
        most = len(self.positions)
        rows = torch.full((len(texts), most), self.dictionary.padding_idx)
        for row, text in zip(rows, texts):
            found = self.dictionary.str2idx(text)[:most - 1]
            found.append(self.dictionary.end_idx)
            row[:len(found)] = torch.tensor(found)
        return rows.to(self.positions.device)

    def hidden(self, classes: torch.Tensor) -> torch.Tensor:
        """Where there is padding, bool (N, T)."""
        return classes == self.dictionary.padding_idx

    def forward(self, classes: torch.Tensor) -> torch.Tensor:
        """Encode classes (N, T) to vectors (N, T, out_dims)."""
        x = self.token_embedding(classes) + self.positions[:classes.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.projection(self.ln_final(x))


@MODELS.register_module()
class TextPromptedDecoder(BaseModule):
    """Image tokens that ask the characters of a prompt, in several blocks.

    Args:
        num_patches (int): Image tokens, L.
        embed_dims (int): Channels, C.
        num_layers (int): Blocks.
        num_heads (int): Attention heads.
        init_cfg (dict, optional): Initialisation config.
    """

    def __init__(self,
                 num_patches: int = 256,
                 embed_dims: int = 256,
                 num_layers: int = 6,
                 num_heads: int = 8,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        self.embed_dims = embed_dims
        self.image_pos = nn.Parameter(
            embed_dims**-0.5 * torch.randn(num_patches, embed_dims))
        self.blocks = nn.ModuleList(
            PromptBlock(embed_dims, num_heads) for _ in range(num_layers))
        self.ln_final = nn.LayerNorm(embed_dims)

    def forward(self, patches: torch.Tensor, text: torch.Tensor,
                hidden: torch.Tensor, **kwargs: Any) -> torch.Tensor:
        """Ask the prompt.

        Args:
            patches (torch.Tensor): (N, L, C).
            text (torch.Tensor): Characters, (N, T, C).
            hidden (torch.Tensor): Which of them are padding, bool (N, T).
            **kwargs: ``maps`` of :class:`PromptBlock`.

        Returns:
            torch.Tensor: (N, L, C), before :attr:`ln_final`.
        """
        x = patches + self.image_pos
        for block in self.blocks:
            x = block(x, text, hidden, **kwargs)
        return x
