# SPDX-License-Identifier: ISC
"""Requests that the control socket answers with an error, or not at all."""
REQUESTS = (
    b"\r\n\r\n", b"\0" * 4096, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
    b"GET /v1/status HTTP/1.1\r\nX: " + b"x" * 9000 + b"\r\n\r\n",
    b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n",
    b"POST /v1/reload HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    b"POST /v1/reload HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
    b"POST /v1/reload HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"fffffffffffffff\r\n",
    b"GET http://[::1 HTTP/1.1\r\n\r\n", b"GET //// HTTP/1.0\r\n\r\n",
    b"GET /v1/listeners/%00 HTTP/1.0\r\n\r\n",
    b"GET /v1/listeners// HTTP/1.0\r\n\r\n", b"GET /v1 HTTP/1.0\r\n\r\n",
    b"GET /v1/status/x HTTP/1.0\r\n\r\n", b"GET * HTTP/1.0\r\n\r\n",
    b"POST /v1/listeners/test/workers//drain HTTP/1.0\r\n\r\n",
    b"POST /v1/listeners/*/pause HTTP/1.0\r\n\r\n",
    b"POST http://x HTTP/1.0\r\n\r\n", b"POST ?x HTTP/1.0\r\n\r\n",
    b"GET http://x HTTP/1.0\r\n\r\n",
)
