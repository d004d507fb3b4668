"""Values of fields as JSON holds them: see ``app.entity.codec``."""

from app.entity.codec import Codec, as_json

__all__ = ["Codec", "as_json"]
