"""Pictures that look the same, and the search for them."""
from pathlib import Path
from typing import List

import cv2
import numpy as np
import pytest

from lmim.datasets.duplicates import near_search, perceptual_hash
from lmim.datasets.duplicates.fingerprints import NO_HASH, fingerprint, gather
from lmim.datasets.duplicates.near_search import NearSearch, unique_pairs
from lmim.datasets.duplicates.perceptual_hash import (
    LEAST_CORRELATION,
    MOST_BITS,
    MOST_DIFFERENCE,
    WORDS,
    band,
    compare,
    distance,
    grey,
)
from lmim.datasets.records import open_sources
from lmim.datasets.duplicates.twins import KINDS, find_twins
from tests.datasets.make_lmdb import make_lmdb, picture


@pytest.fixture(scope='module')
def words(shared_data: Path) -> List[np.ndarray]:
    """Ten real words, in grey."""
    paths = sorted((shared_data / 'rec_toy_dataset' / 'imgs').glob('*.jpg'))
    return [grey(cv2.imread(str(path))) for path in paths]


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    data = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(data, cv2.IMREAD_UNCHANGED)


def hashes(images: List[np.ndarray]) -> np.ndarray:
    return np.stack([perceptual_hash.perceptual_hash(x) for x in images])


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
    shared = [band(ours, n) == band(theirs, n)
              for n in range(perceptual_hash.BANDS)]
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


def test_bits_are_counted_alike_on_old_numpy(
        monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    left, right = random.integers(0, 2**48, (2, 500, WORDS), np.uint64)
    wanted = [sum(bin(int(a) ^ int(b)).count('1') for a, b in zip(*pair))
              for pair in zip(left, right)]
    assert distance(left, right).tolist() == wanted
    monkeypatch.delattr(np, 'bitwise_count', raising=False)
    assert distance(left, right).tolist() == wanted


@pytest.mark.parametrize('same', [False, True])
def test_search_finds_what_comparing_all_finds(
        same: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """In small chunks, with a crowd that shares all bands."""
    monkeypatch.setattr(near_search, 'AT_ONCE', 7)
    random = np.random.default_rng(1)
    base = random.integers(0, 2**48, (40, WORDS), np.uint64)
    flips = np.uint64(1) << random.integers(0, 48, (120, WORDS), np.uint64)
    flips[:, 0] = 0
    # Four bits each: two differ in eight, so that two bands of ten agree.
    left = base.repeat(3, axis=0) ^ flips
    left[:20] = left[0]
    right = left if same else base
    sides = random.choice([1.0, 3.0], len(left)), None
    aspects = sides[0], sides[0] if same else np.ones(len(right))
    search = NearSearch(left, aspects[0], right, aspects[1], same)
    found = unique_pairs([*search.steps()])
    wanted = []
    for i in range(len(left)):
        for j in range(len(right)):
            bits = int(distance(left[i:i + 1], right[j:j + 1])[0])
            if (bits <= MOST_BITS and aspects[0][i] == aspects[1][j]
                    and (i < j or not same)):
                wanted.append((i, j, bits))
    assert list(zip(*map(np.ndarray.tolist, found))) == wanted
    assert len(wanted) > 60 and len(search) == 10


def test_fingerprints(tmp_path: Path, shared_data: Path) -> None:
    """The bytes, the pixels, and what cannot be read."""
    image = cv2.imread(str(
        shared_data / 'rec_toy_dataset' / 'imgs' / '1036169.jpg'))
    files = [cv2.imencode('.png', image, [cv2.IMWRITE_PNG_COMPRESSION, n])[1]
             .tobytes() for n in (1, 1, 9)]
    source = open_sources(make_lmdb(
        tmp_path / 'x.lmdb', [*files, picture(7), b'broken', None]))
    prints, lost = gather(
        (fingerprint(source, i) for i in range(6)), 6)
    assert prints['bytes'][0] == prints['bytes'][1] != prints['bytes'][2]
    assert len(set(prints['pixels'][:3].tolist())) == 1
    assert prints['pixels'][3] != prints['pixels'][0]
    assert (prints['hash'][:3] < 2**48).all()
    assert (prints['hash'][3:] == NO_HASH).all()  # one colour: plain
    assert prints['aspect'][0] == pytest.approx(
        image.shape[1] / image.shape[0])
    assert (prints['aspect'] > 0).tolist() == [True] * 4 + [False] * 2
    assert [one.number for one in lost] == [4, 5]
    assert 'no image' in lost[0].reason


def prints_of(*rows: str) -> np.ndarray:
    """Made fingerprints: bytes, pixels and look, a letter each; '' is
    unreadable."""
    prints = np.zeros(len(rows), gather([], 0)[0].dtype)
    prints['hash'] = NO_HASH
    random = np.random.default_rng(2)
    looks = random.integers(0, 2**48, (128, WORDS), np.uint64)
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


def kinds(found: np.ndarray) -> List[str]:
    return [KINDS[kind] for kind in found]


def test_twins_in_another_set() -> None:
    left = prints_of('apX', 'bpX', 'cqX', 'drY', '', 'esZ', 'etW')
    right = prints_of('', 'bpX', 'zrY', 'yuX', 'xvV', 'bpX')
    twins = find_twins(left, right, alike)
    assert kinds(twins.kind) == ['pixels', 'bytes', 'near', 'pixels', '', '',
                                 '']
    assert twins.twin.tolist() == [1, 1, 1, 2, -1, -1, -1]
    # uX looks like the left X, too; both records of bpX are in the left set.
    assert twins.found.tolist() == [False, True, True, True, False, True]
    assert twins.correlation[2] == pytest.approx(0.97)
    exact = find_twins(left, right)
    assert kinds(exact.kind) == ['pixels', 'bytes', '', 'pixels', '', '', '']
    assert exact.found.tolist() == [False, True, True, False, False, True]


def test_pairs_that_do_not_look_the_same_are_none() -> None:
    left, right = prints_of('apX', 'bqY'), prints_of('crX', 'dsY')
    twins = find_twins(left, right, lambda a, b: np.where(a == 0, np.nan, 1))
    assert kinds(twins.kind) == ['', 'near']


def test_twins_inside_a_set() -> None:
    """The first of a picture stays, and of a chain each second one."""
    prints = prints_of('apX', '', 'apX', 'bpX', 'cqX', 'dqX', 'erY')
    twins = find_twins(prints, verify=alike)
    assert kinds(twins.kind) == ['', '', 'bytes', 'pixels', 'near', 'pixels',
                                 '']
    assert twins.twin.tolist() == [-1, -1, 0, 0, 0, 4, -1]

    def neighbours(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        return np.where(right - left == 1, 1.0, np.nan)

    chain = find_twins(prints_of('apX', 'bqX', 'crX', 'dsX'),
                       verify=neighbours)
    assert chain.twin.tolist() == [-1, 0, -1, 2]
    assert chain.found.tolist() == [True, False, True, False]
