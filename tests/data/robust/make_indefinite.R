# Two-way clusters whose matrix has negative eigenvalues: Rscript make_indefinite.R, in this folder.
# Writes indefinite.json: the table, and vcovCL as it is and with fix = TRUE.
library(sandwich)
library(jsonlite)
set.seed(41)
n <- 40
table <- data.frame(x = round(rnorm(n), 2), z = round(rnorm(n), 2), a = sample(5, n, TRUE),
  b = sample(6, n, TRUE))
table$y <- rpois(n, exp(.3 + .3 * table$x))
settled <- function(formula) {
  fit <- glm(formula, poisson, table, epsilon = 1e-15, maxit = 100)
  for (i in 1:5) fit <- update(fit, start = coef(fit))
  fit
}
both <- settled(y ~ x + z)
one <- settled(y ~ x)
out <- list(
  table = as.list(table), coef = unname(coef(both)),
  raw = vcovCL(both, cluster = ~ a + b), raw_HC1 = vcovCL(both, cluster = ~ a + b, type = "HC1"),
  plain_fixed = vcovCL(both, cluster = ~ a + b, cadjust = FALSE, fix = TRUE),
  raw_one = vcovCL(one, cluster = ~ a + b), plain_fixed_one = vcovCL(one, cluster = ~ a + b,
    cadjust = FALSE, fix = TRUE),
  by_a = vcovCL(both, cluster = ~ a))
writeLines(toJSON(lapply(out, function(v) if (is.matrix(v)) unname(v) else v), digits = 17, auto_unbox = TRUE), "indefinite.json")
for (name in c("raw", "raw_one", "plain_fixed")) print(eigen(out[[name]], TRUE)$values)
print(out$raw); print(out$raw_one)
