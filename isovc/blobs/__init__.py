"""Large values as objects of their own, cut where their content says. Knows nothing of rows or files."""

from isovc.blobs.large import IS_LARGE, apart, mentioned, parts, whole

__all__ = ["IS_LARGE", "apart", "mentioned", "parts", "whole"]
