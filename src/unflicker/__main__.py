"""Start of the program: `unflicker`, or `python -m unflicker`."""

import signal


def main() -> None:
    """Run the program; Ctrl-C before it is loaded ends it without a traceback."""
    # Python's own handler would raise in the middle of an import.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from unflicker.cli.main import main as program

    program()


if __name__ == "__main__":
    main()
