"""The registry: what people decide, what is on its way to other systems, and mirrors of the rest, in SQL."""
