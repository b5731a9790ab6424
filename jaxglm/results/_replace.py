"""Owns the replacing of a file: whoever looks finds the old one or the new one, whole."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from typing import Any, BinaryIO

from jaxglm._status import DataError


def as_path(given: Any) -> str:
    """The path of a file as text.

    Raises
    ------
    DataError
        When it is none.
    """
    try:
        return os.fsdecode(given)
    except TypeError:
        raise DataError(
            f"a path is needed, such as 'fit.jaxglm', not {type(given).__name__}: a result is "
            "saved in a file and loaded from one."
        ) from None


@contextlib.contextmanager
def replacing(path: str) -> Iterator[BinaryIO]:
    """A file to write, which takes the place of `path` once it is whole and on the disk.

    A link is followed, and the permissions of a file that was there are kept. After an error there
    is no trace; after a kill, at most a file `.jaxglm-*.tmp` beside it.

    Raises
    ------
    DataError
        When there is no such folder, or `path` is a folder itself.
    OSError
        When it cannot be written, with `path` as its `filename`.
    """
    try:
        with _replacing(path) as file:
            yield file
    except OSError as error:
        if error.errno is None:  # in words already
            raise
        # That of a full disk names no file, and others the temporary one.
        raise OSError(error.errno, error.strerror, path) from error


@contextlib.contextmanager
def _replacing(path: str) -> Iterator[BinaryIO]:
    target = os.path.realpath(path)
    folder = os.path.dirname(target)
    if os.path.isdir(target):
        raise DataError(f"{path!r} is a folder: give the name of a file in it.")
    if not os.path.isdir(folder):
        raise DataError(
            f"There is no folder {folder!r} to save in: make it, or save under another name."
        )
    if os.path.exists(target) and not os.path.isfile(target):  # a pipe or a device
        with open(target, "wb") as file:
            yield file
        return
    mode = os.stat(target).st_mode & 0o7777 if os.path.exists(target) else None
    if mode is not None and not os.access(target, os.W_OK):
        raise PermissionError(f"The file {path!r} may not be written to.")
    temporary = os.path.join(folder, f".jaxglm-{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            os.chmod(temporary, mode)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(folder)


def _sync_folder(folder: str) -> None:
    """Have the new name on the disk too, where the system knows how."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
