"""What Sampan says on Kafka, for everybody who listens: record types, who may see them, how they travel.

Generated classes live in ``sampan.<domain>.v1``; this package answers questions about them. It knows no service
and needs no broker, except for ``contracts.apply``.
"""

from contracts.masking import mask
from contracts.registry import Audience, RecordType, record_of, record_type, record_types

__all__ = ["Audience", "RecordType", "mask", "record_of", "record_type", "record_types"]
