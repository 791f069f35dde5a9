"""Looks for what is wrong with an installation, and tells what mends it.

It has to run where `import lmim` fails. So its modules import nothing but
Python's own library, the work is done in child processes (:mod:`.child`), and
only the functions that run there import what they look at. ``tools/doctor.py``
puts an empty package ``lmim`` in the place of the real one first; ``python -m
lmim doctor`` is caught by ``lmim/__init__.py``.
"""
