"""`lmim doctor`, also where lmim cannot be imported."""
import runpy
from pathlib import Path

runpy.run_path(str(Path(__file__).resolve().parents[1] /
                   'projects/lmim/lmim/cli/doctor.py'), run_name='__main__')
