"""`python -m tests.foreign FOLDER NAME...`: images as OCI layouts, with the model.tar.gz of those that need one."""

import argparse
from pathlib import Path

from tests.foreign.layouts import SIDE_BY_SIDE, write
from tests.foreign.stock import NAMES

parser = argparse.ArgumentParser(prog="python -m tests.foreign", description=__doc__)
parser.add_argument("folder", type=Path)
parser.add_argument("names", nargs="+", choices=sorted({*NAMES, *SIDE_BY_SIDE}))
parser.add_argument("--bake", action="store_true", help="put the artifacts into the images instead")
arguments = parser.parse_args()
write(arguments.folder, arguments.names, bakes=arguments.bake)
