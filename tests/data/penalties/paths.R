# Paths of glmnet on real tables: Rscript paths.R, in this folder, writes paths.json. The tables are
# those of ../reference.
suppressMessages({
  library(glmnet)
  library(jsonlite)
})
# Sweeps end where they change the objective by less than `thresh` of the null deviance, Newton steps
# of the Gamma family by less than `epsnr`; the usual 1e-7 and 1e-6 leave four digits of a coefficient.
glmnet.control(epsnr = 1e-15, mxitnr = 1000)

in_order <- function(column) if (is.character(column)) factor(column, unique(column)) else column

path <- function(name, formula, family = "gaussian", alpha = 1, standardize = TRUE,
                 penalty_factor = NULL, weights = NULL, exposure = NULL, nlambda = 60) {
  table <- read.csv(file.path("../reference/data", paste0(name, ".csv")))
  table[] <- lapply(table, in_order)
  model <- as.formula(formula)
  X <- model.matrix(model, table)[, -1]
  given <- list(
    x = X, y = table[[all.vars(model)[1]]], alpha = alpha, standardize = standardize,
    family = if (family == "gamma") Gamma(link = "log") else family,
    nlambda = nlambda, thresh = 1e-20, maxit = 1e9
  )
  given$penalty.factor <- penalty_factor
  if (!is.null(weights)) given$weights <- table[[weights]]
  if (!is.null(exposure)) given$offset <- log(table[[exposure]])
  fit <- do.call(glmnet, given)
  stopifnot(fit$jerr == 0)
  list(
    table = name, levels = lapply(Filter(is.factor, table), levels), formula = formula,
    family = family, alpha = alpha, standardize = standardize, penalty_factor = penalty_factor,
    vectors = list(var_weights = weights, exposure = exposure), nlambda = nlambda,
    lambda = fit$lambda, df = fit$df, dev_ratio = fit$dev.ratio, null_deviance = fit$nulldev,
    coefficients = unname(t(as.matrix(coef(fit))))
  )
}

paths <- list(
  # With all products of two there are more columns than rows.
  mtcars_pairs = path(
    "mtcars", "mpg ~ (cyl + disp + hp + drat + wt + qsec + vs + am + gear + carb)^2"
  ),
  boston_as_it_is = path(
    "boston",
    "medv ~ crim + zn + indus + chas + nox + rm + age + dis + rad + tax + ptratio + black + lstat",
    standardize = FALSE
  ),
  caschools_weights = path(
    "caschools", "score ~ grades + lunch + english + income + expenditure + stratio",
    alpha = 0.5, weights = "students"
  ),
  birthwt_factors = path(
    "birthwt", "low ~ age + lwt + race + smoke + ptl + ht + ui + ftv", "binomial",
    alpha = 0.7, penalty_factor = c(0, 1, 2, 2, 1, 0.5, 1, 1, 3)
  ),
  insurance_offset = path(
    "insurance", "Claims ~ factor(District) + Group + Age", "poisson",
    standardize = FALSE, exposure = "Holders"
  ),
  doctorvisits_mostly_ridge = path(
    "doctorvisits",
    paste(
      "visits ~ gender + age + income + illness + reduced + health + private + freepoor +",
      "freerepat + nchronic + lchronic"
    ),
    "poisson", alpha = 0.1
  ),
  mtcars_gamma = path(
    "mtcars", "mpg ~ cyl + disp + hp + drat + wt + qsec + vs + am + gear + carb", "gamma",
    alpha = 0.5
  )
)
answer <- list(
  versions = list(
    R = paste(R.version$major, R.version$minor, sep = "."),
    glmnet = as.character(packageVersion("glmnet"))
  ),
  paths = paths
)
writeLines(toJSON(answer, digits = NA, auto_unbox = TRUE, null = "null"), "paths.json")
