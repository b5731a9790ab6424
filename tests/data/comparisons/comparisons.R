# What R says of comparisons of models: run in this folder, `Rscript comparisons.R`, it writes
# comparisons.json (15 digits). R 4.2.2 with jsonlite, car, MASS, statmod.
#
# Data, formulas and levels are those of ../reference. Fits are restarted from their own answer
# until they stay, since glm() stops on the deviance, which is flat at the optimum.
suppressPackageStartupMessages({library(jsonlite); library(car); library(MASS); library(statmod)})
tight <- glm.control(epsilon = 1e-14, maxit = 200)

case <- function(name) {
  info <- fromJSON(file.path("../reference/cases", paste0(name, ".json")), simplifyVector = TRUE)
  d <- read.csv(file.path("../reference/data", info$data), check.names = FALSE)
  for (column in names(info$factors)) if (column %in% names(d))
    d[[column]] <- factor(as.character(d[[column]]), levels = info$factors[[column]])
  list(info = info, data = d)
}
families <- list(poisson = poisson, quasipoisson = quasipoisson, binomial = binomial, Gamma = Gamma,
                 gaussian = gaussian, inverse.gaussian = inverse.gaussian)
fit_of <- function(name) {
  one <- case(name); info <- one$info; d <- one$data
  f <- as.formula(info$formula)
  if (isTRUE(info$estimate_theta))
    return(eval(bquote(glm.nb(.(f), data = d, control = tight, link = .(as.name(info$link))))))
  fam <- do.call(families[[info$family]], list(link = info$link))
  # With a tight epsilon R no longer looks for collinear columns.
  args <- list(formula = f, data = d, family = fam,
               control = if (grepl("aliased", name)) glm.control() else tight)
  if (!is.null(info$weights)) args$weights <- d[[info$weights]]
  fit <- do.call(glm, args)
  if (!anyNA(coef(fit))) for (i in 1:9) { args$start <- coef(fit); fit <- do.call(glm, args) }
  fit$call$start <- NULL
  fit$start <- NULL
  fit
}
table_of <- function(t) if (is.null(t)) NULL else
  list(rows = I(rownames(t)),
       columns = lapply(setNames(names(t), names(t)), function(n) I(as.numeric(t[[n]]))))
quiet <- function(x) suppressMessages(suppressWarnings(x))

# Profile likelihood limits by root finding on the profile deviance: chi-squared where the
# dispersion is known, F with Pearson's dispersion where not.
profile_ci <- function(fit, given = NULL) {
  X <- model.matrix(fit); y <- fit$y; w <- fit$prior.weights
  off <- if (is.null(fit$offset)) rep(0, nrow(X)) else fit$offset
  fam <- fit$family; phi <- if (is.null(given)) summary(fit)$dispersion else given
  known <- !is.null(given) || fam$family %in% c("binomial", "poisson")
  q <- if (known) qchisq(.95, 1) else qf(.95, 1, fit$df.residual)
  b <- coef(fit); se <- sqrt(diag(vcov(fit)))
  V <- vcov(fit)
  g <- function(v, j) {
    # From where the covariance says that the others go: from where they were, glm.fit may end far
    # from the optimum, with a warning only.
    start <- b[-j] + (v - b[j]) * V[-j, j] / V[j, j]
    f <- suppressWarnings(glm.fit(X[, -j, drop = FALSE], y, weights = w, offset = off + X[, j] * v,
                 family = fam, control = tight, intercept = FALSE, start = start))
    stopifnot(f$converged)
    (f$deviance - fit$deviance) / phi - q
  }
  # An end is missing where glm.fit finds no start: the means would leave the link's domain.
  end <- function(j, side, to) tryCatch(
    uniroot(g, sort(b[j] + side * se[j] * c(1.2, 2.9)), j = j, tol = 1e-13 * max(abs(b[j]), se[j]),
            extendInt = to, maxiter = 500)$root, error = function(e) NA)
  ends <- sapply(seq_along(b), function(j) c(end(j, -1, "downX"), end(j, 1, "upX")))
  list(lower = ends[1, ], upper = ends[2, ])
}

