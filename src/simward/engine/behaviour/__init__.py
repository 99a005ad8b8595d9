"""What is usual for a subscription: its day in seven channels, its own past, the evidence that has gathered against it.

Integers alone, compiled: which revision of the fit (`simward.fitting`) applies when is journalled, so the law holds.
"""
