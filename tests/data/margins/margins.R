# Average marginal effects with delta-method errors, written out: means of changed tables and their
# gradients by the coefficients, differences along a variable. Run here:
#   Rscript margins.R > margins.json        (R 4.2.2, jsonlite, splines)

library(splines)

effect <- function(fit, rows, pair, share = 1, log_mean = FALSE, size = 1) {
  # The average over rows of size * share * (g(mean of the second table) - g(mean of the first)).
  tt <- delete.response(terms(fit))
  designs <- lapply(pair, function(table) {
    frame <- model.frame(tt, table, xlev = fit$xlevels)
    model.matrix(tt, frame, contrasts.arg = fit$contrasts)
  })
  sides <- lapply(designs, function(X) {
    eta <- drop(X %*% coef(fit))
    mean <- fit$family$linkinv(eta)
    rate <- fit$family$mu.eta(eta)
    if (log_mean) list(log(mean), rate / mean * X) else list(mean, rate * X)
  })
  change <- size * share * (sides[[2]][[1]] - sides[[1]][[1]])
  gradient <- colMeans((size * share * (sides[[2]][[2]] - sides[[1]][[2]]))[rows, ])
  c(mean(change[rows]), sqrt(drop(gradient %*% vcov(fit) %*% gradient)))
}

slope <- function(fit, table, name, rows = TRUE, ..., h = 1e-4) {
  low <- high <- table
  low[[name]] <- low[[name]] - h
  high[[name]] <- high[[name]] + h
  effect(fit, rows, list(low, high), share = 1 / (2 * h), ...)
}

step <- function(fit, table, name, from, to, rows = TRUE, ...) {
  low <- high <- table
  low[[name]][] <- from
  high[[name]][] <- to
  effect(fit, rows, list(low, high), ...)
}

# Fitted again from its own answer, since glm() stops early and has the weights of the turn before.
tight <- function(...) {
  fit <- glm(..., control = glm.control(epsilon = 1e-14, maxit = 100))
  for (turn in 1:4) {
    fit <- glm(..., start = coef(fit), control = glm.control(epsilon = 1e-16, maxit = 3))
  }
  fit
}

birthwt <- read.csv("../reference/data/birthwt.csv", stringsAsFactors = TRUE)
low <- tight(low ~ age + I(age^2) + lwt * smoke + race, binomial, birthwt)
smokers <- birthwt$smoke == 1
at100 <- transform(birthwt, lwt = 100)
at150 <- transform(birthwt, lwt = 150)

mtcars <- read.csv("../reference/data/mtcars.csv")
power <- tight(mpg ~ ns(hp, df = 3) * am + log(wt), Gamma("log"), mtcars)

out <- list(
  low = list(
    age = slope(low, birthwt, "age"),
    lwt = slope(low, birthwt, "lwt"),
    smoke = step(low, birthwt, "smoke", 0, 1),
    other = step(low, birthwt, "race", "black", "other"),
    white = step(low, birthwt, "race", "black", "white"),
    lwt_smokers = slope(low, birthwt, "lwt", smokers),
    lwt_others = slope(low, birthwt, "lwt", !smokers),
    smoke_100 = step(low, at100, "smoke", 0, 1),
    smoke_150 = step(low, at150, "smoke", 0, 1),
    elasticity_lwt = slope(low, birthwt, "lwt", log_mean = TRUE, size = birthwt$lwt)
  ),
  power = list(
    hp = slope(power, mtcars, "hp"),
    am = step(power, mtcars, "am", 0, 1),
    wt = slope(power, mtcars, "wt", h = 1e-5)
  )
)
cat(jsonlite::toJSON(out, digits = 12, pretty = TRUE), "\n")
