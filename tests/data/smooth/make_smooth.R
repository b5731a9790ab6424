# Curves and random effects by mgcv and lme4: Rscript make_smooth.R, in this folder. Writes smooth.json.
suppressMessages({
  library(mgcv)
  library(lme4)
})

read <- function(name) read.csv(file.path("../reference/data", paste0(name, ".csv")))
number <- function(x) unname(as.numeric(x))
exact <- gam.control(epsilon = 1e-13, maxit = 500)

# mgcv's bam: strengths by REML of the working model, as here. Its penalty of a curve is scaled by
# `S.scale`, and acts on twice the deviance: lambda here is sp / S.scale / n.
of_bam <- function(formula, data, ...) {
  fit <- bam(formula, data = data, method = "fREML", control = exact, ...)
  scaled <- sapply(fit$smooth, function(s) if (is.null(s$S.scale)) 1 else s$S.scale)
  parametric <- seq_len(fit$nsdf)
  list(
    formula = paste(deparse(formula), collapse = " "),
    fitted_10 = number(head(fitted(fit), 10)),
    coef = number(coef(fit)[parametric]),
    bse = number(sqrt(diag(vcov(fit)))[parametric]),
    edf = number(summary(fit)$s.table[, 1]),
    edf_total = sum(fit$edf),
    lambda = number(fit$sp / scaled / nrow(data)),
    deviance = deviance(fit)
  )
}

of_lmer <- function(formula, data) {
  tight <- lmerControl(
    optimizer = "bobyqa", optCtrl = list(rhoend = 1e-12, maxfun = 1e6), calc.derivs = FALSE
  )
  fit <- lmer(formula, data, REML = TRUE, control = tight)
  spread <- as.data.frame(VarCorr(fit))$sdcor
  list(
    formula = paste(deparse(formula), collapse = " "),
    fitted_10 = number(head(fitted(fit), 10)),
    coef = number(fixef(fit)),
    bse = number(sqrt(diag(as.matrix(vcov(fit))))),
    std_dev = spread[-length(spread)],
    sigma = spread[length(spread)],
    effects_10 = number(head(ranef(fit)[[1]][, 1], 10))
  )
}

bacteria <- read("bacteria")
bacteria$late <- as.integer(bacteria$week > 2)
bacteria$ID <- factor(bacteria$ID)
pima <- read("pima_tr")
out <- list(
  mcycle = of_bam(accel ~ s(times, bs = "ps", k = 20), read("mcycle")),
  boston = of_bam(
    medv ~ s(lstat, bs = "ps", k = 12) + s(rm, bs = "ps", k = 10) + crim, read("boston")
  ),
  pima = of_bam(
    type ~ s(glu, bs = "ps", k = 10) + s(bmi, bs = "ps", k = 10) + age,
    pima, family = binomial
  ),
  doctorvisits = of_bam(
    visits ~ s(income, bs = "ps", k = 8) + illness, read("doctorvisits"), family = poisson
  ),
  trees = of_bam(
    Volume ~ s(Height, bs = "ps", k = 6) + s(Girth, bs = "ps", k = 8), read("trees"),
    family = Gamma(link = "log")
  ),
  bacteria = of_bam(
    y ~ trt + late + s(ID, bs = "re"), bacteria,
    family = binomial
  ),
  petersen = of_lmer(y ~ x + (1 | firm), read("petersen")),
  crossed = of_lmer(y ~ x + (1 | firm) + (1 | year), subset(read("petersen"), firm <= 60))
)
# A random part of every coefficient, as many fits towards what they have in common have it.
of_slopes <- function(formula, data) {
  tight <- lmerControl(
    optimizer = "bobyqa", optCtrl = list(rhoend = 1e-12, maxfun = 1e6), calc.derivs = FALSE
  )
  fit <- lmer(formula, data, REML = TRUE, control = tight)
  list(
    formula = paste(deparse(formula), collapse = " "),
    mean = number(fixef(fit)),
    cov = number(VarCorr(fit)[[1]]),
    sigma = sigma(fit),
    coef_10 = lapply(1:10, function(i) number(coef(fit)[[1]][i, ]))
  )
}
nights <- transform(sleepstudy, Subject = as.integer(as.character(Subject)))
write.csv(nights[, c("Subject", "Days", "Reaction")], "nights.csv", row.names = FALSE)
out$slopes <- of_slopes(Reaction ~ Days + (Days | Subject), read.csv("nights.csv"))
chickens <- subset(as.data.frame(ChickWeight), as.integer(as.character(Chick)) <= 40)
chickens$Chick <- as.integer(as.character(chickens$Chick))
chickens <- chickens[order(chickens$Chick, chickens$Time), c("Chick", "Time", "weight")]
write.csv(chickens, "chickens.csv", row.names = FALSE)
out$singular <- of_slopes(weight ~ Time + (Time | Chick), chickens)

laplace <- glmer(
  y ~ trt + late + (1 | ID), bacteria, family = binomial
)
out$bacteria$laplace <- list(
  coef = number(fixef(laplace)), std_dev = as.data.frame(VarCorr(laplace))$sdcor
)
out$versions <- list(
  R = paste(R.version$major, R.version$minor, sep = "."),
  mgcv = as.character(packageVersion("mgcv")), lme4 = as.character(packageVersion("lme4"))
)
writeLines(jsonlite::toJSON(out, digits = NA, auto_unbox = TRUE, pretty = TRUE), "smooth.json")
