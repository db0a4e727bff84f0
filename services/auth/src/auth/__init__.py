"""People, sessions and trust: who somebody is, how they prove it, and for how long the proof holds.

It refuses to know what anybody may do in another service: it tells their roles and country in a signed token,
and each service decides. No secret (password, code, refresh token, private key) is kept in readable form.
"""
