"""Dialogue scenes: who stands where in a part of a film, how they are put into one first frame, what is found on it."""
