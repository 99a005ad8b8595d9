"""One file for each way of reaching an outside system: an action becomes a request."""
