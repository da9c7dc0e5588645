"""Enough of a MongoDB server to sign in to: hello, SCRAM (RFC 5802), ping and listCollections, encoded by the real `bson` package.

No MongoDB server comes from the registries that tests may ask, so this one is held against the real driver, pymongo, in the tests.
Started with a JSON object on standard input: users, each with password and mechanisms. Prints its port.
"""

import base64
import hashlib
import hmac
import json
import os
import socketserver
import struct
import sys

import bson

USERS = json.loads(sys.stdin.readline())


def prepared(name, user, mechanism):
    password = user["password"]
    if mechanism == "SCRAM-SHA-1":
        return hashlib.md5(f"{name}:mongo:{password}".encode()).hexdigest().encode()
    return password.encode()


class Exchange:
    def __init__(self, mechanism, payload):
        self.hash = "sha1" if mechanism == "SCRAM-SHA-1" else "sha256"
        header, self.bare = payload.decode().split(",,", 1)
        assert header == "n", header
        fields = dict(part.split("=", 1) for part in self.bare.split(","))
        self.name = fields["n"].replace("=2C", ",").replace("=3D", "=")
        self.nonce = fields["r"] + base64.b64encode(os.urandom(18)).decode()
        user = USERS.get(self.name)
        secret = prepared(self.name, user, mechanism) if user else os.urandom(16)
        self.salt, self.iterations = os.urandom(16), 4096 if self.hash == "sha256" else 10000
        self.salted = hashlib.pbkdf2_hmac(self.hash, secret, self.salt, self.iterations)
        self.first = f"r={self.nonce},s={base64.b64encode(self.salt).decode()},i={self.iterations}"

    def mac(self, key, text):
        return hmac.new(key, text, self.hash).digest()

    def last(self, payload):
        """The server's final message, or nothing where the proof is wrong."""
        without, proof = payload.decode().rsplit(",p=", 1)
        assert without == f"c=biws,r={self.nonce}", without
        message = f"{self.bare},{self.first},{without}".encode()
        key = self.mac(self.salted, b"Client Key")
        stored = hashlib.new(self.hash, key).digest()
        given = bytes(a ^ b for a, b in zip(base64.b64decode(proof), self.mac(stored, message)))
        if hashlib.new(self.hash, given).digest() != stored:
            return None
        signature = self.mac(self.mac(self.salted, b"Server Key"), message)
        return b"v=" + base64.b64encode(signature)


def failure(code, name):
    # The server repeats what it was asked; a client must not repeat that.
    return {"ok": 0.0, "errmsg": f"{name} canary-of-the-server", "code": code, "codeName": name}


class Session(socketserver.BaseRequestHandler):
    def exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.request.recv(count - len(data))
            if not more:
                raise ConnectionError
            data += more
        return data

    def handle(self):
        self.exchange, self.user = None, None
        try:
            while True:
                length, number, _, opcode = struct.unpack("<iiii", self.exactly(16))
                if opcode not in (2004, 2013):  # TLS, for example
                    return
                body = self.exactly(length - 16)
                if opcode == 2004:  # OP_QUERY, with which drivers begin
                    end = body.index(b"\0", 4)
                    command = bson.decode(body[end + 9 :])
                    answer = bson.encode(self.answer(command))
                    reply = struct.pack("<iqii", 8, 0, 0, 1) + answer
                    self.request.sendall(struct.pack("<iiii", 16 + len(reply), 1, number, 1) + reply)
                    continue
                assert opcode == 2013 and body[4] == 0, (opcode, body[:5])
                answer = bson.encode(self.answer(bson.decode(body[5:])))
                reply = struct.pack("<i", 0) + b"\0" + answer
                self.request.sendall(struct.pack("<iiii", 16 + len(reply), 1, number, 2013) + reply)
        except (ConnectionError, OSError):
            pass

    def answer(self, command):
        name = next(iter(command))
        if name in ("hello", "isMaster", "ismaster"):
            answer = {
                "ok": 1.0,
                "isWritablePrimary": True,
                "ismaster": True,
                "helloOk": True,
                "maxBsonObjectSize": 16777216,
                "maxMessageSizeBytes": 48000000,
                "maxWriteBatchSize": 100000,
                "logicalSessionTimeoutMinutes": 30,
                "minWireVersion": 0,
                "maxWireVersion": 21,
            }
            asked = command.get("saslSupportedMechs", ".").split(".", 1)[1]
            if asked in USERS:
                answer["saslSupportedMechs"] = USERS[asked]["mechanisms"]
            return answer
        if name == "saslStart":
            user = None
            self.exchange = Exchange(command["mechanism"], command["payload"])
            user = USERS.get(self.exchange.name)
            if command["$db"] != "admin" or user and command["mechanism"] not in user["mechanisms"]:
                return failure(18, "AuthenticationFailed")
            return {"ok": 1.0, "conversationId": 1, "done": False, "payload": self.exchange.first.encode()}
        if name == "saslContinue":
            last = self.exchange.last(command["payload"]) if USERS.get(self.exchange.name) else None
            if last is None:
                return failure(18, "AuthenticationFailed")
            self.user = self.exchange.name
            return {"ok": 1.0, "conversationId": 1, "done": True, "payload": last}
        if name == "ping":
            return {"ok": 1.0}
        if self.user is None:
            return failure(13, "Unauthorized")
        return {"ok": 1.0, "cursor": {"id": bson.Int64(0), "ns": "admin.$cmd", "firstBatch": []}}


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


with Server(("127.0.0.1", 0), Session) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
