"""Owns compiled programs between processes: where they are kept, by what name, and in what form.

What a first fit costs is compilation. A program that an earlier process has compiled is read from
a folder instead, under a name that is known before it is traced.
"""

from jaxglm._kept._executable import Executable, compiled
from jaxglm._kept._folder import Folder, compilation_cache, in_use
from jaxglm._kept._key import signature_of

__all__ = ["Executable", "Folder", "compilation_cache", "compiled", "in_use", "signature_of"]
