"""The model cards: files that exist, figures that the documents state."""
import re
from typing import Any, Dict, List

import pytest
import yaml
from mmengine.config import Config

from lmim.checkpoints import open_checkpoint
from tests.documents import DOCS, REPO, table_rows

#: Where the model zoo has the figures of a card: heading of its table's
#: section, the words in the row's first cells.
ROWS = {
    ('10e', 'Union14M benchmark'): ['LMIM, 10 epochs'],
    ('20e', 'Union14M benchmark'): ['LMIM, 20 epochs'],
    ('20e', 'Six common sets, original labels'):
    ['LMIM, 20 epochs', 'original'],
    ('20e', 'Six common sets, corrected labels'):
    ['LMIM, 20 epochs', 'corrected'],
    ('60e', 'Chinese benchmark'): ['LMIM'],
}


@pytest.fixture(scope='module')
def cards() -> Dict[str, Any]:
    """All cards that the index names, as one."""
    index = yaml.safe_load((REPO / 'model-index.yml').read_text())
    found: Dict[str, Any] = {'Collections': [], 'Models': []}
    for path in index['Import']:
        for key, entries in yaml.safe_load(
                (REPO / path).read_text(encoding='utf-8')).items():
            found[key] += entries
    assert len(found['Models']) == 9
    return found


def paper_tables() -> List[Dict[str, str]]:
    """The rows of the paper's results, each by the heads of its columns."""
    text = (DOCS / 'model_zoo.md').read_text(encoding='utf-8')
    section = text.split('## Results of the paper\n')[1].split('\n## ')[0]
    rows, head = [], []
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip('|').split('|')]
        if not line.startswith('|') or set(line) <= set('|- '):
            continue
        if cells[0].startswith('method'):
            head = ['method', *cells[1:]]
        else:
            rows.append(dict(zip(head, cells)))
    assert len(rows) == 8
    return rows


def test_what_cards_name_exists(cards: Dict[str, Any]) -> None:
    names = [model['Name'] for model in cards['Models']]
    assert len(set(names)) == len(names)
    collections = {entry['Name'] for entry in cards['Collections']}
    for entry in cards['Collections']:
        assert (REPO / entry['README']).is_file()
    for model in cards['Models']:
        assert model['In Collection'] in collections
        cfg = Config.fromfile(REPO / model['Config'])
        if 'Weights' in model:
            assert (REPO / model['Weights']).is_file()
        metadata = model['Metadata']
        if 'Epochs' in metadata:
            assert metadata['Epochs'] == cfg.train_cfg.max_epochs
            processes = int(re.findall(r'_(\d+)xb', model['Config'])[0])
            assert metadata['Batch Size'] == (
                processes * cfg.train_dataloader.batch_size)
        for name in model.get('Downstream', []):
            assert name in names


def test_the_papers_figures_are_those_of_the_zoo(
        cards: Dict[str, Any]) -> None:
    rows = paper_tables()
    found = 0
    for model in cards['Models']:
        for result in model['Results'] or []:
            if result['Source'] != 'paper':
                continue
            epochs = re.findall(r'\d+e(?=_)', model['Name'])[0]
            words = ROWS[epochs, result['Dataset']]
            metrics = {key: str(value)
                       for key, value in result['Metrics'].items()}
            [row] = [row for row in rows if metrics.keys() <= row.keys()
                     and words == [row['method'], *(
                         [row['labels']] if 'labels' in row else [])]]
            assert metrics == {key: row[key] for key in row
                               if key not in ('method', 'labels')}
            found += 1
    assert found == len(ROWS)


def test_our_figures_are_those_of_the_quick_start(
        cards: Dict[str, Any]) -> None:
    [result] = [result for model in cards['Models']
                for result in model['Results'] or []
                if result['Source'] == 'ours' and 'Weights' not in model]
    told = [float(row[-1]) for row in table_rows(
        DOCS / 'model_zoo.md', 'Results of ours')]
    assert list(result['Metrics'].values()) == told == [63.4, 56.6]
    for page in ('README.md', 'README.zh-CN.md', 'docs/quickstart.md',
                 'docs/finetune.md', 'docs/zh/quickstart.md',
                 'docs/zh/finetune.md'):
        text = (REPO / page).read_text(encoding='utf-8')
        for figure in told:
            assert re.search(rf'{figure} ?%', text), page


def test_the_readers_figures_are_those_of_its_record(
        cards: Dict[str, Any]) -> None:
    [model] = [model for model in cards['Models'] if 'Weights' in model]
    [result] = model['Results']
    figures = open_checkpoint(REPO / model['Weights']).meta['record'][
        'figures']
    told = {name: figures[name]['WAICS'] for name in result['Metrics']}
    assert result['Metrics'] == told
    for page in ('README.md', 'README.zh-CN.md'):
        text = (REPO / page).read_text(encoding='utf-8')
        for name, figure in told.items():
            assert re.search(rf'{figure} ?%（{name}）|{figure} % \({name}\)',
                             text), (page, name)
