"""What `tools/benchmark.py` measures.

`steps` has the models beside the plain reference, and the memory of a step;
`pipeline` reading and views. `models` builds what is measured, `measuring`
measures it. What ours is compared with is in `plain`.
"""
