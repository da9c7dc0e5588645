"""Opens envelopes that another program made: one JSON object a line with key, purpose, kind, parts and envelope; prints the plain texts as JSON.

    echo '{"key": "00…", "purpose": "secrets.toml", "kind": "path", "parts": ["a.b"], "envelope": "dango:v1:…"}' | python open.py
"""

import json
import sys

import dango_format as dango

for line in sys.stdin:
    case = json.loads(line)
    key = bytes.fromhex(case["key"])
    print(json.dumps(dango.open_envelope(key, case["purpose"], case["kind"], case["parts"], case["envelope"])))
