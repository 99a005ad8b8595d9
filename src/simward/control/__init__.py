"""The control process: follows what gate and watch recorded, and talks with people and other systems."""
