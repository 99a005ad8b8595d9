"""A made-up fleet's traffic, day by day: what honest devices and their network do, and labelled attacks among it."""
