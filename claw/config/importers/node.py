"""JavaScript is asked what it exports, as pm2 does it: that runs the file."""

import json
import shutil
import subprocess

from claw.errors import UsageError

_PATIENCE_S = 30.0
_PROGRAM = """
const found = require(process.argv[1]);
const made = typeof found === "function" ? found() : found.default || found;
Promise.resolve(made).then((one) => process.stdout.write("\\n" + JSON.stringify(one)));
"""


def exports_of(path: str, folder: str) -> object:
    """Return what a module exports.

    Args:
        path: Its absolute path.
        folder: The folder that it is run in.

    Raises:
        UsageError: There is no node, or it does not tell.
    """
    node = shutil.which("node")
    if node is None:
        raise UsageError(
            f"{path} is JavaScript, and there is no node here",
            hint="give its applications as JSON",
        )
    try:
        done = subprocess.run(  # noqa: S603
            [node, "-e", _PROGRAM, path],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_S,
            check=True,
        )
        found: object = json.loads(done.stdout.decode().rpartition("\n")[2])
    except subprocess.CalledProcessError as error:
        lines = error.stderr.decode(errors="replace").strip().splitlines()
        why = next((line for line in lines if "Error" in line), "it fails")
        raise UsageError(f"{path}: node says: {why}") from None
    except (OSError, ValueError, subprocess.TimeoutExpired):
        raise UsageError(f"{path}: node does not tell what it exports") from None
    return found
