"""Writes casts.json: what the real dlt makes of texts (`auto_cast`), names and environment values.

Usage: python generate_casts.py [NUMBER_OF_RANDOM_TEXTS [SEED]] > casts.json   (needs `pip install dlt`)
"""

import json
import platform
import random
import struct
import sys

import dlt
import orjson
from dlt.common.configuration.providers.environ import EnvironProvider
from dlt.common.configuration.utils import auto_cast, deserialize_value

HAND_PICKED = [
    "", " ", "true", "True", "TRUE", "false", "fAlSe", "true ", " true", "yes", "no", "null", "none", "on",
    "0", "-0", "+0", "00123", "007", "12", " 12 ", "\t12\n", "\u00a012\u2003", "\x1c12\x1f", "+15551234567", "-42", "+ 1", "--1", "1 2",
    "1_000", "1__0", "_1", "1_", "+_1", "1_000_000.5_0", "1._5", "1_.5", "1_e5", "1e_5", "1e5_0",
    "9223372036854775807", "9223372036854775808", "-9223372036854775809", "123456789012345678901234567890",
    "1" * 4300, "1" * 4301, "0" * 4301, "-" + "9" * 4300, "1_" * 4299 + "1", "1" * 5000,
    "0x1F", "0X1F", "0xff", " 0xff ", "0x", "0x_1", "0x0x1f", "0x0x_1f", "0x0X1", "0x0x", "0x0x__1", "0x -1f", "0x- 1f", "0x+1_f", "-0x1f",
    "0xg", "0x\x1c1", "0x\u20031", "0x\u00851\uff11", "0x\uff11f", "0x1.8", "0x1p3", "0x" + "f" * 32, "0x1" + "0" * 32, "0x-" + "F" * 40, "0x000",
    "0x" + "0" * 50 + "1", "0o17", "0b101",
    "1.0", ".5", "1.", ".", "-.5", "+1.e3", "1e5", "1E5", "1e", "e5", "1e+5", "1e-5", "1e999", "-1e999", "1e-999", "5e-324", "1.5.2",
    "1,5", "1.2.3.4", "2024-01-02", "12:30", "nan", "NaN", "-nan", "+NAN", "inf", "-inf", "Infinity", "+iNfInItY", "infinit", "in_f", "nan(1)",
    "\u0663\u0664", "\uff11\uff12", "\u0967.\u0968", "\U0001d7d8\U0001d7d9", "1\u0660e\u0661", "\u00b2", "\u00bd", "\u2160", "\u4e00", "\u2212" + "1", "\u066b1",
    "[]", "{}", " [] ", "[1]", "[1,]", "[01]", "[1.]", "[1e400]", "[NaN]", "[123456789012345678901234567890]", '{"a":1}', '{"a":1,"a":2}', "{'a':1}",
    "{a:1}", '"text"', "[\u00a01]", "\ufeff[]", "[]x", "[]\x00", '["\\ud800"]', '["\\ud83d\\ude00"]', '["\\udc00"]', '["\x1f"]', '["\\u0000"]', '["\\x"]',
    "[" * 200 + "]" * 200, "[" * 1024 + "]" * 1024, "[" * 1025 + "]" * 1025, '{"a":' * 1024 + "1" + "}" * 1024, '{"a":' * 1025 + "1" + "}" * 1025,
    "[[]", "[}", "{]", '{"a"}', '{"a":}', '{"a":1,}', "{,}", "[,]", "[-]", "[-0]", "[+1]", "[1 2]", '{"type":"service_account","private_key":"x\\ny"}',
    "sk_live_1e5", "AKIA0000", "abc", "1e5x", "0xdeadbeefz", "\u212aelvin", "\u017ftrue", "fal\u017fe", "1\x00", "\x00", "1\x7f", "${X}", "<configure me>",
]

ALPHABETS = [
    "0123456789_+-. eE",
    "0123456789abcdefx_+- \t",
    "0x1F_- \u2003\x1c\uff11\u0661",
    '[]{}",:01e.- truefalsn',
    "infINFnaNtyTRUEfalse+- _",
    "019_.eE+-\u0660\u0669\u0966\u3000\x85",
]

NAME_PATHS = [
    ["sources", "stripe", "api_key"], ["k"], ["my-src", "api-key"], ["my.src", "k"], ["stra\u00dfe", "\ufb01x"], ["\u0149", "\u01c6", "\u0130", "\u0131"],
    ["\u03c3\u03c2", "\u1e9e"], ["", "a", "", "b"], ["a", ""], ["A", "b C"], ["\u1fb3", "\u0587", "\u1f52"], ["a__b", "_c"], ["\u0561\u0582", "\u10d0"],
    ["pipe", "sources", "mod", "src", "credentials", "client_id"],
]


def cast(text):
    value = auto_cast(text)
    if isinstance(value, bool):
        return ["boolean", str(value).lower()]
    if isinstance(value, int):
        hexadecimal = text.strip().startswith("0x") and abs(value) >= 1 << 128
        return ["integer", hex(value) if hexadecimal else str(value)]
    if isinstance(value, float):
        return ["float", "nan" if value != value else bits(value)]
    if isinstance(value, list):
        return ["list", None]
    if isinstance(value, dict):
        return ["table", None]
    assert value == text
    return ["text", None]


def random_texts(count, seed):
    choice = random.Random(seed)
    for _ in range(count):
        alphabet = choice.choice(ALPHABETS)
        yield "".join(choice.choice(alphabet) for _ in range(choice.randint(1, choice.choice([3, 6, 12]))))


def random_floats(count, seed):
    choice = random.Random(seed)
    yield from (0.0, -0.0, 1e15, 1e16, 1e-4, 9.999e-5, 1.5, 100.0, 5e-324, 1.7976931348623157e308, float("inf"), float("-inf"), float("nan"))
    for _ in range(count):
        yield choice.choice([choice.uniform(-1000, 1000), choice.uniform(-1, 1) * 10.0 ** choice.randint(-20, 20), float(choice.randint(0, 10**17))])


TREES = [
    [], {}, [1, -2, 9223372036854775807], {"a": {"b": [True, False, "x"]}, "c d": ""}, ["\u0000\u0001\b\t\n\f\r\u001f\u007f\u0080\u2028\"\\\\/"],
    {"type": "service_account", "private_key": "-----BEGIN\\nx\n-----END"}, [0.5, -0.0, 1.0, 123456.789], ["${X}", "\U0001f361", "\ue026"],
]


def as_text(value):
    """What an argument of type `str` gets for a value of a settings file."""
    return deserialize_value("k", value, str)


def bits(value):
    return "%016x" % struct.unpack(">Q", struct.pack(">d", value))


def name(path):
    *sections, key = path
    variable = EnvironProvider.get_key_name(key, *sections)
    return {"path": path, "variable": variable, "run_secret": variable.lower().replace("_", "-")}


def main():
    sys.set_int_max_str_digits(4300)
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    texts = list(dict.fromkeys(HAND_PICKED + list(random_texts(count, seed))))
    json.dump(
        {
            "made_by": "generate_casts.py",
            "versions": {"dlt": dlt.__version__, "orjson": orjson.__version__, "python": platform.python_version()},
            "casts": [[text, *cast(text)] for text in texts],
            "floats": [[bits(value), as_text(value)] for value in random_floats(150, seed)],
            "trees": [[tree, as_text(tree)] for tree in TREES],
            "names": [name(path) for path in NAME_PATHS],
        },
        sys.stdout,
        indent=0,
    )
    print()


if __name__ == "__main__":
    main()
