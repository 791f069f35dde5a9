"""The loss of decoders that give one class for each place of a word."""
from typing import Any, Dict, Sequence

import torch
from mmocr.models.textrecog.module_losses import CEModuleLoss
from mmocr.registry import MODELS
from mmocr.structures import TextRecogDataSample

from lmim.utils.characters import named_character
from lmim.utils.errors import UserError


@MODELS.register_module()
class WordLoss(CEModuleLoss):
    """Cross-entropy summed over a word and its end, mean over the batch.

    Args:
        on_unknown (str): What to do with a label that has a character outside
            the dictionary: ``'error'``, or ``'map'`` to the unknown token.
        label_smoothing (float): Share of the target that is spread over all
            classes; 0 in the paper.
        **kwargs: As in ``CEModuleLoss``.
    """

    def __init__(self,
                 on_unknown: str = 'error',
                 label_smoothing: float = 0.,
                 **kwargs: Any) -> None:
        super().__init__(
            ignore_char='padding', flatten=True, reduction='sum', **kwargs)
        if on_unknown not in ('error', 'map'):
            raise UserError("on_unknown must be 'error' or 'map', got "
                            f'{on_unknown!r}')
        self.on_unknown = on_unknown
        # The base class passes none on.
        self.loss_ce.label_smoothing = label_smoothing
        self._characters = set(self.dictionary.dict)

    def get_targets(
        self, data_samples: Sequence[TextRecogDataSample]
    ) -> Sequence[TextRecogDataSample]:
        """Turn labels into indexes.

        Args:
            data_samples (Sequence[TextRecogDataSample]): With ``gt_text``.

        Returns:
            Sequence[TextRecogDataSample]: The same, with
            ``gt_text.padded_indexes`` of shape (max_seq_len, ).

        Raises:
            UserError: If a label has a character outside the dictionary and
                ``on_unknown='error'``.
        """
        if self.on_unknown == 'error':
            for sample in data_samples:
                self._check(sample)
        return super().get_targets(data_samples)

    def _check(self, sample: TextRecogDataSample) -> None:
        text = sample.gt_text.item
        if self.letter_case != 'unchanged':
            text = getattr(text, self.letter_case)()
        unknown = sorted(set(text) - self._characters)
        if unknown:
            raise UserError(unknown_characters_message(
                unknown, f'label {text!r} of {sample.get("img_path")}'))

    def forward(
            self, outputs: torch.Tensor,
            data_samples: Sequence[TextRecogDataSample]
    ) -> Dict[str, torch.Tensor]:
        """Compute the loss.

        Args:
            outputs (torch.Tensor): Logits, (N, T, classes).
            data_samples (Sequence[TextRecogDataSample]): N samples, as
                :meth:`get_targets` leaves them.

        Returns:
            Dict[str, torch.Tensor]: ``loss_ce``, a scalar.
        """
        losses = super().forward(outputs.float(), data_samples)
        return dict(loss_ce=losses['loss_ce'] / len(outputs))


def unknown_characters_message(unknown: Sequence[str], where: str) -> str:
    """Say which characters the dictionary lacks, where, and what to do."""
    listed = ', '.join(map(named_character, unknown))
    return (f'{where} has characters that are not in the dictionary: '
            f'{listed}. Add them to the dictionary file, one a line; or drop '
            'such labels; or train them as the unknown token with '
            'model.decoder.module_loss.on_unknown=map')
