"""Measured sides in words."""
from typing import Any, Dict


def rates_table(rows: Dict[str, Dict[str, Any]]) -> str:
    """A line for each side.

    Args:
        rows (Dict[str, Dict]): As of :func:`.turns.take_turns`, with
            ``share`` where the share of the machine's peak is known.
    """
    width = 1 + max(map(len, rows))
    shares = any('share' in row for row in rows.values())
    lines = [f'{"":{width}}{"images/s":>10}{"slowest":>10}{"fastest":>10}'
             f'{"ratio":>8}  {"round by round":20}{"peak MB":>9}'
             + (f'{"of matrix peak":>20}' if shares else '')]
    for name, row in rows.items():
        ratios = (f'{min(row["ratios"]):.2f} to {max(row["ratios"]):.2f}'
                  f' in {len(row["ratios"])}')
        peak = '-' if row['peak_mb'] is None else f'{row["peak_mb"]:,}'
        share = ''
        if shares:
            share = (f'{row["share"]:.1%} of {row["precision"]}')
        lines.append(
            f'{name:{width}}{row["median"]:10,.1f}{min(row["rounds"]):10,.1f}'
            f'{max(row["rounds"]):10,.1f}{row["ratio"]:8.2f}  {ratios:20}'
            f'{peak:>9}{share:>20}'.rstrip())
    return '\n'.join(lines)
