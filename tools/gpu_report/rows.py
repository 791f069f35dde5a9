"""What a part found: rows, each written to disk at once."""
import json
from pathlib import Path
from typing import Any, Dict, List

Row = Dict[str, Any]


class Rows:
    """Rows of one part, a JSON object in each line of a file.

    Args:
        path (Path): Of the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, table: str, **row: Any) -> None:
        """Write a row of a table; it is on the disk when this returns."""
        print(table, row, flush=True)
        with self.path.open('a', encoding='utf-8') as file:
            file.write(json.dumps({'table': table, **row}) + '\n')


def read_rows(path: Path) -> List[Row]:
    """The rows so far; a line that was cut off is left out."""
    if not path.exists():
        return []
    lines = path.read_text(encoding='utf-8').split('\n')
    return [json.loads(line) for line in lines[:-1]]
