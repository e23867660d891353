#!/usr/bin/env python3
"""Sends an image to a device in the local network, with Python's standard library only.

    python3 scripts/upload_ota.py --host base-3eece8.local --token-file token.txt base-1.1.0-esp32.bin

The signed manifest beside the image (base-1.1.0-esp32.release.jws) is sent with it. An image without one is only taken by a device whose
owner accepts unsigned images. The token is proved, not sent (docs/device-protocol.md), unless --bearer says so. Exit status: 0 installed, 1 refused or failed, 2 wrong arguments.
"""

import argparse
import hashlib
import hmac
import http.client
import os
import re
import sys

PIECE_BYTES = 16 * 1024
TIMEOUT_S = 150


def arguments():
    parser = argparse.ArgumentParser(description="Send an image to a device in the local network.")
    parser.add_argument("firmware", help="the image")
    parser.add_argument("--host", required=True, help="name or address of the device")
    parser.add_argument("--port", type=int, default=3232, help="its port for pushed images (3232)")
    parser.add_argument("--release", help="signed manifest (default: FIRMWARE.release.jws, where it exists)")
    parser.add_argument("--token-file", help="file with the owner's token (default: SKYSLOT_DEVICE_TOKEN in the environment)")
    parser.add_argument("--token", help="the owner's token; other users of this machine can see it")
    parser.add_argument("--bearer", action="store_true", help="send the token as it is, to devices with older firmware")
    return parser.parse_args()


def read_text(path):
    with open(path, encoding="utf-8") as file:
        return file.read().strip()


def proof(options, token):
    """The answer to the device's challenge: about this image, once, and without the token in it."""
    connection = http.client.HTTPConnection(options.host, options.port, timeout=TIMEOUT_S)
    connection.request("POST", "/update")
    asked = connection.getresponse().getheader("WWW-Authenticate") or ""
    connection.close()
    match = re.search(r'Skyslot realm="([^"]*)", nonce="([^"]*)", rounds=(\d{5,7})', asked)
    if not match:
        sys.exit("%s gives no challenge: --bearer sends the token as it is, if it is the device" % options.host)
    realm, nonce, rounds = match.groups()
    digest = hashlib.sha256()
    with open(options.firmware, "rb") as file:
        while piece := file.read(PIECE_BYTES):
            digest.update(piece)
    sha256 = digest.hexdigest()
    key = hashlib.pbkdf2_hmac("sha256", token.encode(), b"skyslot:" + realm.encode(), int(rounds)).hex()
    text = "skyslot-1\n%s\nPOST /update\n%s" % (nonce, sha256)
    mac = hmac.new(key.encode(), text.encode(), "sha256").hexdigest()
    return 'Skyslot nonce="%s", sha256="%s", mac="%s"' % (nonce, sha256, mac)


def headers_of(options, size):
    headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
    token = options.token or (read_text(options.token_file) if options.token_file else os.environ.get("SKYSLOT_DEVICE_TOKEN"))
    if token:
        headers["Authorization"] = "Bearer " + token if options.bearer else proof(options, token)
    beside = re.sub(r"\.bin$", "", options.firmware) + ".release.jws"
    release = options.release or (beside if os.path.exists(beside) else None)
    if release:
        headers["X-Skyslot-Release"] = read_text(release)
    return headers


def pieces(path, size):
    """The image, with a progress bar while it is sent."""
    live = sys.stderr.isatty()
    sent = 0
    with open(path, "rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece
            sent += len(piece)
            if live:
                filled = 30 * sent // size
                sys.stderr.write("\r%s%s %3d %%" % ("#" * filled, "." * (30 - filled), 100 * sent // size))
    if live:
        sys.stderr.write("\n")


def push(options):
    size = os.path.getsize(options.firmware)
    headers = headers_of(options, size)
    connection = http.client.HTTPConnection(options.host, options.port, timeout=TIMEOUT_S)
    try:
        connection.request("POST", "/update", body=pieces(options.firmware, size), headers=headers)
    except (BrokenPipeError, ConnectionResetError):
        pass  # it was refused before everything was sent: the answer says why
    response = connection.getresponse()
    return response.status, response.read(64 * 1024).decode("utf-8", "replace").strip()


def main():
    options = arguments()
    try:
        status, text = push(options)
    except (OSError, http.client.HTTPException) as error:
        sys.exit("%s: %s" % (options.host, error))
    if status != 200:
        sys.exit("%s answers %d: %s" % (options.host, status, text))
    print(text)


if __name__ == "__main__":
    main()
