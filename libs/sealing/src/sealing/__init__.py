"""What people write, sealed under a key of each: readable while the key exists, and for nobody once it is shredded.

It decides neither who may read nor when a key goes, and knows no service: the key that wraps the others, who hears of
damage and what a refusal is called are given.
"""

from sealing.aead import decoded_key, decrypt, encrypt
from sealing.opening import opened_json, opened_text
from sealing.person_keys import PersonKeys, shred_key
from sealing.sealer import Sealer
from sealing.wrapping import Damage, Wrapping, seal, unseal

__all__ = [
    "Damage",
    "PersonKeys",
    "Sealer",
    "Wrapping",
    "decoded_key",
    "decrypt",
    "encrypt",
    "opened_json",
    "opened_text",
    "seal",
    "shred_key",
    "unseal",
]
