"""The in-line process: the only code that opens sockets to gateways."""
