"""Owns the container of a saved result: an archive of NumPy arrays and a JSON header.

It is read within the size of the file: what a part of it claims to be is held against the bytes
that are there before memory is taken for it. Nothing is unpickled, decompressed or evaluated.
"""

import json
import math
import os
import struct
import tokenize
import zipfile
import zlib
from os import PathLike
from typing import Any, BinaryIO

import numpy as np

from jaxglm._schema import Damaged
from jaxglm._status import DataError
from jaxglm.results._replace import as_path, replacing

HEADER = "header.json"
# Twice what a result has with keys of many columns; an archive of millions is none.
_MOST_MEMBERS, _MOST_DIRECTORY = 400, 1 << 17
# The last record of an archive without a comment: signature, entries, size of the directory.
_END, _END_BYTES, _SIGNATURE = struct.Struct("<4s4xHHIIH"), 22, b"PK\x05\x06"
# From here on archives have a second such record.
_LARGE = 1 << 31
# Booleans, numbers and times.
_KINDS = "biufmM"
_UNREADABLE = (
    *(ValueError, TypeError, KeyError, EOFError, OverflowError, RecursionError, SyntaxError),
    *(NotImplementedError, RuntimeError, zipfile.BadZipFile, struct.error, zlib.error),
    tokenize.TokenError,  # of NumPy, for the header of an array,
)


def write_archive(
    path: str | PathLike[str], header: dict[str, Any], arrays: dict[str, np.ndarray]
) -> None:
    """Write a header and arrays to `path`, in the place of what was there."""
    text = json.dumps(header, allow_nan=False)
    members: dict[str, Any] = {HEADER: np.frombuffer(text.encode(), dtype=np.uint8), **arrays}
    with replacing(as_path(path)) as file:
        np.savez(file, allow_pickle=False, **members)


def read_archive(path: str | PathLike[str]) -> tuple[Any, dict[str, np.ndarray]]:
    """The header and the arrays of a file.

    Raises
    ------
    DataError
        When it is none of this kind, or damaged.
    """
    path = as_path(path)
    if os.path.isdir(path):
        raise DataError(f"{path} is a folder, not a result saved by jaxglm: give the file.")
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            _check_end(file, size)
            with zipfile.ZipFile(file) as archive:
                arrays = _arrays(archive, size)
        if HEADER not in arrays:
            raise Damaged("the archive", "is another program's: it has no header of this one")
        return json.loads(arrays.pop(HEADER).tobytes().decode()), arrays
    except _UNREADABLE as error:
        said = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise DataError(f"{path} is not a result saved by jaxglm, or damaged: {said}") from error


def _check_end(file: BinaryIO, size: int) -> None:
    """Refuse what is no archive, or has a directory that alone would fill the memory."""
    if size == 0:
        raise Damaged("the file", "is empty")
    if size < _END_BYTES:
        raise Damaged("the file", "is too short")
    file.seek(-_END_BYTES, os.SEEK_END)
    signature, entries, _, directory, start, _ = _END.unpack(file.read(_END_BYTES))
    if signature != _SIGNATURE:
        raise Damaged("the file", "does not end as an archive does")
    if entries > _MOST_MEMBERS or directory > _MOST_DIRECTORY:
        raise Damaged("the archive", "has more members than a result")
    # Above that a second record tells the size of the archive, and there is memory for its
    # directory; below, one would speak for what is not there.
    if size < _LARGE and start + directory + _END_BYTES != size:
        raise Damaged("the archive", "is longer or shorter than it says")
    file.seek(0)


def _arrays(archive: zipfile.ZipFile, size: int) -> dict[str, np.ndarray]:
    members = archive.infolist()
    if sum(member.file_size for member in members) > size:
        raise Damaged("the archive", "claims to hold more than the file has bytes")
    arrays = {}
    for member in members:
        name = member.filename.removesuffix(".npy")
        if name == member.filename or name in arrays:
            raise Damaged(f"the member {member.filename!r}", "is no array, or there twice")
        stored = member.compress_type == zipfile.ZIP_STORED
        if not stored or member.compress_size != member.file_size:
            raise Damaged(f"the member {name!r}", "is compressed, or of two sizes")
        arrays[name] = _array(archive, member, name)
    return arrays


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> np.ndarray:
    with archive.open(member) as file:
        if np.lib.format.read_magic(file) != (1, 0):
            raise Damaged(f"the array {name!r}", "is of another version of NumPy's format")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
        if dtype.kind not in _KINDS or not dtype.isnative or min(shape, default=0) < 0:
            raise Damaged(f"the array {name!r}", f"holds no numbers but {dtype}")
        count = math.prod(shape)
        if count * dtype.itemsize != member.file_size - file.tell():
            raise Damaged(f"the array {name!r}", f"has other bytes than its shape {shape} takes")
        values = np.frombuffer(bytearray(file.read()), dtype)
    return values.reshape(shape[::-1]).T if fortran else values.reshape(shape)
