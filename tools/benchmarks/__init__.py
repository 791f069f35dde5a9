"""What `tools/benchmark.py` measures.

`steps` has the models beside the plain reference, `pipeline` reading and
views, `memory` and `scaling` what a run needs. `models` builds what is
measured, `measuring` measures it. What ours is compared with is in `plain`.
"""
