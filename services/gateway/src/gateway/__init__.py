"""The one door: Envoy's configuration from one source, its validation, and the developer portal.

It decides which paths exist, who answers them and what a request must carry to get through. It refuses to know
business: limits per user, permissions on objects and the meaning of a token's roles belong to the services.
"""
