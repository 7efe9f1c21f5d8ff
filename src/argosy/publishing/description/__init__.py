"""What can be said of an image without its seller: what it takes and gives, samples, how to call it, how quick it is.

Half of it is asked (`/openapi.json`), half measured in a run of the image over the seller's own samples. What the
seller says in argosy.toml wins, field by field.
"""
