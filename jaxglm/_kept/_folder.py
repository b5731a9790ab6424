"""Owns the folder in which compiled programs are kept: a store of bytes by name.

A program that is loaded runs as it is, so the folder must be one that nobody else can write to.
Whatever goes wrong with it, a full disk or a file that was cut short, costs a compilation and
nothing else.
"""

import contextlib
import functools
import hashlib
import os
import stat
import sys
import tempfile
from pathlib import Path

VARIABLE = "JAXGLM_CACHE"
_OFF = "off"
# The folder holds no more than this; those used longest ago leave.
_MOST_BYTES = 512 << 20
# They leave until this share is left, so that not every new one looks through the folder.
_SHARE_LEFT = 0.75

# Of no file but those of this library: a folder of the user's own may hold others.
_SUFFIX, _UNFINISHED = ".jaxglm-program", ".jaxglm-program.tmp"
_MAGIC = b"jaxglm program 1\n"
_DIGEST = hashlib.sha256

# What `compilation_cache` was told, which stands above the environment variable.
_told: str | None = None


class Folder:
    """Bytes by name, in a folder that only this user can write to.

    Parameters
    ----------
    path : Path
        Is made where it is not there.
    """

    def __init__(self, path: Path):
        self.path = path
        self._size: int | None = None

    def get(self, name: str) -> bytes | None:
        """What was put under a name; None where there is nothing, or not what was put."""
        path = self._file(name)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        head = len(_MAGIC) + _DIGEST().digest_size
        value = content[head:]
        if content[:head] != _MAGIC + _DIGEST(value).digest():
            self.remove(name)
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # it was used now
        return value

    def put(self, name: str, value: bytes) -> None:
        """Keep bytes under a name, whole or not at all."""
        content = _MAGIC + _DIGEST(value).digest() + value
        try:
            self._write(name, content)
            self._size = self._total() if self._size is None else self._size + len(content)
            if self._size > _MOST_BYTES:
                self._size = self._shrink()
        except OSError:
            return

    def remove(self, name: str) -> None:
        """Forget what was put under a name."""
        with contextlib.suppress(OSError):
            self._file(name).unlink()

    def _file(self, name: str) -> Path:
        return self.path / (name + _SUFFIX)

    def _write(self, name: str, content: bytes) -> None:
        handle, temporary = tempfile.mkstemp(dir=self.path, prefix=name, suffix=_UNFINISHED)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(temporary, self._file(name))
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise

    def _files(self) -> list[tuple[float, int, str]]:
        """When each file was last used, its size and path; those of a killed process among them."""
        found = []
        with os.scandir(self.path) as entries:
            for entry in entries:
                if entry.name.endswith((_SUFFIX, _UNFINISHED)):
                    with contextlib.suppress(OSError):
                        seen = entry.stat(follow_symlinks=False)
                        found.append((seen.st_mtime, seen.st_size, entry.path))
        return found

    def _total(self) -> int:
        return sum(size for _, size, _ in self._files())

    def _shrink(self) -> int:
        files = sorted(self._files())
        total = sum(size for _, size, _ in files)
        for _, size, path in files:
            if total <= _SHARE_LEFT * _MOST_BYTES:
                break
            with contextlib.suppress(OSError):
                os.unlink(path)
            total -= size
        return total


def compilation_cache(folder: str | os.PathLike[str] | None = None) -> Path | None:
    """Where compiled programs are kept from one process to the next; moves it, or turns it off.

    The first fit of a shape compiles its program, which takes longer than the fit. Compiled
    programs are kept in a folder of this library's own, so that the next process finds them. They
    are kept for this version of the library and of jax, for this processor, and apart from jax's
    own compilation cache, whose settings stay as they are.

    Parameters
    ----------
    folder : path or "off", optional
        Where to keep them from now on, in this process; "off" keeps none. Nothing is changed by
        default. The environment variable ``JAXGLM_CACHE`` says the same for all processes.

    Returns
    -------
    Path or None
        The folder in use; None where none is, because it was turned off or cannot be used.

    Raises
    ------
    TypeError
        For what is neither.
    ValueError
        For a folder that cannot be made or written to, belongs to somebody else, or that others may
        write to: programs are loaded from it and run.

    Notes
    -----
    By default it is ``jaxglm`` in the user's folder for caches: ``~/.cache`` or
    ``$XDG_CACHE_HOME``, ``~/Library/Caches`` on macOS, ``%LOCALAPPDATA%`` on Windows. It takes at
    most 512 MiB; what was used longest ago leaves. It may be deleted at any time. Only programs
    for a CPU that is the only device are kept. Of a family or link of one's own the program is
    traced in each process, and compiled once.

    Examples
    --------
    >>> import tempfile
    >>> import jaxglm as jg
    >>> with tempfile.TemporaryDirectory() as mine:
    ...     jg.compilation_cache(mine) == jg.compilation_cache()
    True
    >>> print(jg.compilation_cache("off"))
    None
    """
    global _told
    if folder is not None:
        if not isinstance(folder, str | os.PathLike):
            raise TypeError(f'the folder must be a path or "off", not {folder!r}.')
        told = os.fspath(folder)
        problem = "" if _is_off(told) else _problem(_absolute(told))
        if problem:
            raise ValueError(f"compiled programs cannot be kept in {told!r}: {problem}.")
        _told = told
    kept = in_use()
    return None if kept is None else kept.path


def in_use() -> Folder | None:
    """The folder in use, or None."""
    return _opened(os.environ.get(VARIABLE, "") if _told is None else _told)


def _is_off(told: str) -> bool:
    return told.strip().lower() == _OFF


def _absolute(told: str) -> Path:
    return Path(told).expanduser().absolute()


@functools.cache
def _opened(told: str) -> Folder | None:
    """What a user tells by an argument or a variable; None for a folder that cannot be used."""
    if _is_off(told):
        return None
    try:
        path = _absolute(told) if told else _default()
    except RuntimeError:
        return None
    return None if _problem(path) else Folder(path)


def _default() -> Path:
    """The folder for those who tell nothing.

    Raises
    ------
    RuntimeError
        For a user without a home.
    """
    home = Path.home()
    if not home.is_dir():
        raise RuntimeError
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or home / ".cache"
    return Path(base) / "jaxglm"


def _problem(path: Path) -> str:
    """Why programs cannot be kept in a folder, which is made; nothing where they can."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
        seen = path.stat()
    except (FileExistsError, NotADirectoryError):
        return "it is, or lies in, a file and not a folder"
    except OSError as error:
        return str(error.strerror or error).lower()
    if not os.access(path, os.W_OK | os.X_OK):
        return "it cannot be written to"
    if hasattr(os, "getuid"):
        if seen.st_uid != os.getuid():
            return "it belongs to another user, whose programs would run here"
        if seen.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return "others may write to it, and their programs would run here"
    return ""
