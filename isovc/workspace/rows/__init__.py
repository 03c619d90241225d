"""The life of rows: the commits that changed one, and those that wrote its cells. Changes nothing but a cache."""
