"""One attempt at one mirror: from the end of the partial file to the end of the file."""

import urllib.parse

from keras_vae.presets.fetching.deadlines import Pace
from keras_vae.presets.fetching.partial_file import Part
from keras_vae.presets.fetching.progress import Bar
from keras_vae.presets.fetching.request import PermanentError
from keras_vae.presets.fetching.request import TemporaryError
from keras_vae.presets.fetching.request import get
from keras_vae.presets.fetching.request import read
from keras_vae.presets.fetching.settings import Settings

_BLOCK = 1 << 16
_HEADERS = {"User-Agent": "keras-vae", "Accept-Encoding": "identity"}


def download(url: str, part: Part, pace: Pace, settings: Settings, bar: Bar) -> None:
    """Appends to `part` until it is complete.

    Args:
        url: String, http or https.
        part: `Part`.
        pace: `Pace` of this attempt.
        settings: `Settings`.
        bar: Object with `show(num_bytes)`.

    Raises:
        TemporaryError, PermanentError: See `request.get`. What was received stays in the part.
        OSError: If the disk fails.
    """
    if not part.may_continue_from(url):
        part.restart()
    headers = _HEADERS | _range(url, part)
    with get(url, headers, pace, settings) as answer:
        _begin(url, answer, part)
        part.sources.add(url)
        try:
            _receive(answer, part, pace, bar)
        finally:
            part.flush()


def _receive(answer, part, pace, bar):
    while part.length < part.size:
        data = read(answer, min(_BLOCK, part.size - part.length))
        if not data:
            raise TemporaryError(f"the response ended after {part.length} of {part.size} bytes")
        part.write(data)
        pace.count(len(data))
        bar.show(part.length)


def _range(url, part):
    if not part.length:
        return {}
    headers = {"Range": f"bytes={part.length}-"}
    etag = part.etags.get(url)
    if etag and not etag.startswith("W/"):
        headers["If-Range"] = etag
    return headers


def _begin(url, answer, part):
    """Checks that the response continues the part, or empties the part."""
    encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding != "identity":
        raise PermanentError(f"a response in the encoding {encoding!r}, which was not requested")
    known, etag = part.etags.get(url), answer.headers.get("ETag")
    part.etags[url] = etag
    if answer.status == 206 and part.length:
        expected = f"bytes {part.length}-{part.size - 1}/{part.size}"
        if answer.headers.get("Content-Range") == expected and known in (None, etag):
            return
    if answer.status in (206, 416) and part.length:
        part.restart()
        raise TemporaryError("another file than before, or another part than requested")
    if answer.status != 200:
        raise PermanentError(f"HTTP {answer.status} instead of 200")
    part.restart()
    length = answer.headers.get("Content-Length")
    if length not in (None, str(part.size)) and not answer.chunked:
        raise PermanentError(f"{length} bytes instead of {part.size}{_hint(answer)}")


def _hint(answer):
    if answer.headers.get_content_type() != "text/html":
        return ""
    host = urllib.parse.urlsplit(answer.url).netloc
    return f" (a web page of {host}: is a login needed?)"
