"""R's glm, where Rscript is on the path: data go over as binary files, times are R's own.

Every fit is a fresh R: the warm time is R's own of the fit alone, the cold one that of the whole
process, reading the data included. Peak memory is that of R's process.
"""

import json
import resource
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from benchmarks.libraries.base import Library, Solution, dense_obstacle

if TYPE_CHECKING:
    from benchmarks.data import Data
    from benchmarks.spec import Spec

SCRIPT = r"""
folder <- commandArgs(TRUE)[1]
epsilon <- as.numeric(commandArgs(TRUE)[2])
at <- function(name) file.path(folder, name)
layout <- readLines(at("layout.txt"))
n <- as.integer(layout[1]); p <- as.integer(layout[2]); family <- layout[3]
power <- as.numeric(layout[4]); door <- layout[5]; columns <- layout[-(1:5)]
doubles <- function(name, count) readBin(at(name), "double", count, 8)
y <- doubles("y.bin", n)
offset <- if (file.exists(at("offset.bin"))) doubles("offset.bin", n) else NULL
fam <- switch(family, binomial = binomial(), poisson = poisson(), gamma = Gamma("log"),
              tweedie = statmod::tweedie(var.power = power, link.power = 0))
control <- glm.control(epsilon = epsilon, maxit = 100)
if (door == "arrays") {
  X <- t(matrix(doubles("X.bin", n * p), p, n))
  fit <- function() glm.fit(X, y, family = fam, offset = offset, control = control)
} else {
  table <- data.frame(y = y)
  for (column in columns) {
    part <- strsplit(column, " ")[[1]]
    table[[part[2]]] <- if (part[1] == "factor")
      factor(readBin(at(paste0(part[2], ".bin")), "integer", n, 4)) else
      doubles(paste0(part[2], ".bin"), n)
  }
  names <- vapply(strsplit(columns, " "), `[`, "", 2)
  model <- reformulate(names, "y")
  fit <- function() glm(model, fam, table, offset = offset, control = control, model = FALSE)
}
seconds <- system.time(result <- fit())[["elapsed"]]
if (door == "table")
  writeBin(as.numeric(summary(result)$coefficients[, 2]), at("errors.bin"), 8)
writeBin(as.numeric(result$coefficients), at("beta.bin"), 8)
writeLines(as.character(c(seconds, result$iter)), at("answer.txt"))
"""


class RGlm(Library):
    packages = ()
    default = 1e-8
    tight = 1e-12
    ladder = (1e-2, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12)

    def obstacle(self, spec: "Spec") -> str | None:
        if shutil.which("Rscript") is None:
            return "no Rscript on the path"
        if spec.family not in ("binomial", "poisson", "gamma", "tweedie") or spec.link not in (
            "logit",
            "log",
        ):
            return "not written for other families and links"
        # X, its weighted copy and the QR decomposition.
        return dense_obstacle(spec, 4)

    def fit(self, data: "Data", tolerance: float | None) -> Solution:
        import numpy as np

        folder = data.folder / "r"
        if not folder.exists():
            _write(data)
        script = folder / "fit.R"
        script.write_text(SCRIPT)
        done = subprocess.run(
            ["Rscript", "--vanilla", str(script), str(folder), repr(tolerance)],
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(" ".join(done.stderr.split()[-40:]))
        seconds, iterations = (folder / "answer.txt").read_text().split()
        return Solution(
            np.fromfile(folder / "beta.bin"),
            errors=np.fromfile(folder / "errors.bin") if data.spec.door == "table" else None,
            passes=int(iterations),
            seconds=float(seconds),
        )

    def child_peak(self) -> int | None:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit


def _write(data: "Data") -> None:
    spec, folder = data.spec, data.folder / "r"
    folder.mkdir()
    columns = [f"factor {name}" for name in spec.factors]
    columns += [f"numeric {name}" for name in spec.numeric]
    layout = [spec.n, spec.p, spec.family, spec.power or 0.0, spec.door, *columns]
    (folder / "layout.txt").write_text("\n".join(str(line) for line in layout) + "\n")
    data.y.tofile(folder / "y.bin")
    if data.X is not None:
        data.X.astype(float).tofile(folder / "X.bin")
    for name in spec.factors:
        data.frame[name].cat.codes.to_numpy("int32").tofile(folder / f"{name}.bin")
    for name in spec.numeric:
        data.frame[name].to_numpy(float).tofile(folder / f"{name}.bin")
    if data.log_exposure is not None:
        data.log_exposure.tofile(folder / "offset.bin")
    (folder / "written.json").write_text(json.dumps(spec.name))
