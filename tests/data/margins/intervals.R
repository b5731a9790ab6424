# Intervals for new observations of a weighted least-squares fit, by predict.lm:
#   Rscript intervals.R > intervals.json        (R 4.2.2, jsonlite)

cars <- read.csv("../reference/data/mtcars.csv")
fit <- lm(mpg ~ wt * hp, cars, weights = cyl)
new <- data.frame(wt = c(1.5, 3, 5), hp = c(60, 150, 300))
out <- list(
  own = predict(fit, new, interval = "prediction", weights = 1, level = 0.9)[, 2:3],
  four = predict(fit, new, interval = "prediction", weights = c(4, 1, 2))[, 2:3]
)
cat(jsonlite::toJSON(out, digits = 12, pretty = TRUE), "\n")
