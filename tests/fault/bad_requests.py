"""Requests that must be refused: raw heads and framings, and bodies for both dialects.

FRAMING: name -> bytes; every one must end in a 4xx (501 and 505 too) or a closed connection, and
nothing behind it may be answered. BODIES: per dialect, name -> body; every one must get a 4xx.
"""
import json

import plain

GOOD = json.dumps(plain.body_for("anthropic", stream=False)).encode()
SMUGGLED = plain.get("/nightlight/status")


def head(first="POST /v1/messages HTTP/1.1", *lines, host="host: 127.0.0.1", body=b""):
    made = [first] + ([host] if host else []) + ["content-type: application/json", *lines]
    return "\r\n".join(made).encode("latin-1") + b"\r\n\r\n" + body


def sized(*lines, **more):
    return head("POST /v1/messages HTTP/1.1", f"content-length: {len(GOOD)}", *lines, body=GOOD,
                **more)


def chunked(*pieces, end=b"0\r\n\r\n"):
    return head("POST /v1/messages HTTP/1.1", "transfer-encoding: chunked",
                body=b"".join(pieces) + end)


def good_chunk():
    return b"%x\r\n%s\r\n" % (len(GOOD), GOOD)


def first_line(line):
    return head(line, f"content-length: {len(GOOD)}", body=GOOD)


LINES = {
    "no version": "POST /v1/messages", "lower version": "POST /v1/messages http/1.1",
    "version 2": "POST /v1/messages HTTP/2.0", "version 1.2": "POST /v1/messages HTTP/1.2",
    "version 0.9": "POST /v1/messages HTTP/0.9", "version junk": "POST /v1/messages HTTP/1.1x",
    "two spaces": "POST  /v1/messages HTTP/1.1", "tab": "POST\t/v1/messages HTTP/1.1",
    "space behind": "POST /v1/messages HTTP/1.1 ", "space in front": " POST /v1/messages HTTP/1.1",
    "space in target": "POST /v1/mess ages HTTP/1.1", "bad method": "PO(ST /v1/messages HTTP/1.1",
    "empty method": " /v1/messages HTTP/1.1", "fragment": "POST /v1/messages#x HTTP/1.1",
    "relative target": "POST v1/messages HTTP/1.1",
    "8 bit target": "POST /v1/\xffmessages HTTP/1.1",
    "control in target": "POST /v1/\x01messages HTTP/1.1", "star": "POST * HTTP/1.1",
    "authority form": "CONNECT 127.0.0.1:80 HTTP/1.1",
    "other host in target": "POST http://evil.test/v1/messages HTTP/1.1",
    "https in target": "POST https://127.0.0.1/v1/messages HTTP/1.1",
    "user in target": "POST http://a@127.0.0.1/v1/messages HTTP/1.1",
    "long method": "P" * 5000 + " /v1/messages HTTP/1.1",
    "preface of http/2": "PRI * HTTP/2.0",
}
FIELDS = {
    "no colon": "foo", "space before colon": "foo : bar", "tab before colon": "foo\t: bar",
    "empty name": ": bar", "fold": "foo: bar\r\n baz", "fold with tab": "foo: bar\r\n\tbaz",
    "bare lf": "foo: bar\nbaz: x", "bare cr": "foo: bar\rbaz: x", "nul in value": "foo: b\0r",
    "nul in name": "f\0o: bar", "control in value": "foo: b\x01r", "del in value": "foo: b\x7fr",
    "8 bit name": "f\xfco: bar", "bracket in name": "f[o]: bar", "quote in name": 'f"o: bar',
    "two hosts": "host: 127.0.0.1", "two other hosts": "host: evil.test",
    "length twice": f"content-length: {len(GOOD)}", "other length": "content-length: 5",
    "length and chunked": "transfer-encoding: chunked", "underscored": "transfer-encoding: x",
    "chunked in list": "transfer-encoding: gzip, chunked",
    "expect something": "expect: the-unexpected", "gzip body": "content-encoding: gzip",
}
LENGTHS = {
    "plus": "+%d", "minus": "-1", "hex": "0x%x", "list": "%d, %d", "comma": "%d,", "empty": "",
    "junk": "%d a", "point": "%d.0", "leading comma": ",%d", "huge": "9" * 40, "space": "1 2",
    "over 64 bits": "18446744073709551617", "exponent": "1e3", "two words": "%d chunked",
}
CODINGS = {
    "identity": "identity", "gzip": "gzip", "chunked twice": "chunked, chunked", "empty": "",
    "quoted": '"chunked"', "parameter": "chunked;q=1", "junk": "chunked x", "comma": "chunked,",
    "leading comma": ", chunked", "then identity": "chunked, identity",
    "vertical tab": "\x0bchunked",
}
CHUNKS = {
    "hex mark": b"0x5\r\nhello\r\n", "plus": b"+5\r\nhello\r\n", "minus": b"-5\r\nhello\r\n",
    "space in front": b" 5\r\nhello\r\n", "space behind": b"5 \r\nhello\r\n",
    "lf only": b"5\nhello\r\n", "no size": b"\r\nhello\r\n", "junk": b"zz\r\nhello\r\n",
    "overflow": b"fffffffffffffffff\r\nhello\r\n", "huge": b"7fffffffffffffff\r\nhello\r\n",
    "too much data": b"3\r\nhello\r\n", "data without end": b"5\r\nhello5\r\nhello\r\n",
    "lf after data": b"5\r\nhello\n", "endless extension": b"5;" + b"a" * 70000 + b"\r\nhello\r\n",
    "lf in extension": b"5;a\nb\r\nhello\r\n", "nul in extension": b"5;a\0\r\nhello\r\n",
}
TRAILERS = {
    "length": b"0\r\ncontent-length: 5\r\n\r\n",
    "coding": b"0\r\ntransfer-encoding: chunked\r\n\r\n",
    "host": b"0\r\nhost: evil.test\r\n\r\n", "no colon": b"0\r\nfoo\r\n\r\n",
    "lf only": b"0\n\n", "endless": b"0\r\n" + b"a: b\r\n" * 20000 + b"\r\n",
}
HOSTS = {
    "path": "127.0.0.1/x", "user": "me@127.0.0.1", "list": "127.0.0.1, evil.test", "empty": "",
    "space": "127.0.0.1 evil", "scheme": "http://127.0.0.1", "backslash": "127.0.0.1\\x",
    "port junk": "127.0.0.1:8x", "8 bit": "127.0.0.\xb9", "fragment": "127.0.0.1#a",
}


