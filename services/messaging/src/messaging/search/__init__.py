"""Search over what people wrote, without keeping what they wrote.

A message becomes a set of blind terms (words, word forms, pieces of words), each a keyed hash; the index holds nothing
else. Candidates found by terms are decrypted and compared with the question again, so a collision is never an answer.
"""
