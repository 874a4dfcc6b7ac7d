"""Build, prove and pack training sets for LTX-2.3 LoRAs."""

import pathlib

from curate.guard import guard_torchvision

if not (pathlib.Path(__file__).parent / "recipes" / "__init__.py").is_file():
    raise ImportError("curate/recipes is not a link: clone again with `git clone -c core.symlinks=true`")

guard_torchvision()
__version__ = "0.1.0"
