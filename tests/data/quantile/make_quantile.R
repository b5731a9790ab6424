# Quantile residuals of continuous families by R's statmod: Rscript make_quantile.R, in this folder.
library(statmod)
d <- data.frame(x = c(0.2, 1.1, 2.3, 3.1, 4.2, 5.4, 6.1, 7.3), y = c(1.2, 0.8, 2.1, 3.9, 2.5, 6.1, 4.8, 9.7),
  w = c(1, 2, 1, 0.5, 1, 3, 1, 2))
tight <- glm.control(epsilon = 1e-15, maxit = 100)
out <- list(
  gamma = qresiduals(glm(y ~ x, Gamma("log"), d, control = tight)),
  gamma_weights = qresiduals(glm(y ~ x, Gamma("log"), d, weights = w, control = tight)),
  inverse_gaussian = qresiduals(glm(y ~ x, inverse.gaussian("log"), d, control = tight)))
text <- sapply(names(out), function(k)
  paste0(" \"", k, "\": [", paste(formatC(out[[k]], digits = 17, format = "g"), collapse = ", "), "]"))
writeLines(paste0("{\n", paste(text, collapse = ",\n"), "\n}"), "quantile.json")
