"""Saved results with one thing wrong: bits, lengths, fields of the header, shapes and types."""

import copy
import io
import json
import math
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

JUNK: tuple[Any, ...] = (
    *(None, True, -1, 0, 2**70, 1e308, math.nan, "", "x", "nan", [], [[]], {}, {"float": "nan"}),
    *({"float": "x"}, ["a", 1], [0] * 50, "(" * 5000, [None], {"x": {"x": 1}}, 10**9, "y ~ x"),
)
SHAPES = ((), (0,), (1, 1, 1), (3,), (10**12,), (2**40, 2**40), (0, 10**18))
DTYPES = ("<f4", "<i8", "|b1", "<U9", "|O", "|S8", "<c16", "<M8[ns]", ">f8", [("a", "<f8")])


def mutations(original: bytes, seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Words for what was done, and the file with it."""
    for i in range(count):
        rng = np.random.default_rng([seed, i])
        how = (_flipped, _cut, _overwritten, _header, _header, _header, _array, _array)[i % 8]
        yield how(original, rng)


def members_of(original: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(original)) as archive:
        return {name: archive[name] for name in archive.files}


def file_of(members: dict[str, np.ndarray]) -> bytes:
    file = io.BytesIO()
    np.savez(file, **members)  # type: ignore[arg-type]
    return file.getvalue()


def with_header(original: bytes, header: Any) -> bytes:
    """The file with another header, a value or JSON text."""
    text = header if isinstance(header, str) else json.dumps(header)
    return file_of(members_of(original) | {"header.json": np.frombuffer(text.encode(), np.uint8)})


def header_of(original: bytes) -> Any:
    return json.loads(members_of(original)["header.json"].tobytes())


def _flipped(original: bytes, rng: np.random.Generator) -> tuple[str, bytes]:
    content = bytearray(original)
    for _ in range(int(rng.integers(1, 4))):
        # Half of them where the archive says what it holds.
        tail = rng.random() < 0.5
        at = int(rng.integers(len(content) - min(2000, len(content)) if tail else 0, len(content)))
        content[at] ^= 1 << int(rng.integers(8))
    return "bits flipped", bytes(content)


def _cut(original: bytes, rng: np.random.Generator) -> tuple[str, bytes]:
    a, b = sorted(rng.integers(len(original), size=2).tolist())
    return (
        ("cut off", original[:b])
        if rng.random() < 0.5
        else ("cut out", original[:a] + original[b:])
    )


def _overwritten(original: bytes, rng: np.random.Generator) -> tuple[str, bytes]:
    content = bytearray(original)
    tail = len(content) - int(rng.integers(4, 400))
    content[tail : tail + 4] = struct.pack("<I", int(rng.integers(2**32)))
    return "a number of the directory overwritten", bytes(content)


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each value in a header."""
    yield at
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _places(inner, (*at, key))


def _header(original: bytes, rng: np.random.Generator) -> tuple[str, bytes]:
    header = header_of(original)
    spec = header["model"]["spec"]
    into_spec = spec is not None and rng.random() < 0.5
    body = json.loads(spec) if into_spec else header
    places = list(_places(body))[1:]
    *way, last = places[int(rng.integers(len(places)))]
    holder = body
    for key in way:
        holder = holder[key]
    choice = rng.random()
    if choice < 0.2:
        del holder[last]
    elif choice < 0.4:
        *other, name = places[int(rng.integers(len(places)))]
        source = body
        for key in other:
            source = source[key]
        holder[last] = copy.deepcopy(source.get(name) if isinstance(source, dict) else source)
    else:
        holder[last] = JUNK[int(rng.integers(len(JUNK)))]
    if into_spec:
        header["model"]["spec"] = json.dumps(body)
    return f"header {[*way, last]}", with_header(original, header)


def _array(original: bytes, rng: np.random.Generator) -> tuple[str, bytes]:
    members = members_of(original)
    names = sorted(members)
    name = names[int(rng.integers(len(names)))]
    choice = int(rng.integers(4))
    if choice == 0:
        del members[name]
    elif choice == 1:
        members[name] = members[names[int(rng.integers(len(names)))]]
    elif choice == 2 and members[name].size:
        values = members[name].copy()
        odd = (np.nan, np.inf, -1e300) if values.dtype.kind == "f" else (0, 1, 100)
        values.flat[int(rng.integers(values.size))] = odd[int(rng.integers(len(odd)))]
        members[name] = values
    else:
        return f"declared shape or type of {name}", _declared(members, name, rng)
    return f"array {name}, {choice}", file_of(members)


def _declared(members: dict[str, np.ndarray], name: str, rng: np.random.Generator) -> bytes:
    """The array claims a shape and a type; its bytes, and the sums over them, are in order."""
    import zipfile

    values = members[name]
    shape = SHAPES[int(rng.integers(len(SHAPES)))] if rng.random() < 0.6 else values.shape
    kind = DTYPES[int(rng.integers(len(DTYPES)))] if rng.random() < 0.6 else values.dtype.str
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for other, own in members.items():
            part = io.BytesIO()
            if other == name:
                described = {"descr": kind, "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(part, described)  # type: ignore[arg-type]
                part.write(own.tobytes())
            else:
                np.lib.format.write_array(part, own)
            archive.writestr(f"{other}.npy", part.getvalue())
    return file.getvalue()
