"""Groups of frozen patches, of features that tell letters apart or do not."""
import numpy as np
import torch
from mmocr.registry import MODELS

from lmim.evaluation.letter_groups import (compare_groups, fit_head,
                                           head_groups, kmeans_groups,
                                           patch_letters, scores)
from lmim.evaluation.partitions import score_groups
from lmim.evaluation.probes import draw_words


def test_patches_show_the_letter_that_has_most_of_them():
    letters = np.zeros((1, 4, 8), np.uint8)
    letters[0, :, 1:5], letters[0, 0, 5:7] = 2, 1
    assert patch_letters(letters, (1, 2)).tolist() == [[[1, 1]]]
    assert patch_letters(letters, (2, 4)).tolist() == [[[1, 1, 1, 0],
                                                        [1, 1, 1, 0]]]


def draw(count, generator):
    """Patches of three letters of 3 to 6 columns, each of one direction."""
    widths = torch.randint(3, 7, (count, 3), generator=generator)
    which = (torch.arange(16) >= widths.cumsum(1)[..., None]).sum(1)
    which = which.clamp_max(2)
    kinds = torch.rand(count, 8, generator=generator).argsort(1)[:, :3]
    noise = torch.randn(count, 16, 32, generator=generator)
    return (torch.eye(32)[kinds.gather(1, which)] + 0.05 * noise,
            which[:, None].numpy() + 1)


def test_a_head_finds_letters_that_features_tell():
    """Better than k-means, which starts from parts of equal width."""
    generator = torch.Generator().manual_seed(0)
    seen, _ = draw(200, generator)
    new, letters = draw(40, generator)
    mean = seen.mean(dim=(0, 1))
    head = fit_head(seen - mean, (1, 16), (4, ), steps=180)
    groups, = head_groups(head, new - mean)
    assert groups.shape == (40, 1, 16) and groups.max() <= 3
    found, _ = score_groups(groups.numpy(), letters)
    plain, _ = score_groups(
        kmeans_groups(new - mean, (1, 16), 4).numpy(), letters)
    assert found > 0.85 > plain
    # The same by the same seed.
    short = [fit_head(seen, (1, 16), (4, ), steps=2) for _ in range(2)]
    assert all(map(torch.equal, *(head.state_dict().values()
                                  for head in short)))


def test_all_kinds_are_compared():
    encoder = MODELS.build(dict(
        type='TextViT', patch_size=(32, 4), pos_embed='grid', _scope_='mmocr',
        arch=dict(embed_dims=16, num_layers=1, num_heads=4,
                  feedforward_channels=16)))
    encoder.init_weights()
    settings = dict(style='print', lengths=(3, 4))
    train, test = (draw_words(6, (32, 128), part, **settings)
                   for part in ('train', 'test'))
    assert not set(train.texts) & set(test.texts)
    found = compare_groups({'one': encoder.eval()}, train, test, (4, 2), 2)
    assert [each[:3] for each in found] == [
        (name, method, count) for name, method in (
            ('one', 'HSG'), ('one', 'k-means'), ('random encoder', 'HSG'),
            ('random encoder', 'k-means'), ('colours', 'k-means'),
            ('', 'equal widths')) for count in (4, 2)] + [('', 'letters', 0)]
    assert found[-1].ari > 0.95 and found[-1].iou > 0.95
    assert all(each.maps.shape == (6, 32, 128) for each in found)
    assert all(len(np.unique(each.maps)) <= (each.groups or 4)
               for each in found)
    assert list(scores(found)[0]) == ['features', 'method', 'groups', 'ari',
                                      'iou']
