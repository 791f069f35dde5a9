"""Which patches are hidden."""
import pytest
import torch

from lmim.models.layers import BlockMasking, RandomMasking, masking_from_noise

CPU = torch.device('cpu')


@pytest.mark.parametrize('ratio, keep', [(0.8, 51), (0.6, 102), (0.9, 25),
                                         (0.75, 64)])
@pytest.mark.parametrize('kind', [RandomMasking, BlockMasking])
def test_every_image_keeps_the_papers_number_of_patches(kind, ratio, keep):
    masking = kind(ratio)(5, (8, 32), CPU)
    assert masking.ids_keep.shape == (5, keep)
    assert (masking.mask == 0).sum(dim=1).tolist() == [keep] * 5
    assert (masking.mask == 1).sum(dim=1).tolist() == [256 - keep] * 5


def test_a_whole_number_of_patches_is_not_rounded_down():
    # 100 * (1 - 0.9) is 9.999999999999998 in floating point.
    assert RandomMasking(0.9).num_keep(100) == 10


def test_smallest_noise_is_kept():
    noise = torch.tensor([[0.3, 0.1, 0.9, 0.2]])
    masking = masking_from_noise(noise, 2)
    assert masking.ids_keep.tolist() == [[1, 3]]
    assert masking.mask.tolist() == [[1, 0, 1, 0]]
    shuffled = torch.tensor([[1, 3, 0, 2]])
    assert shuffled.gather(1, masking.ids_restore).tolist() == [[0, 1, 2, 3]]


def test_block_masks_are_made_of_blocks():
    """Hidden patches lie together far more often than at random."""
    torch.manual_seed(0)

    def neighbours_alike(masking) -> float:
        mask = masking.mask.view(-1, 8, 32)
        return (mask[:, :, 1:] == mask[:, :, :-1]).float().mean().item()

    block = neighbours_alike(BlockMasking(0.6)(64, (8, 32), CPU))
    random = neighbours_alike(RandomMasking(0.6)(64, (8, 32), CPU))
    # At random two patches are alike with 0.6 ** 2 + 0.4 ** 2 = 0.52.
    assert random == pytest.approx(0.52, abs=0.02)
    assert block > 0.8


@pytest.mark.parametrize('kind', [RandomMasking, BlockMasking])
def test_processes_share_the_masks_of_the_global_batch(kind):
    masking = kind(0.6)
    masking.seed_masks(7)
    whole = masking(6, (4, 8), CPU).mask
    parts = []
    for rank in range(2):
        masking.seed_masks(7, rank, world_size=2)
        parts.append(masking(3, (4, 8), CPU).mask)
    assert torch.equal(whole[0::2], parts[0])
    assert torch.equal(whole[1::2], parts[1])
    assert not torch.equal(parts[0], parts[1])


@pytest.mark.parametrize('ratio', [0, 1, 1.2])
def test_a_ratio_outside_its_range_is_refused(ratio):
    with pytest.raises(ValueError, match='between 0 and 1'):
        RandomMasking(ratio)
