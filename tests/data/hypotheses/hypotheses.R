# Tests of linear hypotheses and contrasts of factors as car, multcomp and emmeans give them.
# Rscript hypotheses.R, in this folder, writes hypotheses.json; the data are ../reference/data.
suppressMessages({
  library(car)
  library(emmeans)
  library(jsonlite)
  library(multcomp)
  library(sandwich)
})
read <- function(name) {
  read.csv(file.path("..", "reference", "data", paste0(name, ".csv")), stringsAsFactors = TRUE)
}
fitted_glm <- function(formula, family, data) {
  fit <- glm(formula, family, data, control = list(epsilon = 1e-15, maxit = 100))
  glm(formula, family, data, start = coef(fit), control = list(epsilon = 1e-15, maxit = 100))
}
together <- function(fit, rows, test, vcov. = vcov(fit)) {
  out <- linearHypothesis(fit, rows, test = test, vcov. = vcov.)
  list(statistic = out[[test]][2], df = out$Df[2], p = out[2, ncol(out)])
}
each <- function(fit, rows, adjust) {
  # As asymptotic or t tests, whichever glht takes for the family.
  own <- glht(fit, linfct = rows)
  out <- summary(own, test = adjusted(adjust))$test
  list(
    effect = unname(out$coefficients), sd = unname(out$sigma),
    statistic = unname(out$tstat), p = unname(as.numeric(out$pvalues)), df = own$df
  )
}
compared <- function(grid, method, adjust, ...) {
  own <- contrast(grid, method, ...)
  p <- as.data.frame(summary(own, infer = c(TRUE, TRUE), adjust = adjust))
  list(
    contrast = as.character(p$contrast), estimate = p$estimate, se = p$SE, df = p$df[1],
    p = p$p.value, low = p[[grep("LCL|lower", names(p))]], high = p[[grep("UCL|upper", names(p))]]
  )
}

warpbreaks <- read("warpbreaks")
warpbreaks$tension <- factor(warpbreaks$tension, levels = c("H", "L", "M"))
mtcars <- read("mtcars")
mtcars$cyl <- factor(mtcars$cyl)
birthwt <- read("birthwt")
esoph <- read("esoph")

poisson_fit <- fitted_glm(breaks ~ wool * tension, poisson, warpbreaks)
quasi_fit <- fitted_glm(breaks ~ wool * tension, quasipoisson, warpbreaks)
gaussian_fit <- fitted_glm(mpg ~ cyl * wt + hp, gaussian, mtcars)
main_fit <- fitted_glm(mpg ~ cyl + wt + hp, gaussian, mtcars)
binomial_fit <- fitted_glm(low ~ race + age + smoke, binomial, birthwt)
grouped_fit <- fitted_glm(
  cbind(ncases, ncontrols) ~ agegp + alcgp + tobgp, binomial, subset(esoph, ncases + ncontrols > 0)
)

hc0 <- vcovHC(poisson_fit, "HC0")
pair <- c("woolB = 0", "tensionL = tensionM")
grid <- function(fit, factor, ...) suppressMessages(emmeans(fit, factor, ...))
tension <- grid(poisson_fit, "tension")
quasi_tension <- grid(quasi_fit, "tension")

out <- list(
  versions = list(
    R = as.character(getRversion()),
    car = as.character(packageVersion("car")),
    multcomp = as.character(packageVersion("multcomp")),
    emmeans = as.character(packageVersion("emmeans"))
  ),
  together = list(
    poisson = together(poisson_fit, pair, "Chisq"),
    poisson_f = together(poisson_fit, pair, "F"),
    poisson_value = together(poisson_fit, "2*woolB - tensionL = 0.5", "Chisq"),
    poisson_hc0 = together(poisson_fit, pair, "Chisq", hc0),
    quasi = together(quasi_fit, pair, "F"),
    quasi_chi2 = together(quasi_fit, pair, "Chisq"),
    gaussian_interaction = together(gaussian_fit, c("cyl6:wt", "cyl8:wt"), "F"),
    binomial = together(binomial_fit, c("raceother = racewhite", "smoke = 2*age"), "Chisq"),
    binomial_race = together(binomial_fit, c("raceother", "racewhite"), "Chisq")
  ),
  hc0 = unname(hc0),
  each = list(
    poisson_none = each(poisson_fit, c("woolB = 0", "tensionL - tensionM = 0.1"), "none")
  ),
  contrasts = list(
    poisson_tukey = compared(tension, "pairwise", "tukey"),
    poisson_holm = compared(tension, "pairwise", "holm"),
    poisson_bonferroni = compared(tension, "pairwise", "bonferroni"),
    poisson_none = compared(tension, "pairwise", "none"),
    poisson_ctrl = compared(tension, "trt.vs.ctrl", "none", ref = 1),
    poisson_ctrl_holm = compared(tension, "trt.vs.ctrl", "holm", ref = 2),
    poisson_own = compared(
      tension, list("H - others" = c(1, -0.5, -0.5), "L - M" = c(0, 1, -1)), "none"
    ),
    poisson_wool_a = compared(
      grid(poisson_fit, "tension", at = list(wool = "A")), "pairwise", "tukey"
    ),
    quasi_tukey = compared(quasi_tension, "pairwise", "tukey"),
    gaussian_at_mean = compared(grid(gaussian_fit, "cyl"), "pairwise", "tukey"),
    gaussian_at_3 = compared(grid(gaussian_fit, "cyl", at = list(wt = 3)), "pairwise", "tukey"),
    gaussian_main = compared(grid(main_fit, "cyl"), "pairwise", "tukey"),
    gaussian_main_holm = compared(grid(main_fit, "cyl"), "pairwise", "holm"),
    binomial_ctrl = compared(grid(binomial_fit, "race"), "trt.vs.ctrl", "none", ref = 1),
    grouped_tukey = compared(grid(grouped_fit, "agegp"), "pairwise", "tukey")
  )
)
# ptukey is accurate to some 1e-10, absolutely.
range <- expand.grid(q = c(0.5, 3, 5, 7), levels = c(2, 3, 6, 12), df = c(3, 20, Inf))
range$p <- ptukey(range$q, range$levels, range$df, lower.tail = FALSE)
range$df[is.infinite(range$df)] <- -1
out$range <- range
write(toJSON(out, digits = I(17), auto_unbox = TRUE, na = "null", pretty = TRUE), "hypotheses.json")
