"""From probabilities to words, each with the probability of the whole word."""
import math
from pathlib import Path
from typing import Any, List, Optional, Sequence

import torch
import torch.nn.functional as F
from mmengine.structures import LabelData
from mmocr.models.textrecog.postprocessors import (AttentionPostprocessor,
                                                   CTCPostProcessor)
from mmocr.registry import MODELS
from mmocr.structures import TextRecogDataSample

from lmim.utils.ctc_language import CharacterNGrams, LanguageSearch
from lmim.utils.errors import UserError

#: The n-grams that come with this package.
LANGUAGES = Path(__file__).parents[2] / 'weights'


@MODELS.register_module()
class WordScorePostprocessor(AttentionPostprocessor):
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


@MODELS.register_module()
class CTCWordScorePostprocessor(CTCPostProcessor):
    """MMOCR's, for all words of a batch at once, with the word's probability.

    ``pred_text.item`` and ``pred_text.score`` (of each character that of its
    first column) are MMOCR's, in half the time. ``pred_text.word_score`` is
    the probability of the word as a whole: the sum over all ways to lay it
    out in the columns (Graves et al., ICML 2006, eq. 3).
    ``pred_text.centers`` is where each character was written: the middle of
    its columns, from 0 (the left edge of the padded picture) to 1.

    The arguments are those of ``CTCPostProcessor``; the dictionary needs
    ``with_padding``, the blank.
    """

    def __call__(
        self, outputs: torch.Tensor,
        data_samples: Sequence[TextRecogDataSample]
    ) -> Sequence[TextRecogDataSample]:
        """Add ``pred_text`` to the samples.

        Args:
            outputs (torch.Tensor): Probabilities, (N, T, classes).
            data_samples (Sequence[TextRecogDataSample]): N samples; the part
                ``valid_ratio`` of the columns is read, all where there is
                none.

        Returns:
            Sequence[TextRecogDataSample]: The same samples.
        """
        probs = outputs.detach().float().cpu()
        columns = torch.tensor([
            self._columns(sample, probs.shape[1]) for sample in data_samples
        ])
        classes = self._classes(probs, columns)
        chances = probs.gather(2, classes[..., None])[..., 0]
        begins = self._begins(classes)
        written = begins & self._is_character(classes)
        written &= torch.arange(probs.shape[1]) < columns[:, None]
        centers = self._centers(begins, columns)[written]
        lengths = written.sum(dim=1)
        words = classes[written]
        scores = self._word_scores(probs, columns, words, lengths)
        sizes = lengths.tolist()
        for sample, word, score, center, word_score in zip(
                data_samples, words.split(sizes),
                chances[written].split(sizes), centers.split(sizes),
                scores.tolist()):
            sample.pred_text = LabelData(
                item=self.dictionary.idx2str(word.tolist()),
                score=score.tolist(),
                centers=center.tolist(),
                word_score=word_score)
        return data_samples

    def _classes(self, probs: torch.Tensor,
                 columns: torch.Tensor) -> torch.Tensor:
        """What each column is read as, (N, T); ``columns`` are no padding."""
        return probs.argmax(dim=-1)

    @staticmethod
    def _columns(sample: TextRecogDataSample, total: int) -> int:
        """How many columns of a picture are no padding."""
        return min(total, math.ceil(total * sample.get('valid_ratio', 1)))

    @staticmethod
    def _begins(classes: torch.Tensor) -> torch.Tensor:
        """Where a class differs from that before it, bool, (N, T)."""
        first = torch.ones_like(classes[:, :1], dtype=torch.bool)
        return torch.cat([first, classes[:, 1:] != classes[:, :-1]], dim=1)

    def _is_character(self, classes: torch.Tensor) -> torch.Tensor:
        """Which classes, (N, T), are written, bool of that shape."""
        ignored = classes.new_tensor(self.ignore_indexes)
        return torch.isin(classes, ignored, invert=True)

    @staticmethod
    def _centers(begins: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        """The middle of the run of columns that begins at each, (N, T).

        It is a share of the T columns; of those that begin no run it has no
        meaning. A run ends with the columns that are no padding.
        """
        total = begins.shape[1]
        places = torch.arange(total).expand_as(begins)
        ends = columns[:, None].minimum(places.masked_fill(~begins, total))
        # The nearest beginning to the right of each column.
        ends = ends.flip(1).cummin(dim=1).values.flip(1)
        ends = torch.cat([ends[:, 1:], columns[:, None]], dim=1)
        return (places + ends) / (2 * total)

    def _word_scores(self, probs: torch.Tensor, columns: torch.Tensor,
                     words: torch.Tensor,
                     lengths: torch.Tensor) -> torch.Tensor:
        """Probabilities of words that are given one after another, (N, )."""
        logs = probs.clamp_min(torch.finfo(probs.dtype).tiny).log()
        losses = F.ctc_loss(
            logs.transpose(0, 1),
            words,
            columns,
            lengths,
            blank=self.dictionary.padding_idx,
            reduction='none')
        return losses.neg().exp()


@MODELS.register_module()
class CTCLanguagePostprocessor(CTCWordScorePostprocessor):
    """Words that are likely by the picture and by the language.

    A prefix beam search with n-grams of characters, see
    :class:`~lmim.utils.ctc_language.LanguageSearch`. What is added to the
    samples is that of ``CTCWordScorePostprocessor``, of the word that was
    found; probabilities are the picture's alone.

    Args:
        language (str, optional): ``'english'``, which comes with this
            package, or a file of `lmim data language`. None: none; words are
            those of CTC.
        weight (float): Of the language.
        bonus (float): For each character.
        beams (int): Prefixes that are followed at once.
        **kwargs: As of ``CTCPostProcessor``.

    Raises:
        UserError: If the file does not exist or holds something else.
    """

    def __init__(self, language: Optional[str] = 'english',
                 weight: float = 0.6, bonus: float = 1.4, beams: int = 8,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.language = language
        self.search: Optional[LanguageSearch] = None
        if language is not None:
            self.search = LanguageSearch(
                load_language(language), self._characters(),
                self.dictionary.padding_idx, weight, bonus, beams)

    def _characters(self) -> List[str]:
        """The character of each class, '' of those that are not written."""
        return ['' if index in self.ignore_indexes else char
                for index, char in enumerate(self.dictionary.dict)]

    def _classes(self, probs: torch.Tensor,
                 columns: torch.Tensor) -> torch.Tensor:
        if self.search is None:
            return super()._classes(probs, columns)
        classes = torch.full(probs.shape[:2], self.dictionary.padding_idx)
        read = [picture[:count].numpy()
                for picture, count in zip(probs, columns.tolist())]
        for row, path in zip(classes, self.search.paths(read)):
            row[:len(path)] = torch.from_numpy(path)
        return classes


def load_language(name: str) -> CharacterNGrams:
    """The n-grams of a language that comes with this package, or of a file.

    Raises:
        UserError: If the file does not exist or holds something else.
    """
    path = LANGUAGES / f'{name}.npz'
    if not path.is_file():
        path = Path(name)
    known = ', '.join(sorted(path.stem for path in LANGUAGES.glob('*.npz')))
    if not path.is_file():
        raise UserError(f'there is no language {name!r}: neither among those '
                        f'that come with lmim ({known}), nor as a file. '
                        '`lmim data language WORDS OUT` makes one')
    try:
        return CharacterNGrams.load(path)
    except ValueError as error:
        raise UserError(str(error)) from error
