"""Builds the native sender beside its source where there is a C compiler; without one uproar goes without it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = Path("src/uproar/native/sender.c")
LIBRARY = SOURCE.with_suffix(".so")
COMPILERS = (os.environ.get("CC", ""), "cc", "gcc", "clang")
FLAGS = ("-std=c11", "-O2", "-Wall", "-Wextra", "-shared", "-fPIC")


class NativeSender(BuildHookInterface):  # type: ignore[type-arg]
    """A wheel that holds the library is for this platform alone."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and say so when it cannot be done."""
        if self.target_name != "wheel":
            return
        if not sys.platform.startswith("linux") or not self._compiled():
            self.app.display_warning("the native sender is not built: uproar sends through its transports")
            return
        build_data["artifacts"].append(LIBRARY.as_posix())
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def _compiled(self) -> bool:
        compiler = next((found for name in COMPILERS if name and (found := shutil.which(name))), None)
        if compiler is None:
            return False
        command = [compiler, *FLAGS, SOURCE.as_posix(), "-o", LIBRARY.as_posix()]
        return subprocess.run(command, cwd=self.root, check=False).returncode == 0
