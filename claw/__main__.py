"""``python -m claw`` is clawctl; ``python -m claw clawd`` is the daemon."""

import importlib
import sys


def main() -> int:
    """Run the program that the first word names."""
    if sys.argv[1:2] == ["clawd"]:
        sys.argv[0:2] = ["clawd"]
        module = "claw.master.main"
    else:
        sys.argv[0] = "clawctl"
        module = "claw.cli.main"
    result: int = importlib.import_module(module).main()
    return result


if __name__ == "__main__":
    sys.exit(main())
