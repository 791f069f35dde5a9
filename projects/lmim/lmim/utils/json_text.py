"""JSON that every program reads: numbers are finite, or null."""
import json
import math
from typing import Any


def finite(value: Any) -> Any:
    """A value for JSON, with None for each float that is NaN or infinite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return value


def to_json(value: Any, **options: Any) -> str:
    """As ``json.dumps``, which would write NaN, that is no JSON."""
    return json.dumps(finite(value), allow_nan=False, **options)
