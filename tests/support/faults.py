"""The ways in which a server can fail, as functions of a `fault_server.Reply`."""

import email.utils
import time

HTML = b"<html><body>Welcome! Please log in to use this network.</body></html>"


def fine(reply):
    reply.fine()


def half_then_reset(reply):
    reply.fine(upto=(reply.start + len(reply.content)) // 2)
    reply.reset()


def truncated_with_length(reply):
    reply.fine(upto=len(reply.content) - 7)


def truncated_without_length(reply):
    reply.head("200 OK")
    reply.body(reply.content[:-7])


def truncated_chunks(reply):
    reply.head("200 OK", Transfer_Encoding="chunked")
    reply.body(b"800\r\n" + reply.content[:0x800] + b"\r\n800\r\n" + reply.content[0x800:0x900])


def bad_chunk_sizes(reply):
    reply.head("200 OK", Transfer_Encoding="chunked")
    reply.body(b"zz\r\n" + reply.content + b"\r\n0\r\n\r\n")


def chunk_extensions_for_ever(reply):
    reply.head("200 OK", Transfer_Encoding="chunked")
    while not reply.pause(0.01):
        reply.send(b"1;" + b"x" * 5000 + b"\r\n\0\r\n")


def bit_flipped(reply):
    content = bytearray(reply.content)
    content[len(content) // 3] ^= 4
    reply.fine(content=bytes(content))


def other_content_of_the_same_length(reply):
    reply.fine(content=bytes(len(reply.content)))


def first_half_of_another_file_then_reset(reply):
    reply.fine(content=bytes(len(reply.content)), upto=len(reply.content) // 2)
    reply.reset()


def longer_than_the_file(reply):
    reply.fine(content=reply.content + b"more")


def endless_body(reply):
    reply.head("200 OK")
    while not reply.pause(0.001):
        reply.body(bytes(1 << 14))


def empty_answer(reply):
    reply.head("200 OK", Content_Length=0)


def no_content(reply):
    reply.head("204 No Content")


def captive_portal(reply):
    reply.head("200 OK", Content_Type="text/html", Content_Length=len(HTML))
    reply.body(HTML)


def captive_portal_without_length(reply):
    reply.head("200 OK", Content_Type="text/html")
    reply.body(HTML)


def captive_portal_by_redirect(reply):
    if reply.path == "/login":
        captive_portal(reply)
    else:
        reply.head("302 Found", Location="/login")


def zipped(reply):
    reply.head("200 OK", Content_Encoding="gzip", Content_Length=len(reply.content))
    reply.body(reply.content)


def reset_at_once(reply):
    reply.reset()


def closed_without_an_answer(reply):
    pass


def reset_within_the_headers(reply):
    reply.send(b"HTTP/1.1 200 OK\r\nContent-Le")
    reply.reset()


def garbage(reply):
    reply.send(b"\x16\x03\x01\x02\x00\x01\r\n\r\n")


def headers_without_end(reply):
    reply.send(b"HTTP/1.1 200 OK\r\n")
    for i in range(5000):
        reply.send(b"X-%d: y\r\n" % i)


def silent(reply):
    reply.pause(10)


def silent_within_the_headers(reply):
    reply.send(b"HTTP/1.1 200 OK\r\nContent-Le")
    reply.pause(10)


def silent_at_half(reply):
    reply.fine(upto=(reply.start + len(reply.content)) // 2)
    reply.pause(10)


def dripping(reply):
    reply.head("200 OK", Content_Length=len(reply.content))
    reply.drip(reply.content, 0.02)


def dripping_headers(reply):
    reply.send(b"HTTP/1.1 200 OK\r\nX: ")
    reply.drip(b"y" * 10_000, 0.02)


def continuing_for_ever(reply):
    while not reply.pause(0.001):
        reply.send(b"HTTP/1.1 100 Continue\r\n\r\n")


def range_ignored_and_reset(reply):
    reply.head("200 OK", Content_Length=len(reply.content))
    reply.body(reply.content[: len(reply.content) // 2])
    reply.reset()


def changed_at_half(reply):
    """Half of the file, then the rest of another file with another ETag, `If-Range` ignored."""
    if not reply.start:
        half_then_reset(reply)
        return
    reply.headers.pop("if-range", None)
    reply.fine(etag='"2"', content=bytes(len(reply.content)))


def changed_at_half_without_etag(reply):
    if not reply.start:
        half_then_reset(reply)
        return
    size = len(reply.content)
    part = f"bytes {reply.start}-{size - 1}/{size}"
    reply.head("206 Partial Content", Content_Length=size - reply.start, Content_Range=part)
    reply.body(bytes(size - reply.start))


def another_part_than_asked_for(reply):
    if not reply.start:
        half_then_reset(reply)
        return
    size = len(reply.content)
    reply.head("206 Partial Content", Content_Range=f"bytes 0-{size - 1}/{size}", ETag='"1"')
    reply.body(reply.content)


def part_of_another_size(reply):
    if not reply.start:
        half_then_reset(reply)
        return
    size = len(reply.content) + 1
    part = f"bytes {reply.start}-{size - 1}/{size}"
    reply.head("206 Partial Content", Content_Range=part, ETag='"1"')
    reply.body(reply.content[reply.start :] + b"x")


def part_that_nobody_asked_for(reply):
    size = len(reply.content)
    reply.head("206 Partial Content", Content_Range=f"bytes 9-{size - 1}/{size}")
    reply.body(reply.content[9:])


def range_refused(reply):
    if not reply.start:
        half_then_reset(reply)
        return
    reply.head("416 Range Not Satisfiable", Content_Range=f"bytes */{len(reply.content)}")


def status(line, **headers):
    """Returns a behaviour that answers with this status line."""

    def answer(reply):
        reply.head(line, Content_Length=5, **headers)
        reply.body(b"sorry")

    return answer


def busy_until_a_date(reply):
    date = email.utils.formatdate(time.time() - 5, usegmt=True)
    reply.head("503 Service Unavailable", Retry_After=date, Content_Length=0)


def redirect(location):
    """Returns a behaviour that redirects."""
    return lambda reply: reply.head("302 Found", Location=location.format(port=reply.port))


def redirect_to_nowhere(reply):
    reply.head("302 Found")


# After one of these the same server, fine again, is asked again ...
TEMPORARY = {
    "truncated with length": truncated_with_length,
    "truncated without length": truncated_without_length,
    "truncated chunks": truncated_chunks,
    "bad chunk sizes": bad_chunk_sizes,
    "chunk extensions for ever": chunk_extensions_for_ever,
    "bit flipped": bit_flipped,
    "other content of the same length": other_content_of_the_same_length,
    "first half of another file, then reset": first_half_of_another_file_then_reset,
    "endless body": endless_body,
    "captive portal without length": captive_portal_without_length,
    "reset at once": reset_at_once,
    "reset at half": half_then_reset,
    "reset within the headers": reset_within_the_headers,
    "closed without an answer": closed_without_an_answer,
    "garbage": garbage,
    "headers without end": headers_without_end,
    "silent": silent,
    "silent within the headers": silent_within_the_headers,
    "silent at half": silent_at_half,
    "dripping": dripping,
    "dripping headers": dripping_headers,
    "continuing for ever": continuing_for_ever,
    "range ignored and reset": range_ignored_and_reset,
    "changed at half": changed_at_half,
    "changed at half without ETag": changed_at_half_without_etag,
    "another part than asked for": another_part_than_asked_for,
    "part of another size": part_of_another_size,
    "range refused": range_refused,
    "408": status("408 Request Timeout"),
    "429 with Retry-After": status("429 Too Many Requests", Retry_After="0"),
    "500": status("500 Internal Server Error"),
    "502": status("502 Bad Gateway"),
    "503 with a date": busy_until_a_date,
}
# ... and after one of these it is not.
PERMANENT = {
    "longer than the file": longer_than_the_file,
    "empty answer": empty_answer,
    "204": no_content,
    "captive portal": captive_portal,
    "captive portal by redirect": captive_portal_by_redirect,
    "zipped": zipped,
    "part that nobody asked for": part_that_nobody_asked_for,
    "401": status("401 Unauthorized"),
    "403": status("403 Forbidden"),
    "404": status("404 Not Found"),
    "410": status("410 Gone"),
    "503 for an hour": status("503 Service Unavailable", Retry_After="3600"),
    "redirect loop": redirect("/again"),
    "redirect to file:": redirect("file:///etc/hostname"),
    "redirect to ftp:": redirect("ftp://127.0.0.1:{port}/file"),
    "redirect to data:": redirect("data:,x"),
    "redirect to no address": redirect("http://[half/file"),
    "redirect without a place": redirect_to_nowhere,
}
