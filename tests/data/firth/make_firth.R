# Bias-reduced fits of brglm2 (type "AS_mean") for tests/test_firth.py: writes cases.json here.
# Needs R >= 4.1 with brglm2 and jsonlite:  Rscript make_firth.R
suppressMessages({ library(brglm2); library(jsonlite) })
set.seed(20)
n <- 24
x <- round(rnorm(n), 3); z <- rep(0:1, length.out = n)
w <- rep(c(1, 2, 0.5, 3), length.out = n); o <- round(rnorm(n, sd = 0.3), 3)
trials <- rep(c(3, 5, 8), length.out = n)
level <- exp(0.5 + 0.6 * x - 0.4 * z)
binary <- as.numeric(runif(n) < plogis(0.4 + x - 0.5 * z))
successes <- rbinom(n, trials, plogis(0.2 + 0.8 * x - 0.5 * z))
counts <- rpois(n, level)
positive <- round(level * rgamma(n, 4, 4), 4)
real <- round(level + rnorm(n, sd = 0.4), 4)
near <- round((0.9 + 0.25 * z + 0.1 * x)^-1 * rgamma(n, 30, 30), 4)
skewed <- round(statmod::rinvgauss(n, exp(0.3 + 0.2 * x), dispersion = 0.1), 4)
complete <- as.numeric(x > 0)
quasi <- ifelse(z == 1, 1, binary)
empty <- ifelse(z == 1, 0, counts)

cases <- list()
add <- function(name, y, family, weights = NULL, offset = NULL, trials = NULL) {
  data <- data.frame(x, z)
  response <- if (is.null(trials)) y else cbind(y, trials - y)
  # A tight epsilon is asked of the steps; brglm2's dispersion comes by the same iteration.
  fit <- suppressWarnings(glm(response ~ x + z, family = family, data = data, weights = weights,
    offset = offset, method = "brglmFit", type = "AS_mean", epsilon = 1e-13, maxit = 10000))
  s <- summary(fit)
  cases[[name]] <<- list(
    family = family$family, link = family$link, y = y, weights = weights, offset = offset,
    trials = trials, coef = unname(coef(fit)), se = unname(s$coefficients[, 2]),
    dispersion = s$dispersion, deviance = fit$deviance, fitted = unname(fitted(fit))[1:5],
    df_residual = fit$df.residual)
  cat(name, fit$converged, fit$iter, coef(fit), s$dispersion, "\n")
}
add("logit", binary, binomial())
add("logit, complete separation", complete, binomial())
add("logit, quasi-separation", quasi, binomial())
add("probit, complete separation", complete, binomial("probit"))
add("probit", binary, binomial("probit"))
add("cloglog", binary, binomial("cloglog"))
add("cloglog, quasi-separation", quasi, binomial("cloglog"))
add("cauchit", binary, binomial("cauchit"))
add("grouped", successes, binomial(), trials = trials)
add("grouped, probit", successes, binomial("probit"), trials = trials, offset = o)
add("weighted logit", binary, binomial(), weights = w * 2)
add("poisson", counts, poisson())
add("poisson, offset", counts, poisson(), offset = o)
add("poisson, a level of zeros", empty, poisson())
add("poisson, weights", counts, poisson(), weights = w)
add("gamma, log", positive, Gamma("log"))
add("gamma, log, weights", positive, Gamma("log"), weights = w, offset = o)
add("gamma, inverse", near, Gamma())
add("gamma, identity", near, Gamma("identity"))
add("gaussian, identity", real, gaussian())
add("gaussian, log", positive, gaussian("log"), weights = w)
add("inverse gaussian, log", skewed, inverse.gaussian("log"))
add("inverse gaussian, weights", skewed, inverse.gaussian("log"), weights = w)
writeLines(toJSON(list(R = R.version.string, brglm2 = as.character(packageVersion("brglm2")),
  x = x, z = z, cases = cases), digits = 17, auto_unbox = TRUE, null = "null", pretty = FALSE),
  "cases.json")
