"""Acts that start containers of their own: for transform jobs, with less than usual, with many models, in a pipeline.

What they see is in `scenes/batch.py`, `scenes/starts.py`, `scenes/models.py` and `scenes/pipeline.py`.
"""
