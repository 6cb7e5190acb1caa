"""`installer.pyz`: the installer and the few modules of ours that it imports, in one file."""

from __future__ import annotations

import ast
import io
import zipfile
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]
_MAIN = "sakedge.bundling.installer.main"
_START = f"import sys\n\nfrom {_MAIN} import main\n\nsys.exit(main())\n"
_TIME = (1980, 1, 1, 0, 0, 0)
_STORED_MODE = 0o644 << 16


def make_installer() -> bytes:
    """The file: the same bytes for the same sakedge, readable as text, for nothing is compressed.

    Packages are empty in it, so that nothing is imported but what is needed.
    """
    modules = needed_modules()
    packages = {parent for name in modules for parent in _parents(name)} - set(modules)
    files = {"__main__.py": _START.encode()}
    files |= {f"{each.replace('.', '/')}/__init__.py": b"" for each in packages}
    files |= {f"{each.replace('.', '/')}.py": _source(each).read_bytes() for each in modules}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _TIME)
            info.external_attr = _STORED_MODE
            info.create_system = 3  # Unix, wherever it is made
            archive.writestr(info, files[name])
    return buffer.getvalue()


def needed_modules() -> tuple[str, ...]:
    """Our modules that the installer imports, by full name, packages left out."""
    found, pending = set[str](), [_MAIN]
    while pending:
        module = pending.pop()
        if module not in found:
            found.add(module)
            pending += [each for each in imports(_source(module)) if _source(each).is_file()]
    return tuple(sorted(found))


def imports(path: Path) -> list[str]:
    """Every module that a file imports, and every name as if it were one."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found += [node.module, *(f"{node.module}.{each.name}" for each in node.names)]
    return found


def _source(module: str) -> Path:
    return _PACKAGE.parent.joinpath(*module.split(".")).with_suffix(".py")


def _parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]
