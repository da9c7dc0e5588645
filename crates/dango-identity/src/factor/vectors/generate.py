"""Writes codes.txt: 10,000 time-based codes on which pyotp and oathtool (oath-toolkit) agree.

Run it in this directory; it needs pyotp and oathtool. The tests read what it wrote and run neither.

Code number i is that of the first 20 bytes of SHA-256("dango totp vector " + i % 10) at second 59 + i * 1_000_003 (up to the year 2286),
SHA-1, 6 digits, 30 seconds.
"""

import base64
import hashlib
import subprocess

import pyotp

codes = []
for i in range(10_000):
    secret = base64.b32encode(hashlib.sha256(f"dango totp vector {i % 10}".encode()).digest()[:20]).decode()
    second = 59 + i * 1_000_003
    ours = pyotp.TOTP(secret).at(second)
    theirs = subprocess.run(
        ["oathtool", "--totp=sha1", "--base32", f"--now=@{second}", secret], check=True, capture_output=True, text=True
    ).stdout.strip()
    assert ours == theirs, (i, ours, theirs)
    codes.append(ours)

with open("codes.txt", "w") as out:
    for start in range(0, len(codes), 20):
        out.write(" ".join(codes[start : start + 20]) + "\n")
