"""The watch fold: behind the gate, over the same inputs, for what needs more state or time than an answer can wait for.

It reads of the gate's state only what revisions alone change (who a subscription is, its use case's intervals), so that
any cut of the inputs gives the same bytes.
"""
