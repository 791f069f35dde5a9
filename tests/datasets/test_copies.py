"""Pictures that look the same, and the search for them."""
from pathlib import Path
from typing import List

import cv2
import numpy as np
import pytest

from lmim.datasets import copies
from lmim.datasets.copies import (BANDS, FINGERPRINT, KINDS, LEAST_CORRELATION,
                                  MOST_BITS, MOST_DIFFERENCE, band, compare,
                                  distance, find_copies, grey, perceptual_hash,
                                  similar_pairs)


@pytest.fixture(scope='module')
def words(shared_data: Path) -> List[np.ndarray]:
    """Ten real words, in grey."""
    paths = sorted((shared_data / 'rec_toy_dataset' / 'imgs').glob('*.jpg'))
    return [grey(cv2.imread(str(path))) for path in paths]


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    data = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(data, cv2.IMREAD_UNCHANGED)


def hashes(images: List[np.ndarray]) -> np.ndarray:
    return np.stack([perceptual_hash(x) for x in images])


@pytest.mark.parametrize('change', ['jpeg', 'half', 'larger'])
def test_real_words_are_known_again(words: List[np.ndarray],
                                    change: str) -> None:
    changed = [
        jpeg(word, 75) if change == 'jpeg' else
        cv2.resize(word, None, fx=1.5, fy=1.5) if change == 'larger' else
        cv2.resize(word, (word.shape[1] // 2, word.shape[0] // 2),
                   interpolation=cv2.INTER_AREA) for word in words
    ]
    ours, theirs = hashes(words), hashes(changed)
    assert distance(ours, theirs).max() <= MOST_BITS
    shared = [band(ours, n) == band(theirs, n) for n in range(BANDS)]
    # Chance decides; one of these words is left with 15x17 pixels.
    assert np.any(shared, axis=0).sum() >= 9 + (change != 'half')
    alike = np.array([compare(a, b) for a, b in zip(words, changed)])
    assert alike[:, 0].min() >= LEAST_CORRELATION
    assert alike[:, 1].max() <= MOST_DIFFERENCE


def test_different_words_are_told_apart(words: List[np.ndarray]) -> None:
    pairs = [(i, j) for i in range(len(words)) for j in range(i)]
    left, right = map(list, zip(*pairs))
    found = hashes(words)
    assert distance(found[left], found[right]).min() > MOST_BITS
    assert max(compare(words[i], words[j])[0] for i, j in pairs) < 0.9


def test_comparison_in_numbers() -> None:
    ramp = np.tile(np.arange(0, 200, 10, dtype=np.uint8), (8, 1))
    assert compare(ramp, ramp + 5) == pytest.approx((1, 5))
    assert compare(ramp, ramp[:, ::-1])[0] == pytest.approx(-1)
    assert compare(ramp, np.full_like(ramp, 95)) == pytest.approx((0, 50),
                                                                  abs=1)


@pytest.mark.parametrize('same', [False, True])
def test_search_finds_what_comparing_all_finds(
        same: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """In small chunks, with a crowd that shares all bands."""
    monkeypatch.setattr(copies, 'AT_ONCE', 7)
    random = np.random.default_rng(1)
    left = np.zeros(120, FINGERPRINT)
    base = random.integers(0, 256, (40, 3 * BANDS), np.uint8)
    # Four bits each: two differ in eight, so that two bands of ten agree.
    flips = np.zeros((120, 3 * BANDS), np.uint8)
    for row in flips:
        row[random.choice(3 * BANDS, 4, False)] = 1 << random.integers(0, 8)
    left['hash'] = base.repeat(3, axis=0) ^ flips
    left['hash'][:20] = left['hash'][0]
    left['aspect'] = random.choice([1.0, 3.0], len(left), p=[0.7, 0.3])
    right = left if same else left[::3].copy()
    if not same:
        right['hash'], right['aspect'] = base, 1
    found = np.concatenate([*similar_pairs(left, right, same)])
    wanted = []
    for i in range(len(left)):
        bits = distance(left['hash'][i:i + 1], right['hash'])
        wanted += [
            [i, j] for j in np.flatnonzero(
                (bits <= MOST_BITS) & (left['aspect'][i] == right['aspect']))
            if i < j or not same]
    assert np.unique(found, axis=0).tolist() == wanted and len(wanted) > 60
    assert distance(left['hash'][:1], ~left['hash'][:1]).tolist() == [240]


def prints_of(*rows: str) -> np.ndarray:
    """Made fingerprints: bytes, pixels and look, a letter each; '' is
    unreadable."""
    prints = np.zeros(len(rows), FINGERPRINT)
    looks = np.random.default_rng(2).integers(0, 256, (128, 30), np.uint8)
    for number, row in enumerate(rows):
        if row:
            prints[number]['bytes'], prints[number]['pixels'] = map(
                ord, row[:2])
            prints[number]['aspect'] = 1
            prints[number]['hash'] = looks[ord(row[2])]
    return prints


def alike(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Says of each pair that it is alike, those of low numbers most."""
    return 1 - (left + right) / 100


def kinds(of: np.ndarray) -> List[str]:
    return [KINDS[kind] for kind in of]


def test_copies_inside_a_set() -> None:
    """The first of a picture stays, and of a chain each second one."""
    prints = prints_of('apX', '', 'apX', 'bpX', 'cqX', 'dqX', 'erY')
    found = find_copies(prints, None, alike)
    assert kinds(found.kind) == ['', '', 'bytes', 'pixels', 'near', 'pixels',
                                 '']
    assert found.of.tolist() == [-1, -1, 0, 0, 0, 4, -1]

    def neighbours(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        return np.where(right - left == 1, 1.0, np.nan)

    chain = find_copies(prints_of('apX', 'bqX', 'crX', 'dsX'), None,
                        neighbours)
    assert chain.of.tolist() == [-1, 0, -1, 2]
