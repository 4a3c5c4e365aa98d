"""Entry: mounts this folder as a package of its own and serves it.

Started by path, so that neither the project nor its libraries can shadow, or be shadowed by, a
module of the probe: the folder does not stay on ``sys.path``.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

NAME = "qa_runner_database_probe"


def main() -> None:
    """Serve until stdin closes."""
    folder = Path(__file__).resolve().parent
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != folder]
    spec = importlib.util.spec_from_file_location(
        NAME, str(folder / "__init__.py"), submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(folder)
    package = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = package
    spec.loader.exec_module(package)
    importlib.import_module(NAME + ".serve").serve()


if __name__ == "__main__":
    main()
