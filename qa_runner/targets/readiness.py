"""Whether a server that was just started answers yet."""

from __future__ import annotations

import http.client
import ssl
from urllib.parse import quote, urlsplit

__all__ = ["not_ready"]

_ANSWER_SECONDS = 5.0
_SERVER_ERROR = 500


def not_ready(url: str, *, verify_tls: bool) -> str:
    """Why a GET of ``url`` does not show a server that is ready, in words; "" if it does.

    Anything below 500 will do: a 404 or a 401 is an answer of the application too. Redirects are
    not followed.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    connection = (
        http.client.HTTPSConnection(
            host, parts.port, timeout=_ANSWER_SECONDS, context=_context(verify=verify_tls)
        )
        if parts.scheme == "https"
        else http.client.HTTPConnection(host, parts.port, timeout=_ANSWER_SECONDS)
    )
    target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~") + (
        f"?{parts.query}" if parts.query else ""
    )
    try:
        connection.request("GET", target, headers={"Connection": "close"})
        status = connection.getresponse().status
    except ssl.SSLCertVerificationError as error:
        return f"its certificate is not accepted ({error.verify_message})"
    except TimeoutError:
        return f"no answer within {_ANSWER_SECONDS:g} s"
    except ConnectionRefusedError:
        return "connections are refused"
    except OSError as error:
        return error.strerror or str(error)
    except http.client.HTTPException as error:
        return f"what answers is not HTTP ({type(error).__name__})"
    finally:
        connection.close()
    return "" if status < _SERVER_ERROR else f"it answers {status}"


def _context(*, verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
