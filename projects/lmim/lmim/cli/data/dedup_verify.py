"""Looks at pairs of pictures whose hashes are similar."""
from typing import List

import numpy as np

from lmim.datasets.decoding import decode_image
from lmim.datasets.duplicates.perceptual_hash import (
    LEAST_CORRELATION,
    MOST_DIFFERENCE,
    compare,
    grey,
)
from lmim.datasets.records import JoinedSource, RecordSource
from .parallel import map_records


class Verifier:
    """Reads both pictures of each pair again and compares their pixels.

    Args:
        left (RecordSource): The records that may have a twin.
        right (RecordSource): Where it may be.
        workers (int): How many processes; 0 means this one.
    """

    def __init__(self, left: RecordSource, right: RecordSource,
                 workers: int) -> None:
        self.source = JoinedSource([left, right])
        self.begin = len(left)
        self.workers = workers

    def __call__(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """How alike two pictures are.

        Args:
            left (np.ndarray): Numbers of records, shape (P, ).
            right (np.ndarray): The same, of the other side.

        Returns:
            np.ndarray: Their correlation, shape (P, ); NaN where they do not
            look the same.
        """
        order = np.argsort(left, kind='stable')
        records, starts = np.unique(left[order], return_index=True)
        comparison = _Comparison(records, np.append(starts, len(left)),
                                 right[order] + self.begin)
        alike = np.full(len(left), np.nan)
        found = map_records(comparison, self.source, records.tolist(),
                            self.workers, 'looking at pairs')
        alike[order] = [value for part in found for value in part]
        return alike


class _Comparison:
    """Compares a record with all that its hash is similar to.

    Args:
        records (np.ndarray): Numbers of records, sorted, shape (R, ).
        starts (np.ndarray): Where the others of each begin, shape (R + 1, ).
        others (np.ndarray): Numbers of the others, shape (P, ).
    """

    def __init__(self, records: np.ndarray, starts: np.ndarray,
                 others: np.ndarray) -> None:
        self.records = records
        self.starts = starts
        self.others = others

    def __call__(self, source: RecordSource, index: int) -> List[float]:
        """Correlations of the record with its others."""
        place = int(np.searchsorted(self.records, index))
        others = self.others[self.starts[place]:self.starts[place + 1]]
        picture = grey(decode_image(source.read(index)))
        alike = []
        for other in others.tolist():
            correlation, difference = compare(
                picture, grey(decode_image(source.read(other))))
            same = (correlation >= LEAST_CORRELATION
                    and difference <= MOST_DIFFERENCE)
            alike.append(correlation if same else np.nan)
        return alike
