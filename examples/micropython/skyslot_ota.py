"""An update client for MicroPython on ESP32 boards with two app slots: confirm() and check_and_update() are all that is called.

It is for device types that are `legacy` on the server: it verifies the SHA-256 that the server states, but no signature. It needs only
modules that are in every build of MicroPython, and runs on its Unix port and on CPython as well, with another slot (see test/examples).

    config = {"server_url": "http://192.168.1.10:8080", "device_id": "scales-1", "device_type": "scales", "current_version": "1.0.0"}
    skyslot_ota.confirm(config)            # at every start, when the program has found that it works
    skyslot_ota.check_and_update(config)   # restarts after an update; returns False if there is nothing newer

Optional in config: current_build (a number), token (skd_... or ske_...), state_file (where the last installation is remembered).
"""

import binascii
import hashlib
import json
import os
import socket
import time

PIECE_BYTES = 4096
TIMEOUT_SECONDS = 30
MAX_BREAKS = 5  # connections that end early, one after the other without progress
REPORT_BYTES = 256 * 1024


class UpdateError(Exception):
    """The running firmware stays. `code` is what the server is told."""

    def __init__(self, code, message):
        super().__init__("%s: %s" % (code, message))
        self.code = code
        self.message = message


def check_and_update(config, slot=None):
    """Asks once. False: nothing newer. After an update the device restarts. Raises UpdateError or OSError, and tells the server why."""
    answer = _post(config, "/api/ota/check", _identity(config))
    if not answer["update_available"]:
        return False
    firmware_id = answer["firmware_id"]
    slot = slot or Esp32Slot()
    try:
        _install(config, slot, answer)
    except UpdateError as error:
        _report(config, firmware_id, "failed", error_code=error.code, error_message=error.message)
        raise
    _remember(config, {"firmware_id": firmware_id, "version": answer["version"]})
    _report(config, firmware_id, "installing", bytes_downloaded=answer["file_size"])
    slot.restart()
    return True


def confirm(config, slot=None):
    """The firmware works: it is no longer rolled back. Tells the server how the last installation has ended."""
    (slot or Esp32Slot()).mark_valid()
    state = _recall(config)
    if state is None:
        return
    if state["version"] == config["current_version"]:
        _report(config, state["firmware_id"], "success")
    else:
        _report(config, state["firmware_id"], "failed", error_code="ROLLED_BACK", error_message="it restarted before it was confirmed")
    os.remove(_state_file(config))


class Esp32Slot:
    """The app slot that does not run."""

    def __init__(self):
        import esp32

        self._running = esp32.Partition(esp32.Partition.RUNNING)
        self._next = self._running.get_next_update()
        self.size = self._next.info()[3]
        self._block = 0

    def begin(self):
        self._block = 0

    def write(self, piece):
        """A piece of PIECE_BYTES, which is a block of the flash; only the last one may be shorter."""
        if len(piece) < PIECE_BYTES:
            piece = bytes(piece) + b"\xff" * (PIECE_BYTES - len(piece))
        self._next.writeblocks(self._block, piece)
        self._block += 1

    def activate(self):
        self._next.set_boot()  # verifies the image; OSError if it is not one for this chip

    def mark_valid(self):
        self._running.mark_app_valid_cancel_rollback()

    def restart(self):
        import machine

        machine.reset()


def _install(config, slot, offer):
    size = offer["file_size"]
    if size > slot.size:
        raise UpdateError("IMAGE_TOO_LARGE", "image is %d bytes, slot is %d" % (size, slot.size))
    download = _Download(config, slot, offer)
    breaks = 0
    while download.offset < size:
        before = download.offset
        try:
            download.fetch_rest()
        except OSError as error:
            breaks = 0 if download.offset > before else breaks + 1
            if breaks >= MAX_BREAKS:
                raise UpdateError("CONNECTION_LOST", "%s at byte %d of %d" % (error, download.offset, size))
            time.sleep(breaks)
    if download.digest() != offer["file_hash"]:
        raise UpdateError("IMAGE_MISMATCH", "the SHA-256 of what arrived is not the one that the server stated")
    try:
        slot.activate()
    except OSError as error:
        raise UpdateError("IMAGE_MALFORMED", "the boot loader refuses it: %s" % error)


