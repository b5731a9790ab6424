"""R's glmnet, where Rscript is on the path: data go over as binary files, times are R's own."""

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.paths.base import Adapter, Coefficients, Given

if TYPE_CHECKING:
    from benchmarks.spec import Spec

SCRIPT = r"""
folder <- commandArgs(TRUE)[1]
thresh <- as.numeric(commandArgs(TRUE)[2])
n <- as.integer(commandArgs(TRUE)[3]); p <- as.integer(commandArgs(TRUE)[4])
family <- commandArgs(TRUE)[5]
at <- function(name) file.path(folder, name)
read <- function(name, what = "double")
  readBin(at(name), what, file.size(at(name)) / (if (what == "double") 8 else 4))
suppressPackageStartupMessages(library(glmnet))
X <- if (file.exists(at("starts.bin")))
  new("dgCMatrix", i = read("rows.bin", "integer"), p = read("starts.bin", "integer"),
      x = read("values.bin"), Dim = c(n, p)) else
  matrix(read("X.bin"), n, p)
y <- read("y.bin")
offset <- if (file.exists(at("offset.bin"))) read("offset.bin") else NULL
seconds <- system.time(
  fit <- glmnet(X, y, family, offset = offset, lambda = read("strengths.bin"), thresh = thresh,
                standardize = FALSE, maxit = 1e7)
)[["elapsed"]]
writeBin(as.numeric(fit$a0), at("intercepts.bin"), 8)
writeBin(as.numeric(as.matrix(fit$beta)), at("beta.bin"), 8)
version <- paste(R.version$major, R.version$minor, sep = ".")
writeLines(c(format(seconds, digits = 10), as.character(packageVersion("glmnet")), version),
           at("answer.txt"))
"""
_INSTALLED = 'quit(status = if (requireNamespace("glmnet", quietly = TRUE)) 0 else 1)'


class Glmnet(Adapter):
    default = 1e-7
    tolerances = (1e-7, 1e-10, 1e-14)

    def obstacle(self, spec: "Spec") -> str | None:
        if shutil.which("Rscript") is None:
            return "no Rscript on the path"
        if subprocess.run(["Rscript", "--vanilla", "-e", _INSTALLED]).returncode:
            return "R without the package glmnet"
        return None

    def ready(self, given: Given) -> None:
        self.folder = given.data.folder / "r"
        if not (self.folder / "written").exists():
            _write(given, self.folder)

    def solve(self, given: Given, tolerance: float | None) -> Coefficients:
        import numpy as np

        spec, script = given.spec, self.folder / "path.R"
        script.write_text(SCRIPT)
        words = [str(self.folder), repr(tolerance), str(spec.n), str(spec.p - 1), spec.family]
        done = subprocess.run(
            ["Rscript", "--vanilla", str(script), *words], capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(" ".join(done.stderr.split()[-40:]))
        seconds, glmnet, r = (self.folder / "answer.txt").read_text().split()
        intercepts = np.fromfile(self.folder / "intercepts.bin")
        return Coefficients(
            intercepts,
            np.fromfile(self.folder / "beta.bin").reshape(intercepts.size, spec.p - 1),
            float(seconds),
            {"glmnet": glmnet, "R": r},
        )


def _write(given: Given, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    given.y.astype(float).tofile(folder / "y.bin")
    given.strengths.tofile(folder / "strengths.bin")
    X = given.design
    if given.spec.door == "arrays":
        X.T.tofile(folder / "X.bin")
    else:
        X.indices.astype("int32").tofile(folder / "rows.bin")
        X.indptr.astype("int32").tofile(folder / "starts.bin")
        X.data.tofile(folder / "values.bin")
    if given.offset is not None:
        given.offset.tofile(folder / "offset.bin")
    (folder / "written").touch()
