"""Owns the columns that a fit was made of, as a table or a sparse matrix."""

from typing import Any, Literal

from jaxglm.intake import as_sparse, as_table
from jaxglm.results._rowwise import RowAnswers
from jaxglm.words import check_choice, understands_habits


class DesignMatrix(RowAnswers):
    """The columns of the rows of the fit, and of new ones."""

    @understands_habits
    def design_matrix(
        self,
        data: Any = None,
        *,
        unseen: Literal["raise", "base", "nan"] = "raise",
        sparse: bool = False,
    ) -> Any:
        """The columns of the fit, or the same columns of new rows.

        A table takes 8 bytes for each of its n x p numbers. A sparse matrix takes some 12 for each
        number that is not zero: that is the form for factors of many levels.

        Parameters
        ----------
        data : table or array, optional
            New data; the rows of the fit when left out.
        unseen : {"raise", "base", "nan"}
            As for `predict`.
        sparse : bool
            Return a SciPy CSR array, whose columns are in the order of `names`.

        Returns
        -------
        DataFrame [n, p] or csr_array
            A table has the index of the rows, and nan in new rows that miss a value.

        Raises
        ------
        DataError
            As for `predict`; and where a row misses a value and `sparse` is asked for.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"y": [1, 0, 2, 3], "g": ["a", "b", "c", "a"]}
        >>> fit = jg.glm("y ~ g", table, family="poisson", on_failure="ignore")
        >>> fit.design_matrix({"g": ["c", "a"]})
           Intercept  g[T.b]  g[T.c]
        0        1.0     0.0     1.0
        1        1.0     0.0     0.0
        """
        check_choice("sparse", sparse, (True, False))
        if data is None:
            held = self.model.held("design_matrix()", or_data=True)
            columns, missing, index = held.columns, None, held.labels
        else:
            columns, _, missing, index = self.model.new_columns(data, unseen)
        return (
            as_sparse(columns, missing) if sparse else as_table(columns, self.names, index, missing)
        )
