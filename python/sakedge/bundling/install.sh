#!/bin/sh
# Installs this bundle: needs a shell and a Python, and no network. `./install.sh --help` says more.
# A byte that changed here is found by installer.pyz, one that changed there is found here.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P) || exit 1
found=
for python in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
    command -v "$python" >/dev/null 2>&1 || continue
    "$python" -I -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || continue
    found=$python
    break
done
if [ -z "$found" ]; then
    echo "install.sh: there is no Python 3.10 or newer on the PATH" >&2
    echo "Name one yourself: /where/it/is/python3 -I $here/installer.pyz $here" >&2
    exit 1
fi
bundle=$here
case $1 in
    '' | -*) ;;
    *) bundle=$1 && shift ;;
esac
"$found" -I -c '
import hashlib, pathlib, sys

def check(name, is_good):
    if not is_good:
        sys.exit("refused: " + name + " is not what was shipped. Copy the bundle again.")

here = pathlib.Path(sys.argv[1])
head, _, rows = (here / "SHA256SUMS").read_bytes().partition(b"\n")
check("SHA256SUMS", head[-64:] == hashlib.sha256(rows).hexdigest().encode())
for name in ("install.sh", "installer.pyz"):
    digest = hashlib.sha256((here / name).read_bytes()).hexdigest()
    check(name, (digest + "  " + name).encode() in rows.split(b"\n"))
' "$here" || {
    echo "install.sh: nothing was done" >&2
    exit 1
}
exec "$found" -I "$here/installer.pyz" "$bundle" "$@"
