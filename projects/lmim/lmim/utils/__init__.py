"""Atomic files, log, progress, characters and errors: for all folders."""
