"""What a comparison's config says, and what is refused."""
from pathlib import Path
from typing import Any, Dict

import pytest

from lmim.comparison.protocol import read_protocol
from lmim.utils.errors import UserError

CONFIG = """
methods = dict(
    scratch=dict(),
    half=dict(config='mae.py', share=0.25),
    mae=dict(config='mae.py'),
    lmim=dict(config='sub/lmim.py', teacher='half', passes=2,
              options={'model.branches': 'none'}))
compared = ['scratch', 'lmim', 'mae']
labels = [dict(words=100, batches=30), dict(words='all', batches=90)]
seeds = [0, 1]
unlabelled = ['a', 'b']
labelled = 'c'
tests = dict(IC13='d')
pretraining = dict(views=6400, batch_size=16)
finetuning = dict(config='recognizer.py', batch_size=8)
"""


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / 'comparison.py'
    path.write_text(CONFIG)
    return str(path)


def test_budgets_are_equal_with_the_teacher_counted(config, tmp_path):
    protocol = read_protocol(config, {})
    # lmim goes after its teacher, which is not compared itself.
    assert protocol.pretrained() == ['half', 'lmim', 'mae']
    assert protocol.updates('mae') == 6400 / 16
    assert protocol.updates('half') == 6400 * 0.25 / 16
    assert protocol.updates('lmim') == 6400 * 0.75 / 2 / 16
    lmim = protocol.methods['lmim']
    assert lmim.config == tmp_path / 'sub/lmim.py'
    assert lmim.options == {'model.branches': 'none'}


def test_methods_may_have_equal_time(config):
    """Updates of either training are divided by what one takes."""
    protocol = read_protocol(config, {'methods.mae.recognizer_passes': 4,
                                      'methods.mae.passes': 2.5})
    few, every = protocol.labels
    assert [protocol.batches('mae', few), protocol.batches('mae', every)] == [
        8, 22]
    assert protocol.batches('lmim', every) == 90
    assert protocol.updates('mae') == 6400 / 2.5 / 16


def test_label_counts_by_name(config):
    protocol = read_protocol(config, {})
    assert [count.name for count in protocol.labels] == ['100', 'all']
    # Another number has the updates of the next larger one.
    assert protocol.label_count('50') == (50, 30)
    assert protocol.label_count('101') == (101, 90)
    assert protocol.label_count('all') == (None, 90)
    with pytest.raises(UserError, match="not 'many'"):
        protocol.label_count('many')


@pytest.mark.parametrize(('changes', 'message'), [
    (dict(compared=['sratch']), "no method 'sratch': there are scratch, half"),
    (dict(methods=dict(mae=dict(view=2))), 'has no setting view; it has'),
    (dict(methods=dict(lmim=dict(teacher='scratch'))),
     "'scratch', which is no method that is pre-trained"),
    (dict(methods=dict(half=dict(share=1.0))), 'nothing is left'),
    (dict(held_out=1.5), 'held_out is a part'),
    (dict(held_out=0, tests={'_delete_': True}), 'set held_out'),
    (dict(pretraining={'_delete_': True}), 'is no comparison'),
])
def test_what_makes_no_sense_is_refused(config, changes: Dict[str, Any],
                                        message):
    with pytest.raises(UserError, match=message):
        read_protocol(config, changes)
