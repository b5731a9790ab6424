"""R's sandwich on a glm at our coefficients, in an R that stays; times are R's own of the call."""

import shutil
import subprocess
from typing import ClassVar

import numpy as np

from benchmarks.inference.base import LAGS, Adapter, Answer, Given
from benchmarks.libraries.base import dense_obstacle

# A line of the name of a task comes in; the seconds go out, the numbers into a file.
SCRIPT = r"""
folder <- commandArgs(TRUE)[1]
n <- as.integer(commandArgs(TRUE)[2]); p <- as.integer(commandArgs(TRUE)[3])
lags <- as.integer(commandArgs(TRUE)[5])
at <- function(name) file.path(folder, name)
X <- t(matrix(readBin(at("X.bin"), "double", n * p, 8), p, n))
y <- readBin(at("y.bin"), "double", n, 8)
start <- readBin(at("start.bin"), "double", p, 8)
clusters <- readBin(at("clusters.bin"), "integer", n, 4)
others <- readBin(at("others.bin"), "integer", n, 4)
suppressPackageStartupMessages(library(sandwich))
fit <- glm(y ~ X - 1, family = commandArgs(TRUE)[4], start = start)
errors <- function(covariance) sqrt(diag(covariance))
tasks <- list(
  HC0 = function() errors(vcovHC(fit, type = "HC0")),
  HC3 = function() errors(vcovHC(fit, type = "HC3")),
  cluster = function() errors(vcovCL(fit, cluster = clusters, type = "HC0")),
  twoway = function() errors(vcovCL(fit, cluster = cbind(clusters, others), type = "HC0")),
  HAC = function() errors(NeweyWest(fit, lag = lags, prewhite = FALSE, adjust = FALSE)),
  leverages = function() hatvalues(fit),
  cooks = function() cooks.distance(fit)
)
cat("ready\n")
lines <- file("stdin", "r")
while (length(task <- readLines(lines, 1)) == 1) {
  invisible(gc())
  seconds <- system.time(values <- tasks[[task]]())[["elapsed"]]
  writeBin(as.numeric(values), at("values.bin"), 8)
  cat(seconds, "\n")
}
"""
_INSTALLED = 'quit(status = if (requireNamespace("sandwich", quietly = TRUE)) 0 else 1)'


class RSandwich(Adapter):
    corrections: ClassVar = dict.fromkeys(
        ("HC0", "HC3", "cluster", "twoway", "HAC", "leverages", "cooks"), "sandwich"
    )

    def __init__(self, given: Given):
        super().__init__(given)
        self.process: subprocess.Popen[str] | None = None

    def obstacle(self) -> str | None:
        if self.given.data.spec.door != "arrays":
            return "a column of a dense X for each level"
        if shutil.which("Rscript") is None:
            return "no Rscript on the path"
        if subprocess.run(["Rscript", "--vanilla", "-e", _INSTALLED]).returncode:
            return "R without the package sandwich"
        # X, the model frame, its matrix, the QR, and the scores.
        return dense_obstacle(self.given.data.spec, 7)

    def fit(self) -> None:
        given, self.folder = self.given.data, self.given.folder / "r"
        self.folder.mkdir(exist_ok=True)
        given.matrix.astype(float).tofile(self.folder / "X.bin")
        given.y.astype(float).tofile(self.folder / "y.bin")
        self.given.beta.tofile(self.folder / "start.bin")
        self.given.clusters.astype("int32").tofile(self.folder / "clusters.bin")
        self.given.others.astype("int32").tofile(self.folder / "others.bin")
        script = self.folder / "inference.R"
        script.write_text(SCRIPT)
        words = [str(self.folder), str(given.spec.n), str(given.spec.p), given.spec.family]
        self.process = subprocess.Popen(
            ["Rscript", "--vanilla", str(script), *words, str(LAGS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._line()

    def answer(self, task: str, correction: str) -> Answer:
        assert self.process is not None and self.process.stdin is not None
        self.process.stdin.write(task + "\n")
        self.process.stdin.flush()
        return Answer(float(self._line()), np.fromfile(self.folder / "values.bin"))

    def _line(self) -> str:
        assert self.process is not None and self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"R ended with code {self.process.wait()}")
        return line

    def close(self) -> None:
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()
            self.process.wait()
