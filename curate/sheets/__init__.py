"""Reference sheets: who and what is on one, from which moments of a film, how it is made and what is found on it."""