def framing():
    made = {f"line: {name}": first_line(line) for name, line in LINES.items()}
    made |= {f"field: {name}": sized(line) for name, line in FIELDS.items()}
    for name, value in LENGTHS.items():
        value = value.replace("%d", str(len(GOOD))).replace("%x", f"{len(GOOD):x}")
        made[f"length: {name}"] = head("POST /v1/messages HTTP/1.1", f"content-length: {value}",
                                       body=GOOD)
    for name, value in CODINGS.items():
        made[f"coding: {name}"] = head("POST /v1/messages HTTP/1.1", f"transfer-encoding: {value}",
                                       body=good_chunk() + b"0\r\n\r\n")
    made |= {f"chunk: {name}": chunked(data) for name, data in CHUNKS.items()}
    made |= {f"trailer: {name}": chunked(good_chunk(), end=end) for name, end in TRAILERS.items()}
    made |= {f"host: {name}": sized(host=f"host: {value}") for name, value in HOSTS.items()}
    made |= {
        "no host": sized(host=""),
        "chunked in 1.0": head("POST /v1/messages HTTP/1.0", "transfer-encoding: chunked",
                               body=good_chunk() + b"0\r\n\r\n"),
        "head of 40 KB": sized("x: " + "a" * 40000),
        "101 fields": sized(*[f"x-{n}: y" for n in range(101)]),
        "endless first line": b"POST /" + b"a" * 40000,
        "empty lines for ever": b"\r\n" * 30000,
        "tls hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200,
        "socks": b"\x05\x01\x00", "binary": bytes(range(256)) * 8, "nothing but lf": b"\n\n\n\n",
    }
    return made


