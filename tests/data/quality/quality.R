# Writes quality.json, the reference values of tests/test_quality.py: Rscript quality.R
# Base R computes the tests; pscl the pseudo R-squared, pROC the area, MASS the negative binomial.

suppressMessages({ library(pscl); library(pROC); library(MASS); library(jsonlite) })
set.seed(20)
n <- 240
x <- round(rnorm(n), 3)
g <- sample(c("a", "b", "c"), n, TRUE)
years <- round(runif(n, 0.2, 3), 2)
mu <- years * exp(-0.2 + 0.6 * x + 0.3 * (g == "b"))
died <- rbinom(n, 1, plogis(-0.4 + 0.9 * x - 0.5 * (g == "c")))
size <- sample(1:9, n, TRUE)
hits <- rbinom(n, size, plogis(-0.4 + 0.5 * x))
claims <- ifelse(runif(n) < 0.25, 0, rpois(n, mu))
visits <- ifelse(runif(n) < 0.3, 0, rpois(n, exp(0.1 + 0.2 * x)))
events <- rnegbin(n, mu, theta = 1.2)
table <- data.frame(x, g, years, died, size, hits, claims, visits, events)

r2 <- function(fit) { p <- suppressMessages(capture.output(v <- pR2(fit))); v[c("McFadden", "r2ML", "r2CU")] }

hl <- function(y, p, size, groups) {
  # Groups of equal weight: the middle of what a prediction weighs, as bins are made.
  o <- order(p); w <- tapply(size[o], p[o], sum); middle <- (cumsum(w) - w / 2) / sum(w)
  bin <- pmin(floor(groups * middle), groups - 1)[match(p, sort(unique(p)))]
  n <- tapply(size, bin, sum); obs <- tapply(size * y, bin, sum); want <- tapply(size * p, bin, sum)
  chi2 <- sum((obs - want)^2 / (want * (1 - want / n)))
  df <- length(n) - 2
  list(statistic = chi2, df = df, p = pchisq(chi2, df, lower.tail = FALSE),
       n = as.vector(n), observed = as.vector(obs / n), predicted = as.vector(want / n))
}
# The groups of ResourceSelection::hoslem.test, by quantiles of the predictions.
hl_quantiles <- function(y, p, g) {
  cuts <- cut(p, breaks = quantile(p, probs = seq(0, 1, 1 / g)), include.lowest = TRUE)
  obs <- xtabs(cbind(1 - y, y) ~ cuts); expected <- xtabs(cbind(1 - p, p) ~ cuts)
  sum((obs - expected)^2 / expected)
}

single <- glm(died ~ x + g, binomial, table)
p <- fitted(single)
grouped <- glm(cbind(hits, size - hits) ~ x + g, binomial, table)
# As an argument the offset stays in the null model of pscl.
counts <- glm(claims ~ x + g, poisson, table, offset = log(years))
few <- glm(visits ~ x, poisson, table)
gaussian <- glm(years ~ x + g, gaussian, table)

broek <- function(fit, y) {
  l <- fitted(fit); X <- model.matrix(fit); p0 <- exp(-l)
  information <- t(X) %*% (l * X)
  taken <- t(l) %*% X %*% solve(information) %*% t(X) %*% l
  statistic <- sum((y == 0) / p0 - 1)^2 / (sum((1 - p0) / p0) - taken)
  list(observed = sum(y == 0), expected = sum(p0), statistic = drop(statistic),
       p = drop(pchisq(statistic, 1, lower.tail = FALSE)))
}

poisson_zeros <- function(fit, y) {
  l <- fitted(fit); X <- model.matrix(fit); p0 <- exp(-l)
  slope <- drop(t(X) %*% (-p0 * l))
  v <- sum(p0 * (1 - p0)) - drop(t(slope) %*% solve(t(X) %*% (l * X)) %*% slope)
  list(observed = sum(y == 0), expected = sum(p0), z = (sum(y == 0) - sum(p0)) / sqrt(v))
}

nb <- glm.nb(events ~ x + g + offset(log(years)), table)
nb_zeros <- function(fit, y) {
  m <- fitted(fit); t <- fit$theta; X <- model.matrix(fit); p0 <- (t / (t + m))^t
  w <- m / (1 + m / t)
  slope <- drop(t(X) %*% (-p0 * t / (t + m) * m))
  # d p0 / d theta and the standard error of theta, as MASS has it
  by_theta <- sum(p0 * (log(t / (t + m)) + 1 - t / (t + m)))
  v <- sum(p0 * (1 - p0)) - drop(t(slope) %*% solve(t(X) %*% (w * X)) %*% slope) -
    (by_theta * fit$SE.theta)^2
  list(observed = sum(y == 0), expected = sum(p0), z = (sum(y == 0) - sum(p0)) / sqrt(v))
}

half <- 1:(n / 2)
train <- glm(died ~ x + g, binomial, table[half, ])
test <- table[-half, ]
pt <- predict(train, test, type = "response")
null <- mean(table$died[half])
dev <- function(y, p) -2 * sum(y * log(p) + (1 - y) * log(1 - p))
train_poisson <- glm(claims ~ x + g + offset(log(years)), poisson, table[half, ])
null_poisson <- glm(claims ~ 1 + offset(log(years)), poisson, table[half, ])
pdev <- function(y, m) 2 * sum(ifelse(y > 0, y * log(y / m), 0) - (y - m))
mt <- predict(train_poisson, test, type = "response")
m0 <- predict(null_poisson, test, type = "response")

out <- list(
  table = table,
  single = list(r2 = as.list(r2(single)), deviance = 1 - single$deviance / single$null.deviance,
                tjur = mean(p[died == 1]) - mean(p[died == 0]),
                auc = as.numeric(auc(roc(died, p, quiet = TRUE))),
                hl = hl(died, p, rep(1, n), 10), hl_quantiles = hl_quantiles(died, p, 10),
                aic = AIC(single), bic = BIC(single), llf = as.numeric(logLik(single))),
  grouped = list(r2 = as.list(r2(grouped)), hl = hl(hits / size, fitted(grouped), size, 8),
                 auc = as.numeric(auc(roc(rep(rep(1:0, n), c(rbind(hits, size - hits))),
                                          rep(fitted(grouped), size), quiet = TRUE)))),
  poisson = list(r2 = as.list(r2(counts)), zeros = poisson_zeros(counts, claims)),
  few = list(zeros = broek(few, visits)),
  gaussian = list(rsquared = summary(lm(years ~ x + g, table))$r.squared),
  negative_binomial = list(zeros = nb_zeros(nb, events)),
  heldout = list(auc = as.numeric(auc(roc(test$died, pt, quiet = TRUE))),
                 d_squared = 1 - dev(test$died, pt) / dev(test$died, null),
                 brier = mean((test$died - pt)^2),
                 poisson_d_squared = 1 - pdev(test$claims, mt) / pdev(test$claims, m0)),
  R = R.version.string
)
write(toJSON(out, digits = 14, auto_unbox = TRUE, dataframe = "columns"), "quality.json")
