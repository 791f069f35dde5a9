"""From probabilities to words with their scores."""
from typing import Sequence

import torch
from mmocr.models.textrecog.postprocessors import AttentionPostprocessor
from mmocr.registry import MODELS
from mmocr.structures import TextRecogDataSample


@MODELS.register_module()
class LMIMPostprocessor(AttentionPostprocessor):
    """MMOCR's, with the probability of the word beside the characters'.

    ``pred_text.score`` lists the probability of each character;
    ``pred_text.word_score`` is that of the word as a whole: their product
    with that of the end. A word that is cut off has no end to count.

    The arguments are those of ``AttentionPostprocessor``.
    """

    def __call__(
        self, probs: torch.Tensor, data_samples: Sequence[TextRecogDataSample]
    ) -> Sequence[TextRecogDataSample]:
        """Add ``pred_text`` to the samples.

        Args:
            probs (torch.Tensor): Probabilities, (N, T, classes).
            data_samples (Sequence[TextRecogDataSample]): N samples.

        Returns:
            Sequence[TextRecogDataSample]: The same samples.
        """
        # Once for the batch: one copy from the device instead of N.
        probs = probs.cpu()
        data_samples = super().__call__(probs, data_samples)
        chances, classes = probs.max(dim=-1)
        is_end = classes == self.dictionary.end_idx
        after = is_end.cumsum(dim=1) - is_end.long() > 0
        words = chances.masked_fill(after, 1.).prod(dim=1)
        for sample, score in zip(data_samples, words.tolist()):
            sample.pred_text.word_score = score
        return data_samples
