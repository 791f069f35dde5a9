"""Data sets mixed by ratio."""
import math
from fractions import Fraction
from typing import Any, Iterator, List, Optional, Sequence

import torch
from mmengine.dist import get_dist_info, sync_random_seed
from mmengine.logging import print_log
from mmocr.registry import DATA_SAMPLERS
from torch import Tensor
from torch.utils.data import Sampler

from lmim.utils.errors import UserError

from ..records import Part, parts_of_dataset
from ..transforms.seed import Draw, mix

#: Tells the order of the parts from those within parts; any number that is
#: no part's.
_ORDER = -1


@DATA_SAMPLERS.register_module()
class RatioSampler(Sampler):
    """Draw from the parts of a set in given proportions.

    Every epoch has ``epoch_length`` records, of which each part gives its
    share, to the nearest whole one. A part is drawn from without replacement:
    one shuffled pass after the other, each in an order of its own. A part
    that is drawn from less than once an epoch is continued in the next one,
    so that every record comes up; one that is drawn from more often begins
    again, by indices that tell so (:class:`~lmim.datasets.transforms.seed.
    Draw`). The parts are spread evenly: any stretch of the epoch, such
    as a batch of all processes together, has them in these proportions, give
    or take a record or two of each, in random order.

    What is drawn depends on (seed, epoch) alone, so that a resumed run sees
    the same records. Processes take turns, as with MMEngine's
    ``DefaultSampler``: none draws what another one does, and where the epoch
    is no multiple of their number, its first records fill it up.

    Args:
        dataset (Sized): A ``ConcatDataset`` of MMEngine or MMOCR, whose parts
            are its data sets, or a :class:`TextImageDataset`, whose parts are
            its ``paths`` (of a folder of LMDBs, each of these).
        ratios (Sequence[float], optional): One for each part; only their
            proportions count, and 0 leaves a part out. Defaults to None:
            those of the parts' sizes.
        shuffle (bool): Whether to shuffle. Without, each part is drawn from
            in its order. Defaults to True.
        epoch_length (int, optional): Records of an epoch, of all processes
            together. Defaults to None, the size of the whole set.
        seed (int, optional): The same on all processes. Defaults to None, a
            random one that they agree on.
        round_up (bool): Whether to fill the epoch up to a multiple of the
            number of processes. Defaults to True.

    Raises:
        UserError: If the ratios do not fit the parts, are negative or all
            zero, or a part is empty or would never be drawn from.

    Examples:
        >>> train_dataloader = dict(
        ...     batch_size=64,
        ...     sampler=dict(
        ...         type='RatioSampler', ratios=[0.5, 0.3, 0.2]),
        ...     dataset=dict(
        ...         type='TextImageDataset',
        ...         paths=['book32_lmdb', 'cc_lmdb', 'openvino_lmdb']))
    """

    def __init__(self,
                 dataset: Any,
                 ratios: Optional[Sequence[float]] = None,
                 shuffle: bool = True,
                 epoch_length: Optional[int] = None,
                 seed: Optional[int] = None,
                 round_up: bool = True) -> None:
        self.rank, self.world_size = get_dist_info()
        self.shuffle = shuffle
        self.seed = sync_random_seed() if seed is None else seed
        self.epoch = 0
        self.parts = parts_of_dataset(dataset)
        if epoch_length is None:
            epoch_length = sum(part.size for part in self.parts)
        #: Records of each part in an epoch.
        self.quotas = _quotas_of(self.parts, ratios, epoch_length)
        self.epoch_length = epoch_length
        processes = self.world_size
        self.total_size = (
            math.ceil(epoch_length / processes) * processes
            if round_up else epoch_length)
        #: Records of an epoch that this process draws.
        self.num_samples = math.ceil(
            (self.total_size - self.rank) / processes)
        if self.rank == 0:
            print_log(self.describe(), logger='current')

    def describe(self) -> str:
        """What is drawn from each part, in words."""
        lines = [f'RatioSampler: {self.epoch_length:,} records an epoch:']
        for part, quota in zip(self.parts, self.quotas):
            lines.append(
                f'  {part.name}: {part.size:,} records, {quota:,} drawn an '
                f'epoch ({quota / self.epoch_length:.2%}), each seen '
                f'{quota / part.size:.3g} times' if quota else
                f'  {part.name}: {part.size:,} records, none drawn')
        return '\n'.join(lines)

    def __iter__(self) -> Iterator[int]:
        """Iterate over the indices of this process."""
        order = self._order()
        # Indices of the whole set, part after part, and how many passes over
        # its part the epoch began before.
        drawn = torch.empty(self.epoch_length, dtype=torch.int64)
        turns = torch.empty(self.epoch_length, dtype=torch.int32)
        for number, (some, others) in enumerate(zip(
                drawn.split(self.quotas), turns.split(self.quotas))):
            self._draw_part(number, some, others)
        # A few at once: Python's integers take four times the memory.
        step = 4096 * self.world_size
        for begin in range(self.rank, self.total_size, step):
            places = order[torch.arange(
                begin, min(begin + step, self.total_size),
                self.world_size) % self.epoch_length]
            for index, turn in zip(drawn[places].tolist(),
                                   turns[places].tolist()):
                yield Draw(index, turn) if turn else index

    def _draw_part(self, number: int, drawn: Tensor, turns: Tensor) -> None:
        """Draw what this epoch has of a part: indices, int64 (quota, ), and
        how many passes over the part the epoch began before, int32.
        """
        part, quota = self.parts[number], self.quotas[number]
        # On from where the endless row of passes over the part was left.
        done, at = 0, self.epoch * quota
        while done < quota:
            turn, begin = divmod(at + done, part.size)
            count = min(part.size - begin, quota - done)
            one_pass = (
                torch.randperm(
                    part.size, generator=self._generator(number, turn))
                if self.shuffle else torch.arange(part.size))
            drawn[done:done + count] = one_pass[begin:begin + count]
            turns[done:done + count] = turn - at // part.size
            done += count
        drawn += part.begin

    def _order(self) -> Tensor:
        """What of the parts, one after the other, comes first, second ...

        The epoch is cut into as many equal spans as a part has records in it,
        and each of them falls into one span, anywhere in it.

        Returns:
            Tensor: A permutation, shape (epoch_length, ), int64.
        """
        generator = self._generator(_ORDER, self.epoch)
        times = torch.full((self.epoch_length, ), 0.5, dtype=torch.float64)
        if self.shuffle:
            times.uniform_(generator=generator)
        for some in times.split(self.quotas):
            some.add_(torch.arange(len(some))).div_(max(len(some), 1))
        return torch.argsort(times, stable=True)

    def _generator(self, *numbers: int) -> torch.Generator:
        """A generator seeded with these and the seed."""
        # torch takes 63 bits.
        return torch.Generator().manual_seed(mix(self.seed, *numbers) >> 1)

    def __len__(self) -> int:
        """The number of samples of this process."""
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch, on which the draw depends.

        Args:
            epoch (int): From 0.
        """
        self.epoch = epoch


def _quotas_of(parts: Sequence[Part], ratios: Optional[Sequence[float]],
               total: int) -> List[int]:
    """How many of ``total`` records each part gives, in these proportions."""
    if ratios is None:
        ratios = [part.size for part in parts]
    listing = ''.join(f'\n  {part.name} ({part.size:,} records)'
                      for part in parts)
    if len(ratios) != len(parts):
        raise UserError(f'{len(ratios)} ratios for {len(parts)} part(s) of '
                        f'the set. Give one for each of:{listing}')
    if not all(0 <= ratio < math.inf for ratio in ratios) or not any(ratios):
        raise UserError(f'ratios={list(ratios)}: give numbers from 0 on, at '
                        f'least one of them above 0, for:{listing}')
    if total < 1:
        raise UserError(f'epoch_length is {total}. Give 1 or more.')
    quotas = _apportion(ratios, total)
    for part, ratio, quota in zip(parts, ratios, quotas):
        if ratio and not part.size:
            raise UserError(f'{part.name} has no records to draw, and its '
                            f'ratio is {ratio:g}. Leave it out with 0.')
        if ratio and not quota:
            raise UserError(
                f'With a ratio of {ratio:g}, none of the {total:,} records of '
                f'an epoch is one of {part.name}. Raise the ratio or '
                'epoch_length, or leave the part out with 0.')
    return quotas


def _apportion(ratios: Sequence[float], total: int) -> List[int]:
    """Whole numbers in these proportions, as near as can be (Hamilton's)."""
    # Fractions, lest rounding gives away more than there is.
    weights = [Fraction(float(ratio)) for ratio in ratios]
    exact = [weight * total / sum(weights) for weight in weights]
    quotas = [math.floor(share) for share in exact]
    by_rest = sorted(
        range(len(exact)), key=lambda number: quotas[number] - exact[number])
    for number in by_rest[:total - sum(quotas)]:
        quotas[number] += 1
    return quotas
