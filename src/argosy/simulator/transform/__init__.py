"""Transform jobs: split -> mini-batches -> invocations -> assemble, over every object of an input folder."""
