"""The checks of a project: what argosy.toml says of a model package and a product, judged before anything is sent.

One file a subject, one pure function a clause. All are asked only of what is to be sold: by the profile `marketplace`.
"""
