"""Judgements on what one running endpoint was asked: a function and its clause for each demand."""
