"""One GET request over http or https: allowed redirects, temporary and permanent failures."""

import email.utils
import http.client
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request

from keras_vae.presets.fetching import credentials
from keras_vae.presets.fetching.deadlines import Pace
from keras_vae.presets.fetching.deadlines import paced
from keras_vae.presets.fetching.settings import Settings

_REDIRECTS = (301, 302, 303, 307, 308)
_MAY_PASS = (408, 429)  # and all of 5xx
# From -> to. Never down to http, and never to file: or any other scheme.
_ALLOWED = {"http": ("http", "https"), "https": ("https",)}


class TemporaryError(Exception):
    """A failure that another attempt at the same mirror may overcome.

    Args:
        message: String.
        pause: Float, the seconds that the server asks to wait.
    """

    def __init__(self, message: str, pause: float = 0.0) -> None:
        super().__init__(message)
        self.pause = pause


class StalledError(TemporaryError):
    """A response that broke off in silence, which costs more time than other failures."""


class PermanentError(Exception):
    """A failure that would only repeat at the same mirror."""


def get(
    url: str, headers: dict[str, str], pace: Pace, settings: Settings
) -> http.client.HTTPResponse:
    """Returns the response to a GET request, an `http.client.HTTPResponse` of status 2xx or 416.

    Redirects are followed; proxies are taken from the environment.

    Args:
        url: String, http or https. A user and password in it are sent as basic authentication, but
            not to another host after a redirect.
        headers: Dict.
        pace: `Pace`.
        settings: `Settings`.

    Raises:
        TemporaryError: If there is no connection, the response breaks off, or the status is 408,
            429 or 5xx.
        PermanentError: If the status is another one, the certificate is invalid, or there is a
            redirect to another scheme or one redirect too many.
    """
    if urllib.parse.urlsplit(url).scheme not in _ALLOWED:
        raise PermanentError("an address that is neither http nor https")
    url, who = credentials.split(url)
    for _ in range(settings.max_redirects + 1):
        answer = _open(url, headers | who, pace)
        if answer.status in _REDIRECTS:
            answer.close()
            target = redirected(url, answer.headers.get("Location"))
            if not credentials.may_go_on(url, target):
                who = {}
            url = target
            continue
        if 200 <= answer.status < 300 or answer.status == 416:
            return answer
        answer.close()
        raise _failure(answer)
    raise PermanentError(f"more than {settings.max_redirects} redirects")


def redirected(url: str, location: str | None) -> str:
    """Returns the target of a redirect, without the user and password that it may name.

    Raises:
        PermanentError: If the target is missing, invalid or not allowed.
    """
    try:
        target, _ = credentials.split(urllib.parse.urljoin(url, location or ""))
        scheme = urllib.parse.urlsplit(target).scheme
        urllib.parse.urlsplit(target).port  # noqa: B018  raises if invalid
    except ValueError as error:
        raise PermanentError(f"a redirect to an invalid address ({error})") from error
    if not location or scheme not in _ALLOWED[urllib.parse.urlsplit(url).scheme]:
        place = credentials.masked(repr(location))
        raise PermanentError(f"a redirect to {place}, which is not followed")
    return target


def read(answer: http.client.HTTPResponse, num_bytes: int) -> bytes:
    """Returns up to `num_bytes` of a response's body as soon as there are any; b"" at its end.

    Raises:
        StalledError: If the response is too slow.
        TemporaryError: If it breaks off.
    """
    try:
        return answer.read1(num_bytes)
    except TimeoutError as error:
        raise StalledError(_words(error)) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise TemporaryError(_words(error)) from error


def retry_after(value: str | None) -> float:
    """Returns the seconds of a `Retry-After` header, a number or a date; 0 if there is none."""
    if not value:
        return 0.0
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return 0.0


def _open(url, headers, pace):
    opener = urllib.request.OpenerDirector()  # has no handlers for files, FTP or redirects
    for handler in (urllib.request.ProxyHandler(), _Http(pace), _Https(pace)):
        opener.add_handler(handler)
    try:
        request = urllib.request.Request(url, headers=headers)
        return opener.open(request, timeout=pace.connecting())
    except (OSError, http.client.HTTPException, ValueError) as error:
        cause = error.reason if isinstance(error, urllib.error.URLError) else error
        never = (ssl.SSLCertVerificationError, http.client.InvalidURL)
        kind = PermanentError if isinstance(cause, never) else TemporaryError
        raise kind(_words(cause)) from error


class _Http(urllib.request.HTTPHandler):
    def __init__(self, pace):
        super().__init__()
        self._pace = pace

    def http_open(self, request):
        return self.do_open(paced(http.client.HTTPConnection, self._pace), request)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, pace):
        super().__init__()
        self._pace = pace

    def https_open(self, request):
        connection = paced(http.client.HTTPSConnection, self._pace)
        return self.do_open(connection, request, context=ssl.create_default_context())


def _failure(answer):
    words = f"HTTP {answer.status} {answer.reason}"
    if answer.status in _MAY_PASS or 500 <= answer.status < 600:
        return TemporaryError(words, retry_after(answer.headers.get("Retry-After")))
    return PermanentError(words)


def _words(error):
    return credentials.masked(error) or type(error).__name__
