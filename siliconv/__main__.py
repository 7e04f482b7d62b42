"""Entry point: ``siliconv`` and ``python -m siliconv``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    from siliconv.commands.cli import run_command_line
    from siliconv.commands.plain_streams import plain_where_needed

    plain_where_needed(sys.stdout, sys.stderr)
    sys.exit(run_command_line())


if __name__ == "__main__":
    main()
