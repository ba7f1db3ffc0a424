"""The user and password of an address: sent as basic authentication, and never shown."""

import base64
import re
import urllib.parse

_PORTS = {"http": 80, "https": 443}
_USER = re.compile(r"(?<=://)\S*@")
_QUERY = re.compile(r"(?<=[?&])([^\s=&#]+)=[^\s&#]+")


def split(url: str) -> tuple[str, dict[str, str]]:
    """Returns an address without its user and password, and the headers that hold them.

    Args:
        url: String, http or https, such as `https://user:password@example.org/zoo`. Characters with
            a special meaning in addresses are percent-encoded, such as `%40` for `@`.

    Raises:
        ValueError: If it is not a valid address.
    """
    parts = urllib.parse.urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, {}
    token = base64.b64encode(urllib.parse.unquote_to_bytes(user)).decode()
    return parts._replace(netloc=host).geturl(), {"Authorization": f"Basic {token}"}


def may_go_on(url: str, target: str) -> bool:
    """Returns whether credentials sent to `url` may also be sent to the target of a redirect.

    They may if it has the same host and port, or leads from http to https at their usual ports.
    """
    (scheme, host, port), other = _origin(url), _origin(target)
    upgraded = ("https", host, 443) if (scheme, port) == ("http", 80) else None
    return other in ((scheme, host, port), upgraded)


def masked(text: object) -> str:
    """Returns a text with the users, passwords and values of queries in its addresses hidden."""
    return _QUERY.sub(r"\1=***", _USER.sub("***@", str(text)))


def _origin(url):
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
