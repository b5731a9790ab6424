# Robust covariances by R's sandwich and clubSandwich: Rscript make_robust.R, in this folder.
# Writes innovation.csv (sandwich::InstInnovation) and robust.json.
library(sandwich)
library(clubSandwich)

data("InstInnovation", package = "sandwich")
innovation <- na.omit(transform(InstInnovation,
  company = as.integer(factor(company)), year = as.integer(as.character(year)),
  capital = round(log(capital / employment), 6), sales = round(log(sales), 6)
)[, c("company", "year", "cites", "institutions", "capital", "sales")])
innovation <- innovation[innovation$company <= 150, ]
write.csv(innovation, "innovation.csv", row.names = FALSE)
innovation <- read.csv("innovation.csv")
petersen <- read.csv("../reference/data/petersen.csv")
petersen <- petersen[petersen$firm <= 60, ]
bacteria <- read.csv("../reference/data/bacteria.csv")
air <- read.csv("../reference/data/airpassengers.csv")

settled <- function(...) {
  fit <- glm(..., epsilon = 1e-15, maxit = 100)
  for (i in 1:5) fit <- update(fit, start = coef(fit))
  fit
}
show <- function(v) apply(unname(v), 1, as.list)
out <- list()

fit <- settled(cites ~ institutions + capital + sales, poisson, innovation)
ways <- innovation[, c("company", "year")]
out$innovation <- list(
  coef = unname(coef(fit)),
  HC3 = vcovHC(fit, "HC3"),
  company = vcovCL(fit, innovation$company),
  company_HC1 = vcovCL(fit, innovation$company, "HC1"),
  company_plain = vcovCL(fit, innovation$company, cadjust = FALSE),
  both = vcovCL(fit, ways),
  both_HC1 = vcovCL(fit, ways, "HC1"),
  panel_3 = vcovPL(fit, innovation$company, innovation$year, lag = 3, aggregate = FALSE,
    adjust = FALSE),
  time_3 = vcovPL(fit, innovation$company, innovation$year, lag = 3, aggregate = TRUE,
    adjust = FALSE))

fit <- lm(y ~ x, petersen)
out$petersen <- list(
  HC2 = vcovCL(fit, petersen$firm, "HC2"),
  HC3 = vcovCL(fit, petersen$firm, "HC3"),
  CR2 = vcovCR(fit, petersen$firm, "CR2"),
  CR3 = vcovCR(fit, petersen$firm, "CR3"),
  both_HC0 = vcovCL(fit, petersen[, c("firm", "year")], "HC0"))

fit <- settled(y ~ trt + late, binomial, transform(bacteria,
  trt = factor(trt, c("placebo", "drug", "drug+"))))
out$bacteria <- list(CR3 = vcovCR(fit, bacteria$ID, "CR3"), CR0 = vcovCR(fit, bacteria$ID, "CR0"))

fit <- settled(passengers ~ t, quasipoisson, transform(air, t = seq_along(passengers) / 100))
out$air <- list(
  lag_0 = NeweyWest(fit, lag = 0, prewhite = FALSE),
  lag_4 = NeweyWest(fit, lag = 4, prewhite = FALSE))

number <- function(x) paste0("[", paste(formatC(x, digits = 17, format = "g"), collapse = ", "), "]")
matrix_text <- function(m) paste0("[", paste(apply(m, 1, number), collapse = ", "), "]")
text <- sapply(names(out), function(name) {
  parts <- sapply(names(out[[name]]), function(k) {
    value <- out[[name]][[k]]
    paste0("  \"", k, "\": ", if (is.matrix(value)) matrix_text(value) else number(value))
  })
  paste0(" \"", name, "\": {\n", paste(parts, collapse = ",\n"), "\n }")
})
writeLines(paste0("{\n", paste(text, collapse = ",\n"), "\n}"), "robust.json")
