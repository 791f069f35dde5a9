"""Programs of torch.export give what the model does."""
from typing import Any, Callable, List

import numpy as np
import pytest
import torch

from lmim.export import ExportError, torch_files
from lmim.export.graphs import WholeGraph
from lmim.export.onnx_reader import resize
from lmim.export.preprocessing import facts_of_recognizer
from lmim.apis import TextRecognizer


def parts(kind: str, exported: Callable[[str], Any],
          words: List[np.ndarray]) -> Any:
    """The graph of a recognizer, and pixels for it."""
    recognizer = TextRecognizer(exported(kind).checkpoint, device='cpu')
    facts = facts_of_recognizer(recognizer.model, recognizer.cfg)
    return (WholeGraph(recognizer.model, facts),
            resize(words, facts._asdict()))


@pytest.mark.parametrize('kind', ['ctc', 'parallel'])
def test_any_number_of_pictures(kind, exported, words, torch_readings,
                                tmp_path):
    path = tmp_path / 'recognizer.pt2'
    graph, pixels = parts(kind, exported, words)
    assert torch_files.write_program(graph, path, pixels) < 1e-5
    _, classes, chances = torch.export.load(path).module()(
        torch.from_numpy(pixels))
    assert classes.shape[0] == 7
    for reading, row in zip(torch_readings(kind), chances):
        assert float(row.max()) >= max(reading.char_scores) - 1e-5


def test_another_result_is_refused(exported, words, tmp_path, monkeypatch):
    graph, pixels = parts('ctc', exported, words)
    load = torch.export.load

    def other(path):
        program = load(path)
        program.state_dict['normalize.mean'].fill_(90.)
        return program

    monkeypatch.setattr(torch.export, 'load', other)
    with pytest.raises(ExportError, match='Nothing was written'):
        torch_files.write_program(graph, tmp_path / 'x.pt2', pixels)
