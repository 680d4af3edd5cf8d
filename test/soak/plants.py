"""Damage done on purpose to a line at rest, to see that the judge tells it: each plant, the word that must be said, and what undoes it."""
