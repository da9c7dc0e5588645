"""Writes readings.json: what the real readers of `.env` files make of the inputs below.

Run with a Python that has python-dotenv 1.2.4; the other programs are arguments:

    python generate.py --node node --node-dotenv node_modules/dotenv --bash bash --docker docker

bash runs with a PATH in which nothing is found, and not at all where an input substitutes commands.
docker talks to a daemon made here, which only notes the environment of the container it is asked for.
"""

import argparse
import http.server
import json
import logging
import os
import pathlib
import re
import socketserver
import subprocess
import tempfile
import threading

import dotenv.main
from importlib.metadata import version

ENVIRONMENT = {"EXT": "ext", "EMPTY": ""}
PEM = "-----BEGIN KEY-----\nMIIEvQ+/\nabc==\n-----END KEY-----"

VALUES = [
    "", "1", "x y", "'x y'", '"x y"', "`x y`", "it's", 'a"b', "a'b\"c", "'", '"', "''", '""', "``", "'x'y", '"x"y', "`x`y",
    "x # c", "x# c", "pa#ss", "#b", " #b", " # b", "'x' # c", '"x" # c', "'x'#c", '"x"#c', "'x # y'", '"x # y"', "x\t# c", "  x  ",
    "\tx\t", "' x '", '" x "', '"x', "'x", "`x", 'x"', "x'", '"x\ny"', "'x\ny'", "`x\ny`", '"x\r\ny"', "'x\ry'", '"x\n\ny"',
    r'"a\nb"', r"'a\nb'", r"a\nb", r'"a\rb"', r'"a\tb"', r'"a\a\b\f\v"', r'"a\\b"', r"'a\\b'", r"a\\b", r'"a\$b"', r'"say \"hi\""',
    r"'it\'s'", r'"it\'s"', r"'say \"hi\"'", r'"a\\"', r"'a\\'", r'"a\"', r"'a\'", "a\\", "a\\\nb", '"a\\\nb"', r"C:\Users\new", r'"C:\Users\new"',
    r"'C:\Users\new'", r'"\\n"', r"'\\n'", r'"a\\nb"', r'"\x41\u0041\101"', "$EXT", "${EXT}", "'x${EXT}y'", '"x${EXT}y"', "${NOPE}", "${NOPE:-def}",
    "${EMPTY:-def}", "${EXT:-def}", "${NOPE-def}", "${EXT:+alt}", "${EXT:x}", "${}", "${:-d}", "${", "${EXT", "$${EXT}", r"\${EXT}", r"'\${EXT}'",
    "${NOPE:-${EXT}}", "${NOPE:-a b}", "${NOPE:-a:-b}", "${NOPE:-}", "${A}", "${B}", "pa$$w0rd$x", "$1", "a;b", "a&b", "a|b", "a<b", "a(b", "a)b",
    "a!b", "a*b", "a?b", "[a]", "{a}", "{a,b}", "~", "~/x", "a:~", "x~", '{"a": 1}', '\'{"a": "b c"}\'', "a=b", "=", "==", "a b=c", "é", "ключ", "🍡",
    "\u00a0x\u00a0", "x\u2028y", "'x\u2028y'", "x\u2029", "x\x85", "'x\x85'", "\ufeffx", "x\u3000# c", "x\x1c# c", "x\x0b", "\x01", "hello world", "1 2 3",
    "a,b", "a%20b", "user@host:1/p?q=1&r=2", PEM, f'"{PEM}"', f"'{PEM}'", "\n'x'", '\n"x"', " \n'x'",
]
FILES = [
    "", "\n", " \n\t\n", "#", "# c", "# c \\\nA=1", "#A=1\nB=2", "  # c\nA=1", "A=1", "A=1\n", "A=1\nB=2\n", "A=1\r\nB=2\r\n", "A=1\rB=2\r", "A=1\n\rB=2",
    "\ufeffA=1\nB=2", "\ufeff\ufeffA=1", "\ufeff# c\nA=1", "A=1\nA=2\n", "A=1\nB=2\nA=3", "A=1\nA\n", "A\nA=1", "A\n", "A", "A # c\nB=1", "A B\nC=1",
    "A B=1\nC=1", "A = 1", "A =1", "A= 1", " A=1", "\tA=1", "export A=1", "export  A=1", "export\tA=1", "export\u00a0A=1", "export A", "export", "export=1",
    "export =1", "export\nA=1", "export export A=1", "export A=1 B=2", "exportA=1", "export 'A'=1", 'export "A"=1', "export # c", "'A'=1", "'A B'=1",
    "'A\nB'=1", "'A=1", "''=1", '"A"=1', "a-b=1", "a.b=1", "1A=1", "_=1", "Ä=1", "A+=1", "A[0]=1", "A: 1", "A:1", "A:\nB=1", "A:\n\nB=1", "A :1", "=1\nA=1",
    "bad line\nA=1", "!\nA=1", "A=1 \\\nB=2", 'A="x\nB=2', "A='x\nB=2", "A=`x\nB=2", 'A="x\nB="y"', "A='x\nB='y'", 'A="x"y\nB=2', "A=it's\nB=2",
    "A=it's\nB=it's", "A=\nB=1", "A=\n", "A=\n\n\nB=1", "A=1\n\n\n# c\n\nB=2", "A=(1 2)\nB=1", "A=(1\nB=1", "A=1;B=2", "A=1; B=2", "A=1 B=2", "A=1 && B=2",
    "if\nA=1", "A=$'x'", 'A=$"x"', "A=1\nB=${A}\nA=${B}2", "A=${B}\nB=${A}", "A=${A}", "A=1\nA=${A}2", "EXT=file\nB=${EXT}", "B=${EXT}\nEXT=file",
    "EMPTY\nB=${EMPTY}", "NOPE\nB=${NOPE:-d}", "__proto__=x\nA=1", "constructor=x", "A='x'\n'y'\nB=1", "A=\"a\"\n\"b\"", "A=x\u2028B=2", "A=x\u2028'y'",
    "\u2028A=1", "\u00a0A=1", "\u00a0# c", "A\u00a0=1", "A=\u00a01", "A='x'\u00a0# c", "A='x'\n\n# c\nB=1", "A='a'b'\nC=d'", "A='a\\'\nB='b'", "A=\"a\\\\\"\nB=\"\nc",
    "A='\\'\\'x\nB='", "A=\"\\\"x\\\" y\nB=1", "UID=1\nA=1", "SECONDS=x\nA=1", "A=" + "x" * 300, PEM, "export A='x # y' # z\r\nexport B=\"\"\r\n",
]


