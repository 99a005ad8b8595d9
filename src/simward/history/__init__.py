"""History: sealed journal segments as Parquet, indexed by subscription, read as one with the journal."""
