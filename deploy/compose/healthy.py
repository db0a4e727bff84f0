"""Exit code 0 when HEALTH_URL answers 2xx: what Docker asks of a container, with nothing but Python in the image."""

import os
import sys
import urllib.request

URL = os.environ.get("HEALTH_URL", "http://127.0.0.1:9000/readyz")

try:
    with urllib.request.urlopen(URL, timeout=2) as answer:  # noqa: S310 -- the image's own environment
        sys.exit(0 if 200 <= answer.status < 300 else 1)
except OSError as error:
    sys.exit(f"{URL}: {error}")
