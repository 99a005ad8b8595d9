"""`python -m simward` is the same as `simward`."""

from simward.cli import main

main()
