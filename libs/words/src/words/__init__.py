"""Text as the words it is searched by, in Thai, English, Indonesian, Malay and Vietnamese, and in what is beside them.

Nobody says which language a text is in. It stores nothing, ranks nothing, and knows no service.
"""
