"""What could sign somebody in stands in no text: wherever it came from, and in whatever form it comes back."""

import base64
import json
import random
import string
from urllib.parse import quote

import pytest

from qiskit_hqnn import _secrets
from qiskit_hqnn._secrets import learn, redacted

SIGNS = string.ascii_letters + string.digits + "-_"


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch, tmp_path):
    monkeypatch.setattr(_secrets, "_learned", set())
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (*_secrets._VARIABLES, *_secrets._ADDRESSES, *map(str.lower, _secrets._ADDRESSES)):
        monkeypatch.delenv(name, raising=False)


def key_of(seed, length=24, signs=SIGNS):
    generator = random.Random(seed)
    return "".join(generator.choice(signs) for _ in range(length))


SAYINGS = [
    "key {} may not do this",
    "({})",
    "https://cloud/api?key={}&x=1",
    '{{"message": "no access for {}"}}',
    "{}{}",
]


@pytest.mark.parametrize(
    "source", ["environment", "saved", "learned", "learned account", "address", "user", "proxy"]
)
@pytest.mark.parametrize("signs", [SIGNS, string.ascii_lowercase, string.printable[:94]])
def test_a_known_key_is_taken_out_wherever_it_came_from(monkeypatch, tmp_path, source, signs):
    for seed in range(10):
        key = key_of(seed, 8 + 3 * seed, signs)
        account = {"channel": "ibm_quantum_platform", "token": key, "url": "https://cloud.example"}
        if source == "environment":
            monkeypatch.setenv("QISKIT_IBM_TOKEN", key)
        elif source == "saved":
            (tmp_path / ".qiskit").mkdir(exist_ok=True)
            (tmp_path / ".qiskit" / "qiskit-ibm.json").write_text(
                json.dumps({"mine": account, "b": {"token": "x"}})
            )
        elif source == "learned":
            learn(key)
        elif source == "learned account":
            learn({**account, "token": None, "proxies": {"urls": {}, "password_ntlm": key}})
        elif source == "user":
            monkeypatch.setenv("QISKIT_IBM_URL", f"https://{quote(key, safe='')}@cloud.example/api")
        elif source == "proxy":
            monkeypatch.setenv("https_proxy", f"http://me:{quote(key, safe='')}@proxy.example:3128")
        else:
            learn({"url": f"https://cloud.example/?token={quote(key, safe='')}"})
        for saying in SAYINGS:
            for form in (
                key,
                quote(key, safe=""),
                json.dumps(key)[1:-1],
                base64.b64encode(key.encode()).decode(),
                quote(key).lower() if key.islower() else quote(key),
                repr(key)[1:-1],
                key.encode().hex(),
            ):
                assert form not in redacted(saying.format(form, form))


def test_a_known_key_is_taken_out_of_the_middle_of_a_header():
    for seed in range(10):
        key = key_of(seed, 20)
        learn(key)
        for before in ("", "u:", "me:", "apikey:", "someone-else:"):
            shown = redacted(f"sent {base64.b64encode(f'{before}{key}:x'.encode()).decode()} there")
            letters = base64.b64encode(f"{before}{key}:x".encode()).decode()
            # Letters at both ends share their bits with what stands beside the key.
            assert not any(letters[at : at + 8] in shown for at in range(len(before) + 4, len(letters) - 12))


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abcdefgh1jklmnopq",
        "apikey={}",
        "?access_token={}&b=2",
        "{{'token': '{}'}}",
        '{{\\"apikey\\":\\"{}\\"}}',
        "https://me:{}@proxy.example:3128/path",
        "postgresql://me:{}@host/base is not there",
        "password={}",
        "bearer {}",
    ],
)
def test_what_stands_where_a_secret_stands_is_taken_out(text):
    for seed in range(20):
        secret = key_of(seed, 20, string.ascii_letters + string.digits) + "1"
        shown = redacted(text.format(secret))
        assert secret not in shown
        assert "abcdefgh1jklmnopq" not in shown
        assert "…" in shown


def test_what_looks_like_a_key_is_taken_out():
    for seed in range(50):
        key = "aA1" + key_of(seed, 41)
        assert key not in redacted(f"{key} is not allowed")
        token = ".".join("eyJ" * (n == 0) + key_of(seed + n, 30) for n in range(3))
        assert token[:20] not in redacted(f"expired: {token}.")


@pytest.mark.parametrize(
    "text",
    [
        "Invalid credentials: token expired",
        "The authorization was refused for this instance.",
        "job d1a2b3c4e5f60718293a of sha256 " + "0123456789abcdef" * 4,
        "https://quantum.cloud.ibm.com/api/v1/jobs/d1a2b3c4e5f6 was not found",
        "crn:v1:bluemix:public:quantum-computing:us-east:a/acct:11111111-2222-3333-4444-555555555555::",
        "Token authentication is not possible, the password is wrong, and a secret was lost.",
        "Sending part 00000 of job 5825c22a42 on ibm_manila again would cost 2.6 QPU seconds",
    ],
)
def test_ordinary_sentences_stay_as_they_are(text):
    assert redacted(text) == text


def test_saved_accounts_that_cannot_be_read_are_passed_over(monkeypatch, tmp_path):
    file = tmp_path / ".qiskit" / "qiskit-ibm.json"
    assert redacted("words") == "words"
    file.parent.mkdir()
    for content in (b"{", b"\xff\xfe", b"[1, 2]", b"[" * 100_000, b'{"a": {"token": 3}}'):
        file.write_bytes(content)
        assert redacted("words") == "words"
    # Saved anew while the process runs.
    file.write_text('{"a": {"token": "one-of-them"}}')
    assert redacted("one-of-them, and another-key") == "…, and another-key"
    file.write_text('{"a": {"token": "another-key"}, "b": 1}')
    assert redacted("another-key") == "…"
