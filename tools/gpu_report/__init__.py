"""Proofs and measurements on a GPU, in order of worth, in limited time."""
