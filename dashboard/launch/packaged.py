"""Programs that come inside a wheel."""

import importlib.util
import os
import platform
from pathlib import Path

from dashboard.launch.home import CannotStart


def program(package: str, path: str, instead: str) -> Path:
    """The program's path; `instead` tells a person whose platform has none what to do."""
    spec = importlib.util.find_spec(package)
    if spec and spec.origin:
        found = Path(spec.origin).parent / path
        if os.access(found, os.X_OK):
            return found
    raise CannotStart(
        f"{package} brings no program for this platform ({platform.system()} "
        f"{platform.machine()}). {instead}"
    )