tables <- function(name, types = TRUE, rao = TRUE) {
  fit <- fit_of(name); nb <- inherits(fit, "negbin")
  known <- nb || fit$family$family %in% c("binomial", "poisson")
  out <- list()
  out$anova <- table_of(quiet(anova(fit, test = if (known) "Chisq" else "F")))
  if (rao && !nb) out$anova_rao <- table_of(quiet(anova(fit, test = "Rao")))
  out$drop1 <- table_of(quiet(drop1(fit, test = if (known) "LRT" else "F")))
  if (!known) out$drop1_lrt <- table_of(quiet(drop1(fit, test = "LRT")))
  if (rao && !nb) out$drop1_rao <- table_of(quiet(drop1(fit, test = "Rao")))
  if (types) for (type in 2:3) for (test in c("LR", "F", "Wald"))
    out[[paste0("type", type, "_", test)]] <-
      table_of(quiet(Anova(fit, type = type, test.statistic = test, singular.ok = TRUE)))
  out
}

result <- list(tables = list(), profile = list(), step = list())
for (name in c("warpbreaks_poisson_log", "warpbreaks_quasipoisson_log", "clotting_gamma_inverse_lot1",
               "mtcars_gamma_log", "budworm_binomial_logit", "boston_gamma_log_poly",
               "longley_gaussian", "insurance_poisson_offset", "anorexia_gaussian_offset",
               "trees_invgauss_log"))
  result$tables[[name]] <- tables(name)
result$tables$quine_nb_ml_main <- tables("quine_nb_ml_main", types = FALSE)
result$tables$mtcars_gaussian_aliased <- tables("mtcars_gaussian_aliased", types = FALSE, rao = FALSE)
result$tables$titanic_binomial_freq_weights <- tables("titanic_binomial_freq_weights", types = FALSE)

for (name in c("warpbreaks_poisson_log", "warpbreaks_quasipoisson_log", "clotting_gamma_inverse_lot1",
               "mtcars_gamma_log", "budworm_binomial_logit", "dobson_poisson_identity",
               "beetles_binomial_logit", "beetles_binomial_cloglog", "infert_binomial_logit",
               "mtcars_binomial_logit"))
  result$profile[[name]] <- profile_ci(fit_of(name))

# step(): a path, and the formula it ends at.
path <- function(fit, ...) {
  s <- quiet(step(fit, trace = 0, ...))
  a <- s$anova
  list(formula = paste(deparse(formula(s)), collapse = ""), step = as.character(a$Step),
       columns = lapply(as.list(a)[-1], as.numeric))
}
d <- case("birthwt_binomial_logit")$data
fit <- glm(low ~ age + lwt + race + smoke + ptl + ht + ui + ftv, binomial, d, control = tight)
result$step$birthwt_backward <- path(fit)
result$step$birthwt_bic <- path(fit, k = log(nrow(d)))
start <- glm(low ~ lwt, binomial, d, control = tight)
upper <- ~ (lwt + age + race + smoke + ht + ui)^2
result$step$birthwt_both <- path(start, scope = upper, direction = "both")
result$step$birthwt_forward <- path(start, scope = ~ . + race + smoke + ht + ui, direction = "forward")
result$step$birthwt_add1 <- table_of(add1(start, ~ . + race + smoke + ht + lwt:smoke, test = "LRT"))
result$step$birthwt_add1_rao <- table_of(add1(start, ~ . + race + smoke, test = "Rao"))
m <- case("mtcars_gamma_log")$data
gam <- glm(mpg ~ wt + hp + factor(cyl) + qsec, Gamma("log"), m, control = tight)
result$step$mtcars_gamma <- path(gam)
small <- glm(mpg ~ wt, Gamma("log"), m, control = tight)
result$step$mtcars_gamma_add1 <- table_of(add1(small, ~ . + hp + factor(cyl), test = "F"))
norm <- glm(mpg ~ wt, gaussian, m, control = tight)
result$step$mtcars_gaussian_both <- path(norm, scope = ~ wt * hp + qsec, direction = "both")
result$step$mtcars_gaussian_add1 <- table_of(add1(norm, ~ . + hp + qsec, test = "LRT"))
q <- case("quine_nb_ml_main")$data
nb <- glm.nb(Days ~ Eth + Sex + Age + Lrn, q, control = tight)
result$step$quine_nb <- path(nb)

