"""MMEngine's order of records, without a Python object for each."""
from typing import Iterator

import torch
from mmengine.dataset import DefaultSampler
from mmocr.registry import DATA_SAMPLERS

#: Indices that are Python objects at a time.
CHUNK = 1 << 14


@DATA_SAMPLERS.register_module()
class LeanSampler(DefaultSampler):
    """``DefaultSampler`` in 8 bytes a record and process.

    MMEngine's makes a list of all indices at the beginning of each epoch: 61
    bytes a record, 600 MB for ten million, in each process. The order is the
    same. The arguments are those of ``DefaultSampler``.
    """

    def __iter__(self) -> Iterator[int]:
        """Indices of this process, in the order of this epoch."""
        count = len(self.dataset)
        if self.shuffle:
            generator = torch.Generator().manual_seed(self.seed + self.epoch)
            order = torch.randperm(count, generator=generator)
        else:
            order = torch.arange(count)
        # Places of this process; those behind the end begin anew.
        places = range(self.rank, self.total_size, self.world_size)
        for start in range(0, len(places), CHUNK):
            some = torch.tensor(places[start:start + CHUNK]) % count
            yield from order[some].tolist()
