# Penalised fits of table.csv by glmnet and MASS: Rscript conversions.R, in this folder, writes
# conversions.json in the form of peers.json.
suppressMessages({
  library(glmnet)
  library(jsonlite)
  library(MASS)
})
table <- read.csv("table.csv")
X <- as.matrix(table[paste0("x", 0:5)])
families <- c(real = "gaussian", binary = "binomial", count = "poisson")
fits <- list()

keep <- function(row, response, weighted, coefficients, numbers) {
  one <- list(
    response = response, family = families[[response]], weighted = weighted, numbers = numbers,
    coef = unname(as.numeric(coefficients))
  )
  fits[[row]] <<- c(fits[[row]], list(one))
}

of_glmnet <- function(row, response, numbers, ...) {
  for (weighted in c(FALSE, TRUE)) {
    weights <- if (weighted) table$w else rep(1, nrow(table))
    fit <- glmnet(
      X, table[[response]], families[[response]],
      weights = weights, alpha = numbers$a, lambda = numbers$l, thresh = 1e-20, maxit = 1e9, ...
    )
    mean <- weighted.mean(table[[response]], weights)
    numbers$sd <- sqrt(weighted.mean((table[[response]] - mean)^2, weights))
    keep(row, response, weighted, coef(fit), numbers)
  }
}

plain <- "glmnet `glmnet(X, y, family, alpha = a, lambda = l)`"
of_glmnet(plain, "binary", list(l = 0.05, a = 0.6))
of_glmnet(plain, "binary", list(l = 0.05, a = 0))
of_glmnet(plain, "count", list(l = 0.2, a = 0.6))
of_glmnet(plain, "real", list(l = 0.4, a = 1))
gaussian <- "glmnet the same, `family = \"gaussian\"` and `a < 1`"
of_glmnet(gaussian, "real", list(l = 0.4, a = 0.6))
of_glmnet(gaussian, "real", list(l = 4, a = 0))
factors <- c(0, 1, 2, 2, 0.5, 1)
of_glmnet(
  "glmnet `penalty.factor = f`", "count", list(l = 0.2, a = 0.6, f = factors),
  penalty.factor = factors
)
of_glmnet("glmnet `standardize = FALSE`", "count", list(l = 0.2, a = 0.6), standardize = FALSE)
of_glmnet(
  "glmnet `lower.limits = lo, upper.limits = up`", "count", list(l = 0.05, a = 1, lo = -0.1, up = 0.2),
  lower.limits = -0.1, upper.limits = 0.2
)
ridge <- lm.ridge(reformulate(colnames(X), "real"), table, lambda = 9)
keep("MASS `lm.ridge(formula, data, lambda = s)`", "real", FALSE, coef(ridge), list(s = 9))

versions <- list(
  R = paste(R.version$major, R.version$minor, sep = "."),
  glmnet = as.character(packageVersion("glmnet")), MASS = as.character(packageVersion("MASS"))
)
answer <- list(versions = versions, fits = fits)
writeLines(toJSON(answer, digits = NA, auto_unbox = TRUE), "conversions.json")