# Several models.
w <- case("warpbreaks_quasipoisson_log")$data
several <- function(...) table_of(quiet(anova(...)))
q1 <- glm(breaks ~ wool, quasipoisson, w, control = tight)
q2 <- glm(breaks ~ wool + tension, quasipoisson, w, control = tight)
q3 <- glm(breaks ~ wool * tension, quasipoisson, w, control = tight)
result$several$quasi_F <- several(q1, q2, q3, test = "F")
result$several$quasi_downwards <- several(q3, q1, test = "Chisq")
p1 <- update(q1, family = poisson); p3 <- update(q3, family = poisson)
result$several$poisson_rao <- several(p1, p3, test = "Rao")
result$several$gamma_rao <- several(small, gam, test = "Rao")
nb1 <- glm.nb(Days ~ Eth, q, control = tight)
both <- anova(nb1, nb)
result$several$nb <- list(theta = both$theta, twologlik = both[["   2 x log-lik."]],
                          LR = both[["LR stat."]][2], p = both[["Pr(Chi)"]][2])
po <- glm(Days ~ Eth + Sex + Age + Lrn, poisson, q, control = tight)
lr <- as.numeric(2 * (logLik(nb) - logLik(po)))
result$several$poisson_nb <- list(LR = lr, p = pchisq(lr, 1, lower.tail = FALSE) / 2)

# The profile interval of alpha = 1/theta: at each theta the coefficients are fitted again.
ll <- function(la) {
  fam <- negative.binomial(exp(-la))
  f <- glm(Days ~ Eth + Sex + Age + Lrn, fam, q, control = tight)
  sum(dnbinom(q$Days, size = exp(-la), mu = fitted(f), log = TRUE))
}
at <- optimize(ll, c(-3, 2), maximum = TRUE, tol = 1e-12)
gap <- function(la) 2 * (at$objective - ll(la)) - qchisq(.95, 1)
result$alpha <- exp(c(uniroot(gap, c(at$maximum - 2, at$maximum), tol = 1e-13)$root,
                      uniroot(gap, c(at$maximum, at$maximum + 2), tol = 1e-13)$root))

# Constraints by hand: hp = -0.001, the two levels of cyl alike; and wt = 100 hp.
m$c68 <- as.numeric(m$cyl > 4)
by_hand <- function(fit, fixed, N) list(
  coef = as.numeric(fixed + N %*% coef(fit)), se = sqrt(diag(N %*% vcov(fit) %*% t(N))),
  deviance = fit$deviance, df_resid = fit$df.residual, logLik = as.numeric(logLik(fit)))
result$constrained$held <- by_hand(
  glm(mpg ~ wt + c68 + offset(-0.001 * hp), Gamma("log"), m, control = tight), c(0, 0, -0.001, 0, 0),
  rbind(c(1, 0, 0), c(0, 1, 0), 0, c(0, 0, 1), c(0, 0, 1)))
result$constrained$alike <- by_hand(
  glm(mpg ~ I(100 * wt + hp) + factor(cyl), Gamma("log"), m, control = tight), 0,
  rbind(c(1, 0, 0, 0), c(0, 100, 0, 0), c(0, 1, 0, 0), c(0, 0, 1, 0), c(0, 0, 0, 1)))
# A dispersion that is given: it is known then.
given <- function(name, phi) {
  fit <- fit_of(name)
  list(scale = phi,
       anova = table_of(anova(fit, dispersion = phi, test = "Chisq")),
       anova_rao = table_of(anova(fit, dispersion = phi, test = "Rao")),
       drop1 = table_of(drop1(fit, scale = phi, test = "LRT")),
       drop1_rao = table_of(drop1(fit, scale = phi, test = "Rao")),
       profile = profile_ci(fit, phi))
}
result$given <- list(warpbreaks_poisson_log = given("warpbreaks_poisson_log", 2),
                     mtcars_gamma_log = given("mtcars_gamma_log", 0.02),
                     longley_gaussian = given("longley_gaussian", 0.1))
write(toJSON(result, digits = I(15), auto_unbox = TRUE, na = "null", null = "null"), "comparisons.json")
