"""SIGA's losses: letters attended to apart, and where each letter is."""
from typing import Dict, Tuple

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmocr.registry import MODELS

from lmim.utils.errors import UserError

#: A pixel of a coarser map is text, or a letter's, from this share on.
LEAST_TEXT = 0.4
#: A letter has the text of columns that it attends to by more than this.
LEAST_ATTENTION = 0.05


def living(lengths: torch.Tensor, most: int) -> torch.Tensor:
    """Which of so many places hold a letter, bool (N, most)."""
    return torch.arange(most, device=lengths.device) < lengths[:, None]


def stretch(attention: torch.Tensor, columns: int) -> torch.Tensor:
    """Attention over columns, (N, T, n), over so many: (N, T, columns)."""
    return F.interpolate(attention, size=columns, mode='linear',
                         align_corners=False)


def labels_by_attention(attention: torch.Tensor, text: torch.Tensor,
                        lengths: torch.Tensor,
                        size: Tuple[int, int]) -> torch.Tensor:
    """Which letter each pixel is of, by what the decoder attends to.

    Args:
        attention (torch.Tensor): Of each letter on each column, (N, T, n).
        text (torch.Tensor): 1 is text, 0 background, (N, H, W).
        lengths (torch.Tensor): Letters of each word, int64 (N, ).
        size (Tuple[int, int]): Rows and columns of the labels.

    Returns:
        torch.Tensor: Background and letters, 0 or 1, (N, 1 + T, rows,
        columns), without gradients. A pixel may be of several letters, or
        of none.
    """
    text = F.interpolate(text[:, None].float(), size, mode='bilinear',
                         align_corners=False) >= LEAST_TEXT
    looked = stretch(attention.detach().float(), size[1]) > LEAST_ATTENTION
    looked &= living(lengths, attention.shape[1])[:, :, None]
    return torch.cat([~text, looked[:, :, None] & text], dim=1).float()


def labels_by_letters(letters: torch.Tensor, most: int,
                      size: Tuple[int, int]) -> torch.Tensor:
    """The same where letters are known, as of rendered words.

    Args:
        letters (torch.Tensor): 0 is background, i + 1 the i-th letter,
            uint8 (N, H, W).
        most (int): Places of letters, T.
        size (Tuple[int, int]): Rows and columns of the labels.
    """
    numbers = torch.arange(1, most + 1, device=letters.device)
    each = (letters[:, None] == numbers[:, None, None]).float()
    each = F.interpolate(each, size, mode='area') >= LEAST_TEXT
    return torch.cat([~each.any(dim=1, keepdim=True), each], dim=1).float()


@MODELS.register_module()
class ImplicitAlignmentLoss(BaseModule):
    """L_cor and L_dif of SIGA (CVPR 2023, arXiv 2203.03382).

    L_cor parts the attention of the letters of a word, and L_dif wants it,
    taken together, to cover the text: of the columns of text each has a
    letter whose attention there is above ``threshold``.

    Args:
        product (str): ``'squared'`` is the code's L_cor: squares of the
            products of two letters' attention, summed over columns and
            pairs, divided by the number of letters, and summed over the
            batch. ``'plain'`` is the form of the authors' poster: products,
            summed over columns and pairs; mean over the batch.
        slope (float): Of the sigmoid of L_dif.
        threshold (float): Attention at which that is 0.5.
    """

    def __init__(self, product: str = 'squared', slope: float = 70.,
                 threshold: float = 0.1) -> None:
        super().__init__()
        if product not in ('squared', 'plain'):
            raise UserError("product must be 'squared' or 'plain', got "
                            f'{product!r}')
        self.product = product
        self.slope = slope
        self.threshold = threshold

    def forward(self, attention: torch.Tensor, text: torch.Tensor,
                lengths: torch.Tensor) -> Dict[str, torch.Tensor]:
        """Compute both.

        Args:
            attention (torch.Tensor): Of each letter on each column,
                (N, T, n).
            text (torch.Tensor): 1 is text, 0 background, (N, H, W).
            lengths (torch.Tensor): Letters of each word, int64 (N, ).

        Returns:
            Dict[str, torch.Tensor]: ``loss_cor`` and ``loss_dif``.
        """
        alive = living(lengths, attention.shape[1])[:, :, None]
        text = text.float()
        beta = stretch(attention.float(), text.shape[2]) * alive
        squared = self.product == 'squared'
        each = beta.square() if squared else beta
        # Of two different letters, each pair once.
        pairs = (each.sum(1).square() - each.square().sum(1)).sum(1) / 2
        cor = ((pairs / lengths.clamp_min(1)).sum() if squared else
               pairs.mean())
        sure = torch.sigmoid(self.slope * (beta - self.threshold)) * alive
        covered = sure.sum(dim=1).clamp(0, 1)[:, None] * text
        # The code takes shares for logits, so the loss is at least 0.313.
        dif = F.cross_entropy(torch.stack([1 - covered, covered], dim=1),
                              text.long())
        return dict(loss_cor=cor, loss_dif=dif)


@MODELS.register_module()
class GlyphLoss(BaseModule):
    """L_seg of SIGA: each pixel's letter, and the overlap of each letter.

    Cross-entropy over background and letters, and Dice (smoothed by 1), mean
    over the letters of a word, mean over words.

    Args:
        binary (bool): The cross-entropy tells text from background alone,
            as in the paper. Its code tells letters too, which is the
            default.
    """

    def __init__(self, binary: bool = False) -> None:
        super().__init__()
        self.binary = binary

    def forward(self, logits: torch.Tensor, labels: torch.Tensor,
                lengths: torch.Tensor) -> torch.Tensor:
        """Compute the loss.

        Args:
            logits (torch.Tensor): Of background and letters, (N, 1 + T, h,
                w).
            labels (torch.Tensor): 0 or 1, of the same shape; the first
                channel that is 1 counts in the cross-entropy.
            lengths (torch.Tensor): Letters of each word, int64 (N, ).

        Returns:
            torch.Tensor: A scalar.
        """
        shares = logits.float().log_softmax(dim=1)
        if self.binary:
            text = torch.stack([shares[:, 0], shares[:, 1:].logsumexp(1)], 1)
            entropy = F.nll_loss(text, (labels[:, 0] == 0).long())
        else:
            entropy = F.nll_loss(shares, labels.argmax(dim=1))
        found, wanted = (each[:, 1:].flatten(2)
                         for each in (shares.exp(), labels))
        dice = 1 - (2 * (found * wanted).sum(2) + 1) / (
            found.sum(2) + wanted.sum(2) + 1)
        alive = living(lengths, dice.shape[1])
        return entropy + ((dice * alive).sum(1)
                          / lengths.clamp_min(1)).mean()


def text_entropy(logits: torch.Tensor, text: torch.Tensor,
                 most: float = float('inf')) -> torch.Tensor:
    """L_ins: cross-entropy of text and background, of probabilities.

    As the code has it, softened once more: from 0.313 to 1.313.

    Args:
        logits (torch.Tensor): (N, 2, H, W).
        text (torch.Tensor): 1 is text, 0 background, (N, H, W).
        most (float): Pictures with as much or more are left out, as their
            mask is probably the wrong way round.

    Returns:
        torch.Tensor: Mean over the pictures that count, 0 of none.
    """
    each = F.cross_entropy(logits.float().softmax(dim=1), text.long(),
                           reduction='none').mean(dim=(1, 2))
    counted = each < most
    return (each * counted).sum() / counted.sum().clamp_min(1)
