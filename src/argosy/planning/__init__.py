"""Plans before every write: looking tells what would be called, applying looks again, calls, waits and remembers.

A step knows one thing that shall be there. Whether it is, is read from AWS each time and not from a file, so a run that
was killed anywhere is gone on with by running it again. What cannot be read back is in the journal, which is safe to
delete.
"""
