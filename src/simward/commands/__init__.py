"""What each command of `simward` does; imported one by one by simward.cli, when asked for."""
