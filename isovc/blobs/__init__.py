"""Large values as objects of their own, cut where their content says. Knows nothing of rows or files."""

from isovc.blobs.incoming import Pieces
from isovc.blobs.large import IS_LARGE, What, apart, keep_stream, mentioned, parts, stream, whole

__all__ = ["IS_LARGE", "Pieces", "What", "apart", "keep_stream", "mentioned", "parts", "stream", "whole"]
