"""What tests of record sources share."""
import pytest
from mmengine.logging import MMLogger


@pytest.fixture
def messages(monkeypatch, capsys):
    """Reads the messages since the last call, where no run has a logger."""
    monkeypatch.setattr(MMLogger, '_instance_dict', {})
    return lambda: capsys.readouterr().err
