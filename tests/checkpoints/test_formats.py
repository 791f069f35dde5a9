"""Names of weights in the field's checkpoints."""
import re

import pytest

from lmim.checkpoints import (FORMATS, CheckpointError, detect_format,
                              register_format)
from tests.checkpoints.tiny import weights_of


@pytest.mark.parametrize('key', ['lmim-pretrain', 'lmim-finetune', 'maerec',
                                 'mae', 'timm'])
def test_formats_of_methods_exclude_each_other(key):
    """So the order in which methods are imported does not matter."""
    names = weights_of(key)
    found = [kind.key for kind in FORMATS.values() if not kind.generic
             and all(any(re.match(marker, name) for name in names)
                     for marker in kind.markers)]
    assert found == ([] if key == 'timm' else [key])


def test_a_key_is_registered_once():
    with pytest.raises(ValueError, match='checkpoint format mae already'):
        register_format(FORMATS['mae'])


def test_unknown_names_are_refused():
    with pytest.raises(CheckpointError, match='layer1.conv.*Known are'):
        detect_format(['layer1.conv.weight'])
