"""Names in registries are MMOCR's here, as in configs."""
from typing import Iterator

import pytest
from mmengine.registry import DefaultScope


@pytest.fixture(autouse=True)
def names_of_mmocr() -> Iterator[None]:
    with DefaultScope.overwrite_default_scope('mmocr'):
        yield
