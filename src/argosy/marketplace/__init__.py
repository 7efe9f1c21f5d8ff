"""What a seller says in `[marketplace]` of argosy.toml, and what CreateModelPackage is told of it.

The tables take anything of the right type: whether a listing is complete is for `argosy check` to say, never for
`argosy build` to refuse.
"""