def python_reading(path, override):
    return list(map(list, dotenv.main.DotEnv(path, encoding="utf-8", override=override).dict().items()))


class Warnings(logging.Handler):
    def __init__(self):
        super().__init__()
        self.count = 0

    def emit(self, record):
        self.count += 1


def node_readings(arguments, inputs):
    script = """
        const dotenv = require(require('path').resolve(process.argv[1]));
        const inputs = JSON.parse(require('fs').readFileSync(0));
        console.log(JSON.stringify(inputs.map(text => dotenv.parse(text))));
    """
    command = [arguments.node, "-e", script, arguments.node_dotenv]
    return json.loads(subprocess.run(command, input=json.dumps(inputs), capture_output=True, text=True, check=True).stdout)


def bash_reading(arguments, path, text):
    if "$(" in text or "`" in text:
        return None
    command = [arguments.bash, "-c", 'set -a; . "$0" >/dev/null; /usr/bin/env -0', str(path)]
    environment = {"PATH": "/nonexistent", "HOME": "/home/user", **ENVIRONMENT}
    result = subprocess.run(command, cwd=path.parent, env=environment, stdin=subprocess.DEVNULL, capture_output=True)
    variables = dict(entry.split("=", 1) for entry in result.stdout.decode().split("\0") if entry)
    for own in ["PATH", "HOME", "PWD", "SHLVL", "_", "OLDPWD"]:
        variables.pop(own, None)
    errors = re.sub(r"\$'\\r': command not found", "", result.stderr.decode())
    runs = re.search("command not found|No such file|Is a directory", errors) is not None
    return {"variables": variables, "runs": runs, "stops": re.search("syntax error|unexpected EOF", errors) is not None}


class Daemon(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def handle_error(self, *_):
        """The command line hangs up as soon as it knows enough."""


class DockerApi(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    environment = None

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "containers/create" in self.path:
            DockerApi.environment = json.loads(body).get("Env") or []
        is_ping = self.path.endswith("/_ping")
        answer = b"" if is_ping else b'{"message":"noted"}'
        self.send_response(200 if is_ping else 500)
        self.send_header("API-Version", "1.50")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_HEAD = do_POST = answer

    def address_string(self):
        return ""

    def log_message(self, *_):
        pass


def docker_reading(arguments, socket, path):
    DockerApi.environment = None
    command = [arguments.docker, "-H", f"unix://{socket}", "create", "--env-file", path, "image"]
    subprocess.run(command, env={}, capture_output=True)
    environment = DockerApi.environment
    return None if environment is None else dict(entry.split("=", 1) for entry in environment if "=" in entry)


def version_of(command):
    return re.search(r"\d+\.\d+\.\d+", subprocess.run(command, capture_output=True, text=True, check=True).stdout)[0]


def main():
    parser = argparse.ArgumentParser()
    for program in ["node", "bash", "docker"]:
        parser.add_argument(f"--{program}", default=program)
    parser.add_argument("--node-dotenv", required=True)
    arguments = parser.parse_args()

    inputs = list(dict.fromkeys([f"A={value}\nZ=end\n" for value in VALUES] + FILES))
    os.environ.clear()
    os.environ.update(ENVIRONMENT, PATH=os.defpath)
    warnings = Warnings()
    logger = logging.getLogger("dotenv.main")
    logger.addHandler(warnings)
    logger.propagate = False
    nodes = node_readings(arguments, inputs)
    cases = []
    with tempfile.TemporaryDirectory() as directory:
        socket = f"{directory}/docker.sock"
        daemon = Daemon(socket, DockerApi)
        threading.Thread(target=daemon.serve_forever, daemon=True).start()
        path = pathlib.Path(directory, "file.env")
        for text, node in zip(inputs, nodes):
            path.write_bytes(text.encode())
            warnings.count = 0
            file_first = python_reading(path, True)
            problems = warnings.count
            cases.append({
                "input": text,
                "python": file_first,
                "python_environment_first": python_reading(path, False),
                "python_problems": problems,
                "node": node,
                "docker": docker_reading(arguments, socket, path),
                "bash": bash_reading(arguments, path, text),
            })
    versions = {
        "python-dotenv": version("python-dotenv"),
        "dotenv": json.loads(pathlib.Path(arguments.node_dotenv, "package.json").read_text())["version"],
        "node": version_of([arguments.node, "--version"]),
        "bash": version_of([arguments.bash, "--version"]),
        "docker": version_of([arguments.docker, "--version"]),
    }
    out = pathlib.Path(__file__).with_name("readings.json")
    head = json.dumps({"versions": versions, "environment": ENVIRONMENT}, ensure_ascii=True)[:-1]
    lines = ",\n".join(json.dumps(case, ensure_ascii=True) for case in cases)
    out.write_text(f'{head}, "cases": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