def smuggling():
    """name -> bytes with a second request hidden in them: it must never be answered."""
    hidden = SMUGGLED
    tail = b"0\r\n\r\n" + hidden
    return {
        "cl.te": head("POST /v1/messages HTTP/1.1", f"content-length: {len(tail)}",
                      "transfer-encoding: chunked", body=tail),
        "te.cl": head("POST /v1/messages HTTP/1.1", "transfer-encoding: chunked",
                      "content-length: 4", body=b"%x\r\n%s\r\n0\r\n\r\n" % (len(hidden), hidden)),
        "te.te": head("POST /v1/messages HTTP/1.1", "transfer-encoding: chunked",
                      "transfer-encoding: x", body=tail),
        "cl.cl": head("POST /v1/messages HTTP/1.1", f"content-length: {len(tail)}",
                      "content-length: 0", body=tail),
        "cl.0 with a bad body": head("POST /v1/messages HTTP/1.1", "content-length: 0x0",
                                     body=hidden),
        "obs fold": head("POST /v1/messages HTTP/1.1", "transfer-encoding:\r\n chunked", body=tail),
        "bare cr": head("POST /v1/messages HTTP/1.1", "x: y\rtransfer-encoding: chunked",
                        body=tail),
        "after a chunk extension": chunked(b"5;\n\r\nhello\r\n", end=tail),
        "in a trailer": chunked(good_chunk(), end=b"0\r\nx y: z\r\n\r\n" + hidden),
        "short chunk": chunked(b"1\r\n{}\r\n", end=b"0\r\n\r\n" + hidden),
    }


def deep(levels):
    return b"[" * levels + b"]" * levels


def bodies(dialect):
    def with_member(text):
        return json.dumps(plain.body_for(dialect, stream=False)).encode()[:-1] + b", " + text + b"}"

    message = {"role": "user", "content": "hi"}
    changed = {
        "model number": {"model": 5}, "model null": {"model": None}, "model list": {"model": ["m"]},
        "messages text": {"messages": "hi"},
        "messages object": {"messages": {"role": "user"}},
        "messages null": {"messages": None}, "message text": {"messages": ["hi"]},
        "message null": {"messages": [None]}, "role number": {"messages": [{**message, "role": 1}]},
        "role missing": {"messages": [{"content": "hi"}]},
        "content number": {"messages": [{**message, "content": 5}]},
        "content object": {"messages": [{**message, "content": {"type": "text"}}]},
        "part number": {"messages": [{**message, "content": [5]}]},
        "text number": {"messages": [{**message, "content": [{"type": "text", "text": 5}]}]},
        "stream text": {"stream": "yes"}, "stream number": {"stream": 1},
        "max_tokens text": {"max_tokens": "many"}, "max_tokens negative": {"max_tokens": -1},
        "max_tokens fraction": {"max_tokens": 1.5}, "tools text": {"tools": "Bash"},
        "tool number": {"tools": [5]}, "temperature text": {"temperature": "hot"},
    }
    made = {name: json.dumps({**plain.body_for(dialect, stream=False), **change}).encode()
            for name, change in changed.items()}
    for missing in ("model", "messages"):
        body = plain.body_for(dialect, stream=False)
        del body[missing]
        made[f"{missing} missing"] = json.dumps(body).encode()
    good = json.dumps(plain.body_for(dialect, stream=False)).encode()
    made |= {
        "empty": b"", "null": b"null", "a list": b"[]", "a text": b'"hi"', "a number": b"5",
        "blank": b"   ", "cut": good[:-1], "cut in a text": good[:20],
        "behind the end": good + b"x", "two values": good + good, "bom": b"\xef\xbb\xbf" + good,
        "utf-16": good.decode().encode("utf-16"),
        "single quotes": good.replace(b'"', b"'"), "comment": b"/* x */" + good,
        "trailing comma": good[:-1] + b",}", "nul": good + b"\0", "nan": with_member(b'"x": NaN'),
        "hex": with_member(b'"x": 0x10'), "leading zero": with_member(b'"x": 01'),
        "plus": with_member(b'"x": +1'), "bad escape": with_member(b'"x": "\\q"'),
        "bad unicode escape": with_member(b'"x": "\\u12g4"'), "raw lf": with_member(b'"x": "a\nb"'),
        "raw tab": with_member(b'"x": "a\tb"'), "bad utf-8": with_member(b'"x": "\xff"'),
        "overlong": with_member(b'"x": "\xc0\xaf"'),
        "surrogate": with_member(b'"x": "\xed\xa0\x80"'),
        "cut utf-8": with_member(b'"x": "\xe2\x82"'),
        "bad utf-8 in a key": with_member(b'"\xff": 1'),
        "too deep": with_member(b'"x": ' + deep(200)),
        "far too deep": with_member(b'"x": ' + deep(20000)),
        "same key": with_member(b'"model": "m-2"'),
        "same key by escape": with_member(b'"\\u006dodel": "m-2"'),
        "same foreign key": with_member(b'"x": 1, "x": 2'),
        "same messages": with_member(b'"messages": []'),
        "form": b"model=m-1&messages=hi", "xml": b"<?xml version='1.0'?><a/>",
    }
    return made
