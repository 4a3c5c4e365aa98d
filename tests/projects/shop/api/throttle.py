"""At most so many requests an hour, counted in files that all workers share."""

import fcntl
import hashlib
import math
import time

from django.conf import settings

HOUR = 3600


def seconds_to_wait(key, most):
    """0 if one more request of ``key`` is allowed within the hour, and count it."""
    folder = settings.STATE / "throttle"
    folder.mkdir(exist_ok=True)
    path = folder / hashlib.sha256(key.encode()).hexdigest()[:16]
    now = time.time()
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        times = [float(line) for line in file if now - float(line) < HOUR]
        if len(times) >= most:
            return math.ceil(times[0] + HOUR - now)
        file.write(f"{now}\n")
    return 0