class _Download:
    """What has arrived of an image. Pieces of a whole block are written; a part of one waits in `_held`."""

    def __init__(self, config, slot, offer):
        self._config = config
        self._slot = slot
        self._offer = offer
        self._start()

    def _start(self):
        self.offset = 0
        self._held = b""
        self._sha = hashlib.sha256()
        self._reported = 0
        self._slot.begin()

    def fetch_rest(self):
        """One connection. OSError if it ends early."""
        offer = self._offer
        headers = {}
        if self.offset > 0:
            headers = {"Range": "bytes=%d-" % self.offset, "If-Range": '"%s"' % offer["file_hash"]}
        status, length, stream = _request(self._config, "GET", offer["download_url"], headers)
        try:
            if status >= 500 or status == 429:
                raise OSError("the server answers %d" % status)
            if status not in (200, 206):
                raise UpdateError("DOWNLOAD_FAILED", "the server answers %d" % status)
            if status == 200 and self.offset > 0:
                self._start()  # the whole image again, instead of the rest
            while self.offset < offer["file_size"]:
                piece = stream.read(min(PIECE_BYTES - len(self._held), offer["file_size"] - self.offset))
                if not piece:
                    raise OSError("the connection ended")
                self._take(piece)
        finally:
            stream.close()

    def _take(self, piece):
        self._sha.update(piece)
        self._held += piece
        self.offset += len(piece)
        if len(self._held) == PIECE_BYTES or self.offset == self._offer["file_size"]:
            self._slot.write(self._held)
            self._held = b""
        if self.offset - self._reported >= REPORT_BYTES:
            self._reported = self.offset
            _report(self._config, self._offer["firmware_id"], "downloading", bytes_downloaded=self.offset)

    def digest(self):
        return binascii.hexlify(self._sha.digest()).decode()


def _identity(config):
    return {
        "device_type": config["device_type"],
        "current_version": config["current_version"],
        "current_build": config.get("current_build", 0),
    }


def _report(config, firmware_id, status, **more):
    body = {"firmware_id": firmware_id, "status": status}
    body.update(more)
    try:
        _post(config, "/api/ota/status", body)
    except (OSError, UpdateError) as error:
        print("report", status, "failed:", error)  # the next check tells the server what runs


def _post(config, path, body):
    body["device_id"] = config["device_id"]
    status, length, stream = _request(config, "POST", path, {"Content-Type": "application/json"}, json.dumps(body).encode())
    try:
        text = stream.read(length)
    finally:
        stream.close()
    if status != 200:
        raise UpdateError("HTTP_%d" % status, text.decode())
    return json.loads(text)


def _request(config, method, path, headers, body=b""):
    """Status, length of the body and a stream from which it is read. One connection for each request."""
    url = path if "://" in path else config["server_url"] + path
    scheme, _, host, path = url.split("/", 3)
    host, port = host.split(":") if ":" in host else (host, "443" if scheme == "https:" else "80")
    address = socket.getaddrinfo(host, int(port), 0, socket.SOCK_STREAM)[0]
    connection = socket.socket(address[0], socket.SOCK_STREAM)
    try:
        if hasattr(connection, "settimeout"):
            connection.settimeout(TIMEOUT_SECONDS)
        connection.connect(address[-1])
        if scheme == "https:":
            import ssl

            connection = ssl.wrap_socket(connection, server_hostname=host)
        # On MicroPython a socket is a stream itself.
        stream = connection if hasattr(connection, "readline") else connection.makefile("rwb")
        head = ["%s /%s HTTP/1.1" % (method, path), "Host: %s:%s" % (host, port), "Connection: close"]
        head += ["%s: %s" % item for item in headers.items()]
        if "token" in config and url.startswith(config["server_url"]):
            head.append("Authorization: Bearer %s" % config["token"])
        if body:
            head.append("Content-Length: %d" % len(body))
        stream.write(("\r\n".join(head) + "\r\n\r\n").encode() + body)
        if hasattr(stream, "flush"):
            stream.flush()
        status, length = _read_head(stream)
    except Exception:
        connection.close()
        raise
    return status, length, _Stream(connection, stream)


def _read_head(stream):
    words = stream.readline().split()
    if len(words) < 2:
        raise OSError("no answer")
    length = 0
    while True:
        line = stream.readline().strip()
        if not line:
            return int(words[1]), length
        name, value = line.split(b":", 1)
        if name.lower() == b"content-length":
            length = int(value)


class _Stream:
    """A body to read. Closing the file of a socket does not close the socket on CPython."""

    def __init__(self, connection, stream):
        self._connection = connection
        self._stream = stream

    def read(self, length):
        return self._stream.read(length) if length > 0 else b""

    def close(self):
        self._stream.close()
        if self._connection is not self._stream:
            self._connection.close()


def _state_file(config):
    return config.get("state_file", "ota-state.json")


def _remember(config, state):
    with open(_state_file(config), "w") as file:
        json.dump(state, file)


def _recall(config):
    try:
        with open(_state_file(config)) as file:
            return json.load(file)
    except (OSError, ValueError):
        return None
