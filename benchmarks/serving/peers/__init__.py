"""The servers that ours is measured against: a folder each, with what it is made of and how it is set."""
